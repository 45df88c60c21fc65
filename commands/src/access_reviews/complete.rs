//! `CompleteReview` and `CancelReview` (CC-13).
//!
//! Invariant: who is gone and who is new is asked of the roster as the append finds it; what is still
//! to be taken away is not signed as gone.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    access_reviews::{
        ATTESTATION_VERSION, AccessReview, AccessReviewCommand, CompleteReview as Completion, Item,
        Opener, Review, ReviewDecision, campaign::ReviewEnd,
    },
    audit::ReviewSignature,
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::Organization,
    values::{PersonName, Reason},
};

use super::{REVIEW_STAFF, campaign::tell, release, review_of};
use crate::{Access, Command, Context, Failure};

/// Signs a review.
pub struct CompleteReview {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// As typed.
    pub name: PersonName,
    /// Whether the statement was confirmed.
    pub attested: bool,
}

/// Ends a review without a result.
pub struct CancelReview {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    pub reason: Reason,
}

#[async_trait]
impl Command for CompleteReview {
    const NAME: &'static str = "CompleteReview";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(Refusal::from)?;
        let roster = cx.load::<Organization>(self.organization).await?;
        let is_gone = |item: &Item| {
            let is_active = roster.is_active_member(item.user, cx.now);
            let decision = item.decided.as_ref().map(|decided| decided.decision);
            !is_active && !matches!(decision, Some(ReviewDecision::Revoke { .. }))
        };
        let gone = review.items().filter(|(_, item)| is_gone(item)).map(|(number, _)| number);
        let done = Completion {
            attested: self.attested,
            signature: ReviewSignature {
                name: Sealed::new(self.review, self.name.clone()),
                statement: ATTESTATION_VERSION.to_owned(),
            },
            gone: gone.collect(),
            joiners: joiners(cx, review, &roster),
        };
        let complete = AccessReviewCommand::Complete(Box::new(done));
        cx.decide::<AccessReview>(self.review, complete).await?;
        tell(cx, review, ReviewEnd::Signed).await?;
        release(cx, review);
        Ok(self.review)
    }
}

/// How many active members became so since the list was frozen.
fn joiners(cx: &Context<'_>, review: &Review, roster: &Organization) -> u32 {
    let listed: BTreeSet<UserId> = review.items().map(|(_, item)| item.user).collect();
    let joined = roster.members().filter(|(user, member)| {
        let is_new = member.active_since.is_some_and(|since| since > review.opened_at);
        is_new && member.is_active(cx.now) && !listed.contains(user)
    });
    u32::try_from(joined.count()).unwrap_or(u32::MAX)
}

#[async_trait]
impl Command for CancelReview {
    const NAME: &'static str = "CancelReview";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(Refusal::from)?;
        // Nobody under review calls off the review that the plan's policy demands of them.
        let is_the_plans = review.opened_by == Opener::Scheduled || review.campaign.is_some();
        if is_the_plans && !cx.authority.acts_for_plan() {
            let message = "This review is the health plan's. Ask it to cancel the review.";
            return Err(Refusal::new(Code::Forbidden, message).at("accessReviewId").into());
        }
        cancel(cx, review, self.reason.clone()).await?;
        Ok(self.review)
    }
}

/// Cancels a review that is under way.
pub(super) async fn cancel(
    cx: &mut Context<'_>,
    review: &Review,
    reason: Reason,
) -> Result<(), Failure> {
    cx.decide::<AccessReview>(review.review, AccessReviewCommand::Cancel { reason }).await?;
    tell(cx, review, ReviewEnd::Cancelled).await?;
    release(cx, review);
    Ok(())
}
