//! One-time passcodes: sent, verified, and used up by the action they were asked for (MC-20, MC-28).
//!
//! Invariant: the code is never stored. It is derived from the challenge's id, compared in constant
//! time, and each wrong try is on record before the answer leaves.

mod owner;
mod request;
mod step_up;
mod verify;
mod view;

use rollcall_domain::{
    policies::{OtpMethod, OtpPolicy},
    values::CodeChannel,
};

pub use owner::PasscodeOwner;
pub use request::RequestOtp;
pub(crate) use step_up::passcode_required;
pub use step_up::{require_step_up, step_up};
pub use verify::VerifyOtp;
pub use view::ChallengeStatus;

/// Whether people prove their telephone under this policy: passcodes are on and go to telephones.
#[must_use]
pub fn goes_to_telephones(policy: &OtpPolicy) -> bool {
    policy.enabled && [CodeChannel::Sms, CodeChannel::Voice].iter().any(|it| offers(policy, *it))
}

/// Whether the tenant offers this channel.
fn offers(policy: &OtpPolicy, channel: CodeChannel) -> bool {
    let method = match channel {
        CodeChannel::Sms => OtpMethod::Sms,
        CodeChannel::Voice => OtpMethod::Voice,
    };
    policy.methods.contains(&method)
}
