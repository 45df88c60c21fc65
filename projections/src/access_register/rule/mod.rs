//! The rule of one right of one person, over all time: on what it rests, and whether each of that was
//! so at a moment (GN-13, GN-14).
//!
//! Invariant: it says of every moment what `ops.effective_access` says, which answers for one moment
//! and all rights; a property test holds the two together. No event is read, none replayed.

mod expression;
mod load;
mod member;
mod record;
mod requirements;
mod right;

pub(super) use load::load;
pub(super) use record::{Clock, Happened, Records, Span, just_before};
pub use requirements::RequirementKind;
pub(super) use requirements::{Requirement, Rule};
pub use right::{AskedRight, Of};
