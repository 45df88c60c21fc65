//! `CreateAuditSink`, `RotateAuditSinkSecret`, `PauseAuditSink`, `ResumeAuditSink`, `DeleteAuditSink`:
//! administrators of the plan decide where its records are pushed (GN-26).
//!
//! Invariant: a sink is the plan's and not its maker's, as a machine's key is: it goes on when they
//! leave, and is on record as what it is.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    audit::{AuditSinks, AuditSinksCommand, ExportFilter, NewSink, SinkFormat},
    kernel::ids::AuditSinkId,
    values::{Reason, SinkName},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    SINK_STAFF,
    secret::{self, SinkSecret},
    target::Targets,
};
use crate::{Access, Command, Context, Failure};

/// Has events pushed.
pub struct CreateAuditSink {
    pub name: SinkName,
    pub url: String,
    pub format: SinkFormat,
    pub filter: ExportFilter,
    /// That must all be found.
    pub words: Vec<String>,
    /// Events after this position; those to come if not given.
    pub after_position: Option<i64>,
}

/// A sink and its secret, given once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedSink {
    pub sink: AuditSinkId,
    pub secret: SinkSecret,
}

/// Signs with another secret, and for a day with both.
pub struct RotateAuditSinkSecret {
    pub sink: AuditSinkId,
}

/// Delivers nothing for now.
pub struct PauseAuditSink {
    pub sink: AuditSinkId,
    pub reason: Reason,
}

/// Goes on where it stopped.
pub struct ResumeAuditSink {
    pub sink: AuditSinkId,
}

/// Delivers nothing any more.
pub struct DeleteAuditSink {
    pub sink: AuditSinkId,
    pub reason: Reason,
}

/// Which addresses are taken here.
fn targets(cx: &Context<'_>) -> Targets {
    if cx.journal().has_injected_time() { Targets::PublicAndLoopback } else { Targets::Public }
}

#[async_trait]
impl Command for CreateAuditSink {
    const NAME: &'static str = "CreateAuditSink";
    const SECRET_OUTPUT: bool = true;
    type Output = CreatedSink;

    fn access(&self) -> Access {
        Access::Plan(SINK_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CreatedSink, Failure> {
        let url = targets(cx).parse(&self.url)?;
        let head = cx.journal().tenant_position(cx.tenant()).await?;
        let (sink, by) = (AuditSinkId(Uuid::now_v7()), cx.person()?);
        let (secret_ref, secret) = secret::draw(cx);
        let create = AuditSinksCommand::Create(NewSink {
            sink,
            by,
            name: self.name.clone(),
            url: url.into(),
            format: self.format,
            filter: Box::new(self.filter.clone()),
            words: self.words.clone(),
            secret_ref,
            after_position: self.after_position.map_or(head, |after| after.clamp(0, head)),
        });
        cx.decide::<AuditSinks>(cx.tenant().audit_sinks_stream(), create).await?;
        Ok(CreatedSink { sink, secret })
    }
}

#[async_trait]
impl Command for RotateAuditSinkSecret {
    const NAME: &'static str = "RotateAuditSinkSecret";
    const SECRET_OUTPUT: bool = true;
    type Output = CreatedSink;

    fn access(&self) -> Access {
        Access::Plan(SINK_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CreatedSink, Failure> {
        let (sink, by, stream) = (self.sink, cx.person()?, cx.tenant().audit_sinks_stream());
        let sinks = cx.load::<AuditSinks>(stream).await?;
        // Of three secrets the oldest signs no more.
        let oldest = sinks.get(sink).map_err(Refusal::from)?.former;
        let (secret_ref, secret) = secret::draw(cx);
        let rotate = AuditSinksCommand::RotateSecret { sink, by, secret_ref };
        cx.decide::<AuditSinks>(stream, rotate).await?;
        if let Some((oldest, _)) = oldest {
            secret::forget(cx, oldest);
        }
        Ok(CreatedSink { sink, secret })
    }
}

#[async_trait]
impl Command for PauseAuditSink {
    const NAME: &'static str = "PauseAuditSink";
    type Output = AuditSinkId;

    fn access(&self) -> Access {
        Access::Plan(SINK_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditSinkId, Failure> {
        let (sink, by, reason) = (self.sink, cx.person()?, self.reason.clone());
        let pause = AuditSinksCommand::Pause { sink, by, reason };
        cx.decide::<AuditSinks>(cx.tenant().audit_sinks_stream(), pause).await?;
        Ok(sink)
    }
}

#[async_trait]
impl Command for ResumeAuditSink {
    const NAME: &'static str = "ResumeAuditSink";
    type Output = AuditSinkId;

    fn access(&self) -> Access {
        Access::Plan(SINK_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditSinkId, Failure> {
        let (sink, by) = (self.sink, cx.person()?);
        let resume = AuditSinksCommand::Resume { sink, by };
        cx.decide::<AuditSinks>(cx.tenant().audit_sinks_stream(), resume).await?;
        Ok(sink)
    }
}

#[async_trait]
impl Command for DeleteAuditSink {
    const NAME: &'static str = "DeleteAuditSink";
    type Output = AuditSinkId;

    fn access(&self) -> Access {
        Access::Plan(SINK_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditSinkId, Failure> {
        let (sink, by, stream) = (self.sink, cx.person()?, cx.tenant().audit_sinks_stream());
        let sinks = cx.load::<AuditSinks>(stream).await?;
        let found = sinks.get(sink).map_err(Refusal::from)?;
        let secrets = [Some(found.secret), found.former.map(|(secret, _)| secret)];
        let delete = AuditSinksCommand::Delete { sink, by, reason: self.reason.clone() };
        cx.decide::<AuditSinks>(stream, delete).await?;
        for secret in secrets.into_iter().flatten() {
            secret::forget(cx, secret);
        }
        Ok(sink)
    }
}
