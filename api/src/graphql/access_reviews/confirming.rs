//! `confirmReviewItems` (GN-15).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::access_reviews::ConfirmReviewItems;
use rollcall_domain::{Refusal, kernel::ids::TenantId};

use super::{
    mutations::{changed, numbers, review},
    types::AccessReview,
    whose::{send_of, whose},
};
use crate::graphql::{
    reading::caller,
    sending::{MutationMeta, payload},
};

/// Decisions to confirm.
#[derive(Debug, InputObject)]
pub struct ConfirmReviewItemsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    /// By their numbers, 1 to 1,000.
    items: Vec<i32>,
    /// As it came with the page of items.
    receipt: String,
    /// Of more than 10 items: their number as typed, `CONFIRM 25`.
    confirmation: Option<String>,
}

impl ConfirmReviewItemsInput {
    fn command(&self, tenant: TenantId) -> std::result::Result<ConfirmReviewItems, Refusal> {
        Ok(ConfirmReviewItems {
            organization: whose(self.organization_id.as_ref(), tenant)?,
            review: review(&self.access_review_id)?,
            items: numbers(&self.items),
            receipt: self.receipt.clone(),
            confirmation: self.confirmation.clone(),
        })
    }
}

payload! {
    /// The review with what was confirmed.
    ConfirmReviewItemsPayload { access_review: AccessReview }
}

/// Commands of second reviewers.
#[derive(Default)]
pub struct ReviewConfirmationMutation;

#[Object]
impl ReviewConfirmationMutation {
    /// Confirms what somebody else decided in a review that has a second reviewer (GN-15), for other administrators of
    /// the organization and plan staff, or for the plan alone. What is to be taken away or changed is so then, or when
    /// the review closes. Who does not agree decides otherwise, which somebody else confirms. Refusals: NOT_PENDING
    /// (nothing to confirm), FORBIDDEN (decided oneself; the plan's to confirm), SELF_REVIEW, REVIEW_CLOSED,
    /// NOT_ORG_ADMIN, NOT_FOUND, FIELD_INVALID (the receipt), FIELD_REQUIRED, CONFIRMATION_REQUIRED, BULK_LIMIT, ALREADY_INACTIVE (the
    /// access is over), and what the roster and the permissions refuse, as LAST_ADMIN.
    async fn confirm_review_items(
        &self,
        ctx: &Context<'_>,
        input: ConfirmReviewItemsInput,
    ) -> Result<ConfirmReviewItemsPayload> {
        let command = input.command(caller(ctx)?.tenant);
        let sent = send_of(ctx, input.meta, command, input.organization_id.as_ref()).await?;
        let review = changed(ctx, &sent).await?;
        Ok(ConfirmReviewItemsPayload::of(sent, review))
    }
}
