//! The way from the portal to Transaction Services: what may be done there for an NPI, and the signed
//! hand-off that leads there (MC-38).
//!
//! Invariant: a hand-off serves once and for a minute or so, and carries no more than its person was
//! allowed at that moment.

mod handoff;
mod options;

pub use handoff::{Handoff, HandoffCommand, HandoffEvent, HandoffRefusal, IssueHandoff, Issued};
pub use options::{TransactionOption, TransactionUsage, as_provider, as_submitter};
