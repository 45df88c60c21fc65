//! Locations and tax ids of organisations (CX-02, CX-03, CC-02).
//!
//! Invariant: the tax id of the enrolment stands under the organisation's own id, as in the domain.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{OrganizationId, TaxIdId},
    organizations::{OrganizationEvent, TaxIdRef},
};
use rollcall_journal::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Snapshot;

/// Name and id: the order of the list.
pub type LocationKey = (String, Uuid);

/// A branch or site.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LocationRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub npi: Option<String>,
    pub credentialed: bool,
    pub terminated_from: Option<DateTime<Utc>>,
}

impl LocationRow {
    /// Where it stands in the list.
    #[must_use]
    pub fn key(&self) -> LocationKey {
        (self.name.to_lowercase(), self.id)
    }
}

/// A tax id, of which kind and last digits are known.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TaxIdRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    /// `EIN` or `SSN`.
    pub kind: String,
    pub last4: String,
}

/// An organisation's locations by name, one page and one row more; `search` is part of a name.
///
/// # Errors
/// The database did not answer.
pub async fn locations(
    view: &mut Snapshot,
    organization: OrganizationId,
    search: Option<&str>,
    (limit, after): (i64, Option<&LocationKey>),
) -> Result<Vec<LocationRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, organization_id, name, npi, credentialed, terminated_from FROM read.locations
          WHERE tenant_id = $1 AND organization_id = $2
            AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
            AND ($4::text IS NULL OR (lower(name), id) > ($4, $5))
          ORDER BY lower(name), id LIMIT $6",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(search)
    .bind(after.map(|(name, _)| name))
    .bind(after.map(|(_, id)| *id))
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// Locations by their ids.
///
/// # Errors
/// The database did not answer.
pub async fn locations_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<LocationRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, organization_id, name, npi, credentialed, terminated_from FROM read.locations
          WHERE tenant_id = $1 AND id = ANY ($2)",
    )
    .bind(view.tenant().0)
    .bind(ids)
    .fetch_all(view.connection())
    .await
}

/// An organisation's tax ids, the one of its enrolment first.
///
/// # Errors
/// The database did not answer.
pub async fn tax_ids(
    view: &mut Snapshot,
    organization: OrganizationId,
) -> Result<Vec<TaxIdRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, organization_id, kind, last4 FROM read.tax_ids
          WHERE tenant_id = $1 AND organization_id = $2 ORDER BY id <> organization_id, id",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .fetch_all(view.connection())
    .await
}

pub(super) async fn apply(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &OrganizationEvent,
) -> Result<(), sqlx::Error> {
    use OrganizationEvent as E;
    let tenant = recorded.tenant.0;
    let statement = match event {
        E::LocationRegistered { organization, location, name, npi, credentialed } => sqlx::query(
            "INSERT INTO locations (tenant_id, id, organization_id, name, npi, credentialed)
             VALUES ($1, $2, $3, $4, $5, $6)
             -- It came with an organisation that was merged into this one.
             ON CONFLICT (tenant_id, id) DO UPDATE
                SET organization_id = excluded.organization_id, name = excluded.name",
        )
        .bind(tenant)
        .bind(location.0)
        .bind(organization.0)
        .bind(name.as_str())
        .bind(npi.as_ref().map(ToString::to_string))
        .bind(credentialed),
        E::LocationCredentialingChanged { location, credentialed, .. } => {
            sqlx::query("UPDATE locations SET credentialed = $3 WHERE tenant_id = $1 AND id = $2")
                .bind(tenant)
                .bind(location.0)
                .bind(credentialed)
        }
        E::LocationTerminated { location, from, .. } => sqlx::query(
            "UPDATE locations SET terminated_from = $3 WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant)
        .bind(location.0)
        .bind(from),
        E::OrganizationEnrolled { organization, tax_id, .. } => {
            return keep(tx, tenant, *organization, own(*organization), tax_id).await;
        }
        E::EnrolmentUpdated { organization, changes, .. } => match &changes.tax_id {
            Some(change) => {
                return keep(tx, tenant, *organization, own(*organization), &change.new).await;
            }
            None => return Ok(()),
        },
        E::TaxIdLinked { organization, tax_id, reference } => {
            return keep(tx, tenant, *organization, *tax_id, reference).await;
        }
        E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::UserReactivated { .. }
        | E::UserDeactivationWarned { .. }
        | E::UserAutoDeactivated { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::MemberMoved { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => return Ok(()),
    };
    statement.execute(tx).await.map(drop)
}

fn own(organization: OrganizationId) -> TaxIdId {
    TaxIdId::of_enrolment(organization)
}

async fn keep(
    tx: &mut PgConnection,
    tenant: Uuid,
    organization: OrganizationId,
    id: TaxIdId,
    reference: &TaxIdRef,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO tax_ids (tenant_id, id, organization_id, kind, last4)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, id) DO UPDATE
            SET organization_id = excluded.organization_id, kind = excluded.kind,
                last4 = excluded.last4",
    )
    .bind(tenant)
    .bind(id.0)
    .bind(organization.0)
    .bind(reference.kind.as_str())
    .bind(&reference.last4)
    .execute(tx)
    .await
    .map(drop)
}
