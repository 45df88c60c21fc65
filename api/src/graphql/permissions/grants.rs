//! What people were granted beside NPIs, as administrators see it (CC-08, CC-09, CX-12, CC-02).
//!
//! Invariant: names are looked up once for all people shown.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime as Instant, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::Entitlement,
};
use rollcall_projections::{
    Snapshot,
    organizations::{LocationRow, TaxIdRow, locations_by_id, tax_ids},
    permission_matrix::{EntitlementRow, JobRoleRow, entitlements_of, job_roles_by_id},
};
use uuid::Uuid;

use crate::graphql::{
    organizations::{LinkedTaxId, Location},
    paging::connection,
    scalars::DateTime,
    user_directory::User,
    vocabulary::Feature,
};

/// A feature that was granted.
#[derive(Clone, Debug, SimpleObject)]
pub struct FeatureGrant {
    pub feature: Feature,
    pub granted_at: DateTime,
    /// The grant ends here by itself (GN-13).
    pub until: Option<DateTime>,
}

/// A job role that was assigned.
#[derive(Clone, Debug, SimpleObject)]
pub struct JobRoleGrant {
    pub job_role: JobRole,
    pub granted_at: DateTime,
    /// The grant ends here by itself.
    pub until: Option<DateTime>,
}

/// A location that was granted.
#[derive(Clone, Debug, SimpleObject)]
pub struct LocationGrant {
    pub location: Location,
    pub granted_at: DateTime,
    /// The grant ends here by itself.
    pub until: Option<DateTime>,
}

/// A tax id that was granted.
#[derive(Clone, Debug, SimpleObject)]
pub struct TaxIdGrant {
    pub tax_id: LinkedTaxId,
    pub granted_at: DateTime,
    /// The grant ends here by itself.
    pub until: Option<DateTime>,
}

/// A named bundle of features (CC-09).
#[derive(Clone, Debug, SimpleObject)]
pub struct JobRole {
    pub id: ID,
    /// Absent for a job role of the whole portal.
    pub organization_id: Option<ID>,
    pub name: String,
    pub features: Vec<Feature>,
    /// For `expectedVersion`.
    pub version: i32,
}

impl From<JobRoleRow> for JobRole {
    fn from(row: JobRoleRow) -> Self {
        use rollcall_domain::policies::Feature as Stored;
        let features = row.features.iter().filter_map(|word| Stored::parse(word));
        Self {
            id: ID(row.id.to_string()),
            organization_id: row
                .organization_id
                .map(|id| crate::graphql::ids::NodeType::Organization.id(id)),
            name: row.name,
            features: features.map(Feature::from).collect(),
            version: i32::try_from(row.version).unwrap_or(i32::MAX),
        }
    }
}

/// What one person was granted in an organisation beside NPIs and roles.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct Grants {
    pub features: Vec<FeatureGrant>,
    pub job_roles: Vec<JobRoleGrant>,
    pub locations: Vec<LocationGrant>,
    pub tax_ids: Vec<TaxIdGrant>,
}

/// One person's features and job roles (CC-08, CC-09).
#[derive(Clone, SimpleObject)]
pub struct FeatureMatrixRow {
    pub user: User,
    pub features: Vec<FeatureGrant>,
    pub job_roles: Vec<JobRoleGrant>,
}

connection!(FeatureMatrixConnection, FeatureMatrixEdge, FeatureMatrixRow);

/// One person's locations and tax ids (CX-12, CC-02).
#[derive(Clone, SimpleObject)]
pub struct LocationMatrixRow {
    pub user: User,
    pub locations: Vec<LocationGrant>,
    pub tax_ids: Vec<TaxIdGrant>,
}

connection!(LocationMatrixConnection, LocationMatrixEdge, LocationMatrixRow);

/// What each of the people was granted and holds at `now`, by a few statements however many they
/// are.
///
/// # Errors
/// The database did not answer.
pub async fn grants_of_people(
    view: &mut Snapshot,
    organization: OrganizationId,
    users: &[UserId],
    now: Instant<Utc>,
) -> Result<BTreeMap<UserId, Grants>, sqlx::Error> {
    let held = entitlements_of(view, organization, users, now).await?;
    let names = Names::read(view, organization, held.values().flatten()).await?;
    let grants = held.into_iter().map(|(user, rows)| {
        let mut grants = Grants::default();
        rows.into_iter().for_each(|row| names.add(row, now, &mut grants));
        (user, grants)
    });
    Ok(grants.collect())
}

/// What granted ids are called.
struct Names {
    job_roles: BTreeMap<Uuid, JobRoleRow>,
    locations: BTreeMap<Uuid, LocationRow>,
    tax_ids: BTreeMap<Uuid, TaxIdRow>,
}

impl Names {
    async fn read(
        view: &mut Snapshot,
        organization: OrganizationId,
        rows: impl Iterator<Item = &EntitlementRow>,
    ) -> Result<Self, sqlx::Error> {
        let (mut roles, mut places, mut numbers) = (BTreeSet::new(), BTreeSet::new(), false);
        for row in rows {
            match row.entitlement {
                Entitlement::Feature(_) => {}
                Entitlement::JobRole(id) => {
                    roles.insert(id.0);
                }
                Entitlement::Location(id) => {
                    places.insert(id.0);
                }
                Entitlement::TaxId(_) => numbers = true,
            }
        }
        let list = |ids: BTreeSet<Uuid>| ids.into_iter().collect::<Vec<_>>();
        let job_roles = match roles.is_empty() {
            true => Vec::new(),
            false => job_roles_by_id(view, &list(roles)).await?,
        };
        let locations = match places.is_empty() {
            true => Vec::new(),
            false => locations_by_id(view, &list(places)).await?,
        };
        let tax_ids = if numbers { tax_ids(view, organization).await? } else { Vec::new() };
        Ok(Self {
            job_roles: job_roles.into_iter().map(|row| (row.id, row)).collect(),
            locations: locations.into_iter().map(|row| (row.id, row)).collect(),
            tax_ids: tax_ids.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    fn add(&self, row: EntitlementRow, now: Instant<Utc>, into: &mut Grants) {
        let (granted_at, until) = (row.granted_at.into(), row.until.map(DateTime::from));
        match row.entitlement {
            Entitlement::Feature(feature) => {
                into.features.push(FeatureGrant { feature: feature.into(), granted_at, until });
            }
            Entitlement::JobRole(id) => {
                let role = self.job_roles.get(&id.0).cloned().map(JobRole::from);
                into.job_roles.extend(role.map(|job_role| JobRoleGrant {
                    job_role,
                    granted_at,
                    until,
                }));
            }
            Entitlement::Location(id) => {
                let location = self.locations.get(&id.0).cloned();
                into.locations.extend(location.map(|row| LocationGrant {
                    location: Location::of(row, now),
                    granted_at,
                    until,
                }));
            }
            Entitlement::TaxId(id) => {
                let tax_id = self.tax_ids.get(&id.0).cloned().map(LinkedTaxId::from);
                into.tax_ids.extend(tax_id.map(|tax_id| TaxIdGrant { tax_id, granted_at, until }));
            }
        }
    }
}
