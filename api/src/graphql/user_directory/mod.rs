//! User administration: the directory of an organisation's people and the commands on them (MC-14,
//! MC-29 to MC-31, MC-47).
//!
//! Invariant: a list and one user are assembled by the same function, which reads each table once
//! for all users shown.

mod appointments;
mod corrections;
mod loading;
mod mutations;
pub mod nodes;
mod queries;
mod types;

pub use appointments::{AppointmentMutation, AppointmentQuery};
pub use corrections::CorrectionMutation;
pub use loading::{Selected, assemble, read_back, user_of_input};
pub use mutations::UserAdministrationMutation;
pub use queries::UserDirectoryQuery;
pub use types::User;
