//! The access register: who could do what, when, and as known when (GN-14).
//!
//! Invariant: grants and conditions are kept apart and are never rewritten for each other's sake;
//! what a person may do is their intersection, in `ops.effective_access` and nowhere else.

mod cause;
mod difference;
pub(crate) mod facts;
pub(crate) mod interval;
pub(crate) mod ledger;
pub(crate) mod projection;
mod queries;

pub use cause::Cause;
pub use difference::{
    AccessChange, Change, ChangeCount, ChangeFilter, Span, change_counts, changes,
};
pub use projection::{AccessRegister, NAME};
pub use queries::{
    AccessKey, AccessRight, AccessRow, AccessSource, Moment, Question, count, page, recorded_at,
};
