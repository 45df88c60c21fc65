//! Why a passcode was refused. Invariant: a wrong code is a recorded failure, not a refusal of the
//! command; its answer is read from the event.

use super::OneTimePasscodeEvent;
use crate::{Code, Refusal};

/// Why a challenge refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OneTimePasscodeRefusal {
    #[error("Ask for a passcode first.")]
    NotSent,
    #[error("This passcode was sent already. Ask for a new one.")]
    AlreadySent,
    #[error("This passcode has expired. Ask for a new one.")]
    Expired,
    #[error("Too many wrong passcodes. Ask for a new one.")]
    TooMany,
    #[error("This passcode has been verified. Go on with the next step.")]
    AlreadyVerified,
    #[error("Enter the passcode from your phone first.")]
    Required,
}

impl From<OneTimePasscodeRefusal> for Refusal {
    fn from(refusal: OneTimePasscodeRefusal) -> Self {
        let message = refusal.to_string();
        let code = match refusal {
            OneTimePasscodeRefusal::NotSent | OneTimePasscodeRefusal::Required => Code::OtpRequired,
            OneTimePasscodeRefusal::AlreadySent => Code::VersionConflict,
            OneTimePasscodeRefusal::Expired => Code::OtpExpired,
            OneTimePasscodeRefusal::TooMany => Code::OtpTooMany,
            OneTimePasscodeRefusal::AlreadyVerified => Code::AlreadyVerified,
        };
        Self::new(code, message).at("code")
    }
}

/// What to answer to a verification that led to these events; `None` when the code was right.
///
/// OTP_WRONG names the tries left in its details; the last one answers OTP_TOO_MANY.
#[must_use]
pub fn verification_refusal(events: &[OneTimePasscodeEvent]) -> Option<Refusal> {
    events.iter().find_map(|event| match event {
        OneTimePasscodeEvent::OtpFailed { attempts_left: 0, .. } => {
            Some(OneTimePasscodeRefusal::TooMany.into())
        }
        OneTimePasscodeEvent::OtpFailed { attempts_left, .. } => Some(
            Refusal::new(Code::OtpWrong, "The passcode is not right. Enter its last digits again.")
                .at("code")
                .details([attempts_left.to_string()]),
        ),
        OneTimePasscodeEvent::OtpSent { .. }
        | OneTimePasscodeEvent::OtpChallenged { .. }
        | OneTimePasscodeEvent::OtpVerified { .. }
        | OneTimePasscodeEvent::OtpConsumed { .. } => None,
    })
}
