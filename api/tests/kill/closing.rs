//! The closing of a large review while the service is killed again and again.
//!
//! Invariant: what was decided is carried out once and verified once, and is signed at the end (GN-15).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    asking::Asking,
    evidence::Evidence,
    ground::{Ground, finished, within},
    portals,
    service::Service,
    sink::Sink,
};

const SLUG: &str = "closing";
/// Fifty are carried out in an append.
const MEMBERS: usize = 400;
/// As many as may be taken away by one decision.
const AT_ONCE: usize = 100;

const CARRIED_OUT: &str = "SELECT count(*) FROM es.events
    WHERE event_type = 'access_reviews.access_review.review_decision_carried_out'";
/// Ends of memberships, whose, and what was verified.
const DONE: &str = "
    SELECT ARRAY[
      (SELECT count(*) FROM es.events WHERE event_type = 'organizations.organization.user_deactivated'),
      (SELECT count(DISTINCT subject_id) FROM es.events
        WHERE event_type = 'organizations.organization.user_deactivated'),
      (SELECT count(*) FROM es.events
        WHERE event_type = 'access_reviews.access_review.review_revocation_executed'
          AND (payload -> 'ReviewRevocationExecuted' ->> 'verified')::boolean)]";
const ITEMS: &str = "query($id: ID!, $after: String) {
    done: accessReviewItems(accessReviewId: $id, first: 100, after: $after) {
      receipt nodes { item role } pageInfo { hasNextPage endCursor } } }";

pub fn kill_the_closing(ground: &Ground, rounds: usize) {
    let sink = Sink::open();
    let mut service = Service::start(ground, &sink);
    let runtime = Runtime::new().expect("a runtime starts");
    let seeding = portals::open_large(ground.folder(), SLUG, MEMBERS);
    let (plan, organization) = runtime.block_on(seeding);
    let evidence = Evidence::gather(ground);
    evidence.slow_down(10, &["access_reviews.access_review.review_decision_carried_out"]);
    let asking = Asking::new(ground, (runtime, SLUG), plan);
    let reason = "Access ends together.";
    let mode = json!({ "key": "review.revocations", "value": "AT_CLOSE", "reason": reason });
    asking.mutate("changePolicy", mode, "");
    let of = json!({ "organizationId": organization });
    let opened = asking.mutate("openReview", of, "accessReview { id }");
    let review = opened["accessReview"]["id"].clone();
    let with = |more: Value| {
        let mut input = json!({ "organizationId": organization, "accessReviewId": review });
        let more = more.as_object().expect("an object").clone();
        input.as_object_mut().expect("an object").extend(more);
        input
    };
    decide(&asking, &review, with);

    let signature = with(json!({ "signature": { "name": "Pia Stone", "attested": true } }));
    let sign = || asking.mutate("completeReview", signature.clone(), "accessReview { status }");
    assert_eq!(sign()["accessReview"]["status"], "OPEN", "nothing is signed yet");
    for round in 1..=rounds {
        let reached = (MEMBERS * round / (rounds + 1)) as i64;
        within(Duration::from_secs(120), "some are carried out", || {
            (evidence.count(CARRIED_OUT) >= reached).then_some(())
        });
        service.kill();
        service = Service::start(ground, &sink);
    }
    let done = || <[i64; 3]>::try_from(evidence.counts(DONE)).expect("three counts");
    let members = MEMBERS as i64;
    finished("revocations to be verified", || members - done()[2]);
    assert_eq!(done(), [members; 3], "each took effect once");
    evidence.is_in_order();
    assert_eq!(sign()["accessReview"]["status"], "COMPLETED");
    println!("  {members} revocations carried out at a closing that was killed");
    service.stop();
}

/// Keeps who administers and takes everybody else's access away.
fn decide(asking: &Asking<'_>, review: &Value, with: impl Fn(Value) -> Value) {
    let (mut leaving, mut staying, mut after) = (Vec::new(), Vec::new(), Value::Null);
    let receipt = loop {
        // The items' rows follow the opening.
        let page = within(Duration::from_secs(60), "the review is listed", || {
            let page = asking.ask(ITEMS, json!({ "id": review, "after": after }));
            page["nodes"].as_array().is_some_and(|nodes| !nodes.is_empty()).then_some(page)
        });
        for node in page["nodes"].as_array().expect("nodes") {
            let to = if node["role"] == "NONE" { &mut leaving } else { &mut staying };
            to.push(node["item"].clone());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break page["receipt"].clone();
        }
        after = page["pageInfo"]["endCursor"].clone();
    };
    assert_eq!(leaving.len(), MEMBERS);
    let keep = json!({ "items": staying, "decision": "KEEP", "receipt": receipt });
    asking.mutate("decideReviewItems", with(keep), "");
    for some in leaving.chunks(AT_ONCE) {
        let typed = format!("REVOKE {}", some.len());
        let revoke = json!({ "items": some, "decision": "REVOKE", "reason": "Left the practice.",
                             "confirmation": typed, "receipt": receipt });
        asking.mutate("decideReviewItems", with(revoke), "");
    }
}
