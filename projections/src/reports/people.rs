//! Reports about people: their accounts, who administers, who is not there any more.
//!
//! Invariant: a person's rows follow from what is held of them, of their organisations, and of those
//! organisations' administrators.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    audit::ReportQuestion,
    kernel::ids::{OrganizationId, UserId},
    permissions::right_use::RightKind,
    values::TenantZone,
};
use serde_json::{Value, json};

use super::{
    facts::{Facts, told_apart},
    held::Held,
    rights::{is_served, rights},
    row::{Row, key},
};
use crate::{
    access_register::interval::{Interval, Timeline},
    right_use::watched_since,
};

/// What a report about people is made of.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub held: &'a Held,
    pub facts: &'a Facts,
    pub question: &'a ReportQuestion,
}

/// How many rights of a kind are held, what of it where that is told apart, and since when the first.
type Kinds = BTreeMap<(RightKind, String), (i64, DateTime<Utc>)>;

/// A membership of somebody who can act.
struct Member<'a> {
    organization: OrganizationId,
    membership: &'a Interval,
}

impl<'a> Ground<'a> {
    fn now(&self) -> DateTime<Utc> {
        self.question.true_at
    }

    /// The organisations of the answer in which the person may act.
    fn active(&self, user: UserId) -> Vec<Member<'a>> {
        if !self.held.has_account(user, self.now()) {
            return Vec::new();
        }
        let members = self.held.memberships(user, self.now());
        members
            .filter(|(organization, _)| {
                self.question.covers(Some(*organization))
                    && self.held.is_open(*organization, self.now())
                    && is_served(self.held, *organization, self.now())
            })
            .map(|(organization, membership)| Member { organization, membership })
            .collect()
    }

    /// The person's roles of the plan, as far as they belong to the answer.
    fn plan_roles(
        &self,
        user: UserId,
    ) -> Vec<(&'static str, Option<OrganizationId>, &'a Interval)> {
        if !self.held.has_account(user, self.now()) {
            return Vec::new();
        }
        let mut roles = self.held.plan_roles(user, self.now());
        roles.retain(|(_, organization, _)| self.question.covers(*organization));
        roles
    }

    /// Every organisation in which an account could act, and the plan.
    pub fn active_accounts(&self, user: UserId) -> Vec<Row> {
        let mut rows = Vec::new();
        let signed_in = self.facts.sign_ins.get(&user).copied();
        let account = |organization: Option<OrganizationId>, since| {
            row_of(user, organization).time("since", since).maybe_time("lastSignIn", signed_in)
        };
        let (roles, members) = (self.plan_roles(user), self.active(user));
        if roles.is_empty() && members.is_empty() {
            return rows;
        }
        let mut kinds = self.kinds(user);
        let mut told = |of| self.told(user, of, kinds.remove(&of).unwrap_or_default());
        if let Some(since) = roles.iter().map(|(.., held)| held.valid_from).min() {
            let row = account(None, since).with("role", Value::Null);
            rows.push(row.with("rights", told(None)));
        }
        for Member { organization, membership } in members {
            let role = self.held.org_role(user, organization, self.now()).map(|(role, _)| role);
            let row = account(Some(organization), membership.valid_from).with("role", role);
            rows.push(row.with("rights", told(Some(organization))));
        }
        rows
    }

    /// The kinds of rights that the person holds in each organisation, and of the plan under none.
    fn kinds(&self, user: UserId) -> BTreeMap<Option<OrganizationId>, Kinds> {
        let mut places: BTreeMap<Option<OrganizationId>, Kinds> = BTreeMap::new();
        for (right, holding) in rights(self.held, user, self.now(), None) {
            let is_plans = right.kind == RightKind::PlanRole;
            if is_plans && !self.question.covers(right.organization) {
                continue;
            }
            let place = right.organization.filter(|_| !is_plans);
            let since = holding.span.from;
            let told = (right.kind, told_apart(right.kind, &right.of));
            let kinds = places.entry(place).or_default();
            let (many, earliest) = kinds.entry(told).or_insert((0, since));
            *many += 1;
            *earliest = (*earliest).min(since);
        }
        places
    }

    /// Kinds of rights, each with its last use.
    fn told(&self, user: UserId, of: Option<OrganizationId>, kinds: Kinds) -> Value {
        let kinds = kinds.into_iter().map(|((kind, what), (many, since))| {
            let used = self.facts.uses.get(&(user, of, kind, what.clone())).copied();
            let (state, on) = match used {
                Some(day) => ("USED_ON", Some(day)),
                None if kind.is_observable() => {
                    let zone = TenantZone::parse(&self.question.time_zone).ok();
                    let watched = self.watched_since(kind, since);
                    ("UNUSED_SINCE", zone.map(|zone| zone.local_date(watched)))
                }
                None => ("NOT_OBSERVABLE", None),
            };
            let what = Some(what).filter(|what| !what.is_empty());
            json!({ "right": kind.as_str(), "of": what, "held": many, "lastUse": state,
                    "on": on.map(|day| day.to_string()) })
        });
        kinds.collect()
    }

    /// Since when a use of a right held since `since` would have been noted.
    fn watched_since(&self, kind: RightKind, since: DateTime<Utc>) -> DateTime<Utc> {
        let noted = self.question.noted_since.get(kind.as_str()).copied();
        watched_since((self.facts.begins, noted), since)
    }

    /// Who administers organisations, and who holds a role of the plan.
    pub fn administrators(&self, user: UserId) -> Vec<Row> {
        let mut rows = Vec::new();
        for (role, organization, held) in self.plan_roles(user) {
            rows.push(self.role(user, organization, (role, held)));
        }
        for Member { organization, .. } in self.active(user) {
            let held = self.held.org_role(user, organization, self.now());
            if let Some(("ADMIN", held)) = held {
                rows.push(self.role(user, Some(organization), ("ADMIN", held)));
            }
        }
        rows
    }

    fn role(
        &self,
        user: UserId,
        organization: Option<OrganizationId>,
        (role, held): (&str, &Interval),
    ) -> Row {
        let position = held.cause_position;
        let actor = self.facts.actors.get(&position);
        let mut row = row_of(user, organization)
            .with("role", role)
            .time("since", held.valid_from)
            .maybe_time("until", held.until())
            .with("cause", held.cause.as_str())
            .number("position", position)
            .with("byKind", actor.map(|actor| actor.kind.as_str()))
            .maybe_id("byId", actor.and_then(|actor| actor.id));
        row.key = format!("{}|{role}", row.key);
        row
    }

    /// Who had not signed in for the days asked about.
    pub fn dormant(&self, user: UserId) -> Vec<Row> {
        let days = self.question.days.unwrap_or(ReportQuestion::DAYS);
        let signed_in = self.facts.sign_ins.get(&user).copied();
        let mut rows = Vec::new();
        for Member { organization, membership } in self.active(user) {
            let since = membership.valid_from;
            let quiet_since = signed_in.map_or(since, |at| at.max(since));
            let quiet = self.now() - quiet_since;
            if quiet >= TimeDelta::days(i64::from(days)) {
                rows.push(
                    row_of(user, Some(organization))
                        .time("since", since)
                        .maybe_time("lastSignIn", signed_in)
                        .time("quietSince", quiet_since)
                        .number("quietDays", quiet.num_days()),
                );
            }
        }
        rows
    }

    /// Accounts that nobody answers for.
    pub fn orphaned(&self, user: UserId) -> Vec<Row> {
        let Some(account) = self.held.at(&Timeline::AccountActive(user), self.now()) else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        let mut belongs = !self.held.plan_roles(user, self.now()).is_empty();
        for (organization, membership) in self.held.memberships(user, self.now()) {
            belongs = true;
            let reason = if !self.held.is_open(organization, self.now()) {
                "ORGANIZATION_NOT_ACTIVE"
            } else if !self.is_administered(organization) {
                "ORGANIZATION_WITHOUT_ADMINISTRATOR"
            } else {
                continue;
            };
            if self.question.covers(Some(organization)) {
                let row = row_of(user, Some(organization)).with("reason", reason);
                rows.push(row.time("since", membership.valid_from));
            }
        }
        if !belongs && self.question.covers(None) {
            let row = row_of(user, None).with("reason", "NO_MEMBERSHIP");
            rows.push(row.time("since", account.valid_from));
        }
        rows
    }

    fn is_administered(&self, organization: OrganizationId) -> bool {
        self.held.administrators(organization).any(|user| {
            let role = self.held.org_role(user, organization, self.now());
            let membership = Timeline::MembershipActive(user, organization);
            role.is_some_and(|(role, _)| role == "ADMIN")
                && self.held.at(&membership, self.now()).is_some()
                && self.held.has_account(user, self.now())
        })
    }

    /// Members whom nobody had given anything.
    pub fn never_assigned(&self, user: UserId) -> Vec<Row> {
        let mut rows = Vec::new();
        for Member { organization, membership } in self.active(user) {
            if !self.was_given_anything(user, organization) {
                let row = row_of(user, Some(organization));
                rows.push(row.time("since", membership.valid_from));
            }
        }
        rows
    }

    fn was_given_anything(&self, user: UserId, organization: OrganizationId) -> bool {
        let here = self.held.of_person(user).filter(|it| it.organization() == Some(organization));
        here.flat_map(|timeline| self.held.all(timeline).iter().map(move |row| (timeline, row)))
            .any(|(timeline, row)| row.valid_from <= self.now() && gives(timeline, row))
    }
}

/// Whether an interval is of something that somebody was given.
fn gives(timeline: &Timeline, row: &Interval) -> bool {
    match timeline {
        Timeline::NpiLevel(..) => row.value.first().is_some_and(|level| level != "NONE"),
        Timeline::Correspondence(..) => !row.value.is_empty(),
        Timeline::OrgRole(..) | Timeline::Entitlement(..) | Timeline::Submission(..) => true,
        Timeline::PlanRole(..)
        | Timeline::AccountActive(_)
        | Timeline::MembershipActive(..)
        | Timeline::OrganizationActive(_)
        | Timeline::Contracted(_)
        | Timeline::NpiHeld(..)
        | Timeline::Affiliation(..)
        | Timeline::Location(..)
        | Timeline::TaxIdHeld(..)
        | Timeline::JobRole(_)
        | Timeline::Policy(_) => false,
    }
}

fn row_of(user: UserId, organization: Option<OrganizationId>) -> Row {
    let of = organization.map(|id| id.to_string()).unwrap_or_default();
    let row = Row::new(key(&[&user.to_string(), &of]));
    row.id("userId", user).maybe_id("organizationId", organization)
}
