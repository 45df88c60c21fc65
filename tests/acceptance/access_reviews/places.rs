//! Reviews of who works for which location: listed, narrowed to one, taken away and verified.

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::{Review, error};
use crate::support::{Answer, Client, Person, Portal};

async fn register(client: &Client, portal: &Portal, name: &str) -> Value {
    let clinic = &portal.world().clinic;
    let input = json!({ "organizationId": clinic.id, "name": name, "credentialed": true,
                        "npi": clinic.npis[0] });
    client.mutate("registerLocation", input, "location { id }").await.done()["location"]["id"]
        .clone()
}

async fn change(
    client: &Client,
    (what, portal): (&str, &Portal),
    who: &Person,
    location: &Value,
) -> Answer {
    let input = json!({ "organizationId": portal.world().clinic.id, "userId": who.user,
                        "locationId": location });
    client.mutate(what, input, "position").await
}

/// Who stands on the list with which location, and where the review stands.
async fn shown(portal: &Portal, client: &Client, review: &Review) -> (Vec<(Value, Value)>, Value) {
    portal.settle().await;
    let document = "query($id: ID!) { accessReview(id: $id) { scope { choice locationId }
        counts { kept revoked undecided } }
      accessReviewItems(accessReviewId: $id) { nodes { kind user { name } verified outcome
        granted { thingId name } } } }";
    let answer = client.send(document, json!({ "id": review.id })).await;
    let nodes = answer.data()["accessReviewItems"]["nodes"].as_array().expect("a list");
    assert!(nodes.iter().all(|node| node["kind"] == "LOCATION"), "{nodes:?}");
    let of = |node: &Value| (node["user"]["name"].clone(), node["granted"]["name"].clone());
    (nodes.iter().map(of).collect(), answer.data()["accessReview"].clone())
}

#[tokio::test]
async fn gn_15_who_works_for_a_location_is_reviewed_and_what_is_taken_is_verified() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let north = register(&support, &portal, "North Branch").await;
    let south = register(&support, &portal, "South Branch").await;
    let ann = portal.client(&world.clinic_admin).await;
    let (paul, nora) = (&world.processor, &world.npi_admin);
    for (who, location) in [(paul, &north), (paul, &south), (nora, &north)] {
        change(&ann, ("grantLocationAccess", &portal), who, location).await.done();
    }
    let clinic = world.clinic.id;
    let all = Review::open_of(&portal, &ann, clinic, json!({ "scope": "LOCATION" })).await;
    let (lines, _) = shown(&portal, &ann, &all).await;
    assert_eq!(lines.len(), 3);
    let one = json!({ "scope": "LOCATION", "locationId": south });
    let one = Review::open_of(&portal, &ann, clinic, one).await;
    let (lines, review) = shown(&portal, &ann, &one).await;
    assert_eq!(lines, [(json!("Paul Kim"), json!("South Branch"))]);
    let scope = json!({ "choice": "LOCATION", "locationId": south });
    assert_eq!(review["scope"], scope);
    // Another organisation's location is none of its own.
    let foreign =
        json!({ "organizationId": world.hospital.id, "scope": "LOCATION", "locationId": south });
    let hana = portal.client(&world.hospital_admin).await;
    let refused = hana.mutate("openReview", foreign, "position").await;
    assert_eq!((error(&refused).0, error(&refused).1), ("NOT_FOUND", "locationId"));

    one.revoke((&portal, &ann, &world.clinic_admin), &[1]).await.done();
    let (_, review) = shown(&portal, &ann, &one).await;
    assert_eq!(review["counts"], json!({ "kept": 0, "revoked": 1, "undecided": 0 }));
    one.complete(&ann).await.done();
    let again = change(&ann, ("revokeLocationAccess", &portal), paul, &south).await;
    assert!(again.body["data"].to_string().contains("userErrors"), "it is gone: {}", again.body);
    // The wider review knows that it went.
    let (_, review) = shown(&portal, &ann, &all).await;
    assert_eq!(review["counts"]["undecided"], 2);
    portal.finish().await;
}
