//! The process `schedule`: keeps due times. Invariant: they follow from events and commit with the
//! checkpoint.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, policies::PolicyHistory};
use rollcall_journal::{Journal, JournalError, Process, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{changes::ChangeDetail, due, ends, kind::Kind, review_ends};

/// Keeps `ops.due_times`.
pub struct ScheduleProcess {
    journal: Journal,
}

impl ScheduleProcess {
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal }
    }

    /// Whether a change that is looked into at once is to be by the policy in force when it happened;
    /// every other end is noted.
    async fn matters(
        &self,
        event: &Recorded<AnyEvent>,
        end: &due::End,
    ) -> Result<bool, JournalError> {
        let is_at_once = end.kind == Kind::ReviewedChange && end.at == Some(event.occurred_at);
        let detail = is_at_once.then(|| ChangeDetail::parse(&end.detail)).flatten();
        let Some(ChangeDetail { change, .. }) = detail else { return Ok(true) };
        let policies = event.tenant.policy_stream();
        let history = self.journal.load_fresh::<PolicyHistory>(event.tenant, policies).await?;
        Ok(history.state.at(event.occurred_at).1.review().changes.contains(&change))
    }
}

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
                if self.matters(event, &end).await? {
                    due::note(tx, event, &end).await?;
                }
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
