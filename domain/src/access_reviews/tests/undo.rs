//! Decisions taken back.

use super::*;

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
fn gn_15_what_is_undone_is_kept_by_whoever_undoes_it_and_says_what_it_takes_back() {
    let revoked = decided(1, (None, REVOKE), start());
    let verified = AccessReviewEvent::ReviewRevocationExecuted(execution(1, true));
    let carl = || Actor::user(id(21));
    let undone = AccessReviewEvent::ReviewItemDecided(Box::new(ReviewItemDecision {
        right: None,
        organization: mercy(),
        item: 1,
        user: id(1),
        reviewer: id(21),
        old: Some(REVOKE),
        new: KEEP,
        reason: Some(Sealed::new(id::<UserId>(1), reason())),
        decided_at: after(9),
        seen: seen(),
        recommendation: None,
        undoes: Some(UndoneDecision { reviewer: id(20), decided_at: start() }),
        in_place_of: None,
        by_plan: false,
        evidence: None,
    }));
    for events in [vec![revoked.clone()], vec![revoked, verified]] {
        let state = given::<AccessReview>(&history(&events)).at(after(9)).by(carl());
        let state = state.when(undo(1)).then(std::slice::from_ref(&undone));
        assert_eq!(state.review().unwrap().item(1).unwrap().outcome(false), ItemOutcome::Kept);
    }
}

fn leaves() -> ReviewDecision {
    ReviewDecision::Revoke { left_on: Some(CalendarDate::parse("2026-03-10").unwrap()) }
}

#[test]
fn gn_15_nothing_is_undone_twice_by_who_may_not_decide_or_after_the_end() {
    let revoked =
        history(&[decided(1, (None, REVOKE), start()), decided(2, (None, KEEP), start())]);
    let by = |n| given::<AccessReview>(&revoked).by(Actor::user(id(n)));
    by(21).when(undo(2)).refused(Code::NotPending);
    by(21).when(undo(3)).refused(Code::NotPending);
    by(21).when(undo(4)).refused(Code::NotFound);
    let later = [&revoked[..], &[decided(1, (Some(REVOKE), leaves()), after(3))]].concat();
    given::<AccessReview>(&later).by(bob()).when(undo(1)).refused(Code::NotPending);
    by(1).when(undo(1)).refused(Code::SelfReview);
    let to_carl = [&revoked[..], &[delegated(1, None, Some(21), 20)]].concat();
    given::<AccessReview>(&to_carl).by(bob()).when(undo(1)).refused(Code::Forbidden);
    let cancelled = AccessReviewEvent::AccessReviewCancelled {
        organization: mercy(),
        by: None,
        reason: Sealed::new(review(), reason()),
    };
    let over = [&revoked[..], &[cancelled]].concat();
    let refusal = given::<AccessReview>(&over).by(bob()).when(undo(1)).refused(Code::ReviewClosed);
    assert!(refusal.message.contains("open a new review"), "{}", refusal.message);
}
