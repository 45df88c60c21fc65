//! Requests, shown. Invariant: each way to decide is shown with who may not.

use chrono::TimeDelta;

use super::*;
use crate::kernel::ids::UserId;
use crate::kernel::scenario::{given, id, start};
use crate::permissions::Entitlement;
use crate::policies::Feature;
use crate::values::Reason;
use crate::{Actor, Code, Sealed};

fn ann() -> UserId {
    id(1)
}

fn admin() -> Actor {
    Actor::user(id(2))
}

fn reason() -> Reason {
    Reason::parse("I keep the books.").unwrap()
}

fn items() -> Vec<RequestItem> {
    vec![RequestItem::Grant(Entitlement::Feature(Feature::EopReports))]
}

fn ask(items: Vec<RequestItem>, route: Option<RouteCause>) -> AccessRequestCommand {
    AccessRequestCommand::Request(Box::new(NewRequest {
        request: id(9),
        user: ann(),
        organization: id(10),
        items,
        why: reason(),
        until: None,
        route,
    }))
}

fn asked() -> AccessRequestEvent {
    AccessRequestEvent::AccessRequested {
        request: id(9),
        user: ann(),
        organization: id(10),
        kind: RequestKind::Feature,
        items: items(),
        why: Sealed::new(ann(), reason()),
        until: None,
        expires_at: start() + TimeDelta::days(30),
    }
}

fn routed(cause: RouteCause) -> AccessRequestEvent {
    let (user, organization) = (ann(), id(10));
    AccessRequestEvent::AccessRequestRouted { user, organization, cause, note: None }
}

fn approve(by_plan: bool) -> AccessRequestCommand {
    AccessRequestCommand::Approve { by_plan, note: None }
}

fn approved() -> AccessRequestEvent {
    AccessRequestEvent::AccessRequestApproved { user: ann(), organization: id(10), note: None }
}

#[test]
fn a_request_waits_for_an_administrator_or_at_once_for_the_plan() {
    given::<AccessRequest>(&[]).when(ask(items(), None)).then(&[asked()]);
    let cause = RouteCause::NotGrantable;
    let state =
        given::<AccessRequest>(&[]).when(ask(items(), Some(cause))).then(&[asked(), routed(cause)]);
    assert!(state.is_routed());
    given::<AccessRequest>(&[]).when(ask(Vec::new(), None)).refused(Code::FieldRequired);
    let twice = [items(), items()].concat();
    given::<AccessRequest>(&[]).when(ask(twice, None)).refused(Code::FieldRequired);
}

#[test]
fn the_side_that_it_waits_for_decides_once_and_never_who_asked() {
    given::<AccessRequest>(&[asked()]).by(admin()).when(approve(false)).then(&[approved()]);
    given::<AccessRequest>(&[asked()])
        .by(Actor::user(ann()))
        .when(approve(false))
        .refused(Code::SelfApproval);
    given::<AccessRequest>(&[asked()]).by(admin()).when(approve(true)).refused(Code::NotOrgAdmin);
    let routed = || [asked(), routed(RouteCause::Escalated)];
    given::<AccessRequest>(&routed()).by(admin()).when(approve(false)).refused(Code::Forbidden);
    given::<AccessRequest>(&routed()).by(admin()).when(approve(true)).then(&[approved()]);
    given::<AccessRequest>(&[asked(), approved()])
        .by(admin())
        .when(approve(false))
        .refused(Code::AlreadyDecided);
}

#[test]
fn a_denial_has_its_reason() {
    let (user, organization) = (ann(), id(10));
    let reason = Sealed::new(ann(), reason());
    let denied = AccessRequestEvent::AccessRequestDenied { user, organization, reason };
    let deny = AccessRequestCommand::Deny { by_plan: false, reason: self::reason() };
    given::<AccessRequest>(&[asked()]).by(admin()).when(deny).then(&[denied]);
}

#[test]
fn who_asked_takes_it_back_and_nobody_else() {
    let (user, organization) = (ann(), id(10));
    let withdrawn = AccessRequestEvent::AccessRequestWithdrawn { user, organization };
    given::<AccessRequest>(&[asked()])
        .by(Actor::user(ann()))
        .when(AccessRequestCommand::Withdraw)
        .then(&[withdrawn]);
    given::<AccessRequest>(&[asked()])
        .by(admin())
        .when(AccessRequestCommand::Withdraw)
        .refused(Code::NotFound);
}

#[test]
fn a_request_runs_out_to_the_second() {
    let (user, organization) = (ann(), id(10));
    let expired = AccessRequestEvent::AccessRequestExpired { user, organization };
    let end = start() + TimeDelta::days(30);
    let before = end - TimeDelta::seconds(1);
    let expire = || AccessRequestCommand::Expire;
    given::<AccessRequest>(&[asked()]).at(before).when(expire()).then(&[]);
    given::<AccessRequest>(&[asked()])
        .at(before)
        .by(admin())
        .when(approve(false))
        .then(&[approved()]);
    given::<AccessRequest>(&[asked()]).at(end).when(expire()).then(std::slice::from_ref(&expired));
    given::<AccessRequest>(&[asked()])
        .at(end)
        .by(admin())
        .when(approve(false))
        .refused(Code::AlreadyDecided);
    given::<AccessRequest>(&[asked(), expired]).at(end).when(expire()).then(&[]);
}

#[test]
fn a_request_is_handed_on_once() {
    let route = || AccessRequestCommand::Route { cause: RouteCause::Escalated, note: None };
    let done = routed(RouteCause::Escalated);
    given::<AccessRequest>(&[asked()]).when(route()).then(std::slice::from_ref(&done));
    given::<AccessRequest>(&[asked(), done]).when(route()).refused(Code::Forbidden);
}
