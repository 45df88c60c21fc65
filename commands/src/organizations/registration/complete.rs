//! `CompleteOrganizationRegistration`: the registrant becomes administrator (MC-08, MC-10).
//!
//! Invariant: token, organisation, account, role and permissions change in one commit, or nothing
//! does.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{MembershipId, OrganizationId, RegistrationId, UserId},
    organizations::{
        MembershipOrigin, Organization, OrganizationCommand, Registration, RegistrationToken,
        RegistrationTokenCommand,
        organization::RosterCommand,
        registration::{Progress, RegistrationCommand, RegistrationRefusal, RegistrationRoute},
    },
    permissions::{Membership, MembershipCommand, membership::MembershipKey},
    policies::ImpliedRight,
    users::user::{self, User},
    values::EmailAddress,
};
use uuid::Uuid;

use super::tries;
use crate::{
    Access, Command, Context, Failure,
    users::{account, user_of},
};

/// Completes a registration all of whose steps are done.
pub struct CompleteOrganizationRegistration {
    pub registration: RegistrationId,
}

#[async_trait]
impl Command for CompleteOrganizationRegistration {
    const NAME: &'static str = "CompleteOrganizationRegistration";
    const FOR_VISITORS: bool = true;
    type Output = RegistrationId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RegistrationId, Failure> {
        complete(cx, self.registration).await?;
        Ok(self.registration)
    }
}

/// Completes the registration; its organisation is open from then on.
pub(super) async fn complete(
    cx: &mut Context<'_>,
    id: RegistrationId,
) -> Result<OrganizationId, Failure> {
    let state = cx.load::<Registration>(id).await?;
    let progress = state.progress().ok_or_else(|| Refusal::not_found("registrationId"))?.clone();
    tries::check(cx, progress.token, None).await?;
    let email = progress.email.get().ok_or_else(|| Refusal::not_found("registrationId"))?.clone();
    let (user, has_account) = registrant(cx, &progress, &email).await?;

    let done = RegistrationCommand::CompleteOrganizationRegistration { user };
    cx.decide::<Registration>(id, done).await?;
    let redeem =
        RegistrationTokenCommand::RedeemRegistrationToken { registration: id, user: Some(user) };
    cx.decide::<RegistrationToken>(progress.token, redeem).await?;
    let register = OrganizationCommand::from(RosterCommand::RegisterOrganization {
        registration: id,
        user,
        email_domain: email.domain().to_owned(),
        signed_in: progress.route == RegistrationRoute::SignedIn,
        by: if has_account { MembershipOrigin::Token } else { MembershipOrigin::Registration },
    });
    cx.decide::<Organization>(progress.organization, register).await?;
    grant_implied(cx, MembershipKey { user, organization: progress.organization }).await?;

    let acceptances = progress.acceptances.clone();
    if has_account {
        account::welcome(cx, user, acceptances).await?;
    } else {
        let registration = registration(&progress, user, email)?;
        account::open_account(cx, registration, acceptances).await?;
    }
    Ok(progress.organization)
}

/// Who registers, and whether they have an account by now.
async fn registrant(
    cx: &mut Context<'_>,
    progress: &Progress,
    email: &EmailAddress,
) -> Result<(UserId, bool), Failure> {
    let user = match (progress.route, progress.user) {
        (RegistrationRoute::SignedIn, _) => cx.person()?,
        (_, Some(user)) => user,
        (_, None) => user_of(cx, email).await?.unwrap_or_else(|| UserId(Uuid::now_v7())),
    };
    let account = cx.load::<User>(user).await?;
    Ok((user, account.profile().is_some()))
}

/// The account of a new person, as they described themself.
fn registration(
    progress: &Progress,
    user: UserId,
    email: EmailAddress,
) -> Result<user::Registration, Refusal> {
    let missing = || Refusal::from(RegistrationRefusal::IdentityMissing);
    let identity = progress.identity.as_ref().ok_or_else(missing)?;
    Ok(user::Registration {
        user,
        email,
        first_name: identity.first_name.get().ok_or_else(missing)?.clone(),
        last_name: identity.last_name.get().ok_or_else(missing)?.clone(),
        mobile: identity.mobile.get().ok_or_else(missing)?.clone(),
        business_phone: None,
        username: None,
        preferred_channel: identity.channel,
    })
}

/// What the policy gives the first administrator besides the role: all NPIs and all correspondence,
/// or less (MC-08, C-07).
async fn grant_implied(cx: &mut Context<'_>, of: MembershipKey) -> Result<(), Failure> {
    let membership = MembershipId::of(cx.tenant(), of.user, of.organization);
    let [npis, correspondence] = MembershipCommand::grant_everything(of);
    if !cx.policy.admin_implies(ImpliedRight::AllNpis) {
        return Ok(());
    }
    cx.decide::<Membership>(membership, npis).await?;
    if cx.policy.admin_implies(ImpliedRight::AllCorrespondence) {
        cx.decide::<Membership>(membership, correspondence).await?;
    }
    Ok(())
}
