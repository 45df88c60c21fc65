//! `AdminResetPassword`: a helper has a link or a temporary password mailed (CC-06).
//!
//! Invariant: nobody but the person ever sees the new secret; the present password lets its owner
//! change it and nothing else.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{LinkId, OrganizationId, UserId, VaultRef},
    policies::ResetHelper,
    sessions::EndCause,
    users::credential::{Credential, CredentialCommand, ResetWay, UnlockCause},
};
use uuid::Uuid;

use super::{
    helping::{access, helper, require_helped},
    temporary_password,
};
use crate::{
    Access, Command, Context, Failure,
    authorization::forbidden,
    sessions::end_sessions_of,
    users::{
        keep_password,
        links::{self, RESET_PASSWORD},
    },
};

/// What is mailed to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetSecret {
    Link,
    TemporaryPassword,
}

/// Resets somebody else's password.
pub struct AdminResetPassword {
    pub user: UserId,
    /// The organisation in which the helper administers the person; none for plan staff.
    pub organization: Option<OrganizationId>,
    pub secret: ResetSecret,
}

#[async_trait]
impl Command for AdminResetPassword {
    const NAME: &'static str = "AdminResetPassword";
    type Output = UserId;

    fn access(&self) -> Access {
        access(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let by = helper(cx);
        let side = match by {
            UnlockCause::Plan => ResetHelper::PlanStaff,
            UnlockCause::Admin | UnlockCause::Reset | UnlockCause::Timer => {
                ResetHelper::OrganizationAdmin
            }
        };
        if !cx.policy.reset_assisted_by().contains(&side) {
            return Err(forbidden().into());
        }
        require_helped(cx, self.user, self.organization).await?;
        let user = self.user;
        let way = match self.secret {
            ResetSecret::Link => ResetWay::Link(LinkId(Uuid::now_v7())),
            ResetSecret::TemporaryPassword => {
                let hash_ref = VaultRef(Uuid::new_v4());
                let password = temporary_password(cx.journal().secrets(), hash_ref);
                keep_password(cx, hash_ref, &password).await;
                ResetWay::TemporaryPassword(hash_ref)
            }
        };
        let reset = CredentialCommand::ResetByAdmin { user, by, way };
        cx.decide::<Credential>(cx.tenant().credential_stream(user), reset).await?;
        if let ResetWay::Link(link) = way {
            links::reserve(cx, RESET_PASSWORD, link, user.0);
        }
        end_sessions_of(cx, user, None, EndCause::PasswordChanged).await?;
        Ok(user)
    }
}
