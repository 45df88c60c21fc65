//! Rights in force, and who has access to an NPI.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::permissions::{JobRoles, Right, Source};
use rollcall_projections::permission_matrix::AccessRow;

use super::{last_use::LastUse, types::PermissionSource};
use crate::graphql::{
    paging::connection,
    scalars::{DateTime, NpiScalar},
    user_directory::User,
    vocabulary::{Feature, NpiLevel},
};

/// Something a person may do.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum RightKind {
    /// Add, remove and modify users (MC-47).
    ManageUsers,
    /// See organisation-wide notifications and lists (MC-47).
    ViewOrganization,
    /// See the NPI and get its notifications (MC-41, MC-49).
    ViewNpi,
    /// View and reset the NPI's PIN (MC-40).
    ManagePin,
    /// Search, read and export correspondence of a type (MC-41, MC-45).
    ReadCorrespondence,
    /// Use a feature that people are granted one by one (CC-08).
    UseFeature,
    /// Work in a job role, with the features it bundles (CC-09).
    HoldJobRole,
    /// See a location and search the status of its claims (CX-03, CX-12).
    ViewLocation,
    /// Choose a location for new referrals and authorizations (CX-02, CX-03).
    ChooseLocation,
    /// Read what is filed under a tax id (CC-02).
    ReadTaxId,
}

/// A right in force and why (GN-13).
#[derive(Clone, SimpleObject)]
pub struct EffectiveRight {
    pub kind: RightKind,
    pub npi: Option<NpiScalar>,
    pub correspondence_type: Option<String>,
    pub feature: Option<Feature>,
    /// The job role held, or the one that gives the right.
    pub job_role_id: Option<ID>,
    pub location_id: Option<ID>,
    pub tax_id_id: Option<ID>,
    pub source: PermissionSource,
    /// The reason as people read it.
    pub because: String,
    /// When the person last used it (GN-16).
    pub last_use: LastUse,
}

impl EffectiveRight {
    /// A right with its reason.
    #[must_use]
    pub fn of(right: &Right, source: Source, job_roles: &JobRoles, last_use: LastUse) -> Self {
        let by_role = match source {
            Source::JobRole(role) => Some(ID(role.to_string())),
            Source::Direct | Source::AllNpis | Source::Role(_) | Source::ImpliedByAdmin => None,
        };
        let mut shown = Self {
            kind: RightKind::ManageUsers,
            npi: right.npi().map(NpiScalar::from),
            correspondence_type: None,
            feature: None,
            job_role_id: by_role,
            location_id: None,
            tax_id_id: None,
            source: source.into(),
            because: because(right, source, job_roles),
            last_use,
        };
        shown.kind = match right {
            Right::ManageUsers => RightKind::ManageUsers,
            Right::ViewOrganization => RightKind::ViewOrganization,
            Right::ViewNpi(_) => RightKind::ViewNpi,
            Right::ManagePin(_) => RightKind::ManagePin,
            Right::ReadCorrespondence(_, kind) => {
                shown.correspondence_type = Some(kind.to_string());
                RightKind::ReadCorrespondence
            }
            Right::UseFeature(feature) => {
                shown.feature = Some((*feature).into());
                RightKind::UseFeature
            }
            Right::HoldJobRole(role) => {
                shown.job_role_id = Some(ID(role.to_string()));
                RightKind::HoldJobRole
            }
            Right::ViewLocation(location) => {
                shown.location_id = Some(ID(location.to_string()));
                RightKind::ViewLocation
            }
            Right::ChooseLocation(location) => {
                shown.location_id = Some(ID(location.to_string()));
                RightKind::ChooseLocation
            }
            Right::ReadTaxId(tax_id) => {
                shown.tax_id_id = Some(ID(tax_id.to_string()));
                RightKind::ReadTaxId
            }
        };
        shown
    }
}

fn because(right: &Right, source: Source, job_roles: &JobRoles) -> String {
    match source {
        Source::Direct if right.npi().is_some() => {
            "An administrator granted it for this NPI.".to_owned()
        }
        Source::Direct => "It was granted to this person.".to_owned(),
        Source::AllNpis => {
            "An administrator granted it for all NPIs of the organization.".to_owned()
        }
        Source::Role(_) => "The organization-wide role gives it.".to_owned(),
        Source::JobRole(role) => {
            let bundle = job_roles.get(&role).and_then(|role| role.bundle());
            let name = bundle.map_or("of this person", |bundle| bundle.name.as_str());
            format!("The job role {name} gives it.")
        }
        Source::ImpliedByAdmin => {
            "This portal gives it to every organization administrator.".to_owned()
        }
    }
}

/// What a person may do in an organisation now.
#[derive(Clone, SimpleObject)]
pub struct EffectivePermissions {
    pub user_id: ID,
    pub organization_id: ID,
    /// Empty where account, membership or organisation do not work at present.
    pub rights: Vec<EffectiveRight>,
}

/// One person's access to an NPI.
#[derive(Clone, SimpleObject)]
pub struct NpiAccess {
    pub user: User,
    pub level: NpiLevel,
    pub source: PermissionSource,
    /// The access ends here by itself.
    pub until: Option<DateTime>,
}

impl NpiAccess {
    /// Access with the person who has it.
    #[must_use]
    pub fn of(row: AccessRow, user: User) -> Self {
        Self {
            user,
            level: row.level.into(),
            source: row.source.into(),
            until: row.until.map(DateTime::from),
        }
    }
}

connection!(NpiAccessConnection, NpiAccessEdge, NpiAccess);
