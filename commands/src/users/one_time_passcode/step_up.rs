//! Whether an action got the passcode that the policy asks for (MC-28).
//!
//! Invariant: a passcode is used up in the append of the action it was asked for.

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OtpChallengeId, UserId},
    policies::StepUpAction,
    users::{
        credential::StepUp,
        one_time_passcode::{
            OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose, Sent, Source,
        },
    },
};

use super::way::{Way, way_of};
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
    use_up(cx, user, (purpose, challenge)).await
}

/// As [`step_up`] for a password set by link, which people come to who may have no second factor
/// yet: the link alone serves them where the next sign-in makes them add one.
///
/// # Errors
/// As [`step_up`].
pub async fn step_up_by_link(
    cx: &mut Context<'_>,
    action: StepUpAction,
    user: UserId,
    passcode: (OtpPurpose, Option<OtpChallengeId>),
) -> Result<StepUp, Failure> {
    if link_alone_serves(cx, user).await? {
        return Ok(StepUp::NotRequired);
    }
    step_up(cx, action, user, passcode).await
}

/// Whether there is no way to ask this person for a passcode, and signing in makes them add one.
///
/// # Errors
/// The database did not answer.
pub(super) async fn link_alone_serves(cx: &mut Context<'_>, user: UserId) -> Result<bool, Failure> {
    let at_sign_in = cx.policy.needs_step_up(StepUpAction::SignIn);
    Ok(at_sign_in && way_of(cx, user, None).await? == Way::None)
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

/// Demands a verified challenge of the person's authenticator app, whatever the policy says: what
/// the app guards is not undone by a text message.
///
/// # Errors
/// As [`require_step_up`].
pub(crate) async fn require_authenticator(
    cx: &mut Context<'_>,
    user: UserId,
    challenge: OtpChallengeId,
) -> Result<(), Failure> {
    let state = cx.load::<OneTimePasscode>(challenge).await?;
    let by_app = |sent: &Sent| sent.source == Source::Authenticator;
    if !state.sent().is_some_and(by_app) {
        return Err(passcode_required().into());
    }
    match use_up(cx, user, (OtpPurpose::StepUp, challenge)).await? {
        StepUp::NotRequired | StepUp::Passed => Ok(()),
        StepUp::Missing => Err(passcode_required().into()),
    }
}

async fn use_up(
    cx: &mut Context<'_>,
    user: UserId,
    (purpose, challenge): (OtpPurpose, OtpChallengeId),
) -> Result<StepUp, Failure> {
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

/// An action that the policy guards was tried without a passcode.
pub(crate) fn passcode_required() -> Refusal {
    Refusal::new(
        Code::OtpRequired,
        "This needs a one-time passcode. Ask for one and verify it, then repeat this with it.",
    )
    .at("otpChallengeId")
}
