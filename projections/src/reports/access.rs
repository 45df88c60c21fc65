//! Reports about what people held: access to an NPI, rights that exclude each other, affiliations.
//!
//! Invariant: a row is one span of time in which the rule gives the same answer.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    audit::{SodRight, SodScope, SodTerms},
    kernel::ids::{AffiliationId, OrganizationId, SodRuleId, UserId},
};

use super::{
    people::Ground,
    rights::{HeldSpan, Holding, RightKey, spans},
    row::{Row, key, moment},
};
use crate::access_register::{interval::Timeline, ledger::never};

impl Ground<'_> {
    /// What a person held about the NPI asked about.
    pub fn access_to_npi(&self, user: UserId) -> Vec<Row> {
        let Some(npi) = self.question.npi.as_ref().map(ToString::to_string) else {
            return Vec::new();
        };
        let held = spans(self.held, user, self.question.span(), Some(&npi));
        let covered =
            held.into_iter().filter(|span| self.question.covers(span.what.0.organization));
        covered.map(|span| row_of_right(user, span)).collect()
    }

    /// Where a person held two rights that a rule keeps apart.
    pub fn sod_conflicts(&self, user: UserId) -> Vec<Row> {
        let rules = self.facts.rules.iter();
        let rules: Vec<_> = rules
            .filter(|(rule, _)| self.question.rule.is_none_or(|asked| asked == rule.0))
            .collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let held = spans(self.held, user, self.question.span(), None);
        let mut rows = Vec::new();
        for (rule, terms) in rules {
            for (place, times) in self.conflicts(terms, &held) {
                let row = |time| row_of_conflict(user, (*rule, terms), &place, time);
                rows.extend(times.into_iter().map(row));
            }
        }
        rows
    }

    /// The places and times of a rule's conflicts, as far as one of the two rights that met is of the
    /// answer; those that touch are told as one.
    fn conflicts(
        &self,
        terms: &SodTerms,
        held: &[HeldSpan<(RightKey, Holding)>],
    ) -> BTreeMap<Place, Vec<Moments>> {
        let firsts = self.side(&terms.first, terms.scope, held);
        let mut seconds = self.side(&terms.second, terms.scope, held);
        let mut found: BTreeMap<Place, Vec<Moments>> = BTreeMap::new();
        for (common, first) in &firsts {
            let Some(second) = seconds.remove(common) else { continue };
            for ((one, covered), these) in first {
                for ((other, also), those) in &second {
                    if !covered && !also {
                        continue;
                    }
                    let organizations = one.iter().chain(other).copied().collect();
                    let place = Place { organizations, npi: common.npi.to_owned() };
                    found.entry(place).or_default().extend(both(these, those));
                }
            }
        }
        found.values_mut().for_each(merge);
        found.retain(|_, times| !times.is_empty());
        found
    }

    /// When one of a rule's rights was held, by what the other one has to have in common with it.
    fn side<'h>(
        &self,
        asked: &SodRight,
        scope: SodScope,
        held: &'h [HeldSpan<(RightKey, Holding)>],
    ) -> BTreeMap<Common<'h>, Side> {
        let mut side: BTreeMap<Common<'h>, Side> = BTreeMap::new();
        for HeldSpan { what: (right, _), from, to } in held {
            let Some(common) = common(scope, right).filter(|_| fits(asked, right)) else {
                continue;
            };
            let told = match scope {
                SodScope::SameNpi | SodScope::SameOrganization => right.organization,
                SodScope::Anywhere => None,
            };
            let of = (told, self.question.covers(right.organization));
            let times = side.entry(common).or_default().entry(of).or_default();
            times.push((*from, to.unwrap_or_else(never)));
        }
        side.values_mut().flat_map(BTreeMap::values_mut).for_each(merge);
        side
    }

    /// An affiliation that was in force.
    pub fn affiliation(&self, affiliation: AffiliationId) -> Option<Row> {
        let now = self.question.true_at;
        let mut in_force = self.held.of_holder(affiliation.0).filter_map(|timeline| {
            let Timeline::Affiliation(_, submitter) = timeline else { return None };
            Some((*submitter, self.held.at(timeline, now)?))
        });
        let (submitter, held) = in_force.next()?;
        let provider = OrganizationId(held.value.first()?.parse().ok()?);
        let sides = [submitter, provider];
        if !sides.iter().any(|side| self.question.covers(Some(*side))) {
            return None;
        }
        let people = self.held.of_holder(affiliation.0).filter_map(|timeline| {
            let Timeline::Submission(user, ..) = timeline else { return None };
            self.held.at(timeline, now).map(|_| *user)
        });
        let people: BTreeSet<UserId> = people.collect();
        let scope = self.facts.scopes.get(&affiliation);
        let npis = scope.and_then(|scope| scope.npis.clone());
        let types = scope.map(|scope| scope.transaction_types.clone()).unwrap_or_default();
        let row = Row::new(affiliation.to_string())
            .id("affiliationId", affiliation)
            .id("submitterId", submitter)
            .id("providerId", provider)
            .time("since", held.valid_from)
            .maybe_time("until", held.until())
            .with("allNpis", scope.is_some_and(|scope| scope.npis.is_none()))
            .with("npis", npis.unwrap_or_default().into_iter().collect::<Vec<_>>())
            .with("transactionTypes", types.into_iter().collect::<Vec<_>>())
            .number("people", i64::try_from(people.len()).unwrap_or(i64::MAX));
        Some(row)
    }
}

fn row_of_right(user: UserId, span: HeldSpan<(RightKey, Holding)>) -> Row {
    let HeldSpan { what: (right, holding), from, to } = span;
    let organization = right.organization.map(|id| id.to_string()).unwrap_or_default();
    let from_text = moment(from);
    let parts = [&user.to_string(), &organization, right.kind.as_str(), &right.of, &from_text];
    Row::new(key(&parts))
        .id("userId", user)
        .maybe_id("organizationId", right.organization)
        .with("right", right.kind.as_str())
        .with("of", Some(right.of.clone()).filter(|of| !of.is_empty()))
        .with("level", holding.level)
        .with("source", holding.source.as_str())
        .time("heldFrom", from)
        .maybe_time("heldTo", to)
}

/// Where two rights met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Of the two; one where both are in it.
    organizations: BTreeSet<OrganizationId>,
    npi: String,
}

fn fits(asked: &SodRight, right: &RightKey) -> bool {
    asked.kind == right.kind && asked.of.as_ref().is_none_or(|of| *of == right.of)
}

type Moments = (DateTime<Utc>, DateTime<Utc>);

/// What two rights have in common where a rule counts them as held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Common<'a> {
    organization: Option<OrganizationId>,
    /// Empty where it may be any.
    npi: &'a str,
}

/// When a right was held, by the organisation that is told and whether it is of the answer.
type Side = BTreeMap<(Option<OrganizationId>, bool), Vec<Moments>>;

fn common(scope: SodScope, right: &RightKey) -> Option<Common<'_>> {
    match scope {
        SodScope::SameNpi if right.npi.is_empty() => None,
        SodScope::SameNpi => Some(Common { organization: None, npi: &right.npi }),
        SodScope::SameOrganization => {
            let organization = Some(right.organization?);
            Some(Common { organization, npi: "" })
        }
        SodScope::Anywhere => Some(Common { organization: None, npi: "" }),
    }
}

/// When something of both was held.
fn both(these: &[Moments], those: &[Moments]) -> Vec<Moments> {
    let pairs = these.iter().flat_map(|this| those.iter().map(move |that| (this, that)));
    let together = pairs.map(|(this, that)| (this.0.max(that.0), this.1.min(that.1)));
    together.filter(|(from, to)| from < to).collect()
}

/// Makes one of those that touch, in the order of time.
fn merge(times: &mut Vec<Moments>) {
    times.sort_unstable();
    times.dedup_by(|(from, to), (_, end)| {
        let touches = *from <= *end;
        if touches {
            *end = (*end).max(*to);
        }
        touches
    });
}

fn row_of_conflict(
    user: UserId,
    (rule, terms): (SodRuleId, &SodTerms),
    place: &Place,
    (from, to): Moments,
) -> Row {
    let organizations: Vec<String> = place.organizations.iter().map(ToString::to_string).collect();
    let (rule_text, from_text) = (rule.to_string(), moment(from));
    let parts = [&user.to_string(), &rule_text, &organizations.join("+"), &place.npi, &from_text];
    let right = |right: &SodRight| match &right.of {
        Some(of) => format!("{}:{of}", right.kind.as_str()),
        None => right.kind.as_str().to_owned(),
    };
    let only = place.organizations.first().filter(|_| place.organizations.len() == 1);
    Row::new(key(&parts.map(String::as_str)))
        .id("ruleId", rule)
        .id("userId", user)
        .maybe_id("organizationId", only.copied())
        .with("npi", Some(place.npi.clone()).filter(|npi| !npi.is_empty()))
        .with("first", right(&terms.first))
        .with("second", right(&terms.second))
        .time("heldFrom", from)
        .maybe_time("heldTo", Some(to).filter(|to| *to < never()))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn times_that_touch_are_one_and_what_only_meets_at_an_end_is_not_together() {
        let at = |hour: u32| Utc.with_ymd_and_hms(2026, 1, 12, hour, 0, 0).unwrap();
        let mut times = vec![(at(5), at(6)), (at(1), at(4)), (at(2), at(3)), (at(4), at(5))];
        merge(&mut times);
        assert_eq!(times, [(at(1), at(6))]);
        let mut apart = vec![(at(7), at(9)), (at(1), at(2))];
        merge(&mut apart);
        assert_eq!(apart, [(at(1), at(2)), (at(7), at(9))]);
        assert_eq!(both(&times, &apart), [(at(1), at(2))]);
        assert!(both(&times, &[(at(6), at(8))]).is_empty());
    }
}
