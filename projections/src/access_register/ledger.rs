//! What is held of each timeline now, and how an event changes it.
//!
//! Invariant: nothing that was held is lost. A row that no longer holds is closed at the position
//! of the event, and what remains of it stands in a new row with the cause of the old.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{
    cause::Cause,
    interval::{End, Interval, Timeline},
};

/// The end of what has no end; PostgreSQL and chrono both hold it.
pub(crate) fn never() -> DateTime<Utc> {
    day(9999, 12, 31)
}

/// The beginning of what had none, such as a policy before it was ever set.
pub(crate) fn always() -> DateTime<Utc> {
    day(1, 1, 1)
}

fn day(year: i32, month: u32, day: u32) -> DateTime<Utc> {
    let date = NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar");
    date.and_time(NaiveTime::MIN).and_utc()
}

/// The event by which something changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Happening {
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
}

/// A value that holds for a time.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub value: Vec<String>,
    pub until: Option<DateTime<Utc>>,
    pub cause: Cause,
}

/// A row that is held no longer.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub known_from: i64,
    pub ordinal: i16,
    pub known_to: i64,
    pub known_to_at: DateTime<Utc>,
}

/// A row made, and what closed it again if anything did.
pub(crate) type Made = (Timeline, Interval, Option<Closed>);

/// The rows held now, of the timelines that were loaded, and what became of them.
#[derive(Default)]
pub(crate) struct Ledger {
    held: BTreeMap<Timeline, Vec<Interval>>,
    /// Rows made since it was loaded, those closed again included.
    made: Vec<(Timeline, Interval)>,
    closed: Vec<Closed>,
    /// How many rows the event in hand has made.
    ordinal: (i64, i16),
}

impl Ledger {
    /// Takes in a stored row.
    pub fn load(&mut self, timeline: Timeline, interval: Interval) {
        self.held.entry(timeline).or_default().push(interval);
    }

    /// The timelines with anything held, in a stable order.
    pub fn timelines(&self) -> impl Iterator<Item = &Timeline> {
        self.held.iter().filter(|(_, rows)| !rows.is_empty()).map(|(timeline, _)| timeline)
    }

    /// The same from one of them on, found without those before it.
    pub fn timelines_from(&self, first: &Timeline) -> impl Iterator<Item = &Timeline> {
        let rest = self.held.range::<Timeline, _>(first..);
        rest.filter(|(_, rows)| !rows.is_empty()).map(|(timeline, _)| timeline)
    }

    /// Whether the timeline ever had a value as held now, ended or not.
    pub fn has_any(&self, timeline: &Timeline) -> bool {
        self.held.get(timeline).is_some_and(|rows| !rows.is_empty())
    }

    /// All that a timeline has.
    pub fn all(&self, timeline: &Timeline) -> Option<&[Interval]> {
        self.held.get(timeline).map(Vec::as_slice)
    }

    /// The words that the timeline has last.
    pub fn last(&self, timeline: &Timeline) -> Option<&[String]> {
        let rows = self.held.get(timeline)?;
        rows.iter().max_by_key(|row| row.valid_from).map(|row| row.value.as_slice())
    }

    /// From `from` on the timeline has this value and no other.
    pub fn set(&mut self, by: Happening, timeline: &Timeline, from: DateTime<Utc>, held: Held) {
        self.cut((by, held.cause), timeline, (from, never()));
        self.open(by, timeline, (from, held.until.unwrap_or_else(never)), held);
    }

    /// From `from` on the timeline has no value.
    pub fn end(&mut self, by: Happening, timeline: &Timeline, from: DateTime<Utc>, why: Cause) {
        self.cut((by, why), timeline, (from, never()));
    }

    /// From `from` the timeline has this value until what was set for later begins.
    pub fn change(&mut self, by: Happening, timeline: &Timeline, from: DateTime<Utc>, held: Held) {
        let later = self.held.get(timeline).into_iter().flatten();
        let until = later.map(|row| row.valid_from).filter(|begin| *begin > from).min();
        let until = until.unwrap_or_else(never);
        self.cut((by, held.cause), timeline, (from, until));
        self.open(by, timeline, (from, until), held);
    }

    /// The value that was to end at `end` goes on, with the cause it had.
    pub fn prolong(&mut self, by: Happening, timeline: &Timeline, end: DateTime<Utc>) {
        let mut rows = self.held.remove(timeline).unwrap_or_default();
        if let Some(at) = rows.iter().position(|row| row.valid_to == end) {
            let row = rows.swap_remove(at);
            self.close(by, &row);
            let rest = Interval { valid_to: never(), end: None, ..row };
            rows.push(self.make(by, timeline, rest));
        }
        self.held.insert(timeline.clone(), rows);
    }

    fn close(&mut self, by: Happening, row: &Interval) {
        self.closed.push(Closed {
            known_from: row.known_from,
            ordinal: row.ordinal,
            known_to: by.position,
            known_to_at: by.recorded_at,
        });
    }

    /// Takes the time from `from` to `to` out of what is held.
    fn cut(
        &mut self,
        (by, cause): (Happening, Cause),
        timeline: &Timeline,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) {
        let mut rows = self.held.remove(timeline).unwrap_or_default();
        rows.sort_by_key(|row| row.valid_from);
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            if row.valid_to <= from || to <= row.valid_from {
                kept.push(row);
                continue;
            }
            self.close(by, &row);
            let before = (row.valid_from, from.min(row.valid_to));
            let after = (to.max(row.valid_from), row.valid_to);
            for (valid_from, valid_to) in [before, after] {
                if valid_from < valid_to {
                    let ended = valid_to < row.valid_to;
                    let end =
                        if ended { Some(End { position: by.position, cause }) } else { row.end };
                    let rest = Interval { valid_from, valid_to, end, ..row.clone() };
                    kept.push(self.make(by, timeline, rest));
                }
            }
        }
        self.held.insert(timeline.clone(), kept);
    }

    fn open(
        &mut self,
        by: Happening,
        timeline: &Timeline,
        (valid_from, valid_to): (DateTime<Utc>, DateTime<Utc>),
        held: Held,
    ) {
        if valid_to <= valid_from {
            return;
        }
        let interval = Interval {
            known_from: by.position,
            ordinal: 0,
            known_from_at: by.recorded_at,
            value: held.value,
            valid_from,
            valid_to,
            cause: held.cause,
            cause_position: by.position,
            end: None,
        };
        let made = self.make(by, timeline, interval);
        self.held.entry(timeline.clone()).or_default().push(made);
    }

    fn make(&mut self, by: Happening, timeline: &Timeline, mut row: Interval) -> Interval {
        let (position, count) = self.ordinal;
        let ordinal = if position == by.position { count + 1 } else { 0 };
        self.ordinal = (by.position, ordinal);
        row.known_from = by.position;
        row.known_from_at = by.recorded_at;
        row.ordinal = ordinal;
        self.made.push((timeline.clone(), row.clone()));
        row
    }

    /// Forgets what is to be written, where only what is held matters.
    pub fn forget(&mut self) {
        self.made.clear();
        self.closed.clear();
    }

    /// What is held.
    pub fn into_held(self) -> BTreeMap<Timeline, Vec<Interval>> {
        self.held
    }

    /// What is to be written: rows made, with the position that closed them again if one did, and
    /// the stored rows that were closed.
    pub fn finish(mut self) -> (Vec<Made>, Vec<Closed>) {
        // A row that one event both made and closed was never held at any position.
        self.closed.retain(|closed| {
            closed.known_from < closed.known_to || {
                self.made.retain(|(_, row)| {
                    (row.known_from, row.ordinal) != (closed.known_from, closed.ordinal)
                });
                false
            }
        });
        let mut closed: BTreeMap<(i64, i16), Closed> =
            self.closed.into_iter().map(|row| ((row.known_from, row.ordinal), row)).collect();
        let made = self
            .made
            .into_iter()
            .map(|(timeline, row)| {
                let end = closed.remove(&(row.known_from, row.ordinal));
                (timeline, row, end)
            })
            .collect();
        (made, closed.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use rollcall_domain::kernel::ids::UserId;
    use uuid::Uuid;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, 12, hour, 0, 0).unwrap()
    }

    fn by(position: i64) -> Happening {
        Happening { position, recorded_at: at(position as u32) }
    }

    fn timeline() -> Timeline {
        Timeline::AccountActive(UserId(Uuid::from_u128(1)))
    }

    fn value(word: &str, until: Option<DateTime<Utc>>) -> Held {
        Held { value: vec![word.to_owned()], until, cause: Cause::Plan }
    }

    /// Word, from, to, known from, known to.
    type Row = (String, u32, Option<u32>, i64, Option<i64>);

    /// Every row, in the order made.
    fn rows(ledger: Ledger) -> Vec<Row> {
        use chrono::Timelike;
        let (made, closed) = ledger.finish();
        assert!(closed.is_empty(), "nothing was stored before");
        made.into_iter()
            .map(|(_, row, end)| {
                let to = (row.valid_to != never()).then(|| row.valid_to.hour());
                let known_to = end.map(|end| end.known_to);
                (row.value.join(","), row.valid_from.hour(), to, row.known_from, known_to)
            })
            .collect()
    }

    #[test]
    fn what_ends_is_closed_and_stands_again_with_its_end() {
        let mut ledger = Ledger::default();
        ledger.set(by(1), &timeline(), at(1), value("a", None));
        ledger.end(by(5), &timeline(), at(5), Cause::Deactivation);
        let expected =
            [("a".to_owned(), 1, None, 1, Some(5)), ("a".to_owned(), 1, Some(5), 5, None)];
        assert_eq!(rows(ledger), expected);
    }

    #[test]
    fn what_ends_says_why_and_what_is_replaced_says_what_replaced_it() {
        let mut ledger = Ledger::default();
        ledger.set(by(1), &timeline(), at(1), value("a", None));
        ledger.set(by(2), &timeline(), at(2), value("b", None));
        ledger.end(by(3), &timeline(), at(3), Cause::Deactivation);
        let (made, _) = ledger.finish();
        let held = made.into_iter().filter(|(.., end)| end.is_none());
        let ends: Vec<_> =
            held.map(|(_, row, _)| row.end.map(|end| (end.position, end.cause))).collect();
        assert_eq!(ends, [Some((2, Cause::Plan)), Some((3, Cause::Deactivation))]);
    }

    #[test]
    fn a_back_dated_end_changes_what_is_held_of_the_past_from_then_on_only() {
        let mut ledger = Ledger::default();
        ledger.set(by(1), &timeline(), at(1), value("a", None));
        ledger.end(by(9), &timeline(), at(4), Cause::Deactivation);
        let expected =
            [("a".to_owned(), 1, None, 1, Some(9)), ("a".to_owned(), 1, Some(4), 9, None)];
        assert_eq!(rows(ledger), expected);
    }

    #[test]
    fn an_end_called_off_leaves_the_value_with_its_cause() {
        let mut ledger = Ledger::default();
        ledger.set(by(1), &timeline(), at(1), value("a", None));
        ledger.end(by(2), &timeline(), at(9), Cause::Deactivation);
        ledger.prolong(by(3), &timeline(), at(9));
        let (made, _) = ledger.finish();
        let held: Vec<_> = made.into_iter().filter(|(.., end)| end.is_none()).collect();
        let [(_, row, _)] = &held[..] else { panic!("one row is held: {held:?}") };
        assert_eq!((row.valid_from, row.valid_to), (at(1), never()));
        assert_eq!((row.cause_position, row.known_from, row.end), (1, 3, None));
    }

    #[test]
    fn a_change_lasts_until_what_was_set_for_later() {
        let mut ledger = Ledger::default();
        ledger.change(by(1), &timeline(), at(1), value("a", None));
        ledger.change(by(2), &timeline(), at(9), value("c", None));
        ledger.change(by(3), &timeline(), at(5), value("b", None));
        let held: Vec<_> = rows(ledger).into_iter().filter(|row| row.4.is_none()).collect();
        let expected = [
            ("c".to_owned(), 9, None, 2, None),
            ("a".to_owned(), 1, Some(5), 3, None),
            ("b".to_owned(), 5, Some(9), 3, None),
        ];
        assert_eq!(held, expected);
    }

    #[test]
    fn two_changes_by_one_event_leave_only_the_last() {
        let mut ledger = Ledger::default();
        ledger.set(by(1), &timeline(), at(1), value("a", None));
        ledger.set(by(1), &timeline(), at(1), value("b", Some(at(3))));
        assert_eq!(rows(ledger), [("b".to_owned(), 1, Some(3), 1, None)]);
    }
}
