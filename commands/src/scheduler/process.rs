//! The process `schedule`: keeps due times. Invariant: they follow from events and commit with the
//! checkpoint.

use async_trait::async_trait;
use rollcall_domain::AnyEvent;
use rollcall_journal::{Process, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{due, ends, review_ends};

/// Keeps `ops.due_times`.
pub struct ScheduleProcess;

#[async_trait]
impl Process<AnyEvent> for ScheduleProcess {
    fn name(&self) -> &'static str {
        "schedule"
    }

    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        for event in batch {
            for end in ends::of(event) {
                due::note(tx, event, &end).await?;
            }
            if let Some(organization) = review_ends::left(&event.event) {
                due::hasten_reviews(tx, event, organization).await?;
            }
            if let AnyEvent::Policy(change) = &event.event {
                due::hasten(tx, event, change).await?;
            }
        }
        Ok(())
    }
}
