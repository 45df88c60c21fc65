//! How a review ends: carried out and signed, or cancelled.

use super::*;

/// All three kept, but for what is said of item 1.
fn all(first: ReviewDecision) -> Vec<AccessReviewEvent> {
    let rest = [2, 3].map(|item| decided(item, (None, KEEP), start()));
    history(&[vec![decided(1, (None, first), start())], rest.to_vec()].concat())
}

fn completed(
    state: &[AccessReviewEvent],
    totals: ReviewTotals,
    gone: Vec<u32>,
) -> AccessReviewEvent {
    let review = given::<AccessReview>(state).state();
    let known = gone.iter().copied().collect();
    AccessReviewEvent::AccessReviewCompleted {
        organization: mercy(),
        attested_by: id(20),
        signature: signature(),
        totals,
        gone,
        joiners: 2,
        sha256: sha256_of_lines(review.review().unwrap().results(&known)),
        completed_at: start(),
    }
}

#[test]
fn cc_13_a_review_is_signed_when_nothing_is_undecided() {
    let sign = |events: &[AccessReviewEvent], done| {
        given::<AccessReview>(events).by(bob()).when(completing(done))
    };
    let refusal = sign(&opened(), complete(&[])).refused(Code::ItemsUndecided);
    assert_eq!(refusal.details, ["1", "2", "3"]);
    let one = sign(&all(KEEP)[..4], complete(&[])).refused(Code::ItemsUndecided);
    assert_eq!(one.message, "1 item is undecided yet, the first: 3. Decide about each.");
    let totals = ReviewTotals { population: 3, kept: 3, ..ReviewTotals::default() };
    let events = all(KEEP);
    let signed = completed(&events, totals, Vec::new());
    let state = sign(&events, complete(&[])).then(&[signed]);
    assert_eq!(state.review().unwrap().status, ReviewStatus::Completed);
    let unticked = CompleteReview { attested: false, ..complete(&[]) };
    sign(&events, unticked).refused(Code::BoxNotTicked);
    sign(&events, complete(&[7])).refused(Code::NotFound);
    given::<AccessReview>(&events).when(completing(complete(&[]))).refused(Code::Forbidden);
}

#[test]
fn who_left_meanwhile_needs_no_decision_and_counts_as_gone() {
    let events = history(&[
        decided(1, (None, KEEP), start()),
        decided(2, (None, REVOKE), start()),
        AccessReviewEvent::ReviewRevocationExecuted(execution(2, true)),
    ]);
    let totals = ReviewTotals { population: 3, kept: 1, revoked: 1, gone: 1, ..<_>::default() };
    // The second left by this review, which is no other reason.
    let signed = completed(&events, totals, vec![3]);
    let state = given::<AccessReview>(&events)
        .by(bob())
        .when(completing(complete(&[3, 2, 3])))
        .then(&[signed]);
    assert_eq!(state.review().unwrap().gone, [3].into());
    assert_eq!(state.review().unwrap().totals(&[3].into()), totals);
}

#[test]
fn gn_15_nothing_is_signed_before_what_was_taken_away_is_verified() {
    let sign = |events: &[AccessReviewEvent]| {
        given::<AccessReview>(events).by(bob()).when(completing(complete(&[])))
    };
    let pending = all(REVOKE);
    assert_eq!(sign(&pending).refused(Code::StillInEffect).details, ["1"]);
    let unverified = AccessReviewEvent::ReviewRevocationExecuted(execution(1, false));
    let outcome = given::<AccessReview>(&pending).when(record(1, false));
    outcome.then(std::slice::from_ref(&unverified));
    let looked_up = [pending.clone(), vec![unverified]].concat();
    sign(&looked_up).refused(Code::StillInEffect);
    given::<AccessReview>(&looked_up).when(record(1, false)).then(&[]);
    let verified = AccessReviewEvent::ReviewRevocationExecuted(execution(1, true));
    let outcome = given::<AccessReview>(&looked_up).when(record(1, true));
    outcome.then(std::slice::from_ref(&verified));
    let done = [looked_up, vec![verified]].concat();
    given::<AccessReview>(&done).when(record(1, true)).then(&[]);
    let totals = ReviewTotals { population: 3, kept: 2, revoked: 1, ..ReviewTotals::default() };
    let signed = completed(&done, totals, Vec::new());
    sign(&done).then(&[signed]);
}

#[test]
fn a_changed_role_is_carried_out_like_a_revocation() {
    let change = ReviewDecision::Change { role: OrgRole::Processor };
    let events = all(change);
    given::<AccessReview>(&events)
        .by(bob())
        .when(completing(complete(&[])))
        .refused(Code::StillInEffect);
    let done = AccessReviewEvent::ReviewChangeExecuted(execution(1, true));
    let state = given::<AccessReview>(&events).when(record(1, true)).then(&[done]);
    assert_eq!(state.review().unwrap().totals(&<_>::default()).changed, 1);
}

#[test]
fn what_was_not_decided_or_is_decided_otherwise_by_now_is_not_carried_out() {
    let refused = |events: &[AccessReviewEvent], item, code| {
        given::<AccessReview>(events).when(record(item, true)).refused(code);
    };
    refused(&opened(), 1, Code::NotPending);
    refused(&all(REVOKE), 2, Code::NotPending);
    refused(&all(REVOKE), 4, Code::NotFound);
    let kept = [all(REVOKE), vec![decided(1, (Some(REVOKE), KEEP), after(3))]].concat();
    refused(&kept, 1, Code::NotPending);
    let verified = AccessReviewEvent::ReviewRevocationExecuted(execution(1, true));
    let done = [all(REVOKE), vec![verified]].concat();
    let by = || given::<AccessReview>(&done).at(after(9)).by(bob());
    let change = ReviewDecision::Change { role: OrgRole::Processor };
    by().when(decide(&[1], change)).refused(Code::AlreadyDecided);
    let state = by().when(decide(&[1], KEEP)).then(&[decided(1, (Some(REVOKE), KEEP), after(9))]);
    assert_eq!(state.review().unwrap().item(1).unwrap().outcome(false), ItemOutcome::Kept);
    by().when(decide(&[1], REVOKE)).then(&[]);
}

#[test]
fn a_review_that_is_over_takes_nothing_more() {
    let cancel = || AccessReviewCommand::Cancel { reason: reason() };
    let cancelled = AccessReviewEvent::AccessReviewCancelled {
        organization: mercy(),
        by: Some(id(20)),
        reason: Sealed::new(review(), reason()),
    };
    let outcome = given::<AccessReview>(&opened()).by(bob()).when(cancel());
    outcome.then(std::slice::from_ref(&cancelled));
    let over = history(&[cancelled]);
    let own = Authority::Organization;
    for command in [
        decide(&[1], KEEP),
        delegate(&[1], Some(21), own),
        record(1, true),
        completing(complete(&[])),
        cancel(),
    ] {
        given::<AccessReview>(&over).by(bob()).when(command).refused(Code::ReviewClosed);
    }
    given::<AccessReview>(&over).at(days(60)).when(AccessReviewCommand::Watch).then(&[]);
}
