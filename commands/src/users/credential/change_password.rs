//! `ChangePassword`: by somebody who knows the present one (MC-27, GN-08).
//!
//! Invariant: the session it is done in goes on, every other one ends (GN-11).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::OtpChallengeId,
    policies::StepUpAction,
    sessions::{EndCause, Session, SessionCommand},
    users::{
        credential::{Credential, CredentialCommand, CredentialRefusal, StepUp},
        one_time_passcode::OtpPurpose,
    },
    values::Password,
};

use super::CurrentPassword;
use crate::{
    Access, Command, Context, Failure,
    authorization::session_ended,
    sessions::live_sessions_of,
    users::{Candidate, new_password, one_time_passcode::step_up, set_password::identifiers},
};

/// Changes the caller's own password.
pub struct ChangePassword {
    pub current: CurrentPassword,
    pub new: Password,
    /// The verified passcode, where the policy asks for one.
    pub challenge: Option<OtpChallengeId>,
}

#[async_trait]
impl Command for ChangePassword {
    const NAME: &'static str = "ChangePassword";
    type Output = ();

    fn access(&self) -> Access {
        Access::OwnSession
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        let here = cx.authority.session.ok_or_else(session_ended)?;
        let matched = Some(self.current.confirm(cx, user).await?);
        let stream = cx.tenant().credential_stream(user);
        let credential = cx.load::<Credential>(stream).await?;
        let passcode = (OtpPurpose::StepUp, self.challenge);
        let otp = step_up(cx, StepUpAction::ChangePassword, user, passcode).await?;
        if otp == StepUp::Missing {
            return Err(Refusal::from(CredentialRefusal::OtpRequired).at("otpChallengeId").into());
        }
        let identifiers = identifiers(cx, user).await?;
        let known: Vec<&str> = identifiers.iter().map(String::as_str).collect();
        let candidate = Candidate {
            password: &self.new,
            identifiers: &known,
            current: Some(&self.current.typed),
        };
        let new = new_password(cx, &credential, candidate).await?;
        let change = CredentialCommand::ChangePassword { user, matched, otp, new };
        cx.decide::<Credential>(stream, change).await.map_err(name_field)?;
        for session in live_sessions_of(cx, user).await? {
            let command = if session == here {
                SessionCommand::LiftRestriction
            } else {
                SessionCommand::EndSession { cause: EndCause::PasswordChanged }
            };
            cx.decide::<Session>(session, command).await?;
        }
        Ok(())
    }
}

/// What is wrong with the new password is said at this command's field for it.
fn name_field(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.field == ["password"] => {
            Failure::Refused(refusal.at("newPassword"))
        }
        other @ (Failure::Refused(_)
        | Failure::RefusedOnRecord(_)
        | Failure::Journal(_)
        | Failure::Database(_)) => other,
    }
}
