//! The Submitter Directory: open organisations that submit (MC-61).
//!
//! Invariant: it tells a name, nothing else about the organisation.

use rollcall_domain::kernel::ids::OrganizationId;
use uuid::Uuid;

use crate::{Snapshot, search::contains};

/// A row's place in the list: name in lower case, then id.
pub type DirectoryKey = (String, Uuid);

/// A submitter.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Submitter {
    pub id: Uuid,
    pub name: String,
    /// In lower case, for order.
    pub sort_name: String,
}

/// Up to `first` submitters after `after` whose name contains `search`, without `viewer`.
///
/// # Errors
/// The database did not answer.
pub async fn submitters(
    view: &mut Snapshot,
    viewer: OrganizationId,
    search: Option<&str>,
    (first, after): (i64, Option<&DirectoryKey>),
) -> Result<Vec<Submitter>, sqlx::Error> {
    let tenant = view.tenant().0;
    sqlx::query_as(
        "SELECT o.id, o.name, lower(o.name) AS sort_name FROM read.organizations o
          WHERE o.tenant_id = $1 AND o.is_submitter AND o.status = 'REGISTERED' AND o.id <> $2
            AND ($3::text IS NULL OR lower(o.name) LIKE $3)
            AND ($4::text IS NULL OR (lower(o.name), o.id) > ($4, $5))
          ORDER BY lower(o.name), o.id LIMIT $6",
    )
    .bind(tenant)
    .bind(viewer.0)
    .bind(search.map(contains))
    .bind(after.map(|(name, _)| name))
    .bind(after.map(|(_, id)| id))
    .bind(first)
    .fetch_all(view.connection())
    .await
}

/// How many there are in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_submitters(
    view: &mut Snapshot,
    viewer: OrganizationId,
    search: Option<&str>,
) -> Result<i64, sqlx::Error> {
    let tenant = view.tenant().0;
    sqlx::query_scalar(
        "SELECT count(*) FROM read.organizations o
          WHERE o.tenant_id = $1 AND o.is_submitter AND o.status = 'REGISTERED' AND o.id <> $2
            AND ($3::text IS NULL OR lower(o.name) LIKE $3)",
    )
    .bind(tenant)
    .bind(viewer.0)
    .bind(search.map(contains))
    .fetch_one(view.connection())
    .await
}
