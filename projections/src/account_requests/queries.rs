//! The plan's list of account requests. Invariant: oldest first, by the position of the request.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::AccountRequestRow;
use crate::Snapshot;

/// Which requests are asked for.
#[derive(Clone, Debug, Default)]
pub struct AccountRequestFilter {
    /// `SUBMITTED`, `FULFILLED` or `REJECTED`.
    pub status: Option<&'static str>,
    /// Only those submitted then or before.
    pub submitted_by: Option<DateTime<Utc>>,
    /// Only undecided ones whose answer was due then.
    pub due_by: Option<DateTime<Utc>>,
}

/// Up to `limit` of them after a position.
///
/// # Errors
/// The database did not answer.
pub async fn account_requests(
    view: &mut Snapshot,
    filter: &AccountRequestFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<AccountRequestRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT * FROM read.account_requests
          WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2)
            AND ($3::timestamptz IS NULL OR submitted_at <= $3)
            AND ($4::timestamptz IS NULL OR (due_at <= $4 AND status = 'SUBMITTED'))
            AND ($5::bigint IS NULL OR submitted_position > $5)
          ORDER BY submitted_position LIMIT $6",
    )
    .bind(view.tenant().0)
    .bind(filter.status)
    .bind(filter.submitted_by)
    .bind(filter.due_by)
    .bind(after)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// Those of these ids.
///
/// # Errors
/// The database did not answer.
pub async fn account_requests_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<AccountRequestRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT * FROM read.account_requests WHERE tenant_id = $1 AND request_id = ANY($2)",
    )
    .bind(view.tenant().0)
    .bind(ids)
    .fetch_all(view.connection())
    .await
}
