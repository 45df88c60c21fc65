//! What people say of their own access.

use super::*;

fn opened_asking() -> Vec<AccessReviewEvent> {
    let new = NewReview { asks_for_attestation: true, ..new_review(roster()) };
    given::<AccessReview>(&[]).when(open(new)).events().to_vec()
}

fn attest(items: &[u32], needed: bool, reason: Option<Reason>) -> AccessReviewCommand {
    AccessReviewCommand::Attest(Box::new(AttestItems { items: items.to_vec(), needed, reason }))
}

fn attested(needed: bool, reason: Option<Reason>) -> AccessReviewEvent {
    AccessReviewEvent::ReviewItemAttested {
        organization: mercy(),
        item: 1,
        user: id(1),
        right: None,
        needed,
        reason: reason.map(|reason| Sealed::new(id::<UserId>(1), reason)),
        attested_at: start(),
    }
}

#[test]
fn gn_15_people_say_of_their_own_access_whether_they_need_it_which_decides_nothing() {
    let ann = |events: &[AccessReviewEvent]| given::<AccessReview>(events).by(Actor::user(id(1)));
    let events = opened_asking();
    let state = ann(&events).when(attest(&[1], true, None)).then(&[attested(true, None)]);
    let review = state.review().unwrap();
    assert_eq!(
        (review.undecided, review.item(1).unwrap().outcome(false)),
        (3, ItemOutcome::Undecided)
    );
    // The last word counts, and the same one is nothing new.
    let said = [events.clone(), vec![attested(true, None)]].concat();
    ann(&said).when(attest(&[1], true, None)).then(&[]);
    let no_more = attested(false, Some(reason()));
    ann(&said).when(attest(&[1], false, Some(reason()))).then(std::slice::from_ref(&no_more));
    ann(&said).when(attest(&[1], false, None)).refused(Code::ReasonRequired);
    // Nobody decides about themself by it, nor speaks for others.
    ann(&said).when(decide(&[1], KEEP)).refused(Code::SelfReview);
    let refusal = ann(&said).when(attest(&[1, 2], true, None)).refused(Code::Forbidden);
    assert_eq!(refusal.details, ["2"]);
    ann(&said).when(attest(&[9], true, None)).refused(Code::NotFound);
    ann(&opened()).when(attest(&[1], true, None)).refused(Code::NotPending);
    let kept = [said, vec![decided(1, (None, KEEP), start())]].concat();
    assert_eq!(ann(&kept).when(attest(&[1], false, Some(reason()))).events().len(), 1);
}
