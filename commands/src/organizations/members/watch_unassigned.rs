//! `WatchUnassigned`: who never gets a permission is deactivated, after a warning (MC-32).
//!
//! Invariant: one permission or role, once given, ends the watch for good; a reactivated member
//! without any is watched anew.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::MembershipId,
    organizations::{
        Organization, OrganizationCommand, OrganizationEvent, organization::RosterCommand,
    },
    permissions::{Membership, membership::MembershipKey},
    policies::PolicyHistory,
    sessions::EndCause,
};
use serde::{Deserialize, Serialize};

use crate::{Access, Command, Context, Failure, sessions::end_sessions_of};

/// The scheduler looks whether a member waits too long for a first permission.
pub struct WatchUnassigned {
    pub of: MembershipKey,
}

/// Whether to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watch {
    /// No more: the matter is settled, or the person is no member.
    Over,
    /// Then; without a time, when the policy changes.
    On(Option<DateTime<Utc>>),
}

#[async_trait]
impl Command for WatchUnassigned {
    const NAME: &'static str = "WatchUnassigned";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let MembershipKey { user, organization } = self.of;
        let roster = cx.load::<Organization>(organization).await?;
        let permissions = MembershipId::of(cx.tenant(), user, organization);
        let permissions = cx.load::<Membership>(permissions).await?;
        let waits = roster
            .member(user)
            .is_some_and(|member| member.is_active(cx.now) && member.unassigned_since.is_some());
        if !waits || permissions.was_assigned() {
            return Ok(Watch::Over);
        }
        let watch = OrganizationCommand::from(RosterCommand::WatchUnassigned { user });
        let events = cx.decide::<Organization>(organization, watch).await?;
        if events.iter().any(|it| matches!(it, OrganizationEvent::UserAutoDeactivated { .. })) {
            end_sessions_of(cx, user, Some(organization), EndCause::Deactivated).await?;
            return Ok(Watch::Over);
        }
        let end = roster.unassigned_until(user, &cx.policy);
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        let steps = end.into_iter().flat_map(|end| [cx.policy.unassigned_warned_at(end), end]);
        let next = steps.filter(|at| *at > cx.now).chain(policies.next_change(cx.now)).min();
        Ok(Watch::On(next))
    }
}
