//! Who may help somebody else to sign in again (CC-06, C-05).
//!
//! Invariant: an administrator helps the active members of their own organisation only; plan staff
//! help anybody with an account, and those kept to some organisations (GN-31) only people who belong
//! to these alone.

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, UserId},
    organizations::Organization,
    tenants::PlanRole,
    users::{credential::UnlockCause, user::User},
};

use crate::{Access, Context, Failure, users::sole_care::answers_for};

/// Who of the plan helps people sign in.
const SUPPORT: &[PlanRole] = &[PlanRole::Ps, PlanRole::Pa];

/// The right to help; `organization` is none for plan staff.
pub(super) fn access(organization: Option<OrganizationId>) -> Access {
    match organization {
        Some(organization) => Access::OrgAdminOrPlan(organization, SUPPORT),
        None => Access::Plan(SUPPORT),
    }
}

/// As whom the caller helps.
pub(super) fn helper(cx: &Context<'_>) -> UnlockCause {
    if cx.authority.acts_for_plan() { UnlockCause::Plan } else { UnlockCause::Admin }
}

/// The person must have an account and, where an organisation is named, belong to it.
///
/// # Errors
/// `NOT_FOUND` or `FORBIDDEN` at `userId`, or the database did not answer.
pub(super) async fn require_helped(
    cx: &mut Context<'_>,
    user: UserId,
    organization: Option<OrganizationId>,
) -> Result<(), Failure> {
    let is_registered = cx.load::<User>(user).await?.profile().is_some();
    let is_theirs = match organization {
        Some(organization) => {
            cx.load::<Organization>(organization).await?.is_active_member(user, cx.now)
        }
        None => true,
    };
    if !is_registered || !is_theirs {
        return Err(Refusal::not_found("userId").into());
    }
    // Plan staff bring people into an organisation themselves, so that being there is not enough.
    if let Some(organization) = organization
        && cx.authority.acts_for_plan()
        && !answers_for(cx, user, organization).await?
    {
        let message = "This person does not belong to your organizations alone. Ask staff of the \
                       whole plan to help them.";
        return Err(Refusal::new(Code::Forbidden, message).at("userId").into());
    }
    Ok(())
}
