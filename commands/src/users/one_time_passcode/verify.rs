//! `VerifyOtp`: the last digits of the code are typed.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OtpChallengeId, RegistrationId},
    organizations::{Registration, registration::RegistrationCommand},
    users::one_time_passcode::{
        OneTimePasscode, OneTimePasscodeCommand, OtpOwner, Sent, verification_refusal,
    },
};
use rollcall_journal::secrets::Secrets;
use subtle::ConstantTimeEq;

use crate::{Access, Command, Context, Failure, users::invitation};

/// Verifies a code; what it was asked for as a step of its own goes on with it (MC-20).
pub struct VerifyOtp {
    pub challenge: OtpChallengeId,
    /// As typed.
    pub code: String,
}

#[async_trait]
impl Command for VerifyOtp {
    const NAME: &'static str = "VerifyOtp";
    const FOR_VISITORS: bool = true;
    type Output = OtpChallengeId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OtpChallengeId, Failure> {
        let state = cx.load::<OneTimePasscode>(self.challenge).await?;
        let sent = state.sent().cloned();
        let matches = sent.as_ref().is_some_and(|sent| {
            let expected = expected(cx.journal().secrets(), self.challenge, sent);
            expected.as_bytes().ct_eq(self.code.as_bytes()).into()
        });
        let verify = OneTimePasscodeCommand::VerifyOtp { matches };
        let events = cx.decide::<OneTimePasscode>(self.challenge, verify).await?;
        if let Some(refusal) = verification_refusal(&events) {
            return Err(Failure::RefusedOnRecord(refusal));
        }
        if let Some(Sent { owner, purpose, .. }) = sent {
            let is_step = match owner {
                OtpOwner::Registration(id) => {
                    self.registrant_is_reached(cx, id).await?;
                    true
                }
                OtpOwner::Invitation(id) => {
                    invitation::passcode_verified(cx, id, self.challenge).await?;
                    true
                }
                OtpOwner::User(_) => false,
            };
            if is_step {
                let consume = OneTimePasscodeCommand::ConsumeOtp { owner, purpose };
                cx.decide::<OneTimePasscode>(self.challenge, consume).await?;
            }
        }
        Ok(self.challenge)
    }
}

impl VerifyOtp {
    async fn registrant_is_reached(
        &self,
        cx: &mut Context<'_>,
        id: RegistrationId,
    ) -> Result<(), Failure> {
        let step = RegistrationCommand::VerifyPasscode { challenge: self.challenge };
        cx.decide::<Registration>(id, step).await?;
        Ok(())
    }
}

/// What is to be typed: the last digits of the code sent.
fn expected(secrets: &Secrets, challenge: OtpChallengeId, sent: &Sent) -> String {
    let code = secrets.otp(challenge.0, sent.sent_length);
    let typed = code.len().saturating_sub(sent.digits as usize);
    code[typed..].to_owned()
}
