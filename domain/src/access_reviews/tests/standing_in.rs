//! Who decides in the place of somebody who is away.

use super::*;

/// What the second person of the list decides in the place of Bob, who administers, and of Carl.
fn by_second(items: &[u32], away: &[(u128, bool)]) -> AccessReviewCommand {
    let stands_in = |(user, administers): &(u128, bool)| StandsInFor {
        user: id(*user),
        administers: *administers,
    };
    let stands_in_for = away.iter().map(stands_in).collect();
    AccessReviewCommand::Decide(Box::new(DecideItems { stands_in_for, ..wish(items, KEEP) }))
}

fn in_place_of(events: &[AccessReviewEvent]) -> Vec<Option<UserId>> {
    let of = |event: &AccessReviewEvent| {
        let AccessReviewEvent::ReviewItemDecided(decided) = event else { panic!("{event:?}") };
        decided.in_place_of
    };
    events.iter().map(of).collect()
}

#[test]
fn gn_15_a_substitute_decides_what_whom_they_stand_in_for_may_and_says_so() {
    let second = || given::<AccessReview>(&opened()).by(Actor::user(id(2)));
    let decided = second().when(by_second(&[1, 3], &[(20, true)]));
    assert_eq!(in_place_of(decided.events()), [Some(id(20)), Some(id(20))]);
    // Never about themself, nor about whom they stand in for.
    second().when(by_second(&[2], &[(20, true)])).refused(Code::SelfReview);
    let own = second().when(by_second(&[1, 3], &[(3, true)])).refused(Code::SelfReview);
    assert_eq!(own.details, ["3"]);
    let other = second().when(by_second(&[3], &[(3, true), (20, true)]));
    assert_eq!(in_place_of(other.events()), [Some(id(20))]);
}

#[test]
fn gn_15_a_substitute_of_a_delegate_decides_what_was_delegated() {
    let to_carl = history(&[delegated(1, None, Some(21), 20)]);
    let second = || given::<AccessReview>(&to_carl).by(Actor::user(id(2)));
    let decided = second().when(by_second(&[1], &[(21, false)]));
    assert_eq!(in_place_of(decided.events()), [Some(id(21))]);
    // What was delegated is no other administrator's, nor is theirs who stands in for one.
    second().when(by_second(&[1], &[(20, true)])).refused(Code::Forbidden);
    let administers = given::<AccessReview>(&to_carl).by(bob());
    let decided = administers.when(by_second(&[1, 3], &[(21, false)]));
    assert_eq!(in_place_of(decided.events()), [Some(id(21)), None]);
}

#[test]
fn gn_15_what_is_delegated_to_somebody_who_is_away_goes_to_the_substitute_but_for_their_own() {
    let wish = DelegateItems {
        items: vec![1, 2],
        to: Some(id(21)),
        substitute: Some(id(2)),
        reason: reason(),
        authority: Authority::Organization,
    };
    let command = AccessReviewCommand::Delegate(Box::new(wish));
    let events = given::<AccessReview>(&opened()).by(bob()).when(command).events().to_vec();
    let of = |event: &AccessReviewEvent| {
        let AccessReviewEvent::ReviewItemDelegated { new, in_place_of, .. } = event else {
            panic!("{event:?}")
        };
        (*new, *in_place_of)
    };
    let went: Vec<_> = events.iter().map(of).collect();
    assert_eq!(went, [(Some(id(2)), Some(id(21))), (Some(id(21)), None)]);
}

#[test]
fn gn_15_what_was_delegated_to_whoever_left_falls_back_to_all_reviewers() {
    let events = history(&[delegated(1, None, Some(21), 20), delegated(2, None, Some(22), 20)]);
    let lapse = |left: u128| AccessReviewCommand::Lapse { left: [id(left)].into() };
    let lapsed = AccessReviewEvent::ReviewDelegationLapsed {
        organization: mercy(),
        item: 1,
        user: id(1),
        delegate: id(21),
    };
    given::<AccessReview>(&events).when(lapse(23)).then(&[]);
    let state = given::<AccessReview>(&events).when(lapse(21)).then(std::slice::from_ref(&lapsed));
    assert_eq!(state.review().unwrap().delegates(), [id(22)].into());
    let events = [events, vec![lapsed]].concat();
    assert_eq!(given::<AccessReview>(&events).by(bob()).when(decide(&[1], KEEP)).events().len(), 1);
    given::<AccessReview>(&events).by(bob()).when(decide(&[2], KEEP)).refused(Code::Forbidden);
}
