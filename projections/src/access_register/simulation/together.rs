//! Two rights that one person held at the same time: what a rule of segregated duties would have
//! blocked.
//!
//! Invariant: rights in organisations conflict within one organisation; a role of the plan conflicts
//! wherever the other right is held.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::right_use::RightKind,
    policies::Feature,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{
        Question, Window,
        exposure::{candidates, some},
        ledger::never,
        rule::{AskedRight, Clock, Of, Records, Rule, Span, load},
    },
    InForce, Reach, Whose,
};
use crate::Snapshot;

/// Where a page goes on: the person, the organisation and the beginning of the last conflict told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConflictKey(pub Uuid, pub Uuid, pub DateTime<Utc>);

/// A time in which somebody held both.
#[derive(Clone, Debug)]
pub struct Conflict {
    pub key: ConflictKey,
    pub user: Uuid,
    /// Absent where both are roles of the whole plan.
    pub organization: Option<Uuid>,
    pub from: DateTime<Utc>,
    /// `None`: no end is known.
    pub until: Option<DateTime<Utc>>,
}

/// How many people are looked at for counts; of more the answer says that it is not complete.
pub const MOST_PEOPLE: usize = 20_000;
/// How many are looked at together.
const STEP: i64 = 256;

/// Whether those who hold a right are found by what gave it to them, however many others there are.
#[must_use]
pub fn is_found_by_grants(right: &AskedRight) -> bool {
    match right.of() {
        Of::Nothing => right.npi().is_some(),
        Of::Feature(feature) => *feature != Feature::UserManagement,
        Of::Correspondence(_)
        | Of::JobRole(_)
        | Of::Location(_)
        | Of::TaxId(_)
        | Of::PlanRole(_) => true,
    }
}

/// One page of conflicts in the order of people, `limit` at most.
///
/// # Errors
/// The database's.
pub async fn conflicts(
    view: &mut Snapshot,
    (one, other): (&AskedRight, &AskedRight),
    time: InForce,
    whose: &Whose,
    after: Option<&ConflictKey>,
    limit: usize,
) -> Result<Vec<Conflict>, sqlx::Error> {
    let mut found = Vec::new();
    let mut from = Some(after.map_or(Uuid::nil(), |key| key.0));
    while let Some(user) = from.filter(|_| found.len() < limit) {
        let (some, next) = step(view, (one, other), time, whose, user).await?;
        found.extend(some.conflicts.into_iter().filter(|it| after.is_none_or(|key| it.key > *key)));
        from = next;
    }
    found.truncate(limit);
    Ok(found)
}

/// How much the rule would have reached; `rights` are the times in which both were held.
///
/// # Errors
/// The database's.
pub async fn conflict_counts(
    view: &mut Snapshot,
    rights: (&AskedRight, &AskedRight),
    time: InForce,
    whose: &Whose,
) -> Result<Reach, sqlx::Error> {
    let (mut people, mut places) = (BTreeSet::new(), BTreeSet::new());
    let (mut conflicts, mut looked_at) = (0, 0);
    let mut from = Some(Uuid::nil());
    while let Some(user) = from.filter(|_| looked_at < MOST_PEOPLE) {
        let (some, next) = step(view, rights, time, whose, user).await?;
        looked_at += some.people;
        for conflict in some.conflicts {
            people.insert(conflict.user);
            places.extend(conflict.organization);
            conflicts += 1;
        }
        from = next;
    }
    let count = |set: &BTreeSet<Uuid>| i64::try_from(set.len()).unwrap_or(i64::MAX);
    Ok(Reach {
        people: count(&people),
        organizations: count(&places),
        rights: conflicts,
        complete: from.is_none(),
    })
}

/// What some people were found to be.
struct Found {
    conflicts: Vec<Conflict>,
    people: usize,
}

/// The conflicts of the next people from `user` on, and who comes after them.
async fn step(
    view: &mut Snapshot,
    (one, other): (&AskedRight, &AskedRight),
    time: InForce,
    whose: &Whose,
    user: Uuid,
) -> Result<(Found, Option<Uuid>), sqlx::Error> {
    // Those who held the right that is found by grants; of two the roles of the plan, which are few.
    let rank = |right: &AskedRight| (is_found_by_grants(right), is_of_plan(right));
    let (narrow, wide) = if rank(one) >= rank(other) { (one, other) } else { (other, one) };
    let question = Question {
        organization: whose.organization.filter(|_| !is_of_plan(narrow)),
        within: whose.within.clone().filter(|_| !is_of_plan(narrow)),
        ..Question::default()
    };
    let (from, to) = (Some(time.from), Some(time.to));
    let window = Window { from, to, known_at: time.known_at, now: time.now };
    let people = candidates(view, window, narrow, &question, (user, Uuid::nil()), STEP).await?;
    let next = people.last().filter(|_| people.len() as i64 >= STEP);
    let next = next.and_then(|(last, _)| Some(Uuid::from_u128(last.as_u128().checked_add(1)?)));
    let users: BTreeSet<Uuid> = people.iter().map(|(user, _)| *user).collect();
    let held = Held::read(view, &users, [narrow, wide], time, whose).await?;
    let conflicts = users.iter().flat_map(|user| held.conflicts(*user, time, whose)).collect();
    Ok((Found { conflicts, people: users.len() }, next))
}

fn is_of_plan(right: &AskedRight) -> bool {
    right.kind() == RightKind::PlanRole
}

/// When each person held each of two rights, by organisation; nil for the whole plan.
struct Held([BTreeMap<(Uuid, Uuid), Vec<Span>>; 2]);

impl Held {
    async fn read(
        view: &mut Snapshot,
        users: &BTreeSet<Uuid>,
        rights: [&AskedRight; 2],
        time: InForce,
        whose: &Whose,
    ) -> Result<Self, sqlx::Error> {
        let places: Vec<(Uuid, Option<Uuid>, String)> = sqlx::query_as(
            "SELECT DISTINCT i.user_id, i.organization_id, i.kind FROM read.access_intervals i
              WHERE i.tenant_id = $1 AND i.user_id = ANY ($2) AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE')
                AND i.known_from <= $3",
        )
        .bind(view.tenant().0)
        .bind(users.iter().copied().collect::<Vec<_>>())
        .bind(time.known_at)
        .fetch_all(view.connection())
        .await?;
        let mut held = [BTreeMap::new(), BTreeMap::new()];
        for (right, held) in rights.into_iter().zip(&mut held) {
            let of_kind = if is_of_plan(right) { "PLAN_ROLE" } else { "MEMBERSHIP_ACTIVE" };
            let places: Vec<_> = places
                .iter()
                .filter(|(_, of, kind)| {
                    kind == of_kind && (is_of_plan(right) || whose.includes(*of))
                })
                .map(|(user, of, _)| (*user, *of))
                .collect();
            let records: Records = load(view, right, &places, time.known_at).await?;
            let clock = Clock::Entitled { known_at: time.known_at };
            for (user, of) in places {
                let rule = Rule::of(right, UserId(user), of.map(OrganizationId), &records);
                held.insert((user, of.unwrap_or_default()), rule.spans(&records, clock));
            }
        }
        Ok(Self(held))
    }

    fn conflicts(&self, user: Uuid, time: InForce, whose: &Whose) -> Vec<Conflict> {
        let of_user = |held: &BTreeMap<(Uuid, Uuid), Vec<Span>>| -> Vec<(Uuid, Vec<Span>)> {
            let own = held.range((user, Uuid::nil())..=(user, Uuid::max()));
            own.map(|((_, of), spans)| (*of, spans.clone())).collect()
        };
        let [these, those] = [of_user(&self.0[0]), of_user(&self.0[1])];
        let mut conflicts = Vec::new();
        for (here, first) in &these {
            for (there, second) in &those {
                let of = if here.is_nil() { *there } else { *here };
                if !here.is_nil() && !there.is_nil() && here != there || !whose.includes(some(of)) {
                    continue;
                }
                for (from, until) in both(first, second) {
                    if until <= time.from || time.to <= from {
                        continue;
                    }
                    conflicts.push(Conflict {
                        key: ConflictKey(user, of, from),
                        user,
                        organization: some(of),
                        from,
                        until: Some(until).filter(|end| *end < never()),
                    });
                }
            }
        }
        conflicts.sort_by(|one, other| one.key.cmp(&other.key));
        conflicts.dedup_by(|one, other| one.key == other.key);
        conflicts
    }
}

impl Whose {
    fn includes(&self, organization: Option<Uuid>) -> bool {
        let is_within = |ids: &Vec<Uuid>| organization.is_some_and(|id| ids.contains(&id));
        self.organization.is_none_or(|only| organization == Some(only))
            && self.within.as_ref().is_none_or(is_within)
    }
}

/// The times in both.
fn both(these: &[Span], those: &[Span]) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut times = Vec::new();
    for this in these {
        for that in those {
            let (from, until) = (this.from.max(that.from), this.end().min(that.end()));
            if from < until {
                times.push((from, until));
            }
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn two_rights_conflict_while_both_are_held() {
        let at = |hour: u32| Utc.with_ymd_and_hms(2026, 1, 12, hour, 0, 0).unwrap();
        let span = |from: u32, until: Option<u32>| Span { from: at(from), until: until.map(at) };
        let these = [span(1, Some(3)), span(5, None)];
        let those = [span(2, Some(6)), span(8, Some(9))];
        let expected = [(at(2), at(3)), (at(5), at(6)), (at(8), at(9))];
        assert_eq!(both(&these, &those), expected);
        assert!(both(&these, &[span(3, Some(5))]).is_empty(), "one ends as the other begins");
    }
}
