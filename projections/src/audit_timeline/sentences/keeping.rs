//! What is kept, and who is erased, told.

use rollcall_domain::audit::{ErasureEvent, HoldScope, LegalHoldsEvent};

use super::{Telling, lower, time};

pub(super) fn holds(event: &LegalHoldsEvent, telling: Telling<'_>) -> String {
    use LegalHoldsEvent as E;
    let who = telling.who();
    match event {
        E::LegalHoldPlaced { scope, .. } => {
            format!("{who} placed a legal hold on {}.", whom(scope, telling))
        }
        E::LegalHoldReleased { scope, .. } => {
            format!("{who} released a legal hold on {}.", whom(scope, telling))
        }
        E::RecordsOfficerNamed { user, .. } => {
            format!("{who} named {} to know of legal holds.", telling.whom(*user))
        }
        E::RecordsOfficerRelieved { user, .. } => {
            format!("{who} ended that {} knows of legal holds.", telling.person(*user))
        }
    }
}

fn whom(scope: &HoldScope, telling: Telling<'_>) -> String {
    match scope {
        HoldScope::Person { user } => format!("the records about {}", telling.person(*user)),
        HoldScope::Organization { organization } => {
            format!("the records about everybody of {}", telling.organization(*organization))
        }
        HoldScope::Npi { npi } => format!("the records about everybody with NPI {npi}"),
        HoldScope::Tenant => "all records".to_owned(),
    }
}

pub(super) fn erasure(event: &ErasureEvent, telling: Telling<'_>) -> String {
    match event {
        ErasureEvent::ErasureRequested { user, basis, expires_at, .. } => {
            let (who, person) = (telling.who(), telling.person(*user));
            let (basis, end) = (lower(basis), time(expires_at));
            format!(
                "{who} asked for {person} to be erased ({basis}); it can be approved until {end}."
            )
        }
        ErasureEvent::ErasureRefused { user, .. } => {
            format!("{} refused to have {} erased.", telling.who(), telling.person(*user))
        }
        ErasureEvent::PersonErased { user, by: Some(_), .. } => {
            format!("{} approved the erasure of {}.", telling.who(), telling.person(*user))
        }
        ErasureEvent::PersonErased { user, by: None, first_at, .. } => {
            let (person, at) = (telling.person(*user), time(first_at));
            format!(
                "Rollcall erased {person} again, who was erased on {at}: an older database was put back."
            )
        }
    }
}
