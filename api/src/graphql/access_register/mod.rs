//! The access register in the schema: who had access to an NPI on a date, what a person could do on
//! a date, what differs between two (GN-14).
//!
//! Invariant: every answer names the moment and the position it holds for.

mod difference;
mod difference_types;
mod queries;
mod question;
mod types;
mod uses;

pub use difference::AccessDifferenceQuery;
pub use queries::AccessRegisterQuery;
pub use question::Records;
pub use types::{AccessCauseKind, AccessRight, AccessSource};
pub use uses::UsesOfPerson;
