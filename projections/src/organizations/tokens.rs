//! Registration tokens: how their facts become rows, and the list for plan staff (MC-03, MC-04).
//!
//! Invariant: a token past its last day shows as expired, whether or not that was written down yet.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{AnyEvent, organizations::RegistrationTokenEvent};
use rollcall_journal::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Snapshot;

/// A token with its organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TokenRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub organization_name: String,
    /// `ISSUED`, `REDEEMED`, `EXPIRED` or `REVOKED`.
    pub status: String,
    pub issued_on: NaiveDate,
    pub expires_at: DateTime<Utc>,
    pub letter_id: Option<Uuid>,
    pub letter_returned: bool,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which tokens are asked for.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    pub status: Option<String>,
    pub organization: Option<Uuid>,
    /// Only of these organisations, for plan staff kept to them (GN-31).
    pub within: Option<Vec<Uuid>>,
}

const SELECT: &str = "SELECT * FROM (
    SELECT t.id, t.organization_id, o.name AS organization_name,
           CASE WHEN t.status = 'ISSUED' AND t.expires_at <= $1 THEN 'EXPIRED' ELSE t.status END
             AS status,
           t.issued_on, t.expires_at, t.letter_id, t.letter_returned, t.ended_at
      FROM read.registration_tokens t
      JOIN read.organizations o ON o.tenant_id = t.tenant_id AND o.id = t.organization_id) t";

/// Tokens from the newest to the oldest, before `before`.
///
/// # Errors
/// The database did not answer.
pub async fn registration_tokens(
    view: &mut Snapshot,
    filter: &TokenFilter,
    now: DateTime<Utc>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<TokenRow>, sqlx::Error> {
    // Token ids are UUIDv7: they sort by the time of issue.
    sqlx::query_as(&format!(
        "{SELECT} WHERE ($2::text IS NULL OR status = $2)
            AND ($3::uuid IS NULL OR organization_id = $3) AND ($4::uuid IS NULL OR id < $4)
            AND ($6::uuid[] IS NULL OR organization_id = ANY($6))
          ORDER BY id DESC LIMIT $5"
    ))
    .bind(now)
    .bind(filter.status.as_deref())
    .bind(filter.organization)
    .bind(before)
    .bind(limit)
    .bind(filter.within.as_deref())
    .fetch_all(view.connection())
    .await
}

/// The tokens of these ids, as far as the view's tenant has them.
///
/// # Errors
/// The database did not answer.
pub async fn registration_tokens_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<TokenRow>, sqlx::Error> {
    sqlx::query_as(&format!("{SELECT} WHERE id = ANY($2)"))
        .bind(now)
        .bind(ids)
        .fetch_all(view.connection())
        .await
}

pub(super) async fn apply(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &RegistrationTokenEvent,
) -> Result<(), sqlx::Error> {
    use RegistrationTokenEvent as E;
    match event {
        E::RegistrationTokenIssued { token, organization, issued_on, expires_at, .. } => {
            sqlx::query(
                "INSERT INTO registration_tokens (tenant_id, id, organization_id, status,
                                                  issued_on, expires_at)
                 VALUES ($1, $2, $3, 'ISSUED', $4, $5)",
            )
            .bind(recorded.tenant.0)
            .bind(token.0)
            .bind(organization.0)
            .bind(issued_on.date())
            .bind(expires_at)
            .execute(tx)
            .await
            .map(drop)
        }
        E::LetterQueued { letter, .. } => sqlx::query(
            "UPDATE registration_tokens SET letter_id = $3 WHERE tenant_id = $1 AND id = $2",
        )
        .bind(recorded.tenant.0)
        .bind(recorded.aggregate_id)
        .bind(letter)
        .execute(tx)
        .await
        .map(drop),
        E::RegistrationTokenRedeemed { .. } => end(tx, recorded, "REDEEMED").await,
        E::RegistrationTokenExpired { .. } => end(tx, recorded, "EXPIRED").await,
        E::RegistrationTokenRevoked { .. } => end(tx, recorded, "REVOKED").await,
        E::LetterReturned { .. } => sqlx::query(
            "UPDATE registration_tokens SET letter_returned = true
                  WHERE tenant_id = $1 AND id = $2",
        )
        .bind(recorded.tenant.0)
        .bind(recorded.aggregate_id)
        .execute(tx)
        .await
        .map(drop),
        E::RegistrationTokenRejected { .. } | E::LetterOpened { .. } => Ok(()),
    }
}

async fn end(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    status: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE registration_tokens SET status = $3, ended_at = $4
          WHERE tenant_id = $1 AND id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(status)
    .bind(recorded.occurred_at)
    .execute(tx)
    .await
    .map(drop)
}
