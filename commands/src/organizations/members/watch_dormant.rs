//! `WatchDormant`: who does not sign in any more is deactivated, after a warning (MC-32).
//!
//! Invariant: when somebody last signed in is asked of their account at that moment, so a sign-in
//! moves the end without touching what is due; roles of the plan are not ended by it.

use async_trait::async_trait;
use rollcall_domain::{
    organizations::{
        Organization, OrganizationCommand, OrganizationEvent,
        organization::{Dormancy, RosterCommand},
    },
    permissions::membership::MembershipKey,
    policies::PolicyHistory,
    sessions::EndCause,
    users::credential::Credential,
};

use super::Watch;
use crate::{Access, Command, Context, Failure, sessions::end_sessions_of};

/// The scheduler looks whether a member has not signed in for too long.
pub struct WatchDormant {
    pub of: MembershipKey,
}

#[async_trait]
impl Command for WatchDormant {
    const NAME: &'static str = "WatchDormant";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let MembershipKey { user, organization } = self.of;
        let account = cx.tenant().credential_stream(user);
        let seen = cx.load::<Credential>(account).await?.seen_at();
        let watch = OrganizationCommand::from(RosterCommand::WatchDormant { user, seen });
        let events = cx.decide::<Organization>(organization, watch).await?;
        if events.iter().any(|it| matches!(it, OrganizationEvent::UserAutoDeactivated { .. })) {
            end_sessions_of(cx, user, Some(organization), EndCause::Deactivated).await?;
            return Ok(Watch::Over);
        }
        let roster = cx.load::<Organization>(organization).await?;
        if !roster.is_active_member(user, cx.now) {
            return Ok(Watch::Over);
        }
        let next = match roster.dormancy(user, seen, &cx.policy, cx.now) {
            // Somebody may become administrator beside them, or the organisation reopen.
            Dormancy::Spared => Some(cx.policy.time_zone().days_later(cx.now, 1)),
            other @ (Dormancy::Unwatched | Dormancy::ToldAt { .. } | Dormancy::EndsAt(_)) => {
                other.next_look()
            }
        };
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        Ok(Watch::On(next.into_iter().chain(policies.next_change(cx.now)).min()))
    }
}
