//! Calendar dates: a day as a person writes it, without time or zone.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::Invalid;
use crate::Code;

/// A day between 1900-01-01 and 2199-12-31, written `YYYY-MM-DD`.
///
/// The bounds keep typing errors out ("0202-05-01") and every date sum within chrono's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CalendarDate(NaiveDate);

impl CalendarDate {
    /// Parses ISO 8601 `YYYY-MM-DD`, with all its digits.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `DATE_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("date"));
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|date| date.to_string() == text)
            .filter(|date| ("1900-01-01".."2200-01-01").contains(&date.to_string().as_str()))
            .map(Self)
            .ok_or_else(|| {
                Invalid::new(
                    Code::DateInvalid,
                    "Enter an existing date as YYYY-MM-DD, 1900 to 2199.",
                )
            })
    }

    /// The day as chrono knows it.
    pub fn date(self) -> NaiveDate {
        self.0
    }

    /// The day `days` later.
    pub fn plus_days(self, days: u16) -> Self {
        let later = self.0.checked_add_days(Days::new(u64::from(days)));
        Self(later.expect("a date before 2200 plus at most 180 years is within chrono's range"))
    }

    /// Days from this date to `other`; negative when `other` is earlier.
    pub fn days_until(self, other: Self) -> i64 {
        (other.0 - self.0).num_days()
    }
}

impl From<NaiveDate> for CalendarDate {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CalendarDate {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> CalendarDate {
        CalendarDate::parse(text).expect(text)
    }

    #[test]
    fn existing_days_parse_and_print_the_same() {
        for text in ["1900-01-01", "2024-02-29", "2199-12-31"] {
            assert_eq!(date(text).to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "2023-02-29",
            "2024-2-9",
            "02/09/2024",
            "1899-12-31",
            "2200-01-01",
            "0202-05-01",
            " 2024-01-01",
            "2024-01-01T00:00",
        ] {
            assert_eq!(
                CalendarDate::parse(text).unwrap_err().code.as_str(),
                "DATE_INVALID",
                "{text}"
            );
        }
        assert_eq!(CalendarDate::parse("").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn days_add_and_subtract_over_month_ends() {
        assert_eq!(date("2024-03-01").plus_days(30), date("2024-03-31"));
        assert_eq!(date("2024-02-28").days_until(date("2024-03-01")), 2);
        assert_eq!(date("2024-03-01").days_until(date("2024-02-28")), -2);
    }
}
