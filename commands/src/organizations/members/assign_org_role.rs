//! `AssignOrgRole`: a member's organisation-wide permission (MC-47).
//!
//! Invariant: who may make administrators is the policy's word (C-06); an organisation without one
//! gets one from the plan under any policy (GN-10).

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization, OrganizationCommand, organization::RosterCommand},
    permissions::{Cause, membership::MembershipKey},
    policies::{AdminCreator, Policy},
    sessions::EndCause,
    values::Reason,
};

use super::{MEMBER_STAFF, cause, keep_evidence, reason_required, roster_authority};
use crate::{
    Access, Command, Context, Failure, permissions::member::member, sessions::end_sessions_of,
};

/// Gives a member, or an invited person, an organisation-wide role.
pub struct AssignOrgRole {
    pub organization: OrganizationId,
    pub user: UserId,
    pub role: OrgRole,
    /// Required of plan staff.
    pub reason: Option<Reason>,
    /// What shows that plan staff had to appoint an administrator; required of them then (CC-07).
    pub evidence: Option<Reason>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for AssignOrgRole {
    const NAME: &'static str = "AssignOrgRole";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        let by_plan = cx.authority.acts_for_plan();
        if by_plan && self.reason.is_none() {
            return Err(reason_required().into());
        }
        if let Some(reason) = &self.reason {
            cx.work.set_reason(Sealed::new(self.user, reason.to_string()));
        }
        let appointment = Appointment { cause: cause(cx), evidence: self.evidence.as_ref() };
        assign_role(cx, (member.key.organization, self.user), self.role, appointment).await?;
        Ok(self.user)
    }
}

/// By what somebody comes to a role.
#[derive(Clone, Copy)]
pub(crate) struct Appointment<'a> {
    pub cause: Cause,
    /// As [`AssignOrgRole::evidence`].
    pub evidence: Option<&'a Reason>,
}

/// Gives a member a role, where the caller's side may; sessions end with what they had more.
pub(crate) async fn assign_role(
    cx: &mut Context<'_>,
    (organization, user): (OrganizationId, UserId),
    role: OrgRole,
    Appointment { cause, evidence }: Appointment<'_>,
) -> Result<(), Failure> {
    let roster = cx.load::<Organization>(organization).await?;
    let by_plan = cx.authority.acts_for_plan();
    if role == OrgRole::Admin {
        let requested =
            roster.member(user).is_some_and(|member| member.admin_requested_by.is_some());
        check_creator(&cx.policy, by_plan, roster.is_adminless(cx.now), requested)?;
        if by_plan {
            keep_evidence(cx, MembershipKey { user, organization }, evidence).await?;
        }
    }
    let before = roster.role_of(user, cx.now);
    give_role_back(cx, (organization, user), role, cause).await?;
    if role < before {
        end_sessions_of(cx, user, Some(organization), EndCause::RoleRemoved).await?;
    }
    Ok(())
}

/// Gives a member a role that is nobody's appointment: one they had.
pub(crate) async fn give_role_back(
    cx: &mut Context<'_>,
    (organization, user): (OrganizationId, UserId),
    role: OrgRole,
    cause: Cause,
) -> Result<(), Failure> {
    let authority = roster_authority(&cx.authority);
    let assign = RosterCommand::AssignOrgRole { user, role, cause, authority };
    cx.decide::<Organization>(organization, OrganizationCommand::from(assign)).await?;
    Ok(())
}

/// Whether the caller's side makes administrators here.
pub(crate) fn check_creator(
    policy: &Policy,
    by_plan: bool,
    is_adminless: bool,
    is_requested: bool,
) -> Result<(), Refusal> {
    let creators = policy.admin_creators();
    let has = |creator: AdminCreator| creators.contains(&creator);
    let (may, message) = if by_plan {
        let may = is_adminless
            || has(AdminCreator::PlanStaff)
            || (is_requested && has(AdminCreator::PlanStaffOnRequest));
        (may, "An administrator of the organization appoints further ones here.")
    } else {
        let may = has(AdminCreator::OrganizationAdmin);
        (may, "The health plan sets up further administrators here. Contact the health plan.")
    };
    if may { Ok(()) } else { Err(Refusal::new(Code::Forbidden, message).at("role")) }
}
