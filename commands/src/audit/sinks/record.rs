//! `StopAuditSink`, `RecordAuditSinkDelivered`: the service writes down what became of deliveries.

use async_trait::async_trait;
use rollcall_domain::{
    audit::{AuditSinks, AuditSinksCommand, Delivered, PauseCause},
    kernel::ids::AuditSinkId,
};

use crate::{Access, Command, Context, Failure};

/// Delivers nothing until an administrator looks after it.
pub struct StopAuditSink {
    pub sink: AuditSinkId,
    pub cause: PauseCause,
}

/// Writes down what a receiver took.
pub struct RecordAuditSinkDelivered {
    pub sink: AuditSinkId,
    pub delivered: Delivered,
}

#[async_trait]
impl Command for StopAuditSink {
    const NAME: &'static str = "StopAuditSink";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let stop = AuditSinksCommand::Stop { sink: self.sink, cause: self.cause };
        cx.decide::<AuditSinks>(cx.tenant().audit_sinks_stream(), stop).await?;
        Ok(())
    }
}

#[async_trait]
impl Command for RecordAuditSinkDelivered {
    const NAME: &'static str = "RecordAuditSinkDelivered";
    /// What was written down, by the first of several tries.
    type Output = Delivered;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Delivered, Failure> {
        let Self { sink, delivered } = *self;
        let record = AuditSinksCommand::RecordDelivered { sink, delivered };
        cx.decide::<AuditSinks>(cx.tenant().audit_sinks_stream(), record).await?;
        Ok(delivered)
    }
}
