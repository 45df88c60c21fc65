//! `UnlockUser` and `ExpireLock`: a lock ends by a helper or by time (CC-06, AL-06, CX-08).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, UserId},
    organizations::Organization,
    policies::Unlocker,
    tenants::PlanRole,
    users::{
        credential::{Credential, CredentialCommand, UnlockCause},
        user::User,
    },
};

use crate::{Access, Command, Context, Failure, authorization::forbidden};

/// Who of the plan helps people sign in.
const SUPPORT: &[PlanRole] = &[PlanRole::Ps, PlanRole::Pa];

/// Lifts the lock of somebody's account.
pub struct UnlockUser {
    pub user: UserId,
    /// The organisation in which the helper administers the person; none for plan staff.
    pub organization: Option<OrganizationId>,
}

#[async_trait]
impl Command for UnlockUser {
    const NAME: &'static str = "UnlockUser";
    type Output = UserId;

    fn access(&self) -> Access {
        match self.organization {
            Some(organization) => Access::OrgAdminOrPlan(organization, SUPPORT),
            None => Access::Plan(SUPPORT),
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let (by, unlocker) = if cx.authority.acts_for_plan() {
            (UnlockCause::Plan, Unlocker::PlanStaff)
        } else {
            (UnlockCause::Admin, Unlocker::OrganizationAdmin)
        };
        if !cx.policy.lockout().unlockers.contains(&unlocker) {
            return Err(forbidden().into());
        }
        let is_registered = cx.load::<User>(self.user).await?.profile().is_some();
        let is_theirs = match self.organization {
            Some(organization) => {
                cx.load::<Organization>(organization).await?.is_active_member(self.user)
            }
            None => true,
        };
        if !is_registered || !is_theirs {
            return Err(Refusal::not_found("userId").into());
        }
        let unlock = CredentialCommand::UnlockUser { by };
        cx.decide::<Credential>(cx.tenant().credential_stream(self.user), unlock).await?;
        Ok(self.user)
    }
}

/// The scheduler records that a lock's time ran out; the lock itself opened at that second.
pub struct ExpireLock {
    pub user: UserId,
}

#[async_trait]
impl Command for ExpireLock {
    const NAME: &'static str = "ExpireLock";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let credential = cx.tenant().credential_stream(self.user);
        cx.decide::<Credential>(credential, CredentialCommand::ExpireLock).await?;
        Ok(())
    }
}
