//! Second reviewers.

use super::*;
use crate::policies::SecondReviewer;

fn opened_for(second: SecondReviewer) -> Vec<AccessReviewEvent> {
    let new = NewReview { second_reviewer: second, ..new_review(roster()) };
    given::<AccessReview>(&[]).when(open(new)).events().to_vec()
}

/// One revoked and two kept by Bob.
fn decided_by_bob(second: SecondReviewer) -> Vec<AccessReviewEvent> {
    let mut events = opened_for(second);
    for command in [decide(&[1], REVOKE), decide(&[2, 3], KEEP)] {
        let more = given::<AccessReview>(&events).by(bob()).when(command).events().to_vec();
        events.extend(more);
    }
    events
}

fn confirm(items: &[u32], authority: Authority) -> AccessReviewCommand {
    AccessReviewCommand::Confirm(Box::new(ConfirmItems {
        items: items.to_vec(),
        authority,
        seen: seen(),
    }))
}

fn confirmed(item: u32, decision: ReviewDecision) -> AccessReviewEvent {
    AccessReviewEvent::ReviewItemConfirmed {
        organization: mercy(),
        item,
        user: id(u128::from(item)),
        right: None,
        decision,
        decided_at: start(),
        by: id(21),
        confirmed_at: start(),
        seen: seen(),
    }
}

#[test]
fn gn_15_a_decision_counts_when_somebody_else_confirmed_it() {
    let own = Authority::Organization;
    let events = decided_by_bob(SecondReviewer::Reviewer);
    let on =
        |events: &[AccessReviewEvent], who| given::<AccessReview>(events).by(Actor::user(id(who)));
    on(&events, 20).when(confirm(&[1], own)).refused(Code::Forbidden);
    on(&events, 2).when(confirm(&[2], own)).refused(Code::SelfReview);
    given::<AccessReview>(&events).when(record(1, true)).refused(Code::NotPending);
    let sign = |events: &[AccessReviewEvent]| {
        given::<AccessReview>(events).by(bob()).when(completing(complete(&[])))
    };
    assert_eq!(sign(&events).refused(Code::ItemsUndecided).details, ["1", "2", "3"]);
    let all = [confirmed(1, REVOKE), confirmed(2, KEEP), confirmed(3, KEEP)];
    let state = on(&events, 21).when(confirm(&[1, 2, 3], own)).then(&all);
    let review = state.review().unwrap();
    assert!(review.item(1).unwrap().decided.as_ref().unwrap().is_carried_out());
    let events = [events, all.to_vec()].concat();
    on(&events, 21).when(confirm(&[1], own)).refused(Code::NotPending);
    sign(&events).refused(Code::StillInEffect);
    given::<AccessReview>(&events).when(record(1, true)).events();
    // What was done by two is not one's to take back; what was kept is decided anew, and confirmed anew.
    on(&events, 21).when(decide(&[1], KEEP)).refused(Code::AlreadyDecided);
    let again = on(&events, 21).when(decide(&[2], REVOKE)).events().to_vec();
    let events = [events, again].concat();
    on(&events, 21).when(confirm(&[2], own)).refused(Code::Forbidden);
    assert_eq!(on(&events, 20).when(confirm(&[2], own)).events().len(), 1);
}

#[test]
fn gn_15_where_the_plan_confirms_nobody_else_does() {
    let events = decided_by_bob(SecondReviewer::Plan);
    let own = given::<AccessReview>(&events).by(Actor::user(id(21)));
    own.when(confirm(&[1], Authority::Organization)).refused(Code::Forbidden);
    let plan = given::<AccessReview>(&events).by(Actor::plan_staff(id(21)));
    assert_eq!(plan.when(confirm(&[1], Authority::Plan)).events().len(), 1);
    let none = given::<AccessReview>(&opened()).by(Actor::user(id(21)));
    none.when(confirm(&[1], Authority::Organization)).refused(Code::NotPending);
}
