//! Lists of organisations and NPIs, searched and paged by key.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rows::{ORGANIZATION, OrganizationRow};
use crate::Snapshot;

/// Which organisations are asked for.
#[derive(Clone, Debug)]
pub struct OrganizationSearch {
    /// Part of the name, or a whole NPI held now.
    pub text: Option<String>,
    pub status: Option<String>,
    /// Only open ones without an active administrator, or only the others (GN-10).
    pub adminless: Option<bool>,
    /// Only these, for plan staff kept to them (GN-31).
    pub within: Option<Vec<Uuid>>,
    pub now: DateTime<Utc>,
}

/// Organisations by name, after `(name in lower case, id)`.
///
/// # Errors
/// The database did not answer.
pub async fn organizations(
    view: &mut Snapshot,
    search: &OrganizationSearch,
    after: Option<&(String, Uuid)>,
    limit: i64,
) -> Result<Vec<OrganizationRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {ORGANIZATION} FROM read.organizations o
          WHERE ($1::text IS NULL OR position(lower($1) in lower(name)) > 0
                 OR EXISTS (SELECT FROM read.organization_npis n
                             WHERE n.tenant_id = o.tenant_id AND n.organization_id = o.id
                               AND n.npi = $1
                               AND (n.detached_at IS NULL OR n.detached_at > $8)))
            AND ($2::text IS NULL OR status = $2)
            AND ($6::bool IS NULL OR $6 = (status = 'REGISTERED' AND NOT EXISTS (
                   SELECT FROM read.organization_members m
                    WHERE m.tenant_id = o.tenant_id AND m.organization_id = o.id
                      AND m.role = 'ADMIN' AND m.standing = 'ACTIVE')))
            AND ($3::text IS NULL OR (lower(name), id) > ($3, $4::uuid))
            AND ($7::uuid[] IS NULL OR id = ANY($7))
          ORDER BY lower(name), id LIMIT $5"
    ))
    .bind(search.text.as_deref())
    .bind(search.status.as_deref())
    .bind(after.map(|(name, _)| name.as_str()))
    .bind(after.map(|(_, id)| *id))
    .bind(limit)
    .bind(search.adminless)
    .bind(search.within.as_deref())
    .bind(search.now)
    .fetch_all(view.connection())
    .await
}

/// An NPI of an organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct NpiRow {
    pub npi: String,
    pub name: String,
    pub provider_type: String,
    pub community: String,
    pub attached_at: DateTime<Utc>,
    pub detached_at: Option<DateTime<Utc>>,
}

/// Which NPIs are asked for: those held at a moment.
#[derive(Clone, Debug)]
pub struct NpiSearch {
    pub organization: Uuid,
    /// The beginning of the number, or part of the provider's name.
    pub text: Option<String>,
    pub at: DateTime<Utc>,
}

const MATCHES: &str = "organization_id = $1 AND attached_at <= $3
    AND (detached_at IS NULL OR detached_at > $3)
    AND ($2::text IS NULL OR starts_with(npi, $2) OR position(lower($2) in lower(name)) > 0)";

/// NPIs by number, after `after`.
///
/// # Errors
/// The database did not answer.
pub async fn npis(
    view: &mut Snapshot,
    search: &NpiSearch,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<NpiRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT npi, name, provider_type, community, attached_at, detached_at
           FROM read.organization_npis
          WHERE {MATCHES} AND ($4::text IS NULL OR npi > $4) ORDER BY npi LIMIT $5"
    ))
    .bind(search.organization)
    .bind(search.text.as_deref())
    .bind(search.at)
    .bind(after)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// How many NPIs match in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_npis(view: &mut Snapshot, search: &NpiSearch) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(&format!("SELECT count(*) FROM read.organization_npis WHERE {MATCHES}"))
        .bind(search.organization)
        .bind(search.text.as_deref())
        .bind(search.at)
        .fetch_one(view.connection())
        .await
}
