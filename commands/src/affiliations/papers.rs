//! What both sides signed, whom the submitter lets work and why one refused, from the events
//! themselves.
//!
//! Invariant: names and reasons are personal data, so they are opened here for whoever may see the
//! affiliation and stand in no read table; what was erased is absent.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::{
    Sealed,
    affiliations::{Affiliation, AffiliationEvent, Side, SignerRole},
    kernel::ids::{AffiliationId, TenantId, UserId},
    values::{Npi, Reason},
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

/// A signature as given (MC-55, MC-57).
#[derive(Clone, Debug)]
pub struct Signed {
    pub side: Side,
    pub user: UserId,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: SignerRole,
    pub agreement_version: String,
    /// SHA-256 of the text signed, in hex.
    pub sha256: String,
}

/// The signatures of an affiliation, who works under it, and the reason it ended if one was given.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    pub signatures: Vec<Signed>,
    /// Who of the submitter works for which NPIs of the provider.
    pub assignments: BTreeMap<UserId, BTreeSet<Npi>>,
    pub reason: Option<String>,
}

/// The papers of several affiliations, which the caller has been found to see.
///
/// # Errors
/// The database did not answer, or an event cannot be read.
pub async fn papers(
    journal: &Journal,
    tenant: TenantId,
    affiliations: &[AffiliationId],
) -> Result<BTreeMap<AffiliationId, Papers>, JournalError> {
    let ids: Vec<Uuid> = affiliations.iter().map(|id| id.0).collect();
    let found = journal.events_of::<Affiliation>(tenant, &ids).await?;
    Ok(found.into_iter().map(|(id, events)| (AffiliationId(id), Papers::of(events))).collect())
}

impl Papers {
    fn of(events: Vec<AffiliationEvent>) -> Self {
        let mut papers = Self::default();
        for event in events {
            match event {
                AffiliationEvent::AffiliationAgreementSigned {
                    side,
                    user,
                    first_name,
                    last_name,
                    role,
                    agreement_version,
                    sha256,
                    ..
                } => papers.signatures.push(Signed {
                    side,
                    user,
                    first_name: first_name.get().map(ToString::to_string),
                    last_name: last_name.get().map(ToString::to_string),
                    role,
                    agreement_version,
                    sha256,
                }),
                AffiliationEvent::AffiliationNpisAssigned { user, npis, .. } => {
                    papers.assignments.insert(user, npis);
                }
                AffiliationEvent::AffiliationDenied { reason, .. }
                | AffiliationEvent::AffiliationWithdrawn { reason, .. }
                | AffiliationEvent::AffiliationTerminated { reason, .. } => {
                    papers.reason = reason.as_ref().and_then(open);
                }
                AffiliationEvent::AffiliationTerminationCancelled { .. } => papers.reason = None,
                AffiliationEvent::AffiliationRequested { .. }
                | AffiliationEvent::AffiliationApproved { .. }
                | AffiliationEvent::AffiliationTakenOver { .. }
                | AffiliationEvent::AffiliationRenewed { .. }
                | AffiliationEvent::AffiliationExpired { .. } => {}
            }
        }
        papers.assignments.retain(|_, npis| !npis.is_empty());
        papers
    }
}

fn open(reason: &Sealed<Reason>) -> Option<String> {
    reason.get().map(ToString::to_string)
}
