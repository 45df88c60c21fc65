//! Effective rights: what a person may do in an organisation at a moment, and why (MC-40, MC-41,
//! MC-47, MC-49, GN-13).
//!
//! Invariant: this is the rule the access register must agree with. A right needs an active
//! account, an active membership, an open organisation (one with a contract where the portal serves
//! no other, CC-01) and, where an NPI is named, an organisation that holds it; the grants themselves
//! are never rewritten when one of these changes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Membership, NpiLevel, NpiScope};
use crate::kernel::ids::UserId;
use crate::organizations::{OrgRole, Organization};
use crate::policies::{ImpliedRight, NpiRole, Policy};
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
}

impl Right {
    /// The NPI the right is about.
    #[must_use]
    pub fn npi(&self) -> Option<&Npi> {
        match self {
            Self::ManageUsers | Self::ViewOrganization => None,
            Self::ViewNpi(npi) | Self::ManagePin(npi) | Self::ReadCorrespondence(npi, _) => {
                Some(npi)
            }
        }
    }
}

/// Why a person has a right (GN-13). Of several reasons the most specific one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A grant for exactly this NPI.
    Direct,
    /// A grant for all NPIs of the organisation.
    AllNpis,
    /// The organisation-wide role itself.
    Role(OrgRole),
    /// The tenant's policy gives it to every organisation administrator (C-07).
    ImpliedByAdmin,
}

/// All that decides about a person's rights.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub user: UserId,
    /// The person's account works; lockout does not count, it ends by itself.
    pub account_active: bool,
    pub organization: &'a Organization,
    pub membership: &'a Membership,
    pub policy: &'a Policy,
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
        self.add_role(&mut rights);
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
            && self.organization.is_active_member(self.user)
            && self.organization.check_contract(self.policy, self.now).is_ok()
    }

    fn admin_implies(&self, right: ImpliedRight) -> bool {
        self.organization.role_of(self.user) == OrgRole::Admin && self.policy.admin_implies(right)
    }

    fn add_role(&self, rights: &mut BTreeMap<Right, Source>) {
        let role = self.organization.role_of(self.user);
        if role >= OrgRole::Processor {
            rights.insert(Right::ViewOrganization, Source::Role(role));
        }
        if self.admin_implies(ImpliedRight::UserManagement) {
            rights.insert(Right::ManageUsers, Source::Role(role));
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

/// Whether a level lets its holder view and reset the NPI's PIN: the policy names who (C-03).
#[must_use]
pub fn manages_pin(level: NpiLevel, policy: &Policy) -> bool {
    let pins = policy.pins();
    let role = match level {
        NpiLevel::None => return false,
        NpiLevel::Processor => NpiRole::Processor,
        NpiLevel::Admin => NpiRole::Admin,
    };
    pins.enabled && pins.roles.contains(&role)
}

#[cfg(test)]
#[path = "effective_tests.rs"]
mod tests;
