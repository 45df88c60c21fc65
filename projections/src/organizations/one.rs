//! Organisations by their ids, and what belongs to one or several.
//!
//! Invariant: whatever belongs to a list of organisations is read for all of them by one query.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    list::NpiRow,
    rows::{ORGANIZATION, OrganizationRow},
};
use crate::{Snapshot, people::Person};

/// What belongs to each organisation asked for.
pub type PerOrganization<T> = BTreeMap<Uuid, Vec<T>>;

/// The organisations of these ids, as far as the view's tenant has them.
///
/// # Errors
/// The database did not answer.
pub async fn organizations_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<OrganizationRow>, sqlx::Error> {
    sqlx::query_as(&format!("SELECT {ORGANIZATION} FROM read.organizations WHERE id = ANY($1)"))
        .bind(ids)
        .fetch_all(view.connection())
        .await
}

#[derive(sqlx::FromRow)]
struct Of<T> {
    organization_id: Uuid,
    #[sqlx(flatten)]
    row: T,
}

fn grouped<T>(rows: Vec<Of<T>>) -> PerOrganization<T> {
    let mut groups = PerOrganization::new();
    for Of { organization_id, row } in rows {
        groups.entry(organization_id).or_default().push(row);
    }
    groups
}

/// The active administrators, by name.
///
/// # Errors
/// The database did not answer.
pub async fn admins(
    view: &mut Snapshot,
    organizations: &[Uuid],
) -> Result<PerOrganization<Person>, sqlx::Error> {
    let rows = sqlx::query_as(
        "SELECT m.organization_id, m.user_id, p.first_name, p.last_name, p.email, p.mobile,
                p.business_phone, p.username, coalesce(p.email_verified, false) AS email_verified
           FROM read.organization_members m
           LEFT JOIN read.people p ON p.tenant_id = m.tenant_id AND p.user_id = m.user_id
          WHERE m.organization_id = ANY($1) AND m.role = 'ADMIN' AND m.standing = 'ACTIVE'
          ORDER BY p.last_name, p.first_name, m.user_id",
    )
    .bind(organizations)
    .fetch_all(view.connection())
    .await?;
    Ok(grouped(rows))
}

/// An email domain of an organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DomainRow {
    pub domain: String,
    pub active_users: i64,
}

/// The email domains on the list, by name (MC-14); invited and deactivated people do not count.
///
/// # Errors
/// The database did not answer.
pub async fn email_domains(
    view: &mut Snapshot,
    organizations: &[Uuid],
) -> Result<PerOrganization<DomainRow>, sqlx::Error> {
    let rows = sqlx::query_as(
        "SELECT d.organization_id, d.domain, count(m.user_id) AS active_users
           FROM read.organization_domains d
           LEFT JOIN read.organization_members m
             ON m.tenant_id = d.tenant_id AND m.organization_id = d.organization_id
            AND m.email_domain = d.domain AND m.standing = 'ACTIVE'
          WHERE d.organization_id = ANY($1)
          GROUP BY d.organization_id, d.domain ORDER BY d.domain",
    )
    .bind(organizations)
    .fetch_all(view.connection())
    .await?;
    Ok(grouped(rows))
}

/// The first `limit` NPIs of each organisation not detached at `now`, by number.
///
/// # Errors
/// The database did not answer.
pub async fn first_npis(
    view: &mut Snapshot,
    organizations: &[Uuid],
    (limit, now): (i64, DateTime<Utc>),
) -> Result<PerOrganization<NpiRow>, sqlx::Error> {
    let rows = sqlx::query_as(
        "SELECT n.* FROM UNNEST($1::uuid[]) o(id) CROSS JOIN LATERAL (
           SELECT organization_id, npi, name, provider_type, community, attached_at, detached_at
             FROM read.organization_npis
            WHERE organization_id = o.id AND (detached_at IS NULL OR detached_at > $3)
            ORDER BY npi LIMIT $2) n",
    )
    .bind(organizations)
    .bind(limit)
    .bind(now)
    .fetch_all(view.connection())
    .await?;
    Ok(grouped(rows))
}
