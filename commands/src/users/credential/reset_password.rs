//! `ResetPassword`: a new password through the link that was mailed (MC-22, MC-26).
//!
//! Invariant: with the old password every session ends that was opened by it (GN-11).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::OtpChallengeId,
    policies::StepUpAction,
    sessions::EndCause,
    users::{
        credential::{Credential, CredentialCommand, CredentialRefusal, LinkPurpose, StepUp},
        one_time_passcode::OtpPurpose,
    },
    values::Password,
};

use crate::{
    Access, Command, Context, Failure,
    sessions::end_sessions_of,
    users::{
        Candidate,
        links::{self, LinkToken, PasswordLink},
        new_password,
        one_time_passcode::step_up_by_link,
        set_password::identifiers,
    },
};

/// Replaces a forgotten password; the link works once.
pub struct ResetPassword {
    pub token: LinkToken,
    pub password: Password,
    /// The verified passcode, where the policy asks for one.
    pub challenge: Option<OtpChallengeId>,
}

#[async_trait]
impl Command for ResetPassword {
    const NAME: &'static str = "ResetPassword";
    const FOR_VISITORS: bool = true;
    type Output = ();

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let PasswordLink { user, link, purpose } = links::password_link(cx, &self.token).await?;
        if purpose == LinkPurpose::Setup {
            return Err(links::invalid().into());
        }
        let stream = cx.tenant().credential_stream(user);
        let credential = cx.load::<Credential>(stream).await?;
        credential.check_link(link, cx.now).map_err(Refusal::from)?;
        let passcode = (OtpPurpose::PasswordReset, self.challenge);
        let otp = step_up_by_link(cx, StepUpAction::ResetPassword, user, passcode).await?;
        if otp == StepUp::Missing {
            return Err(Refusal::from(CredentialRefusal::OtpRequired).at("otpChallengeId").into());
        }
        let identifiers = identifiers(cx, user).await?;
        let known: Vec<&str> = identifiers.iter().map(String::as_str).collect();
        let candidate = Candidate { password: &self.password, identifiers: &known, current: None };
        let new = new_password(cx, &credential, candidate).await?;
        let set = CredentialCommand::SetPasswordByLink { user, link_id: link, otp, new };
        cx.decide::<Credential>(stream, set).await?;
        end_sessions_of(cx, user, None, EndCause::PasswordChanged).await
    }
}
