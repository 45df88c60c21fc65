//! What the invited person does with the link: names and telephone, then the passcode (MC-19, MC-20).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{InvitationId, LinkId, OtpChallengeId},
    users::invitation::{Invitation, InvitationCommand, InvitationRules, InviteeDetails},
};
use uuid::Uuid;

use super::{complete_if_last, rules};
use crate::{
    Access, Command, Context, Failure,
    users::links::{self, LinkToken},
};

/// An invitation whose link works.
#[derive(Clone, Debug)]
pub(crate) struct OpenLink {
    pub invitation: InvitationId,
    pub link: LinkId,
    pub rules: InvitationRules,
}

/// The invitation behind a token, whose link works now.
///
/// # Errors
/// `LINK_INVALID`, `LINK_EXPIRED`, `LINK_USED`.
pub(crate) async fn open_invitation(
    cx: &mut Context<'_>,
    token: &LinkToken,
) -> Result<OpenLink, Failure> {
    let invitation = links::invitation_of(cx.journal(), cx.tenant(), token).await?;
    let state = cx.load::<Invitation>(invitation).await?;
    let link = link_behind(cx, &state, token);
    state.check_link(link, cx.now).map_err(Refusal::from)?;
    let rules = rules(cx.journal(), cx.tenant(), &cx.policy, cx.now).await?;
    Ok(OpenLink { invitation, link, rules })
}

/// The present link if the token is its own; else one that is nobody's.
fn link_behind(cx: &Context<'_>, state: &Invitation, token: &LinkToken) -> LinkId {
    super::view::present_link(state)
        .filter(|link| links::is_invitation_link(cx.journal(), token, *link))
        .unwrap_or(LinkId(Uuid::nil()))
}

/// The invited person says who they are and how codes reach them.
pub struct SubmitInviteeDetails {
    pub token: LinkToken,
    pub details: InviteeDetails,
}

#[async_trait]
impl Command for SubmitInviteeDetails {
    const NAME: &'static str = "SubmitInviteeDetails";
    const FOR_VISITORS: bool = true;
    type Output = InvitationId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitationId, Failure> {
        let found = open_invitation(cx, &self.token).await?;
        let submit = InvitationCommand::SubmitDetails {
            link_id: found.link,
            details: self.details.clone(),
            rules: found.rules.clone(),
        };
        cx.decide::<Invitation>(found.invitation, submit).await?;
        complete_if_last(cx, &found).await?;
        Ok(found.invitation)
    }
}

/// The code sent to the invited person's telephone was right.
pub(crate) async fn passcode_verified(
    cx: &mut Context<'_>,
    invitation: InvitationId,
    challenge: OtpChallengeId,
) -> Result<(), Failure> {
    let state = cx.load::<Invitation>(invitation).await?;
    let link = super::view::present_link(&state).unwrap_or(LinkId(Uuid::nil()));
    let rules = rules(cx.journal(), cx.tenant(), &cx.policy, cx.now).await?;
    let found = OpenLink { invitation, link, rules };
    let record =
        InvitationCommand::RecordPasscode { link_id: link, challenge, rules: found.rules.clone() };
    cx.decide::<Invitation>(invitation, record).await?;
    complete_if_last(cx, &found).await
}
