//! Days as the tenant's people count them.
//!
//! Invariant: every rule that speaks of days ("once daily", "within 30 days of the date issued")
//! goes by local midnights of the tenant's zone, so that a day in a clock-change week has 23 or 25
//! hours; rules that speak of hours or minutes never come here.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc,
    Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Invalid;
use crate::Code;

/// A tenant's time zone from the IANA database, such as `America/Los_Angeles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TenantZone(Tz);

impl TenantZone {
    /// Parses an IANA zone name, in its exact spelling.
    ///
    /// # Errors
    /// `FIELD_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| {
            Invalid::new(
                Code::FieldInvalid,
                "Use a zone name of the IANA database, such as America/Los_Angeles.",
            )
        })
    }

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The local date at an instant.
    pub fn local_date(self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.0).date_naive()
    }

    /// An instant as people there read it: `January 12, 2026 at 09:00 PST`.
    pub fn wall_clock(self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%B %-d, %Y at %H:%M %Z").to_string()
    }

    /// Whether two instants lie on the same local day ("at most once daily", MC-53).
    pub fn same_local_day(self, a: DateTime<Utc>, b: DateTime<Utc>) -> bool {
        self.local_date(a) == self.local_date(b)
    }

    /// The first instant of the local day after the one that `instant` lies on.
    pub fn next_midnight(self, instant: DateTime<Utc>) -> DateTime<Utc> {
        self.start_of_day(plus_days(self.local_date(instant), 1))
    }

    /// The end of the `days`-th day after the local date of `issued`: the first instant at which
    /// it is over. Issued on 1 March for 30 days, it holds to the end of 31 March whatever the hour
    /// of issue, and this is 1 April 00:00 (MC-04).
    pub fn end_of_nth_day(self, issued: DateTime<Utc>, days: u16) -> DateTime<Utc> {
        self.start_of_day(plus_days(plus_days(self.local_date(issued), days), 1))
    }

    /// The end of the `days`-th business day after the local date of `filed`: Monday to Friday
    /// (AL-01).
    pub fn end_of_business_day(self, filed: DateTime<Utc>, days: u32) -> DateTime<Utc> {
        let mut day = self.local_date(filed);
        let mut left = days;
        while left > 0 {
            day = plus_days(day, 1);
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                left -= 1;
            }
        }
        self.start_of_day(plus_days(day, 1))
    }

    /// The same hour of the local clocks `days` days later, or earlier where that is negative
    /// (CC-04).
    pub fn days_later(self, instant: DateTime<Utc>, days: i64) -> DateTime<Utc> {
        let local = instant.with_timezone(&self.0).naive_local();
        let day = local.date() + TimeDelta::days(days);
        self.at(day, local.time())
    }

    /// The same hour of the local clocks on the same date `years` later; what began on 29 February is
    /// over on 1 March, never a day early (GN-26).
    pub fn years_later(self, instant: DateTime<Utc>, years: u32) -> DateTime<Utc> {
        let local = instant.with_timezone(&self.0).naive_local();
        let later = local.date().checked_add_months(Months::new(12 * years));
        let day = later.expect("a few decades after a recorded date are within chrono's range");
        let is_clipped = day.day() != local.date().day();
        self.at(plus_days(day, u16::from(is_clipped)), local.time())
    }

    /// The first instant of a local day.
    pub fn start_of_day(self, date: NaiveDate) -> DateTime<Utc> {
        self.at(date, NaiveTime::MIN)
    }

    /// A wall-clock time on a local day: the earlier one where clocks show it twice, the first
    /// instant after the gap where they skip it.
    pub fn at(self, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let wanted = date.and_time(time);
        let exact = |shown| self.0.from_local_datetime(&shown).earliest();
        // Gaps of the database end on a quarter of an hour and the longest (Samoa, 2011) is a day.
        let into_quarter = i64::from(time.num_seconds_from_midnight() % (15 * 60));
        let after_gap = || {
            (1..=4 * 25).find_map(|quarter| {
                let seconds = quarter * 15 * 60 - into_quarter;
                exact(wanted.checked_add_signed(TimeDelta::seconds(seconds))?)
            })
        };
        exact(wanted).or_else(after_gap).expect("no zone skips more than a day").with_timezone(&Utc)
    }
}

fn plus_days(date: NaiveDate, days: u16) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days)))
        .expect("at most 180 years after a recorded date is within chrono's range")
}

impl fmt::Display for TenantZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TenantZone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Serialize for TenantZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for TenantZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: [&str; 2] = ["America/Los_Angeles", "America/New_York"];

    fn zone(name: &str) -> TenantZone {
        TenantZone::parse(name).expect(name)
    }

    fn local(zone: TenantZone, text: &str) -> DateTime<Utc> {
        let shown = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect(text);
        zone.at(shown.date(), shown.time())
    }

    #[test]
    fn people_read_the_time_of_their_own_zone() {
        let zone = zone("America/Los_Angeles");
        let morning = local(zone, "2026-01-12 09:00:00");
        assert_eq!(zone.wall_clock(morning), "January 12, 2026 at 09:00 PST");
        let summer = local(zone, "2026-07-01 21:05:00");
        assert_eq!(zone.wall_clock(summer), "July 1, 2026 at 21:05 PDT");
    }

    #[test]
    fn years_go_by_the_calendar_and_29_february_ends_no_day_early() {
        let zone = zone("America/Los_Angeles");
        let later = |from: &str, years| zone.years_later(local(zone, from), years);
        assert_eq!(later("2026-01-12 09:00:00", 6), local(zone, "2032-01-12 09:00:00"));
        assert_eq!(later("2028-02-29 23:30:00", 6), local(zone, "2034-03-01 23:30:00"));
        assert_eq!(later("2028-02-29 23:30:00", 8), local(zone, "2036-02-29 23:30:00"));
        // In summer time then, in winter time now: the hour on the wall is the same.
        assert_eq!(later("2026-03-10 12:00:00", 7), local(zone, "2033-03-10 12:00:00"));
    }

    #[test]
    fn thirty_days_from_any_hour_of_1_march_end_with_31_march() {
        for name in ZONES {
            let zone = zone(name);
            for hour in ["00:00:00", "09:30:00", "23:59:59"] {
                let end = zone.end_of_nth_day(local(zone, &format!("2026-03-01 {hour}")), 30);
                assert_eq!(end, local(zone, "2026-04-01 00:00:00"), "{name} {hour}");
                assert!(local(zone, "2026-03-31 23:59:59") < end);
            }
        }
    }

    #[test]
    fn the_same_day_goes_by_local_midnight_not_by_24_hours() {
        for name in ZONES {
            let zone = zone(name);
            let same = |a, b| zone.same_local_day(local(zone, a), local(zone, b));
            assert!(!same("2026-06-01 23:59:00", "2026-06-02 00:01:00"), "{name}");
            assert!(same("2026-06-01 00:01:00", "2026-06-01 23:59:00"), "{name}");
        }
    }

    #[test]
    fn clock_change_days_have_23_and_25_hours() {
        for name in ZONES {
            let zone = zone(name);
            for (day, hours) in [("2026-03-08", 23), ("2026-06-01", 24), ("2026-11-01", 25)] {
                let start = local(zone, &format!("{day} 00:00:00"));
                let length = zone.next_midnight(start) - start;
                assert_eq!(length, TimeDelta::hours(hours), "{name} {day}");
                let last = local(zone, &format!("{day} 23:59:59"));
                assert!(zone.same_local_day(start, last), "{name} {day}");
            }
        }
    }

    #[test]
    fn days_later_it_is_the_same_hour_whatever_the_clocks_did() {
        for name in ZONES {
            let zone = zone(name);
            let set = local(zone, "2025-12-13 09:00:01");
            assert_eq!(zone.days_later(set, 180), local(zone, "2026-06-11 09:00:01"), "{name}");
            assert_eq!(zone.days_later(zone.days_later(set, 180), -180), set, "{name}");
            let skipped = local(zone, "2026-03-07 02:30:00");
            assert_eq!(zone.days_later(skipped, 1), local(zone, "2026-03-08 03:00:00"), "{name}");
        }
    }

    #[test]
    fn a_skipped_hour_becomes_the_first_instant_after_it_and_a_repeated_one_the_earlier() {
        let zone = zone("America/New_York");
        assert_eq!(local(zone, "2026-03-08 02:37:10"), local(zone, "2026-03-08 03:00:00"));
        let repeated = local(zone, "2026-11-01 01:30:00");
        assert_eq!(repeated.to_rfc3339(), "2026-11-01T05:30:00+00:00");
    }

    #[test]
    fn a_zone_that_skips_midnight_or_a_whole_day_still_has_a_start() {
        let date = |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("date");
        let santiago = zone("America/Santiago").start_of_day(date("2023-09-03"));
        assert_eq!(santiago.to_rfc3339(), "2023-09-03T04:00:00+00:00");
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.start_of_day(date("2011-12-30")), apia.start_of_day(date("2011-12-31")));
    }

    #[test]
    fn unknown_zones_are_refused() {
        for text in ["", "PST", "America/Los Angeles", "america/los_angeles", "+08:00"] {
            let refused = TenantZone::parse(text).map(TenantZone::name);
            assert_eq!(refused.unwrap_err().code.as_str(), "FIELD_INVALID", "{text}");
        }
        assert_eq!(zone("America/New_York").to_string(), "America/New_York");
    }
}
