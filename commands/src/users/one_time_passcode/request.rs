//! `RequestOtp`: a code is sent to the telephone that the owner proved or is about to prove.

use async_trait::async_trait;
use chrono::TimeDelta;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::OtpChallengeId,
    users::one_time_passcode::{OneTimePasscode, OneTimePasscodeCommand, SendOtp},
    values::CodeChannel,
};
use uuid::Uuid;

use super::{PasscodeOwner, goes_to_telephones, offers};
use crate::{Access, Command, Context, Failure, rate_limit::Limit};

/// Codes sent to one owner: enough to mistype a channel, too few to guess or to annoy.
const SENDS: Limit =
    Limit { name: "one_time_passcode.sends", tries: 3, window: TimeDelta::minutes(15) };

/// Sends a passcode (MC-20).
pub struct RequestOtp {
    pub owner: PasscodeOwner,
    /// The channel the owner chose before, if none is named now.
    pub channel: Option<CodeChannel>,
}

#[async_trait]
impl Command for RequestOtp {
    const NAME: &'static str = "RequestOtp";
    const FOR_VISITORS: bool = true;
    type Output = OtpChallengeId;

    fn access(&self) -> Access {
        match self.owner {
            PasscodeOwner::Myself | PasscodeOwner::NewPhone(_) => Access::OwnSession,
            PasscodeOwner::Registration(_)
            | PasscodeOwner::Invitation(_)
            | PasscodeOwner::PasswordLink(_) => Access::Public,
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OtpChallengeId, Failure> {
        let policy = cx.policy.otp();
        if !goes_to_telephones(&policy) {
            return Err(Refusal::new(
                Code::FeatureDisabled,
                "Passcodes are not used here. Go on without one.",
            )
            .into());
        }
        let recipient = self.owner.recipient(cx).await?;
        let channel = self.channel.unwrap_or(recipient.channel);
        if !offers(&policy, channel) {
            return Err(Refusal::new(
                Code::FieldInvalid,
                "Codes are not sent this way here. Choose the other channel.",
            )
            .at("channel")
            .into());
        }
        let subject = recipient.owner.subject().0.to_string();
        let key = cx.journal().secrets().lookup_key(cx.tenant(), SENDS.name, &subject);
        cx.commands.rate_limits.count(cx.tenant(), SENDS, &key, cx.now).await?;
        let challenge = OtpChallengeId(Uuid::new_v4());
        let send = OneTimePasscodeCommand::SendOtp(SendOtp {
            challenge,
            owner: recipient.owner,
            purpose: recipient.purpose,
            channel,
            to: recipient.phone,
        });
        cx.decide::<OneTimePasscode>(challenge, send).await?;
        Ok(challenge)
    }
}
