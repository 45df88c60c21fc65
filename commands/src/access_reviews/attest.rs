//! `AttestOwnAccess`: somebody says of their own access whether they need it still (GN-15).
//!
//! Invariant: whoever is asked is an active member, and what they say decides nothing.

use async_trait::async_trait;
use rollcall_domain::{
    access_reviews::{AccessReview, AccessReviewCommand, AttestItems},
    kernel::ids::{AccessReviewId, OrganizationId},
    values::Reason,
};

use super::review_of;
use crate::{Access, Command, Context, Failure};

/// Says of items of a review, all of them the caller's own, whether they are needed still.
pub struct AttestOwnAccess {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// By their numbers.
    pub items: Vec<u32>,
    pub needed: bool,
    /// Required where it is not.
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for AttestOwnAccess {
    const NAME: &'static str = "AttestOwnAccess";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        review_of(cx, self.review, self.organization).await?;
        let (items, needed, reason) = (self.items.clone(), self.needed, self.reason.clone());
        let attest = AccessReviewCommand::Attest(Box::new(AttestItems { items, needed, reason }));
        cx.decide::<AccessReview>(self.review, attest).await?;
        Ok(self.review)
    }
}
