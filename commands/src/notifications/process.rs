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
use crate::{Caller, Commands, DispatchError, NO_KEY};

/// Raises notices.
pub struct NotificationsProcess {
    commands: Commands,
}

impl NotificationsProcess {
    #[must_use]
    pub fn new(commands: Commands) -> Self {
        Self { commands }
    }

    async fn raise(
        &self,
        event: &Recorded<AnyEvent>,
        raise: Raise,
        mail_only: bool,
    ) -> Result<(), DispatchError> {
        let journal = &self.commands.journal;
        let audience = raise.audience.resolve(journal, event.tenant, event.occurred_at).await?;
        if audience.is_empty() {
            return Ok(());
        }
        let id = event.tenant.derive("notice", &key(event, &raise, &audience));
        let notice = Notice {
            notification: NotificationId(id),
            notification_type: raise.notification_type,
            audience: audience.into_iter().collect(),
            organization: raise.organization,
            source_event: event.event_id,
            subject_ref: raise.subject_ref,
            mail_only,
        };
        let caller = Caller::system(event.tenant, event.correlation_id, Some(event.event_id));
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
        (Once::Command | Once::Subject, None) | (Once::Event, _) => {
            format!("{}/{what}/{}", event.event_id, raise.step)
        }
    }
}

#[async_trait]
impl Process<AnyEvent> for NotificationsProcess {
    fn name(&self) -> &'static str {
        "notifications"
    }

    async fn react(
        &self,
        _: &mut PgConnection,
        event: &Recorded<AnyEvent>,
    ) -> Result<(), ProjectionError> {
        let notices = raised_by(event);
        let failed = |error: DispatchError| ProjectionError::Contradiction(error.to_string());
        if notices.is_empty() {
            return Ok(());
        }
        let mail_only = !self.in_portal(event).await.map_err(failed)?;
        for raise in notices {
            self.raise(event, raise, mail_only).await.map_err(failed)?;
        }
        Ok(())
    }
}
