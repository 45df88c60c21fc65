//! From when to when somebody held a right, and who held it (GN-14): entitled, as is known, and
//! enforced, as was known and acted on then.
//!
//! Invariant: a gap between the two is told to the moment, and counted on either side.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Cause, Question,
    rule::{AskedRight, Clock, Happened, Records, Rule, Span, load},
};
use crate::Snapshot;

/// Which times of which position.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Only what was so at any moment from here on; of all time without it.
    pub from: Option<DateTime<Utc>>,
    /// Only what was so at any moment before.
    pub to: Option<DateTime<Utc>>,
    pub known_at: i64,
    /// Up to when anything was enforced yet: now, or when the position was recorded.
    pub now: DateTime<Utc>,
}

/// Where a page goes on: person, organisation, and the beginning of the last exposure told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureKey(pub Uuid, pub Uuid, pub DateTime<Utc>);

/// A time in which something was so; without an end where none is known.
pub type Times = Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>;

/// A time in which a person was entitled to a right, or it was enforced, without a break between.
#[derive(Clone, Debug)]
pub struct Exposure {
    pub key: ExposureKey,
    pub user: Uuid,
    pub organization: Option<Uuid>,
    pub entitled: Times,
    /// Up to the window's `now`; without an end where it goes on then.
    pub enforced: Times,
    /// How long it was enforced without being true, and true without being enforced; up to now.
    pub enforced_only: TimeDelta,
    pub entitled_only: TimeDelta,
    /// What began and what ended it: tenant position and cause.
    pub began: Option<(i64, Cause)>,
    pub ended: Option<(i64, Cause)>,
}

/// How many people are looked at together, at first and at most.
const STEP: (i64, i64) = (64, 512);

/// One page of exposures in the order of person, organisation and time, `limit` at most.
///
/// # Errors
/// The database's.
pub async fn exposures(
    view: &mut Snapshot,
    window: Window,
    right: &AskedRight,
    question: &Question,
    after: Option<&ExposureKey>,
    limit: usize,
) -> Result<Vec<Exposure>, sqlx::Error> {
    let mut found: Vec<Exposure> = Vec::new();
    let mut from = after.map_or((Uuid::nil(), Uuid::nil()), |key| (key.0, key.1));
    let (mut step, most) = STEP;
    loop {
        let people = candidates(view, window, right, question, from, step).await?;
        let places: Vec<_> = people.iter().map(|(user, of)| (*user, some(*of))).collect();
        let records = load(view, right, &places, window.known_at).await?;
        for (user, organization) in &places {
            let rule = Rule::of(right, UserId(*user), organization.map(OrganizationId), &records);
            let all = of_person(&rule, &records, window, (*user, *organization));
            let is_told = |exposure: &Exposure| {
                after.is_some_and(|key| {
                    (key.0, key.1) == (exposure.key.0, exposure.key.1) && exposure.key.2 <= key.2
                })
            };
            found.extend(all.into_iter().filter(|exposure| !is_told(exposure)));
        }
        let Some((user, organization)) = people.last().copied() else { break };
        if found.len() >= limit || (people.len() as i64) < step {
            break;
        }
        from = next((user, organization));
        step = most.min(2 * step);
    }
    found.truncate(limit);
    Ok(found)
}

pub(super) fn some(id: Uuid) -> Option<Uuid> {
    Some(id).filter(|id| !id.is_nil())
}

/// The key right after this one.
fn next((user, organization): (Uuid, Uuid)) -> (Uuid, Uuid) {
    match organization.as_u128().checked_add(1) {
        Some(following) => (user, Uuid::from_u128(following)),
        None => (Uuid::from_u128(user.as_u128().saturating_add(1)), Uuid::nil()),
    }
}

/// The people who may have held a right, from a key on, in their order.
pub(super) async fn candidates(
    view: &mut Snapshot,
    window: Window,
    right: &AskedRight,
    question: &Question,
    (user, organization): (Uuid, Uuid),
    step: i64,
) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT user_id, organization_id
           FROM ops.exposure_candidates($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(view.tenant().0)
    .bind(window.known_at)
    .bind(right.kind().as_str())
    .bind(right.npi())
    .bind(right.word())
    .bind(question.user)
    .bind(question.organization)
    .bind(question.within.clone())
    .bind(user)
    .bind(organization)
    .bind(step)
    .fetch_all(view.connection())
    .await
}

/// The exposures of one person that lie in the window, in the order of time.
fn of_person(
    rule: &Rule,
    records: &Records,
    window: Window,
    (user, organization): (Uuid, Option<Uuid>),
) -> Vec<Exposure> {
    let entitled = rule.spans(records, Clock::Entitled { known_at: window.known_at });
    let enforced = rule.spans(records, Clock::Enforced { up_to: window.known_at });
    let enforced: Vec<Span> = enforced.into_iter().filter_map(|it| until(it, window.now)).collect();
    let mut exposures = Vec::new();
    for Together { entitled, enforced } in together(&entitled, &enforced) {
        let of_time = |spans: &[Span]| -> Times {
            spans.iter().map(|span| (span.from, span.until)).collect()
        };
        let from = entitled.first().into_iter().chain(enforced.first()).map(|span| span.from).min();
        let end = entitled.last().into_iter().chain(enforced.last()).map(|span| span.end()).max();
        let (Some(from), Some(end)) = (from, end) else { continue };
        if window.from.is_some_and(|begin| end <= begin) || window.to.is_some_and(|to| to <= from) {
            continue;
        }
        let past: Vec<Span> = entitled.iter().filter_map(|it| until(*it, window.now)).collect();
        let key = ExposureKey(user, organization.unwrap_or_default(), from);
        exposures.push(Exposure {
            key,
            user,
            organization,
            enforced_only: without(&enforced, &past, window.now),
            entitled_only: without(&past, &enforced, window.now),
            began: turn(rule, records, window, (&entitled, &enforced), true),
            ended: turn(rule, records, window, (&entitled, &enforced), false),
            entitled: of_time(&entitled),
            enforced: of_time(&enforced),
        });
    }
    exposures
}

/// What of a span had been by then; without an end where it went on.
fn until(span: Span, now: DateTime<Utc>) -> Option<Span> {
    let until = span.until.filter(|end| *end <= now);
    (span.from <= now).then_some(Span { from: span.from, until })
}

/// What began it or ended it, by the clock that is the right one where it has a say.
fn turn(
    rule: &Rule,
    records: &Records,
    window: Window,
    (entitled, enforced): (&[Span], &[Span]),
    begins: bool,
) -> Option<(i64, Cause)> {
    let moment = |spans: &[Span]| {
        if begins { spans.first().map(|span| span.from) } else { spans.last()?.until }
    };
    let by = |spans: &[Span], clock| {
        moment(spans).and_then(|at| rule.turned(records, clock, at, begins))
    };
    let happened: Option<Happened> = if entitled.is_empty() {
        by(enforced, Clock::Enforced { up_to: window.known_at })
    } else {
        by(entitled, Clock::Entitled { known_at: window.known_at })
    };
    happened.map(|it| (it.position, it.cause))
}

/// Spans of both clocks that touch each other.
#[derive(Debug, Default, PartialEq)]
struct Together {
    entitled: Vec<Span>,
    enforced: Vec<Span>,
}

fn together(entitled: &[Span], enforced: &[Span]) -> Vec<Together> {
    let mut all: Vec<(Span, bool)> = entitled.iter().map(|span| (*span, true)).collect();
    all.extend(enforced.iter().map(|span| (*span, false)));
    all.sort_by_key(|(span, is_entitled)| (span.from, !is_entitled));
    let mut groups: Vec<(DateTime<Utc>, Together)> = Vec::new();
    for (span, is_entitled) in all {
        let touches = groups.last().is_some_and(|(end, _)| span.from <= *end);
        if !touches {
            groups.push((span.end(), Together::default()));
        }
        let Some((end, group)) = groups.last_mut() else { continue };
        *end = span.end().max(*end);
        if is_entitled { group.entitled.push(span) } else { group.enforced.push(span) }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// How long one was and the other was not, up to now.
fn without(these: &[Span], those: &[Span], now: DateTime<Utc>) -> TimeDelta {
    let end = |span: &Span| span.end().min(now);
    these.iter().fold(TimeDelta::zero(), |sum, this| {
        let covered = those.iter().fold(TimeDelta::zero(), |sum, that| {
            let (from, to) = (this.from.max(that.from), end(this).min(end(that)));
            sum + (to - from).max(TimeDelta::zero())
        });
        sum + (end(this) - this.from).max(TimeDelta::zero()) - covered
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, 12, hour, 0, 0).unwrap()
    }

    fn span(from: u32, until: Option<u32>) -> Span {
        Span { from: at(from), until: until.map(at) }
    }

    #[test]
    fn a_back_dated_end_was_enforced_longer_than_it_was_true() {
        let (entitled, enforced) = ([span(1, Some(4))], [span(1, Some(9))]);
        let [group] = &together(&entitled, &enforced)[..] else { panic!("one time") };
        assert_eq!((&group.entitled[..], &group.enforced[..]), (&entitled[..], &enforced[..]));
        assert_eq!(without(&enforced, &entitled, at(20)), TimeDelta::hours(5));
        assert_eq!(without(&entitled, &enforced, at(20)), TimeDelta::zero());
    }

    #[test]
    fn two_times_apart_are_two_and_a_hole_in_one_clock_is_counted() {
        let (entitled, enforced) = (
            [span(1, Some(3)), span(5, Some(7)), span(9, None)],
            [span(1, Some(7)), span(9, None)],
        );
        let groups = together(&entitled, &enforced);
        assert_eq!(groups.len(), 2, "{groups:?}");
        assert_eq!(groups[0].entitled.len(), 2);
        assert_eq!(without(&enforced, &entitled, at(12)), TimeDelta::hours(2));
    }

    #[test]
    fn what_is_enforced_goes_up_to_now_only() {
        assert_eq!(until(span(1, Some(9)), at(5)), Some(span(1, None)));
        assert_eq!(until(span(1, Some(9)), at(9)), Some(span(1, Some(9))));
        assert_eq!(until(span(6, None), at(5)), None);
    }

    #[test]
    fn the_next_key_is_right_after_the_last() {
        let (user, organization) = (Uuid::from_u128(4), Uuid::from_u128(7));
        assert_eq!(next((user, organization)), (user, Uuid::from_u128(8)));
        assert_eq!(next((user, Uuid::max())), (Uuid::from_u128(5), Uuid::nil()));
    }
}
