//! Many items at once, and large lists.

use super::*;

fn crowd(n: u128) -> AccessReview {
    let reviewed = (1..=n).map(|n| member(1_000_000 + n, OrgRole::None)).collect();
    let mut state = AccessReview::default();
    let outcome = given::<AccessReview>(&[]).when(open(new_review(reviewed)));
    for event in outcome.events() {
        crate::Decider::evolve(&mut state, event);
    }
    state
}

fn ask(state: &AccessReview, items: u32, decision: ReviewDecision) -> Result<usize, Code> {
    let items: Vec<u32> = (1..=items).collect();
    let policy = crate::policies::Policy::from(crate::policies::Preset::MediCal);
    let at = crate::Decision { now: start(), actor: bob(), policy: &policy };
    let answer = crate::Decider::decide(state, &at, decide(&items, decision));
    answer.map(|events| events.len()).map_err(|refusal| crate::Refusal::from(refusal).code)
}

#[test]
fn gn_15_a_thousand_are_kept_at_once_and_a_hundred_taken_away() {
    let state = crowd(1_500);
    // One more is the suspicion that nobody read all of them.
    assert_eq!(ask(&state, 1_000, KEEP), Ok(1_001));
    assert_eq!(ask(&state, 1_001, KEEP), Err(Code::BulkLimit));
    assert_eq!(ask(&state, 100, REVOKE), Ok(100));
    assert_eq!(ask(&state, 101, REVOKE), Err(Code::BulkLimit));
    assert_eq!(ask(&state, 0, KEEP), Err(Code::FieldRequired));
}

#[test]
fn what_is_taken_away_at_once_is_one_and_the_same_access() {
    let by = || given::<AccessReview>(&opened()).by(bob());
    by().when(decide(&[1, 3], REVOKE)).refused(Code::FieldInvalid);
    assert_eq!(by().when(decide(&[1, 2], REVOKE)).events().len(), 2);
    assert_eq!(by().when(decide(&[1, 3, 3, 1], KEEP)).events().len(), 2);
}

#[test]
fn a_bulk_decision_leaves_out_what_stands_already_and_keeps_what_was_recommended() {
    let first = decided(2, (None, KEEP), start());
    let advice = Recommendation {
        advice: Advice::Revoke,
        grounds: vec![Ground::NotSignedInSince { at: start() }],
    };
    let wish = DecideItems {
        recommendations: BTreeMap::from([(1, advice.clone())]),
        ..wish(&[1, 2, 3], KEEP)
    };
    let outcome = given::<AccessReview>(&history(&[first]))
        .by(bob())
        .when(AccessReviewCommand::Decide(Box::new(wish)));
    let told: Vec<_> = outcome
        .events()
        .iter()
        .map(|event| {
            let AccessReviewEvent::ReviewItemDecided(it) = event else { panic!("{event:?}") };
            (it.item, it.recommendation.clone())
        })
        .collect();
    assert_eq!(told, [(1, Some(advice)), (3, None)]);
}

#[test]
fn gn_15_a_hundred_thousand_items_are_one_review_and_one_more_is_too_many() {
    let state = crowd(100_000);
    let review = state.review().unwrap();
    assert_eq!((review.population, review.items().count()), (100_000, 100_000));
    assert_eq!(review.item(100_000).unwrap().user, id(1_100_000));
    let reviewed = (1..=100_001).map(|n| member(n, OrgRole::None)).collect();
    let more = given::<AccessReview>(&[]).when(open(new_review(reviewed)));
    more.refused(Code::BulkLimit);
    let reviewed = (1..=1_001).map(|n| member(n, OrgRole::None)).collect();
    let outcome = given::<AccessReview>(&[]).when(open(new_review(reviewed)));
    let firsts: Vec<_> = outcome.events()[1..]
        .iter()
        .map(|event| {
            let AccessReviewEvent::ReviewItemsListed { first, items, .. } = event else {
                panic!("{event:?}")
            };
            (*first, items.len())
        })
        .collect();
    assert_eq!(firsts, [(1, 500), (501, 500), (1_001, 1)]);
}
