//! The permissions of one person in one organisation: a level per NPI, correspondence types, and
//! features, job roles, locations and tax ids.
//!
//! Invariant: an entry for one NPI overrides the entry for all; correspondence is only for NPIs the
//! person is assigned, and goes when the NPI permission goes (GN-12).

mod commands;
mod decide;
mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rpds::RedBlackTreeMapSync;

pub use commands::{MembershipCommand, MembershipKey, MembershipRefusal, NpiChange};
pub use events::MembershipEvent;

use super::{
    CorrespondenceScope, Entitlement, EntitlementChange, EntitlementGrant, NpiLevel, NpiScope,
    WizardStep,
};
use crate::kernel::ids::JobRoleId;
use crate::values::{CorrespondenceType, Npi};
use crate::{Decider, Decision};

/// A level with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NpiGrant {
    pub level: NpiLevel,
    pub until: Option<DateTime<Utc>>,
}

impl NpiGrant {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// How far the administrator came with the wizard (MC-43, MC-44).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setup {
    #[default]
    NotStarted,
    Deferred,
    Assigned(BTreeSet<WizardStep>),
}

/// A membership's permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    levels: RedBlackTreeMapSync<NpiScope, NpiGrant>,
    correspondence: RedBlackTreeMapSync<NpiScope, BTreeSet<CorrespondenceScope>>,
    /// Features, job roles, locations and tax ids, each with its end.
    entitlements: RedBlackTreeMapSync<Entitlement, Option<DateTime<Utc>>>,
    setup: Setup,
    /// Somebody gave a permission, even if it has ended since.
    was_assigned: bool,
}

impl Membership {
    /// The level for an NPI at `now`: its own entry, else the one for all, else none.
    #[must_use]
    pub fn level(&self, npi: &Npi, now: DateTime<Utc>) -> NpiLevel {
        self.level_in(&NpiScope::One(npi.clone()), now)
    }

    /// The entry that decides the level for an NPI at `now`, and whether it is the NPI's own.
    #[must_use]
    pub fn deciding_entry(&self, npi: &Npi, now: DateTime<Utc>) -> Option<(NpiScope, NpiGrant)> {
        [NpiScope::One(npi.clone()), NpiScope::All].into_iter().find_map(|scope| {
            let grant = self.entry(&scope, now)?;
            Some((scope, grant))
        })
    }

    /// Whether the person reads this type for this NPI at `now`.
    #[must_use]
    pub fn reads(&self, npi: &Npi, kind: &CorrespondenceType, now: DateTime<Utc>) -> bool {
        let scope = NpiScope::One(npi.clone());
        let types = self.types_in(&scope);
        self.level_in(&scope, now) > NpiLevel::None
            && (types.contains(&CorrespondenceScope::All)
                || types.contains(&CorrespondenceScope::One(kind.clone())))
    }

    /// Whether the types set for exactly this NPI, or for all, contain these, and a level founds them.
    #[must_use]
    pub fn may_read(
        &self,
        npi: &NpiScope,
        types: &CorrespondenceScope,
        now: DateTime<Utc>,
    ) -> bool {
        self.correspondence.get(npi).is_some_and(|set| set.contains(types))
            && self.level_in(npi, now) > NpiLevel::None
    }

    /// The types set for an NPI: its own entry, else the one for all; without regard to the level.
    #[must_use]
    pub fn correspondence(&self, npi: &Npi) -> BTreeSet<CorrespondenceScope> {
        self.types_in(&NpiScope::One(npi.clone()))
    }

    /// Whether types were set for this NPI itself, which then override those for all.
    #[must_use]
    pub fn has_own_correspondence(&self, npi: &Npi) -> bool {
        self.correspondence.contains_key(&NpiScope::One(npi.clone()))
    }

    /// Every entry as set, `*` first, those run out included.
    pub fn entries(&self) -> impl Iterator<Item = (&NpiScope, &NpiGrant)> {
        self.levels.iter()
    }

    /// The correspondence types as set, `*` first; without regard to the level.
    pub fn correspondence_entries(
        &self,
    ) -> impl Iterator<Item = (&NpiScope, &BTreeSet<CorrespondenceScope>)> {
        self.correspondence.iter()
    }

    /// Whether a feature, job role, location or tax id was granted itself and is held at `now`.
    #[must_use]
    pub fn holds(&self, entitlement: &Entitlement, now: DateTime<Utc>) -> bool {
        self.grant_of(entitlement, now).is_some()
    }

    /// The grant by which it is held at `now`.
    #[must_use]
    pub fn grant_of(
        &self,
        entitlement: &Entitlement,
        now: DateTime<Utc>,
    ) -> Option<EntitlementGrant> {
        let until = *self.entitlements.get(entitlement)?;
        let entitlement = *entitlement;
        until.is_none_or(|end| now < end).then_some(EntitlementGrant { entitlement, until })
    }

    /// Everything granted beside NPIs, what has run out included.
    pub fn entitlements(&self) -> impl Iterator<Item = EntitlementGrant> {
        let grant = |(entitlement, until): (&Entitlement, &Option<DateTime<Utc>>)| {
            EntitlementGrant { entitlement: *entitlement, until: *until }
        };
        self.entitlements.iter().map(grant)
    }

    /// The job roles assigned at `now`, in the order of their ids.
    pub fn job_roles(&self, now: DateTime<Utc>) -> impl Iterator<Item = JobRoleId> {
        self.entitlements().filter_map(move |grant| match grant.entitlement {
            Entitlement::JobRole(role) if grant.until.is_none_or(|end| now < end) => Some(role),
            Entitlement::JobRole(_)
            | Entitlement::Feature(_)
            | Entitlement::Location(_)
            | Entitlement::TaxId(_) => None,
        })
    }

    /// How far the wizard came.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Whether a permission was given since the membership, or its last beginning anew (MC-32).
    #[must_use]
    pub fn was_assigned(&self) -> bool {
        self.was_assigned
    }

    /// Nothing is assigned: the member sees profile, notifications and content only (MC-44).
    #[must_use]
    pub fn is_unassigned(&self, now: DateTime<Utc>) -> bool {
        self.levels.iter().all(|(_, grant)| grant.level == NpiLevel::None || grant.is_over(now))
            && self.entitlements().all(|grant| !self.holds(&grant.entitlement, now))
    }

    /// Nothing was ever granted, or all of it was taken away.
    fn is_empty(&self) -> bool {
        self.levels.is_empty() && self.correspondence.is_empty() && self.entitlements.is_empty()
    }

    /// The entry for exactly this NPI, or for all, at `now`; one with no access is an entry too.
    #[must_use]
    pub fn entry(&self, scope: &NpiScope, now: DateTime<Utc>) -> Option<NpiGrant> {
        self.levels.get(scope).copied().filter(|grant| !grant.is_over(now))
    }

    /// The level for an NPI, or for all that have no entry of their own, at `now`.
    #[must_use]
    pub fn level_in(&self, scope: &NpiScope, now: DateTime<Utc>) -> NpiLevel {
        self.entry(scope, now)
            .or_else(|| self.entry(&NpiScope::All, now))
            .map_or(NpiLevel::None, |grant| grant.level)
    }

    fn types_in(&self, scope: &NpiScope) -> BTreeSet<CorrespondenceScope> {
        self.correspondence
            .get(scope)
            .or_else(|| self.correspondence.get(&NpiScope::All))
            .cloned()
            .unwrap_or_default()
    }
}

impl Decider for Membership {
    const TYPE: &'static str = "permissions.membership";
    type Command = MembershipCommand;
    type Event = MembershipEvent;
    type Refusal = MembershipRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: MembershipCommand,
    ) -> Result<Vec<MembershipEvent>, MembershipRefusal> {
        decide::decide(self, decision, command)
    }

    fn evolve(&mut self, event: &MembershipEvent) {
        self.was_assigned |= event.gives();
        match event {
            MembershipEvent::NpiPermissionSet { npi, new, until, .. } => {
                self.levels.insert_mut(npi.clone(), NpiGrant { level: *new, until: *until });
            }
            MembershipEvent::NpiPermissionEnded { npi, .. } => {
                self.levels.remove_mut(npi);
            }
            MembershipEvent::CorrespondencePermissionSet { npi, types, .. } => {
                self.correspondence.insert_mut(npi.clone(), types.clone());
            }
            MembershipEvent::FeatureGranted { .. }
            | MembershipEvent::FeatureRevoked { .. }
            | MembershipEvent::JobRoleAssigned { .. }
            | MembershipEvent::JobRoleUnassigned { .. }
            | MembershipEvent::LocationAccessGranted { .. }
            | MembershipEvent::LocationAccessRevoked { .. }
            | MembershipEvent::TaxIdAccessGranted { .. }
            | MembershipEvent::TaxIdAccessRevoked { .. }
            | MembershipEvent::GrantExpired { .. } => match event.entitlement() {
                Some(EntitlementChange::Granted { grant, .. }) => {
                    self.entitlements.insert_mut(grant.entitlement, grant.until);
                }
                Some(
                    EntitlementChange::Revoked { entitlement, .. }
                    | EntitlementChange::Expired { entitlement, .. },
                ) => {
                    self.entitlements.remove_mut(&entitlement);
                }
                None => {}
            },
            MembershipEvent::PermissionsAssigned { steps, .. } => {
                self.setup = Setup::Assigned(steps.clone());
            }
            MembershipEvent::PermissionsDeferred { .. } => self.setup = Setup::Deferred,
            MembershipEvent::FormerPermissionsConfirmed { .. } => {}
            MembershipEvent::MembershipPermissionsEnded { .. } => *self = Self::default(),
        }
    }
}
