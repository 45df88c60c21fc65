//! How accepted agreements become rows of `read.acceptances`.

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{OrganizationId, UserId},
    organizations::registration::RegistrationEvent,
    users::{invitation::InvitationEvent, user::UserEvent},
    values::AgreementKind,
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Occasion;
use crate::readers;

/// Keeps `read.acceptances`.
pub struct Acceptances;

#[async_trait]
impl Projection<AnyEvent> for Acceptances {
    fn name(&self) -> &'static str {
        "acceptances"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["acceptances"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        for recorded in batch {
            match fact(&recorded.event) {
                Some(Fact::Accepted(accepted)) => insert(tx, recorded, &accepted).await?,
                Some(Fact::Registered(user)) => name_registrant(tx, recorded, user).await?,
                None => {}
            }
        }
        Ok(())
    }
}

struct Accepted<'a> {
    user: Option<UserId>,
    organization: Option<OrganizationId>,
    occasion: Occasion,
    kind: AgreementKind,
    version: &'a str,
    boxes: &'a [String],
}

enum Fact<'a> {
    Accepted(Accepted<'a>),
    /// The registration of this stream was this person's.
    Registered(UserId),
}

fn fact(event: &AnyEvent) -> Option<Fact<'_>> {
    if let AnyEvent::Registration(event) = event {
        of_registration(event)
    } else if let AnyEvent::Invitation(event) = event {
        of_invitation(event).map(Fact::Accepted)
    } else if let AnyEvent::User(event) = event {
        of_account(event).map(Fact::Accepted)
    } else {
        None
    }
}

fn of_registration(event: &RegistrationEvent) -> Option<Fact<'_>> {
    use RegistrationEvent as E;
    match event {
        E::AgreementAccepted { organization, kind, version, boxes, .. } => {
            Some(Fact::Accepted(Accepted {
                user: None,
                organization: Some(*organization),
                occasion: Occasion::Registration,
                kind: *kind,
                version,
                boxes,
            }))
        }
        E::OrganizationRegistrationCompleted { user, .. } => Some(Fact::Registered(*user)),
        E::OrganizationRegistrationStarted { .. }
        | E::RegistrantMismatch { .. }
        | E::RegistrantVerified { .. }
        | E::PasscodeVerified { .. } => None,
    }
}

fn of_invitation(event: &InvitationEvent) -> Option<Accepted<'_>> {
    use InvitationEvent as E;
    match event {
        E::AgreementAccepted { user, organization, kind, version, boxes } => Some(Accepted {
            user: Some(*user),
            organization: *organization,
            occasion: Occasion::Invitation,
            kind: *kind,
            version,
            boxes,
        }),
        E::UserInvited { .. }
        | E::InvitationReissued { .. }
        | E::InvitedDetailsCorrected { .. }
        | E::InvitationOpened { .. }
        | E::InviteeDetailsSubmitted { .. }
        | E::PasscodeVerified { .. }
        | E::InvitationCompleted { .. }
        | E::InvitationExpired { .. }
        | E::InvitationCancelled { .. } => None,
    }
}

fn of_account(event: &UserEvent) -> Option<Accepted<'_>> {
    use UserEvent as E;
    match event {
        E::AgreementAccepted { user, kind, version, boxes } => Some(Accepted {
            user: Some(*user),
            organization: None,
            occasion: Occasion::Account,
            kind: *kind,
            version,
            boxes,
        }),
        E::UserRegistered { .. }
        | E::UserErased { .. }
        | E::ProfileUpdated { .. }
        | E::UserDetailsCorrected { .. }
        | E::PhoneChanged { .. }
        | E::EmailChanged { .. }
        | E::EmailVerificationSent { .. }
        | E::EmailVerified { .. }
        | E::UsernameDisclosed { .. }
        | E::UserImported { .. }
        | E::NotificationPreferenceChanged { .. } => None,
    }
}

async fn insert(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    accepted: &Accepted<'_>,
) -> Result<(), sqlx::Error> {
    let registration = match accepted.occasion {
        Occasion::Registration => Some(recorded.aggregate_id),
        Occasion::Invitation | Occasion::Account => None,
    };
    // An account takes over what was accepted on the way to it.
    sqlx::query(
        "INSERT INTO acceptances (tenant_id, position, user_id, organization_id, registration_id,
                                  occasion, kind, version, boxes, accepted_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
          WHERE $6 <> 'ACCOUNT' OR NOT EXISTS (
            SELECT FROM acceptances
             WHERE tenant_id = $1 AND user_id = $3 AND kind = $7 AND version = $8)",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.tenant_position)
    .bind(accepted.user.map(|user| user.0))
    .bind(accepted.organization.map(|organization| organization.0))
    .bind(registration)
    .bind(accepted.occasion.as_str())
    .bind(accepted.kind.as_str())
    .bind(accepted.version)
    .bind(accepted.boxes)
    .bind(recorded.occurred_at)
    .execute(tx)
    .await?;
    Ok(())
}

async fn name_registrant(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    UserId(user): UserId,
) -> Result<(), sqlx::Error> {
    let registration: Uuid = recorded.aggregate_id;
    sqlx::query(
        "UPDATE acceptances SET user_id = $3 WHERE tenant_id = $1 AND registration_id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(registration)
    .bind(user)
    .execute(tx)
    .await?;
    Ok(())
}
