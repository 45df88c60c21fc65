//! The process `digests`: which notices wait for whose next digest (MC-65).
//!
//! Invariant: what waits and when it is due commit with the checkpoint; a choice made meanwhile
//! counts for what waits already.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{NotificationId, TenantId, UserId},
    notifications::{
        Frequency, Inbox, InboxCommand, InboxEvent, Notice, NotificationEvent, NotificationType,
        Preference,
    },
    policies::PolicyHistory,
    users::user::UserEvent,
};
use rollcall_journal::{Journal, Process, ProjectionError, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Access, Command, Context, Failure, messages::frequencies, processes::side_by_side, scheduler,
};

/// Collects notices for digests.
pub struct DigestsProcess {
    journal: Journal,
}

/// Tells a person of the notices that wait, in one mail.
pub struct SendDigest {
    pub user: UserId,
    pub frequency: Frequency,
    pub notifications: Vec<NotificationId>,
}

#[async_trait]
impl Command for SendDigest {
    const NAME: &'static str = "SendDigest";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let inbox = cx.tenant().inbox_stream(self.user);
        let Self { user, frequency, notifications } = self;
        let (user, frequency, notifications) = (*user, *frequency, notifications.clone());
        let send = InboxCommand::SendDigest { user, frequency, notifications };
        cx.decide::<Inbox>(inbox, send).await?;
        Ok(())
    }
}

/// The notices that wait for a person's next digest, oldest first.
pub(crate) async fn waiting(
    tx: &mut PgConnection,
    tenant: TenantId,
    user: UserId,
    frequency: Frequency,
) -> Result<Vec<NotificationId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT notification_id FROM ops.digest_items
          WHERE tenant_id = $1 AND user_id = $2 AND frequency = $3
          ORDER BY raised_position, notification_id",
    )
    .bind(tenant.0)
    .bind(user.0)
    .bind(frequency.as_str())
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(NotificationId).collect())
}

impl DigestsProcess {
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal }
    }

    async fn collect(
        &self,
        tx: &mut PgConnection,
        event: &Recorded<AnyEvent>,
        notice: &Notice,
        chosen: &[(UserId, Frequency)],
    ) -> Result<(), ProjectionError> {
        for frequency in [Frequency::Daily, Frequency::Weekly] {
            let people = chosen.iter().filter(|(_, theirs)| *theirs == frequency);
            let people: Vec<_> = people.map(|(user, _)| *user).collect();
            if people.is_empty() {
                continue;
            }
            let Some(due) = self.due(event, frequency).await? else { continue };
            sqlx::query(
                "INSERT INTO ops.digest_items (tenant_id, user_id, notification_id, type,
                   frequency, raised_position)
                 SELECT $1, user_id, $3, $4, $5, $6 FROM unnest($2::uuid[]) user_id
                 ON CONFLICT DO NOTHING",
            )
            .bind(event.tenant.0)
            .bind(people.iter().map(|user| user.0).collect::<Vec<_>>())
            .bind(notice.notification.0)
            .bind(notice.notification_type.as_str())
            .bind(frequency.as_str())
            .bind(event.tenant_position)
            .execute(&mut *tx)
            .await?;
            scheduler::note_digest(tx, event, (&people, frequency), due).await?;
        }
        Ok(())
    }

    /// What waits of a type follows the new choice; what is to be mailed at once from now on stays
    /// in the digest it waits for.
    async fn rechoose(
        &self,
        tx: &mut PgConnection,
        event: &Recorded<AnyEvent>,
        (user, kind): (UserId, NotificationType),
        mail: Frequency,
    ) -> Result<(), ProjectionError> {
        let statement = match mail {
            Frequency::Immediate => return Ok(()),
            Frequency::Off => {
                "DELETE FROM ops.digest_items
                  WHERE tenant_id = $1 AND user_id = $2 AND type = $3 AND frequency <> $4"
            }
            Frequency::Daily | Frequency::Weekly => {
                "UPDATE ops.digest_items SET frequency = $4
                  WHERE tenant_id = $1 AND user_id = $2 AND type = $3 AND frequency <> $4"
            }
        };
        let done = sqlx::query(statement)
            .bind(event.tenant.0)
            .bind(user.0)
            .bind(kind.as_str())
            .bind(mail.as_str())
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() > 0
            && let Some(due) = self.due(event, mail).await?
        {
            scheduler::note_digest(tx, event, (&[user], mail), due).await?;
        }
        Ok(())
    }

    /// How often those whom an event tells of something want mail of it.
    async fn chosen(
        &self,
        event: &Recorded<AnyEvent>,
    ) -> Result<Vec<(UserId, Frequency)>, ProjectionError> {
        let AnyEvent::Notification(NotificationEvent::NotificationRaised(notice)) = &event.event
        else {
            return Ok(Vec::new());
        };
        let people = notice.audience.iter().copied();
        Ok(frequencies(&self.journal, people, notice.notification_type, event).await?)
    }

    async fn take_in(
        &self,
        tx: &mut PgConnection,
        event: &Recorded<AnyEvent>,
        chosen: &[(UserId, Frequency)],
    ) -> Result<(), ProjectionError> {
        match &event.event {
            AnyEvent::Notification(NotificationEvent::NotificationRaised(notice)) => {
                self.collect(tx, event, notice, chosen).await
            }
            AnyEvent::Inbox(inbox) => take_away(tx, event.tenant, inbox).await,
            AnyEvent::User(UserEvent::NotificationPreferenceChanged {
                user,
                notification_type,
                email,
                frequency,
            }) => {
                let mail = Preference { email: *email, frequency: *frequency }.mail();
                self.rechoose(tx, event, (*user, *notification_type), mail).await
            }
            AnyEvent::User(
                UserEvent::UserRegistered { .. }
                | UserEvent::UserErased { .. }
                | UserEvent::ProfileUpdated { .. }
                | UserEvent::UserDetailsCorrected { .. }
                | UserEvent::PhoneChanged { .. }
                | UserEvent::EmailChanged { .. }
                | UserEvent::EmailVerificationSent { .. }
                | UserEvent::EmailVerified { .. }
                | UserEvent::UsernameDisclosed { .. }
                | UserEvent::UserImported { .. }
                | UserEvent::AgreementAccepted { .. },
            )
            | AnyEvent::Tenant(_)
            | AnyEvent::PlanStaff(_)
            | AnyEvent::Policy(_)
            | AnyEvent::Agreement(_)
            | AnyEvent::PolicyProposal(_)
            | AnyEvent::ClientGuidance(_)
            | AnyEvent::AuditExport(_)
            | AnyEvent::SodRules(_)
            | AnyEvent::ActivityReviews(_)
            | AnyEvent::AccessReview(_)
            | AnyEvent::ReviewCampaign(_)
            | AnyEvent::ReviewTemplate(_)
            | AnyEvent::ReviewSubstitutes(_)
            | AnyEvent::AuditSinks(_)
            | AnyEvent::JobRole(_)
            | AnyEvent::RightUse(_)
            | AnyEvent::ApiKey(_)
            | AnyEvent::Organization(_)
            | AnyEvent::RegistrationToken(_)
            | AnyEvent::Registration(_)
            | AnyEvent::Membership(_)
            | AnyEvent::AccessRequest(_)
            | AnyEvent::JoinRequest(_)
            | AnyEvent::MoveRequest(_)
            | AnyEvent::Attestation(_)
            | AnyEvent::Evidence(_)
            | AnyEvent::LegalHolds(_)
            | AnyEvent::Erasure(_)
            | AnyEvent::Workspace(_)
            | AnyEvent::Invitation(_)
            | AnyEvent::Credential(_)
            | AnyEvent::Authenticator(_)
            | AnyEvent::OneTimePasscode(_)
            | AnyEvent::SubmitterProfile(_)
            | AnyEvent::Handoff(_)
            | AnyEvent::TrustedIssuers(_)
            | AnyEvent::ExternalIdentities(_)
            | AnyEvent::Session(_)
            | AnyEvent::Pin(_)
            | AnyEvent::Affiliation(_)
            | AnyEvent::PeopleImport(_)
            | AnyEvent::AccountRequest(_)
            | AnyEvent::Delivery(_)
            | AnyEvent::Denial(_) => Ok(()),
        }
    }

    async fn due(
        &self,
        event: &Recorded<AnyEvent>,
        frequency: Frequency,
    ) -> Result<Option<DateTime<Utc>>, ProjectionError> {
        let tenant = event.tenant;
        let history = self.journal.load_fresh::<PolicyHistory>(tenant, tenant.policy_stream());
        let history = history.await?;
        Ok(history.state.at(event.occurred_at).1.next_digest(frequency, event.occurred_at))
    }
}

#[async_trait]
impl Process<AnyEvent> for DigestsProcess {
    fn name(&self) -> &'static str {
        "digests"
    }

    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        // What people chose is looked up for many notices at a time; they are collected in order.
        let chosen = side_by_side(batch.iter().map(|event| self.chosen(event)).collect()).await?;
        for (event, chosen) in batch.iter().zip(chosen) {
            self.take_in(tx, event, &chosen).await?;
        }
        Ok(())
    }
}

/// What a digest told of waits no longer.
async fn take_away(
    tx: &mut PgConnection,
    tenant: TenantId,
    event: &InboxEvent,
) -> Result<(), ProjectionError> {
    let (user, notifications) = match event {
        InboxEvent::DigestSent { user, notifications, .. } => (user, notifications),
        InboxEvent::NotificationRead { .. } => return Ok(()),
    };
    let ids: Vec<Uuid> = notifications.iter().map(|id| id.0).collect();
    sqlx::query(
        "DELETE FROM ops.digest_items
          WHERE tenant_id = $1 AND user_id = $2 AND notification_id = ANY($3)",
    )
    .bind(tenant.0)
    .bind(user.0)
    .bind(ids)
    .execute(tx)
    .await?;
    Ok(())
}
