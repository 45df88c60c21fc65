//! Requests for access: who asks, who decides, what follows (CC-11, CC-12, AL-07, AL-08, CX-13,
//! GN-13).

mod asking;
mod deciding;
mod joining;
mod moving;
mod routing;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, Portal, World};

const REQUEST: &str = "accessRequest { id status kind routedBecause why answer version expiresAt
    items { kind npi level feature locationName } }";

/// Asks for access in the clinic.
async fn ask(client: &Client, world: &World, items: Value) -> Answer {
    let input = json!({ "organizationId": world.clinic.id, "items": items, "why": "For my work." });
    client.mutate("requestAccess", input, REQUEST).await
}

#[track_caller]
fn id(answer: &Answer) -> String {
    answer.done()["accessRequest"]["id"].as_str().expect("an id").to_owned()
}

#[track_caller]
fn status(answer: &Answer) -> String {
    answer.done()["accessRequest"]["status"].as_str().expect("a status").to_owned()
}

/// Answers a request of the clinic; `more` are the input's further fields.
async fn decide(
    client: &Client,
    world: &World,
    request: &str,
    decision: &str,
    more: Value,
) -> Answer {
    let mut input = json!({
        "organizationId": world.clinic.id, "accessRequestId": request, "decision": decision,
    });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    client.mutate("decideAccessRequest", input, REQUEST).await
}

async fn approve(client: &Client, world: &World, request: &str) -> Answer {
    decide(client, world, request, "APPROVE", json!({})).await
}

/// Statuses of the requests a reader sees in the clinic.
async fn listed(client: &Client, portal: &Portal, view: &str) -> Vec<String> {
    let document = "query($of: ID!, $view: AccessRequestView, $at: Position) {
        accessRequests(organizationId: $of, view: $view, minPosition: $at) {
          nodes { status user { name } } } }";
    let at = portal.position().await.to_string();
    let variables = json!({ "of": portal.world().clinic.id, "view": view, "at": at });
    let answer = client.send(document, variables).await;
    let nodes = answer.data()["accessRequests"]["nodes"].as_array().expect("nodes").clone();
    let text = |node: &Value| format!("{} {}", node["status"], node["user"]["name"]);
    nodes.iter().map(|node| text(node).replace('"', "")).collect()
}

/// The plan's queue: kind and status.
async fn queue(client: &Client, portal: &Portal, arguments: &str) -> Vec<String> {
    let at = portal.position().await;
    let document =
        format!("{{ planQueue(minPosition: \"{at}\" {arguments}) {{ nodes {{ kind status }} }} }}");
    let answer = client.send(&document, json!({})).await;
    let nodes = answer.data()["planQueue"]["nodes"].as_array().expect("nodes").clone();
    nodes
        .iter()
        .map(|node| format!("{} {}", node["kind"], node["status"]).replace('"', ""))
        .collect()
}

/// The rights of a member of the clinic, as the plan sees them: `KIND SOURCE`.
async fn features(portal: &Portal, who: &Person) -> Vec<String> {
    let plan = portal.client(&portal.world().plan_support).await;
    let document = "query($user: ID!, $of: ID!) {
        effectivePermissions(userId: $user, organizationId: $of) {
          rights { kind npi feature source } } }";
    let variables = json!({ "user": who.user, "of": portal.world().clinic.id });
    let answer = plan.send(document, variables).await;
    let rights =
        answer.data()["effectivePermissions"]["rights"].as_array().expect("rights").clone();
    let text = |right: &Value| {
        let words = ["kind", "npi", "feature", "source"];
        words.iter().filter_map(|word| right[word].as_str()).collect::<Vec<_>>().join(" ")
    };
    rights.iter().map(text).collect()
}
