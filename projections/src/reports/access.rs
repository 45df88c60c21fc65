//! Reports about what people held: access to an NPI, rights that exclude each other, affiliations.
//!
//! Invariant: a row is one span of time in which the rule gives the same answer.

use std::collections::BTreeSet;

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
            for (place, (from, to)) in conflicts(terms, &held) {
                let covered = match terms.scope {
                    SodScope::Anywhere => self.covers_any(terms, &held),
                    SodScope::SameNpi | SodScope::SameOrganization => place
                        .organizations
                        .iter()
                        .any(|organization| self.question.covers(Some(*organization))),
                };
                if covered {
                    rows.push(row_of_conflict(user, (*rule, terms), &place, (from, to)));
                }
            }
        }
        rows
    }

    fn covers_any(&self, terms: &SodTerms, held: &[HeldSpan<(RightKey, Holding)>]) -> bool {
        let concerned = held
            .iter()
            .filter(|span| fits(&terms.first, &span.what.0) || fits(&terms.second, &span.what.0));
        concerned.into_iter().any(|span| self.question.covers(span.what.0.organization))
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

/// The places and times of a rule's conflicts, those that touch told as one.
fn conflicts(terms: &SodTerms, held: &[HeldSpan<(RightKey, Holding)>]) -> Vec<(Place, Moments)> {
    let of = |asked: &SodRight| -> Vec<&HeldSpan<(RightKey, Holding)>> {
        held.iter().filter(|span| fits(asked, &span.what.0)).collect()
    };
    let (firsts, seconds) = (of(&terms.first), of(&terms.second));
    let mut found: Vec<(Place, Moments)> = Vec::new();
    for first in &firsts {
        for second in &seconds {
            let Some(place) = place(terms.scope, &first.what.0, &second.what.0) else { continue };
            let to = |span: &HeldSpan<_>| span.to.unwrap_or_else(never);
            let (from, to) = (first.from.max(second.from), to(first).min(to(second)));
            if from < to {
                found.push((place, (from, to)));
            }
        }
    }
    found.sort();
    let mut merged: Vec<(Place, Moments)> = Vec::new();
    for (place, (from, to)) in found {
        match merged.last_mut() {
            Some((last, (_, end))) if *last == place && from <= *end => *end = (*end).max(to),
            Some(_) | None => merged.push((place, (from, to))),
        }
    }
    merged
}

fn place(scope: SodScope, first: &RightKey, second: &RightKey) -> Option<Place> {
    let together = first.organization == second.organization;
    let organizations = || first.organization.into_iter().chain(second.organization).collect();
    match scope {
        SodScope::SameNpi if first.npi == second.npi && !first.npi.is_empty() => {
            Some(Place { organizations: organizations(), npi: first.npi.clone() })
        }
        SodScope::SameOrganization if together && first.organization.is_some() => {
            Some(Place { organizations: organizations(), npi: String::new() })
        }
        SodScope::Anywhere => Some(Place { organizations: BTreeSet::new(), npi: String::new() }),
        SodScope::SameNpi | SodScope::SameOrganization => None,
    }
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
