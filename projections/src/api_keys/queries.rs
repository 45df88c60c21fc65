//! The keys of one owner. Invariant: of another owner none is told, not even that it exists.

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::OrganizationId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::Snapshot;

/// One key.
#[derive(Clone, Debug, FromRow)]
pub struct ApiKeyRow {
    pub key_id: Uuid,
    /// `None` for the plan's.
    pub organization_id: Option<Uuid>,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_by: Uuid,
    /// `None` where the person was erased.
    pub created_by_name: Option<String>,
    pub created_position: i64,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeyFilter {
    /// `None`: the plan's.
    pub organization: Option<OrganizationId>,
    /// Only those that work at this moment.
    pub usable_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "SELECT k.key_id, k.organization_id, k.name, k.scopes, k.created_by,
    nullif(concat_ws(' ', p.first_name, p.last_name), '') AS created_by_name, k.created_position,
    k.created_at, k.expires_at, a.last_used_at, k.revoked_at
  FROM read.api_keys k
  LEFT JOIN read.people p ON p.tenant_id = k.tenant_id AND p.user_id = k.created_by
  LEFT JOIN ops.api_key_activity a ON a.tenant_id = k.tenant_id AND a.key_id = k.key_id
 WHERE k.tenant_id = $1 AND k.organization_id IS NOT DISTINCT FROM $2";

const USABLE: &str =
    " AND ($3::timestamptz IS NULL OR (k.revoked_at IS NULL AND $3 < k.expires_at))";

/// One page, newest first, `limit` keys at most.
///
/// # Errors
/// The database did not answer.
pub async fn api_keys(
    view: &mut Snapshot,
    filter: ApiKeyFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "{COLUMNS}{USABLE} AND ($4::bigint IS NULL OR k.created_position < $4)
          ORDER BY k.created_position DESC LIMIT $5"
    ))
    .bind(view.tenant().0)
    .bind(filter.organization.map(|organization| organization.0))
    .bind(filter.usable_at)
    .bind(after)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// How many there are.
///
/// # Errors
/// The database did not answer.
pub async fn count(view: &mut Snapshot, filter: ApiKeyFilter) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(&format!(
        "SELECT count(*) FROM read.api_keys k
          WHERE k.tenant_id = $1 AND k.organization_id IS NOT DISTINCT FROM $2{USABLE}"
    ))
    .bind(view.tenant().0)
    .bind(filter.organization.map(|organization| organization.0))
    .bind(filter.usable_at)
    .fetch_one(view.connection())
    .await
}

/// Those of these ids that are the owner's.
///
/// # Errors
/// The database did not answer.
pub async fn api_keys_by_id(
    view: &mut Snapshot,
    organization: Option<OrganizationId>,
    ids: &[Uuid],
) -> Result<Vec<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as(&format!("{COLUMNS} AND k.key_id = ANY ($3)"))
        .bind(view.tenant().0)
        .bind(organization.map(|organization| organization.0))
        .bind(ids)
        .fetch_all(view.connection())
        .await
}
