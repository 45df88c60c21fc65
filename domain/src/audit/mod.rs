//! What was refused for want of a right (requirements, section 1: refused commands that matter to
//! security leave their own event), and evidence that was taken away.
//!
//! Invariant: a denial is complete in itself: one stream, one event.

mod denial;
mod evidence;

pub use denial::{AccessDenied, Denial, DenialCommand, DenialEvent, DenialRefusal};
pub use evidence::{
    Evidence, EvidenceCommand, EvidenceEvent, EvidenceQuestion, EvidenceRefusal, FETCHED_WITHIN,
    RequestedEvidence,
};
