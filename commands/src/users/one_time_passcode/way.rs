//! By which way a person is asked for a passcode.
//!
//! Invariant: somebody who has an authenticator app is asked for its code unless they name a
//! channel; text messages are the weaker method (NIST SP 800-63B).

use rollcall_domain::{
    kernel::ids::{OtpChallengeId, UserId},
    users::{
        authenticator::Authenticator,
        one_time_passcode::{
            ChallengeOtp, OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose,
        },
    },
    values::CodeChannel,
};

use super::goes_to_telephones;
use crate::{Context, Failure, users::authenticator};

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The app shows a code.
    Authenticator,
    /// A code is sent.
    Telephone,
    /// The tenant sends none, and the person has no app.
    None,
}

/// The way to ask `user`; a `channel` that was named leads to the telephone.
///
/// # Errors
/// The database did not answer.
pub(crate) async fn way_of(
    cx: &mut Context<'_>,
    user: UserId,
    channel: Option<CodeChannel>,
) -> Result<Way, Failure> {
    let policy = cx.policy.otp();
    let state = cx.load::<Authenticator>(cx.tenant().authenticator_stream(user)).await?;
    let by_app = policy.offers_authenticator() && state.enrolled().is_some();
    Ok(if by_app && channel.is_none() {
        Way::Authenticator
    } else if goes_to_telephones(&policy) {
        Way::Telephone
    } else if by_app {
        Way::Authenticator
    } else {
        Way::None
    })
}

/// Asks for the code that the person's app shows.
///
/// # Errors
/// The database did not answer.
pub(super) async fn challenge_app(
    cx: &mut Context<'_>,
    challenge: OtpChallengeId,
    (user, purpose): (UserId, OtpPurpose),
) -> Result<(), Failure> {
    let ask = OneTimePasscodeCommand::ChallengeOtp(ChallengeOtp {
        challenge,
        owner: OtpOwner::User(user),
        purpose,
        digits: authenticator::DIGITS,
    });
    cx.decide::<OneTimePasscode>(challenge, ask).await?;
    Ok(())
}
