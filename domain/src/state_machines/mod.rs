//! The state machines of the requirements' section 4, walked at random (property).
//!
//! Invariant: the tables here are written from the requirements and not from the code. What a table
//! does not allow is refused with its code and leaves no event; all that it allows is reached.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a table names what is allowed; all the rest is refused in one line"
)]

mod access_requests;
mod access_reviews;
mod accounts;
mod affiliations;
mod credentials;
mod invitations;
mod memberships;
mod registration_tokens;
mod walk;

use chrono::{DateTime, Days, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Los_Angeles;

use self::walk::{Answer, Machine, Who, walks};

/// The first instant of the local day so many days later, by the calendar of Los Angeles.
fn midnight_after(now: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    let day = now.with_timezone(&Los_Angeles).date_naive() + Days::new(days);
    let midnight = day.and_hms_opt(0, 0, 0).expect("a time of day");
    Los_Angeles.from_local_datetime(&midnight).unwrap().to_utc()
}

/// The same hour so many days later; where the clocks skip it, the first instant after the gap.
fn same_hour_after(now: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    let shown = now.with_timezone(&Los_Angeles).naive_local() + Days::new(days);
    let gap_ends = || {
        let three = shown.date().and_hms_opt(3, 0, 0).expect("a time of day");
        Los_Angeles.from_local_datetime(&three).unwrap()
    };
    Los_Angeles.from_local_datetime(&shown).earliest().unwrap_or_else(gap_ends).to_utc()
}

/// Days of 24 hours.
fn days_after(now: DateTime<Utc>, days: i64) -> DateTime<Utc> {
    now + TimeDelta::days(days)
}
