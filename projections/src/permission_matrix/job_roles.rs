//! `job_roles`: named bundles of features (CC-09).
//!
//! Invariant: a retired role stays as a row, so that what happened with it can still be told.

use rollcall_domain::{kernel::ids::OrganizationId, permissions::JobRoleEvent};
use rollcall_journal::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Snapshot;

/// A job role.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct JobRoleRow {
    pub id: Uuid,
    /// Absent for one of the whole portal.
    pub organization_id: Option<Uuid>,
    pub name: String,
    pub features: Vec<String>,
    pub version: i64,
}

/// The job roles that an organisation may assign, by name; without an organisation those of the
/// whole portal.
///
/// # Errors
/// The database did not answer.
pub async fn job_roles(
    view: &mut Snapshot,
    organization: Option<OrganizationId>,
) -> Result<Vec<JobRoleRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, organization_id, name, features, version FROM read.job_roles
          WHERE tenant_id = $1 AND NOT is_retired
            AND (organization_id IS NULL OR organization_id = $2)
          ORDER BY lower(name), id",
    )
    .bind(view.tenant().0)
    .bind(organization.map(|id| id.0))
    .fetch_all(view.connection())
    .await
}

/// Job roles by their ids, retired ones included.
///
/// # Errors
/// The database did not answer.
pub async fn job_roles_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<JobRoleRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, organization_id, name, features, version FROM read.job_roles
          WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY lower(name), id",
    )
    .bind(view.tenant().0)
    .bind(ids)
    .fetch_all(view.connection())
    .await
}

pub(super) async fn apply<E>(
    tx: &mut PgConnection,
    recorded: &Recorded<E>,
    event: &JobRoleEvent,
) -> Result<(), sqlx::Error> {
    let tenant = recorded.tenant.0;
    match event {
        JobRoleEvent::JobRoleDefined { role, organization, name, features } => {
            let features: Vec<&str> = features.iter().map(|feature| feature.as_str()).collect();
            sqlx::query(
                "INSERT INTO job_roles (tenant_id, id, organization_id, name, features, version)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (tenant_id, id) DO UPDATE
                    SET name = excluded.name, features = excluded.features,
                        version = excluded.version",
            )
            .bind(tenant)
            .bind(role.0)
            .bind(organization.map(|id| id.0))
            .bind(name.as_str())
            .bind(features)
            .bind(recorded.sequence)
        }
        JobRoleEvent::JobRoleRetired { role, .. } => sqlx::query(
            "UPDATE job_roles SET is_retired = true, version = $3 WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant)
        .bind(role.0)
        .bind(recorded.sequence),
    }
    .execute(tx)
    .await
    .map(drop)
}
