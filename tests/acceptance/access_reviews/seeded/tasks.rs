//! `myTasks`: what waits for somebody.

use rollcall_domain::{access_reviews::ReviewDecision, organizations::OrgRole, policies::Preset};
use serde_json::{Value, json};

use super::Review;
use crate::support::{Client, Portal};

async fn tasks(client: &Client) -> Vec<Value> {
    let document = "{ myTasks { nodes { kind count targetId since dueAt user { name } } } }";
    let answer = client.send(document, json!({})).await;
    answer.data()["myTasks"]["nodes"].as_array().expect("a list").clone()
}

fn kinds(tasks: &[Value]) -> Vec<(&str, i64)> {
    let plain = |task: &'_ Value| task["count"].as_i64().expect("a number");
    tasks.iter().map(|task| (task["kind"].as_str().expect("a kind"), plain(task))).collect()
}

#[tokio::test]
async fn cc_13_a_review_waits_for_who_may_decide_and_then_for_a_signature() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, abe, nora) = (&world.clinic_admin, &world.clinic_second_admin, &world.npi_admin);
    let people = [(abe, OrgRole::Admin), (&world.processor, OrgRole::None)];
    let review = Review::open(&portal, (&world.clinic, ann), &people).await;
    let (ann_client, abe_client) = (portal.client(ann).await, portal.client(abe).await);
    let nora_client = portal.client(nora).await;
    // Nobody is told to decide about themself.
    assert_eq!(kinds(&tasks(&ann_client).await), [("ACCESS_REVIEW", 2)]);
    assert_eq!(kinds(&tasks(&abe_client).await), [("ACCESS_REVIEW", 1)]);
    assert_eq!(tasks(&nora_client).await.len(), 0);
    review.delegate(ann, &[2], nora).await;
    assert_eq!(kinds(&tasks(&ann_client).await), [("ACCESS_REVIEW", 1)]);
    assert_eq!(tasks(&abe_client).await.len(), 0);
    assert_eq!(kinds(&tasks(&nora_client).await), [("DELEGATED_REVIEW_ITEMS", 1)]);
    review.decide(nora, &[2], ReviewDecision::Keep).await;
    assert_eq!(tasks(&nora_client).await.len(), 0);
    review.decide(ann, &[1], ReviewDecision::Keep).await;
    assert_eq!(kinds(&tasks(&ann_client).await), [("ACCESS_REVIEW", 0)]);
    review.complete(ann).await;
    assert_eq!(tasks(&ann_client).await.len(), 0);
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_grants_that_end_soon_and_requests_to_decide_wait_for_administrators() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let grant = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                        "feature": "CLAIMS", "until": "2026-01-20T17:00:00Z" });
    admin.mutate("grantFeature", grant, "position").await.done();
    let paul = portal.client(&world.processor).await;
    let input = json!({ "organizationId": world.clinic.id, "why": "For my work.",
                        "items": [{ "feature": "EOP_REPORTS" }] });
    let asked = paul.mutate("requestAccess", input, "accessRequest { id }").await;
    let request = asked.done()["accessRequest"]["id"].clone();
    let found = tasks(&admin).await;
    assert_eq!(kinds(&found), [("ENDING_GRANT", 1), ("ACCESS_REQUEST", 1)], "{found:?}");
    assert_eq!(found[0]["user"]["name"], "Paul Kim");
    assert_eq!(found[0]["dueAt"], "2026-01-20T17:00:00Z");
    assert_eq!(found[1]["targetId"], request);
    // Whose grant it is hears of it, and of nothing that others decide.
    assert_eq!(kinds(&tasks(&paul).await), [("ENDING_GRANT", 1)]);
    let nora = portal.client(&world.npi_admin).await;
    assert_eq!(tasks(&nora).await.len(), 0);
    portal.finish().await;
}
