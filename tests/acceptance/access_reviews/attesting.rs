//! What people are asked of their own access in a review (GN-15).

use rollcall_domain::policies::{PolicyKey, PolicyValue};
use serde_json::{Value, json};

use super::{Review, error, times_told};
use crate::support::{Answer, Client, Portal};

async fn attest(client: &Client, review: &Review, items: &[u32], more: Value) -> Answer {
    let mut input = review.input(more);
    input["items"] = json!(items);
    client.mutate("attestOwnAccess", input, "isAttested").await
}

async fn own(client: &Client, review: &Review) -> Value {
    let document = "query($id: ID!) { ownReviewItems(accessReviewId: $id) {
        nodes { item kind role needed attestedAt } } }";
    let answer = client.send(document, json!({ "id": review.id })).await;
    answer.data()["ownReviewItems"]["nodes"].clone()
}

async fn tasks(client: &Client) -> Vec<(Value, Value)> {
    let answer = client.send("{ myTasks { nodes { kind count } } }", json!({})).await;
    let nodes = answer.data()["myTasks"]["nodes"].as_array().expect("a list").clone();
    nodes.iter().map(|task| (task["kind"].clone(), task["count"].clone())).collect()
}

#[tokio::test]
async fn gn_15_people_say_of_their_own_access_whether_they_need_it_and_the_reviewer_sees_that() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let paul = portal.client(&world.processor).await;
    let asks = json!({ "selfAttestation": true });
    let review = Review::open_of(&portal, &ann, world.clinic.id, asks).await;
    portal.settle().await;
    let [of_paul, of_ann, of_nora] =
        [&world.processor, &world.clinic_admin, &world.npi_admin].map(|who| review.of(who));
    let waits = (json!("SELF_ATTESTATION"), json!(1));
    assert_eq!(tasks(&paul).await, std::slice::from_ref(&waits));
    assert!(tasks(&ann).await.contains(&waits), "administrators are asked as well");
    let item = json!([{ "item": of_paul, "kind": "MEMBERSHIP", "role": "NONE", "needed": null, "attestedAt": null }]);
    assert_eq!(own(&paul, &review).await, item);
    let asked = "Say in the access review of Redwood Clinic whether you need your access still.";
    assert_eq!(times_told(&portal, &paul, asked).await, 1);
    // Nobody speaks for others, says why not, or decides by it.
    let others = attest(&paul, &review, &[of_paul, of_nora], json!({ "needed": true })).await;
    assert_eq!(error(&others), ("FORBIDDEN", "items", vec![of_nora.to_string().as_str()]));
    let bare = attest(&paul, &review, &[of_paul], json!({ "needed": false })).await;
    assert_eq!(error(&bare).0, "REASON_REQUIRED");
    let not_needed = json!({ "needed": false, "reason": "I work elsewhere now." });
    attest(&paul, &review, &[of_paul], not_needed).await.done();
    attest(&ann, &review, &[of_ann], json!({ "needed": true })).await.done();
    portal.settle().await;
    assert_eq!(tasks(&paul).await, []);
    assert_eq!(own(&paul, &review).await[0]["needed"], false);
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) { nodes {
        item outcome selfAttestation { needed reason } } } }";
    let shown = ann.send(document, json!({ "id": review.id })).await;
    let nodes = shown.data()["accessReviewItems"]["nodes"].as_array().expect("items").clone();
    let of = |item: u32| nodes.iter().find(|node| node["item"] == item).expect("the item").clone();
    let said = json!({ "needed": false, "reason": "I work elsewhere now." });
    assert_eq!(
        of(of_paul),
        json!({ "item": of_paul, "outcome": "UNDECIDED", "selfAttestation": said })
    );
    assert_eq!(of(of_ann)["selfAttestation"], json!({ "needed": true, "reason": null }));
    assert_eq!(of(of_nora)["selfAttestation"], Value::Null);
    let by = (&portal, &ann, &world.clinic_admin);
    assert_eq!(review.keep(by, &[of_ann]).await.refused(), "SELF_REVIEW", "it decides nothing");
    review.revoke(by, &[of_paul]).await.done();
    assert_eq!(
        attest(&paul, &review, &[of_paul], json!({ "needed": true })).await.error_code(),
        "UNAUTHENTICATED"
    );
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_people_are_asked_where_the_policy_or_the_opener_says_so() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let paul = portal.client(&world.processor).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    portal.settle().await;
    let refused =
        attest(&paul, &review, &[review.of(&world.processor)], json!({ "needed": true })).await;
    assert_eq!(error(&refused), ("NOT_PENDING", "accessReviewId", vec![]));
    assert_eq!(own(&paul, &review).await, Value::Null);
    assert_eq!(tasks(&paul).await, []);
    portal.change_policy(PolicyKey::ReviewSelfAttestation, PolicyValue::Boolean(true)).await;
    let hana = portal.client(&world.hospital_admin).await;
    let asked = Review::open(&portal, &hana, world.hospital.id).await;
    portal.settle().await;
    assert_eq!(own(&hana, &asked).await[0]["item"], asked.of(&world.hospital_admin));
    assert_eq!(own(&paul, &asked).await, Value::Null, "of another organization there is none");
    portal.finish().await;
}
