//! Affiliations between submitters and providers (MC-54 to MC-63, GN-18).
//!
//! Invariant: an affiliation exists only for its two organisations; to everybody else its id is one
//! that does not exist.

mod assign_npis;
mod counterparty;
mod decision;
mod ending;
mod papers;
mod request_affiliation;
mod signing;
mod submitter_profile;

use rollcall_domain::{
    Refusal,
    affiliations::Affiliation,
    kernel::ids::{AffiliationId, OrganizationId},
};

pub use assign_npis::AssignAffiliatedNpis;
pub use counterparty::Counterparty;
pub use decision::{ApproveAffiliation, DenyAffiliation};
pub use ending::{
    CancelAffiliationTermination, ExpireAffiliation, TerminateAffiliation, WithdrawAffiliation,
};
pub use papers::{Papers, Signed, papers};
pub use request_affiliation::RequestAffiliation;
pub use signing::{ELIGIBILITY_BOX, GivenSignature, SignAffiliationAgreement, TypedSignature};
pub use submitter_profile::{RecordTransactionTest, SetDirectoryVisibility, SetTransactionTypes};

use crate::{Context, Failure};

/// Which affiliation an organisation acts on, and what it last saw of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub organization: OrganizationId,
    pub affiliation: AffiliationId,
    /// The version the client decided on; `None` when it does not care (GN-28).
    pub expected_version: Option<i64>,
}

impl Target {
    /// Demands that the organisation is one of the two and saw the current version.
    async fn check(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let affiliation = cx.load::<Affiliation>(self.affiliation).await?;
        if affiliation.pair().and_then(|pair| pair.side_of(self.organization)).is_none() {
            return Err(Refusal::not_found("affiliationId").into());
        }
        cx.expect_version::<Affiliation>(self.affiliation, self.expected_version).await
    }
}
