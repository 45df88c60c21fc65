//! Reviews, shown. Invariant: each rule has a case that holds and one that does not.

mod attesting;
mod bulk;
mod closing;
mod confirming;
mod delta;
mod keys;
mod pace;
mod plan_staff;
mod policy;
mod random;
mod rights;
mod signing;
mod standing_in;
mod time;
mod undo;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::audit::ReviewSignature;
use crate::kernel::ids::{AccessReviewId, OrganizationId, UserId};
use crate::kernel::scenario::{after, given, id, start};
use crate::organizations::{Authority, OrgRole};
use crate::policies::{RevocationMode, SecondReviewer};
use crate::values::{CalendarDate, PersonName, Reason};
use crate::{Actor, Code, Sealed};

const MERCY: u128 = 10;

fn review() -> AccessReviewId {
    id(9)
}

fn mercy() -> OrganizationId {
    id(MERCY)
}

fn days(n: i64) -> DateTime<Utc> {
    start() + TimeDelta::days(n)
}

/// A reviewer who is on nobody's list.
fn bob() -> Actor {
    Actor::user(id(20))
}

fn reason() -> Reason {
    Reason::parse("Left the practice.").unwrap()
}

fn member(n: u128, role: OrgRole) -> Reviewed {
    Reviewed { user: id(n), access: ReviewedAccess::Membership { role } }
}

/// Two members and an administrator: items 1 to 3 are of persons 1 to 3.
fn roster() -> Vec<Reviewed> {
    vec![member(1, OrgRole::None), member(2, OrgRole::None), member(3, OrgRole::Admin)]
}

fn new_review(reviewed: Vec<Reviewed>) -> NewReview {
    NewReview {
        review: review(),
        organization: mercy(),
        campaign: None,
        scope: ReviewScope::Roster,
        as_of: 17,
        list: Split::all_of(reviewed),
        changes: Changes::All,
        opened_by: Opener::ByHand { user: id(20) },
        due_at: days(14),
        grace_until: days(28),
        revocations: RevocationMode::AtOnce,
        asks_for_attestation: false,
        second_reviewer: SecondReviewer::None,
    }
}

fn open(new: NewReview) -> AccessReviewCommand {
    AccessReviewCommand::Open(Box::new(new))
}

fn listed() -> Vec<ReviewItem> {
    let number =
        |(item, it): (u32, Reviewed)| ReviewItem { item, user: it.user, access: it.access };
    (1..).zip(roster()).map(number).collect()
}

/// The events by which a review of three members begins.
fn opened() -> Vec<AccessReviewEvent> {
    vec![
        AccessReviewEvent::AccessReviewOpened {
            review: review(),
            organization: mercy(),
            campaign: None,
            scope: ReviewScope::Roster,
            as_of: 17,
            items: 3,
            sha256: sha256_of_lines(listed()),
            opened_by: Opener::ByHand { user: id(20) },
            opened_at: start(),
            due_at: days(14),
            grace_until: days(28),
            changed_only: false,
            compared_with: None,
            revocations: RevocationMode::AtOnce,
            asks_for_attestation: false,
            second_reviewer: SecondReviewer::None,
        },
        AccessReviewEvent::ReviewItemsListed { organization: mercy(), first: 1, items: listed() },
    ]
}

fn seen() -> Seen {
    Seen { position: 18, sha256: "ab".repeat(32) }
}

const KEEP: ReviewDecision = ReviewDecision::Keep;
const REVOKE: ReviewDecision = ReviewDecision::Revoke { left_on: None };

fn wish(items: &[u32], decision: ReviewDecision) -> DecideItems {
    DecideItems {
        items: items.to_vec(),
        decision,
        reason: decision.is_to_be_carried_out().then(reason),
        authority: Authority::Organization,
        stands_in_for: Vec::new(),
        seen: seen(),
        evidence: None,
        recommendations: BTreeMap::new(),
    }
}

fn decide(items: &[u32], decision: ReviewDecision) -> AccessReviewCommand {
    AccessReviewCommand::Decide(Box::new(wish(items, decision)))
}

/// The event of a decision by Bob at `at`.
fn decided(
    item: u32,
    (old, new): (Option<ReviewDecision>, ReviewDecision),
    at: DateTime<Utc>,
) -> AccessReviewEvent {
    let user: UserId = id(u128::from(item));
    AccessReviewEvent::ReviewItemDecided(Box::new(ReviewItemDecision {
        organization: mercy(),
        item,
        user,
        right: None,
        reviewer: id(20),
        old,
        new,
        reason: new.is_to_be_carried_out().then(|| Sealed::new(user, reason())),
        decided_at: at,
        seen: seen(),
        recommendation: None,
        undoes: None,
        in_place_of: None,
        by_plan: false,
        evidence: None,
    }))
}

fn execution(item: u32, verified: bool) -> ReviewExecution {
    ReviewExecution {
        organization: mercy(),
        item,
        user: id(u128::from(item)),
        right: None,
        decided_at: start(),
        executed_at: after(5),
        verified,
        delay_s: 5,
        remaining: Vec::new(),
    }
}

fn record(item: u32, verified: bool) -> AccessReviewCommand {
    AccessReviewCommand::RecordExecution(RecordExecution {
        item,
        decided_at: start(),
        executed_at: after(5),
        verified,
        remaining: Vec::new(),
    })
}

fn delegate(items: &[u32], to: Option<u128>, authority: Authority) -> AccessReviewCommand {
    AccessReviewCommand::Delegate(Box::new(DelegateItems {
        items: items.to_vec(),
        to: to.map(id),
        substitute: None,
        reason: reason(),
        authority,
    }))
}

fn delegated(item: u32, old: Option<u128>, new: Option<u128>, by: u128) -> AccessReviewEvent {
    AccessReviewEvent::ReviewItemDelegated {
        organization: mercy(),
        item,
        user: id(u128::from(item)),
        old: old.map(id),
        new: new.map(id),
        by: id(by),
        reason: Sealed::new(id::<UserId>(u128::from(item)), reason()),
        in_place_of: None,
    }
}

fn signature() -> ReviewSignature {
    ReviewSignature {
        name: Sealed::new(review(), PersonName::parse("Bob Ray").unwrap()),
        statement: ATTESTATION_VERSION.to_owned(),
    }
}

fn complete(gone: &[u32]) -> CompleteReview {
    CompleteReview { attested: true, signature: signature(), gone: gone.to_vec(), joiners: 2 }
}

fn completing(done: CompleteReview) -> AccessReviewCommand {
    AccessReviewCommand::Complete(Box::new(done))
}

/// What happened so far, and then these.
fn history(more: &[AccessReviewEvent]) -> Vec<AccessReviewEvent> {
    [opened(), more.to_vec()].concat()
}

#[test]
fn cc_13_a_review_opens_with_its_list_frozen() {
    let review = given::<AccessReview>(&[]).when(open(new_review(roster()))).then(&opened());
    let review = review.review().unwrap();
    assert_eq!((review.population, review.undecided), (3, 3));
    assert_eq!(review.item(3).unwrap().user, id(3));
    let due_now = NewReview { due_at: start(), ..new_review(roster()) };
    let no_grace = NewReview { grace_until: days(13), ..new_review(roster()) };
    let twice = new_review([roster(), roster()].concat());
    let refused = |new, code| given::<AccessReview>(&[]).when(open(new)).refused(code);
    refused(new_review(Vec::new()), Code::FieldInvalid);
    refused(twice, Code::FieldInvalid);
    refused(due_now, Code::RangeInvalid);
    refused(no_grace, Code::RangeInvalid);
}

#[test]
fn a_scheduled_review_is_opened_once_and_by_hand_a_second_time_is_refused() {
    let scheduled = || NewReview { opened_by: Opener::Scheduled, ..new_review(roster()) };
    given::<AccessReview>(&opened()).when(open(scheduled())).then(&[]);
    given::<AccessReview>(&opened())
        .when(open(new_review(roster())))
        .refused(Code::DuplicateRequest);
    let over = given::<AccessReview>(&[]).when(open(scheduled()));
    assert_eq!(over.events().len(), 2);
}

#[test]
fn the_hash_of_a_list_is_that_of_its_lines() {
    // echo '{"item":1,"user":"…","access":{"MEMBERSHIP":{"role":"NONE"}}}' | sha256sum
    let one = ReviewItem { item: 1, user: id(1), access: roster()[0].access.clone() };
    let hash = sha256_of_lines([one]);
    assert_eq!(hash, "0e5b8dfae79fc0b41896d353302e413493520551054fb0c5d6083b13fac267ef");
}

#[test]
fn cc_13_a_decision_is_corrected_while_the_review_is_open() {
    let first = decided(1, (None, KEEP), start());
    let state = given::<AccessReview>(&opened()).by(bob()).when(decide(&[1], KEEP));
    assert_eq!(state.then(std::slice::from_ref(&first)).review().unwrap().undecided, 2);
    let again = given::<AccessReview>(&history(std::slice::from_ref(&first)));
    again.at(after(9)).by(bob()).when(decide(&[1], KEEP)).then(&[]);
    let corrected = decided(1, (Some(KEEP), REVOKE), after(9));
    let state = given::<AccessReview>(&history(&[first])).at(after(9)).by(bob());
    let state = state.when(decide(&[1], REVOKE)).then(&[corrected]);
    let review = state.review().unwrap();
    assert_eq!(review.undecided, 2);
    assert_eq!(review.item(1).unwrap().outcome(false), ItemOutcome::Pending);
}

#[test]
fn taking_away_and_changing_need_a_reason_and_another_reason_is_another_decision() {
    let without = |decision| DecideItems { reason: None, ..wish(&[1], decision) };
    let refused = |wish, code| {
        let command = AccessReviewCommand::Decide(Box::new(wish));
        given::<AccessReview>(&opened()).by(bob()).when(command).refused(code);
    };
    refused(without(REVOKE), Code::ReasonRequired);
    refused(without(ReviewDecision::Change { role: OrgRole::Admin }), Code::ReasonRequired);
    refused(wish(&[1], ReviewDecision::Change { role: OrgRole::None }), Code::FieldInvalid);
    let late = CalendarDate::parse("2026-03-17").unwrap();
    refused(wish(&[1], ReviewDecision::Revoke { left_on: Some(late) }), Code::RangeInvalid);
    let last = CalendarDate::parse("2026-03-16").unwrap();
    let leaves = ReviewDecision::Revoke { left_on: Some(last) };
    given::<AccessReview>(&opened()).by(bob()).when(decide(&[1], leaves)).then(&[decided(
        1,
        (None, leaves),
        start(),
    )]);
    let other = Reason::parse("Never worked here.").unwrap();
    let wish = DecideItems { reason: Some(other), ..wish(&[1], REVOKE) };
    let history = history(&[decided(1, (None, REVOKE), start())]);
    let outcome = given::<AccessReview>(&history).by(bob());
    let outcome = outcome.when(AccessReviewCommand::Decide(Box::new(wish)));
    assert_eq!(outcome.events().len(), 1);
}

#[test]
fn gn_15_nobody_decides_about_themself_and_only_people_decide() {
    let ann = || Actor::user(id(1));
    let refusal = given::<AccessReview>(&opened())
        .by(ann())
        .when(decide(&[2, 1], KEEP))
        .refused(Code::SelfReview);
    assert_eq!(refusal.details, ["1"]);
    let plan = DecideItems { authority: Authority::Plan, ..wish(&[1], KEEP) };
    given::<AccessReview>(&opened())
        .by(Actor::plan_staff(id(1)))
        .when(AccessReviewCommand::Decide(Box::new(plan)))
        .refused(Code::SelfReview);
    given::<AccessReview>(&opened()).when(decide(&[1], KEEP)).refused(Code::Forbidden);
    given::<AccessReview>(&opened()).by(bob()).when(decide(&[4], KEEP)).refused(Code::NotFound);
    given::<AccessReview>(&[]).by(bob()).when(decide(&[1], KEEP)).refused(Code::NotFound);
}

#[test]
fn gn_15_a_delegated_item_is_the_delegates_or_the_plans() {
    let to_carl = delegated(1, None, Some(21), 20);
    let own = Authority::Organization;
    given::<AccessReview>(&opened())
        .by(bob())
        .when(delegate(&[1], Some(21), own))
        .then(std::slice::from_ref(&to_carl));
    let with = history(&[to_carl]);
    given::<AccessReview>(&with).by(bob()).when(delegate(&[1], Some(21), own)).then(&[]);
    let refusal =
        given::<AccessReview>(&with).by(bob()).when(decide(&[1], KEEP)).refused(Code::Forbidden);
    assert_eq!(refusal.details, [id::<UserId>(21).to_string()]);
    let carl = given::<AccessReview>(&with).by(Actor::user(id(21))).when(decide(&[1], KEEP));
    assert_eq!(carl.events().len(), 1);
    let plan = DecideItems { authority: Authority::Plan, ..wish(&[1], KEEP) };
    let plan = AccessReviewCommand::Decide(Box::new(plan));
    let plan = given::<AccessReview>(&with).by(Actor::plan_staff(id(30))).when(plan);
    assert_eq!(plan.events().len(), 1);
}

#[test]
fn who_delegated_takes_back_and_nobody_chooses_their_own_reviewer() {
    let own = Authority::Organization;
    let with = history(&[delegated(1, None, Some(21), 20)]);
    let by = |n| given::<AccessReview>(&with).by(Actor::user(id(n)));
    by(20).when(delegate(&[1], None, own)).then(&[delegated(1, Some(21), None, 20)]);
    by(21).when(delegate(&[1], Some(22), own)).then(&[delegated(1, Some(21), Some(22), 21)]);
    by(23).when(delegate(&[1], Some(23), own)).refused(Code::Forbidden);
    by(1).when(delegate(&[1], Some(23), own)).refused(Code::SelfReview);
    by(20).when(delegate(&[1], Some(1), own)).refused(Code::SelfReview);
    let unheld = given::<AccessReview>(&opened()).by(bob());
    unheld.when(delegate(&[1, 2], None, own)).then(&[]);
}
