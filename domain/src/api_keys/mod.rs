//! Keys by which machines ask and command: clearinghouses' and clinics' own systems, and the plan's
//! (GN-28).
//!
//! Invariant: a key acts for one owner and within its scopes alone, and one that was revoked or has
//! expired never works again.

mod events;
mod key;
mod refusal;
mod scope;
#[cfg(test)]
mod tests;

pub use events::ApiKeyEvent;
pub use key::{ApiKey, ApiKeyCommand, Grant};
pub use refusal::ApiKeyRefusal;
pub use scope::Scope;
