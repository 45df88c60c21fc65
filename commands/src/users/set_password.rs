//! `SetPassword`: the first password, through the link that was mailed (MC-21, MC-23, MC-24).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{OtpChallengeId, UserId},
    policies::StepUpAction,
    users::{
        credential::{Credential, CredentialCommand, CredentialRefusal, LinkPurpose, StepUp},
        one_time_passcode::OtpPurpose,
        user::User,
    },
    values::Password,
};

use super::{
    Candidate, links,
    links::{LinkToken, PasswordLink},
    new_password,
    one_time_passcode::step_up_by_link,
};
use crate::{Access, Command, Context, Failure};

/// Sets the first password; the link works once.
pub struct SetPassword {
    pub token: LinkToken,
    pub password: Password,
    /// The verified passcode, where the policy asks for one (C-19).
    pub challenge: Option<OtpChallengeId>,
}

#[async_trait]
impl Command for SetPassword {
    const NAME: &'static str = "SetPassword";
    const FOR_VISITORS: bool = true;
    type Output = ();

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let PasswordLink { user, link, purpose } = links::password_link(cx, &self.token).await?;
        if purpose != LinkPurpose::Setup {
            return Err(links::invalid().into());
        }
        let stream = cx.tenant().credential_stream(user);
        let credential = cx.load::<Credential>(stream).await?;
        credential.check_link(link, cx.now).map_err(Refusal::from)?;
        let passcode = (OtpPurpose::PasswordSetup, self.challenge);
        let otp = step_up_by_link(cx, StepUpAction::FirstPassword, user, passcode).await?;
        if otp == StepUp::Missing {
            return Err(Refusal::from(CredentialRefusal::OtpRequired).at("otpChallengeId").into());
        }
        let identifiers = identifiers(cx, user).await?;
        let known: Vec<&str> = identifiers.iter().map(String::as_str).collect();
        let candidate = Candidate { password: &self.password, identifiers: &known, current: None };
        let new = new_password(cx, &credential, candidate).await?;
        let set = CredentialCommand::SetPasswordByLink { user, link_id: link, otp, new };
        cx.decide::<Credential>(stream, set).await?;
        Ok(())
    }
}

/// What a person is known by, and so may not be part of the password.
pub(crate) async fn identifiers(
    cx: &mut Context<'_>,
    user: UserId,
) -> Result<Vec<String>, Failure> {
    let account = cx.load::<User>(user).await?;
    let Some(profile) = account.profile() else { return Ok(Vec::new()) };
    let email = profile.email.get().map(ToString::to_string);
    let username = profile.username.as_ref().and_then(|name| name.get()).map(ToString::to_string);
    Ok(email.into_iter().chain(username).collect())
}
