//! `OpenScheduledReview`: the reviews that the policy asks for (CC-13).
//!
//! Invariant: nothing is remembered but the reviews themselves: an organisation's periods are counted
//! from when it was first peopled, and of those that were missed only the last one is opened.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{Opener, ReviewScope},
    kernel::ids::{AccessReviewId, OrganizationId},
    organizations::{Organization, organization::Phase},
    policies::PolicyHistory,
    values::TenantZone,
};

use super::{
    OPEN,
    delta::split,
    open::{open, open_one, reviewed},
    open_key,
};
use crate::{Access, Command, Context, Failure, organizations::members::Watch};

/// What the schedule reviews.
const SCOPE: ReviewScope = ReviewScope::Roster;

/// Opens an organisation's review if its time has come.
pub struct OpenScheduledReview {
    pub organization: OrganizationId,
}

#[async_trait]
impl Command for OpenScheduledReview {
    const NAME: &'static str = "OpenScheduledReview";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let roster = cx.load::<Organization>(self.organization).await?;
        if roster.phase() == Phase::Closed {
            return Ok(Watch::Over);
        }
        let zone = cx.policy.time_zone();
        let cadence = cx.policy.review().cadence_days;
        let since = roster.peopled_since().filter(|_| roster.is_active());
        let next = match since.map(|since| periods(since, cadence, (zone, cx.now))) {
            Some((begins, next)) => {
                if let Some(begins) = begins {
                    self.open(cx, zone, begins).await?;
                }
                next
            }
            // Nobody has joined yet, or the plan stopped it for the time being.
            None => zone.days_later(cx.now, 1),
        };
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        Ok(Watch::On([next].into_iter().chain(policies.next_change(cx.now)).min()))
    }
}

impl OpenScheduledReview {
    async fn open(
        &self,
        cx: &mut Context<'_>,
        zone: TenantZone,
        begins: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let Self { organization } = *self;
        if open_one(cx, organization, &SCOPE).await?.is_some() {
            return Ok(());
        }
        let stream = cx.tenant().access_review_stream(organization, zone.local_date(begins));
        let review = AccessReviewId(stream);
        let reviewed = reviewed(cx, organization, &SCOPE).await?;
        if reviewed.is_empty() {
            return Ok(());
        }
        let changed_only = cx.policy.review().changed_only;
        let list = split(cx, (organization, &SCOPE), reviewed, changed_only).await?;
        let of = (organization, SCOPE);
        if open(cx, (review, Opener::Scheduled), of, list, (None, None)).await? {
            // Whoever was faster by hand is found at the next try.
            let taken = Refusal::new(Code::VersionConflict, "Somebody opened a review meanwhile.");
            cx.work.reserve(OPEN, &open_key(organization, &SCOPE), stream, taken);
        }
        Ok(())
    }
}

/// When the period that goes on at `now` began, unless it is the first, and when the next one does.
fn periods(
    since: DateTime<Utc>,
    cadence_days: u32,
    (zone, now): (TenantZone, DateTime<Utc>),
) -> (Option<DateTime<Utc>>, DateTime<Utc>) {
    let cadence = i64::from(cadence_days.max(1));
    let begins = |n: i64| zone.days_later(since, n * cadence);
    let days = (zone.local_date(now) - zone.local_date(since)).num_days().max(0);
    let mut n = days / cadence;
    // On the day itself it may be too early.
    if n > 0 && begins(n) > now {
        n -= 1;
    }
    (Some(begins(n)).filter(|_| n > 0), begins(n + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_counted_from_the_first_member_and_only_the_last_one_missed_is_opened() {
        let zone = TenantZone::parse("America/Los_Angeles").expect("a zone");
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let since = at("2026-01-12T17:00:00Z");
        let found = |now: &str| periods(since, 90, (zone, at(now)));
        // The clocks are moved between; it is 9 in the morning all the same.
        let (first, second) = (at("2026-04-12T16:00:00Z"), at("2026-07-11T16:00:00Z"));
        assert_eq!(found("2026-01-12T17:00:00Z"), (None, first));
        assert_eq!(found("2026-04-12T15:59:59Z"), (None, first));
        assert_eq!(found("2026-04-12T16:00:00Z"), (Some(first), second));
        assert_eq!(found("2026-07-11T15:59:59Z"), (Some(first), second));
        let later = at("2027-01-07T17:00:00Z");
        assert_eq!(found("2027-03-01T00:00:00Z").0, Some(later), "the missed ones are not opened");
    }
}
