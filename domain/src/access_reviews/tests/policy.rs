//! What the policy decides about what nobody did in time.

use super::*;
use crate::Refusal;
use crate::permissions::{Entitlement, JobRoles, NpiLevel, NpiScope};
use crate::policies::{Feature, Policy, PolicyKey, PolicyValue, Preset, UndecidedAction};
use crate::values::Npi;

/// Three members, item 1 kept, after the grace: ordinary items are kept, those of high risk taken away.
fn escalated(ordinary: &str, high: &str) -> Vec<AccessReviewEvent> {
    let text = |word: &str| PolicyValue::Text(word.to_owned());
    let policy = Policy::from(Preset::MediCal)
        .with(PolicyKey::ReviewUndecided, text(ordinary))
        .with(PolicyKey::ReviewUndecidedHigh, text(high));
    let events = history(&[decided(1, (None, KEEP), start())]);
    let told = given::<AccessReview>(&events)
        .under(policy)
        .at(days(28))
        .when(AccessReviewCommand::Watch)
        .events()
        .to_vec();
    [events, told].concat()
}

fn ask(item: u32, risk: Risk, refusal: Option<Refusal>) -> AccessReviewCommand {
    AccessReviewCommand::DecideByPolicy(DecideByPolicy { item, risk, refusal })
}

fn by_policy(item: u32, risk: Risk, new: ReviewDecision) -> AccessReviewEvent {
    AccessReviewEvent::ReviewItemDecidedByPolicy(PolicyDecision {
        organization: mercy(),
        item,
        user: id(u128::from(item)),
        right: None,
        risk,
        new,
        decided_at: start(),
    })
}

#[test]
fn gn_15_after_the_grace_the_policy_decides_what_nobody_did_by_its_risk() {
    let events = escalated("KEEP", "REVOKE");
    let state = given::<AccessReview>(&events).state();
    let review = state.review().unwrap();
    let left: Vec<u32> = review.left_to_policy().map(|(number, _)| number).collect();
    assert_eq!(left, [2, 3]);
    assert_eq!(review.policy_for(Risk::High), UndecidedAction::Revoke);
    let (kept, revoked) = (by_policy(2, Risk::Ordinary, KEEP), by_policy(3, Risk::High, REVOKE));
    let on = || given::<AccessReview>(&events);
    on().when(ask(2, Risk::Ordinary, None)).then(std::slice::from_ref(&kept));
    on().when(ask(3, Risk::High, None)).then(std::slice::from_ref(&revoked));
    on().when(ask(1, Risk::Ordinary, None)).refused(Code::NotPending);
    let all = [events.clone(), vec![kept, revoked]].concat();
    let state = given::<AccessReview>(&all).state();
    let review = state.review().unwrap();
    assert_eq!((review.undecided, review.left_to_policy().count()), (0, 0));
    assert!(review.is_beside_policy());
    let done = AccessReviewEvent::ReviewRevocationExecuted(execution(3, true));
    let verified = given::<AccessReview>(&all).when(record(3, true));
    let verified = verified.then(std::slice::from_ref(&done));
    let review = verified.review().unwrap();
    let totals = review.totals(&<_>::default());
    assert_eq!((totals.kept, totals.revoked, totals.by_policy), (2, 1, 2));
    assert_eq!(review.totals(&[2].into()).by_policy, 1, "who is gone is nobody's decision");
    let results: Vec<_> =
        review.results(&review.gone).map(|it| (it.decided_by, it.by_policy)).collect();
    assert_eq!(results, [(Some(id(20)), false), (None, true), (None, true)]);
}

#[test]
fn gn_15_what_the_policy_cannot_take_away_stays_undecided_and_a_person_decides_anew() {
    let events = escalated("ESCALATE", "REVOKE");
    let on = |events: &[AccessReviewEvent]| given::<AccessReview>(events);
    on(&events).when(ask(2, Risk::Ordinary, None)).refused(Code::NotPending);
    let refusal = Refusal::new(Code::LastAdmin, "Appoint another administrator first.");
    let left = AccessReviewEvent::ReviewItemLeftByPolicy {
        organization: mercy(),
        item: 3,
        user: id(3),
        right: None,
        risk: Risk::High,
        refusal: refusal.clone(),
    };
    let state =
        on(&events).when(ask(3, Risk::High, Some(refusal))).then(std::slice::from_ref(&left));
    assert_eq!(state.review().unwrap().undecided, 2);
    let events = [events, vec![left]].concat();
    on(&events).when(ask(3, Risk::High, None)).refused(Code::NotPending);
    assert_eq!(on(&events).by(bob()).when(decide(&[3], KEEP)).events().len(), 1);
    // Nobody takes back what nobody decided; it is kept instead.
    let revoked = [events, vec![by_policy(2, Risk::Ordinary, REVOKE)]].concat();
    let undo = AccessReviewCommand::Undo(Box::new(UndoDecision {
        item: 2,
        decided_at: start(),
        reason: reason(),
        authority: Authority::Organization,
        seen: seen(),
    }));
    on(&revoked).by(bob()).when(undo).refused(Code::NotPending);
    let kept = on(&revoked).by(bob()).when(decide(&[2], KEEP));
    let AccessReviewEvent::ReviewItemDecided(kept) = &kept.events()[0] else { panic!() };
    assert_eq!((kept.old, kept.new), (Some(REVOKE), KEEP));
    let none = escalated("ESCALATE", "ESCALATE");
    assert_eq!(on(&none).state().review().unwrap().left_to_policy().count(), 0);
}

#[test]
fn the_risk_is_high_of_administrators_pins_and_the_management_of_users() {
    let npi = |level| ReviewedAccess::Npi {
        npi: NpiScope::One(Npi::parse("1234567893").unwrap()),
        level,
        until: None,
    };
    let feature = |of| ReviewedAccess::Grant { grant: Entitlement::Feature(of), until: None };
    let risk = |access: ReviewedAccess| access.risk(&JobRoles::new());
    assert_eq!(risk(ReviewedAccess::Membership { role: OrgRole::Admin }), Risk::High);
    assert_eq!(risk(ReviewedAccess::Membership { role: OrgRole::Processor }), Risk::Ordinary);
    assert_eq!(risk(npi(NpiLevel::Admin)), Risk::High);
    assert_eq!(risk(npi(NpiLevel::Processor)), Risk::Ordinary);
    assert_eq!(risk(feature(Feature::UserManagement)), Risk::High);
    assert_eq!(risk(feature(Feature::Claims)), Risk::Ordinary);
}
