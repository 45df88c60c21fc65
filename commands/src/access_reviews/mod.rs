//! Periodic reviews of who has access (CC-13, GN-15): opened by hand or by the schedule, decided item by
//! item, carried out as they are decided, verified and signed.
//!
//! Invariant: what a decision takes away or changes, the roster takes away or changes in the same
//! append, by its own rules; a refusal of the roster's is one of the decision.

mod carry_out;
mod complete;
mod decide;
mod delegate;
mod leftovers;
mod open;
pub mod receipt;
mod schedule;
mod take_away;
mod undo;
mod verify;
mod watch;

use std::sync::Arc;

use rollcall_domain::{
    Refusal,
    access_reviews::{AccessReview, Review, ReviewScope},
    kernel::ids::{AccessReviewId, OrganizationId},
    tenants::PlanRole,
};

pub use complete::{CancelReview, CompleteReview};
pub use decide::DecideReviewItems;
pub use delegate::DelegateReviewItems;
pub use leftovers::{Register, RegisterQuestion, Registered};
pub use open::OpenReview;
pub use schedule::OpenScheduledReview;
pub use take_away::ExportAccessReview;
pub use undo::{GivenBack, UndoReviewDecision, UndoSelection};
pub use verify::VerifyReviewItem;
pub use watch::WatchAccessReview;

use crate::{Context, Failure, authorization::require_admin};

/// Plan staff who review an organisation's people beside its administrators.
pub const REVIEW_STAFF: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];

/// The reservation kind of open reviews: of one organisation and choice of people at most one.
const OPEN: &str = "access_review";

/// The natural key of an open review.
fn open_key(organization: OrganizationId, scope: ReviewScope) -> String {
    let scope = match scope {
        ReviewScope::Roster => "ROSTER",
        ReviewScope::Administrators => "ADMINISTRATORS",
        ReviewScope::Dormant { .. } => "DORMANT",
    };
    format!("{organization}/{scope}")
}

/// The review, if it is one of this organisation.
async fn review_of(
    cx: &mut Context<'_>,
    id: AccessReviewId,
    organization: OrganizationId,
) -> Result<Arc<AccessReview>, Failure> {
    let state = cx.load::<AccessReview>(id).await?;
    if state.review().is_some_and(|review| review.organization == organization) {
        return Ok(state);
    }
    Err(Refusal::not_found("accessReviewId").into())
}

/// Lets the next review of these people be opened.
fn release(cx: &mut Context<'_>, review: &Review) {
    cx.work.release(OPEN, &open_key(review.organization, review.scope), review.review.0);
}

/// Administrators and the plan decide about every item, other members about what was delegated to
/// them.
fn require_reviewer(cx: &Context<'_>, review: &Review, items: &[u32]) -> Result<(), Refusal> {
    let person = cx.person()?;
    let is_delegates = |number: &u32| {
        let delegated = review.item(*number).and_then(|item| item.delegated);
        delegated.is_some_and(|delegation| delegation.to == person)
    };
    if cx.authority.acts_for_plan() || (!items.is_empty() && items.iter().all(is_delegates)) {
        return Ok(());
    }
    require_admin(&cx.authority)
}
