//! One-time passcodes: sent, verified, and used up by the action they were asked for (MC-20, MC-28).
//!
//! Invariant: a code is never stored. A sent one is derived from the challenge's id, an app's from
//! its secret; both are compared in constant time, and each wrong try is on record before the answer
//! leaves.

mod owner;
mod request;
mod step_up;
mod verify;
mod view;
mod way;

use rollcall_domain::{
    policies::{OtpMethod, OtpPolicy},
    values::CodeChannel,
};

pub use owner::PasscodeOwner;
pub use request::RequestOtp;
pub(crate) use request::ask_at_sign_in;
pub(crate) use step_up::{passcode_required, require_authenticator};
pub use step_up::{require_step_up, step_up, step_up_by_link};
pub use verify::VerifyOtp;
pub(crate) use verify::{Verdict, check_code};
pub use view::ChallengeStatus;
pub(crate) use way::{Way, way_of};

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
