//! What became of a person's sign-ins: rows of `read.login_history`, and the page of them.
//!
//! Invariant: what happened to identifiers that nobody has is nobody's history.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{TenantId, UserId},
    users::credential::CredentialEvent,
};
use rollcall_journal::Recorded;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::projection::word;
use crate::Snapshot;

/// How a sign-in, or a lock, turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// A session was opened.
    Succeeded,
    /// No session was opened.
    Failed,
    /// The account was locked.
    Locked,
    /// The lock was lifted.
    Unlocked,
}

impl LoginOutcome {
    const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Locked, Self::Unlocked];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Locked => "LOCKED",
            Self::Unlocked => "UNLOCKED",
        }
    }
}

impl TryFrom<String> for LoginOutcome {
    type Error = String;

    fn try_from(stored: String) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == stored)
            .ok_or_else(|| format!("no outcome is called {stored}"))
    }
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LoginEntry {
    /// The tenant position of its event.
    pub position: i64,
    pub user_id: Uuid,
    #[sqlx(try_from = "String")]
    pub outcome: LoginOutcome,
    /// Why it failed, or who or what unlocked.
    pub detail: Option<String>,
    pub session_id: Option<Uuid>,
    pub locked_until: Option<DateTime<Utc>>,
    pub at: DateTime<Utc>,
}

/// A person's history, newest first, one more than `first`.
///
/// # Errors
/// The database did not answer.
pub async fn login_history(
    view: &mut Snapshot,
    user: UserId,
    (first, before): (i64, Option<i64>),
) -> Result<Vec<LoginEntry>, sqlx::Error> {
    sqlx::query_as(
        "SELECT position, user_id, outcome, detail, session_id, locked_until, at
           FROM read.login_history
          WHERE tenant_id = $1 AND user_id = $2 AND position < coalesce($3, 9223372036854775807)
          ORDER BY position DESC
          LIMIT $4",
    )
    .bind(view.tenant().0)
    .bind(user.0)
    .bind(before)
    .bind(first + 1)
    .fetch_all(view.connection())
    .await
}

/// Writes what a batch tells about sign-ins.
pub(super) async fn take_in(
    tx: &mut PgConnection,
    tenant: TenantId,
    batch: &[&Recorded<AnyEvent>],
) -> Result<(), sqlx::Error> {
    let entries: Vec<LoginEntry> = batch.iter().filter_map(|recorded| entry(recorded)).collect();
    if entries.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO login_history (tenant_id, position, user_id, outcome, detail, session_id,
                                    locked_until, at)
         SELECT $1, * FROM UNNEST($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::uuid[],
                                  $7::timestamptz[], $8::timestamptz[])",
    )
    .bind(tenant.0)
    .bind(entries.iter().map(|entry| entry.position).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.user_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.outcome.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.detail.clone()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.session_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.locked_until).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.at).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

fn entry(recorded: &Recorded<AnyEvent>) -> Option<LoginEntry> {
    let AnyEvent::Credential(event) = &recorded.event else { return None };
    let user = event.user()?;
    let entry = |outcome, detail| LoginEntry {
        position: recorded.tenant_position,
        user_id: user.0,
        outcome,
        detail,
        session_id: None,
        locked_until: None,
        at: recorded.occurred_at,
    };
    match event {
        CredentialEvent::LoginSucceeded { session, .. } => {
            let succeeded = entry(LoginOutcome::Succeeded, None);
            Some(LoginEntry { session_id: Some(session.0), ..succeeded })
        }
        CredentialEvent::LoginFailed { reason, .. } => {
            Some(entry(LoginOutcome::Failed, Some(word(reason))))
        }
        CredentialEvent::UserLocked { until, .. } => {
            Some(LoginEntry { locked_until: *until, ..entry(LoginOutcome::Locked, None) })
        }
        CredentialEvent::UserUnlocked { by, .. } => {
            Some(entry(LoginOutcome::Unlocked, Some(word(by))))
        }
        CredentialEvent::PasswordSetupLinkSent { .. }
        | CredentialEvent::PasswordResetRequested { .. }
        | CredentialEvent::PasswordSet { .. }
        | CredentialEvent::PasswordReset { .. }
        | CredentialEvent::PasswordChanged { .. }
        | CredentialEvent::PasswordExpiryWarned { .. }
        | CredentialEvent::PasswordExpired { .. }
        | CredentialEvent::TemporaryPasswordIssued { .. }
        | CredentialEvent::PasswordResetByAdmin { .. }
        | CredentialEvent::LoginChallenged { .. } => None,
    }
}
