//! What is recommended about an item, and why (GN-16).
//!
//! Invariant: nothing follows from what cannot be observed; where nothing is known, nothing is
//! recommended.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    access_reviews::{Advice, Ground, Recommendation},
    permissions::right_use::UsedRight,
    policies::Policy,
    values::{CalendarDate, Npi},
};
use uuid::Uuid;

use super::{
    AccessReviewRow, HeldRight, ItemFilter, ItemView, RightUse, held_rights, items, uses_of_items,
};
use crate::{
    Snapshot,
    access_register::{self, Moment},
    right_use::{AsOf, Noting},
};

/// Somebody who never signed in is recommended to go after so many days as a member.
const NEVER_SIGNED_IN_DAYS: i64 = 90;

/// By which rules and when it is advised.
#[derive(Clone, Copy, Debug)]
pub struct Advising<'a> {
    pub policy: &'a Policy,
    pub now: DateTime<Utc>,
}

impl Advising<'_> {
    /// Whether somebody who was last there then is away for as long as people are deactivated for.
    fn is_dormant(&self, last: DateTime<Utc>) -> bool {
        self.policy.dormant_until(last).is_some_and(|until| until <= self.now)
    }

    /// Whether a day of use lies within that time.
    fn is_recent(&self, day: NaiveDate) -> bool {
        let today = self.policy.time_zone().local_date(self.now);
        let days = (today - day).num_days();
        self.policy.dormant_days().is_none_or(|limit| days < i64::from(limit))
    }
}

/// What is recommended about an item: by the use of its right or key, or of all that its person may do where
/// it is the membership; `None` where nothing was observed to go by.
#[must_use]
pub fn advise(
    advising: Advising<'_>,
    item: &ItemView,
    (rights, used): (&[HeldRight], Option<&RightUse>),
    noting: &Noting,
) -> Option<Recommendation> {
    match used {
        _ if item.row.is_key() => advise_key(advising, item),
        Some(used) => advise_right(advising, item, used, noting),
        None => advise_membership(advising, item, rights, noting),
    }
}

/// Whether somebody is away for long, by their sign-ins, and the ground that says so or otherwise.
fn presence(advising: Advising<'_>, item: &ItemView) -> (bool, Option<Ground>) {
    let zone = advising.policy.time_zone();
    match (item.last_login_at, item.member_since) {
        (Some(at), _) if advising.is_dormant(at) => (true, Some(Ground::NotSignedInSince { at })),
        (Some(at), _) => (false, Some(Ground::SignedIn { at })),
        (None, Some(at)) if zone.days_later(at, NEVER_SIGNED_IN_DAYS) <= advising.now => {
            (true, Some(Ground::NotSignedInSince { at }))
        }
        (None, _) => (false, None),
    }
}

/// That somebody signs in says nothing about one of their rights; that they never do, says something of
/// all.
fn advise_right(
    advising: Advising<'_>,
    item: &ItemView,
    used: &RightUse,
    noting: &Noting,
) -> Option<Recommendation> {
    let zone = advising.policy.time_zone();
    let (is_away, signed_in) = presence(advising, item);
    let one = |word: &Option<String>| word.clone().filter(|word| word != "*");
    let npi = one(&item.row.npi).and_then(|npi| Npi::parse(&npi).ok());
    let right = UsedRight { kind: used.kind, npi, of: one(&item.row.name) };
    let watched = used.kind.is_observable().then_some(item.granted_at).flatten();
    let watched = watched.map(|since| noting.watched_since(used.kind.as_str(), since));
    let (ground, is_recent) = match (used.used_on, watched) {
        (Some(day), _) => {
            let is_recent = advising.is_recent(day);
            (Some(Ground::UsedOn { right, day: CalendarDate::from(day) }), Some(is_recent))
        }
        (None, Some(since)) => {
            let day = zone.local_date(since);
            // Not used in a time too short to tell is not yet unused.
            let is_recent = (!advising.is_recent(day)).then_some(false);
            (Some(Ground::UnusedSince { right, day: CalendarDate::from(day) }), is_recent)
        }
        (None, None) => (None, None),
    };
    let advice = match is_recent {
        Some(true) => Advice::Keep,
        Some(false) => Advice::Revoke,
        None if is_away => Advice::Revoke,
        None => return None,
    };
    Some(Recommendation { advice, grounds: signed_in.into_iter().chain(ground).collect() })
}

/// Every use of a key is noted. Whether who made it signs in, or is there at all, says nothing about it.
fn advise_key(advising: Advising<'_>, item: &ItemView) -> Option<Recommendation> {
    let (advice, ground) = match (item.key_used_at, item.granted_at) {
        (Some(at), _) if !advising.is_dormant(at) => (Advice::Keep, Ground::KeyUsed { at }),
        (Some(at), _) => (Advice::Revoke, Ground::KeyUnusedSince { at }),
        (None, Some(at)) if advising.is_dormant(at) => {
            (Advice::Revoke, Ground::KeyUnusedSince { at })
        }
        (None, _) => return None,
    };
    Some(Recommendation { advice, grounds: vec![ground] })
}

fn advise_membership(
    advising: Advising<'_>,
    item: &ItemView,
    rights: &[HeldRight],
    noting: &Noting,
) -> Option<Recommendation> {
    let zone = advising.policy.time_zone();
    let (is_away, signed_in) = presence(advising, item);
    let mut grounds: Vec<Ground> = signed_in.into_iter().collect();
    let mut is_used = false;
    // A use that an external system reported counts like any other.
    for right in rights.iter().filter(|it| it.kind.is_observable() || it.used_on.is_some()) {
        let of = UsedRight { kind: right.kind, npi: None, of: None };
        if let Some(day) = right.used_on {
            is_used |= advising.is_recent(day);
            grounds.push(Ground::UsedOn { right: of, day: CalendarDate::from(day) });
        } else {
            let since = noting.watched_since(right.kind.as_str(), right.since);
            let day = CalendarDate::from(zone.local_date(since));
            grounds.push(Ground::UnusedSince { right: of, day });
        }
    }
    let advice = if is_away && !is_used { Advice::Revoke } else { Advice::Keep };
    let is_known = is_away || is_used || item.last_login_at.is_some();
    is_known.then_some(Recommendation { advice, grounds })
}

/// What is recommended about items of a review, by their numbers, as [`advise`] does for those shown:
/// to be written down with a decision about them.
///
/// # Errors
/// The database did not answer.
pub async fn recommendations(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    numbers: &[u32],
    advising: Advising<'_>,
) -> Result<BTreeMap<u32, Recommendation>, sqlx::Error> {
    let wanted = numbers.iter().filter_map(|number| i32::try_from(*number).ok()).collect();
    let filter = ItemFilter { items: Some(wanted), ..ItemFilter::default() };
    let found = items(view, review, (&filter, advising.now), (i64::MAX, None)).await?;
    let rights = rights_of(view, review, &found, advising).await?;
    let as_of = AsOf {
        day: advising.policy.time_zone().local_date(advising.now),
        known_at: view.position_of(access_register::NAME),
    };
    let uses = uses_of_items(view, as_of, review.organization_id, &found).await?;
    let noting = Noting::read(view).await?;
    let advised = found.iter().filter_map(|item| {
        let held = rights.get(&item.row.user_id).map_or(&[][..], Vec::as_slice);
        let number = u32::try_from(item.row.item).ok()?;
        Some((number, advise(advising, item, (held, uses.get(&item.row.item)), &noting)?))
    });
    Ok(advised.collect())
}

async fn rights_of(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    found: &[ItemView],
    advising: Advising<'_>,
) -> Result<HashMap<Uuid, Vec<HeldRight>>, sqlx::Error> {
    // Of rights, what is advised goes by their own use.
    let people = found.iter().filter(|item| !item.row.is_right());
    let users: Vec<Uuid> = people.map(|item| item.row.user_id).collect();
    let known_at = view.position_of(access_register::NAME);
    let moment = Moment { true_at: advising.now, known_at };
    let day = advising.policy.time_zone().local_date(advising.now);
    held_rights(view, (moment, day), (review.organization_id, &users)).await
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone};
    use rollcall_domain::permissions::right_use::RightKind;

    use super::super::ItemRow;

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 6, 1, 17, 0, 0).unwrap()
    }

    fn days_ago(days: i64) -> DateTime<Utc> {
        now() - TimeDelta::days(days)
    }

    /// A member for so many days who was last there so many days ago.
    fn member(since: i64, last: Option<i64>) -> ItemView {
        ItemView {
            row: ItemRow {
                item: 1,
                org_role: Some("NONE".to_owned()),
                outcome: "UNDECIDED".to_owned(),
                kind: "MEMBERSHIP".to_owned(),
                ..ItemRow::default()
            },
            member_since: Some(days_ago(since)),
            granted_at: None,
            grant_cause: None,
            grant_position: None,
            last_login_at: last.map(days_ago),
            is_member: true,
            present_role: Some("NONE".to_owned()),
            previous_decision: None,
            previous_at: None,
            previous_by: None,
            previous_review: None,
            is_held: true,
            present_level: None,
            present_until: None,
            provider_name: None,
            thing: None,
            key_scopes: None,
            key_used_at: None,
            listed_organizations: Vec::new(),
            present_organizations: Vec::new(),
        }
    }

    /// A right of such a member, since so many days.
    fn item_of(kind: &str, since: i64, last: Option<i64>) -> ItemView {
        let mut item = member(300, last);
        item.row.kind = kind.to_owned();
        item.row.npi = Some("*".to_owned());
        item.granted_at = Some(days_ago(since));
        item
    }

    fn advice_of_right(item: &ItemView, kind: RightKind, used: Option<i64>) -> Option<Advice> {
        let policy = Policy::default();
        let advising = Advising { policy: &policy, now: now() };
        let used_on = used.map(|days| days_ago(days).date_naive());
        let used = RightUse { kind, used_on };
        let advised = advise(advising, item, (&[][..], Some(&used)), &Noting::default());
        advised.map(|advised| advised.advice)
    }

    #[test]
    fn a_right_is_advised_by_its_own_use_and_a_sign_in_keeps_none() {
        let there = |since| item_of("NPI_LEVEL", since, Some(1));
        let npi = RightKind::ViewNpi;
        assert_eq!(advice_of_right(&there(300), npi, Some(5)), Some(Advice::Keep));
        assert_eq!(advice_of_right(&there(300), npi, Some(190)), Some(Advice::Revoke));
        assert_eq!(advice_of_right(&there(300), npi, None), Some(Advice::Revoke));
        assert_eq!(advice_of_right(&there(30), npi, None), None, "too short to tell");
        let unseen = item_of("FEATURE", 300, Some(1));
        assert_eq!(advice_of_right(&unseen, RightKind::UseFeature, None), None);
        assert_eq!(advice_of_right(&unseen, RightKind::UseFeature, Some(5)), Some(Advice::Keep));
        let away = item_of("FEATURE", 300, Some(200));
        assert_eq!(advice_of_right(&away, RightKind::UseFeature, None), Some(Advice::Revoke));
    }

    #[test]
    fn a_key_is_advised_by_its_own_use_and_never_by_who_made_it() {
        let advice_of = |made: i64, used: Option<i64>, seen: Option<i64>| {
            let mut key = item_of("API_KEY", made, seen);
            key.key_used_at = used.map(days_ago);
            advice(&key, &[])
        };
        assert_eq!(advice_of(300, Some(5), Some(200)), Some(Advice::Keep));
        assert_eq!(advice_of(300, Some(180), Some(1)), Some(Advice::Revoke));
        assert_eq!(advice_of(300, None, Some(1)), Some(Advice::Revoke));
        assert_eq!(advice_of(30, None, Some(200)), None, "too short to tell");
    }

    fn right(kind: RightKind, used: Option<i64>) -> HeldRight {
        let used_on = used.map(|days| days_ago(days).date_naive());
        HeldRight { kind, count: 1, since: days_ago(300), used_on }
    }

    fn advice(item: &ItemView, rights: &[HeldRight]) -> Option<Advice> {
        let policy = Policy::default();
        let advising = Advising { policy: &policy, now: now() };
        advise(advising, item, (rights, None), &Noting::default()).map(|advised| advised.advice)
    }

    #[test]
    fn who_was_there_lately_is_kept_and_who_is_long_away_is_not() {
        // People are deactivated after 180 days without a sign-in.
        assert_eq!(advice(&member(300, Some(179)), &[]), Some(Advice::Keep));
        assert_eq!(advice(&member(300, Some(180)), &[]), Some(Advice::Revoke));
        assert_eq!(advice(&member(90, None), &[]), Some(Advice::Revoke));
        assert_eq!(advice(&member(89, None), &[]), None);
    }

    #[test]
    fn a_late_use_counts_for_somebody_and_what_nothing_shows_counts_for_nothing() {
        let away = member(300, Some(200));
        assert_eq!(advice(&away, &[right(RightKind::UseFeature, Some(3))]), Some(Advice::Keep));
        assert_eq!(advice(&away, &[right(RightKind::UseFeature, Some(190))]), Some(Advice::Revoke));
        assert_eq!(advice(&away, &[right(RightKind::UseFeature, None)]), Some(Advice::Revoke));
        let there = member(300, Some(1));
        assert_eq!(advice(&there, &[right(RightKind::ManagePin, None)]), Some(Advice::Keep));
        let policy = Policy::default();
        let advising = Advising { policy: &policy, now: now() };
        let unseen = [right(RightKind::UseFeature, None)];
        let advised = advise(advising, &there, (&unseen[..], None), &Noting::default());
        let advised = advised.expect("known");
        assert_eq!(advised.grounds, [Ground::SignedIn { at: days_ago(1) }]);
    }
}
