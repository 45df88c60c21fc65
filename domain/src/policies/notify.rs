//! What the policy says about notices and the mail that follows them (MC-64, MC-65, GN-19).
//!
//! Invariant: hours are wall-clock hours of the tenant, in the weeks the clocks change too.

use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};

use super::{Policy, PolicyKey};
use crate::notifications::Frequency;

impl Policy {
    /// Notices appear in the portal (MC-64).
    pub fn notify_in_portal(&self) -> bool {
        self.flag(PolicyKey::NotifyInPortal)
    }

    /// Notices also go out by email until a person says otherwise (MC-64).
    pub fn notify_email_default(&self) -> bool {
        self.flag(PolicyKey::NotifyEmailDefault)
    }

    /// When the next digest of a frequency goes out after `after`; `None` where none does (MC-65).
    pub fn next_digest(&self, frequency: Frequency, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let only_on = match frequency {
            Frequency::Daily => None,
            Frequency::Weekly => Some(self.digest_day()),
            Frequency::Immediate | Frequency::Off => return None,
        };
        let (zone, time) = (self.time_zone(), self.time(PolicyKey::NotifyDigestAt));
        let today = zone.local_date(after);
        let days = today.iter_days().take(8);
        days.filter(|day| only_on.is_none_or(|weekday| day.weekday() == weekday))
            .map(|day| zone.at(day, time))
            .find(|instant| after < *instant)
    }

    /// The end of the quiet hours `now` lies in, if it lies in any (GN-19). Hours that end when
    /// they begin are none.
    pub fn quiet_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let from = self.time(PolicyKey::NotifyQuietFrom);
        let until = self.time(PolicyKey::NotifyQuietUntil);
        let zone = self.time_zone();
        let today = zone.local_date(now);
        // Hours that pass midnight began yesterday or begin today.
        [today.pred_opt(), Some(today)].into_iter().flatten().find_map(|day| {
            let end_day = if from < until { Some(day) } else { day.succ_opt() }?;
            let (begin, end) = (zone.at(day, from), zone.at(end_day, until));
            (from != until && begin <= now && now < end).then_some(end)
        })
    }

    fn time(&self, key: PolicyKey) -> NaiveTime {
        NaiveTime::parse_from_str(self.text(key), "%H:%M").expect("a time of day was checked")
    }

    fn digest_day(&self) -> Weekday {
        self.text(PolicyKey::NotifyDigestDay).parse().expect("one of the week's days")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::{PolicyValue, Preset};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    fn medi_cal(changes: &[(PolicyKey, PolicyValue)]) -> Policy {
        let mut policy = Policy::from(Preset::MediCal);
        for (key, value) in changes {
            policy.set(*key, value.clone());
        }
        policy
    }

    #[test]
    fn mc_65_digests_go_out_at_eight_local_time_in_the_weeks_the_clocks_change_too() {
        let policy = medi_cal(&[]);
        let daily = |after| policy.next_digest(Frequency::Daily, at(after));
        // 8 March 2026 begins daylight-saving time, 1 November ends it.
        for (after, next) in [
            ("2026-03-07T15:59:59Z", "2026-03-07T16:00:00Z"),
            ("2026-03-07T16:00:00Z", "2026-03-08T15:00:00Z"),
            ("2026-03-08T15:00:00Z", "2026-03-09T15:00:00Z"),
            ("2026-10-31T15:00:00Z", "2026-11-01T16:00:00Z"),
        ] {
            assert_eq!(daily(after), Some(at(next)), "{after}");
        }
    }

    #[test]
    fn mc_65_weekly_digests_go_out_on_monday() {
        let policy = medi_cal(&[]);
        let weekly = |after| policy.next_digest(Frequency::Weekly, at(after));
        for (after, next) in [
            ("2026-03-02T15:59:59Z", "2026-03-02T16:00:00Z"),
            ("2026-03-02T16:00:00Z", "2026-03-09T15:00:00Z"),
            ("2026-03-05T12:00:00Z", "2026-03-09T15:00:00Z"),
        ] {
            assert_eq!(weekly(after), Some(at(next)), "{after}");
        }
        for never in [Frequency::Immediate, Frequency::Off] {
            assert_eq!(policy.next_digest(never, at("2026-03-02T16:00:00Z")), None);
        }
    }

    #[test]
    fn gn_19_quiet_hours_pass_midnight_and_end_by_the_clock_on_the_wall() {
        let between = |from: &str, until: &str| {
            let time = |key, text: &str| (key, PolicyValue::Text(text.to_owned()));
            medi_cal(&[
                time(PolicyKey::NotifyQuietFrom, from),
                time(PolicyKey::NotifyQuietUntil, until),
            ])
        };
        let policy = between("21:00", "07:00");
        let until = |now| policy.quiet_until(at(now));
        assert_eq!(medi_cal(&[]).quiet_until(at("2026-01-13T06:00:00Z")), None, "off by default");
        assert_eq!(until("2026-01-13T04:59:59Z"), None);
        assert_eq!(until("2026-01-13T05:00:00Z"), Some(at("2026-01-13T15:00:00Z")));
        assert_eq!(until("2026-01-13T14:59:59Z"), Some(at("2026-01-13T15:00:00Z")));
        assert_eq!(until("2026-01-13T15:00:00Z"), None);
        // The night to 8 March is an hour shorter.
        assert_eq!(until("2026-03-08T09:00:00Z"), Some(at("2026-03-08T14:00:00Z")));

        let policy = between("12:00", "13:00");
        let end = Some(at("2026-01-12T21:00:00Z"));
        assert_eq!(policy.quiet_until(at("2026-01-12T20:30:00Z")), end);
        assert_eq!(policy.quiet_until(at("2026-01-12T21:00:00Z")), None);
        assert_eq!(between("07:00", "07:00").quiet_until(at("2026-01-12T15:30:00Z")), None);
    }
}
