//! Commands on sessions.

mod end_session;
mod ending;

pub use end_session::EndSession;
pub use ending::{end_sessions_of, live_sessions_of};
