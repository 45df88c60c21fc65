//! Which rights were used when (GN-16).
//!
//! Invariant: asked for a whole page at once, in one statement.

mod projection;
mod queries;

pub use projection::{NAME, RightUses};
pub(crate) use queries::watched_since;
pub use queries::{AsOf, Asked, Noting, last_uses};
