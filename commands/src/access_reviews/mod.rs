//! Periodic reviews of who has access (CC-13, GN-15): opened by hand or by the schedule, decided item by
//! item, carried out as they are decided, verified and signed.
//!
//! Invariant: what a decision takes away or changes, the roster or the permissions take away or change
//! in the same append, by their own rules; a refusal of theirs is one of the decision.

mod attest;
mod campaign;
mod carry_out;
mod changes;
mod closing;
mod complete;
mod confirm;
mod decide;
mod delegate;
mod delta;
mod keys;
mod leftovers;
mod open;
mod plan_staff;
mod preload;
pub mod receipt;
mod rights;
mod schedule;
mod scope;
mod submissions;
mod substitutes;
mod take_away;
mod template;
mod typed;
mod undo;
mod verify;
mod watch;

use std::sync::Arc;

use rollcall_domain::{
    Code, Refusal,
    access_reviews::{AccessReview, Review, ReviewScope, StandsInFor, sha256_of_lines},
    kernel::ids::{AccessReviewId, OrganizationId},
    tenants::PlanRole,
};

pub use attest::AttestOwnAccess;
pub use campaign::{CancelReviewCampaign, ContinueReviewCampaign, OpenReviewCampaign};
pub use changes::{OpenReviewOfChange, WhatChanged};
pub use closing::ContinueReview;
pub use complete::{CancelReview, CompleteReview};
pub use confirm::ConfirmReviewItems;
pub use decide::DecideReviewItems;
pub use delegate::DelegateReviewItems;
pub use leftovers::{Register, RegisterQuestion, Registered};
pub use open::OpenReview;
pub use schedule::OpenScheduledReview;
pub use substitutes::{EndReviewSubstitution, NameReviewSubstitute};
pub use take_away::ExportAccessReview;
pub use template::{
    ChangeReviewTemplate, Coverage, CoverageQuestion, Covered, CreateReviewTemplate,
    OpenDueReviewTemplate, OpenReviewTemplate, RetireReviewTemplate,
};
pub use undo::{GivenBack, UndoReviewDecision, UndoSelection};
pub use verify::VerifyReviewItems;
pub use watch::WatchAccessReview;

use self::plan_staff::{is_plans, require_administrator};
use crate::{Context, Failure, authorization::require_admin};

/// Plan staff who review an organisation's people beside its administrators.
pub const REVIEW_STAFF: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];

/// The reservation kind of open reviews: of one organisation and choice of people at most one.
const OPEN: &str = "access_review";

/// The natural key of an open review.
fn open_key(organization: OrganizationId, scope: &ReviewScope) -> String {
    let narrowed = |kind: &str, to: Option<String>| match to {
        Some(to) => format!("{kind}:{to}"),
        None => kind.to_owned(),
    };
    let scope = match scope {
        ReviewScope::Roster => "ROSTER".to_owned(),
        ReviewScope::Administrators => "ADMINISTRATORS".to_owned(),
        ReviewScope::Dormant { .. } => "DORMANT".to_owned(),
        ReviewScope::Rights => "RIGHTS".to_owned(),
        ReviewScope::Npi { npi } => narrowed("NPI", npi.as_ref().map(ToString::to_string)),
        ReviewScope::Feature { feature } => narrowed("FEATURE", feature.map(|it| it.to_string())),
        ReviewScope::JobRole { role } => narrowed("JOB_ROLE", role.map(|it| it.to_string())),
        ReviewScope::Location { location } => {
            narrowed("LOCATION", location.map(|it| it.to_string()))
        }
        ReviewScope::Affiliations { affiliation } => {
            narrowed("AFFILIATIONS", affiliation.map(|it| it.to_string()))
        }
        ReviewScope::People { users } => narrowed("PEOPLE", Some(sha256_of_lines(users))),
        ReviewScope::ApiKeys => "API_KEYS".to_owned(),
        ReviewScope::PlanStaff => "PLAN_STAFF".to_owned(),
    };
    format!("{organization}/{scope}")
}

/// The review, if it is one of this organisation, for whom may act in it.
async fn review_of(
    cx: &mut Context<'_>,
    id: AccessReviewId,
    organization: OrganizationId,
) -> Result<Arc<AccessReview>, Failure> {
    require_administrator(cx, organization)?;
    review_seen(cx, id, organization).await
}

/// The review, if it is one of this organisation, for whom may see it.
async fn review_seen(
    cx: &mut Context<'_>,
    id: AccessReviewId,
    organization: OrganizationId,
) -> Result<Arc<AccessReview>, Failure> {
    let state = cx.load::<AccessReview>(id).await?;
    match state.review() {
        Some(review) if review.organization == organization => Ok(state),
        // Whoever acts for the plan itself may know of every review.
        Some(_) if is_plans(cx, organization) => {
            let message = "This review is an organization's. Name the organization.";
            Err(Refusal::new(Code::FieldRequired, message).at("organizationId").into())
        }
        Some(_) | None => Err(Refusal::not_found("accessReviewId").into()),
    }
}

/// Lets the next review of these people be opened.
fn release(cx: &mut Context<'_>, review: &Review) {
    cx.work.release(OPEN, &open_key(review.organization, &review.scope), review.review.0);
}

/// Administrators and the plan decide about every item, other members about what was delegated to
/// them, and each about what those may in whose place they are.
fn require_reviewer(
    cx: &Context<'_>,
    (review, items): (&Review, &[u32]),
    stands_in_for: &[StandsInFor],
) -> Result<(), Refusal> {
    let person = cx.person()?;
    let stands_in = |user| stands_in_for.iter().any(|it| it.user == user);
    let administers = stands_in_for.iter().any(|it| it.administers);
    let is_theirs = |number: &u32| {
        review.item(*number).is_some_and(|item| match item.delegated {
            Some(delegation) => delegation.to == person || stands_in(delegation.to),
            None => administers,
        })
    };
    if cx.authority.acts_for_plan() || (!items.is_empty() && items.iter().all(is_theirs)) {
        return Ok(());
    }
    require_admin(&cx.authority)
}
