//! `ExpireInvitation`: the scheduler writes down that nobody came in time (MC-16).

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::InvitationId,
    organizations::InvitationEnd,
    users::invitation::{Invitation, InvitationCommand},
};

use super::administer::off_the_roster;
use crate::{Access, Command, Context, Failure};

/// Expires an invitation whose time is over; too early, or too late, it changes nothing.
pub struct ExpireInvitation {
    pub invitation: InvitationId,
}

#[async_trait]
impl Command for ExpireInvitation {
    const NAME: &'static str = "ExpireInvitation";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let state = cx.load::<Invitation>(self.invitation).await?;
        let invited = state.invited().cloned();
        let expired = cx.decide::<Invitation>(self.invitation, InvitationCommand::Expire).await?;
        if let Some(invited) = invited.filter(|_| !expired.is_empty()) {
            off_the_roster(cx, self.invitation, &invited, InvitationEnd::Expired).await?;
        }
        Ok(())
    }
}
