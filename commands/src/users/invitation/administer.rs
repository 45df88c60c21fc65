//! `ReissueInvitation`, `CancelInvitation`: what the inviting side does to an open invitation
//! (MC-16, GN-06).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    kernel::ids::{InvitationId, LinkId, OrganizationId},
    organizations::{
        InvitationEnd, Organization, OrganizationCommand,
        organization::{RosterCommand, Standing},
    },
    tenants::PlanRole,
    users::invitation::{Invitation, InvitationCommand, Invited},
    values::Reason,
};
use uuid::Uuid;

use crate::{
    Access, Command, Context, Failure,
    users::links::{self, INVITATION},
};

/// Whose invitation it is: of those who manage an organisation's users, or the plan administrators' for plan
/// staff.
fn access(organization: Option<OrganizationId>) -> Access {
    match organization {
        Some(organization) => Access::UserManager(organization),
        None => Access::Plan(&[PlanRole::Pa]),
    }
}

/// The invitation, if it belongs to this organisation.
async fn invited(
    cx: &mut Context<'_>,
    invitation: InvitationId,
    organization: Option<OrganizationId>,
) -> Result<Invited, Failure> {
    let state = cx.load::<Invitation>(invitation).await?;
    match state.invited() {
        Some(invited) if invited.organization == organization => Ok(invited.clone()),
        Some(_) | None => Err(Refusal::not_found("invitationId").into()),
    }
}

/// Sends a new link, which kills the old one.
pub struct ReissueInvitation {
    pub organization: Option<OrganizationId>,
    pub invitation: InvitationId,
}

#[async_trait]
impl Command for ReissueInvitation {
    const NAME: &'static str = "ReissueInvitation";
    const SCOPE: Option<Scope> = Some(Scope::ManageUsers);
    type Output = InvitationId;

    fn access(&self) -> Access {
        access(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitationId, Failure> {
        let invited = invited(cx, self.invitation, self.organization).await?;
        let link_id = LinkId(Uuid::now_v7());
        let reissue = InvitationCommand::Reissue { link_id };
        cx.decide::<Invitation>(self.invitation, reissue).await?;
        links::reserve(cx, INVITATION, link_id, self.invitation.0);
        if let Some(organization) = self.organization {
            self.back_on_the_roster(cx, organization, &invited).await?;
        }
        Ok(self.invitation)
    }
}

impl ReissueInvitation {
    /// An invitation that ran out took the person off the roster.
    async fn back_on_the_roster(
        &self,
        cx: &mut Context<'_>,
        organization: OrganizationId,
        invited: &Invited,
    ) -> Result<(), Failure> {
        let waiting = Standing::Invited { invitation: self.invitation };
        let state = cx.load::<Organization>(organization).await?;
        if state.member(invited.user).is_some_and(|member| member.standing == waiting) {
            return Ok(());
        }
        let email = invited.email.get().ok_or_else(|| Refusal::not_found("invitationId"))?;
        let invite = OrganizationCommand::from(RosterCommand::InviteMember {
            user: invited.user,
            invitation: self.invitation,
            email_domain: email.domain().to_owned(),
        });
        cx.decide::<Organization>(organization, invite).await?;
        Ok(())
    }
}

/// Takes an invitation back for good.
pub struct CancelInvitation {
    pub organization: Option<OrganizationId>,
    pub invitation: InvitationId,
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for CancelInvitation {
    const NAME: &'static str = "CancelInvitation";
    const SCOPE: Option<Scope> = Some(Scope::ManageUsers);
    type Output = InvitationId;

    fn access(&self) -> Access {
        access(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitationId, Failure> {
        let invited = invited(cx, self.invitation, self.organization).await?;
        let cancel = InvitationCommand::Cancel { reason: self.reason.clone() };
        cx.decide::<Invitation>(self.invitation, cancel).await?;
        off_the_roster(cx, self.invitation, &invited, InvitationEnd::Cancelled).await?;
        Ok(self.invitation)
    }
}

/// The person is no longer expected, where they still were.
pub(crate) async fn off_the_roster(
    cx: &mut Context<'_>,
    invitation: InvitationId,
    invited: &Invited,
    cause: InvitationEnd,
) -> Result<(), Failure> {
    let Some(organization) = invited.organization else { return Ok(()) };
    let state = cx.load::<Organization>(organization).await?;
    let waiting = Standing::Invited { invitation };
    if state.member(invited.user).is_none_or(|member| member.standing != waiting) {
        return Ok(());
    }
    let end = RosterCommand::EndMemberInvitation { user: invited.user, invitation, cause };
    cx.decide::<Organization>(organization, OrganizationCommand::from(end)).await?;
    Ok(())
}
