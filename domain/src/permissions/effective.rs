//! Effective rights: what a person may do in an organisation at a moment, and why (MC-40, MC-41,
//! MC-47, MC-49, GN-13).
//!
//! Invariant: this is the rule the access register must agree with. A right needs an active
//! account, an active membership, an open organisation (one with a contract where the portal serves
//! no other, CC-01) and, where an NPI is named, an organisation that holds it; the grants themselves
//! are never rewritten when one of these changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Entitlement, JobRole, Membership, NpiLevel, NpiScope};
use crate::kernel::ids::{JobRoleId, LocationId, TaxIdId, UserId};
use crate::organizations::{OrgRole, Organization};
use crate::policies::{Feature, ImpliedRight, LocationMode, NpiRole, Policy};
use crate::values::{CorrespondenceType, Npi};

/// Something a person may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Add, remove and modify users (MC-47).
    ManageUsers,
    /// See organisation-wide notifications and lists (MC-47).
    ViewOrganization,
    /// See the NPI and get its notifications (MC-41, MC-49).
    ViewNpi(Npi),
    /// View and reset the NPI's PIN (MC-40).
    ManagePin(Npi),
    /// Search, read and export correspondence of a type (MC-41, MC-45).
    ReadCorrespondence(Npi, CorrespondenceType),
    /// Use a feature that people are granted one by one (CC-08).
    UseFeature(Feature),
    /// Work in a job role, with the features it bundles (CC-09).
    HoldJobRole(JobRoleId),
    /// See a location and search the status of its claims (CX-03, CX-12).
    ViewLocation(LocationId),
    /// Choose a location for new referrals and authorizations (CX-02, CX-03).
    ChooseLocation(LocationId),
    /// Read what is filed under a tax id (CC-02).
    ReadTaxId(TaxIdId),
}

impl Right {
    /// The NPI the right is about.
    #[must_use]
    pub fn npi(&self) -> Option<&Npi> {
        match self {
            Self::ManageUsers
            | Self::ViewOrganization
            | Self::UseFeature(_)
            | Self::HoldJobRole(_)
            | Self::ViewLocation(_)
            | Self::ChooseLocation(_)
            | Self::ReadTaxId(_) => None,
            Self::ViewNpi(npi) | Self::ManagePin(npi) | Self::ReadCorrespondence(npi, _) => {
                Some(npi)
            }
        }
    }
}

/// Why a person has a right (GN-13). Of several reasons the most specific one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A grant of exactly this.
    Direct,
    /// A grant for all NPIs of the organisation.
    AllNpis,
    /// The organisation-wide role itself.
    Role(OrgRole),
    /// A job role that bundles it (CC-09).
    JobRole(JobRoleId),
    /// The tenant's policy gives it to every organisation administrator (C-07).
    ImpliedByAdmin,
}

/// The job roles that a person is assigned.
pub type JobRoles = BTreeMap<JobRoleId, Arc<JobRole>>;

/// For questions that no job role bears on.
pub static NO_JOB_ROLES: JobRoles = BTreeMap::new();

/// All that decides about a person's rights.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub user: UserId,
    /// The person's account works; lockout does not count, it ends by itself.
    pub account_active: bool,
    pub organization: &'a Organization,
    pub membership: &'a Membership,
    pub policy: &'a Policy,
    pub job_roles: &'a JobRoles,
    /// The correspondence types the tenant knows.
    pub types: &'a [CorrespondenceType],
    pub now: DateTime<Utc>,
}

impl Situation<'_> {
    /// Every right in force, each with its reason.
    #[must_use]
    pub fn rights(&self) -> BTreeMap<Right, Source> {
        let mut rights = BTreeMap::new();
        if !self.may_act() {
            return rights;
        }
        self.add_features(&mut rights);
        self.add_role(&mut rights);
        self.add_locations(&mut rights);
        self.add_tax_ids(&mut rights);
        for npi in self.organization.npis_at(self.now) {
            self.add_npi(&npi, &mut rights);
        }
        rights
    }

    /// Why the person has this right; `None` if they do not.
    #[must_use]
    pub fn source_of(&self, right: &Right) -> Option<Source> {
        self.rights().remove(right)
    }

    /// The level that counts for an NPI, and why.
    #[must_use]
    pub fn level(&self, npi: &Npi) -> (NpiLevel, Source) {
        if !self.may_act() || !self.organization.holds_npi(npi, self.now) {
            return (NpiLevel::None, Source::Direct);
        }
        let granted = self.membership.deciding_entry(npi, self.now);
        let (level, source) = match granted {
            Some((NpiScope::One(_), grant)) => (grant.level, Source::Direct),
            Some((NpiScope::All, grant)) => (grant.level, Source::AllNpis),
            None => (NpiLevel::None, Source::Direct),
        };
        if level < NpiLevel::Admin && self.admin_implies(ImpliedRight::AllNpis) {
            return (NpiLevel::Admin, Source::ImpliedByAdmin);
        }
        (level, source)
    }

    fn may_act(&self) -> bool {
        self.account_active
            && self.organization.is_active()
            && self.organization.is_active_member(self.user, self.now)
            && self.organization.check_contract(self.policy, self.now).is_ok()
    }

    fn admin_implies(&self, right: ImpliedRight) -> bool {
        self.organization.role_of(self.user, self.now) == OrgRole::Admin
            && self.policy.admin_implies(right)
    }

    fn add_role(&self, rights: &mut BTreeMap<Right, Source>) {
        let role = self.organization.role_of(self.user, self.now);
        if role >= OrgRole::Processor {
            rights.insert(Right::ViewOrganization, Source::Role(role));
        }
        if self.admin_implies(ImpliedRight::UserManagement) {
            rights.insert(Right::ManageUsers, Source::Role(role));
        } else if let Some(source) = rights.get(&Right::UseFeature(Feature::UserManagement)) {
            rights.insert(Right::ManageUsers, *source);
        }
    }

    /// Whether the person may use a feature: where the portal grants features one by one, only with
    /// a grant, a job role or by being an administrator (CC-08 to CC-10); elsewhere everybody may
    /// who acts for the organisation.
    #[must_use]
    pub fn may_use(&self, feature: Feature) -> bool {
        if !self.may_act() || !self.policy.is_on(feature) {
            return false;
        }
        !feature.is_granted()
            || !self.policy.feature_grants_enabled()
            || self.feature_source(feature).is_some()
    }

    fn add_features(&self, rights: &mut BTreeMap<Right, Source>) {
        if !self.policy.feature_grants_enabled() {
            return;
        }
        for feature in Feature::ALL.iter().filter(|feature| feature.is_granted()) {
            let source = self.feature_source(*feature).filter(|_| self.policy.is_on(*feature));
            if let Some(source) = source {
                rights.insert(Right::UseFeature(*feature), source);
            }
        }
        for role in self.held_job_roles() {
            rights.insert(Right::HoldJobRole(role), Source::Direct);
        }
    }

    fn feature_source(&self, feature: Feature) -> Option<Source> {
        if self.membership.holds(&Entitlement::Feature(feature), self.now) {
            return Some(Source::Direct);
        }
        let bundles = |role: &JobRoleId| {
            let bundle = self.job_roles.get(role).and_then(|role| role.bundle());
            bundle.is_some_and(|bundle| bundle.features.contains(&feature))
        };
        if let Some(role) = self.held_job_roles().find(bundles) {
            return Some(Source::JobRole(role));
        }
        (feature.is_user_management() && self.admin_implies(ImpliedRight::UserManagement))
            .then_some(Source::ImpliedByAdmin)
    }

    /// The job roles assigned that still exist, where the portal has job roles.
    fn held_job_roles(&self) -> impl Iterator<Item = JobRoleId> {
        let assigned = self.membership.job_roles(self.now);
        let enabled = self.policy.job_roles_enabled() && self.policy.feature_grants_enabled();
        assigned.filter(move |role| {
            let exists = |role: &Arc<JobRole>| role.bundle().is_some();
            enabled && self.job_roles.get(role).is_some_and(exists)
        })
    }

    fn add_locations(&self, rights: &mut BTreeMap<Right, Source>) {
        if self.policy.locations() == LocationMode::Off {
            return;
        }
        let implied = self.admin_implies(ImpliedRight::Locations);
        for (id, location) in self.organization.locations() {
            let granted = self.membership.holds(&Entitlement::Location(id), self.now);
            let source = match (granted, implied) {
                (true, _) => Source::Direct,
                (false, true) => Source::ImpliedByAdmin,
                (false, false) => continue,
            };
            let terminated = location.is_terminated(self.now);
            if location.credentialed || terminated {
                rights.insert(Right::ViewLocation(id), source);
            }
            if location.credentialed && !terminated {
                rights.insert(Right::ChooseLocation(id), source);
            }
        }
    }

    fn add_tax_ids(&self, rights: &mut BTreeMap<Right, Source>) {
        for id in self.organization.tax_ids().into_keys() {
            if self.membership.holds(&Entitlement::TaxId(id), self.now) {
                rights.insert(Right::ReadTaxId(id), Source::Direct);
            }
        }
    }

    fn add_npi(&self, npi: &Npi, rights: &mut BTreeMap<Right, Source>) {
        let (level, source) = self.level(npi);
        if level == NpiLevel::None {
            return;
        }
        rights.insert(Right::ViewNpi(npi.clone()), source);
        if manages_pin(level, self.policy) {
            rights.insert(Right::ManagePin(npi.clone()), source);
        }
        if !self.policy.is_on(Feature::Correspondence) {
            return;
        }
        for kind in self.types {
            let Some(source) = self.correspondence(npi, kind) else { continue };
            rights.insert(Right::ReadCorrespondence(npi.clone(), kind.clone()), source);
        }
    }

    fn correspondence(&self, npi: &Npi, kind: &CorrespondenceType) -> Option<Source> {
        if self.membership.reads(npi, kind, self.now) {
            let own = self.membership.has_own_correspondence(npi);
            return Some(if own { Source::Direct } else { Source::AllNpis });
        }
        self.admin_implies(ImpliedRight::AllCorrespondence).then_some(Source::ImpliedByAdmin)
    }
}

/// Whether a level lets its holder view and reset the NPI's PIN: the policy names who (C-03), while
/// the portal has PINs on (MC-01).
#[must_use]
pub fn manages_pin(level: NpiLevel, policy: &Policy) -> bool {
    let pins = policy.pins();
    let role = match level {
        NpiLevel::None => return false,
        NpiLevel::Processor => NpiRole::Processor,
        NpiLevel::Admin => NpiRole::Admin,
    };
    policy.is_on(Feature::Pins) && pins.roles.contains(&role)
}

#[cfg(test)]
#[path = "effective_tests.rs"]
mod tests;
