//! Affiliations in the schema (MC-54 to MC-61, GN-18).
//!
//! Invariant: of the other organisation an affiliation tells the name, nothing else.

mod input;
mod mutations;
pub mod nodes;
mod queries;
mod show;
mod types;

pub use mutations::AffiliationMutation;
pub use queries::AffiliationQuery;
pub use types::Affiliation;
