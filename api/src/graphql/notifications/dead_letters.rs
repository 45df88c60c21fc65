//! Messages that nobody took: the list, another try, and bounces reported by hand (GN-19).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access,
    outbox::{POSTMASTERS, RecordEmailBounce, RetryMessage},
};
use rollcall_domain::{Refusal, kernel::ids::DeliveryId, notifications::Channel};
use rollcall_projections::notifications::{self, DeadLetterKey};

use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::read,
    scalars::{DateTime, Position},
    sending::{MutationMeta, payload, send},
};

/// By which way a message goes.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::notifications::Channel")]
pub enum MessageChannel {
    Email,
    Sms,
    Voice,
    Letter,
}

/// A message that nobody took.
#[derive(Clone, Debug, SimpleObject)]
pub struct DeadLetter {
    /// Pass it to `retryMessage`.
    pub message_id: ID,
    /// Which message it is, such as `invitation`.
    pub template: String,
    pub channel: MessageChannel,
    /// To whom, where that is a person with an account or an invitation.
    pub user_id: Option<ID>,
    /// Attempts since it was queued or taken up again.
    pub attempts: i32,
    /// How often it was taken up again.
    pub retries: i32,
    /// The kind of the last failure.
    pub last_failure: Option<String>,
    pub queued_at: DateTime,
}

connection!(DeadLetterConnection, DeadLetterEdge, DeadLetter);

impl DeadLetter {
    fn of(row: notifications::DeadLetter) -> Option<Self> {
        Some(Self {
            message_id: ID(row.delivery_id.to_string()),
            template: row.template,
            channel: Channel::parse(&row.channel)?.into(),
            user_id: row.user_id.map(|id| NodeType::User.id(id)),
            attempts: row.attempts,
            retries: row.retries,
            last_failure: row.last_failure,
            queued_at: row.queued_at.into(),
        })
    }
}

/// Queries of messages.
#[derive(Default)]
pub struct DeadLettersQuery;

#[Object]
impl DeadLettersQuery {
    /// Messages that were given up, newest first, for plan administrators and support (GN-19).
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<DeadLetterConnection> {
        let mut reading = read(ctx, Access::Plan(POSTMASTERS), min_position).await?;
        let page: Page<DeadLetterKey> = Page::new(first, after).map_err(top_level)?;
        let found = notifications::dead_letters(&mut reading.view, page.first, page.after).await;
        let found = found.map_err(|error| fault(&error))?;
        let keyed = |row: notifications::DeadLetter| {
            Some(((row.source_position, row.delivery_id), DeadLetter::of(row)?))
        };
        let rows = found.into_iter().filter_map(keyed).collect();
        Ok(DeadLetterConnection::of(&page, Rows { rows, total: None }))
    }
}

/// A message to try again.
#[derive(Debug, InputObject)]
pub struct RetryMessageInput {
    pub message_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A message that came back.
#[derive(Debug, InputObject)]
pub struct RecordEmailBounceInput {
    /// The Message-ID of the email, with or without what follows the `@`.
    pub message_id: ID,
    /// The enhanced status code of RFC 3463, such as `5.1.1`.
    pub status: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// What became of a command about a message.
    MessagePayload {
        /// The message.
        message_id: ID,
    }
}

/// Commands about messages.
#[derive(Default)]
pub struct DeadLettersMutation;

#[Object]
impl DeadLettersMutation {
    /// Has a message that was given up tried again, with all its attempts before it. Errors:
    /// NOT_FOUND, NOT_PENDING.
    async fn retry_message(
        &self,
        ctx: &Context<'_>,
        input: RetryMessageInput,
    ) -> Result<MessagePayload> {
        let command = delivery(&input.message_id).map(|delivery| RetryMessage { delivery });
        let sent = send(ctx, input.meta, command).await?;
        let id = sent.output.map(|id: DeliveryId| ID(id.to_string()));
        Ok(MessagePayload::of(sent, id))
    }

    /// Reports that an email came back; its address is marked in the person's view. Errors:
    /// NOT_FOUND, NOT_PENDING, FIELD_INVALID.
    async fn record_email_bounce(
        &self,
        ctx: &Context<'_>,
        input: RecordEmailBounceInput,
    ) -> Result<MessagePayload> {
        let status = input.status;
        let command = delivery(&input.message_id);
        let command = command.map(|delivery| RecordEmailBounce { delivery, status });
        let sent = send(ctx, input.meta, command).await?;
        let id = sent.output.map(|id: DeliveryId| ID(id.to_string()));
        Ok(MessagePayload::of(sent, id))
    }
}

/// The delivery behind a message id, `<…@host>` or bare.
fn delivery(id: &ID) -> Result<DeliveryId, Refusal> {
    let bare = id.trim().trim_start_matches('<');
    let bare = bare.split_once('@').map_or(bare, |(bare, _)| bare);
    NodeType::parse_bare(&ID(bare.to_owned()), "messageId")
}
