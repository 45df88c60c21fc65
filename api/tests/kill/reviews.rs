//! Reviews of access while the service is killed again and again: a campaign that is being opened, and
//! revocations that are being verified.
//!
//! Invariant: every organisation has one review, however often the work stopped in between, and what was
//! acknowledged as revoked took effect once (GN-15).

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

const SLUG: &str = "reviews";
/// Beside the three of every portal; a campaign opens fifty reviews in an append.
const ORGANIZATIONS: usize = 300;

const OPENED: &str = "SELECT count(*) FROM es.events
    WHERE event_type = 'access_reviews.review_campaign.campaign_review_opened'";
/// Organisations without the one review that the campaign says they have.
const AMISS: &str = "
    SELECT count(*) FROM (
      SELECT e.organization_id, count(*) FILTER (WHERE event_type LIKE '%.campaign_review_opened') AS told,
             count(*) FILTER (WHERE event_type LIKE '%.access_review_opened') AS opened
        FROM (SELECT event_type, coalesce(subject_organization_id, organization_id) AS organization_id
                FROM es.events) e
       WHERE event_type IN ('access_reviews.review_campaign.campaign_review_opened',
                            'access_reviews.access_review.access_review_opened')
       GROUP BY e.organization_id) e
     WHERE told <> 1 OR opened <> 1";
/// Revocations decided, and of these those that ended a membership, and were verified, once each.
const REVOKED: &str = "
    SELECT ARRAY[
      (SELECT count(*) FROM es.events WHERE event_type = 'access_reviews.access_review.review_item_decided'),
      (SELECT count(*) FROM es.events WHERE event_type = 'organizations.organization.user_deactivated'),
      (SELECT count(DISTINCT subject_id) FROM es.events
        WHERE event_type = 'organizations.organization.user_deactivated'),
      (SELECT count(*) FROM es.events
        WHERE event_type = 'access_reviews.access_review.review_revocation_executed'
          AND (payload -> 'ReviewRevocationExecuted' ->> 'verified')::boolean)]";

pub fn kill_the_reviews(ground: &Ground, rounds: usize) {
    let sink = Sink::open();
    let mut service = Service::start(ground, &sink);
    let runtime = Runtime::new().expect("a runtime starts");
    let seeding = portals::open_many(ground.folder(), SLUG, ORGANIZATIONS);
    let plan = runtime.block_on(seeding);
    let evidence = Evidence::gather(ground);
    evidence.slow_down(
        5,
        &[
            "access_reviews.review_campaign.campaign_review_opened",
            "access_reviews.access_review.review_revocation_executed",
        ],
    );
    let asking = Asking::new(ground, (runtime, SLUG), plan);
    let input = json!({ "name": "Everybody", "idempotencyKey": "once" });
    // What the campaign covers only the read tables know.
    let campaign = within(Duration::from_secs(60), "everybody is covered", || {
        let asked = asking.ask("{ done: reviewCampaignPreview { organizations } }", json!({}));
        let covered = asked["organizations"].as_u64() == Some(ORGANIZATIONS as u64 + 3);
        let id = "reviewCampaign { id }";
        covered.then(|| asking.mutate("openReviewCampaign", input.clone(), id))
    });
    let id = &campaign["reviewCampaign"]["id"];
    assert!(id.is_string(), "{campaign}");
    let goal = ORGANIZATIONS as i64 + 3;
    for round in 1..=rounds {
        let reached = goal * round as i64 / (rounds as i64 + 1);
        within(Duration::from_secs(120), "some reviews are open", || {
            (evidence.count(OPENED) >= reached).then_some(())
        });
        service.kill();
        service = Service::start(ground, &sink);
        assert_eq!(evidence.count(AMISS), 0, "half-opened reviews");
    }
    finished("reviews to be opened", || goal - evidence.count(OPENED));
    assert_eq!(evidence.count(AMISS), 0, "each organization has one review");
    let service = revoke(&asking, (service, &sink), id, rounds);
    evidence.is_in_order();
    let counts = || <[i64; 4]>::try_from(evidence.counts(REVOKED)).expect("four counts");
    finished("revocations to be verified", || counts()[0] - counts()[3]);
    let [decided, ended, people, verified] = counts();
    assert_eq!((ended, people, verified), (decided, decided, decided), "each took effect once");
    println!(
        "  {goal} reviews opened and {decided} revocations carried out by services that were killed"
    );
    service.stop();
}

/// Ends the access of some, and kills the service before it can have looked at all of it.
fn revoke(
    asking: &Asking<'_>,
    (mut service, sink): (Service, &Sink),
    campaign: &Value,
    rounds: usize,
) -> Service {
    let listed =
        "query($id: ID!) { done: reviewCampaignOrganizations(reviewCampaignId: $id, first: 100)
        { nodes { accessReviewId population organization { id } } } }";
    let listed = asking.ask(listed, json!({ "id": campaign }));
    let nodes = listed["nodes"].as_array().expect("nodes");
    let items = "query($id: ID!) { done: accessReviewItems(accessReviewId: $id)
                   { receipt nodes { item role } } }";
    for node in nodes.iter().filter(|node| node["population"] == portals::MEMBERS + 1).take(rounds)
    {
        let page = asking.ask(items, json!({ "id": node["accessReviewId"] }));
        let plain = page["nodes"].as_array().expect("items").iter();
        let plain: Vec<&Value> =
            plain.filter(|it| it["role"] == "NONE").map(|it| &it["item"]).collect();
        let input = json!({ "organizationId": node["organization"]["id"],
            "accessReviewId": node["accessReviewId"], "items": plain, "decision": "REVOKE",
            "reason": "Left the practice.", "receipt": page["receipt"] });
        asking.mutate("decideReviewItems", input, "");
        service.kill();
        service = Service::start(asking.ground, sink);
    }
    service
}
