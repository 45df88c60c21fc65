//! What an affiliation becomes by its events. Invariant: nothing is refused here.

use std::collections::BTreeMap;

use super::affiliated::{Affiliated, Ending, Signed};
use super::affiliation::Affiliation;
use super::events::{AffiliationEvent, Side};
use super::request::{Denied, Request};

pub(super) fn evolve(state: &mut Affiliation, event: &AffiliationEvent) {
    match event {
        AffiliationEvent::AffiliationRequested { pair, initiator, scope, expires_at, .. } => {
            *state = Affiliation::Requested(Request {
                pair: *pair,
                initiator: *initiator,
                scope: scope.clone(),
                expires_at: *expires_at,
                initiator_signed: false,
                signed: Signed::default(),
            });
        }
        AffiliationEvent::AffiliationAgreementSigned { side, agreement_version, .. } => match state
        {
            Affiliation::Requested(request) => {
                request.initiator_signed |= request.initiator == *side;
                request.signed.set(*side, agreement_version);
            }
            Affiliation::Active(affiliated) => affiliated.signed.set(*side, agreement_version),
            Affiliation::NotRequested
            | Affiliation::Terminated { .. }
            | Affiliation::Closed { .. } => {}
        },
        AffiliationEvent::AffiliationApproved { pair, .. } => {
            if let Affiliation::Requested(Request { scope, signed, .. }) = state {
                *state = Affiliation::Active(Affiliated {
                    pair: *pair,
                    scope: scope.clone(),
                    predecessor: None,
                    signed: signed.clone(),
                    assigned: BTreeMap::new(),
                });
            }
        }
        AffiliationEvent::AffiliationTakenOver {
            pair,
            scope,
            predecessor,
            submitter_version,
            provider_version,
            ..
        } => {
            let mut signed = Signed::default();
            let versions =
                [(Side::Submitter, submitter_version), (Side::Provider, provider_version)];
            for (side, version) in versions {
                if let Some(version) = version {
                    signed.set(side, version);
                }
            }
            let (pair, scope, predecessor) = (*pair, scope.clone(), Some(*predecessor));
            let assigned = BTreeMap::new();
            *state = Affiliation::Active(Affiliated { pair, scope, predecessor, signed, assigned });
        }
        AffiliationEvent::AffiliationRenewed { .. } => {}
        AffiliationEvent::AffiliationNpisAssigned { user, npis, .. } => {
            if let Affiliation::Active(affiliated) | Affiliation::Terminated { affiliated, .. } =
                state
            {
                if npis.is_empty() {
                    affiliated.assigned.remove(user);
                } else {
                    affiliated.assigned.insert(*user, npis.clone());
                }
            }
        }
        AffiliationEvent::AffiliationDenied { pair, side, denied_at, .. } => {
            let denied = Denied { initiator: side.other(), at: *denied_at };
            *state = Affiliation::Closed { pair: *pair, denied: Some(denied) };
        }
        AffiliationEvent::AffiliationWithdrawn { pair, .. }
        | AffiliationEvent::AffiliationExpired { pair, .. } => {
            *state = Affiliation::Closed { pair: *pair, denied: None };
        }
        AffiliationEvent::AffiliationTerminated { side, ends_on, ends_at, reason, .. } => {
            if let Affiliation::Active(affiliated) | Affiliation::Terminated { affiliated, .. } =
                state
            {
                let affiliated = affiliated.clone();
                let (by, ends_on, ends_at) = (*side, *ends_on, *ends_at);
                let ending = Ending { by, ends_on, ends_at, reason: reason.clone() };
                *state = Affiliation::Terminated { affiliated, ending };
            }
        }
        AffiliationEvent::AffiliationTerminationCancelled { .. } => {
            if let Affiliation::Terminated { affiliated, .. } = state {
                *state = Affiliation::Active(affiliated.clone());
            }
        }
    }
}
