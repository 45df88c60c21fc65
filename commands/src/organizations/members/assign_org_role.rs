//! `AssignOrgRole`: a member's organisation-wide permission (MC-47).
//!
//! Invariant: who may make administrators is the policy's word (C-06); an organisation without one
//! gets one from the plan under any policy (GN-10).

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization, OrganizationCommand, organization::RosterCommand},
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
        if self.role == OrgRole::Admin {
            let roster = &member.organization;
            let requested =
                roster.member(self.user).is_some_and(|member| member.admin_requested_by.is_some());
            check_creator(&cx.policy, by_plan, roster.is_adminless(cx.now), requested)?;
            if by_plan {
                keep_evidence(cx, member.key, self.evidence.as_ref()).await?;
            }
        }
        if let Some(reason) = &self.reason {
            cx.work.set_reason(Sealed::new(self.user, reason.to_string()));
        }
        let assign = OrganizationCommand::from(RosterCommand::AssignOrgRole {
            user: self.user,
            role: self.role,
            cause: cause(cx),
            authority: roster_authority(&cx.authority),
        });
        let before = member.organization.role_of(self.user, cx.now);
        cx.decide::<Organization>(self.organization, assign).await?;
        if self.role < before {
            let only = Some(self.organization);
            end_sessions_of(cx, self.user, only, EndCause::RoleRemoved).await?;
        }
        Ok(self.user)
    }
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
