//! The end of an invitation: an account where there is none, and the membership or plan roles
//! (MC-21, GN-05, GN-31).
//!
//! Invariant: everything that completion brings commits together with it.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::InvitationId,
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
    tenants::{PlanStaff, PlanStaffCommand},
    users::{
        invitation::{
            Invitation, InvitationCommand, InvitationRefusal, InvitationStep, OpenInvitation,
        },
        user::Registration,
    },
    values::CodeChannel,
};

use super::follow::{OpenLink, open_invitation};
use crate::{
    Access, Command, Context, Failure,
    users::{account, links::LinkToken},
};

/// Completes an invitation whose last step became unnecessary; the last step itself completes it.
pub struct CompleteInvitation {
    pub token: LinkToken,
}

#[async_trait]
impl Command for CompleteInvitation {
    const NAME: &'static str = "CompleteInvitation";
    const FOR_VISITORS: bool = true;
    type Output = InvitationId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitationId, Failure> {
        let found = open_invitation(cx, &self.token).await?;
        complete(cx, &found).await?;
        Ok(found.invitation)
    }
}

/// Completes the invitation if nothing else is left to do.
pub(crate) async fn complete_if_last(
    cx: &mut Context<'_>,
    found: &OpenLink,
) -> Result<(), Failure> {
    let state = cx.load::<Invitation>(found.invitation).await?;
    let open = state.check_link(found.link, cx.now).map_err(Refusal::from)?;
    if open.next_step(&found.rules) != InvitationStep::Complete {
        return Ok(());
    }
    complete(cx, found).await
}

async fn complete(cx: &mut Context<'_>, found: &OpenLink) -> Result<(), Failure> {
    let state = cx.load::<Invitation>(found.invitation).await?;
    let open = state.check_link(found.link, cx.now).map_err(Refusal::from)?.clone();
    let complete = InvitationCommand::Complete { link_id: found.link, rules: found.rules.clone() };
    cx.decide::<Invitation>(found.invitation, complete).await?;
    let user = open.invited.user;
    let acceptances = open.progress.accepted.clone();
    if open.invited.existing_account {
        account::welcome(cx, user, acceptances).await?;
    } else {
        let registration = registration(&open).ok_or_else(erased)?;
        account::open_account(cx, registration, acceptances).await?;
    }
    match open.invited.organization {
        Some(organization) => {
            let join = OrganizationCommand::from(RosterCommand::JoinByInvitation {
                user,
                invitation: found.invitation,
                signed_in: false,
            });
            cx.decide::<Organization>(organization, join).await?;
        }
        None => {
            let staff = cx.tenant().plan_staff_stream(user);
            let begin = PlanStaffCommand::BeginPlanRoles { invitation: found.invitation };
            cx.decide::<PlanStaff>(staff, begin).await?;
        }
    }
    Ok(())
}

/// The account to be opened: what the person gave, and what the administrator knew; `None` when
/// the person's data was erased.
fn registration(open: &OpenInvitation) -> Option<Registration> {
    let invited = &open.invited;
    let details = open.progress.details.as_ref();
    let (first_name, last_name, mobile) = match details {
        Some(given) => (&given.first_name, &given.last_name, &given.phone),
        None => (&invited.first_name, &invited.last_name, &invited.mobile),
    };
    Some(Registration {
        user: invited.user,
        email: invited.email.get()?.clone(),
        first_name: first_name.get()?.clone(),
        last_name: last_name.get()?.clone(),
        mobile: mobile.get()?.clone(),
        business_phone: invited.business_phone.as_ref().and_then(|phone| phone.get()).cloned(),
        username: None,
        preferred_channel: details.map_or(CodeChannel::Sms, |given| given.channel),
    })
}

fn erased() -> Refusal {
    InvitationRefusal::LinkInvalid.into()
}
