//! When a template is opened again and again: dates, as the tenant's people count days.
//!
//! Invariant: a date follows from the recurrence alone, so nothing has to be remembered between two.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Code;
use crate::values::{CalendarDate, Invalid};

/// The most days between two openings.
pub const MOST_DAYS_BETWEEN: u32 = 730;
/// The most dates of a year.
pub const MOST_DATES: usize = 24;

/// A day of each year, written `MM-DD`; 29 February is the 28th where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MonthDay {
    month: u32,
    day: u32,
}

impl MonthDay {
    /// Parses `MM-DD`.
    ///
    /// # Errors
    /// `DATE_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        // In a year that has them all.
        let day = NaiveDate::parse_from_str(&format!("2024-{text}"), "%Y-%m-%d").ok();
        day.map(|day| Self { month: day.month(), day: day.day() })
            .filter(|day| day.to_string() == text)
            .ok_or_else(|| {
                Invalid::new(Code::DateInvalid, "Enter an existing day of the year as MM-DD.")
            })
    }

    fn in_year(self, year: i32) -> Option<NaiveDate> {
        let on = |day| NaiveDate::from_ymd_opt(year, self.month, day);
        on(self.day).or_else(|| on(28))
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl Serialize for MonthDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// How often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recurrence {
    /// On a date, and again each time so many days later.
    Days { every: u32, from: CalendarDate },
    /// On these days of each year.
    Dates { dates: BTreeSet<MonthDay> },
}

impl Recurrence {
    /// Whether it is within its bounds.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Days { every, .. } => (1..=MOST_DAYS_BETWEEN).contains(every),
            Self::Dates { dates } => (1..=MOST_DATES).contains(&dates.len()),
        }
    }

    /// The last date of it up to that day, that day included.
    #[must_use]
    pub fn last(&self, until: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days { every, from } => nth(*from, *every, periods(*from, *every, until)?),
            Self::Dates { dates } => {
                let years = [until.year() - 1, until.year()];
                of_years(dates, years).filter(|date| *date <= until).max()
            }
        }
    }

    /// The first date of it after that day.
    #[must_use]
    pub fn next(&self, after: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days { every, from } => {
                let n = periods(*from, *every, after).map_or(0, |n| n + 1);
                nth(*from, *every, n)
            }
            Self::Dates { dates } => {
                let years = [after.year(), after.year() + 1];
                of_years(dates, years).filter(|date| *date > after).min()
            }
        }
    }
}

/// How many whole periods are over by a day; none before the first date.
fn periods(from: CalendarDate, every: u32, by: NaiveDate) -> Option<u64> {
    let days = u64::try_from((by - from.date()).num_days()).ok()?;
    Some(days / u64::from(every.max(1)))
}

fn nth(from: CalendarDate, every: u32, n: u64) -> Option<NaiveDate> {
    from.date().checked_add_days(Days::new(n * u64::from(every)))
}

fn of_years(dates: &BTreeSet<MonthDay>, years: [i32; 2]) -> impl Iterator<Item = NaiveDate> + '_ {
    years.into_iter().flat_map(|year| dates.iter().filter_map(move |date| date.in_year(year)))
}
