//! A person's authenticator app as a second factor (RFC 6238), with recovery codes (MC-28).
//!
//! Invariant: neither secret nor code is ever here. The commands layer compares and brings the time
//! step or the number of the code that fits; this stream lets each of them serve once.

mod command;
mod events;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::AuthenticatorCommand;
pub use events::AuthenticatorEvent;
pub use refusal::AuthenticatorRefusal;
pub use state::{Authenticator, Enrolled, Enrolling};

use chrono::TimeDelta;

/// How long a secret that was shown waits for its first code.
pub const ENROLMENT_TTL: TimeDelta = TimeDelta::minutes(10);

/// How many recovery codes a person is given at a time.
pub const RECOVERY_CODES: u32 = 10;
