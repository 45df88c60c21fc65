//! People: their data, invitation, password, passcodes and authenticator (MC-15 to MC-28, GN-05 to
//! GN-10).
//!
//! Invariant: no secret passes through here. Passwords appear as vault references, links as ids and
//! passcodes as the answer of a comparison made elsewhere in constant time.

pub mod authenticator;
pub mod credential;
pub mod external_identity;
pub mod invitation;
pub mod one_time_passcode;
pub mod user;
