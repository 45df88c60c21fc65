//! `directory_accounts`: whether a person can sign in, and whether mail reaches them.
//!
//! Invariant: a lock is stored with its end; whether it holds is asked with a time. A bounce is about
//! an address: with a new one it is forgotten.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::TenantId,
    users::{credential::CredentialEvent, user::UserEvent},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    EmailFate,
    projection::{Entry, Fact},
};

#[derive(Clone, Default, sqlx::FromRow)]
struct AccountRow {
    user_id: Uuid,
    has_password: bool,
    is_locked: bool,
    locked_until: Option<DateTime<Utc>>,
    email_bounced_at: Option<DateTime<Utc>>,
    last_delivery: Option<String>,
    last_delivery_at: Option<DateTime<Utc>>,
}

/// What a fact says about an account.
enum Told<'a> {
    Credential(&'a CredentialEvent),
    Email(EmailFate, DateTime<Utc>),
    EmailReplaced,
}

/// Whose account a fact is about, and what it says; `None` where it is none of the table's.
fn told<'a>((recorded, fact): &Entry<'a>) -> Option<(Uuid, Told<'a>)> {
    match fact {
        Fact::Credential(event) => Some((event.user()?.0, Told::Credential(event))),
        Fact::Account(event) => match event {
            UserEvent::EmailChanged { user, .. } => Some((user.0, Told::EmailReplaced)),
            UserEvent::UserRegistered { .. }
            | UserEvent::UserErased { .. }
            | UserEvent::ProfileUpdated { .. }
            | UserEvent::UserDetailsCorrected { .. }
            | UserEvent::PhoneChanged { .. }
            | UserEvent::EmailVerificationSent { .. }
            | UserEvent::EmailVerified { .. }
            | UserEvent::UsernameDisclosed { .. }
            | UserEvent::UserImported { .. }
            | UserEvent::AgreementAccepted { .. }
            | UserEvent::NotificationPreferenceChanged { .. } => None,
        },
        Fact::Delivery(event) => {
            let (fate, recipient) = EmailFate::told(event)?;
            // The address of an invitation is the invitation's affair, a former one nobody's.
            let is_present = recipient.invitation.is_none() && !recipient.former_address;
            let user = recipient.user.filter(|_| is_present)?;
            Some((user.0, Told::Email(fate, recorded.occurred_at)))
        }
        Fact::Roster(_) | Fact::Permissions(_) | Fact::Invitation(_) | Fact::Session(_) => None,
    }
}

impl AccountRow {
    fn email(&mut self, fate: EmailFate, at: DateTime<Utc>) {
        if fate == EmailFate::Bounced {
            self.email_bounced_at = Some(at);
        }
        self.last_delivery = Some(fate.as_str().to_owned());
        self.last_delivery_at = Some(at);
    }

    fn take_in(&mut self, event: &CredentialEvent) {
        use CredentialEvent as E;
        match event {
            E::PasswordSet { .. } | E::PasswordReset { .. } | E::PasswordChanged { .. } => {
                self.has_password = true;
            }
            E::UserLocked { until, .. } => {
                self.is_locked = true;
                self.locked_until = *until;
            }
            E::UserUnlocked { .. } => {
                self.is_locked = false;
                self.locked_until = None;
            }
            E::PasswordSetupLinkSent { .. }
            | E::PasswordResetRequested { .. }
            | E::PasswordExpiryWarned { .. }
            | E::PasswordExpired { .. }
            | E::TemporaryPasswordIssued { .. }
            | E::PasswordResetByAdmin { .. }
            | E::LoginFailed { .. }
            | E::LoginChallenged { .. }
            | E::LoginSucceeded { .. } => {}
        }
    }
}

pub(super) async fn apply(
    tx: &mut PgConnection,
    tenant: TenantId,
    entries: &[Entry<'_>],
) -> Result<(), sqlx::Error> {
    let facts: Vec<(Uuid, Told<'_>)> = entries.iter().filter_map(told).collect();
    if facts.is_empty() {
        return Ok(());
    }
    let mut rows = load(tx, tenant, facts.iter().map(|(user, _)| *user).collect()).await?;
    for (user, told) in facts {
        let fresh = || AccountRow { user_id: user, ..AccountRow::default() };
        let row = rows.entry(user).or_insert_with(fresh);
        match told {
            Told::Credential(event) => row.take_in(event),
            Told::Email(fate, at) => row.email(fate, at),
            Told::EmailReplaced => {
                row.email_bounced_at = None;
                row.last_delivery = None;
                row.last_delivery_at = None;
            }
        }
    }
    store(tx, tenant, &rows.into_values().collect::<Vec<_>>()).await
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    users: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, AccountRow>, sqlx::Error> {
    let rows: Vec<AccountRow> = sqlx::query_as(
        "SELECT user_id, has_password, is_locked, locked_until, email_bounced_at, last_delivery,
                last_delivery_at
           FROM directory_accounts WHERE tenant_id = $1 AND user_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(users)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row)).collect())
}

async fn store(
    tx: &mut PgConnection,
    tenant: TenantId,
    rows: &[AccountRow],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO directory_accounts (tenant_id, user_id, has_password, is_locked, locked_until,
                                         email_bounced_at, last_delivery, last_delivery_at)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::bool[], $4::bool[], $5::timestamptz[],
                                  $6::timestamptz[], $7::text[], $8::timestamptz[])
         ON CONFLICT (tenant_id, user_id) DO UPDATE
            SET has_password = excluded.has_password, is_locked = excluded.is_locked,
                locked_until = excluded.locked_until,
                email_bounced_at = excluded.email_bounced_at,
                last_delivery = excluded.last_delivery,
                last_delivery_at = excluded.last_delivery_at",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.has_password).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.is_locked).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.locked_until).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.email_bounced_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.last_delivery.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.last_delivery_at).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
