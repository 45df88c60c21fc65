//! Decisions that wait for the closing, and what becomes of them then.

use super::*;
use crate::Refusal;

/// A review of three members whose revocations are carried out at its closing.
fn opened_for_closing() -> Vec<AccessReviewEvent> {
    let new = NewReview { revocations: RevocationMode::AtClose, ..new_review(roster()) };
    given::<AccessReview>(&[]).when(open(new)).events().to_vec()
}

/// One revoked by the plan, one changed, one kept.
fn all_decided() -> Vec<AccessReviewEvent> {
    let evidence = Reason::parse("A letter of the practice.").unwrap();
    let by_plan =
        DecideItems { authority: Authority::Plan, evidence: Some(evidence), ..wish(&[1], REVOKE) };
    let plan = AccessReviewCommand::Decide(Box::new(by_plan));
    let role = ReviewDecision::Change { role: OrgRole::Processor };
    let mut events = opened_for_closing();
    for command in [plan, decide(&[2], role), decide(&[3], KEEP)] {
        let more = given::<AccessReview>(&events).by(bob()).when(command).events().to_vec();
        events.extend(more);
    }
    events
}

fn sign(
    events: &[AccessReviewEvent],
    gone: &[u32],
) -> crate::kernel::scenario::Outcome<AccessReview> {
    given::<AccessReview>(events).by(bob()).when(completing(complete(gone)))
}

fn closing(to_carry_out: u32) -> AccessReviewEvent {
    AccessReviewEvent::AccessReviewClosing {
        organization: mercy(),
        by: id(20),
        to_carry_out,
        closing_at: start(),
    }
}

fn carry(item: u32, refusal: Option<Refusal>) -> AccessReviewCommand {
    AccessReviewCommand::RecordCarrying(RecordCarrying { item, decided_at: start(), refusal })
}

fn carried(item: u32) -> AccessReviewEvent {
    AccessReviewEvent::ReviewDecisionCarriedOut {
        organization: mercy(),
        item,
        user: id(u128::from(item)),
        right: None,
        decided_at: start(),
        carried_out_at: start(),
    }
}

fn not_carried(item: u32) -> AccessReviewEvent {
    AccessReviewEvent::ReviewDecisionNotCarriedOut {
        organization: mercy(),
        item,
        user: id(u128::from(item)),
        right: None,
        decided_at: start(),
        refusal: last_admin(),
    }
}

fn last_admin() -> Refusal {
    Refusal::new(Code::LastAdmin, "Appoint another administrator first.")
}

fn with(more: &[AccessReviewEvent]) -> Vec<AccessReviewEvent> {
    [all_decided(), more.to_vec()].concat()
}

#[test]
fn gn_15_a_decision_waits_for_the_closing_with_what_it_is_carried_out_by() {
    let state = given::<AccessReview>(&all_decided()).state();
    let review = state.review().unwrap();
    assert_eq!(review.to_carry_out().count(), 0, "not before the closing");
    let carrying = |item| review.item(item).unwrap().decided.clone().unwrap().carrying;
    let Carrying::Waits { by_plan: true, evidence: Some(_) } = carrying(1) else {
        panic!("{:?}", carrying(1));
    };
    assert_eq!(carrying(2), Carrying::Waits { by_plan: false, evidence: None });
    assert_eq!(carrying(3), Carrying::Done);
    assert_eq!(review.item(1).unwrap().outcome(false), ItemOutcome::Pending);
    // It has not been done, so there is nothing to look up.
    let looked = given::<AccessReview>(&all_decided()).when(record(1, true));
    looked.refused(Code::NotPending);
    given::<AccessReview>(&all_decided()).when(carry(1, None)).refused(Code::NotPending);
    // What is carried out at once says nothing of it.
    let at_once = given::<AccessReview>(&opened()).by(bob()).when(decide(&[1], REVOKE));
    let AccessReviewEvent::ReviewItemDecided(decided) = &at_once.events()[0] else { panic!() };
    assert!(!decided.by_plan && decided.evidence.is_none());
}

#[test]
fn gn_15_signing_begins_the_closing_and_signs_when_all_of_it_is_verified() {
    let undecided = [opened_for_closing(), all_decided()[2..4].to_vec()].concat();
    assert_eq!(sign(&undecided, &[]).refused(Code::ItemsUndecided).details, ["3"]);
    let state = sign(&all_decided(), &[]).then(&[closing(2)]);
    let review = state.review().unwrap();
    assert_eq!((review.status, review.closing.unwrap().by), (ReviewStatus::Open, id(20)));
    let waiting: Vec<u32> = review.to_carry_out().map(|(number, _)| number).collect();
    assert_eq!(waiting, [1, 2]);
    assert_eq!(
        sign(&with(&[closing(2)]), &[]).refused(Code::StillInEffect).details,
        ["1", "2"],
        "the closing begins once"
    );
    let done = with(&[closing(2), carried(1), carried(2)]);
    given::<AccessReview>(&with(&[closing(2)])).when(carry(1, None)).then(&[carried(1)]);
    given::<AccessReview>(&done).when(carry(1, None)).refused(Code::NotPending);
    sign(&done, &[]).refused(Code::StillInEffect);
    let verified = [
        AccessReviewEvent::ReviewRevocationExecuted(execution(1, true)),
        AccessReviewEvent::ReviewChangeExecuted(execution(2, true)),
    ];
    let state = given::<AccessReview>(&done).when(record(1, true)).then(&verified[..1]);
    assert_eq!(state.review().unwrap().item(1).unwrap().outcome(false), ItemOutcome::Revoked);
    let events = [done, verified.to_vec()].concat();
    let signed = sign(&events, &[]);
    assert!(matches!(signed.events(), [AccessReviewEvent::AccessReviewCompleted { .. }]));
    // Without anything to carry out it is signed at once.
    let mut kept = opened_for_closing();
    kept.extend((1..=3).map(|item| decided(item, (None, KEEP), start())));
    let signed = sign(&kept, &[]);
    assert!(matches!(signed.events(), [AccessReviewEvent::AccessReviewCompleted { .. }]));
}

#[test]
fn gn_15_while_a_review_closes_only_what_cannot_go_on_is_decided() {
    let events = with(&[closing(2), carried(2), not_carried(1)]);
    let by = |events: &[AccessReviewEvent]| given::<AccessReview>(events).by(bob());
    for item in [2, 3] {
        let refusal = by(&events).when(decide(&[item], KEEP)).refused(Code::ReviewClosed);
        assert_eq!(refusal.details, [item.to_string()]);
    }
    let own = Authority::Organization;
    by(&events).when(delegate(&[3], Some(21), own)).refused(Code::ReviewClosed);
    let state = by(&events).state();
    let item = state.review().unwrap().item(1).unwrap();
    assert_eq!(item.decided.as_ref().unwrap().refusal(), Some(&last_admin()));
    assert_eq!(item.outcome(false), ItemOutcome::Pending);
    // Decided again, by the same words too, it is carried out as it is decided.
    let again = by(&events).when(decide(&[1], REVOKE)).events().to_vec();
    assert_eq!(again.len(), 1);
    let mut state = given::<AccessReview>(&events).state();
    crate::Decider::evolve(&mut state, &again[0]);
    let decided = state.review().unwrap().item(1).unwrap().decided.clone().unwrap();
    assert!(decided.is_carried_out());
    // What a look found something left of can be taken back.
    let left = AccessReviewEvent::ReviewChangeExecuted(execution(2, false));
    let events = [events, vec![left]].concat();
    assert_eq!(by(&events).when(decide(&[2], KEEP)).events().len(), 1);
    // Who is gone for another reason counts as gone, whatever could not be done about them.
    let totals = given::<AccessReview>(&events).state();
    assert_eq!(totals.review().unwrap().totals(&[1].into()).gone, 1);
}

#[test]
fn gn_15_what_waits_is_decided_otherwise_before_the_closing() {
    let kept = decided(1, (Some(REVOKE), KEEP), after(9));
    let state = given::<AccessReview>(&all_decided()).at(after(9)).by(bob());
    state.when(decide(&[1], KEEP)).then(std::slice::from_ref(&kept));
    sign(&with(&[kept]), &[]).then(&[closing(1)]);
}
