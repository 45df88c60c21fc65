//! Reviewers who decide quicker than anybody reads.

use super::*;

fn many() -> Vec<Reviewed> {
    (101..=250).map(|n| member(n, OrgRole::None)).collect()
}

/// What comes of keeping these items, each at its second.
fn kept(decisions: &[(std::ops::RangeInclusive<u32>, i64)]) -> Vec<AccessReviewEvent> {
    let mut events = given::<AccessReview>(&[]).when(open(new_review(many()))).events().to_vec();
    for (items, second) in decisions {
        let items: Vec<u32> = items.clone().collect();
        let state = given::<AccessReview>(&events).at(after(*second)).by(bob());
        let more = state.when(decide(&items, KEEP)).events().to_vec();
        events.extend(more);
    }
    events
}

fn suspected(events: &[AccessReviewEvent]) -> Vec<(u32, i64)> {
    let of = |event: &AccessReviewEvent| {
        let AccessReviewEvent::HastyReviewSuspected { decided, ms_per_item, .. } = event else {
            return None;
        };
        Some((*decided, *ms_per_item))
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn gn_15_who_keeps_almost_everything_quicker_than_reading_is_suspected_once() {
    assert_eq!(suspected(&kept(&[(1..=25, 0), (26..=50, 10), (51..=75, 12)])), [(50, 400)]);
    // Two seconds for an item are time enough by the policy.
    assert_eq!(suspected(&kept(&[(1..=1, 0), (2..=21, 40)])), []);
    assert_eq!(suspected(&kept(&[(1..=1, 0), (2..=21, 39)])), [(21, 1_950)]);
    // Of few items, and of the first moment of a sitting, nothing is known.
    assert_eq!(suspected(&kept(&[(1..=1, 0), (2..=20, 1)])), []);
    assert_eq!(suspected(&kept(&[(1..=100, 0)])), []);
    assert_eq!(suspected(&kept(&[(1..=50, 0), (51..=100, 31 * 60)])), []);
    // But a page shows a hundred, so nobody saw all of these.
    assert_eq!(suspected(&kept(&[(1..=150, 0)])), [(150, 0)]);
}

#[test]
fn gn_15_who_takes_access_away_is_not_suspected() {
    let mut events = kept(&[(1..=19, 0)]);
    for (items, second) in [(20..=21, 1), (22..=41, 2)] {
        let items: Vec<u32> = items.collect();
        let decision = if second == 1 { REVOKE } else { KEEP };
        let state = given::<AccessReview>(&events).at(after(second)).by(bob());
        events.extend(state.when(decide(&items, decision)).events().to_vec());
    }
    // 2 of 41 were taken away: kept is 95 of a hundred, and a third one makes it less.
    assert_eq!(suspected(&events).len(), 1);
    let mut events = kept(&[(1..=19, 0)]);
    for (items, second) in [(20..=22, 1), (23..=42, 2)] {
        let items: Vec<u32> = items.collect();
        let decision = if second == 1 { REVOKE } else { KEEP };
        let state = given::<AccessReview>(&events).at(after(second)).by(bob());
        events.extend(state.when(decide(&items, decision)).events().to_vec());
    }
    assert_eq!(suspected(&events), []);
}
