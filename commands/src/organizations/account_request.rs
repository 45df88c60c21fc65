//! `SubmitAccountRequest`, `FulfilAccountRequest`, `RejectAccountRequest`: the form by which anybody
//! asks for an account, and what the plan makes of it (AL-01).
//!
//! Invariant: one undecided request per address; the account itself is made by an invitation, so
//! that nobody but the owner of the address ever has its password.

use async_trait::async_trait;
use chrono::TimeDelta;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{AccountRequestId, InvitationId, OrganizationId},
    organizations::{
        AccountRequest, AccountRequestCommand, OrgRole, Organization, OrganizationCommand,
        account_request::AccountWish,
        organization::{Phase, RosterCommand},
    },
    policies::agreement::Agreement,
    values::{Acceptance, AgreementKind, EmailAddress, Reason},
};
use uuid::Uuid;

use super::{
    ENROLMENT_STAFF,
    members::{cause, check_creator, roster_authority},
};
use crate::{
    Access, Command, Context, Failure,
    rate_limit::Limit,
    sessions::limits,
    users::invitation::{NewPerson, person_of, send},
};

/// The reservation kind of addresses with an undecided request.
pub(crate) const PENDING: &str = "account_request";
/// Forms filed from one address of the network. Chosen here.
const BY_ADDRESS: Limit =
    Limit { name: "account_request.address", tries: 20, window: TimeDelta::hours(1) };

/// What was read and ticked of the portal's terms.
#[derive(Clone, Debug)]
pub struct Agreed {
    pub version: String,
    pub boxes: Vec<String>,
}

/// Files the form.
pub struct SubmitAccountRequest {
    pub wish: AccountWish,
    pub agreed: Option<Agreed>,
}

#[async_trait]
impl Command for SubmitAccountRequest {
    const NAME: &'static str = "SubmitAccountRequest";
    const FOR_VISITORS: bool = true;
    const ANSWERS_ON_THE_BEAT: bool = true;
    type Output = AccountRequestId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccountRequestId, Failure> {
        limits::count_address(cx, BY_ADDRESS).await?;
        let request = self.wish.request;
        let accepted = if cx.policy.account_request_days().is_some() {
            terms(cx, self.agreed.as_ref()).await?
        } else {
            None
        };
        let wish = AccountWish { accepted, ..self.wish.clone() };
        let email = wish.email.key();
        cx.decide::<AccountRequest>(request, AccountRequestCommand::Submit(Box::new(wish))).await?;
        cx.work.reserve(PENDING, &email, request.0, duplicate());
        Ok(request)
    }
}

/// The acceptance of the portal's terms in force; none where there are none.
async fn terms(
    cx: &mut Context<'_>,
    agreed: Option<&Agreed>,
) -> Result<Option<Acceptance>, Failure> {
    let stream = cx.tenant().agreement_stream(AgreementKind::PortalTerms);
    let agreement = cx.load::<Agreement>(stream).await?;
    if agreement.current(cx.now).is_none() {
        return Ok(None);
    }
    let Some(Agreed { version, boxes }) = agreed else {
        let message = "Read the portal's terms and tick their boxes first.";
        return Err(Refusal::new(Code::AgreementRequired, message).at("agreement").into());
    };
    let accepted = agreement.check_acceptance(version, boxes, cx.now).map_err(Refusal::from)?;
    Ok(Some(accepted))
}

fn duplicate() -> Refusal {
    let message = "A request with this address waits already. The health plan will answer it.";
    Refusal::new(Code::DuplicateRequest, message).at("email")
}

/// Makes the account: the person is invited into an organisation on file.
pub struct FulfilAccountRequest {
    pub request: AccountRequestId,
    pub organization: OrganizationId,
    /// Waits for the person until they have joined.
    pub role: OrgRole,
}

#[async_trait]
impl Command for FulfilAccountRequest {
    const NAME: &'static str = "FulfilAccountRequest";
    type Output = InvitationId;

    fn access(&self) -> Access {
        Access::Plan(ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitationId, Failure> {
        let state = cx.load::<AccountRequest>(self.request).await?;
        let asked = state.open().map_err(Refusal::from)?;
        let erased = || Refusal::not_found("requestId");
        let person = NewPerson {
            email: asked.email.get().ok_or_else(erased)?.clone(),
            first_name: asked.first_name.get().ok_or_else(erased)?.clone(),
            last_name: asked.last_name.get().ok_or_else(erased)?.clone(),
            mobile: asked.phone.get().ok_or_else(erased)?.clone(),
            business_phone: None,
        };
        let organization = self.organization;
        let roster = cx.load::<Organization>(organization).await?;
        if roster.record().is_none() {
            return Err(Refusal::not_found("organizationId").into());
        }
        if self.role == OrgRole::Admin {
            let is_adminless = roster.active_admins(cx.now).next().is_none();
            check_creator(&cx.policy, true, is_adminless, false)?;
        }
        if roster.phase() == Phase::Enrolled {
            decide(cx, organization, RosterCommand::OpenByPlan).await?;
        }
        let email = person.email.clone();
        let invitation = InvitationId(Uuid::new_v4());
        let user = person_of(cx, &email).await?;
        let email_domain = email.domain().to_owned();
        let invite = RosterCommand::InviteMember { user, invitation, email_domain };
        decide(cx, organization, invite).await?;
        send(cx, invitation, user, Some(organization), person).await?;
        if self.role > OrgRole::None {
            let (role, cause, authority) = (self.role, cause(cx), roster_authority(&cx.authority));
            let assign = RosterCommand::AssignOrgRole { user, role, cause, authority };
            decide(cx, organization, assign).await?;
        }
        let fulfil = AccountRequestCommand::Fulfil { organization, user, invitation };
        cx.decide::<AccountRequest>(self.request, fulfil).await?;
        close(cx, self.request, &email);
        Ok(invitation)
    }
}

async fn decide(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    command: RosterCommand,
) -> Result<(), Failure> {
    cx.decide::<Organization>(organization, OrganizationCommand::from(command)).await?;
    Ok(())
}

/// Declines a request; whoever asked is told.
pub struct RejectAccountRequest {
    pub request: AccountRequestId,
    pub reason: Reason,
}

#[async_trait]
impl Command for RejectAccountRequest {
    const NAME: &'static str = "RejectAccountRequest";
    type Output = AccountRequestId;

    fn access(&self) -> Access {
        Access::Plan(ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccountRequestId, Failure> {
        let state = cx.load::<AccountRequest>(self.request).await?;
        let reject = AccountRequestCommand::Reject { reason: self.reason.clone() };
        cx.decide::<AccountRequest>(self.request, reject).await?;
        if let Some(email) = state.requester().and_then(|asked| asked.email.get()) {
            close(cx, self.request, email);
        }
        Ok(self.request)
    }
}

/// The address may ask again.
fn close(cx: &mut Context<'_>, request: AccountRequestId, email: &EmailAddress) {
    cx.work.release(PENDING, &email.key(), request.0);
}
