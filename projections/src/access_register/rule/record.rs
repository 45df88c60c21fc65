//! Rows of the register as one right needs them, and by which clock they are read.
//!
//! Invariant: what was enforced at a moment is what had been written down by then, of that moment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::super::{
    Cause,
    interval::{End, Timeline},
    ledger::{always, never},
};

/// A row: true from when to when, held to be so from when to when.
#[derive(Clone, Debug)]
pub struct Record {
    pub value: Vec<String>,
    pub valid_from: DateTime<Utc>,
    pub valid_to: DateTime<Utc>,
    pub known_from: i64,
    pub known_from_at: DateTime<Utc>,
    /// The position since which it is held otherwise, and when that was recorded.
    pub known_to: Option<(i64, DateTime<Utc>)>,
    pub cause: Cause,
    pub cause_position: i64,
    pub end: Option<End>,
}

/// By which clock a question is asked (GN-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// What was true of a moment, as known at a position.
    Entitled { known_at: i64 },
    /// What the portal acted on at a moment: what it knew then, of that moment. Nothing after the
    /// position counts.
    Enforced { up_to: i64 },
}

impl Clock {
    fn position(self) -> i64 {
        match self {
            Self::Entitled { known_at: position } | Self::Enforced { up_to: position } => position,
        }
    }

    /// Whether the row counts at the moment.
    pub fn counts(self, row: &Record, at: DateTime<Utc>) -> bool {
        let is_true =
            row.valid_from <= at && at < row.valid_to && row.known_from <= self.position();
        let replaced = row.known_to.filter(|(position, _)| *position <= self.position());
        is_true
            && match self {
                Self::Entitled { .. } => replaced.is_none(),
                Self::Enforced { .. } => {
                    row.known_from_at <= at && replaced.is_none_or(|(_, since)| at < since)
                }
            }
    }

    /// The moments at which it may begin or cease to count.
    fn moments(self, row: &Record, into: &mut BTreeSet<DateTime<Utc>>) {
        let replaced = row.known_to.filter(|(position, _)| *position <= self.position());
        if row.known_from > self.position() {
            return;
        }
        match self {
            Self::Entitled { .. } if replaced.is_some() => {}
            Self::Entitled { .. } => into.extend([row.valid_from, row.valid_to]),
            Self::Enforced { .. } => {
                into.extend([row.valid_from, row.valid_to, row.known_from_at]);
                into.extend(replaced.map(|(_, since)| since));
            }
        }
    }
}

/// What made something begin or end: the event's position, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happened {
    pub position: i64,
    pub cause: Cause,
}

/// A time during which something was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: DateTime<Utc>,
    /// `None`: no end is known.
    pub until: Option<DateTime<Utc>>,
}

impl Span {
    /// The end, far away where there is none.
    pub fn end(self) -> DateTime<Utc> {
        self.until.unwrap_or_else(never)
    }
}

/// All rows that may bear on some rights.
#[derive(Clone, Debug, Default)]
pub struct Records(BTreeMap<Timeline, Vec<Record>>);

impl Records {
    pub fn add(&mut self, timeline: Timeline, row: Record) {
        self.0.entry(timeline).or_default().push(row);
    }

    pub fn timelines(&self) -> impl Iterator<Item = &Timeline> {
        self.0.keys()
    }

    fn of(&self, timeline: &Timeline) -> &[Record] {
        self.0.get(timeline).map_or(&[], Vec::as_slice)
    }

    /// Every value that a timeline ever had.
    pub fn values(&self, timeline: &Timeline) -> impl Iterator<Item = &[String]> {
        self.of(timeline).iter().map(|row| row.value.as_slice())
    }

    /// The row that counts at a moment; a timeline has at most one.
    pub fn at(&self, timeline: &Timeline, clock: Clock, at: DateTime<Utc>) -> Option<&Record> {
        self.of(timeline).iter().find(|row| clock.counts(row, at))
    }

    /// The moments at which the timeline may change, those of always and never left out.
    pub fn moments(&self, timeline: &Timeline, clock: Clock, into: &mut BTreeSet<DateTime<Utc>>) {
        self.of(timeline).iter().for_each(|row| clock.moments(row, into));
        into.remove(&always());
        into.remove(&never());
    }

    /// What changed the timeline at a moment, if anything did.
    pub fn change(&self, timeline: &Timeline, clock: Clock, at: DateTime<Utc>) -> Option<Happened> {
        let before = self.at(timeline, clock, just_before(at));
        if let Some(row) = self.at(timeline, clock, at) {
            let taught = matches!(clock, Clock::Enforced { .. }) && row.known_from_at == at;
            let position = if taught { row.known_from } else { row.cause_position };
            return Some(Happened { position, cause: row.cause });
        }
        let row = before?;
        let of_end = |end: End| Happened { position: end.position, cause: end.cause };
        if let (Clock::Enforced { .. }, Some((position, since))) = (clock, row.known_to)
            && since == at
        {
            let ends = self.of(timeline).iter().filter(|other| other.known_from == position);
            let end = ends.filter_map(|other| other.end).find(|end| end.position == position);
            return Some(end.map_or(Happened { position, cause: row.cause }, of_end));
        }
        // An end that no event set was set by what gave it.
        let expired = Happened { position: row.cause_position, cause: Cause::Expiry };
        Some(row.end.map_or(expired, of_end))
    }
}

/// The last moment before this one; moments are kept to the microsecond.
pub fn just_before(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::microseconds(1)
}
