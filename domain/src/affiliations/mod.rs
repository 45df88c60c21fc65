//! Affiliations between a submitter and a provider, and the submitters' directory (MC-54 to MC-63,
//! GN-18).
//!
//! Invariant: an affiliation is active only with the signatures of both sides, and whoever did not
//! start it decides.

mod affiliated;
mod affiliation;
mod command;
mod events;
mod evolve;
mod refusal;
mod request;
mod submitter_profile;
mod succession;
#[cfg(test)]
mod tests;

pub use affiliated::{Affiliated, Ending};
pub use affiliation::Affiliation;
pub use command::{AffiliationCommand, AssignNpis, RequestAffiliation, Signature, TakeOver};
pub use events::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side, SignerRole};
pub use refusal::AffiliationRefusal;
pub use request::{Denied, Request};
pub use submitter_profile::{
    SubmitterProfile, SubmitterProfileCommand, SubmitterProfileEvent, SubmitterProfileRefusal,
    TransactionState, TransactionTestResult,
};
