//! Reads `read.erasures`. Invariant: whether an open request ran out is asked with a time.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Snapshot;

/// Where an erasure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureStatus {
    Open,
    /// Nobody decided in time.
    Expired,
    Refused,
    Erased,
}

/// The newest request about a person.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ErasureRow {
    pub user_id: Uuid,
    status: String,
    pub basis: Option<String>,
    pub requested_by: Option<Uuid>,
    pub requested_at: Option<DateTime<Utc>>,
    pub position: i64,
    pub expires_at: Option<DateTime<Utc>>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
}

impl ErasureRow {
    /// Where it stands at `now`.
    #[must_use]
    pub fn status(&self, now: DateTime<Utc>) -> ErasureStatus {
        match self.status.as_str() {
            "ERASED" => ErasureStatus::Erased,
            "REFUSED" => ErasureStatus::Refused,
            _ if self.expires_at.is_some_and(|end| end <= now) => ErasureStatus::Expired,
            _ => ErasureStatus::Open,
        }
    }
}

const COLUMNS: &str = "user_id, status, basis, requested_by, requested_at, position, expires_at,
    decided_by, decided_at";

/// Requests by their newest event, newest first, before `before`; of one status at `now` where that
/// is given.
///
/// # Errors
/// The database did not answer.
pub async fn erasures(
    view: &mut Snapshot,
    status: Option<ErasureStatus>,
    now: DateTime<Utc>,
    (limit, before): (i64, Option<i64>),
) -> Result<Vec<ErasureRow>, sqlx::Error> {
    let of_status = match status {
        None => "true",
        Some(ErasureStatus::Open) => "status = 'OPEN' AND expires_at > $2",
        Some(ErasureStatus::Expired) => "status = 'OPEN' AND expires_at <= $2",
        Some(ErasureStatus::Refused) => "status = 'REFUSED'",
        Some(ErasureStatus::Erased) => "status = 'ERASED'",
    };
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.erasures
          WHERE tenant_id = $1 AND $2::timestamptz IS NOT NULL AND {of_status}
            AND ($3::bigint IS NULL OR position < $3)
          ORDER BY position DESC LIMIT $4"
    ))
    .bind(view.tenant().0)
    .bind(now)
    .bind(before)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// The newest requests about these people.
///
/// # Errors
/// The database did not answer.
pub async fn erasures_of(
    view: &mut Snapshot,
    users: &[Uuid],
) -> Result<Vec<ErasureRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.erasures WHERE tenant_id = $1 AND user_id = ANY ($2)"
    ))
    .bind(view.tenant().0)
    .bind(users)
    .fetch_all(view.connection())
    .await
}

/// Which of these ids are people who were erased.
///
/// # Errors
/// The database did not answer.
pub async fn erased_of(view: &mut Snapshot, ids: &[Uuid]) -> Result<HashSet<Uuid>, sqlx::Error> {
    let erased: Vec<Uuid> = sqlx::query_scalar(
        "SELECT user_id FROM read.erasures
          WHERE tenant_id = $1 AND user_id = ANY ($2) AND status = 'ERASED'",
    )
    .bind(view.tenant().0)
    .bind(ids)
    .fetch_all(view.connection())
    .await?;
    Ok(erased.into_iter().collect())
}
