//! Affiliations between a submitter and a provider, and the submitters' directory (MC-54 to MC-63,
//! GN-18).
//!
//! Invariant: an affiliation is active only with the signatures of both sides, and whoever did not
//! start it decides.

mod affiliation;
mod command;
mod events;
mod refusal;
mod submitter_profile;
mod succession;
#[cfg(test)]
mod tests;

pub use affiliation::{Affiliated, Affiliation, Denied, Request};
pub use command::{AffiliationCommand, AssignNpis, RequestAffiliation, Signature, TakeOver};
pub use events::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side, SignerRole};
pub use refusal::AffiliationRefusal;
pub use submitter_profile::{
    SubmitterProfile, SubmitterProfileCommand, SubmitterProfileEvent, SubmitterProfileRefusal,
    TransactionState, TransactionTestResult,
};
