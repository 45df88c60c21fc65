//! `DecideReviewItems` (CC-13, GN-15).
//!
//! Invariant: the reviewer decides about what they were shown, which their receipt says, and what
//! follows for the roster is in the same append, or would have been where it waits for the closing.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    access_reviews::{
        AccessReview, AccessReviewCommand, AccessReviewEvent, DecideItems, Item, Recommendation,
        Review, ReviewDecision,
    },
    kernel::ids::{AccessReviewId, OrganizationId},
    values::Reason,
};

use super::{
    REVIEW_STAFF, carry_out::CarryOut, preload::preload, receipt, require_reviewer, review_of,
    substitutes::stands_in_for, typed::check_typed,
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
    /// Of many items: the decision and their number, as typed.
    pub confirmation: Option<String>,
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
        let review = state.under_way().map_err(Refusal::from)?;
        let stands_in_for = stands_in_for(cx, self.organization).await?;
        require_reviewer(cx, (review, &self.items), &stands_in_for)?;
        check_typed((word(self.decision), &self.items), self.confirmation.as_deref())?;
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
            stands_in_for,
            seen,
            evidence: self.evidence.clone(),
            recommendations: self.recommendations.clone(),
        };
        let decide = AccessReviewCommand::Decide(Box::new(wish));
        let (reason, evidence) = (self.reason.as_ref(), self.evidence.as_ref());
        let carry_out = CarryOut { review, reason, evidence };
        let events = cx.decide::<AccessReview>(self.review, decide).await?;
        // What waits is tried now, so that it is refused to whoever decides it.
        let trial = if review.defers() { Some(cx.set_aside()) } else { None };
        preload(cx, self.organization, &self.changing(review)).await?;
        for event in &events {
            if let AccessReviewEvent::ReviewItemDecided(decided) = event {
                carry_out.follow(cx, decided).await?;
            }
        }
        if let Some(aside) = trial {
            cx.take_up(aside);
        }
        Ok(self.review)
    }
}

impl DecideReviewItems {
    /// The items of which something is changed by it.
    fn changing<'a>(&self, review: &'a Review) -> Vec<&'a Item> {
        let follows = |item: &&Item| {
            let former = item.carried_out().map(|former| former.decision);
            let does = |decision: ReviewDecision| decision.is_to_be_carried_out();
            does(self.decision) || former.is_some_and(does)
        };
        self.items.iter().filter_map(|number| review.item(*number)).filter(follows).collect()
    }
}

/// What is typed of a decision.
const fn word(decision: ReviewDecision) -> &'static str {
    match decision {
        ReviewDecision::Keep => "KEEP",
        ReviewDecision::Revoke { .. } => "REVOKE",
        ReviewDecision::Change { .. } | ReviewDecision::ChangeLevel { .. } => "CHANGE",
    }
}
