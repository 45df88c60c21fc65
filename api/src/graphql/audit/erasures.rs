//! Erasing a person: asked for by one administrator of the plan, approved by another (GN-27).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Command, Commands,
    audit::{ApproveErasure, RETENTION_READERS, RefuseErasure, RequestErasure},
};
use rollcall_domain::{Refusal, audit::LegalBasis, kernel::ids::UserId, values::Reason};
use rollcall_projections::erasures;

use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::read,
    scalars::{DateTime, Position},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// By what right a person is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "LegalBasis")]
pub enum ErasureBasis {
    /// They have to be kept no longer and are needed for nothing.
    RetentionEnded,
    /// The person asked for it where a law gives them that right.
    PersonsRequest,
    /// A court or an authority ordered it.
    Order,
}

/// Where an erasure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "erasures::ErasureStatus")]
pub enum ErasureStatus {
    /// Waits for another administrator.
    Open,
    /// Nobody decided within seven days.
    Expired,
    Refused,
    /// The person's keys are destroyed.
    Erased,
}

/// The newest request to erase a person.
#[derive(Clone, Debug, SimpleObject)]
pub struct ErasureRequest {
    pub user_id: ID,
    pub status: ErasureStatus,
    /// Absent where an older database was put back that knew of no request.
    pub basis: Option<ErasureBasis>,
    pub requested_by: Option<ID>,
    pub requested_at: Option<DateTime>,
    /// From when on it cannot be approved.
    pub expires_at: Option<DateTime>,
    /// Absent also where the ledger of erasures had the person erased again.
    pub decided_by: Option<ID>,
    pub decided_at: Option<DateTime>,
}

connection!(ErasureRequestConnection, ErasureRequestEdge, ErasureRequest);

/// Asks for a person to be erased.
#[derive(InputObject)]
pub struct RequestErasureInput {
    pub user_id: ID,
    pub basis: ErasureBasis,
    /// About the person; it is erased with them.
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Approves that.
#[derive(InputObject)]
pub struct ApproveErasureInput {
    pub user_id: ID,
    /// Nothing brings the person back; it has to be true.
    pub confirm: bool,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Refuses that.
#[derive(InputObject)]
pub struct RefuseErasureInput {
    pub user_id: ID,
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of asking for, approving or refusing an erasure.
    ErasurePayload { request: ErasureRequest }
}

/// Questions about erasures.
#[derive(Default)]
pub struct ErasureQuery;

#[Object]
impl ErasureQuery {
    /// The newest request about each person, by its newest event, newest first; for auditors and
    /// administrators of the whole plan (GN-27).
    async fn erasure_requests(
        &self,
        ctx: &Context<'_>,
        status: Option<ErasureStatus>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<ErasureRequestConnection> {
        let mut reading = read(ctx, Access::Plan(RETENTION_READERS), min_position).await?;
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let now = ctx.data::<Commands>()?.journal.now();
        let asked = (page.first + 1, page.after);
        let found = erasures::erasures(&mut reading.view, status.map(Into::into), now, asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.position, shown(row, now))).collect();
        Ok(ErasureRequestConnection::of(&page, Rows { rows, total: None }))
    }
}

fn shown(row: erasures::ErasureRow, now: chrono::DateTime<chrono::Utc>) -> ErasureRequest {
    let person = |id| NodeType::User.id(id);
    ErasureRequest {
        user_id: person(row.user_id),
        status: row.status(now).into(),
        requested_by: row.requested_by.map(person),
        requested_at: row.requested_at.map(DateTime::from),
        expires_at: row.expires_at.map(DateTime::from),
        decided_by: row.decided_by.map(person),
        decided_at: row.decided_at.map(DateTime::from),
        basis: row.basis.and_then(|basis| LegalBasis::parse(&basis)).map(ErasureBasis::from),
    }
}

/// Erasing people.
#[derive(Default)]
pub struct ErasureMutation;

#[Object]
impl ErasureMutation {
    /// Asks for a person to be erased, for administrators of the whole plan; another one approves it
    /// within seven days. Refusals: NOT_FOUND, SELF_APPROVAL, DUPLICATE_REQUEST, ALREADY_ERASED,
    /// STILL_IN_EFFECT, RETENTION_ACTIVE (`retryAt`), LEGAL_HOLD_ACTIVE, REASON_REQUIRED.
    async fn request_erasure(
        &self,
        ctx: &Context<'_>,
        input: RequestErasureInput,
    ) -> Result<ErasurePayload> {
        let command = || {
            Ok(RequestErasure {
                user: NodeType::User.parse(&input.user_id, "userId")?,
                basis: input.basis.into(),
                reason: field("reason", Reason::parse(&input.reason))?,
            })
        };
        let command = command();
        answered(ctx, input.meta, command).await
    }

    /// Destroys the person's keys: what the log knows of who they were is unreadable from then on, in
    /// every process, and its proofs stay valid. For another administrator than who asked. Refusals:
    /// as `requestErasure`, and NOT_PENDING, REQUEST_EXPIRED, CONFIRMATION_REQUIRED.
    async fn approve_erasure(
        &self,
        ctx: &Context<'_>,
        input: ApproveErasureInput,
    ) -> Result<ErasurePayload> {
        let command = || {
            let user = NodeType::User.parse(&input.user_id, "userId")?;
            if input.confirm { Ok(ApproveErasure { user }) } else { Err(unconfirmed()) }
        };
        let command = command();
        answered(ctx, input.meta, command).await
    }

    /// Decides against it, for another administrator than who asked. Refusals: NOT_PENDING,
    /// REQUEST_EXPIRED, SELF_APPROVAL, ALREADY_ERASED, REASON_REQUIRED.
    async fn refuse_erasure(
        &self,
        ctx: &Context<'_>,
        input: RefuseErasureInput,
    ) -> Result<ErasurePayload> {
        let command = || {
            Ok(RefuseErasure {
                user: NodeType::User.parse(&input.user_id, "userId")?,
                reason: field("reason", Reason::parse(&input.reason))?,
            })
        };
        let command = command();
        answered(ctx, input.meta, command).await
    }
}

fn unconfirmed() -> Refusal {
    let message = "Nothing brings an erased person back. Confirm that you want it.";
    Refusal::new(rollcall_domain::Code::ConfirmationRequired, message).at("confirm")
}

async fn answered<C: Command<Output = UserId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: std::result::Result<C, Refusal>,
) -> Result<ErasurePayload> {
    let sent = send(ctx, meta, command).await?;
    let Some(user) = sent.output.filter(|_| ctx.look_ahead().field("request").exists()) else {
        return Ok(ErasurePayload::of(sent, None));
    };
    let mut reading = read(ctx, Access::Plan(RETENTION_READERS), sent.position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let found = erasures::erasures_of(&mut reading.view, &[user.0]).await;
    let found = found.map_err(|error| fault(&error))?.pop();
    Ok(ErasurePayload::of(sent, found.map(|row| shown(row, now))))
}
