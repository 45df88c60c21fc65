//! The invitation of one person, from the administrator's "Add user" to "Registration complete"
//! (MC-15 to MC-21, GN-06, GN-31).
//!
//! Invariant: only the newest link counts, it completes one registration and only before it
//! expires, to the second.

mod command;
mod decide;
mod events;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::{InvitationCommand, InvitationRules, Invite, InviteeDetails};
pub use events::InvitationEvent;
pub use refusal::InvitationRefusal;
pub use state::{
    Invitation, InvitationStatus, InvitationStep, Invited, OpenInvitation, Progress,
    SubmittedDetails,
};
