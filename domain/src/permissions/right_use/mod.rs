//! When somebody last used a right (GN-16).
//!
//! Invariant: what says nothing of a use is told as not observable, never as unused: a review must
//! not take a right away because nobody looked.

mod aggregate;
mod events;
mod kind;
#[cfg(test)]
mod tests;
mod used;

pub use aggregate::{RightUseCommand, RightUseRefusal, RightUses};
pub use events::{RightUseEvent, UseSource};
pub use kind::{Observed, RightKind};
pub use used::UsedRight;
