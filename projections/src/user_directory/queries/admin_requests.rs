//! The plan's queue of requests for further administrators (CX-05). Invariant: oldest first.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Snapshot;

/// When it was made, and by which organisation for whom: the order of the list.
pub type AdminRequestKey = (DateTime<Utc>, Uuid, Uuid);

/// A request nobody has decided yet.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AdminRequestRow {
    pub organization_id: Uuid,
    pub organization_name: Option<String>,
    pub user_id: Uuid,
    /// First and last name.
    pub user_name: Option<String>,
    pub requested_by: Option<Uuid>,
    pub requested_by_name: Option<String>,
    pub requested_at: DateTime<Utc>,
}

/// Up to `limit` of them after a key; only of the organisations `within` for plan staff kept to them
/// (GN-31).
///
/// # Errors
/// The database did not answer.
pub async fn admin_requests(
    view: &mut Snapshot,
    after: Option<&AdminRequestKey>,
    limit: i64,
    within: Option<&[Uuid]>,
) -> Result<Vec<AdminRequestRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT m.organization_id, o.name AS organization_name, m.user_id,
                nullif(concat_ws(' ', p.first_name, p.last_name), '') AS user_name,
                m.admin_requested_by AS requested_by,
                nullif(concat_ws(' ', b.first_name, b.last_name), '') AS requested_by_name,
                m.admin_requested_at AS requested_at
           FROM read.directory_members m
           LEFT JOIN read.organizations o ON o.tenant_id = m.tenant_id AND o.id = m.organization_id
           LEFT JOIN read.people p ON p.tenant_id = m.tenant_id AND p.user_id = m.user_id
           LEFT JOIN read.people b
             ON b.tenant_id = m.tenant_id AND b.user_id = m.admin_requested_by
          WHERE m.tenant_id = $1 AND m.admin_requested_at IS NOT NULL
            AND ($6::uuid[] IS NULL OR m.organization_id = ANY($6))
            AND ($2::timestamptz IS NULL
                 OR (m.admin_requested_at, m.organization_id, m.user_id) > ($2, $3, $4))
          ORDER BY m.admin_requested_at, m.organization_id, m.user_id LIMIT $5",
    )
    .bind(view.tenant().0)
    .bind(after.map(|(at, ..)| *at))
    .bind(after.map(|(_, organization, _)| *organization))
    .bind(after.map(|(.., user)| *user))
    .bind(limit)
    .bind(within)
    .fetch_all(view.connection())
    .await
}
