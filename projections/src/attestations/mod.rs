//! The plan's statement: who of an organisation signed which version, and who has yet to (CC-14).
//!
//! Invariant: a signature stands here once; who holds the feature is asked of the access register.

mod projection;
mod queries;

pub use projection::Attestations;
pub use queries::{AttestationFilter, AttestationRow, Signature, attestations, count_attestations};
