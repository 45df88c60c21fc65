//! A campaign from its opening to the signature under its largest review.
//!
//! Invariant: a figure ends when a client sees what it asked for, not when the service begins with it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    measure::drive,
    portal::{Client, Portal},
    question::{Question, document},
    report::{Report, resident},
};

const OPEN: &str = "mutation($input: OpenReviewCampaignInput!) { openReviewCampaign(input: $input)
    { reviewCampaign { id } userErrors { code message } } }";
const STATUS: &str = "query($id: ID!) { reviewCampaign(id: $id) { status population } }";
const LISTED: &str = "query($id: ID!, $after: String) {
    reviewCampaignOrganizations(reviewCampaignId: $id, first: 100, after: $after) {
      nodes { organization { id } accessReviewId population } pageInfo { hasNextPage endCursor } } }";
/// What a reviewer's page shows.
const ITEMS: &str = "receipt position nodes { item user { id name } role memberSince grantedAt
    grantCause grantEvent { sentence } lastSignInAt rights { right count since lastUse { state on } }
    previousDecision { decision decidedAt } recommendation { advice grounds { kind } } outcome }
    pageInfo { hasNextPage endCursor }";
const TASKS: &str = "nodes { kind count dueAt } pageInfo { hasNextPage endCursor }";
const DECIDE: &str = "mutation($input: DecideReviewItemsInput!) { decideReviewItems(input: $input)
    { accessReview { counts { undecided pending } } userErrors { code message } } }";
const COMPLETE: &str = "mutation($input: CompleteReviewInput!) { completeReview(input: $input)
    { accessReview { status } userErrors { code message } } }";
const COUNTS: &str =
    "query($id: ID!) { accessReview(id: $id) { counts { undecided pending revoked } } }";
/// As many as may be decided at once, and as many as may be taken away.
const KEPT_AT_ONCE: usize = 1_000;
const REVOKED_AT_ONCE: usize = 100;
/// How long a client waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(900);

const POLICY: &str = "mutation($input: ChangePolicyInput!) { changePolicy(input: $input)
    { userErrors { code message } } }";

/// How much is taken away, and whether by the closing.
#[derive(Clone, Copy)]
pub struct Closing {
    pub revoked: usize,
    pub is_late: bool,
}

/// A review of the campaign.
#[derive(Clone)]
struct Listed {
    organization: Value,
    review: Value,
    items: usize,
}

pub async fn measure(report: &mut Report, portal: &Portal, closing: Closing, time: Duration) {
    let client = portal.client(&portal.population.world.plan_admin).await;
    if closing.is_late {
        let mode = json!({ "key": "review.revocations", "value": "AT_CLOSE",
            "reason": "Access ends together." });
        let changed = client.ask(POLICY, &json!({ "input": mode })).await;
        assert_eq!(changed["changePolicy"]["userErrors"], json!([]), "{changed}");
    }
    let before = resident();
    let begun = Instant::now();
    let input = json!({ "name": "Everybody", "openDays": 30 });
    let opened = client.ask(OPEN, &json!({ "input": input })).await;
    let id = opened["openReviewCampaign"]["reviewCampaign"]["id"].clone();
    assert!(id.is_string(), "{opened}");
    let campaign = until(&client, STATUS, &id, |it| it["reviewCampaign"]["status"] == "OPEN").await;
    let took = begun.elapsed().as_secs_f64();
    let items = campaign["reviewCampaign"]["population"].as_f64().expect("a number");
    report.note("items of the campaign", items, "items");
    // The limit is of 100,000 items.
    report.at_most("campaign opened", took, 30.0 * (items / 1e5).max(1.0), "s");
    report.note("memory that came in", resident() - before, "MiB");

    let listed = listed(&client, &id).await;
    inbox(report, &client, &listed, time).await;
    let largest = listed.iter().max_by_key(|it| it.items).expect("it has reviews").clone();
    bulk(report, &client, &largest, closing.revoked).await;
    close(report, &client, &largest, closing).await;
}

/// Asks again and again until it is so.
async fn until(client: &Client, ask: &str, id: &Value, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = client.ask(ask, &json!({ "id": id })).await;
        if is(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not come: {answer}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn listed(client: &Client, id: &Value) -> Vec<Listed> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = client.ask(LISTED, &json!({ "id": id, "after": after })).await;
        let page = &answer["reviewCampaignOrganizations"];
        let nodes = page["nodes"].as_array().expect("nodes").iter();
        all.extend(nodes.filter(|node| node["accessReviewId"].is_string()).map(|node| Listed {
            organization: node["organization"]["id"].clone(),
            review: node["accessReviewId"].clone(),
            items: node["population"].as_u64().expect("a number") as usize,
        }));
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The first page of each review in turn, and pages deep in the largest one.
async fn inbox(report: &mut Report, client: &Client, listed: &[Listed], time: Duration) {
    let of = "$id: ID! | accessReviewId: $id, outcome: UNDECIDED";
    let reviews: Vec<Value> = listed.iter().map(|it| it.review.clone()).collect();
    let question = Question {
        name: "inbox",
        client: client.clone(),
        document: document(of, "accessReviewItems", ITEMS),
        variables: Box::new(move |nth| json!({ "id": reviews[nth % reviews.len()] })),
        page: Some("accessReviewItems"),
    };
    let measured = drive(&question, 1, time).await;
    report.note("inbox page, p50", measured.p50_ms, "ms");
    report.at_most("inbox page, p99", measured.p99_ms, 50.0, "ms");
    let tasks = Question {
        name: "tasks",
        client: client.clone(),
        document: document("", "myTasks", TASKS),
        variables: Box::new(|_| json!({})),
        page: Some("myTasks"),
    };
    let measured = drive(&tasks, 1, time).await;
    report.note("what waits for the plan's people, p50", measured.p50_ms, "ms");
    report.at_most("what waits for the plan's people, p99", measured.p99_ms, 50.0, "ms");
}

/// A receipt for what is about to be decided.
async fn receipt(client: &Client, review: &Value) -> Value {
    let ask = document("$id: ID! | accessReviewId: $id", "accessReviewItems", "receipt");
    client.ask(&ask, &json!({ "id": review })).await["accessReviewItems"]["receipt"].clone()
}

async fn decide(client: &Client, of: &Listed, items: Vec<usize>, more: Value) -> Value {
    let decision = more["decision"].as_str().expect("a decision");
    let mut input = json!({ "organizationId": of.organization, "accessReviewId": of.review,
        "confirmation": format!("{decision} {}", items.len()), "items": items,
        "receipt": receipt(client, &of.review).await });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    let answer = client.ask(DECIDE, &json!({ "input": input })).await;
    assert_eq!(answer["decideReviewItems"]["userErrors"], json!([]), "{answer}");
    answer
}

/// Keeps a thousand at once, all that stay.
async fn bulk(report: &mut Report, client: &Client, of: &Listed, revoked: usize) {
    let staying: Vec<usize> = members(client, of, revoked).await.1;
    let mut slowest = 0.0_f64;
    for some in staying.chunks(KEPT_AT_ONCE) {
        let begun = Instant::now();
        decide(client, of, some.to_vec(), json!({ "decision": "KEEP" })).await;
        slowest = slowest.max(begun.elapsed().as_secs_f64());
    }
    report.at_most("1,000 items kept at once", slowest, 1.0, "s");
}

/// The numbers of `revoked` plain members, and of all others.
async fn members(client: &Client, of: &Listed, revoked: usize) -> (Vec<usize>, Vec<usize>) {
    let ask = document(
        "$id: ID!, $after: String | accessReviewId: $id, first: 100, after: $after",
        "accessReviewItems",
        "nodes { item role } pageInfo { hasNextPage endCursor }",
    );
    let (mut leaving, mut staying, mut after) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let answer = client.ask(&ask, &json!({ "id": of.review, "after": after })).await;
        let page = &answer["accessReviewItems"];
        for node in page["nodes"].as_array().expect("nodes") {
            let number = node["item"].as_u64().expect("a number") as usize;
            let leaves = node["role"] == "NONE" && leaving.len() < revoked;
            if leaves { leaving.push(number) } else { staying.push(number) }
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return (leaving, staying);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Takes the others' access away, waits until that is verified, and signs. The limit is of what is left to do
/// when the review is closed: all of it, or as much as is not done with the decisions.
async fn close(report: &mut Report, client: &Client, of: &Listed, closing: Closing) {
    let leaving = members(client, of, closing.revoked).await.0;
    let begun = Instant::now();
    for some in leaving.chunks(REVOKED_AT_ONCE) {
        let revoke = json!({ "decision": "REVOKE", "reason": "Left the practice." });
        decide(client, of, some.to_vec(), revoke).await;
    }
    report.note("revocations", leaving.len() as f64, "items");
    report.note("revocations decided by the hundred", begun.elapsed().as_secs_f64(), "s");
    let closed = Instant::now();
    if closing.is_late {
        assert_eq!(complete(client, of).await, "OPEN", "nothing is signed yet");
    }
    until(client, COUNTS, &of.review, |it| it["accessReview"]["counts"]["pending"] == 0).await;
    assert_eq!(complete(client, of).await, "COMPLETED");
    let (whole, took) = (begun.elapsed().as_secs_f64(), closed.elapsed().as_secs_f64());
    report.at_most("closed: carried out, verified and signed", took, 60.0, "s");
    report.note("from the first decision to the signature", whole, "s");
}

async fn complete(client: &Client, of: &Listed) -> Value {
    let input = json!({ "organizationId": of.organization, "accessReviewId": of.review,
        "signature": { "name": "Pia Stone", "attested": true } });
    let answer = client.ask(COMPLETE, &json!({ "input": input })).await;
    answer["completeReview"]["accessReview"]["status"].clone()
}
