//! A person's account: who they are and how they are reached (MC-21, MC-27, MC-33, MC-64 to MC-66,
//! CX-06, GN-05, GN-06).
//!
//! Invariant: an account has no status of its own here. INVITED, REGISTERED, ACTIVE and DEACTIVATED
//! follow from invitation, credential and memberships.

mod account;
mod changes;
mod command;
mod events;
mod refusal;
#[cfg(test)]
mod tests;

pub use account::{EmailLink, Profile, User};
pub use changes::{Change, DetailChanges, NewDetails};
pub(in crate::users) use changes::{change, own};
pub use command::{Registration, UserCommand};
pub use events::UserEvent;
pub use refusal::UserRefusal;
