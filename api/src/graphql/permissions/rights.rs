//! Rights in force, and who has access to an NPI.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::permissions::{Right, Source};
use rollcall_projections::permission_matrix::AccessRow;

use super::types::PermissionSource;
use crate::graphql::{
    paging::connection,
    scalars::{DateTime, NpiScalar},
    user_directory::User,
    vocabulary::NpiLevel,
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
}

/// A right in force and why (GN-13).
#[derive(Clone, SimpleObject)]
pub struct EffectiveRight {
    pub kind: RightKind,
    pub npi: Option<NpiScalar>,
    pub correspondence_type: Option<String>,
    pub source: PermissionSource,
    /// The reason as people read it.
    pub because: String,
}

impl EffectiveRight {
    /// A right with its reason.
    #[must_use]
    pub fn of(right: &Right, source: Source) -> Self {
        let (kind, correspondence_type) = match right {
            Right::ManageUsers => (RightKind::ManageUsers, None),
            Right::ViewOrganization => (RightKind::ViewOrganization, None),
            Right::ViewNpi(_) => (RightKind::ViewNpi, None),
            Right::ManagePin(_) => (RightKind::ManagePin, None),
            Right::ReadCorrespondence(_, kind) => (RightKind::ReadCorrespondence, Some(kind)),
        };
        Self {
            kind,
            npi: right.npi().map(NpiScalar::from),
            correspondence_type: correspondence_type.map(ToString::to_string),
            source: source.into(),
            because: because(source).to_owned(),
        }
    }
}

fn because(source: Source) -> &'static str {
    match source {
        Source::Direct => "An administrator granted it for this NPI.",
        Source::AllNpis => "An administrator granted it for all NPIs of the organization.",
        Source::Role(_) => "The organization-wide role gives it.",
        Source::ImpliedByAdmin => "This portal gives it to every organization administrator.",
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
