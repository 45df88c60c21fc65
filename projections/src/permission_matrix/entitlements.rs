//! What people of an organisation were granted beside NPIs: the feature and location matrices
//! (CC-08, CC-09, CX-12, CC-02).
//!
//! Invariant: these are grants; what an administrator holds without one is told by
//! `effectivePermissions`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{Entitlement, EntitlementKind},
};
use uuid::Uuid;

use crate::{Snapshot, user_directory::DirectoryKey};

/// A grant with its end.
#[derive(Clone, Copy, Debug)]
pub struct EntitlementRow {
    pub entitlement: Entitlement,
    pub until: Option<DateTime<Utc>>,
    pub granted_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    user_id: Uuid,
    kind: String,
    key: String,
    until: Option<DateTime<Utc>>,
    granted_at: DateTime<Utc>,
}

/// What each of the users was granted and still holds at `now`.
///
/// # Errors
/// The database did not answer.
pub async fn entitlements_of(
    view: &mut Snapshot,
    organization: OrganizationId,
    users: &[UserId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, Vec<EntitlementRow>>, sqlx::Error> {
    let rows: Vec<Raw> = sqlx::query_as(
        "SELECT user_id, kind, key, until, granted_at FROM read.entitlements
          WHERE tenant_id = $1 AND organization_id = $2 AND user_id = ANY($3)
            AND (until IS NULL OR until > $4)
          ORDER BY kind, key",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(users.iter().map(|user| user.0).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(view.connection())
    .await?;
    let mut found: BTreeMap<UserId, Vec<EntitlementRow>> = BTreeMap::new();
    for Raw { user_id, kind, key, until, granted_at } in rows {
        let kind = EntitlementKind::parse(&kind).expect("the table admits no other");
        let entitlement = Entitlement::parse(kind, &key).expect("the domain wrote it");
        let row = EntitlementRow { entitlement, until, granted_at };
        found.entry(UserId(user_id)).or_default().push(row);
    }
    Ok(found)
}

/// The active members of an organisation who hold grants of these kinds, by name; one row more
/// than asked for tells that there are more.
///
/// # Errors
/// The database did not answer.
pub async fn holders(
    view: &mut Snapshot,
    organization: OrganizationId,
    kinds: &[EntitlementKind],
    (limit, after): (i64, Option<&DirectoryKey>),
    now: DateTime<Utc>,
) -> Result<Vec<DirectoryKey>, sqlx::Error> {
    sqlx::query_as(
        "WITH holders AS (
           SELECT lower(coalesce(p.last_name, '')) AS last_key,
                  lower(coalesce(p.first_name, '')) AS first_key, m.user_id
             FROM read.directory_members m
             LEFT JOIN read.people p ON p.tenant_id = m.tenant_id AND p.user_id = m.user_id
            WHERE m.tenant_id = $1 AND m.organization_id = $2 AND m.standing = 'ACTIVE'
              AND EXISTS (
                SELECT FROM read.entitlements e
                 WHERE e.tenant_id = m.tenant_id AND e.organization_id = m.organization_id
                   AND e.user_id = m.user_id AND e.kind = ANY ($3)
                   AND (e.until IS NULL OR e.until > $4)))
         SELECT last_key, first_key, user_id FROM holders
          WHERE $5::text IS NULL OR (last_key, first_key, user_id) > ($5, $6, $7)
          ORDER BY last_key, first_key, user_id LIMIT $8",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    .bind(now)
    .bind(after.map(|(last, _, _)| last))
    .bind(after.map(|(_, first, _)| first))
    .bind(after.map(|(_, _, user)| *user))
    .bind(limit)
    .fetch_all(view.connection())
    .await
}
