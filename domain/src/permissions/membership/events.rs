//! What happens to the permissions of one person in one organisation.
//!
//! Invariant: every fact names person and organisation, and says all that holds after it, so that a
//! reader needs no arithmetic over earlier ones.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, UserId};
use crate::permissions::{
    Cause, CorrespondenceScope, GrantEnd, NpiLevel, NpiScope, PermissionsEnd, WizardStep,
};
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
            Self::NpiPermissionEnded { .. }
            | Self::PermissionsAssigned { .. }
            | Self::PermissionsDeferred { .. }
            | Self::FormerPermissionsConfirmed { .. }
            | Self::MembershipPermissionsEnded { .. } => false,
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
            Self::PermissionsAssigned { user, organization, .. }
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
