//! `DeactivateUser`: a person leaves the organisation (MC-30).
//!
//! Invariant: sessions that act for the organisation end in the append that ends the membership; the person's other
//! memberships go on (GN-05).

use async_trait::async_trait;
use rollcall_domain::{
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization, OrganizationCommand, organization::RosterCommand},
    sessions::EndCause,
    values::{CalendarDate, Reason},
};

use super::{MEMBER_STAFF, keep_evidence, require_power_over, roster_authority};
use crate::{
    Access, Command, Context, Failure, permissions::member::member, sessions::end_sessions_of,
};

/// Deactivates a member of one organisation.
pub struct DeactivateUser {
    pub organization: OrganizationId,
    pub user: UserId,
    /// The administrator confirmed it.
    pub confirmed: bool,
    pub reason: Reason,
    /// What shows that plan staff had to suspend an administrator; required of them then (CC-07).
    pub evidence: Option<Reason>,
    /// The last day at work, if it is another than today; a later one plans the end ahead (GN-04).
    pub left_on: Option<CalendarDate>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for DeactivateUser {
    const NAME: &'static str = "DeactivateUser";
    const SCOPE: Option<Scope> = Some(Scope::ManageUsers);
    type Output = UserId;

    fn access(&self) -> Access {
        Access::UserManagerOrPlan(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        require_power_over(&cx.authority, &member)?;
        let is_admin = member.organization.role_of(self.user, cx.now) == OrgRole::Admin;
        if self.confirmed && is_admin && cx.authority.acts_for_plan() {
            keep_evidence(cx, member.key, self.evidence.as_ref()).await?;
        }
        let deactivate = OrganizationCommand::from(RosterCommand::DeactivateUser {
            user: self.user,
            confirmed: self.confirmed,
            reason: Some(self.reason.clone()),
            left_on: self.left_on,
            authority: roster_authority(&cx.authority),
        });
        cx.decide::<Organization>(self.organization, deactivate).await?;
        let roster = cx.load::<Organization>(self.organization).await?;
        if !roster.is_active_member(self.user, cx.now) {
            end_sessions_of(cx, self.user, Some(self.organization), EndCause::Deactivated).await?;
        }
        Ok(self.user)
    }
}
