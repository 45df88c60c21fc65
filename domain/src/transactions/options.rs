//! What somebody may do in Transaction Services for an NPI.
//!
//! Invariant: a provider's people have what is asked and answered at once; files are a submitter's,
//! within the affiliation's scope and as far as the plan's tests have come.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::affiliations::{SubmitterProfile, TransactionState};
use crate::kernel::ids::OrganizationId;
use crate::values::TransactionType;

/// Whether a transaction counts (X12 interchange control header, ISA15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionUsage {
    Production,
    Test,
}

/// A transaction on offer for an NPI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransactionOption {
    #[serde(rename = "type")]
    pub kind: TransactionType,
    pub usage: TransactionUsage,
    /// The provider that it is done for.
    pub provider: OrganizationId,
}

/// What a provider's own people do in the portal: inquiries and authorization requests, each answered
/// at once, and the remittance advice. Chosen here; the sources name no list.
const OF_PROVIDERS: [TransactionType; 5] = [
    TransactionType::RemittanceAdvice,
    TransactionType::Eligibility,
    TransactionType::ClaimStatus,
    TransactionType::ServicesReviewRequest,
    TransactionType::ServicesReviewInquiry,
];

/// The options of a provider's own people.
pub fn as_provider(provider: OrganizationId) -> impl Iterator<Item = TransactionOption> {
    let usage = TransactionUsage::Production;
    OF_PROVIDERS.into_iter().map(move |kind| TransactionOption { kind, usage, provider })
}

/// The options of a submitter's people under an affiliation with `provider`.
pub fn as_submitter(
    provider: OrganizationId,
    scope: &BTreeSet<TransactionType>,
    profile: &SubmitterProfile,
) -> impl Iterator<Item = TransactionOption> {
    scope.iter().filter_map(move |kind| {
        let usage = match profile.state_of(*kind) {
            TransactionState::NotOffered | TransactionState::Suspended => return None,
            TransactionState::Testing => TransactionUsage::Test,
            TransactionState::Approved => TransactionUsage::Production,
        };
        Some(TransactionOption { kind: *kind, usage, provider })
    })
}
