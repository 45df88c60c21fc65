//! Sessions: who is signed in, for which organisation, until when (MC-34 to MC-37, CX-10, GN-11).
//!
//! Invariant: a session that has ended never lives again, and it acts for at most one organisation
//! at a time, one of which its person is a member.

mod events;
mod session;
#[cfg(test)]
mod tests;

pub use events::{EndCause, LoginMethod, SessionEvent};
pub use session::{LiveSession, Session, SessionCommand, SessionRefusal, SessionStatus};
