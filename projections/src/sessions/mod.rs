//! Sessions and sign-ins: who is signed in, what became of earlier tries (MC-34 to MC-37, CX-10).
//!
//! Invariant: neither table holds a name or an address of anybody.

mod login_history;
mod projection;
mod queries;

pub use login_history::{LoginEntry, LoginOutcome, login_history};
pub use projection::{NAME, Sessions};
pub use queries::{SessionKey, SessionRow, sessions, sessions_by_id};
