//! What a review looks like. Invariant: read from its stream, so that whoever changed it sees it changed.

use async_graphql::{Context, Enum, ID, Result, SimpleObject};
use rollcall_commands::Commands;
use rollcall_domain::{access_reviews, kernel::ids::AccessReviewId};

use crate::graphql::{errors::fault, reading::caller};

/// Where a review stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::access_reviews::ReviewStatus")]
pub enum AccessReviewStatus {
    Open,
    /// Due, and not signed; it can still be.
    Overdue,
    Completed,
    Cancelled,
}

/// A periodic review of who has access (CC-13).
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReview {
    pub id: ID,
    pub status: AccessReviewStatus,
}

/// The review that a command changed.
pub(super) async fn review_of(
    ctx: &Context<'_>,
    id: AccessReviewId,
) -> Result<Option<AccessReview>> {
    let (commands, tenant) = (ctx.data::<Commands>()?, caller(ctx)?.tenant);
    let loaded = commands.journal.load_fresh::<access_reviews::AccessReview>(tenant, id.0).await;
    let state = loaded.map_err(|error| fault(&error))?.state;
    Ok(state.review().map(|review| AccessReview {
        id: ID(review.review.to_string()),
        status: review.status.into(),
    }))
}
