//! `ChangePhone`: the number that passcodes go to (MC-27).
//!
//! Invariant: where the policy asks for a passcode and passcodes go to telephones, it went to the new
//! number, so nobody moves their passcodes to a telephone they do not hold. Where they do not, the
//! authenticator app's is as good as for any other change.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::OtpChallengeId,
    policies::StepUpAction,
    users::{
        credential::StepUp,
        one_time_passcode::{OneTimePasscode, OtpPurpose},
        user::{User, UserCommand},
    },
    values::PhoneNumber,
};

use crate::{
    Access, Command, Context, Failure,
    users::{
        credential::CurrentPassword,
        one_time_passcode::{goes_to_telephones, passcode_required, step_up},
    },
};

/// Changes the caller's own number.
pub struct ChangePhone {
    pub mobile: PhoneNumber,
    pub current: CurrentPassword,
    /// A verified passcode that was sent to the new number, where the policy asks for one.
    pub challenge: Option<OtpChallengeId>,
}

#[async_trait]
impl Command for ChangePhone {
    const NAME: &'static str = "ChangePhone";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        self.current.confirm(cx, user).await?;
        let passcode = self.passcode(cx).await?;
        if step_up(cx, StepUpAction::ChangePhone, user, passcode).await? == StepUp::Missing {
            return Err(passcode_required().into());
        }
        let change = UserCommand::ChangePhone { mobile: self.mobile.clone() };
        cx.decide::<User>(user, change).await?;
        Ok(())
    }
}

impl ChangePhone {
    /// The challenge that counts here, and what it has to be for.
    async fn passcode(
        &self,
        cx: &mut Context<'_>,
    ) -> Result<(OtpPurpose, Option<OtpChallengeId>), Failure> {
        if !goes_to_telephones(&cx.policy.otp()) {
            return Ok((OtpPurpose::StepUp, self.challenge));
        }
        let Some(id) = self.challenge else { return Ok((OtpPurpose::NewPhone, None)) };
        let state = cx.load::<OneTimePasscode>(id).await?;
        let to_the_new = state.sent().is_some_and(|sent| sent.telephone() == Some(&self.mobile));
        Ok((OtpPurpose::NewPhone, Some(id).filter(|_| to_the_new)))
    }
}
