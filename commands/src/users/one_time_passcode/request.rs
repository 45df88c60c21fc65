//! `RequestOtp`: a code is sent to the telephone that the owner proved or is about to prove, or the
//! one of the owner's authenticator app is asked for.

use async_trait::async_trait;
use chrono::TimeDelta;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OtpChallengeId, UserId},
    users::one_time_passcode::{
        OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose, SendOtp,
    },
    values::CodeChannel,
};
use uuid::Uuid;

use super::{
    PasscodeOwner, goes_to_telephones, offers,
    owner::{self, Recipient},
    step_up::link_alone_serves,
    way::{Way, challenge_app, way_of},
};
use crate::{Access, Command, Context, Failure, rate_limit::Limit};

/// Codes sent to one owner: enough to mistype a channel, too few to guess or to annoy.
const SENDS: Limit =
    Limit { name: "one_time_passcode.sends", tries: 3, window: TimeDelta::minutes(15) };

/// Asks for a passcode (MC-20).
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
        let challenge = OtpChallengeId(Uuid::new_v4());
        if let Some((user, purpose)) = self.owner.account_holder(cx).await? {
            match way_of(cx, user, self.channel).await? {
                Way::Authenticator => {
                    challenge_app(cx, challenge, (user, purpose)).await?;
                    return Ok(challenge);
                }
                Way::Telephone => {}
                Way::None => return Err(no_way(cx, user).await?.into()),
            }
        }
        if !goes_to_telephones(&cx.policy.otp()) {
            return Err(not_used_here().into());
        }
        let recipient = self.owner.recipient(cx).await?;
        send(cx, challenge, (recipient, self.channel)).await?;
        Ok(challenge)
    }
}

/// Asks for the passcode that a sign-in needs after its password (MC-28).
///
/// # Errors
/// `RATE_LIMITED`, or the database did not answer.
pub(crate) async fn ask_at_sign_in(
    cx: &mut Context<'_>,
    user: UserId,
    (challenge, way): (OtpChallengeId, Way),
) -> Result<(), Failure> {
    let purpose = OtpPurpose::SignIn;
    match way {
        Way::Authenticator => challenge_app(cx, challenge, (user, purpose)).await,
        Way::Telephone => {
            let recipient = owner::account(cx, user, purpose).await?;
            send(cx, challenge, (recipient, None)).await
        }
        Way::None => Ok(()),
    }
}

async fn send(
    cx: &mut Context<'_>,
    challenge: OtpChallengeId,
    (recipient, channel): (Recipient, Option<CodeChannel>),
) -> Result<(), Failure> {
    let channel = channel.unwrap_or(recipient.channel);
    if !offers(&cx.policy.otp(), channel) {
        return Err(Refusal::new(
            Code::FieldInvalid,
            "Codes are not sent this way here. Choose the other channel.",
        )
        .at("channel")
        .into());
    }
    count(cx, recipient.owner).await?;
    cx.comes_from(recipient.owner.subject());
    let send = OneTimePasscodeCommand::SendOtp(SendOtp {
        challenge,
        owner: recipient.owner,
        purpose: recipient.purpose,
        channel,
        to: recipient.phone,
    });
    cx.decide::<OneTimePasscode>(challenge, send).await?;
    Ok(())
}

async fn count(cx: &Context<'_>, owner: OtpOwner) -> Result<(), Failure> {
    let subject = owner.subject().0.to_string();
    let key = cx.journal().secrets().lookup_key(cx.tenant(), SENDS.name, &subject);
    cx.commands.rate_limits.count(cx.tenant(), SENDS, &key, cx.now).await
}

/// What is said to somebody who cannot be asked for a passcode.
async fn no_way(cx: &mut Context<'_>, user: UserId) -> Result<Refusal, Failure> {
    let signed_in = cx.authority.user == Some(user);
    if !cx.policy.otp().enabled || (!signed_in && link_alone_serves(cx, user).await?) {
        return Ok(not_used_here());
    }
    Ok(Refusal::new(
        Code::SecondFactorRequired,
        "There is no second factor to ask you for. Sign in and add an authenticator app first.",
    ))
}

fn not_used_here() -> Refusal {
    Refusal::new(Code::FeatureDisabled, "Passcodes are not used here. Go on without one.")
}
