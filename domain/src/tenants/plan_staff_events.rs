//! What happens to the plan roles of a person. Invariant: each fact names the person and, but for an
//! invitation, one role.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::PlanRole;
use crate::kernel::ids::{InvitationId, OrganizationId, UserId};
use crate::values::Reason;
use crate::{Event, Facets, Sealed};

/// Why a plan role ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanRoleEnd {
    /// Somebody took it back.
    Revoked,
    /// A reviewer of access took it back, or the policy of reviews (GN-15).
    Review,
    /// Its time was over.
    Expired,
    /// The tenant was closed.
    Tenant,
}

/// What happened to a person's plan roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlanStaffEvent {
    /// A plan administrator (or an operator, for the first ones) invited a person into roles.
    PlanStaffInvited {
        user: UserId,
        invitation: InvitationId,
        roles: BTreeSet<PlanRole>,
        until: Option<DateTime<Utc>>,
        /// The organisations they count for; none for the whole plan.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        organizations: BTreeSet<OrganizationId>,
        reason: Option<Sealed<Reason>>,
    },
    /// The person holds a role from `from` and before `until`.
    PlanRoleAssigned {
        user: UserId,
        role: PlanRole,
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        /// The organisations it counts for; none for the whole plan.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        organizations: BTreeSet<OrganizationId>,
        reason: Option<Sealed<Reason>>,
    },
    /// From now on the role counts for other organisations than before.
    PlanRoleScoped {
        user: UserId,
        role: PlanRole,
        /// None for the whole plan, like `new`.
        old: BTreeSet<OrganizationId>,
        new: BTreeSet<OrganizationId>,
        /// Now, or when a role that is to come begins.
        effective_at: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        reason: Option<Sealed<Reason>>,
    },
    /// The person no longer holds a role.
    PlanRoleEnded {
        user: UserId,
        role: PlanRole,
        cause: PlanRoleEnd,
        effective_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
}

impl Event for PlanStaffEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PlanStaffInvited { .. } => "tenants.plan_staff.plan_staff_invited",
            Self::PlanRoleAssigned { .. } => "tenants.plan_staff.plan_role_assigned",
            Self::PlanRoleScoped { .. } => "tenants.plan_staff.plan_role_scoped",
            Self::PlanRoleEnded { .. } => "tenants.plan_staff.plan_role_ended",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::PlanStaffInvited { user, .. } => Facets::default().subject(*user),
            Self::PlanRoleAssigned { user, from, .. } => {
                Facets::default().subject(*user).effective_at(*from)
            }
            Self::PlanRoleScoped { user, effective_at, .. }
            | Self::PlanRoleEnded { user, effective_at, .. } => {
                Facets::default().subject(*user).effective_at(*effective_at)
            }
        }
    }
}
