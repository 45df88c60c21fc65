use super::*;
use crate::kernel::scenario::{Given, after, given, id, start};

const FREE: Obstacles =
    Obstacles { in_effect: false, retained_until: None, holds: 0, may_know_holds: false };

fn reason() -> Reason {
    Reason::parse("Ann asked us to.").unwrap()
}

fn request(by: u128, obstacles: Obstacles) -> ErasureCommand {
    let basis = LegalBasis::PersonsRequest;
    ErasureCommand::Request { user: id(7), by: id(by), basis, reason: reason(), obstacles }
}

fn approve(by: u128, obstacles: Obstacles) -> ErasureCommand {
    ErasureCommand::Approve { by: id(by), subjects: vec![id(7), id(8)], obstacles }
}

fn requested_at(at: DateTime<Utc>) -> ErasureEvent {
    ErasureEvent::ErasureRequested {
        user: id(7),
        by: id(1),
        basis: LegalBasis::PersonsRequest,
        reason: Sealed::new(id::<UserId>(7), reason()),
        expires_at: at + DECIDED_WITHIN,
    }
}

fn erased(by: Option<UserId>) -> ErasureEvent {
    let subjects = vec![id(7), id(8)];
    ErasureEvent::PersonErased { user: id(7), by, subjects, first_at: start() }
}

fn open() -> Given<Erasure> {
    given::<Erasure>(&[requested_at(start())])
}

#[test]
fn one_asks_and_another_approves() {
    given::<Erasure>(&[]).when(request(1, FREE)).then(&[requested_at(start())]);
    open().when(approve(2, FREE)).then(&[erased(Some(id(2)))]);
    open().when(request(2, FREE)).refused(Code::DuplicateRequest);
    given::<Erasure>(&[]).when(approve(2, FREE)).refused(Code::NotPending);
    let state = open().state();
    assert_eq!(state.decidable(id(2), start()), Ok(()));
    assert_eq!(state.decidable(id(1), start()), Err(ErasureRefusal::SelfApproval));
    let gone = || given::<Erasure>(&[requested_at(start()), erased(Some(id(2)))]);
    gone().when(approve(3, FREE)).refused(Code::AlreadyErased);
    gone().when(request(1, FREE)).refused(Code::AlreadyErased);
}

#[test]
fn nobody_decides_alone_or_about_themself() {
    open().when(approve(1, FREE)).refused(Code::SelfApproval);
    open().when(approve(7, FREE)).refused(Code::SelfApproval);
    given::<Erasure>(&[]).when(request(7, FREE)).refused(Code::SelfApproval);
    let refuse = |by| ErasureCommand::Refuse { by: id(by), reason: reason() };
    open().when(refuse(1)).refused(Code::SelfApproval);
    let refused = ErasureEvent::ErasureRefused {
        user: id(7),
        by: id(2),
        reason: Sealed::new(id::<UserId>(7), reason()),
    };
    open().when(refuse(2)).then(std::slice::from_ref(&refused));
    let afterwards = || given::<Erasure>(&[requested_at(start()), refused.clone()]);
    afterwards().when(approve(2, FREE)).refused(Code::NotPending);
    assert_eq!(afterwards().when(request(2, FREE)).events().len(), 1);
}

#[test]
fn what_stands_against_it_counts_at_the_request_and_at_the_approval() {
    let until = Some(after(1));
    let obstacles = [
        (Obstacles { in_effect: true, ..FREE }, Code::StillInEffect),
        (Obstacles { retained_until: until, ..FREE }, Code::RetentionActive),
        (Obstacles { holds: 2, ..FREE }, Code::LegalHoldActive),
    ];
    for (obstacles, code) in obstacles {
        given::<Erasure>(&[]).when(request(1, obstacles)).refused(code);
        open().when(approve(2, obstacles)).refused(code);
    }
    // The second in which retention ends is free.
    let over = Obstacles { retained_until: Some(start()), ..FREE };
    open().when(approve(2, over)).then(&[erased(Some(id(2)))]);
}

#[test]
fn how_many_holds_there_are_is_told_to_those_who_may_know() {
    let told = |may_know_holds| {
        let held = Obstacles { holds: 2, may_know_holds, ..FREE };
        Refusal::from(held.check(start()).unwrap_err()).details
    };
    assert_eq!(told(true), ["holds=2"]);
    assert!(told(false).is_empty());
}

#[test]
fn a_request_runs_out_and_may_be_made_again() {
    let before = |by: TimeDelta| given::<Erasure>(&[requested_at(start() - DECIDED_WITHIN + by)]);
    let second = TimeDelta::seconds(1);
    before(second).when(approve(2, FREE)).then(&[erased(Some(id(2)))]);
    before(TimeDelta::zero()).when(approve(2, FREE)).refused(Code::RequestExpired);
    assert_eq!(before(TimeDelta::zero()).when(request(2, FREE)).events().len(), 1);
    before(second).when(request(2, FREE)).refused(Code::DuplicateRequest);
}

#[test]
fn what_the_ledger_has_is_repeated_once() {
    let repeat =
        || ErasureCommand::Repeat { user: id(7), subjects: vec![id(7), id(8)], first_at: start() };
    given::<Erasure>(&[]).when(repeat()).then(&[erased(None)]);
    open().when(repeat()).then(&[erased(None)]);
    given::<Erasure>(&[erased(None)]).when(repeat()).then(&[]);
}
