//! Periodic reviews of who has access: the roster first, then what each may do (CC-13, GN-15, GN-16).
//!
//! Invariant: what is reviewed is frozen when the review opens, nobody decides about themself, and a
//! review is signed only when each item has its outcome. A right that ended by somebody else's doing or
//! by itself is gone like a person who left: nobody decides about it. One whose level or end is another
//! by now is still decided about, as it stands; readers see that it changed.

mod access;
mod attesting;
pub mod campaign;
mod closing;
mod command;
mod confirming;
mod decide;
mod deciding;
mod decision;
mod delta;
mod events;
mod fitting;
mod item;
mod listing;
mod pace;
mod refusal;
mod review;
mod rights;
mod risk;
mod standing;
pub mod substitutes;
mod taken;
pub mod template;
#[cfg(test)]
mod tests;
mod touched;
mod watching;

pub use access::{Reviewed, ReviewedAccess};
pub use command::{
    AccessReviewCommand, AttestItems, Changes, CompleteReview, ConfirmItems, DecideByPolicy,
    DecideItems, DelegateItems, NewReview, RecordCarrying, RecordExecution, StandsInFor,
    UndoDecision,
};
pub use decision::{Advice, Ground, Recommendation, ReviewDecision, Seen};
pub use delta::{Baseline, Carried, CarriedItem, Certification, Split};
pub use events::{
    AccessReviewEvent, PolicyDecision, ReviewExecution, ReviewItemDecision, UndoneDecision,
};
pub use item::{
    ItemOutcome, Leftover, Listing, Opener, ReviewItem, ReviewResult, ReviewScope, ReviewTotals,
    sha256_of_lines,
};
pub use pace::{HASTY_KEPT_PERCENT, Pace, SITTING};
pub use refusal::AccessReviewRefusal;
pub use review::{AccessReview, Closing, Review, ReviewStatus};
pub use rights::{Granted, Holding, Submissions, rights_in_scope};
pub use risk::Risk;
pub use standing::{Attested, Carrying, Delegation, Item, ItemDecision};
pub use touched::{Since, job_roles_of};

/// The version of [`ATTESTATION`].
pub const ATTESTATION_VERSION: &str = "2";
/// What a reviewer signs.
pub const ATTESTATION: &str = "I reviewed everything on this list, and what is decided here about each \
    of it is complete and correct to the best of my knowledge: who is kept still works here, what is \
    kept is needed for that work, and what is not was taken away.";
/// What was signed before reviews were of single rights too.
const FIRST_ATTESTATION: &str = "I reviewed every person on this list, and what is decided here about \
    each of them is complete and correct to the best of my knowledge: who is kept still works here and \
    needs this access, and the access of who does not was taken away.";

/// The version of [`ATTESTATION_BESIDE_POLICY`].
pub const ATTESTATION_BESIDE_POLICY_VERSION: &str = "3";
/// What a reviewer signs where the policy decided about some, because nobody did in time.
pub const ATTESTATION_BESIDE_POLICY: &str = "I reviewed everything on this list but what the policy \
    decided because nobody did in time, which the list says. What is decided here about each of the rest \
    is complete and correct to the best of my knowledge: who is kept still works here, what is kept is \
    needed for that work, and what is not was taken away.";

/// What was signed under a version; `None` for one that there never was.
#[must_use]
pub fn attestation(version: &str) -> Option<&'static str> {
    match version {
        ATTESTATION_VERSION => Some(ATTESTATION),
        "1" => Some(FIRST_ATTESTATION),
        ATTESTATION_BESIDE_POLICY_VERSION => Some(ATTESTATION_BESIDE_POLICY),
        _ => None,
    }
}

/// The version of what is signed, by whether the policy decided about some of the list.
#[must_use]
pub const fn attestation_version(beside_policy: bool) -> &'static str {
    if beside_policy { ATTESTATION_BESIDE_POLICY_VERSION } else { ATTESTATION_VERSION }
}

/// The most items of one review.
pub const MOST_ITEMS: usize = 100_000;
/// The most people who are named for a review.
pub const MOST_PEOPLE: usize = 1_000;
/// The most items in one event of the list, to be decided or carried forward.
pub const LISTED_AT_ONCE: usize = 500;
/// The most items decided or delegated at once.
pub const DECIDED_AT_ONCE: usize = 1_000;
/// The most of them when access is taken away or changed.
pub const REVOKED_AT_ONCE: usize = 100;
