//! Commands on sessions.

mod end_session;

pub use end_session::EndSession;
