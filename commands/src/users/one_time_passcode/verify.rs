//! `VerifyOtp`: the last digits of the code are typed.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OtpChallengeId, RegistrationId, UserId},
    organizations::{Registration, registration::RegistrationCommand},
    users::{
        authenticator::{Authenticator, AuthenticatorCommand, AuthenticatorRefusal},
        one_time_passcode::{
            OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose, Sent, Source,
            verification_refusal,
        },
    },
};
use subtle::ConstantTimeEq;
use tokio::sync::OnceCell;

use crate::{
    Access, Command, Context, Failure,
    sessions::limits,
    users::{
        authenticator::{self, Typed},
        invitation,
    },
};

/// Verifies a code; what it was asked for as a step of its own goes on with it (MC-20).
pub struct VerifyOtp {
    challenge: OtpChallengeId,
    code: String,
    /// A try counts once, however often it is decided.
    counted: OnceCell<()>,
}

impl VerifyOtp {
    /// `code` as typed.
    #[must_use]
    pub fn new(challenge: OtpChallengeId, code: String) -> Self {
        Self { challenge, code, counted: OnceCell::new() }
    }
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
        if sent.as_ref().is_some_and(|sent| sent.purpose == OtpPurpose::SignIn) {
            return Err(Refusal::new(
                Code::StepOutOfOrder,
                "This passcode belongs to a sign-in. Go on with confirmLogin.",
            )
            .into());
        }
        let verdict = check_code(cx, self.challenge, &self.code, &self.counted).await?;
        if let Verdict::Refused(refusal) = verdict {
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

/// What became of a typed code; either way it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was the right one.
    Passed,
    /// It was not, and this is to be answered.
    Refused(Refusal),
}

/// Holds a typed code against its challenge, and records the outcome.
///
/// # Errors
/// `OTP_REQUIRED`, `OTP_EXPIRED`, `OTP_TOO_MANY`, `ALREADY_VERIFIED` where the challenge takes no
/// code any more, `RATE_LIMITED`, or the database did not answer.
pub(crate) async fn check_code(
    cx: &mut Context<'_>,
    challenge: OtpChallengeId,
    typed: &str,
    counted: &OnceCell<()>,
) -> Result<Verdict, Failure> {
    let state = cx.load::<OneTimePasscode>(challenge).await?;
    let pending = state.pending().and_then(|_| state.sent().cloned());
    if let Some(sent) = state.sent() {
        cx.comes_from(sent.owner.subject());
    }
    let (matches, replayed) = match pending {
        None => (false, false),
        Some(sent) => match (&sent.source, sent.owner.user()) {
            (Source::Telephone { sent_length, .. }, _) => {
                (is_sent_code(cx, challenge, (*sent_length, sent.digits), typed), false)
            }
            (Source::Authenticator, None) => (false, false),
            (Source::Authenticator, Some(user)) => {
                by_authenticator(cx, user, typed, counted).await?
            }
        },
    };
    let verify = OneTimePasscodeCommand::VerifyOtp { matches };
    let events = cx.decide::<OneTimePasscode>(challenge, verify).await?;
    Ok(match verification_refusal(&events) {
        None => Verdict::Passed,
        Some(refusal) if replayed && refusal.code == Code::OtpWrong => {
            Verdict::Refused(AuthenticatorRefusal::CodeUsed.into())
        }
        Some(refusal) => Verdict::Refused(refusal),
    })
}

/// Whether what was typed are the last digits of the code that was sent.
fn is_sent_code(
    cx: &Context<'_>,
    challenge: OtpChallengeId,
    (sent_length, digits): (u32, u32),
    typed: &str,
) -> bool {
    let code = cx.journal().secrets().otp(challenge.0, sent_length);
    let beginning = code.len().saturating_sub(digits as usize);
    code.as_bytes()[beginning..].ct_eq(typed.as_bytes()).into()
}

/// Whether what was typed serves, and whether it has served already; what serves is used up.
async fn by_authenticator(
    cx: &mut Context<'_>,
    user: UserId,
    typed: &str,
    counted: &OnceCell<()>,
) -> Result<(bool, bool), Failure> {
    let count = async || limits::count(cx, limits::TOTP_CODES, &user.to_string()).await;
    counted.get_or_try_init(count).await?;
    let typed = authenticator::judge(cx, user, typed.trim()).await?;
    let command = match typed {
        Typed::Code { step } => AuthenticatorCommand::AcceptCode { step },
        Typed::Recovery { number } => AuthenticatorCommand::UseRecoveryCode { number },
        Typed::Replayed | Typed::Wrong => return Ok((false, typed == Typed::Replayed)),
    };
    cx.decide::<Authenticator>(cx.tenant().authenticator_stream(user), command).await?;
    Ok((true, false))
}
