//! Who sees which reviews.

use rollcall_domain::organizations::OrgRole;
use serde_json::{Value, json};

use super::Review;
use crate::support::{Client, Portal};

const LIST: &str = "query($of: ID, $status: AccessReviewStatus) {
  accessReviews(organizationId: $of, status: $status) { nodes { organization { name } status } } }";

async fn listed(client: &Client, variables: Value) -> Vec<String> {
    let answer = client.send(LIST, variables).await;
    let nodes = answer.data()["accessReviews"]["nodes"].as_array().expect("a list").clone();
    let name = |node: &Value| node["organization"]["name"].as_str().expect("a name").to_owned();
    nodes.iter().map(name).collect()
}

#[tokio::test]
async fn cc_13_everybody_sees_the_reviews_that_are_theirs_and_no_others() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (abe, nora) = (&world.clinic_second_admin, &world.npi_admin);
    let people = [(nora, OrgRole::None), (&world.processor, OrgRole::None)];
    let clinic = Review::open(&portal, (&world.clinic, abe), &people).await;
    let hana = [(&world.hospital_admin, OrgRole::Admin)];
    let hospital = Review::open(&portal, (&world.hospital, &world.plan_support), &hana).await;

    let admin = portal.client(abe).await;
    assert_eq!(listed(&admin, json!({})).await, ["Redwood Clinic"]);
    assert_eq!(hospital.seen_by(&admin, "status").await, Value::Null);
    assert_eq!(hospital.items(&admin, "", "outcome").await, Value::Null);
    for plan in [&world.plan_support, &world.plan_admin, &world.auditor] {
        let client = portal.client(plan).await;
        assert_eq!(listed(&client, json!({})).await, ["Bayview Hospital", "Redwood Clinic"]);
        assert_eq!(listed(&client, json!({ "of": world.clinic.id })).await, ["Redwood Clinic"]);
        let closed = json!({ "status": "COMPLETED" });
        assert_eq!(listed(&client, closed).await, Vec::<String>::new());
    }
    // A member sees nothing until something is delegated to them, and then just that.
    let paul = portal.client(&world.processor).await;
    let nora_client = portal.client(nora).await;
    assert_eq!(listed(&nora_client, json!({})).await, Vec::<String>::new());
    assert_eq!(clinic.seen_by(&nora_client, "status").await, Value::Null);
    clinic.delegate(abe, &[2], nora).await;
    assert_eq!(listed(&nora_client, json!({})).await, ["Redwood Clinic"]);
    let page = clinic.items(&nora_client, "", "user { name } delegatedTo { name }").await;
    let delegated = json!({ "item": 2, "user": { "name": "Paul Kim" },
                            "delegatedTo": { "name": "Nora Diaz" } });
    assert_eq!(page["nodes"], json!([delegated]));
    assert_eq!(listed(&paul, json!({})).await, Vec::<String>::new());
    let mine = clinic.items(&admin, ", delegatedToMe: true", "outcome").await;
    assert_eq!(mine["nodes"], json!([]));
    // By its global id, under the same rights.
    let document = "query($id: ID!) { accessReview(id: $id) { id } }";
    let answer = admin.send(document, json!({ "id": clinic.id })).await;
    let id = answer.data()["accessReview"]["id"].clone();
    let node = "query($id: ID!) { node(id: $id) { ... on AccessReview { status } } }";
    let seen = admin.send(node, json!({ "id": id })).await;
    assert_eq!(seen.data()["node"], json!({ "status": "OPEN" }));
    let unseen = paul.send(node, json!({ "id": id })).await;
    assert_eq!(unseen.data()["node"], Value::Null);
    portal.finish().await;
}
