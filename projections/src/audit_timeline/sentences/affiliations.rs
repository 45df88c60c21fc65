//! Sentences about affiliations and what is done under them. Invariant: both organisations are named, whoever acted.

use std::collections::BTreeSet;

use rollcall_domain::{
    affiliations::{AffiliationEvent, NpiSelection, Pair, Side, SubmitterProfileEvent},
    transactions::HandoffEvent,
    values::Npi,
};

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
        E::AffiliationTakenOver { pair, side, .. } => {
            let (acting, other) = both(pair, side);
            format!("{acting} goes on with an affiliation with {other} that it took over.")
        }
        E::AffiliationRenewed { pair, side, agreement_version } => {
            let (acting, other) = both(pair, side);
            format!(
                "With the signature of {acting} its affiliation with {other} goes on under version \
                 {agreement_version} of the agreement."
            )
        }
        E::AffiliationNpisAssigned { pair, user, added, removed, .. } => {
            let (who, person) = (telling.who(), telling.person(*user));
            let provider = telling.organization(pair.provider);
            let npis = |npis: &BTreeSet<Npi>| list(npis.iter().map(|npi| format!("NPI {npi}")));
            match (added.is_empty(), removed.is_empty()) {
                (false, true) => {
                    format!("{who} lets {person} submit for {} of {provider}.", npis(added))
                }
                (true, _) => {
                    format!(
                        "{who} no longer lets {person} submit for {} of {provider}.",
                        npis(removed)
                    )
                }
                (false, false) => format!(
                    "{who} lets {person} submit for {} of {provider}, and no longer for {}.",
                    npis(added),
                    npis(removed)
                ),
            }
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
        E::AffiliationTerminationCancelled { pair, side, .. } => {
            let (acting, other) = both(pair, side);
            format!("{acting} called off the end of its affiliation with {other}.")
        }
    }
}

pub(super) fn profile(event: &SubmitterProfileEvent, telling: Telling<'_>) -> String {
    use SubmitterProfileEvent as E;
    let who = telling.who();
    match event {
        E::SubmitterTransactionTypesSet { organization, types, .. } => {
            let (name, types) =
                (telling.organization(*organization), list(types.iter().map(ToString::to_string)));
            format!("{who} set the transaction types of {name} to {types}.")
        }
        E::DirectoryVisibilityChanged { organization, visible } => {
            let name = telling.organization(*organization);
            let what = if *visible { "lists" } else { "hides" };
            format!("{who} {what} {name} in the Submitter Directory.")
        }
        E::TransactionTestRecorded { organization, kind, result } => {
            let (name, result) = (telling.organization(*organization), lower(result));
            format!("{who} recorded a test of {kind} by {name}: {result}.")
        }
    }
}

pub(super) fn handoff(event: &HandoffEvent, telling: Telling<'_>) -> String {
    match event {
        HandoffEvent::TransactionHandoffIssued { user, npi, options, expires_at, .. } => {
            let types = list(options.iter().map(|option| option.kind.to_string()));
            let (person, end) = (telling.person(*user), time(expires_at));
            format!(
                "{person} went on to Transaction Services for NPI {npi} ({types}); the hand-off \
                 works until {end}."
            )
        }
        HandoffEvent::TransactionHandoffRedeemed { user, npi, .. } => {
            let person = telling.person(*user);
            format!("Transaction Services took {person} in for NPI {npi}.")
        }
    }
}
