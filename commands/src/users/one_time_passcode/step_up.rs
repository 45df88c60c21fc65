//! Whether an action got the passcode that the policy asks for (MC-28).
//!
//! Invariant: a passcode is used up in the append of the action it was asked for.

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OtpChallengeId, UserId},
    policies::StepUpAction,
    users::{
        credential::StepUp,
        one_time_passcode::{OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose},
    },
};

use crate::{Context, Failure};

/// Uses up the person's verified challenge where the policy asks for one; part of the same commit
/// as the action, so that a refused action does not cost the code.
///
/// # Errors
/// `OTP_EXPIRED`, or the database did not answer. A challenge that is missing, another's or used is
/// the answer [`StepUp::Missing`].
pub async fn step_up(
    cx: &mut Context<'_>,
    action: StepUpAction,
    user: UserId,
    (purpose, challenge): (OtpPurpose, Option<OtpChallengeId>),
) -> Result<StepUp, Failure> {
    if !cx.policy.needs_step_up(action) {
        return Ok(StepUp::NotRequired);
    }
    let Some(challenge) = challenge else { return Ok(StepUp::Missing) };
    let owner = OtpOwner::User(user);
    let state = cx.load::<OneTimePasscode>(challenge).await?;
    match state.check_verified(owner, purpose, cx.now).map_err(Refusal::from) {
        Ok(()) => {
            let consume = OneTimePasscodeCommand::ConsumeOtp { owner, purpose };
            cx.decide::<OneTimePasscode>(challenge, consume).await?;
            Ok(StepUp::Passed)
        }
        Err(refusal) if refusal.code == Code::OtpExpired => Err(refusal.into()),
        Err(_) => Ok(StepUp::Missing),
    }
}

/// Demands the signed-in person's verified challenge where the policy asks for one.
///
/// # Errors
/// `OTP_REQUIRED`, `OTP_EXPIRED`, or the database did not answer.
pub async fn require_step_up(
    cx: &mut Context<'_>,
    action: StepUpAction,
    challenge: Option<OtpChallengeId>,
) -> Result<(), Failure> {
    let user = cx.person()?;
    match step_up(cx, action, user, (OtpPurpose::StepUp, challenge)).await? {
        StepUp::NotRequired | StepUp::Passed => Ok(()),
        StepUp::Missing => Err(passcode_required().into()),
    }
}

/// An action that the policy guards was tried without a passcode.
pub(crate) fn passcode_required() -> Refusal {
    Refusal::new(
        Code::OtpRequired,
        "This needs a one-time passcode. Ask for one and verify it, then repeat this with it.",
    )
    .at("otpChallengeId")
}
