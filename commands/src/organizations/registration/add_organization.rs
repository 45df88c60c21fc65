//! `AddOrganization`: a signed-in person adds an organisation by its token (MC-11, C-08).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, OtpChallengeId, RegistrationId},
    organizations::{
        Registration,
        registration::{RegistrationCommand, RegistrationRoute},
    },
    policies::StepUpAction,
    users::{
        credential::{CredentialRefusal, StepUp},
        one_time_passcode::OtpPurpose,
        user::User,
    },
};
use uuid::Uuid;

use super::{
    complete::complete,
    details::{Claimed, EnrolmentClaims},
    tries::{UsableToken, usable_token},
};
use crate::{Access, Command, Context, Failure, users::one_time_passcode::step_up};

/// Adds an organisation; the person sees it after the next sign-in.
pub struct AddOrganization {
    /// As typed.
    pub token: String,
    pub claims: EnrolmentClaims,
    /// The verified passcode, where the policy asks for one.
    pub challenge: Option<OtpChallengeId>,
}

#[async_trait]
impl Command for AddOrganization {
    const NAME: &'static str = "AddOrganization";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        let user = cx.person()?;
        let UsableToken { token, organization } = usable_token(cx, &self.token).await?;
        let passcode = (OtpPurpose::StepUp, self.challenge);
        if step_up(cx, StepUpAction::AddOrganization, user, passcode).await? == StepUp::Missing {
            return Err(Refusal::from(CredentialRefusal::OtpRequired).at("otpChallengeId").into());
        }
        let account = cx.load::<User>(user).await?;
        let email = account.profile().and_then(|profile| profile.email.get()).cloned();
        let registration = RegistrationId(Uuid::new_v4());
        let start = RegistrationCommand::StartOrganizationRegistration {
            registration,
            token,
            organization,
            email: email.ok_or_else(|| Refusal::not_found("token"))?,
            route: RegistrationRoute::SignedIn,
            user: Some(user),
            passcode_required: false,
        };
        cx.decide::<Registration>(registration, start).await?;
        let claimed = Claimed { registration, token, organization };
        claimed.submit(cx, None, &self.claims, 0).await?;
        complete(cx, registration).await
    }
}
