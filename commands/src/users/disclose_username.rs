//! `DiscloseUsername`: support tells a user name to somebody who forgot it (AL-03).
//!
//! Invariant: it is on record who told it and why, and its owner is told of it.

use async_trait::async_trait;
use rollcall_domain::{
    Sealed,
    kernel::ids::UserId,
    tenants::PlanRole,
    users::user::{User, UserCommand},
    values::Reason,
};

use crate::{Access, Command, Context, Failure};

/// Who of the plan tells user names.
pub const SUPPORT: &[PlanRole] = &[PlanRole::Ps, PlanRole::Pa];

/// Records that a user name was told; the caller reads it in the answer.
pub struct DiscloseUsername {
    pub user: UserId,
    /// How the person who asked was recognised.
    pub reason: Reason,
}

#[async_trait]
impl Command for DiscloseUsername {
    const NAME: &'static str = "DiscloseUsername";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(SUPPORT)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        cx.work.set_reason(Sealed::new(self.user, self.reason.to_string()));
        cx.decide::<User>(self.user, UserCommand::DiscloseUsername).await?;
        Ok(self.user)
    }
}
