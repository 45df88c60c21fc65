//! `CancelUserDeactivation` and `CarryOutMembershipEnd`: a membership that ends after a later last
//! day at work (GN-04).
//!
//! Invariant: from the end of that day on the person is no active member, whether or not the end is
//! carried out; what is carried out writes it down and ends the sessions.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
    permissions::membership::MembershipKey,
    sessions::EndCause,
};

use super::{MEMBER_STAFF, require_power_over};
use crate::{
    Access, Command, Context, Failure, permissions::member::member, sessions::end_sessions_of,
};

/// Calls off a deactivation that is still to come.
pub struct CancelUserDeactivation {
    pub organization: OrganizationId,
    pub user: UserId,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for CancelUserDeactivation {
    const NAME: &'static str = "CancelUserDeactivation";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::UserManagerOrPlan(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        require_power_over(&cx.authority, &member)?;
        let cancel = RosterCommand::CancelMembershipEnd { user: self.user };
        cx.decide::<Organization>(self.organization, OrganizationCommand::from(cancel)).await?;
        Ok(self.user)
    }
}

/// The last day at work is over.
pub struct CarryOutMembershipEnd {
    pub of: MembershipKey,
}

#[async_trait]
impl Command for CarryOutMembershipEnd {
    const NAME: &'static str = "CarryOutMembershipEnd";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let MembershipKey { user, organization } = self.of;
        let end = OrganizationCommand::from(RosterCommand::CarryOutMembershipEnd { user });
        if !cx.decide::<Organization>(organization, end).await?.is_empty() {
            end_sessions_of(cx, user, Some(organization), EndCause::Deactivated).await?;
        }
        Ok(())
    }
}
