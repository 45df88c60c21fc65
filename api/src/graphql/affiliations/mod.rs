//! Affiliations in the schema (MC-54 to MC-63, GN-18).
//!
//! Invariant: of the other organisation an affiliation tells the name, the directory also what it
//! offers, and neither anything else.

mod input;
mod mutations;
pub mod nodes;
mod profile;
mod queries;
mod show;
mod types;

pub use mutations::AffiliationMutation;
pub use profile::SubmitterProfileMutation;
pub use queries::AffiliationQuery;
pub use types::Affiliation;
