//! What happened to people's access since it was certified, told from the streams that decide.
//!
//! Invariant: whatever ended, gave or set something anew in between is told, though the access is now as it
//! was before; the one exception is what a review's own decision did at that moment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Reviewed, ReviewedAccess};
use crate::kernel::ids::{JobRoleId, UserId};
use crate::organizations::OrganizationEvent;
use crate::permissions::{
    Cause, Entitlement, EntitlementChange, JobRoleEvent, MembershipEvent, NpiLevel, NpiScope,
};
use crate::tenants::PlanStaffEvent;
use crate::{Event, Told};

/// The facts since about one organisation.
#[derive(Clone, Debug, Default)]
pub struct Since {
    roster: BTreeMap<UserId, Vec<Told<OrganizationEvent>>>,
    permissions: BTreeMap<UserId, Vec<Told<MembershipEvent>>>,
    job_roles: BTreeMap<JobRoleId, Vec<i64>>,
    plan_staff: BTreeMap<UserId, Vec<Told<PlanStaffEvent>>>,
}

impl Since {
    /// From the organisation, and from the permissions and job roles of its people.
    #[must_use]
    pub fn of(
        roster: Vec<Told<OrganizationEvent>>,
        permissions: BTreeMap<UserId, Vec<Told<MembershipEvent>>>,
        job_roles: Vec<Told<JobRoleEvent>>,
    ) -> Self {
        let mut since = Self { permissions, ..Self::default() };
        for told in roster {
            if let Some(user) = told.event.facets().subject {
                since.roster.entry(user).or_default().push(told);
            }
        }
        for told in job_roles {
            let (JobRoleEvent::JobRoleDefined { role, .. }
            | JobRoleEvent::JobRoleRetired { role, .. }) = told.event;
            since.job_roles.entry(role).or_default().push(told.position);
        }
        since
    }

    /// From the roles of the plan's own people.
    #[must_use]
    pub fn of_plan_staff(plan_staff: BTreeMap<UserId, Vec<Told<PlanStaffEvent>>>) -> Self {
        Self { plan_staff, ..Self::default() }
    }

    /// Whether anything happened to an access after a place, apart from what its own decision did at that
    /// moment.
    #[must_use]
    pub fn is_touched(&self, reviewed: &Reviewed, since: i64, decided_at: DateTime<Utc>) -> bool {
        let Reviewed { user, access } = reviewed;
        // What happened to an affiliation, or to the NPIs of its provider, is not followed.
        if matches!(access, ReviewedAccess::Submission { .. }) {
            return true;
        }
        // A key is as it was made as long as it works, whatever becomes of whom made it.
        if access.key().is_some() {
            return false;
        }
        let of_roster = self.roster.get(user).into_iter().flatten();
        let of_permissions = self.permissions.get(user).into_iter().flatten();
        let is_other = |touch: Touch, at: DateTime<Utc>| match touch {
            Touch::None => false,
            Touch::SetSoByReview => at != decided_at,
            Touch::Other => true,
        };
        let of_plan_staff = self.plan_staff.get(user).into_iter().flatten();
        let by_role = |role: &JobRoleId| self.job_roles.get(role).into_iter().flatten();
        of_roster
            .filter(|told| told.position > since)
            .any(|told| is_other(access.touched_by_roster(&told.event), told.occurred_at))
            || of_permissions
                .filter(|told| told.position > since)
                .any(|told| is_other(access.touched_by(&told.event), told.occurred_at))
            || of_plan_staff
                .filter(|told| told.position > since)
                .any(|told| is_other(access.touched_by_plan(&told.event), told.occurred_at))
            || access.job_role().is_some_and(|role| by_role(&role).any(|at| *at > since))
    }
}

/// What a fact has to do with an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touch {
    None,
    /// A review has it be as it is.
    SetSoByReview,
    Other,
}

impl Touch {
    fn set(is_so: bool, cause: Cause) -> Self {
        if is_so && cause == Cause::Review { Self::SetSoByReview } else { Self::Other }
    }
}

impl ReviewedAccess {
    /// The job role that it is; what it opens is another thing once the role is defined anew.
    #[must_use]
    pub const fn job_role(&self) -> Option<JobRoleId> {
        match self {
            Self::Grant { grant: Entitlement::JobRole(role), .. } => Some(*role),
            Self::Grant { .. }
            | Self::Membership { .. }
            | Self::Npi { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::ApiKey { .. }
            | Self::PlanRole { .. } => None,
        }
    }

    /// What a fact of the roster about the person has to do with it.
    fn touched_by_roster(&self, event: &OrganizationEvent) -> Touch {
        use OrganizationEvent as E;
        match event {
            E::OrgRoleAssigned { new, cause, .. } => {
                self.role().map_or(Touch::None, |role| Touch::set(role == *new, *cause))
            }
            // Whoever a review brings back is kept by the decision of that moment.
            E::UserReactivated { .. } if !self.is_right() => Touch::SetSoByReview,
            E::MembershipAdded { .. }
            | E::UserDeactivated { .. }
            | E::UserAutoDeactivated { .. }
            | E::UserReactivated { .. }
            | E::MemberMoved { .. } => Touch::Other,
            E::OrganizationEnrolled { .. }
            | E::EnrolmentUpdated { .. }
            | E::OrganizationContractStatusChanged { .. }
            | E::OrganizationKindsChanged { .. }
            | E::NpiAttached { .. }
            | E::NpiDetached { .. }
            | E::NpiEndPlanned { .. }
            | E::NpiEndCancelled { .. }
            | E::NpiMoveFailed { .. }
            | E::OrganizationRegistered { .. }
            | E::MemberInvited { .. }
            | E::MemberInvitationEnded { .. }
            | E::MembershipEndPlanned { .. }
            | E::MembershipEndCancelled { .. }
            | E::UserDeactivationWarned { .. }
            | E::PlanEvidenceRecorded { .. }
            | E::AdminRequestSubmitted { .. }
            | E::AdminRequestDeclined { .. }
            | E::MemberEmailDomainChanged { .. }
            | E::EmailDomainAdded { .. }
            | E::EmailDomainRemoved { .. }
            | E::LocationRegistered { .. }
            | E::LocationCredentialingChanged { .. }
            | E::LocationTerminated { .. }
            | E::TaxIdLinked { .. }
            | E::OrganizationSuspended { .. }
            | E::OrganizationReopened { .. }
            | E::OrganizationMergeBegun { .. }
            | E::OrganizationMergeAdvanced { .. }
            | E::OrganizationMerged { .. }
            | E::OrganizationAbsorptionBegun { .. }
            | E::OrganizationAbsorbed { .. }
            | E::OrganizationClosed { .. } => Touch::None,
        }
    }

    /// What a fact of the person's permissions has to do with it; with a membership, none has.
    fn touched_by(&self, event: &MembershipEvent) -> Touch {
        use MembershipEvent as E;
        match event {
            E::NpiPermissionSet { npi, old, new, until, cause, .. } => {
                let is_so = matches!(self, Self::Npi { level, until: end, .. }
                    if level == new && end == until);
                match self.by_level_for(npi) {
                    ByLevel::IsIt => Touch::set(is_so, *cause),
                    ByLevel::RestsOnIt if *old == NpiLevel::None || *new == NpiLevel::None => {
                        Touch::Other
                    }
                    ByLevel::RestsOnIt | ByLevel::No => Touch::None,
                }
            }
            E::NpiPermissionEnded { npi, .. } => match self.by_level_for(npi) {
                ByLevel::IsIt | ByLevel::RestsOnIt => Touch::Other,
                ByLevel::No => Touch::None,
            },
            E::CorrespondencePermissionSet { npi, added, removed, cause, .. } => {
                if self.is_one_of(npi, removed) {
                    return Touch::Other;
                }
                let is_added = self.is_one_of(npi, added);
                if is_added { Touch::set(true, *cause) } else { Touch::None }
            }
            E::FeatureGranted { .. }
            | E::FeatureRevoked { .. }
            | E::JobRoleAssigned { .. }
            | E::JobRoleUnassigned { .. }
            | E::LocationAccessGranted { .. }
            | E::LocationAccessRevoked { .. }
            | E::TaxIdAccessGranted { .. }
            | E::TaxIdAccessRevoked { .. }
            | E::GrantExpired { .. } => {
                event.entitlement().map_or(Touch::None, |change| self.touched_with(&change))
            }
            E::MembershipPermissionsEnded { .. } if self.is_right() => Touch::Other,
            E::MembershipPermissionsEnded { .. }
            | E::PermissionsAssigned { .. }
            | E::PermissionsDeferred { .. }
            | E::FormerPermissionsConfirmed { .. } => Touch::None,
        }
    }

    /// What a fact about the person's roles in the plan has to do with it. One that is given as it is listed, at
    /// the moment of the decision, is what that decision gave back.
    fn touched_by_plan(&self, event: &PlanStaffEvent) -> Touch {
        let Self::PlanRole { role: own, organizations: listed, until: end } = self else {
            return Touch::None;
        };
        match event {
            PlanStaffEvent::PlanRoleAssigned { role, until, organizations, .. } if role == own => {
                Touch::set(organizations == listed && until == end, Cause::Review)
            }
            PlanStaffEvent::PlanRoleScoped { role, .. }
            | PlanStaffEvent::PlanRoleEnded { role, .. }
                if role == own =>
            {
                Touch::Other
            }
            PlanStaffEvent::PlanRoleAssigned { .. }
            | PlanStaffEvent::PlanRoleScoped { .. }
            | PlanStaffEvent::PlanRoleEnded { .. }
            | PlanStaffEvent::PlanStaffInvited { .. } => Touch::None,
        }
    }

    fn touched_with(&self, change: &EntitlementChange) -> Touch {
        let Self::Grant { grant: own, until: end } = self else { return Touch::None };
        match change {
            EntitlementChange::Granted { grant, cause } if grant.entitlement == *own => {
                Touch::set(grant.until == *end, *cause)
            }
            EntitlementChange::Revoked { entitlement, .. }
            | EntitlementChange::Expired { entitlement, .. }
                if entitlement == own =>
            {
                Touch::Other
            }
            EntitlementChange::Granted { .. }
            | EntitlementChange::Revoked { .. }
            | EntitlementChange::Expired { .. } => Touch::None,
        }
    }

    /// Correspondence is read by a level for its NPI, the NPI's own or the one for all.
    fn by_level_for(&self, scope: &NpiScope) -> ByLevel {
        match self {
            Self::Npi { npi, .. } if npi == scope => ByLevel::IsIt,
            Self::Correspondence { npi, .. } if npi == scope || *scope == NpiScope::All => {
                ByLevel::RestsOnIt
            }
            Self::Npi { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::Membership { .. }
            | Self::Grant { .. }
            | Self::ApiKey { .. }
            | Self::PlanRole { .. } => ByLevel::No,
        }
    }
}

/// What a level is to an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByLevel {
    IsIt,
    RestsOnIt,
    No,
}

/// The job roles among these, whose definitions are looked up.
#[must_use]
pub fn job_roles_of<'a>(list: impl Iterator<Item = &'a Reviewed>) -> BTreeSet<JobRoleId> {
    list.filter_map(|reviewed| reviewed.access.job_role()).collect()
}
