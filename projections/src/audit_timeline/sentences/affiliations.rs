//! Sentences about affiliations. Invariant: both organisations are named, whoever acted.

use rollcall_domain::affiliations::{AffiliationEvent, NpiSelection, Pair, Side};

use super::{Telling, list, lower, time};

pub(super) fn sentence(event: &AffiliationEvent, telling: Telling<'_>) -> String {
    use AffiliationEvent as E;
    let both = |pair: &Pair, side: &Side| {
        let (acting, other) = (pair.of(*side), pair.of(side.other()));
        (telling.organization(acting), telling.organization(other))
    };
    match event {
        E::AffiliationRequested { pair, initiator, scope, expires_at, .. } => {
            let (acting, other) = both(pair, initiator);
            let npis = match &scope.npis {
                NpiSelection::All => "all NPIs".to_owned(),
                NpiSelection::Listed(npis) => list(npis.iter().map(|npi| format!("NPI {npi}"))),
            };
            let (types, end) =
                (list(scope.transaction_types.iter().map(ToString::to_string)), time(expires_at));
            format!(
                "{acting} asked {other} for an affiliation over {npis} ({types}), open until {end}."
            )
        }
        E::AffiliationAgreementSigned { pair, side, user, role, agreement_version, .. } => {
            let (acting, other) = both(pair, side);
            let (person, role) = (telling.person(*user), lower(role));
            format!(
                "{person} ({role}) signed version {agreement_version} of the affiliation agreement \
                 with {other} for {acting}."
            )
        }
        E::AffiliationApproved { pair, side, effective_from } => {
            let (acting, other) = both(pair, side);
            let from = time(effective_from);
            format!("{acting} approved the affiliation with {other}, in force from {from}.")
        }
        E::AffiliationDenied { pair, side, .. } => {
            let (acting, other) = both(pair, side);
            format!("{acting} denied the affiliation that {other} had asked for.")
        }
        E::AffiliationWithdrawn { pair, side, .. } => {
            let (acting, other) = both(pair, side);
            format!("{acting} withdrew its request for an affiliation with {other}.")
        }
        E::AffiliationExpired { pair, initiator } => {
            let (acting, other) = both(pair, initiator);
            format!("The request of {acting} for an affiliation with {other} expired.")
        }
        E::AffiliationTerminated { pair, side, ends_on, .. } => {
            let (acting, other) = both(pair, side);
            format!("{acting} terminated the affiliation with {other}; its last day is {ends_on}.")
        }
    }
}
