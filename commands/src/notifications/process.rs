//! The process `notifications`: from events to notices. Invariant: a notice's command id follows
//! from what caused it, so each is raised once, and one command that changes eighty permissions
//! raises one notice.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{NotificationId, TenantId, UserId},
    notifications::Notice,
    policies::PolicyHistory,
};
use rollcall_journal::{Process, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{
    RaiseNotification,
    causes::{Once, Raise, raised_by},
};
use crate::{Caller, Commands, DispatchError, NO_KEY, processes::side_by_side};

/// Raises notices.
pub struct NotificationsProcess {
    commands: Commands,
}

impl NotificationsProcess {
    #[must_use]
    pub fn new(commands: Commands) -> Self {
        Self { commands }
    }

    /// The notices that are raised for an event, as far as there is somebody to tell.
    async fn notices(
        &self,
        event: &Recorded<AnyEvent>,
        raised: Vec<Raise>,
    ) -> Result<Vec<Notice>, DispatchError> {
        if raised.is_empty() {
            return Ok(Vec::new());
        }
        let mail_only = !self.in_portal(event).await?;
        let mut notices = Vec::new();
        for raise in raised {
            let journal = &self.commands.journal;
            let audience = raise.audience.resolve(journal, event.tenant, event.occurred_at).await?;
            if audience.is_empty() {
                continue;
            }
            let id = event.tenant.derive("notice", &key(event, &raise, &audience));
            notices.push(Notice {
                notification: NotificationId(id),
                notification_type: raise.notification_type,
                audience: audience.into_iter().collect(),
                organization: raise.organization,
                source_event: event.event_id,
                subject_ref: raise.subject_ref,
                mail_only,
            });
        }
        Ok(notices)
    }

    async fn raise(&self, event: &Recorded<AnyEvent>, notice: Notice) -> Result<(), DispatchError> {
        let caller = Caller::system(event.tenant, event.correlation_id, Some(event.event_id));
        let id = notice.notification.0;
        self.commands.dispatch_as(&caller, (id, NO_KEY), &RaiseNotification { notice }).await?;
        Ok(())
    }

    /// Whether the tenant's policy shows notices in the portal (MC-64).
    async fn in_portal(&self, event: &Recorded<AnyEvent>) -> Result<bool, DispatchError> {
        let tenant: TenantId = event.tenant;
        let history =
            self.commands.journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
        let (_, policy) = history.state.at(event.occurred_at);
        Ok(policy.notify_in_portal())
    }
}

fn key(event: &Recorded<AnyEvent>, raise: &Raise, audience: &BTreeSet<UserId>) -> String {
    let what = raise.notification_type.as_str();
    match (raise.once, audience.first()) {
        (Once::Command, Some(first)) => format!("{}/{what}/{first}", event.command_id),
        (Once::Subject, Some(_)) => {
            let subject = raise.subject_ref.id;
            format!("{}/{what}/{}/{subject}", event.command_id, raise.step)
        }
        (Once::Stream, _) => format!("{}/{what}/{}", event.aggregate_id, raise.step),
        (Once::Command | Once::Subject, None) | (Once::Event, _) => {
            format!("{}/{what}/{}", event.event_id, raise.step)
        }
    }
}

/// The notices each event causes. What a stream has one of depends on how it stands by now: the last fact of
/// the batch looks that up, and the ones before it need not.
fn raised_by_each(batch: &[Recorded<AnyEvent>]) -> Vec<Vec<Raise>> {
    let mut later = BTreeSet::new();
    let mut all: Vec<Vec<Raise>> = batch
        .iter()
        .rev()
        .map(|event| {
            let mut raised = raised_by(event);
            raised.retain(|raise| {
                raise.once != Once::Stream || later.insert((event.aggregate_id, raise.step))
            });
            raised
        })
        .collect();
    all.reverse();
    all
}

#[async_trait]
impl Process<AnyEvent> for NotificationsProcess {
    fn name(&self) -> &'static str {
        "notifications"
    }

    /// Looks up and raises for many events at a time; notices of one batch may change places.
    async fn react(
        &self,
        _: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let failed = |error: DispatchError| ProjectionError::Contradiction(error.to_string());
        let raised = batch.iter().zip(raised_by_each(batch));
        let notices = raised.map(|(event, raised)| self.notices(event, raised)).collect();
        let notices = side_by_side(notices).await.map_err(failed)?;
        let mut raised = BTreeSet::new();
        let mut raising = Vec::new();
        for (event, notices) in batch.iter().zip(notices) {
            for notice in notices {
                // The first fact of a command speaks for the others, which give the same id.
                if raised.insert(notice.notification) {
                    raising.push(self.raise(event, notice));
                }
            }
        }
        side_by_side(raising).await.map_err(failed)?;
        Ok(())
    }
}
