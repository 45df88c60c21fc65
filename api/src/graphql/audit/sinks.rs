//! `auditSinks` and the commands on them: the timeline pushed to the plan's own receivers (GN-26).
//!
//! Invariant: a secret is told once, when it is made.

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands,
    audit::sinks::{
        CreateAuditSink, CreatedSink, DeleteAuditSink, PauseAuditSink, ResumeAuditSink,
        RotateAuditSinkSecret, SINK_READERS, Standing, standings,
    },
};
use rollcall_domain::{
    Refusal,
    audit::{AuditSinks, PauseCause, SinkFormat},
    kernel::ids::AuditSinkId,
    values::{Reason, SinkName},
};
use serde_json::Value;

use super::{exports::stored, input::AuditEventFilter};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::{caller, read},
    scalars::{DateTime, Position},
    sending::{MutationMeta, Sent, payload, send},
};

/// How events are written into a delivery, one a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "SinkFormat")]
pub enum AuditSinkFormat {
    /// A JSON object, as exports have it.
    JsonLines,
    /// An event of OCSF 1.8.0.
    Ocsf,
}

/// Why nothing is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "PauseCause")]
pub enum AuditSinkPauseCause {
    /// An administrator wants it so.
    Administrator,
    /// The receiver answered 410 Gone.
    Gone,
    /// The receiver took nothing for five days.
    Unreachable,
}

/// A receiver that the plan's audit events are pushed to, as deliveries of Standard Webhooks: POST of
/// up to 500 lines with `webhook-id`, `webhook-timestamp` and `webhook-signature`. A delivery that was not
/// answered with 2xx comes again under the same id: at least once, in the order of positions.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditSink {
    /// A UUID; a sink is read within this list only.
    pub id: ID,
    pub name: String,
    pub url: String,
    pub format: AuditSinkFormat,
    /// Which events, as on record; empty: all.
    pub filter: Json<Value>,
    /// Words that an event must all have.
    pub text: Vec<String>,
    /// Absent while events are delivered.
    pub paused: Option<AuditSinkPauseCause>,
    /// Every event up to here was taken.
    pub position: Position,
    /// How many positions the log is ahead of it.
    pub lag: Position,
    pub last_delivery_at: Option<DateTime>,
    /// The status that the receiver answered last, or why there was no answer, while deliveries fail.
    pub last_error: Option<String>,
    /// When it is tried again, while deliveries fail.
    pub next_attempt_at: Option<DateTime>,
    /// Until when deliveries are signed with the former secret too.
    pub both_secrets_until: Option<DateTime>,
}

/// A receiver to be made.
#[derive(Debug, InputObject)]
pub struct CreateAuditSinkInput {
    pub name: String,
    /// A public https address without user, query and fragment.
    pub url: String,
    pub format: AuditSinkFormat,
    /// As of `auditEvents`; all that an administrator of the plan may see if not given.
    pub filter: Option<AuditEventFilter>,
    /// Events after this position, 0 for all; those to come if not given.
    pub after_position: Option<Position>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl CreateAuditSinkInput {
    fn command(self) -> std::result::Result<CreateAuditSink, Refusal> {
        let name = SinkName::parse(&self.name).map_err(|bad| Refusal::from(bad).at("name"))?;
        let (filter, words) = stored(self.filter.unwrap_or_default().parse()?)?;
        Ok(CreateAuditSink {
            name,
            url: self.url,
            format: self.format.into(),
            filter,
            words,
            after_position: self.after_position.map(|position| position.0),
        })
    }
}

/// A receiver whose deliveries are to be signed with another secret.
#[derive(Debug, InputObject)]
pub struct RotateAuditSinkSecretInput {
    pub audit_sink_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A receiver that is to get nothing for now.
#[derive(Debug, InputObject)]
pub struct PauseAuditSinkInput {
    pub audit_sink_id: ID,
    /// Required.
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A receiver that is to get events again.
#[derive(Debug, InputObject)]
pub struct ResumeAuditSinkInput {
    pub audit_sink_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A receiver that is to get nothing any more.
#[derive(Debug, InputObject)]
pub struct DeleteAuditSinkInput {
    pub audit_sink_id: ID,
    /// Required.
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// A receiver and the secret that signs its deliveries.
    CreateAuditSinkPayload {
        audit_sink: AuditSink,
        /// `whsec_…`, told this once.
        secret: String,
    }
}
payload! {
    /// A receiver and the secret that signs its deliveries from now on.
    RotateAuditSinkSecretPayload {
        audit_sink: AuditSink,
        /// `whsec_…`, told this once.
        secret: String,
    }
}
payload! {
    /// The receiver as it is now.
    PauseAuditSinkPayload { audit_sink: AuditSink }
}
payload! {
    /// The receiver as it is now.
    ResumeAuditSinkPayload { audit_sink: AuditSink }
}
payload! {
    /// The outcome of deleting a receiver.
    DeleteAuditSinkPayload {}
}

/// Questions about receivers.
#[derive(Default)]
pub struct AuditSinkQuery;

#[Object]
impl AuditSinkQuery {
    /// The receivers that audit events are pushed to, ten at most, for administrators and auditors of the
    /// whole plan.
    async fn audit_sinks(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Vec<AuditSink>> {
        sinks(ctx, min_position).await
    }
}

async fn sinks(ctx: &Context<'_>, min_position: Option<Position>) -> Result<Vec<AuditSink>> {
    let mut reading = read(ctx, Access::Plan(SINK_READERS), min_position).await?;
    let (journal, tenant) = (&ctx.data::<Commands>()?.journal, caller(ctx)?.tenant);
    let state = journal.load_fresh::<AuditSinks>(tenant, tenant.audit_sinks_stream()).await;
    let state = state.map_err(|error| fault(&error))?.state;
    let head = reading.view.position_of(rollcall_projections::audit_timeline::NAME);
    let standings = standings(reading.view.connection(), tenant).await;
    let standings = standings.map_err(|error| fault(&error))?;
    let now = journal.now();
    let shown = state.iter().map(|(id, sink)| {
        let standing = standings.iter().find(|standing| standing.sink == id);
        let position = standing.map_or(sink.after_position, |standing| standing.cursor);
        let time = |of: fn(&Standing) -> Option<chrono::DateTime<chrono::Utc>>| {
            standing.and_then(of).map(DateTime::from)
        };
        AuditSink {
            id: ID(id.to_string()),
            name: sink.name.to_string(),
            url: sink.url.clone(),
            format: sink.format.into(),
            filter: Json(serde_json::to_value(&sink.filter).unwrap_or_default()),
            text: sink.words.as_ref().and_then(|words| words.get()).cloned().unwrap_or_default(),
            paused: sink.paused.map(Into::into),
            position: Position(position),
            lag: Position((head - position).max(0)),
            last_delivery_at: time(|standing| standing.last_delivery_at),
            last_error: standing.and_then(|standing| standing.last_error.clone()),
            next_attempt_at: time(|standing| standing.next_attempt_at),
            both_secrets_until: {
                let until = sink.former.map(|(_, until)| until).filter(|until| now < *until);
                until.map(DateTime::from)
            },
        }
    });
    Ok(shown.collect())
}

/// The receiver a mutation was about, as it stands now.
async fn shown(
    ctx: &Context<'_>,
    sink: Option<AuditSinkId>,
    position: Option<Position>,
) -> Result<Option<AuditSink>> {
    let Some(sink) = sink.filter(|_| ctx.look_ahead().field("auditSink").exists()) else {
        return Ok(None);
    };
    Ok(sinks(ctx, position).await?.into_iter().find(|shown| *shown.id == sink.to_string()))
}

/// Commands on receivers.
#[derive(Default)]
pub struct AuditSinkMutation;

#[Object]
impl AuditSinkMutation {
    /// Has audit events pushed to a receiver, by an administrator of the whole plan (GN-26). It gets what
    /// an administrator of the plan may see of the filter, names, sentences and addresses included; what left is on record,
    /// rolled up by day. Refusals: FIELD_REQUIRED, FIELD_INVALID, NAME_INVALID, NPI_INVALID, DATE_INVALID,
    /// RANGE_INVALID, ALREADY_ASSIGNED, NOT_FOUND; repeated, RESULT_WITHHELD.
    async fn create_audit_sink(
        &self,
        ctx: &Context<'_>,
        input: CreateAuditSinkInput,
    ) -> Result<CreateAuditSinkPayload> {
        let meta = input.meta.clone();
        let mut sent = send(ctx, meta, input.command()).await?;
        let (shown, secret) = made(ctx, &mut sent).await;
        Ok(CreateAuditSinkPayload::of(sent, shown, secret))
    }

    /// Signs deliveries with a new secret, and for 24 hours with the former one too.
    /// Refusals: NOT_FOUND; repeated, RESULT_WITHHELD.
    async fn rotate_audit_sink_secret(
        &self,
        ctx: &Context<'_>,
        input: RotateAuditSinkSecretInput,
    ) -> Result<RotateAuditSinkSecretPayload> {
        let command = sink(&input.audit_sink_id).map(|sink| RotateAuditSinkSecret { sink });
        let mut sent = send(ctx, input.meta, command).await?;
        let (shown, secret) = made(ctx, &mut sent).await;
        Ok(RotateAuditSinkSecretPayload::of(sent, shown, secret))
    }

    /// Delivers nothing until `resumeAuditSink`, which goes on where it stopped.
    /// Refusals: REASON_REQUIRED, FIELD_TOO_LONG, NOT_FOUND, ALREADY_INACTIVE.
    async fn pause_audit_sink(
        &self,
        ctx: &Context<'_>,
        input: PauseAuditSinkInput,
    ) -> Result<PauseAuditSinkPayload> {
        let ended = ended(&input.audit_sink_id, &input.reason);
        let command = ended.map(|(sink, reason)| PauseAuditSink { sink, reason });
        let sent = send(ctx, input.meta, command).await?;
        let shown = shown(ctx, sent.output, sent.position).await?;
        Ok(PauseAuditSinkPayload::of(sent, shown))
    }

    /// Delivers again. Refusals: NOT_FOUND, NOT_INACTIVE.
    async fn resume_audit_sink(
        &self,
        ctx: &Context<'_>,
        input: ResumeAuditSinkInput,
    ) -> Result<ResumeAuditSinkPayload> {
        let command = sink(&input.audit_sink_id).map(|sink| ResumeAuditSink { sink });
        let sent = send(ctx, input.meta, command).await?;
        let shown = shown(ctx, sent.output, sent.position).await?;
        Ok(ResumeAuditSinkPayload::of(sent, shown))
    }

    /// Delivers no more, and forgets its secrets. Refusals: REASON_REQUIRED, FIELD_TOO_LONG, NOT_FOUND.
    async fn delete_audit_sink(
        &self,
        ctx: &Context<'_>,
        input: DeleteAuditSinkInput,
    ) -> Result<DeleteAuditSinkPayload> {
        let ended = ended(&input.audit_sink_id, &input.reason);
        let command = ended.map(|(sink, reason)| DeleteAuditSink { sink, reason });
        let sent = send(ctx, input.meta, command).await?;
        Ok(DeleteAuditSinkPayload::of(sent))
    }
}

fn sink(id: &ID) -> std::result::Result<AuditSinkId, Refusal> {
    NodeType::parse_bare(id, "auditSinkId")
}

fn ended(id: &ID, reason: &str) -> std::result::Result<(AuditSinkId, Reason), Refusal> {
    let reason = Reason::parse(reason).map_err(|bad| Refusal::from(bad).at("reason"))?;
    Ok((sink(id)?, reason))
}

/// The receiver as it can be shown, and its secret.
async fn made(
    ctx: &Context<'_>,
    sent: &mut Sent<CreatedSink>,
) -> (Option<AuditSink>, Option<String>) {
    let made = sent.output.take();
    // The secret is nowhere else: it leaves, whatever can be read just now.
    let shown = shown(ctx, made.as_ref().map(|made| made.sink), sent.position).await;
    let shown = shown.unwrap_or_else(|error| {
        tracing::warn!(error = %error.message, "a sink was made and could not be shown");
        None
    });
    (shown, made.map(|made| made.secret.reveal().to_owned()))
}
