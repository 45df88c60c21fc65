//! The roles of the plan's own people as a review's items: who reviews them, which there are, and how one is ended
//! and given back (GN-15, GN-31).
//!
//! Invariant: such a review is of the plan itself and of no organisation; administrators of the whole plan decide
//! in it, and the streams of plan staff say who holds what.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::{
    Code, Decider, Refusal,
    access_reviews::{Item, ReviewDecision, ReviewScope, Reviewed, ReviewedAccess, Since},
    kernel::ids::{OrganizationId, UserId},
    tenants::{PlanRole, PlanRoleEnd, PlanStaff},
    values::Reason,
};
use rollcall_journal::After;
use uuid::Uuid;

use super::rights::{Right, over_already};
use crate::{
    Command, Context, Failure,
    tenants::{AssignPlanRole, end_plan_role},
};

/// Why a role is given back where the reviewer wrote no reason.
const KEPT: &str = "A reviewer kept it in the periodic review of access.";

/// Demands that the plan's own people are reviewed as those of the plan itself, and nobody else so.
///
/// # Errors
/// `FIELD_INVALID` where an organisation is named, `NOT_FOUND`, or `FORBIDDEN`.
pub(super) fn check_whose(
    cx: &Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
) -> Result<(), Refusal> {
    let is_of_staff = *scope == ReviewScope::PlanStaff;
    match (is_of_staff, is_plans(cx, organization)) {
        (true, true) => require_administrator(cx, organization),
        (true, false) => {
            let message =
                "The plan's own people are no organization's. Leave the organization out.";
            Err(Refusal::new(Code::FieldInvalid, message).at("organizationId"))
        }
        (false, true) => Err(Refusal::not_found("organizationId")),
        (false, false) => Ok(()),
    }
}

/// Whether it is the plan itself.
pub(super) fn is_plans(cx: &Context<'_>, organization: OrganizationId) -> bool {
    organization == cx.tenant().plan_itself()
}

/// Of the plan itself, demands one of its administrators: other staff look on.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn require_administrator(
    cx: &Context<'_>,
    organization: OrganizationId,
) -> Result<(), Refusal> {
    // What is held for some organisations only covers no review of the plan itself.
    if !is_plans(cx, organization) || cx.authority.plan_roles.contains_key(&PlanRole::Pa) {
        return Ok(());
    }
    let message = "The plan's administrators review its own people. Ask one of them.";
    Err(Refusal::new(Code::Forbidden, message))
}

/// Every role of the plan's people that is in force, in the order of a list.
pub(super) async fn roles(cx: &mut Context<'_>) -> Result<Vec<Reviewed>, Failure> {
    let streams = cx.journal().streams_of(cx.tenant(), PlanStaff::TYPE).await?;
    let (staff, now) = (cx.load_all::<PlanStaff>(&streams).await?, cx.now);
    let held = staff.iter().flat_map(|staff| staff.in_force(now));
    let mut held: Vec<Reviewed> =
        held.map(|(role, grant)| Reviewed::of_plan_role(role, grant)).collect();
    held.sort_unstable();
    Ok(held)
}

/// The role of somebody as they hold it now.
pub(super) async fn held(
    cx: &mut Context<'_>,
    user: UserId,
    role: PlanRole,
) -> Result<Option<ReviewedAccess>, Failure> {
    let (stream, now) = (cx.tenant().plan_staff_stream(user), cx.now);
    let staff = cx.load::<PlanStaff>(stream).await?;
    let grant = staff.in_force(now).find(|(held, _)| *held == role).map(|(_, grant)| grant);
    Ok(grant.map(|grant| Reviewed::of_plan_role(role, grant).access))
}

/// Which of the roles among these items are held now, all read at once.
pub(super) async fn held_of(
    cx: &mut Context<'_>,
    items: impl Iterator<Item = &Item>,
) -> Result<BTreeSet<(UserId, PlanRole)>, Failure> {
    let of_staff = items.filter(|item| item.access.plan_role().is_some()).map(|item| item.user);
    let users: BTreeSet<UserId> = of_staff.collect();
    let tenant = cx.tenant();
    let streams: Vec<Uuid> = users.iter().map(|user| tenant.plan_staff_stream(*user)).collect();
    let (staff, now) = (cx.load_all::<PlanStaff>(&streams).await?, cx.now);
    let roles = |(user, staff): (UserId, std::sync::Arc<PlanStaff>)| {
        staff.roles_at(now).into_iter().map(move |role| (user, role))
    };
    Ok(users.into_iter().zip(staff).flat_map(roles).collect())
}

/// What happened since to the roles of these people.
pub(super) async fn history(
    cx: &Context<'_>,
    matching: &[(&Reviewed, i64)],
) -> Result<Since, Failure> {
    let tenant = cx.tenant();
    let Some(position) = matching.iter().map(|(_, since)| *since).min() else {
        return Ok(Since::default());
    };
    let streams: BTreeMap<Uuid, UserId> = matching
        .iter()
        .map(|(reviewed, _)| (tenant.plan_staff_stream(reviewed.user), reviewed.user))
        .collect();
    let after = After { tenant, ids: streams.keys().copied().collect(), position };
    let told = cx.journal().told_after::<PlanStaff>(after).await?;
    let of_user = told.into_iter().filter_map(|(id, told)| Some((*streams.get(&id)?, told)));
    Ok(Since::of_plan_staff(of_user.collect()))
}

/// Does what is decided about a role, and takes back what a former decision did.
pub(super) async fn follow(
    cx: &mut Context<'_>,
    (right, role): (&Right<'_>, PlanRole),
    (former, new): (Option<ReviewDecision>, ReviewDecision),
) -> Result<(), Failure> {
    use ReviewDecision as D;
    let done = match (former, new) {
        // For another reason alone.
        (Some(D::Revoke { .. }), D::Revoke { .. }) => Ok(()),
        (Some(D::Revoke { .. }), D::Keep) => give_back(cx, right, role).await,
        (_, D::Revoke { .. }) => end(cx, right, role).await,
        (_, D::Keep | D::Change { .. } | D::ChangeLevel { .. }) => Ok(()),
    };
    done.map_err(|failure| match failure {
        Failure::Refused(refusal) => {
            Failure::Refused(refusal.at("items").details([right.item.to_string()]))
        }
        other @ (Failure::RefusedOnRecord(_) | Failure::Journal(_) | Failure::Database(_)) => other,
    })
}

/// Ends a role under the rule that the plan keeps its administrators.
async fn end(cx: &mut Context<'_>, right: &Right<'_>, role: PlanRole) -> Result<(), Failure> {
    if held(cx, right.user, role).await?.is_none() {
        return Err(over_already(right.item).into());
    }
    let why = (PlanRoleEnd::Review, right.reason.cloned());
    end_plan_role(cx, (right.user, role), why).await
}

/// The role as it was on the list, if a review ended it last and its time is not over.
async fn give_back(cx: &mut Context<'_>, right: &Right<'_>, role: PlanRole) -> Result<(), Failure> {
    let ReviewedAccess::PlanRole { organizations, until, .. } = right.listed else {
        return Ok(());
    };
    if until.is_some_and(|until| until <= cx.now) {
        return Ok(());
    }
    let stream = cx.tenant().plan_staff_stream(right.user);
    // Guarded, as what its history says is relied on.
    cx.load::<PlanStaff>(stream).await?;
    let history = cx.journal().events::<PlanStaff>(cx.tenant(), stream).await?;
    if !right.listed.was_ended_by_review(&history) {
        return Ok(());
    }
    let reason = right.reason.cloned().map_or_else(|| Reason::parse(KEPT), Ok);
    let assign = AssignPlanRole {
        user: right.user,
        role,
        from: None,
        until: *until,
        organizations: organizations.clone(),
        reason: reason.map_err(Refusal::from)?,
    };
    assign.handle(cx).await.map(drop)
}
