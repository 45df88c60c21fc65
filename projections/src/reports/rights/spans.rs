//! From when to when rights were held: the rule asked at each moment at which it may change.
//!
//! Invariant: between two neighbouring moments nothing that a right rests on begins or ends, so what
//! holds at the first holds until the second.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{kernel::ids::UserId, permissions::Entitlement};
use uuid::Uuid;

use super::{Held, Holding, RightKey, rights};
use crate::access_register::{interval::Timeline, ledger::never};

/// A right held for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldSpan<T> {
    pub what: T,
    pub from: DateTime<Utc>,
    /// `None` where no end is known.
    pub to: Option<DateTime<Utc>>,
}

/// What a person held within a time, or at its one moment, with the time for which each was held.
///
/// A span that reaches into the time from before, or out of it, is told as far as the rule says at
/// that moment.
pub(crate) fn spans(
    held: &Held,
    user: UserId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    npi: Option<&str>,
) -> Vec<HeldSpan<(RightKey, Holding)>> {
    let mut open: BTreeMap<RightKey, (Holding, DateTime<Utc>)> = BTreeMap::new();
    let mut found = Vec::new();
    for (nth, moment) in moments(held, user, (from, to), npi).into_iter().enumerate() {
        let now = rights(held, user, moment, npi);
        let same = |key: &RightKey, before: &Holding| {
            now.get(key).is_some_and(|is| (&is.level, is.source) == (&before.level, before.source))
        };
        let (gone, kept): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(key, (before, _))| !same(key, before));
        for (key, (holding, since)) in gone {
            found.push(HeldSpan { what: (key, holding), from: since, to: Some(moment) });
        }
        let began: BTreeMap<RightKey, DateTime<Utc>> =
            kept.into_iter().map(|(key, (_, since))| (key, since)).collect();
        open = BTreeMap::new();
        for (key, holding) in now {
            let since = if nth == 0 { holding.span.from } else { moment };
            let since = began.get(&key).copied().unwrap_or(since);
            open.insert(key, (holding, since));
        }
    }
    for (key, (holding, since)) in open {
        let to = Some(holding.span.to).filter(|end| *end < never());
        found.push(HeldSpan { what: (key, holding), from: since, to });
    }
    found.sort_by(|a, b| (&a.what.0, a.from).cmp(&(&b.what.0, b.from)));
    found
}

/// The moments at which a person's rights may change, the first one of the time before them.
fn moments(
    held: &Held,
    user: UserId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    npi: Option<&str>,
) -> BTreeSet<DateTime<Utc>> {
    let mut moments = BTreeSet::from([from]);
    if from == to {
        return moments;
    }
    let mut note = |timeline: &Timeline| {
        if timeline.npi().is_some_and(|of| of != "*" && npi.is_some_and(|asked| asked != of)) {
            return;
        }
        let rows = held.all(timeline).iter();
        let ends = rows.flat_map(|row| [row.valid_from, row.valid_to]);
        moments.extend(ends.filter(|at| from < *at && *at < to));
    };
    let mut holders: BTreeSet<Uuid> = BTreeSet::from([held.tenant.0]);
    for timeline in held.of_person(user) {
        note(timeline);
        holders.extend(timeline.organization().map(Uuid::from));
        if let Timeline::Entitlement(_, _, Entitlement::JobRole(role)) = timeline {
            holders.insert(role.0);
        }
        if let Timeline::Submission(_, submitter, _, affiliation) = timeline {
            let in_force = Timeline::Affiliation(*affiliation, *submitter);
            note(&in_force);
            let providers = held.all(&in_force).iter().filter_map(|row| row.value.first());
            holders.extend(providers.filter_map(|id| id.parse::<Uuid>().ok()));
        }
    }
    for holder in holders {
        // What people hold under another id is not asked here.
        held.of_holder(holder).filter(|timeline| timeline.user().is_none()).for_each(&mut note);
    }
    moments
}
