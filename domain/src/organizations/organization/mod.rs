//! One organisation: what the plan has on file, its members, NPIs, email domains, locations and
//! tax ids.
//!
//! Invariant: the roster lives in one stream, so "the last active administrator" and "a domain in
//! use" are decided on facts, never on a read model that lags.

mod commands;
mod decide;
mod dormancy;
mod events;
mod merging;
mod places;
mod roster;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rpds::RedBlackTreeMapSync;

pub use commands::{Enrolment, OrganizationCommand, OrganizationRefusal, RosterCommand};
pub use dormancy::Dormancy;
pub use events::OrganizationEvent;
pub use merging::{MergeCommand, Merger, TakeMember};
pub use places::{Location, PlaceCommand};
pub use roster::{Member, NpiHolding, PlannedEnd, PlannedNpiEnd, Standing};

use super::{Contract, ContractStatus, OrgRole, OrganizationKinds, PostalAddress, TaxIdRef};
use crate::kernel::ids::{LocationId, OrganizationId, TaxIdId, UserId};
use crate::policies::Policy;
use crate::values::{EmailAddress, Npi, OrganizationName, Zip};
use crate::{Decider, Decision, Sealed};

/// What the plan has on file (GN-32).
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub organization: OrganizationId,
    pub name: OrganizationName,
    pub kinds: OrganizationKinds,
    pub tax_id: TaxIdRef,
    pub pay_to_address: Option<PostalAddress>,
    pub pay_to_zip: Option<Zip>,
    pub contact_email: Sealed<EmailAddress>,
    pub contract: Contract,
}

/// Where an organisation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    NotEnrolled,
    /// On file, not yet registered by its token.
    Enrolled,
    /// Open to its members.
    Registered,
    /// Stopped by the plan; a reopened one is again what it was.
    Suspended {
        registered: bool,
    },
    Closed,
}

/// An organisation with its roster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organization {
    phase: Phase,
    record: Option<Record>,
    members: RedBlackTreeMapSync<UserId, Member>,
    /// Who of them was assigned a permission for all of it: rosters are long, and these are few.
    with_role: BTreeSet<UserId>,
    npis: RedBlackTreeMapSync<Npi, NpiHolding>,
    domains: BTreeSet<String>,
    locations: RedBlackTreeMapSync<LocationId, Location>,
    /// Those linked beside the one of the enrolment.
    tax_ids: BTreeMap<TaxIdId, TaxIdRef>,
    /// Into which organisation it is being merged, or was.
    merger: Option<Merger>,
    /// The organisations that are being merged into this one.
    absorbing: BTreeSet<OrganizationId>,
    /// When somebody joined it first.
    peopled_since: Option<DateTime<Utc>>,
}

impl Organization {
    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether members may act for it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.phase == Phase::Registered
    }

    /// Whether it has a contract with the plan at `at`.
    #[must_use]
    pub fn is_contracted(&self, at: DateTime<Utc>) -> bool {
        self.record().is_some_and(|record| record.contract.at(at) == ContractStatus::Contracted)
    }

    /// Refuses an organisation that the portal does not serve at `at` for want of a contract
    /// (CC-01).
    ///
    /// # Errors
    /// `NOT_CONTRACTED`, with the page that says whom to ask.
    pub fn check_contract(
        &self,
        policy: &Policy,
        at: DateTime<Utc>,
    ) -> Result<(), OrganizationRefusal> {
        if !policy.contracted_only() || self.is_contracted(at) {
            return Ok(());
        }
        let contact_page = policy.contact_page().map(str::to_owned);
        Err(OrganizationRefusal::NotContracted { contact_page })
    }

    /// What the plan has on file, unless it is not enrolled.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// When its first member joined, which is when it was registered or opened by the plan; its
    /// periodic reviews are counted from then (CC-13).
    #[must_use]
    pub fn peopled_since(&self) -> Option<DateTime<Utc>> {
        self.peopled_since
    }

    /// The member, also an invited, deactivated or former one.
    #[must_use]
    pub fn member(&self, user: UserId) -> Option<&Member> {
        self.members.get(&user)
    }

    /// Everybody who is or was on the roster, by id.
    pub fn members(&self) -> impl Iterator<Item = (UserId, &Member)> {
        self.members.iter().map(|(user, member)| (*user, member))
    }

    /// Whether the person is an active member at `now`, whatever the organisation's phase.
    #[must_use]
    pub fn is_active_member(&self, user: UserId, now: DateTime<Utc>) -> bool {
        self.member(user).is_some_and(|member| member.is_active(now))
    }

    /// The organisation-wide permission of an active member; `None` for everybody else.
    #[must_use]
    pub fn role_of(&self, user: UserId, now: DateTime<Utc>) -> OrgRole {
        self.member(user).filter(|member| member.is_active(now)).map_or(OrgRole::None, |m| m.role)
    }

    /// The active administrators.
    pub fn active_admins(&self, now: DateTime<Utc>) -> impl Iterator<Item = UserId> {
        self.active_viewers(now).filter(move |user| self.role_of(*user, now) == OrgRole::Admin)
    }

    /// The active administrators and Processors: who sees what is the whole organisation's (MC-47).
    pub fn active_viewers(&self, now: DateTime<Utc>) -> impl Iterator<Item = UserId> {
        self.with_role.iter().copied().filter(move |user| self.is_active_member(*user, now))
    }

    /// When an active member who waits for a first permission is deactivated; whether one was given
    /// apart from roles, the membership's own stream knows (MC-32).
    #[must_use]
    pub fn unassigned_until(&self, user: UserId, policy: &Policy) -> Option<DateTime<Utc>> {
        let member = self.member(user).filter(|it| it.standing == Standing::Active)?;
        policy.unassigned_until(member.unassigned_since?)
    }

    /// Open, yet without an active administrator until the plan appoints one (GN-10).
    #[must_use]
    pub fn is_adminless(&self, now: DateTime<Utc>) -> bool {
        self.is_active() && self.active_admins(now).next().is_none()
    }

    /// Whether the organisation holds the NPI at `at` (GN-04).
    #[must_use]
    pub fn holds_npi(&self, npi: &Npi, at: DateTime<Utc>) -> bool {
        self.npis.get(npi).is_some_and(|holding| holding.holds(at))
    }

    /// The NPIs held at `at`.
    #[must_use]
    pub fn npis_at(&self, at: DateTime<Utc>) -> BTreeSet<Npi> {
        self.npis.iter().filter(|(_, held)| held.holds(at)).map(|(npi, _)| npi.clone()).collect()
    }

    /// The NPIs that are or ever were held.
    pub fn npis_ever(&self) -> impl Iterator<Item = &Npi> {
        self.npis.iter().map(|(npi, _)| npi)
    }

    /// What is known of an NPI that is or was held.
    #[must_use]
    pub fn npi(&self, npi: &Npi) -> Option<&NpiHolding> {
        self.npis.get(npi)
    }

    /// The email domains on the list (MC-14).
    #[must_use]
    pub fn domains(&self) -> &BTreeSet<String> {
        &self.domains
    }

    /// Active users with an address of this domain (MC-14).
    #[must_use]
    pub fn active_users_of(&self, domain: &str) -> Vec<UserId> {
        self.members()
            .filter(|(_, member)| {
                member.standing == Standing::Active && member.email_domain == domain
            })
            .map(|(user, _)| user)
            .collect()
    }

    fn change_member(&mut self, user: UserId, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(&user) {
            change(member);
            let role = member.role;
            self.note_role(user, role);
        }
    }

    fn put_member(&mut self, user: UserId, member: Member) {
        self.note_role(user, member.role);
        self.members.insert_mut(user, member);
    }

    fn note_role(&mut self, user: UserId, role: OrgRole) {
        match role {
            OrgRole::None => self.with_role.remove(&user),
            OrgRole::Admin | OrgRole::Processor => self.with_role.insert(user),
        };
    }

    fn change_record(&mut self, change: impl FnOnce(&mut Record)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }
}

impl Decider for Organization {
    const TYPE: &'static str = "organizations.organization";
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Refusal = OrganizationRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: OrganizationCommand,
    ) -> Result<Vec<OrganizationEvent>, OrganizationRefusal> {
        decide::decide(self, decision, command)
    }

    fn evolve(&mut self, event: &OrganizationEvent) {
        roster::evolve(self, event);
        places::evolve(self, event);
        merging::evolve(self, event);
    }
}
