//! What must be so of timelines for something to hold. Invariant: at every moment it holds or it does
//! not, and it changes at no moment but those at which a timeline changes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    super::interval::Timeline,
    record::{Clock, Happened, Records, Span, just_before},
};

/// A demand on timelines.
#[derive(Clone, Debug)]
pub enum Expression {
    /// The timeline has a value, and one of these words is in it; whatever it is where there are none.
    Has(Timeline, &'static [&'static str]),
    /// As `Has`, of one word.
    Names(Timeline, String),
    /// The timeline has a value without this word.
    HasNot(Timeline, &'static str),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
}

impl Expression {
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub fn holds(&self, records: &Records, clock: Clock, at: DateTime<Utc>) -> bool {
        let value = |timeline| records.at(timeline, clock, at).map(|row| row.value.as_slice());
        match self {
            Self::Has(timeline, words) => value(timeline).is_some_and(|value| {
                words.is_empty() || value.iter().any(|word| words.contains(&word.as_str()))
            }),
            Self::Names(timeline, word) => value(timeline).is_some_and(|it| it.contains(word)),
            Self::HasNot(timeline, word) => {
                value(timeline).is_some_and(|value| value.iter().all(|it| it != word))
            }
            Self::All(parts) => parts.iter().all(|part| part.holds(records, clock, at)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(records, clock, at)),
            Self::Not(part) => !part.holds(records, clock, at),
        }
    }

    pub fn moments(&self, records: &Records, clock: Clock, into: &mut BTreeSet<DateTime<Utc>>) {
        match self {
            Self::Has(timeline, _) | Self::Names(timeline, _) | Self::HasNot(timeline, _) => {
                records.moments(timeline, clock, into);
            }
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.moments(records, clock, into));
            }
            Self::Not(part) => part.moments(records, clock, into),
        }
    }

    /// What changed its parts at a moment.
    pub fn changes(
        &self,
        records: &Records,
        clock: Clock,
        at: DateTime<Utc>,
        into: &mut BTreeSet<Happened>,
    ) {
        match self {
            Self::Has(timeline, _) | Self::Names(timeline, _) | Self::HasNot(timeline, _) => {
                let was = self.holds(records, clock, just_before(at));
                if was != self.holds(records, clock, at) {
                    into.extend(records.change(timeline, clock, at));
                }
            }
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.changes(records, clock, at, into));
            }
            Self::Not(part) => part.changes(records, clock, at, into),
        }
    }

    /// The positions of the events whose rows make it hold at a moment.
    pub fn grounds(
        &self,
        records: &Records,
        clock: Clock,
        at: DateTime<Utc>,
        into: &mut BTreeSet<i64>,
    ) {
        match self {
            Self::Has(timeline, _) | Self::Names(timeline, _) | Self::HasNot(timeline, _) => {
                if self.holds(records, clock, at) {
                    into.extend(records.at(timeline, clock, at).map(|row| row.cause_position));
                }
            }
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.grounds(records, clock, at, into));
            }
            Self::Not(_) => {}
        }
    }

    /// The times during which it holds, in their order.
    pub fn spans(&self, records: &Records, clock: Clock) -> Vec<Span> {
        let mut moments = BTreeSet::new();
        self.moments(records, clock, &mut moments);
        let mut spans: Vec<Span> = Vec::new();
        let mut since = None;
        for at in moments {
            match (since, self.holds(records, clock, at)) {
                (None, true) => since = Some(at),
                (Some(from), false) => {
                    spans.push(Span { from, until: Some(at) });
                    since = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        spans.extend(since.map(|from| Span { from, until: None }));
        spans
    }
}
