//! One-time passcodes, sent by SMS or voice or shown by an authenticator app (MC-20, MC-28).
//!
//! Invariant: the code itself is never here. The commands layer compares in constant time and brings
//! the answer; this stream counts tries, keeps time and lets a verified challenge be used once.

mod challenge;
mod events;
mod refusal;
#[cfg(test)]
mod tests;

pub use challenge::{
    CONSUME_GRACE, ChallengeOtp, OneTimePasscode, OneTimePasscodeCommand, SendOtp, Sent, Source,
};
pub use events::{OneTimePasscodeEvent, OtpOwner, OtpPurpose};
pub use refusal::{OneTimePasscodeRefusal, verification_refusal};
