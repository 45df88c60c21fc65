//! Requests for access in the schema (CC-11, CC-12, AL-07, AL-08, CX-13, GN-13).
//!
//! Invariant: people see their own, administrators their organisation's, the plan all of them.

mod join;
mod moves;
mod mutations;
pub mod nodes;
mod queries;
mod show;
mod types;

pub use join::JoinMutation;
pub use moves::{MoveMutation, MoveQuery};
pub use mutations::AccessRequestMutation;
pub use queries::AccessRequestQuery;
pub use types::AccessRequest;
