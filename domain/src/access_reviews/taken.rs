//! What a review took from somebody's permissions, told from their history: only that is given back.
//!
//! Invariant: the last fact about a right decides; whoever set something since, or by whatever else it
//! ended, is left alone.

use std::collections::{BTreeMap, BTreeSet};

use super::ReviewedAccess;
use crate::affiliations::AffiliationEvent;
use crate::kernel::ids::UserId;
use crate::permissions::{
    Cause, CorrespondenceScope, EntitlementChange, MembershipEvent, NpiLevel, NpiScope,
};
use crate::tenants::{PlanRoleEnd, PlanStaffEvent};

impl ReviewedAccess {
    /// Whether the last fact about this right in the permissions' history is that a review took it.
    #[must_use]
    pub fn was_taken_by_review(&self, history: &[MembershipEvent]) -> bool {
        history.iter().rev().find_map(|event| self.is_taken_by(event)).unwrap_or(false)
    }

    /// Whether the last fact about this NPI of somebody in the affiliation's history is that a review took
    /// it.
    #[must_use]
    pub fn was_taken_from(&self, person: UserId, history: &[AffiliationEvent]) -> bool {
        let Self::Submission { npi: of, .. } = self else { return false };
        let last = history.iter().rev().find_map(|event| {
            let AffiliationEvent::AffiliationNpisAssigned { user, added, removed, cause, .. } =
                event
            else {
                return None;
            };
            let is_about = *user == person && (added.contains(of) || removed.contains(of));
            is_about.then(|| removed.contains(of) && *cause == Some(Cause::Review))
        });
        last.unwrap_or(false)
    }

    /// Whether the last fact about this role in the history of the person's roles is that a review took it.
    #[must_use]
    pub fn was_ended_by_review(&self, history: &[PlanStaffEvent]) -> bool {
        let Some(own) = self.plan_role() else { return false };
        let last = history.iter().rev().find_map(|event| match event {
            PlanStaffEvent::PlanRoleEnded { role, cause, .. } if *role == own => {
                Some(*cause == PlanRoleEnd::Review)
            }
            PlanStaffEvent::PlanRoleAssigned { role, .. }
            | PlanStaffEvent::PlanRoleScoped { role, .. }
                if *role == own =>
            {
                Some(false)
            }
            PlanStaffEvent::PlanRoleEnded { .. }
            | PlanStaffEvent::PlanRoleAssigned { .. }
            | PlanStaffEvent::PlanRoleScoped { .. }
            | PlanStaffEvent::PlanStaffInvited { .. } => None,
        });
        last.unwrap_or(false)
    }

    /// Whether the last fact about this level is that a review lowered it to `level`.
    #[must_use]
    pub fn was_lowered_by_review(&self, level: NpiLevel, history: &[MembershipEvent]) -> bool {
        use MembershipEvent as E;
        let last = history.iter().rev().find(|event| {
            matches!(event, E::NpiPermissionSet { npi, .. } | E::NpiPermissionEnded { npi, .. }
                if self.is_level_of(npi))
        });
        matches!(last, Some(E::NpiPermissionSet { new, cause: Cause::Review, .. }) if *new == level)
    }

    /// Whether a fact about this right is that a review took it; nothing where it is about others.
    fn is_taken_by(&self, event: &MembershipEvent) -> Option<bool> {
        use MembershipEvent as E;
        match event {
            E::NpiPermissionSet { npi, new, cause, .. } => {
                self.is_level_of(npi).then_some(*new == NpiLevel::None && *cause == Cause::Review)
            }
            E::NpiPermissionEnded { npi, .. } => self.is_level_of(npi).then_some(false),
            E::CorrespondencePermissionSet { npi, added, removed, cause, .. } => {
                if self.is_one_of(npi, added) {
                    return Some(false);
                }
                self.is_one_of(npi, removed).then_some(*cause == Cause::Review)
            }
            E::FeatureGranted { .. }
            | E::FeatureRevoked { .. }
            | E::JobRoleAssigned { .. }
            | E::JobRoleUnassigned { .. }
            | E::LocationAccessGranted { .. }
            | E::LocationAccessRevoked { .. }
            | E::TaxIdAccessGranted { .. }
            | E::TaxIdAccessRevoked { .. }
            | E::GrantExpired { .. } => self.is_taken_with(&event.entitlement()?),
            E::MembershipPermissionsEnded { .. } => Some(false),
            E::PermissionsAssigned { .. }
            | E::PermissionsDeferred { .. }
            | E::FormerPermissionsConfirmed { .. } => None,
        }
    }

    fn is_taken_with(&self, change: &EntitlementChange) -> Option<bool> {
        let Self::Grant { grant, .. } = self else { return None };
        let (about, by_review) = match change {
            EntitlementChange::Granted { grant, .. } => (grant.entitlement, false),
            EntitlementChange::Revoked { entitlement, cause } => {
                (*entitlement, *cause == Cause::Review)
            }
            EntitlementChange::Expired { entitlement, .. } => (*entitlement, false),
        };
        (about == *grant).then_some(by_review)
    }

    fn is_level_of(&self, scope: &NpiScope) -> bool {
        matches!(self, Self::Npi { npi, .. } if npi == scope)
    }

    pub(super) fn is_one_of(&self, scope: &NpiScope, set: &BTreeSet<CorrespondenceScope>) -> bool {
        matches!(self, Self::Correspondence { npi, types } if npi == scope && set.contains(types))
    }

    /// The correspondence that went when the level on the list was taken last, where nothing was set in
    /// its place since: it comes back with the level.
    #[must_use]
    pub fn gone_with_it(
        &self,
        history: &[MembershipEvent],
    ) -> BTreeMap<NpiScope, BTreeSet<CorrespondenceScope>> {
        use MembershipEvent as E;
        let is_level = |event: &MembershipEvent| matches!(event, E::NpiPermissionSet { npi, .. } if self.is_level_of(npi));
        let Some(taken) = history.iter().rposition(is_level) else { return BTreeMap::new() };
        let mut since = history[taken + 1..].iter().peekable();
        let mut gone = BTreeMap::new();
        // They follow it in the same append, one for each scope.
        while let Some(E::CorrespondencePermissionSet { npi, removed, .. }) =
            since.next_if(|event| event.cause() == Some(Cause::NpiPermissionRemoved))
        {
            gone.insert(npi.clone(), removed.clone());
        }
        for event in since {
            if let E::CorrespondencePermissionSet { npi, .. } = event {
                gone.remove(npi);
            }
        }
        gone
    }
}
