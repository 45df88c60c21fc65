//! `directory_domains`: an organisation's email domains (MC-14).
//!
//! Invariant: the last fact about a domain in a batch decides.

use std::collections::BTreeMap;

use rollcall_domain::{kernel::ids::TenantId, organizations::OrganizationEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use super::projection::{Entry, Fact};

pub(super) async fn apply(
    tx: &mut PgConnection,
    tenant: TenantId,
    entries: &[Entry<'_>],
) -> Result<(), sqlx::Error> {
    // Whether each domain named is on the list afterwards.
    let mut listed: BTreeMap<(Uuid, &str), bool> = BTreeMap::new();
    for (_, fact) in entries {
        let Fact::Roster(event) = fact else { continue };
        if let OrganizationEvent::EmailDomainAdded { organization, domain } = event {
            listed.insert((organization.0, domain), true);
        }
        if let OrganizationEvent::EmailDomainRemoved { organization, domain } = event {
            listed.insert((organization.0, domain), false);
        }
    }
    for (is_listed, statement) in [
        (
            true,
            "INSERT INTO directory_domains (tenant_id, organization_id, domain)
             SELECT $1, * FROM UNNEST($2::uuid[], $3::text[]) ON CONFLICT DO NOTHING",
        ),
        (
            false,
            "DELETE FROM directory_domains WHERE tenant_id = $1 AND (organization_id, domain) IN
                    (SELECT * FROM UNNEST($2::uuid[], $3::text[]))",
        ),
    ] {
        let (organizations, domains): (Vec<Uuid>, Vec<&str>) =
            listed.iter().filter(|(_, listed)| **listed == is_listed).map(|(key, _)| *key).unzip();
        if !organizations.is_empty() {
            sqlx::query(statement)
                .bind(tenant.0)
                .bind(organizations)
                .bind(domains)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(())
}
