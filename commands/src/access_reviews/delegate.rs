//! `DelegateReviewItems` (GN-15).
//!
//! Invariant: whoever decides about an organisation's people is one of them, or the plan's.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{AccessReview, AccessReviewCommand, DelegateItems},
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::Organization,
    values::Reason,
};

use super::{
    REVIEW_STAFF, plan_staff::is_plans, require_reviewer, review_of, substitutes::substitute_of,
};
use crate::{Access, Command, Context, Failure, organizations::members::roster_authority};

/// Has somebody else decide about items, or takes them back.
pub struct DelegateReviewItems {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// By their numbers.
    pub items: Vec<u32>,
    /// None takes them back.
    pub to: Option<UserId>,
    pub reason: Reason,
}

#[async_trait]
impl Command for DelegateReviewItems {
    const NAME: &'static str = "DelegateReviewItems";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::MemberOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(Refusal::from)?;
        // Whoever stands in for somebody passes nothing on.
        require_reviewer(cx, (review, &self.items), &[])?;
        let mut substitute = None;
        if let Some(to) = self.to {
            if is_plans(cx, self.organization) {
                let message = "Nobody is a member of the plan itself. Its administrators decide, each about \
                               all the others.";
                return Err(Refusal::new(Code::NotAMember, message).at("to").into());
            }
            let roster = cx.load::<Organization>(self.organization).await?;
            if !roster.is_active_member(to, cx.now) {
                let message = "Choose an active member of the organization.";
                return Err(Refusal::new(Code::NotAMember, message).at("to").into());
            }
            substitute = substitute_of(cx, self.organization, to).await?;
        }
        let wish = DelegateItems {
            items: self.items.clone(),
            to: self.to,
            substitute,
            reason: self.reason.clone(),
            authority: roster_authority(&cx.authority),
        };
        let delegate = AccessReviewCommand::Delegate(Box::new(wish));
        cx.decide::<AccessReview>(self.review, delegate).await?;
        Ok(self.review)
    }
}
