//! `emailDomains(organizationId)` (MC-14). Invariant: invited and deactivated people do not count.

use rollcall_domain::kernel::ids::OrganizationId;

use crate::Snapshot;

/// A domain with how many active users have an address of it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DomainRow {
    pub domain: String,
    pub active_users: i64,
}

/// An organisation's domains in alphabetical order.
///
/// # Errors
/// The database did not answer.
pub async fn domains(
    view: &mut Snapshot,
    organization: OrganizationId,
) -> Result<Vec<DomainRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT d.domain, count(m.user_id) AS active_users
           FROM read.directory_domains d
           LEFT JOIN read.directory_members m
             ON m.tenant_id = d.tenant_id AND m.organization_id = d.organization_id
            AND m.email_domain = d.domain AND m.standing = 'ACTIVE'
          WHERE d.tenant_id = $1 AND d.organization_id = $2
          GROUP BY d.domain ORDER BY d.domain",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .fetch_all(view.connection())
    .await
}
