//! `StartOrganizationRegistration`: an email address and a token that works (MC-05, MC-10).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{RegistrationId, UserId},
    organizations::{
        Organization, Registration,
        registration::{RegistrationCommand, RegistrationRoute},
    },
    users::user::User,
    values::EmailAddress,
};
use uuid::Uuid;

use super::tries::{UsableToken, usable_token};
use crate::{
    Access, Command, Context, Failure,
    users::{one_time_passcode::goes_to_telephones, user_of},
};

/// Begins a registration; the answer is the id by which its steps are sent.
pub struct StartOrganizationRegistration {
    pub email: EmailAddress,
    /// As typed.
    pub token: String,
}

#[async_trait]
impl Command for StartOrganizationRegistration {
    const NAME: &'static str = "StartOrganizationRegistration";
    const FOR_VISITORS: bool = true;
    const ANSWERS_ON_THE_BEAT: bool = true;
    type Output = RegistrationId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RegistrationId, Failure> {
        let UsableToken { token, organization } = usable_token(cx, &self.token).await?;
        let enrolled = cx.load::<Organization>(organization).await?;
        enrolled.check_contract(&cx.policy, cx.now).map_err(Refusal::from)?;
        let user = account_of(cx, &self.email).await?;
        let registration = RegistrationId(Uuid::new_v4());
        let start = RegistrationCommand::StartOrganizationRegistration {
            registration,
            token,
            organization,
            email: self.email.clone(),
            route: match user {
                Some(_) => RegistrationRoute::ExistingPerson,
                None => RegistrationRoute::NewPerson,
            },
            user,
            passcode_required: goes_to_telephones(&cx.policy.otp()),
        };
        cx.decide::<Registration>(registration, start).await?;
        Ok(registration)
    }
}

/// The account with this address; somebody who was only invited has none yet.
async fn account_of(cx: &mut Context<'_>, email: &EmailAddress) -> Result<Option<UserId>, Failure> {
    let Some(user) = user_of(cx, email).await? else { return Ok(None) };
    let account = cx.load::<User>(user).await?;
    Ok(account.profile().map(|profile| profile.user))
}
