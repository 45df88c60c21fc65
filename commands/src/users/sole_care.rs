//! Whether whoever acts answers for all that a person can do (MC-33, GN-31).
//!
//! Invariant: who is kept to some organisations, as their administrator or by the scope of a plan role,
//! changes no account that counts elsewhere too: not by membership alone, which plan staff give
//! themselves by attaching the person.

use rollcall_domain::{
    Decider, kernel::ids::OrganizationId, kernel::ids::UserId, organizations::Organization,
    tenants::PlanStaff,
};

use crate::{Context, Failure, organizations::members::MEMBER_STAFF};

/// Whether the person has no part in the plan's staff and in no organisation but this one and those
/// that the caller's plan role counts for; always where it counts for the whole plan.
///
/// # Errors
/// The database did not answer.
pub(super) async fn answers_for(
    cx: &mut Context<'_>,
    user: UserId,
    organization: OrganizationId,
) -> Result<bool, Failure> {
    let scope = cx.authority.plan_scope(MEMBER_STAFF);
    if scope.is_whole() {
        return Ok(true);
    }
    let (tenant, now) = (cx.tenant(), cx.now);
    let staff = cx.load::<PlanStaff>(tenant.plan_staff_stream(user)).await?;
    // One that begins later, too.
    if staff.grants().values().any(|role| role.until.is_none_or(|until| now < until)) {
        return Ok(false);
    }
    let mut elsewhere = cx.journal().streams_about(tenant, user, Organization::TYPE).await?;
    elsewhere.retain(|place| *place != organization.0 && !scope.covers(OrganizationId(*place)));
    let elsewhere = cx.load_all::<Organization>(&elsewhere).await?;
    Ok(!elsewhere.iter().any(|place| place.is_active_member(user, now)))
}
