//! The process `outbox`: from events to rows. Invariant: rows and checkpoint commit together, so an
//! event's messages are queued exactly once.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, kernel::ids::DeliveryId, notifications::DeliveryEvent};
use rollcall_journal::{Journal, Process, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::queue;
use crate::{messages, processes::side_by_side};

/// Queues the messages that events cause.
pub struct OutboxProcess {
    journal: Journal,
}

impl OutboxProcess {
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal }
    }
}

#[async_trait]
impl Process<AnyEvent> for OutboxProcess {
    fn name(&self) -> &'static str {
        "outbox"
    }

    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        // Recipients are looked up for many events at a time; what they get is queued in order.
        let planned = batch.iter().map(|event| messages::caused_by(&self.journal, event));
        let planned = side_by_side(planned.collect()).await?;
        for (event, planned) in batch.iter().zip(planned) {
            for message in planned {
                queue::insert(tx, event, &message).await?;
            }
            if let AnyEvent::Delivery(DeliveryEvent::MessageRetried { .. }) = &event.event {
                let delivery = DeliveryId(event.aggregate_id);
                queue::retry(tx, event.tenant, delivery, event.occurred_at).await?;
            }
        }
        Ok(())
    }
}
