//! What was refused for want of a right (requirements, section 1: refused commands that matter to
//! security leave their own event).
//!
//! Invariant: a denial is complete in itself: one stream, one event.

mod denial;

pub use denial::{AccessDenied, Denial, DenialCommand, DenialEvent, DenialRefusal};
