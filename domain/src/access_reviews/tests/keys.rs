//! Machines' keys on a list: one that was revoked is never kept, and who made it is all the same.

use std::collections::BTreeSet;

use super::*;
use crate::Told;
use crate::api_keys::{Grant, Scope};
use crate::organizations::OrganizationEvent;
use crate::permissions::JobRoles;
use crate::values::ApiKeyName;

/// Key `n`, of person 1.
fn key(n: u128, scopes: &[Scope]) -> Reviewed {
    Reviewed::of_key(&Grant {
        key: id(n),
        organization: Some(mercy()),
        name: ApiKeyName::parse("Nightly roster").unwrap(),
        scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
        by: id(1),
        expires_at: days(300),
    })
}

fn opened_of_keys(revocations: RevocationMode) -> Vec<AccessReviewEvent> {
    let list = vec![key(70, &[Scope::ReadAccess]), key(71, &[Scope::ManageUsers])];
    let new = NewReview { scope: ReviewScope::ApiKeys, revocations, ..new_review(list) };
    given::<AccessReview>(&[]).when(open(new)).events().to_vec()
}

/// What happened, and then what comes of a command of Bob's.
fn and(events: &[AccessReviewEvent], command: AccessReviewCommand) -> Vec<AccessReviewEvent> {
    let more = given::<AccessReview>(events).by(bob()).when(command).events().to_vec();
    [events, &more].concat()
}

fn undo(item: u32) -> AccessReviewCommand {
    AccessReviewCommand::Undo(Box::new(UndoDecision {
        item,
        decided_at: start(),
        reason: reason(),
        authority: Authority::Organization,
        seen: seen(),
    }))
}

#[test]
fn gn_15_a_revoked_key_is_neither_kept_nor_revoked_otherwise_and_the_refusal_says_what_to_do() {
    let revoked = and(&opened_of_keys(RevocationMode::AtOnce), decide(&[1], REVOKE));
    let verified = and(&revoked, record(1, true));
    for events in [revoked, verified] {
        let by_bob = || given::<AccessReview>(&events).by(bob());
        let otherwise =
            DecideItems { reason: Some(Reason::parse("Lost.").unwrap()), ..wish(&[1], REVOKE) };
        let otherwise = AccessReviewCommand::Decide(Box::new(otherwise));
        for command in [decide(&[1], KEEP), decide(&[1, 2], KEEP), undo(1), otherwise] {
            let refusal = by_bob().when(command).refused(Code::AlreadyDecided);
            assert!(refusal.message.contains("Create a new key"), "{}", refusal.message);
            assert_eq!(refusal.details, ["1"]);
        }
        by_bob().when(decide(&[1], REVOKE)).then(&[]);
        assert_eq!(by_bob().when(decide(&[2], KEEP)).events().len(), 1);
    }
}

#[test]
fn gn_15_what_is_not_carried_out_yet_of_a_key_is_taken_back() {
    let waits = and(&opened_of_keys(RevocationMode::AtClose), decide(&[1], REVOKE));
    let by_bob = || given::<AccessReview>(&waits).by(bob());
    assert_eq!(by_bob().when(decide(&[1], KEEP)).events().len(), 1);
    assert_eq!(by_bob().when(undo(1)).events().len(), 1);
}

#[test]
fn gn_15_a_key_is_decided_by_others_kept_or_revoked_and_no_two_are_one() {
    let events = opened_of_keys(RevocationMode::AtOnce);
    let by_bob = || given::<AccessReview>(&events).by(bob());
    let maker = given::<AccessReview>(&events).by(Actor::user(id(1)));
    maker.when(decide(&[1], KEEP)).refused(Code::SelfReview);
    let role = ReviewDecision::Change { role: OrgRole::None };
    by_bob().when(decide(&[1], role)).refused(Code::FieldInvalid);
    let leaves =
        ReviewDecision::Revoke { left_on: Some(CalendarDate::parse("2026-03-10").unwrap()) };
    by_bob().when(decide(&[1], leaves)).refused(Code::FieldInvalid);
    by_bob().when(decide(&[1, 2], REVOKE)).refused(Code::FieldInvalid);
}

#[test]
fn gn_15_a_key_that_does_not_only_read_is_of_high_risk() {
    let risk = |scope| key(70, &[Scope::ReadAudit, scope]).access.risk(&JobRoles::new());
    for scope in Scope::ALL {
        let expected = if scope.writes() { Risk::High } else { Risk::Ordinary };
        assert_eq!(risk(scope), expected, "{scope:?}");
    }
    assert_eq!(Scope::ALL.into_iter().filter(|scope| scope.writes()).count(), 2);
}

#[test]
fn gn_15_a_certified_key_is_carried_forward_when_who_made_it_left() {
    let kept = and(&opened_of_keys(RevocationMode::AtOnce), decide(&[1, 2], KEEP));
    let mut told = Vec::new();
    let signed = and(&kept, completing(complete(&[])));
    for (position, event) in (10..).zip(signed) {
        told.push(Told { position, occurred_at: start(), event });
    }
    let left = OrganizationEvent::UserDeactivated {
        organization: mercy(),
        user: id(1),
        reason: None,
        left_on: None,
        deactivated_at: days(1),
        effective_at: days(1),
    };
    let left = Told { position: 100, occurred_at: days(1), event: left };
    let since = Since::of(vec![left], BTreeMap::new(), Vec::new());
    let now = vec![key(70, &[Scope::ReadAccess]), key(72, &[Scope::ReadAccess])];
    let split = Baseline::of(&told).split(now, &since);
    assert_eq!(split.listed, [key(72, &[Scope::ReadAccess])]);
    assert_eq!(split.carried[0].reviewed, key(70, &[Scope::ReadAccess]));
}
