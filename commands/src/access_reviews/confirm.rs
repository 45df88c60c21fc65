//! `ConfirmReviewItems`: a second reviewer confirms what another decided (GN-15).
//!
//! Invariant: what is confirmed is carried out in the same append, by what it was decided by, unless it waits
//! for the closing.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    access_reviews::{AccessReview, AccessReviewCommand, AccessReviewEvent, ConfirmItems, Review},
    kernel::ids::{AccessReviewId, OrganizationId},
};

use super::{REVIEW_STAFF, closing::carry_out, receipt, review_of, typed::check_typed};
use crate::{Access, Command, Context, Failure, organizations::members::roster_authority};

/// Confirms decisions of a review.
pub struct ConfirmReviewItems {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// By their numbers.
    pub items: Vec<u32>,
    /// As it came with the page of items.
    pub receipt: String,
    /// Of many items: `CONFIRM` and their number, as typed.
    pub confirmation: Option<String>,
}

#[async_trait]
impl Command for ConfirmReviewItems {
    const NAME: &'static str = "ConfirmReviewItems";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(Refusal::from)?;
        check_typed(("CONFIRM", &self.items), self.confirmation.as_deref())?;
        let wish = ConfirmItems {
            items: self.items.clone(),
            authority: roster_authority(&cx.authority),
            seen: receipt::read(cx.journal().secrets(), cx.person()?, &self.receipt)?,
        };
        let confirm = AccessReviewCommand::Confirm(Box::new(wish));
        for event in cx.decide::<AccessReview>(self.review, confirm).await? {
            if let AccessReviewEvent::ReviewItemConfirmed { item, .. } = event {
                follow(cx, review, item).await?;
            }
        }
        Ok(self.review)
    }
}

/// What was decided about an item is done, where it waits for nothing else.
async fn follow(cx: &mut Context<'_>, review: &Review, number: u32) -> Result<(), Failure> {
    let Some(item) = review.item(number).filter(|_| !review.keeps_for_closing()) else {
        return Ok(());
    };
    let Some(decided) = &item.decided else { return Ok(()) };
    carry_out(cx, review, (number, item, decided)).await
}
