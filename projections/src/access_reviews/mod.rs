//! Periodic access reviews as reviewers and auditors see them (CC-13, GN-15, GN-16).
//!
//! Invariant: what people wrote stands in the events alone.

mod figures;
mod items;
mod projection;
mod queries;
mod recommendation;
mod rights;
mod row;
mod shown;
mod taken_away;
mod tasks;
mod words;

pub use figures::{Day, Figures, ReviewerPace, figures};
pub use items::{ItemFilter, ItemView, Joiner, LastReview, gone_now, items, joiners, last_review};
pub use projection::{AccessReviews, NAME};
pub use queries::{ReviewFilter, ReviewView, Seen, reviews, reviews_by_id};
pub use recommendation::{Advising, advise, recommendations};
pub use rights::{HeldRight, held_rights};
pub use row::{AccessReviewRow, ItemRow};
pub use shown::{canonical_sha256, shown_sha256};
pub use taken_away::{Joined, joined};
pub use tasks::{EndingGrant, Reviewer, WaitingReview, ending_grants, waiting_reviews};
pub use words::{access_words, scope_words};
