//! Periodic reviews of access in the schema (CC-13, GN-15, GN-16).
//!
//! Invariant: what a reviewer was shown comes back with the decision, as a receipt.

pub mod campaigns;
mod confirming;
mod granted;
mod item_types;
mod items;
mod mutations;
pub mod nodes;
mod own;
mod queries;
mod scope;
mod shown;
mod sight;
mod substitutes;
mod take_away;
pub mod templates;
mod types;
mod undo;
mod undo_decisions;
mod whose;

pub use confirming::ReviewConfirmationMutation;
pub use item_types::ReviewVerdict;
pub use mutations::AccessReviewMutation;
pub use own::{OwnReviewMutation, OwnReviewQuery};
pub use queries::AccessReviewQuery;
pub use sight::seen;
pub use substitutes::{ReviewSubstituteMutation, ReviewSubstituteQuery};
pub use take_away::AccessReviewFileMutation;
pub use types::AccessReview;
pub use undo::ReviewUndoQuery;
pub use undo_decisions::ReviewUndoMutation;
