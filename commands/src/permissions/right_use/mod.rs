//! Uses of rights: noted as they happen, written down once a day, reported by external systems
//! (GN-16).
//!
//! Invariant: noting a use never fails what was done, and costs a write once a day at most.

mod notes;
mod record;
mod report;
mod roll_up;

pub(crate) use notes::used;
pub use notes::{Noted, RightUseNotes};
pub use record::RecordRightUse;
pub use report::{ReportRightUse, ReportedUse};
pub use roll_up::{RollUp, due};
