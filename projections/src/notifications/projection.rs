//! How notices become rows, one per person in their audience.
//!
//! Invariant: a notice stands in a list once, and once read it stays read.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    notifications::{Happening, InboxEvent, Notice, NotificationEvent, Preference},
    organizations::OrganizationEvent,
    users::user::UserEvent,
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use super::preferences::Chosen;
use crate::readers;

/// Keeps `read.notifications` and what people chose about mail.
pub struct Notifications;

#[async_trait]
impl Projection<AnyEvent> for Notifications {
    fn name(&self) -> &'static str {
        "notifications_list"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["notifications", "notification_organizations", "notification_preferences"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let mut folded = Folded::default();
        for recorded in batch {
            folded.take(recorded);
        }
        let Some(first) = batch.first() else { return Ok(()) };
        let tenant = first.tenant.0;
        folded.names.store(tx, tenant).await?;
        folded.raised.store(tx, tenant).await?;
        // After the notices: one may be raised and read within a batch.
        folded.read.store(tx, tenant).await?;
        folded.chosen.store(tx, tenant).await?;
        Ok(())
    }
}

/// A batch by column.
#[derive(Default)]
struct Folded {
    raised: Raised,
    read: Read,
    names: Names,
    chosen: Chosen,
}

impl Folded {
    fn take(&mut self, recorded: &Recorded<AnyEvent>) {
        if let AnyEvent::Notification(event) = &recorded.event {
            let NotificationEvent::NotificationRaised(notice) = event;
            if !notice.mail_only {
                self.raised.push(notice, recorded);
            }
        } else if let AnyEvent::Inbox(event) = &recorded.event {
            match event {
                InboxEvent::NotificationRead { notification, user } => {
                    self.read.users.push(user.0);
                    self.read.notifications.push(notification.0);
                    self.read.at.push(recorded.occurred_at);
                }
                InboxEvent::DigestSent { .. } => {}
            }
        } else if let AnyEvent::Organization(event) = &recorded.event {
            self.names.take(event);
        } else if let AnyEvent::User(event) = &recorded.event {
            self.take_user(event, recorded);
        }
    }

    fn take_user(&mut self, event: &UserEvent, recorded: &Recorded<AnyEvent>) {
        match event {
            UserEvent::NotificationPreferenceChanged {
                user,
                notification_type,
                email,
                frequency,
            } => {
                let preference = Preference { email: *email, frequency: *frequency };
                self.chosen.take((*user, *notification_type), preference, recorded.occurred_at);
            }
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
            | UserEvent::AgreementAccepted { .. } => {}
        }
    }
}

#[derive(Default)]
struct Raised {
    users: Vec<Uuid>,
    notifications: Vec<Uuid>,
    positions: Vec<i64>,
    at: Vec<DateTime<Utc>>,
    types: Vec<&'static str>,
    organizations: Vec<Option<Uuid>>,
    subject_kinds: Vec<&'static str>,
    subjects: Vec<Uuid>,
    npis: Vec<Option<String>>,
    happenings: Vec<Option<&'static str>>,
    counterparties: Vec<Option<Uuid>>,
}

impl Raised {
    fn push(&mut self, notice: &Notice, recorded: &Recorded<AnyEvent>) {
        for user in &notice.audience {
            self.users.push(user.0);
            self.notifications.push(notice.notification.0);
            self.positions.push(recorded.tenant_position);
            self.at.push(recorded.occurred_at);
            self.types.push(notice.notification_type.as_str());
            self.organizations.push(notice.organization.map(|id| id.0));
            self.subject_kinds.push(notice.subject_ref.kind.as_str());
            self.subjects.push(notice.subject_ref.id);
            self.npis.push(notice.subject_ref.npi.as_ref().map(ToString::to_string));
            self.happenings.push(notice.subject_ref.happening.map(Happening::as_str));
            self.counterparties.push(notice.subject_ref.counterparty.map(|id| id.0));
        }
    }

    async fn store(self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.users.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO notifications (tenant_id, user_id, notification_id, raised_position,
               raised_at, type, organization_id, subject_kind, subject_id, npi, happening,
               counterparty_id)
             SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[],
               $6::text[], $7::uuid[], $8::text[], $9::uuid[], $10::text[], $11::text[],
               $12::uuid[])
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(self.users)
        .bind(self.notifications)
        .bind(self.positions)
        .bind(self.at)
        .bind(self.types)
        .bind(self.organizations)
        .bind(self.subject_kinds)
        .bind(self.subjects)
        .bind(self.npis)
        .bind(self.happenings)
        .bind(self.counterparties)
        .execute(tx)
        .await?;
        Ok(())
    }
}

#[derive(Default)]
struct Read {
    users: Vec<Uuid>,
    notifications: Vec<Uuid>,
    at: Vec<DateTime<Utc>>,
}

impl Read {
    async fn store(self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.users.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE notifications n SET read_at = r.at
               FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) r(user_id, id, at)
              WHERE n.tenant_id = $1 AND n.user_id = r.user_id AND n.notification_id = r.id
                AND n.read_at IS NULL",
        )
        .bind(tenant)
        .bind(self.users)
        .bind(self.notifications)
        .bind(self.at)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// The newest name of each organisation in the batch.
#[derive(Default)]
struct Names(std::collections::BTreeMap<Uuid, String>);

impl Names {
    fn take(&mut self, event: &OrganizationEvent) {
        use OrganizationEvent as E;
        let (organization, name) = match event {
            E::OrganizationEnrolled { organization, name, .. }
            | E::OrganizationRegistered { organization, name, .. } => (organization, Some(name)),
            E::EnrolmentUpdated { organization, changes, .. } => {
                (organization, changes.name.as_ref().map(|change| &change.new))
            }
            E::OrganizationContractStatusChanged { .. }
            | E::OrganizationKindsChanged { .. }
            | E::NpiAttached { .. }
            | E::NpiDetached { .. }
            | E::MemberInvited { .. }
            | E::MemberInvitationEnded { .. }
            | E::MembershipAdded { .. }
            | E::OrgRoleAssigned { .. }
            | E::UserDeactivated { .. }
            | E::UserDeactivationWarned { .. }
            | E::PlanEvidenceRecorded { .. }
            | E::AdminRequestSubmitted { .. }
            | E::AdminRequestDeclined { .. }
            | E::UserAutoDeactivated { .. }
            | E::UserReactivated { .. }
            | E::MemberEmailDomainChanged { .. }
            | E::EmailDomainAdded { .. }
            | E::EmailDomainRemoved { .. }
            | E::LocationRegistered { .. }
            | E::LocationCredentialingChanged { .. }
            | E::LocationTerminated { .. }
            | E::TaxIdLinked { .. }
            | E::OrganizationSuspended { .. }
            | E::OrganizationReopened { .. }
            | E::NpiEndPlanned { .. }
            | E::NpiEndCancelled { .. }
            | E::NpiMoveFailed { .. }
            | E::MembershipEndPlanned { .. }
            | E::MembershipEndCancelled { .. }
            | E::MemberMoved { .. }
            | E::OrganizationMergeBegun { .. }
            | E::OrganizationMergeAdvanced { .. }
            | E::OrganizationMerged { .. }
            | E::OrganizationAbsorptionBegun { .. }
            | E::OrganizationAbsorbed { .. }
            | E::OrganizationClosed { .. } => return,
        };
        if let Some(name) = name {
            self.0.insert(organization.0, name.as_str().to_owned());
        }
    }

    async fn store(self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (organizations, names): (Vec<Uuid>, Vec<String>) = self.0.into_iter().unzip();
        sqlx::query(
            "INSERT INTO notification_organizations (tenant_id, organization_id, name)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[])
             ON CONFLICT (tenant_id, organization_id) DO UPDATE SET name = excluded.name",
        )
        .bind(tenant)
        .bind(organizations)
        .bind(names)
        .execute(tx)
        .await?;
        Ok(())
    }
}
