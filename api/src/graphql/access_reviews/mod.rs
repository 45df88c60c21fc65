//! Periodic reviews of access in the schema (CC-13, GN-15).
//!
//! Invariant: what a reviewer was shown comes back with the decision, as a receipt.

mod mutations;
mod types;

pub use mutations::AccessReviewMutation;
