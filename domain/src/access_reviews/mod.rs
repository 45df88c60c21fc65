//! Periodic reviews of who has access: the roster first, then what each may do (CC-13, GN-15, GN-16).
//!
//! Invariant: what is reviewed is frozen when the review opens, nobody decides about themself, and a
//! review is signed only when each item has its outcome. A right that ended by somebody else's doing or
//! by itself is gone like a person who left: nobody decides about it. One whose level or end is another
//! by now is still decided about, as it stands; readers see that it changed.

pub mod campaign;
mod command;
mod decide;
mod deciding;
mod decision;
mod events;
mod item;
mod pace;
mod refusal;
mod review;
mod rights;
mod taken;
#[cfg(test)]
mod tests;
mod watching;

pub use command::{
    AccessReviewCommand, CompleteReview, DecideItems, DelegateItems, NewReview, RecordExecution,
    UndoDecision,
};
pub use decision::{Advice, Ground, Recommendation, ReviewDecision, Seen};
pub use events::{AccessReviewEvent, ReviewExecution, ReviewItemDecision, UndoneDecision};
pub use item::{
    ItemOutcome, Leftover, Opener, ReviewItem, ReviewResult, ReviewScope, ReviewTotals, Reviewed,
    ReviewedAccess, sha256_of_lines,
};
pub use pace::{HASTY_KEPT_PERCENT, Pace, SITTING};
pub use refusal::AccessReviewRefusal;
pub use review::{AccessReview, Delegation, Item, ItemDecision, Review, ReviewStatus};
pub use rights::{Granted, rights_in_scope};

/// The version of [`ATTESTATION`].
pub const ATTESTATION_VERSION: &str = "1";
/// What a reviewer signs.
pub const ATTESTATION: &str = "I reviewed every person on this list, and what is decided here about \
    each of them is complete and correct to the best of my knowledge: who is kept still works here and \
    needs this access, and the access of who does not was taken away.";

/// The most items of one review.
pub const MOST_ITEMS: usize = 100_000;
/// The most items in one event of the list.
pub const LISTED_AT_ONCE: usize = 500;
/// The most items decided or delegated at once.
pub const DECIDED_AT_ONCE: usize = 1_000;
/// The most of them when access is taken away or changed.
pub const REVOKED_AT_ONCE: usize = 100;
