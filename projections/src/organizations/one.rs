//! One organisation and what belongs to it.

use uuid::Uuid;

use super::rows::{ORGANIZATION, OrganizationRow};
use crate::{Snapshot, people::Person};

/// The organisation, unless the view's tenant has none of this id.
///
/// # Errors
/// The database did not answer.
pub async fn organization(
    view: &mut Snapshot,
    id: Uuid,
) -> Result<Option<OrganizationRow>, sqlx::Error> {
    sqlx::query_as(&format!("SELECT {ORGANIZATION} FROM read.organizations WHERE id = $1"))
        .bind(id)
        .fetch_optional(view.connection())
        .await
}

/// The active administrators, by name.
///
/// # Errors
/// The database did not answer.
pub async fn admins(view: &mut Snapshot, organization: Uuid) -> Result<Vec<Person>, sqlx::Error> {
    sqlx::query_as(
        "SELECT m.user_id, p.first_name, p.last_name, p.email, p.mobile, p.business_phone,
                p.username
           FROM read.organization_members m
           LEFT JOIN read.people p ON p.tenant_id = m.tenant_id AND p.user_id = m.user_id
          WHERE m.organization_id = $1 AND m.role = 'ADMIN' AND m.standing = 'ACTIVE'
          ORDER BY p.last_name, p.first_name, m.user_id",
    )
    .bind(organization)
    .fetch_all(view.connection())
    .await
}

/// An email domain of an organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DomainRow {
    pub domain: String,
    pub active_users: i64,
}

/// The email domains on the list, by name (MC-14).
///
/// # Errors
/// The database did not answer.
pub async fn email_domains(
    view: &mut Snapshot,
    organization: Uuid,
) -> Result<Vec<DomainRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT d.domain, count(m.user_id) AS active_users
           FROM read.organization_domains d
           LEFT JOIN read.organization_members m
             ON m.tenant_id = d.tenant_id AND m.organization_id = d.organization_id
            AND m.email_domain = d.domain AND m.standing = 'ACTIVE'
          WHERE d.organization_id = $1 GROUP BY d.domain ORDER BY d.domain",
    )
    .bind(organization)
    .fetch_all(view.connection())
    .await
}
