//! Sentences about requests for access. Invariant: what people wrote is personal and is never told.

use rollcall_domain::access_requests::{
    AccessRequestEvent, JoinRequestEvent, MoveRequestEvent, MoveWish, RequestItem,
};

use super::{Telling, list, lower, permissions::thing, title, until};

fn item(item: &RequestItem, telling: Telling<'_>) -> String {
    match item {
        RequestItem::Npi { npi, level } => format!("{} for NPI {npi}", title(level)),
        RequestItem::Grant(entitlement) => thing(entitlement, telling),
        RequestItem::NewLocation { name } => format!("the new location {name}"),
        RequestItem::NewTaxId { reference } => {
            format!("the new {} ending in {}", reference.kind.as_str(), reference.last4)
        }
    }
}

pub(super) fn sentence(event: &AccessRequestEvent, telling: Telling<'_>) -> String {
    use AccessRequestEvent as E;
    let who = telling.who();
    let (user, organization) = event.parties();
    let (whose, at) = (telling.whose(user), telling.organization(organization));
    match event {
        E::AccessRequested { items, until: end, .. } => {
            let items = list(items.iter().map(|asked| item(asked, telling)));
            format!("{who} asked for {items} ({at}){}.", until(end.as_ref()))
        }
        E::AccessRequestRouted { cause, .. } => {
            let cause = lower(cause);
            format!("{who} handed {whose} request ({at}) on to the health plan ({cause}).")
        }
        E::AccessRequestApproved { .. } => format!("{who} approved {whose} request ({at})."),
        E::AccessRequestDenied { .. } => format!("{who} denied {whose} request ({at})."),
        E::AccessRequestWithdrawn { .. } => format!("{who} withdrew {whose} request ({at})."),
        E::AccessRequestExpired { .. } => {
            format!("{}'s request ({at}) ran out undecided.", telling.person(user))
        }
    }
}

pub(super) fn joining(event: &JoinRequestEvent, telling: Telling<'_>) -> String {
    use JoinRequestEvent as E;
    let (who, at) = (telling.who(), telling.organization(event.organization()));
    match event {
        E::JoinRequested { .. } => format!("{who} asked to join {at}."),
        E::JoinRequestApproved { user, .. } => {
            format!("{who} approved {}'s request to join {at}.", telling.person(*user))
        }
        E::JoinRequestDenied { .. } => format!("{who} denied a request to join {at}."),
        E::JoinRequestExpired { .. } => format!("A request to join {at} ran out undecided."),
    }
}

pub(super) fn moving(event: &MoveRequestEvent, telling: Telling<'_>) -> String {
    use MoveRequestEvent as E;
    let who = telling.who();
    let (user, organization) = event.parties();
    let (whose, at) = (telling.whose(user), telling.organization(organization));
    match event {
        E::MoveRequested { wish: MoveWish::Away { npi }, .. } => {
            format!("{who} asked to move from {at} to the holder of NPI {npi}.")
        }
        E::MoveRequested { wish: MoveWish::Here { .. }, .. } => {
            format!("{who} asked that somebody move to {at}.")
        }
        E::MoveRequestApproved { moved, .. } => {
            let person = telling.person(moved.user);
            let (from, to) = (telling.organization(moved.from), telling.organization(moved.to));
            format!("{who} approved {whose} request: {person} moves from {from} to {to}.")
        }
        E::MoveRequestDenied { .. } => format!("{who} denied {whose} request for a move ({at})."),
        E::MoveRequestWithdrawn { .. } => {
            format!("{who} withdrew {whose} request for a move ({at}).")
        }
        E::MoveRequestExpired { .. } => {
            format!("{}'s request for a move ({at}) ran out undecided.", telling.person(user))
        }
    }
}
