//! `DecideReviewItems` (CC-13, GN-15).
//!
//! Invariant: the reviewer decides about what they were shown, which their receipt says, and what
//! follows for the roster is in the same append.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::{
    access_reviews::{
        AccessReview, AccessReviewCommand, AccessReviewEvent, DecideItems, Recommendation,
        ReviewDecision,
    },
    kernel::ids::{AccessReviewId, OrganizationId},
    values::Reason,
};

use super::{
    REVIEW_STAFF, carry_out::CarryOut, receipt, require_reviewer, review_of, rights::preload,
};
use crate::{
    Access, Command, Context, Failure, authorization::require_admin,
    organizations::members::roster_authority,
};

/// Decides about items of a review, all of them alike.
pub struct DecideReviewItems {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// By their numbers.
    pub items: Vec<u32>,
    pub decision: ReviewDecision,
    /// Required to take access away or change it.
    pub reason: Option<Reason>,
    /// What shows that plan staff had to take an administrator's access away, or to appoint one;
    /// required of them then (CC-07).
    pub evidence: Option<Reason>,
    /// As it came with the page of items.
    pub receipt: String,
    /// What was recommended, by the numbers of the items (GN-16).
    pub recommendations: BTreeMap<u32, Recommendation>,
}

#[async_trait]
impl Command for DecideReviewItems {
    const NAME: &'static str = "DecideReviewItems";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::MemberOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(rollcall_domain::Refusal::from)?;
        require_reviewer(cx, review, &self.items)?;
        if matches!(self.decision, ReviewDecision::Change { .. }) && !cx.authority.acts_for_plan() {
            // A delegate judges who still needs access; roles are given by those who administer.
            require_admin(&cx.authority)?;
        }
        let seen = receipt::read(cx.journal().secrets(), cx.person()?, &self.receipt)?;
        let wish = DecideItems {
            items: self.items.clone(),
            decision: self.decision,
            reason: self.reason.clone(),
            authority: roster_authority(&cx.authority),
            seen,
            recommendations: self.recommendations.clone(),
        };
        let decide = AccessReviewCommand::Decide(Box::new(wish));
        let (reason, evidence) = (self.reason.as_ref(), self.evidence.as_ref());
        let carry_out = CarryOut { review, reason, evidence };
        preload(cx, review, (self.items.as_slice(), self.decision)).await?;
        for event in cx.decide::<AccessReview>(self.review, decide).await? {
            if let AccessReviewEvent::ReviewItemDecided(decided) = event {
                carry_out.follow(cx, &decided).await?;
            }
        }
        Ok(self.review)
    }
}
