//! What happens to the permissions of one person in one organisation.
//!
//! Invariant: every fact names person and organisation, and says all that holds after it, so that a
//! reader needs no arithmetic over earlier ones.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{JobRoleId, LocationId, OrganizationId, TaxIdId, UserId};
use crate::permissions::{
    Cause, CorrespondenceScope, Entitlement, EntitlementChange, EntitlementGrant, GrantEnd,
    NpiLevel, NpiScope, PermissionsEnd, WizardStep,
};
use crate::policies::Feature;
use crate::{Event, Facets};

/// A fact about a membership's permissions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MembershipEvent {
    /// The person's level for an NPI (or all) is `new` from now on, and before `until` (MC-39).
    NpiPermissionSet {
        user: UserId,
        organization: OrganizationId,
        npi: NpiScope,
        old: NpiLevel,
        new: NpiLevel,
        until: Option<DateTime<Utc>>,
        cause: Cause,
    },
    /// The entry for an NPI is gone since `effective_at`; what holds for all NPIs holds again.
    NpiPermissionEnded {
        user: UserId,
        organization: OrganizationId,
        npi: NpiScope,
        old: NpiLevel,
        cause: GrantEnd,
        effective_at: DateTime<Utc>,
    },
    /// The person reads exactly `types` for an NPI (or all) from now on (MC-45).
    CorrespondencePermissionSet {
        user: UserId,
        organization: OrganizationId,
        npi: NpiScope,
        added: BTreeSet<CorrespondenceScope>,
        removed: BTreeSet<CorrespondenceScope>,
        types: BTreeSet<CorrespondenceScope>,
        cause: Cause,
    },
    /// The person may use a feature from now on, and before `until` (CC-08).
    FeatureGranted {
        user: UserId,
        organization: OrganizationId,
        feature: Feature,
        until: Option<DateTime<Utc>>,
        cause: Cause,
    },
    /// A feature was taken back.
    FeatureRevoked { user: UserId, organization: OrganizationId, feature: Feature, cause: Cause },
    /// The person works in a job role from now on, and before `until` (CC-09).
    JobRoleAssigned {
        user: UserId,
        organization: OrganizationId,
        role: JobRoleId,
        until: Option<DateTime<Utc>>,
        cause: Cause,
    },
    /// A job role was taken back.
    JobRoleUnassigned { user: UserId, organization: OrganizationId, role: JobRoleId, cause: Cause },
    /// The person works for a location from now on, and before `until` (CX-12).
    LocationAccessGranted {
        user: UserId,
        organization: OrganizationId,
        location: LocationId,
        until: Option<DateTime<Utc>>,
        cause: Cause,
    },
    /// A location was taken back.
    LocationAccessRevoked {
        user: UserId,
        organization: OrganizationId,
        location: LocationId,
        cause: Cause,
    },
    /// The person reads what is filed under a tax id from now on, and before `until` (CC-02).
    TaxIdAccessGranted {
        user: UserId,
        organization: OrganizationId,
        tax_id: TaxIdId,
        until: Option<DateTime<Utc>>,
        cause: Cause,
    },
    /// A tax id was taken back.
    TaxIdAccessRevoked { user: UserId, organization: OrganizationId, tax_id: TaxIdId, cause: Cause },
    /// A feature, job role, location or tax id ended at `effective_at` by itself (GN-13).
    GrantExpired {
        user: UserId,
        organization: OrganizationId,
        grant: Entitlement,
        effective_at: DateTime<Utc>,
    },
    /// The administrator finished the wizard with these steps done (MC-43).
    PermissionsAssigned { user: UserId, organization: OrganizationId, steps: BTreeSet<WizardStep> },
    /// The administrator skipped the wizard for now (MC-44).
    PermissionsDeferred { user: UserId, organization: OrganizationId },
    /// An administrator read the permissions a returning member had and confirmed them (GN-12).
    FormerPermissionsConfirmed { user: UserId, organization: OrganizationId },
    /// All NPI and correspondence permissions ended.
    MembershipPermissionsEnded { user: UserId, organization: OrganizationId, cause: PermissionsEnd },
}

impl MembershipEvent {
    /// Whether the person has a permission by it that they may never have had.
    pub(super) fn gives(&self) -> bool {
        match self {
            Self::NpiPermissionSet { new, .. } => *new > NpiLevel::None,
            Self::CorrespondencePermissionSet { types, .. } => !types.is_empty(),
            Self::FeatureGranted { .. }
            | Self::JobRoleAssigned { .. }
            | Self::LocationAccessGranted { .. }
            | Self::TaxIdAccessGranted { .. } => true,
            Self::FeatureRevoked { .. }
            | Self::JobRoleUnassigned { .. }
            | Self::LocationAccessRevoked { .. }
            | Self::TaxIdAccessRevoked { .. }
            | Self::GrantExpired { .. }
            | Self::NpiPermissionEnded { .. }
            | Self::PermissionsAssigned { .. }
            | Self::PermissionsDeferred { .. }
            | Self::FormerPermissionsConfirmed { .. }
            | Self::MembershipPermissionsEnded { .. } => false,
        }
    }

    /// By what the permission came to be what it is; `None` where it only ended.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::NpiPermissionSet { cause, .. }
            | Self::CorrespondencePermissionSet { cause, .. }
            | Self::FeatureGranted { cause, .. }
            | Self::FeatureRevoked { cause, .. }
            | Self::JobRoleAssigned { cause, .. }
            | Self::JobRoleUnassigned { cause, .. }
            | Self::LocationAccessGranted { cause, .. }
            | Self::LocationAccessRevoked { cause, .. }
            | Self::TaxIdAccessGranted { cause, .. }
            | Self::TaxIdAccessRevoked { cause, .. } => Some(*cause),
            Self::GrantExpired { .. }
            | Self::NpiPermissionEnded { .. }
            | Self::PermissionsAssigned { .. }
            | Self::PermissionsDeferred { .. }
            | Self::FormerPermissionsConfirmed { .. }
            | Self::MembershipPermissionsEnded { .. } => None,
        }
    }

    /// The fact that a feature, job role, location or tax id is granted.
    #[must_use]
    pub fn granted(
        (user, organization): (UserId, OrganizationId),
        grant: EntitlementGrant,
        cause: Cause,
    ) -> Self {
        let EntitlementGrant { entitlement, until } = grant;
        match entitlement {
            Entitlement::Feature(feature) => {
                Self::FeatureGranted { user, organization, feature, until, cause }
            }
            Entitlement::JobRole(role) => {
                Self::JobRoleAssigned { user, organization, role, until, cause }
            }
            Entitlement::Location(location) => {
                Self::LocationAccessGranted { user, organization, location, until, cause }
            }
            Entitlement::TaxId(tax_id) => {
                Self::TaxIdAccessGranted { user, organization, tax_id, until, cause }
            }
        }
    }

    /// The fact that it is taken back.
    #[must_use]
    pub fn revoked(
        (user, organization): (UserId, OrganizationId),
        entitlement: Entitlement,
        cause: Cause,
    ) -> Self {
        match entitlement {
            Entitlement::Feature(feature) => {
                Self::FeatureRevoked { user, organization, feature, cause }
            }
            Entitlement::JobRole(role) => {
                Self::JobRoleUnassigned { user, organization, role, cause }
            }
            Entitlement::Location(location) => {
                Self::LocationAccessRevoked { user, organization, location, cause }
            }
            Entitlement::TaxId(tax_id) => {
                Self::TaxIdAccessRevoked { user, organization, tax_id, cause }
            }
        }
    }

    /// What the fact says about a feature, job role, location or tax id; `None` for all others.
    #[must_use]
    pub fn entitlement(&self) -> Option<EntitlementChange> {
        let granted = |entitlement, until: &Option<DateTime<Utc>>, cause: &Cause| {
            let grant = EntitlementGrant { entitlement, until: *until };
            Some(EntitlementChange::Granted { grant, cause: *cause })
        };
        let revoked = |entitlement, cause: &Cause| {
            Some(EntitlementChange::Revoked { entitlement, cause: *cause })
        };
        match self {
            Self::FeatureGranted { feature, until, cause, .. } => {
                granted(Entitlement::Feature(*feature), until, cause)
            }
            Self::JobRoleAssigned { role, until, cause, .. } => {
                granted(Entitlement::JobRole(*role), until, cause)
            }
            Self::LocationAccessGranted { location, until, cause, .. } => {
                granted(Entitlement::Location(*location), until, cause)
            }
            Self::TaxIdAccessGranted { tax_id, until, cause, .. } => {
                granted(Entitlement::TaxId(*tax_id), until, cause)
            }
            Self::FeatureRevoked { feature, cause, .. } => {
                revoked(Entitlement::Feature(*feature), cause)
            }
            Self::JobRoleUnassigned { role, cause, .. } => {
                revoked(Entitlement::JobRole(*role), cause)
            }
            Self::LocationAccessRevoked { location, cause, .. } => {
                revoked(Entitlement::Location(*location), cause)
            }
            Self::TaxIdAccessRevoked { tax_id, cause, .. } => {
                revoked(Entitlement::TaxId(*tax_id), cause)
            }
            Self::GrantExpired { grant, effective_at, .. } => Some(EntitlementChange::Expired {
                entitlement: *grant,
                effective_at: *effective_at,
            }),
            Self::NpiPermissionSet { .. }
            | Self::NpiPermissionEnded { .. }
            | Self::CorrespondencePermissionSet { .. }
            | Self::PermissionsAssigned { .. }
            | Self::PermissionsDeferred { .. }
            | Self::FormerPermissionsConfirmed { .. }
            | Self::MembershipPermissionsEnded { .. } => None,
        }
    }
}

impl Event for MembershipEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::NpiPermissionSet { .. } => "permissions.membership.npi_permission_set",
            Self::NpiPermissionEnded { .. } => "permissions.membership.npi_permission_ended",
            Self::CorrespondencePermissionSet { .. } => {
                "permissions.membership.correspondence_permission_set"
            }
            Self::FeatureGranted { .. } => "permissions.membership.feature_granted",
            Self::FeatureRevoked { .. } => "permissions.membership.feature_revoked",
            Self::JobRoleAssigned { .. } => "permissions.membership.job_role_assigned",
            Self::JobRoleUnassigned { .. } => "permissions.membership.job_role_unassigned",
            Self::LocationAccessGranted { .. } => "permissions.membership.location_access_granted",
            Self::LocationAccessRevoked { .. } => "permissions.membership.location_access_revoked",
            Self::TaxIdAccessGranted { .. } => "permissions.membership.tax_id_access_granted",
            Self::TaxIdAccessRevoked { .. } => "permissions.membership.tax_id_access_revoked",
            Self::GrantExpired { .. } => "permissions.membership.grant_expired",
            Self::PermissionsAssigned { .. } => "permissions.membership.permissions_assigned",
            Self::PermissionsDeferred { .. } => "permissions.membership.permissions_deferred",
            Self::FormerPermissionsConfirmed { .. } => {
                "permissions.membership.former_permissions_confirmed"
            }
            Self::MembershipPermissionsEnded { .. } => {
                "permissions.membership.membership_permissions_ended"
            }
        }
    }

    fn facets(&self) -> Facets {
        let (user, organization, npi, effective_at) = match self {
            Self::NpiPermissionSet { user, organization, npi, .. }
            | Self::CorrespondencePermissionSet { user, organization, npi, .. } => {
                (user, organization, npi.npi(), None)
            }
            Self::NpiPermissionEnded { user, organization, npi, effective_at, .. } => {
                (user, organization, npi.npi(), Some(*effective_at))
            }
            Self::GrantExpired { user, organization, effective_at, .. } => {
                (user, organization, None, Some(*effective_at))
            }
            Self::FeatureGranted { user, organization, .. }
            | Self::FeatureRevoked { user, organization, .. }
            | Self::JobRoleAssigned { user, organization, .. }
            | Self::JobRoleUnassigned { user, organization, .. }
            | Self::LocationAccessGranted { user, organization, .. }
            | Self::LocationAccessRevoked { user, organization, .. }
            | Self::TaxIdAccessGranted { user, organization, .. }
            | Self::TaxIdAccessRevoked { user, organization, .. }
            | Self::PermissionsAssigned { user, organization, .. }
            | Self::PermissionsDeferred { user, organization }
            | Self::FormerPermissionsConfirmed { user, organization }
            | Self::MembershipPermissionsEnded { user, organization, .. } => {
                (user, organization, None, None)
            }
        };
        Facets {
            subject: Some(*user),
            organization: Some(*organization),
            npi: npi.map(ToString::to_string),
            effective_at,
        }
    }
}
