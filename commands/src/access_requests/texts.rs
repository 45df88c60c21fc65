//! Why somebody asked and why it was denied, from the events themselves.
//!
//! Invariant: free text is personal, so it is opened here for whoever may see the request and stands
//! in no read table; what was erased is absent.

use std::collections::BTreeMap;

use rollcall_domain::{
    Sealed,
    access_requests::{AccessRequest, AccessRequestEvent},
    kernel::ids::{AccessRequestId, TenantId},
    values::Reason,
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

/// What was written in a request and about it.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub why: Option<String>,
    /// What was noted when it was handed on or approved, or why it was denied.
    pub answer: Option<String>,
}

/// The texts of several requests, which the caller has been found to see.
///
/// # Errors
/// The database did not answer, or an event cannot be read.
pub async fn texts(
    journal: &Journal,
    tenant: TenantId,
    requests: &[Uuid],
) -> Result<BTreeMap<AccessRequestId, Texts>, JournalError> {
    let found = journal.events_of::<AccessRequest>(tenant, requests).await?;
    Ok(found.into_iter().map(|(id, events)| (AccessRequestId(id), Texts::of(events))).collect())
}

impl Texts {
    fn of(events: Vec<AccessRequestEvent>) -> Self {
        use AccessRequestEvent as E;
        let mut texts = Self::default();
        for event in events {
            match event {
                E::AccessRequested { why, .. } => texts.why = open(&why),
                E::AccessRequestRouted { note, .. } | E::AccessRequestApproved { note, .. } => {
                    texts.answer = note.as_ref().and_then(open).or(texts.answer);
                }
                E::AccessRequestDenied { reason, .. } => texts.answer = open(&reason),
                E::AccessRequestWithdrawn { .. } | E::AccessRequestExpired { .. } => {}
            }
        }
        texts
    }
}

fn open(reason: &Sealed<Reason>) -> Option<String> {
    reason.get().map(ToString::to_string)
}
