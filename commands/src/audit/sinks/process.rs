//! The process `audit_sinks`: from events to the receivers' queue. Invariant: a receiver has a row from
//! its event on, in the transaction that took the event in.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, audit::AuditSinksEvent};
use rollcall_journal::{Process, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::queue;

/// Keeps the rows of `ops.audit_sinks`.
pub struct SinksProcess;

#[async_trait]
impl Process<AnyEvent> for SinksProcess {
    fn name(&self) -> &'static str {
        "audit_sinks"
    }

    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        use AuditSinksEvent as E;
        for event in batch {
            let AnyEvent::AuditSinks(fact) = &event.event else { continue };
            let (tenant, at) = (event.tenant, event.occurred_at);
            match fact {
                E::AuditSinkCreated { sink, after_position, .. } => {
                    queue::insert(tx, (tenant, *sink), *after_position, at).await?;
                }
                E::AuditSinkPaused { sink, .. } => {
                    queue::set_status(tx, (tenant, *sink), "PAUSED", at).await?;
                }
                E::AuditSinkResumed { sink, .. } => {
                    queue::set_status(tx, (tenant, *sink), "ACTIVE", at).await?;
                }
                E::AuditSinkDeleted { sink, .. } => {
                    queue::set_status(tx, (tenant, *sink), "DELETED", at).await?;
                }
                E::AuditSinkSecretRotated { .. } | E::AuditSinkDelivered { .. } => {}
            }
        }
        Ok(())
    }
}
