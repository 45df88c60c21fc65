//! `RequestAdditionalAdmin`, `DeclineAdditionalAdmin`: a further administrator by the plan (CX-05).
//!
//! Invariant: the plan grants a request by `AssignOrgRole`, which closes it.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, UserId},
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
    policies::AdminCreator,
    values::Reason,
};

use super::MEMBER_STAFF;
use crate::{Access, Command, Context, Failure, permissions::member::member};

/// An administrator asks the plan to make a member administrator.
pub struct RequestAdditionalAdmin {
    pub organization: OrganizationId,
    pub user: UserId,
    pub reason: Reason,
}

#[async_trait]
impl Command for RequestAdditionalAdmin {
    const NAME: &'static str = "RequestAdditionalAdmin";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        if !cx.policy.admin_creators().contains(&AdminCreator::PlanStaffOnRequest) {
            let message = "Administrators are not set up by request here. Appoint one yourself.";
            return Err(Refusal::new(Code::Forbidden, message).into());
        }
        member(cx, self.organization, self.user, None).await?;
        let request = RosterCommand::RequestAdmin { user: self.user, reason: self.reason.clone() };
        cx.decide::<Organization>(self.organization, OrganizationCommand::from(request)).await?;
        Ok(self.user)
    }
}

/// The plan says no.
pub struct DeclineAdditionalAdmin {
    pub organization: OrganizationId,
    pub user: UserId,
    pub reason: Reason,
}

#[async_trait]
impl Command for DeclineAdditionalAdmin {
    const NAME: &'static str = "DeclineAdditionalAdmin";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        member(cx, self.organization, self.user, None).await?;
        let (user, reason) = (self.user, self.reason.clone());
        let decline = RosterCommand::DeclineAdminRequest { user, reason };
        cx.decide::<Organization>(self.organization, OrganizationCommand::from(decline)).await?;
        Ok(user)
    }
}
