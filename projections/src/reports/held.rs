//! The access register's intervals in memory, found by timeline, holder and person.
//!
//! Invariant: only what is held at one position of the log is here, whether it was read from the table
//! or folded from events; what follows from it is then the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, TenantId, UserId};
use uuid::Uuid;

use crate::access_register::{
    interval::{Interval, Timeline},
    ledger::{Ledger, never},
};

/// What is held.
pub(crate) struct Held {
    pub tenant: TenantId,
    rows: BTreeMap<Timeline, Vec<Interval>>,
    of_holders: HashMap<Uuid, BTreeSet<Timeline>>,
    of_people: BTreeMap<UserId, BTreeSet<Timeline>>,
    /// Who ever administered an organisation.
    administrators: BTreeMap<OrganizationId, BTreeSet<UserId>>,
}

impl Held {
    /// Sorts what a ledger holds.
    pub fn of(tenant: TenantId, ledger: Ledger) -> Self {
        let rows = ledger.into_held();
        let mut of_holders: HashMap<Uuid, BTreeSet<Timeline>> = HashMap::new();
        let mut of_people: BTreeMap<UserId, BTreeSet<Timeline>> = BTreeMap::new();
        let mut administrators: BTreeMap<OrganizationId, BTreeSet<UserId>> = BTreeMap::new();
        for (timeline, held) in &rows {
            if held.is_empty() {
                continue;
            }
            of_holders.entry(timeline.holder(tenant)).or_default().insert(timeline.clone());
            if let Timeline::OrgRole(user, organization) = timeline
                && held.iter().any(|row| row.value.first().is_some_and(|role| role == "ADMIN"))
            {
                administrators.entry(*organization).or_default().insert(*user);
            }
            if let Some(user) = timeline.user() {
                of_people.entry(user).or_default().insert(timeline.clone());
            }
        }
        Self { tenant, rows, of_holders, of_people, administrators }
    }

    /// What a timeline has at a moment.
    pub fn at(&self, timeline: &Timeline, moment: DateTime<Utc>) -> Option<&Interval> {
        self.rows.get(timeline)?.iter().find(|row| row.holds_at(moment))
    }

    /// All that a timeline ever had.
    pub fn all(&self, timeline: &Timeline) -> &[Interval] {
        self.rows.get(timeline).map_or(&[], Vec::as_slice)
    }

    /// Whoever ever administered an organisation.
    pub fn administrators(&self, organization: OrganizationId) -> impl Iterator<Item = UserId> {
        self.administrators.get(&organization).into_iter().flatten().copied()
    }

    /// Everybody, in order.
    pub fn people(&self) -> impl Iterator<Item = UserId> {
        self.of_people.keys().copied()
    }

    /// The timelines of a person.
    pub fn of_person(&self, user: UserId) -> impl Iterator<Item = &Timeline> {
        self.of_people.get(&user).into_iter().flatten()
    }

    /// The timelines of whatever holds them.
    pub fn of_holder(&self, holder: Uuid) -> impl Iterator<Item = &Timeline> {
        self.of_holders.get(&holder).into_iter().flatten()
    }

    pub fn timelines(&self) -> impl Iterator<Item = &Timeline> {
        self.rows.keys()
    }

    /// The organisations of which a person is a member at a moment, since when.
    pub fn memberships(
        &self,
        user: UserId,
        moment: DateTime<Utc>,
    ) -> impl Iterator<Item = (OrganizationId, &Interval)> {
        self.of_person(user).filter_map(move |timeline| match timeline {
            Timeline::MembershipActive(_, organization) => {
                Some((*organization, self.at(timeline, moment)?))
            }
            Timeline::OrgRole(..)
            | Timeline::NpiLevel(..)
            | Timeline::Correspondence(..)
            | Timeline::Entitlement(..)
            | Timeline::PlanRole(..)
            | Timeline::AccountActive(_)
            | Timeline::OrganizationActive(_)
            | Timeline::Contracted(_)
            | Timeline::NpiHeld(..)
            | Timeline::Affiliation(..)
            | Timeline::Submission(..)
            | Timeline::Location(..)
            | Timeline::TaxIdHeld(..)
            | Timeline::JobRole(_)
            | Timeline::Policy(_) => None,
        })
    }

    /// The roles of the plan that a person holds at a moment, each with the organisation it is for.
    pub fn plan_roles(
        &self,
        user: UserId,
        moment: DateTime<Utc>,
    ) -> Vec<(&'static str, Option<OrganizationId>, &Interval)> {
        let mut roles = Vec::new();
        for timeline in self.of_person(user) {
            if let Timeline::PlanRole(_, role, of) = timeline
                && let Some(held) = self.at(timeline, moment)
            {
                roles.push((*role, *of, held));
            }
        }
        roles
    }

    /// Whether an account works.
    pub fn has_account(&self, user: UserId, moment: DateTime<Utc>) -> bool {
        self.at(&Timeline::AccountActive(user), moment).is_some()
    }

    /// Whether an organisation is open.
    pub fn is_open(&self, organization: OrganizationId, moment: DateTime<Utc>) -> bool {
        self.at(&Timeline::OrganizationActive(organization), moment).is_some()
    }

    /// The role for a whole organisation.
    pub fn org_role(
        &self,
        user: UserId,
        organization: OrganizationId,
        moment: DateTime<Utc>,
    ) -> Option<(&str, &Interval)> {
        let held = self.at(&Timeline::OrgRole(user, organization), moment)?;
        Some((held.value.first()?.as_str(), held))
    }
}

impl Interval {
    /// Whether it holds at a moment.
    pub(crate) fn holds_at(&self, moment: DateTime<Utc>) -> bool {
        self.valid_from <= moment && moment < self.valid_to
    }

    /// Before when it holds; `None` where no end is known.
    pub(crate) fn until(&self) -> Option<DateTime<Utc>> {
        Some(self.valid_to).filter(|end| *end < never())
    }
}
