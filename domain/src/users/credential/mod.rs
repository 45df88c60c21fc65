//! The credential of one person: password references, links to set one, lockout (MC-21 to MC-28).
//!
//! Invariant: an unknown identifier has a shadow stream of this same type, so that it fails, locks
//! and unlocks exactly like a known one (GN-09).

mod command;
mod decide;
mod events;
mod links;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::{
    CredentialCommand, LoginAttempt, LoginBar, LoginConfirmation, NewPassword, ResetWay, StepUp,
};
pub use events::{CredentialEvent, LoginFailureReason, PasswordSource, ResetMethod, UnlockCause};
pub use links::LinkPurpose;
pub use refusal::{CredentialRefusal, login_refusal};
pub use state::{Credential, MAX_HISTORY};
