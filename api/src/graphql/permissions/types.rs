//! Grants as administrators see and edit them.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::permissions::{Source, correspondence_types::OfferedType};
use rollcall_projections::permission_matrix::MatrixRow;

use crate::graphql::{
    scalars::{DateTime, NpiScalar},
    user_directory::User,
    vocabulary::{NpiLevel, OrgRole},
};

/// The steps of the permission wizard (MC-43).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::permissions::WizardStep")]
pub enum WizardStep {
    /// Required.
    Npi,
    /// Optional.
    Correspondence,
    /// Optional.
    Organization,
}

/// Why a person has a right (GN-13).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum PermissionSource {
    /// A grant of exactly this.
    Direct,
    /// A grant for all NPIs of the organisation.
    AllNpis,
    /// The organisation-wide role itself.
    Role,
    /// A job role that bundles it (CC-09).
    JobRole,
    /// The portal's policy gives it to every organisation administrator.
    ImpliedByAdmin,
}

impl From<Source> for PermissionSource {
    fn from(source: Source) -> Self {
        match source {
            Source::Direct => Self::Direct,
            Source::AllNpis => Self::AllNpis,
            Source::Role(_) => Self::Role,
            Source::JobRole(_) => Self::JobRole,
            Source::ImpliedByAdmin => Self::ImpliedByAdmin,
        }
    }
}

/// What a person was granted for one NPI.
#[derive(Clone, SimpleObject)]
pub struct NpiPermission {
    /// `*` for all NPIs, those attached later included.
    pub npi: NpiScalar,
    /// The provider's name.
    pub name: Option<String>,
    pub level: NpiLevel,
    /// The level ends here by itself.
    pub until: Option<DateTime>,
    pub source: PermissionSource,
    /// Keys of the correspondence types (MC-45).
    pub correspondence: Vec<String>,
}

impl From<MatrixRow> for NpiPermission {
    fn from(row: MatrixRow) -> Self {
        let source =
            if row.from_all { PermissionSource::AllNpis } else { PermissionSource::Direct };
        Self {
            npi: NpiScalar(row.npi),
            name: row.name,
            level: row.level.into(),
            until: row.until.map(DateTime::from),
            source,
            correspondence: row.correspondence,
        }
    }
}

/// What a person was granted in an organisation: NPIs, correspondence and organisation-wide role
/// (MC-48).
#[derive(Clone, SimpleObject)]
pub struct PermissionMatrix {
    pub user_id: ID,
    pub organization_id: ID,
    pub org_role: OrgRole,
    /// One row per NPI the organisation holds; before them one for `*`, if that was granted.
    pub npis: Vec<NpiPermission>,
    /// Pass it as `expectedVersion` to change only what was seen.
    pub version: i32,
}

impl PermissionMatrix {
    /// The matrix of a user whose grants are `rows`.
    #[must_use]
    pub fn of(user: &User, rows: Vec<MatrixRow>) -> Self {
        Self {
            user_id: user.id.clone(),
            organization_id: user.organization_id.clone(),
            org_role: user.org_role,
            npis: rows.into_iter().map(NpiPermission::from).collect(),
            version: user.version,
        }
    }
}

/// A type of correspondence that can be granted (MC-45).
#[derive(Clone, SimpleObject)]
pub struct CorrespondenceType {
    /// What inputs name, e.g. `TAX_DOCUMENTS`.
    pub key: String,
    /// As people read it.
    pub label: String,
}

impl From<&OfferedType> for CorrespondenceType {
    fn from(offered: &OfferedType) -> Self {
        Self { key: offered.key().to_string(), label: offered.label.to_owned() }
    }
}
