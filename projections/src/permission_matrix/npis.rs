//! `matrix_npis`: which NPIs an organisation holds, and when (GN-04).
//!
//! Invariant: a holding is known by its beginning; its end is written into the last one begun.

use chrono::{DateTime, Utc};
use rollcall_domain::{kernel::ids::TenantId, organizations::OrganizationEvent};
use sqlx::PgConnection;
use uuid::Uuid;

struct Begun {
    organization: Uuid,
    npi: String,
    from: DateTime<Utc>,
    name: String,
}

struct Ended {
    organization: Uuid,
    npi: String,
    until: DateTime<Utc>,
}

/// What a batch changes.
#[derive(Default)]
pub(super) struct Holdings {
    changes: Vec<Change>,
}

enum Change {
    Begun(Begun),
    Ended(Ended),
}

impl Holdings {
    pub(super) fn take_in(&mut self, event: &OrganizationEvent) {
        use OrganizationEvent as E;
        match event {
            E::NpiAttached { organization, npi, name, effective_at, .. } => {
                self.changes.push(Change::Begun(Begun {
                    organization: organization.0,
                    npi: npi.to_string(),
                    from: *effective_at,
                    name: name.to_string(),
                }));
            }
            E::NpiDetached { organization, npi, effective_at, .. } => {
                self.changes.push(Change::Ended(Ended {
                    organization: organization.0,
                    npi: npi.to_string(),
                    until: *effective_at,
                }));
            }
            E::OrganizationEnrolled { .. }
            | E::EnrolmentUpdated { .. }
            | E::OrganizationContractStatusChanged { .. }
            | E::OrganizationKindsChanged { .. }
            | E::OrganizationRegistered { .. }
            | E::MemberInvited { .. }
            | E::MemberInvitationEnded { .. }
            | E::MembershipAdded { .. }
            | E::OrgRoleAssigned { .. }
            | E::UserDeactivated { .. }
            | E::UserReactivated { .. }
            | E::MemberEmailDomainChanged { .. }
            | E::EmailDomainAdded { .. }
            | E::EmailDomainRemoved { .. }
            | E::OrganizationSuspended { .. }
            | E::OrganizationReopened { .. }
            | E::OrganizationClosed { .. } => {}
        }
    }

    /// Writes runs of beginnings by one statement; an end waits for the beginnings before it.
    pub(super) async fn store(
        self,
        tx: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<(), sqlx::Error> {
        let mut begun = Vec::new();
        for change in self.changes {
            match change {
                Change::Begun(holding) => begun.push(holding),
                Change::Ended(holding) => {
                    begin(tx, tenant, &std::mem::take(&mut begun)).await?;
                    end(tx, tenant, &holding).await?;
                }
            }
        }
        begin(tx, tenant, &begun).await
    }
}

async fn begin(
    tx: &mut PgConnection,
    tenant: TenantId,
    begun: &[Begun],
) -> Result<(), sqlx::Error> {
    if begun.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO matrix_npis (tenant_id, organization_id, npi, held_from, name)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::timestamptz[], $5::text[])",
    )
    .bind(tenant.0)
    .bind(begun.iter().map(|holding| holding.organization).collect::<Vec<_>>())
    .bind(begun.iter().map(|holding| holding.npi.as_str()).collect::<Vec<_>>())
    .bind(begun.iter().map(|holding| holding.from).collect::<Vec<_>>())
    .bind(begun.iter().map(|holding| holding.name.as_str()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

async fn end(tx: &mut PgConnection, tenant: TenantId, ended: &Ended) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE matrix_npis SET held_until = $4
          WHERE tenant_id = $1 AND organization_id = $2 AND npi = $3 AND held_until IS NULL",
    )
    .bind(tenant.0)
    .bind(ended.organization)
    .bind(&ended.npi)
    .bind(ended.until)
    .execute(tx)
    .await?;
    Ok(())
}
