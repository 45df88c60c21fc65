//! `UnlockUser` and `ExpireLock`: a lock ends by a helper or by time (CC-06, AL-06, CX-08).

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    policies::Unlocker,
    users::credential::{Credential, CredentialCommand, UnlockCause},
};

use super::helping::{access, helper, require_helped};
use crate::{Access, Command, Context, Failure, authorization::forbidden};

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
        access(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let by = helper(cx);
        let unlocker = match by {
            UnlockCause::Plan => Unlocker::PlanStaff,
            UnlockCause::Admin | UnlockCause::Reset | UnlockCause::Timer => {
                Unlocker::OrganizationAdmin
            }
        };
        if !cx.policy.lockout().unlockers.contains(&unlocker) {
            return Err(forbidden().into());
        }
        require_helped(cx, self.user, self.organization).await?;
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
