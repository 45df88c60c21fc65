//! Portals as visitors see them, and the operators' directory.

use chrono::{DateTime, Utc};
use rollcall_domain::content::Guidance;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Snapshot;

/// What anybody may know of the portal.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PortalRow {
    pub slug: String,
    pub name: String,
    /// `ACTIVE`, `SUSPENDED` or `CLOSED`.
    pub state: String,
    pub administrators_required: i32,
}

/// An entry of the operators' directory.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TenantRow {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    /// The preset the tenant began with.
    pub preset: String,
    pub state: String,
    pub created_at: DateTime<Utc>,
}

/// The view's own portal.
///
/// # Errors
/// The database did not answer.
pub async fn portal(view: &mut Snapshot) -> Result<Option<PortalRow>, sqlx::Error> {
    sqlx::query_as("SELECT slug, name, state, administrators_required FROM read.portals")
        .fetch_optional(view.connection())
        .await
}

/// The portal's guidance for clients, as last set.
///
/// # Errors
/// The database did not answer, or the row does not read back.
pub async fn client_guidance(view: &mut Snapshot) -> Result<Option<Guidance>, sqlx::Error> {
    let row: Option<Json<Guidance>> =
        sqlx::query_scalar("SELECT guidance FROM read.client_guidance WHERE tenant_id = $1")
            .bind(view.tenant().0)
            .fetch_optional(view.connection())
            .await?;
    Ok(row.map(|Json(guidance)| guidance))
}

/// Tenants by slug, after `after`; the view must be an operator's.
///
/// # Errors
/// The database did not answer.
pub async fn tenants(
    view: &mut Snapshot,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<TenantRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, slug, name, preset, state, created_at FROM read.tenants
          WHERE $1::text IS NULL OR slug > $1 ORDER BY slug LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// The tenants of these ids, as far as the directory has them.
///
/// # Errors
/// The database did not answer.
pub async fn tenants_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<TenantRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, slug, name, preset, state, created_at FROM read.tenants WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(view.connection())
    .await
}
