//! `WatchAccessReview`: reminders, overdue, escalation, and delegates who left (CC-13, GN-15).
//!
//! Invariant: where the policy has an organisation suspended, it is in the append that escalates.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    access_reviews::{AccessReview, AccessReviewCommand, AccessReviewEvent},
    kernel::ids::AccessReviewId,
    organizations::{Organization, OrganizationCommand, organization::Phase},
    policies::{OverdueAction, PolicyHistory},
    values::Reason,
};

use super::complete::cancel;
use crate::{
    Access, Command, Context, Failure,
    organizations::{members::Watch, suspend},
};

/// The scheduler looks whether it is time for a reminder, or too late, and whether who was to decide is
/// still there.
pub struct WatchAccessReview {
    pub review: AccessReviewId,
}

#[async_trait]
impl Command for WatchAccessReview {
    const NAME: &'static str = "WatchAccessReview";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let state = cx.load::<AccessReview>(self.review).await?;
        let Ok(review) = state.under_way() else { return Ok(Watch::Over) };
        let roster = cx.load::<Organization>(review.organization).await?;
        if roster.phase() == Phase::Closed {
            let reason = Reason::parse("The organization was closed.").map_err(Refusal::from)?;
            cancel(cx, review, reason).await?;
            return Ok(Watch::Over);
        }
        let mut left = review.delegates();
        left.retain(|delegate| !roster.is_active_member(*delegate, cx.now));
        if !left.is_empty() {
            let lapse = AccessReviewCommand::Lapse { left };
            cx.decide::<AccessReview>(self.review, lapse).await?;
        }
        let told = cx.decide::<AccessReview>(self.review, AccessReviewCommand::Watch).await?;
        let suspends = |event: &AccessReviewEvent| {
            matches!(
                event,
                AccessReviewEvent::AccessReviewEscalated { action: OverdueAction::Suspend, .. }
            )
        };
        if told.iter().any(suspends) {
            let reason = "Nobody signed the periodic review of access in time.";
            let reason = Reason::parse(reason).map_err(Refusal::from)?;
            let wish = OrganizationCommand::SuspendOrganization { reason: reason.clone() };
            // One that is stopped already, or goes over to another one, is not stopped again.
            if roster.is_active() && cx.consider::<Organization>(&roster, wish).is_ok() {
                suspend(cx, review.organization, reason).await?;
            }
        }
        let next = cx.load::<AccessReview>(self.review).await?.next_look(&cx.policy);
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        let change = policies.next_change(cx.now);
        // It is looked at as well when somebody leaves the organisation.
        Ok(Watch::On(next.map(|next| change.map_or(next, |change| change.min(next)))))
    }
}
