//! Periodic access reviews as reviewers and auditors see them (CC-13, GN-15, GN-16).
//!
//! Invariant: what people wrote stands in the events alone.

mod projection;
mod row;

pub use projection::{AccessReviews, NAME};
pub use row::{AccessReviewRow, ItemRow};
