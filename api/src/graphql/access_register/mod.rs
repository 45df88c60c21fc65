//! The access register in the schema: who had access to an NPI on a date, what a person could do on
//! a date, what differs between two, why, and from when to when (GN-14).
//!
//! Invariant: every answer names the moment and the position it holds for.

mod difference;
mod difference_types;
mod exposure;
mod queries;
mod question;
mod simulation;
mod simulation_types;
mod types;
mod uses;
mod why;
mod why_types;

pub use difference::AccessDifferenceQuery;
pub use exposure::AccessExposureQuery;
pub use queries::AccessRegisterQuery;
pub use simulation::PolicySimulationQuery;
pub use types::AccessRight;
pub use uses::UsesOfPerson;
pub use why::AccessExplanationQuery;
