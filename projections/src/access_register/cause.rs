//! Why a right or a condition is so, and why it is no longer (GN-14).
//!
//! Invariant: the stored names never change.

use rollcall_domain::{
    organizations::MembershipOrigin,
    permissions::{Cause as PermissionCause, GrantEnd, PermissionsEnd},
    tenants::PlanRoleEnd,
};

/// Why something is so (GN-14); the stored names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A registration or its completion gave it.
    Registration,
    /// An invitation was completed.
    Invitation,
    /// A registration token brought an existing person in.
    Token,
    /// An administrator of the organisation.
    Administrator,
    /// The plan.
    Plan,
    /// A request was approved.
    Request,
    /// An access review.
    Review,
    /// Existing people were imported.
    LegacyImport,
    /// The NPI permission it stood on went away.
    NpiPermissionRemoved,
    /// The tenant's policy.
    Policy,
    /// Two organisations are affiliated.
    Affiliation,
    /// It came with an organisation that was merged into this one, or went with it (GN-03).
    Merge,
    /// The time it was given for was over (GN-13).
    Expiry,
    /// The person was deactivated or left.
    Deactivation,
    /// The organisation was suspended or closed.
    OrganizationClosed,
    /// The organisation holds the NPI no longer (GN-04).
    NpiEnded,
    /// The organisation has no contract with the plan any more (CC-01).
    ContractEnded,
    /// Two organisations are affiliated no longer.
    AffiliationEnded,
}

impl Cause {
    pub const ALL: [Self; 18] = [
        Self::Registration,
        Self::Invitation,
        Self::Token,
        Self::Administrator,
        Self::Plan,
        Self::Request,
        Self::Review,
        Self::LegacyImport,
        Self::NpiPermissionRemoved,
        Self::Policy,
        Self::Affiliation,
        Self::Merge,
        Self::Expiry,
        Self::Deactivation,
        Self::OrganizationClosed,
        Self::NpiEnded,
        Self::ContractEnded,
        Self::AffiliationEnded,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "REGISTRATION",
            Self::Invitation => "INVITATION",
            Self::Token => "TOKEN",
            Self::Administrator => "ADMINISTRATOR",
            Self::Plan => "PLAN",
            Self::Request => "REQUEST",
            Self::Review => "REVIEW",
            Self::LegacyImport => "LEGACY_IMPORT",
            Self::NpiPermissionRemoved => "NPI_PERMISSION_REMOVED",
            Self::Policy => "POLICY",
            Self::Affiliation => "AFFILIATION",
            Self::Merge => "MERGE",
            Self::Expiry => "EXPIRY",
            Self::Deactivation => "DEACTIVATION",
            Self::OrganizationClosed => "ORGANIZATION_CLOSED",
            Self::NpiEnded => "NPI_ENDED",
            Self::ContractEnded => "CONTRACT_ENDED",
            Self::AffiliationEnded => "AFFILIATION_ENDED",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

impl From<PermissionCause> for Cause {
    fn from(cause: PermissionCause) -> Self {
        match cause {
            PermissionCause::Registration => Self::Registration,
            PermissionCause::Administrator => Self::Administrator,
            PermissionCause::Plan => Self::Plan,
            PermissionCause::Request => Self::Request,
            PermissionCause::Review => Self::Review,
            PermissionCause::LegacyImport => Self::LegacyImport,
            PermissionCause::Merge => Self::Merge,
            PermissionCause::NpiPermissionRemoved => Self::NpiPermissionRemoved,
        }
    }
}

impl From<GrantEnd> for Cause {
    fn from(end: GrantEnd) -> Self {
        match end {
            GrantEnd::Expired => Self::Expiry,
            GrantEnd::NpiDetached => Self::NpiEnded,
        }
    }
}

impl From<PermissionsEnd> for Cause {
    fn from(end: PermissionsEnd) -> Self {
        match end {
            PermissionsEnd::NotConfirmed => Self::Administrator,
            PermissionsEnd::InvitationEnded => Self::Invitation,
            PermissionsEnd::OrganizationClosed => Self::OrganizationClosed,
            PermissionsEnd::Moved => Self::Plan,
        }
    }
}

impl From<PlanRoleEnd> for Cause {
    fn from(end: PlanRoleEnd) -> Self {
        match end {
            PlanRoleEnd::Revoked | PlanRoleEnd::Tenant => Self::Plan,
            PlanRoleEnd::Review => Self::Review,
            PlanRoleEnd::Expired => Self::Expiry,
        }
    }
}

impl From<MembershipOrigin> for Cause {
    fn from(origin: MembershipOrigin) -> Self {
        match origin {
            MembershipOrigin::Registration => Self::Registration,
            MembershipOrigin::Token => Self::Token,
            MembershipOrigin::Invitation => Self::Invitation,
            MembershipOrigin::Plan => Self::Plan,
            MembershipOrigin::Import => Self::LegacyImport,
            MembershipOrigin::Merge => Self::Merge,
        }
    }
}
