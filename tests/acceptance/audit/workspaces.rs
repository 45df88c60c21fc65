//! Audit workspaces: answers that hold for a place of the log, whatever happens later.

use std::time::Duration;

use rollcall_domain::{
    permissions::NpiLevel,
    policies::{PolicyKey, PolicyValue, Preset},
};
use serde_json::{Value, json};

use super::{keep_to, set_level};
use crate::support::{Answer, Client, Portal};

const WORKSPACE: &str = "workspace { id name position closedAt openedBy { name } questions { id name document variables } }";

const ANSWER: &str = "query($workspace: ID!, $question: ID, $document: String, $variables: JSON,
    $min: Position) {
  auditWorkspaceAnswer(workspaceId: $workspace, questionId: $question, document: $document,
                       variables: $variables, minPosition: $min) { position data } }";

const LIST: &str = "query($min: Position, $first: Int, $after: String) {
  auditWorkspaces(minPosition: $min, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { name position questions { name } } } }";

async fn open(client: &Client, name: &str, position: Option<i64>) -> Value {
    let position = position.map(|position| position.to_string());
    let input = json!({ "name": name, "position": position });
    let answer = client.mutate("openAuditWorkspace", input, WORKSPACE).await;
    answer.done()["workspace"].clone()
}

async fn save(client: &Client, workspace: &Value, document: &str, variables: Value) -> Answer {
    let input = json!({ "workspaceId": workspace["id"], "name": "A question",
                        "document": document, "variables": variables });
    client.mutate("saveWorkspaceQuestion", input, WORKSPACE).await
}

async fn ask(client: &Client, workspace: &Value, question: &Value) -> Answer {
    let variables = json!({ "workspace": workspace["id"], "question": question["id"] });
    client.send(ANSWER, variables).await
}

/// The bytes of an answer.
async fn content(client: &Client, workspace: &Value, question: &Value) -> String {
    let answer = ask(client, workspace, question).await;
    let answer = &answer.data()["auditWorkspaceAnswer"];
    assert_eq!(answer["position"], workspace["position"]);
    answer["data"].to_string()
}

async fn names(client: &Client, portal: &Portal) -> Vec<String> {
    let min = portal.position().await.to_string();
    let answer = client.send(LIST, json!({ "min": min })).await;
    let nodes = answer.data()["auditWorkspaces"]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

/// Questions of every kind, about the processor and the clinic's first NPI.
fn questions(portal: &Portal) -> Vec<(&'static str, Value)> {
    let world = portal.world();
    let (npi, user) = (world.clinic.npis[0].clone(), world.processor.user);
    let about = json!({ "npi": npi, "user": user, "of": world.clinic.id,
                        "from": "2025-12-20T00:00:00Z" });
    vec![
        (
            "query($npi: NPI) { accessRegister(npi: $npi, first: 100) { totalCount asOf asOfPosition
               pageInfo { endCursor } nodes { user { id name } organization { id name } right level
               validFrom validTo knownFrom source lastUse { state on }
               cause { kind eventPosition sentence } } } }",
            about.clone(),
        ),
        (
            "query($from: DateTime!) { accessDifference(from: $from, first: 100) { totalCount to
               countsByCause { change cause count } nodes { change user { id name } right npi
               happenedAt cause { kind eventPosition sentence } } } }",
            about.clone(),
        ),
        (
            "query($user: ID!, $of: ID!, $npi: NPI) { accessExplanation(userId: $user,
               organizationId: $of, right: VIEW_NPI, npi: $npi) { held heldFrom heldUntil user { name }
               policyVersion asOf conditions { kind met since event { sentence } }
               trail { kind event { sentence actor { name } } } } }",
            about.clone(),
        ),
        (
            "query($npi: NPI) { accessExposure(right: VIEW_NPI, npi: $npi, first: 100) { asOf
               nodes { user { id name } entitledFrom entitledUntil enforcedFrom enforcedUntil
               enforcedWithoutRightSeconds began { sentence } ended { kind } } } }",
            about.clone(),
        ),
        (
            "query($from: DateTime!) { policySimulation(rule: { expireUnused: { days: 10 } }, from: $from,
               first: 100) { to notObservable reach { people rights } nodes { user { id name } grant
               reachedAt heldUntil lastUsedOn } } }",
            about.clone(),
        ),
        (
            "query($npi: NPI) { auditEvents(first: 100, filter: { npi: $npi }) { totalCount nodes {
               position sentence actor { id name } subject { id name } recordedAt before after } }
               newest: auditEvents(first: 5) { nodes { position sentence } } }",
            about,
        ),
    ]
}

#[tokio::test]
async fn gn_14_an_answer_in_a_workspace_is_the_same_to_the_byte_whatever_happens_later() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[0].as_str();
    portal.advance(Duration::from_secs(3600));
    set_level(&portal, &world.clinic_admin, &world.newcomer, npi, NpiLevel::Processor).await;
    let auditor = portal.client(&world.auditor).await;
    let workspace = open(&auditor, "First quarter", None).await;
    let mut last = Value::Null;
    for (document, variables) in questions(&portal) {
        last = save(&auditor, &workspace, document, variables).await.done()["workspace"].clone();
    }
    let saved = last["questions"].as_array().expect("questions").clone();
    assert_eq!(saved.len(), 6, "{last}");
    let mut before = Vec::new();
    for question in &saved {
        before.push(content(&auditor, &workspace, question).await);
    }
    assert!(before.iter().all(|content| content.len() > 60), "{before:?}");
    // Names are known as they are today only, so that none is told but what events themselves say.
    for name in ["Paul", "Kim", "Ann Lee"] {
        assert!(before.iter().all(|content| !content.contains(name)), "{name}: {before:?}");
    }
    assert!(before[0].contains("\"name\":null"), "{}", before[0]);

    // Rights, a back-dated end, names, the policy, uses and forty days.
    set_level(&portal, &world.clinic_admin, &world.npi_admin, npi, NpiLevel::Processor).await;
    let paul = portal.client(&world.processor).await;
    let renamed = json!({ "firstName": "Pablo", "lastName": "Keller" });
    paul.mutate("updateProfile", renamed, "position").await.done();
    let pin = json!({ "organizationId": world.clinic.id, "npi": npi });
    let nora = portal.client(&world.clinic_admin).await;
    nora.mutate("revealPin", pin, "pin").await.done();
    let leave = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                        "confirm": true, "reason": "Left.", "leftOn": "2026-01-10" });
    nora.mutate("deactivateUser", leave, "position").await.done();
    portal.change_policy(PolicyKey::PinsEnabled, PolicyValue::Boolean(false)).await;
    for _ in 0..4 {
        portal.advance(Duration::from_secs(10 * 86_400));
        portal.settle().await;
    }
    let auditor = portal.client(&world.auditor).await;
    for (question, before) in saved.iter().zip(&before) {
        assert_eq!(&content(&auditor, &workspace, question).await, before);
    }
    // Outside of it the answers have moved.
    for ((document, variables), before) in questions(&portal).into_iter().zip(&before) {
        let today = auditor.send(document, variables).await;
        assert_ne!(&today.data().to_string(), before, "{document}");
    }
    // Another workspace, at the place it was, answers alike; one at a later place does not.
    let position: i64 = workspace["position"].as_str().unwrap().parse().unwrap();
    let (document, variables) = questions(&portal).swap_remove(0);
    for (position, same) in [(Some(position), true), (None, false)] {
        let other = open(&auditor, "The same again", position).await;
        let asked =
            json!({ "workspace": other["id"], "document": document, "variables": variables });
        let answer = auditor.send(ANSWER, asked).await;
        let content = answer.data()["auditWorkspaceAnswer"]["data"].to_string();
        assert_eq!(content == before[0], same);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_nothing_in_a_workspace_asks_beyond_its_place_or_for_todays_names() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    let workspace = open(&auditor, "Narrow", Some(20)).await;
    let reason = async |document: &str, variables: Value| {
        let asked = json!({ "workspace": workspace["id"], "document": document,
                            "variables": variables });
        let answer = auditor.send(ANSWER, asked).await;
        let extensions = &answer.body["errors"][0]["extensions"];
        (extensions["reason"].clone(), extensions["field"].clone())
    };
    let beyond = "{ accessRegister(asOfPosition: \"21\") { totalCount } }";
    assert_eq!(reason(beyond, json!({})).await.0, "RANGE_INVALID");
    let within = "{ auditEvents(asOfPosition: \"1000\", first: 1) { nodes { position } } }";
    let asked = json!({ "workspace": workspace["id"], "document": within });
    let newest = auditor.send(ANSWER, asked).await;
    let data = &newest.data()["auditWorkspaceAnswer"]["data"];
    assert_eq!(data["auditEvents"]["nodes"][0]["position"], "20");
    let by_name = "{ auditEvents(filter: { text: \"Redwood\" }) { totalCount } }";
    assert_eq!(
        reason(by_name, json!({})).await,
        (json!("FIELD_INVALID"), json!(["filter", "text"]))
    );
    for document in [
        "{ me { id } }",
        "mutation { signOut(input: {}) { position } }",
        "{ auditEvents { totalCount } } { auditEvents { totalCount } }",
        "{ auditEvents {",
    ] {
        let expected = (json!("FIELD_INVALID"), json!(["document"]));
        assert_eq!(reason(document, json!({})).await, expected, "{document}");
    }
    assert_eq!(reason("{ auditEvents { totalCount } }", json!([1])).await.1, json!(["variables"]));
    let nothing = auditor.send(ANSWER, json!({ "workspace": workspace["id"] })).await;
    assert_eq!(nothing.body["errors"][0]["extensions"]["reason"], "FIELD_REQUIRED");
    // What has no answer is not saved.
    for (document, variables) in [
        ("{ me { id } }", json!({})),
        ("{ accessRegister { nothing } }", json!({})),
        ("query($npi: NPI!) { accessRegister(npi: $npi) { totalCount } }", json!({})),
        ("query($npi: NPI!) { accessRegister(npi: $npi) { totalCount } }", json!({ "npi": "12" })),
        ("{ accessRegister(asOfPosition: \"21\") { totalCount } }", json!({})),
    ] {
        let refused = save(&auditor, &workspace, document, variables).await;
        assert_eq!(refused.refused(), "FIELD_INVALID", "{document}");
    }
    let long = format!("{{ accessRegister {{ totalCount }} }} # {}", "x".repeat(16 * 1024));
    let refused = save(&auditor, &workspace, &long, json!({})).await;
    assert_eq!(refused.refused(), "FIELD_TOO_LONG");
    for position in [0, 1_000_000] {
        let input = json!({ "name": "Elsewhere", "position": position.to_string() });
        let refused = auditor.mutate("openAuditWorkspace", input, WORKSPACE).await;
        assert_eq!(refused.refused(), "RANGE_INVALID");
    }
    // Variables of the asking lie over those saved.
    let document = "query($first: Int) { auditEvents(first: $first) { nodes { position } } }";
    let saved = save(&auditor, &workspace, document, json!({ "first": 1 })).await;
    let question = saved.done()["workspace"]["questions"][0].clone();
    for (given, count) in [(Value::Null, 1), (json!({ "first": 3 }), 3)] {
        let asked = json!({ "workspace": workspace["id"], "question": question["id"],
                            "variables": given });
        let answer = auditor.send(ANSWER, asked).await;
        let data = &answer.data()["auditWorkspaceAnswer"]["data"];
        assert_eq!(data["auditEvents"]["nodes"].as_array().map(Vec::len), Some(count));
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_workspaces_belong_to_auditors_and_plan_administrators_and_are_on_record() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let other = portal.another_tenant("neighbour", Preset::MediCal).await;
    let auditor = portal.client(&world.auditor).await;
    let workspace = open(&auditor, "Audit of 2025", None).await;
    assert_eq!(workspace["openedBy"]["name"], "Aya Nash", "{workspace}");
    let document = "{ accessRegister { totalCount } }";
    let saved = save(&auditor, &workspace, document, json!({})).await;
    let question = saved.done()["workspace"]["questions"][0].clone();
    assert_eq!((&question["document"], &question["variables"]), (&json!(document), &json!({})));
    // Whoever administers the whole plan works in it as well.
    let plan = portal.client(&world.plan_admin).await;
    assert_eq!(names(&plan, &portal).await, ["Audit of 2025"]);
    assert!(ask(&plan, &workspace, &question).await.data().is_object());
    let rename = json!({ "workspaceId": workspace["id"], "name": "Audit of last year" });
    let renamed = plan.mutate("renameAuditWorkspace", rename.clone(), WORKSPACE).await;
    assert_eq!(renamed.done()["workspace"]["name"], "Audit of last year");
    // Nobody else does.
    for who in [&world.plan_support, &world.clinic_admin, &world.processor] {
        let client = portal.client(who).await;
        assert_eq!(client.send(LIST, json!({})).await.error_code(), "FORBIDDEN");
        assert_eq!(ask(&client, &workspace, &question).await.error_code(), "FORBIDDEN");
        assert_eq!(save(&client, &workspace, document, json!({})).await.refused(), "FORBIDDEN");
    }
    let foreign = portal.client_in(&other, Preset::MediCal, &other.auditor).await;
    assert_eq!(ask(&foreign, &workspace, &question).await.error_code(), "NOT_FOUND");
    assert_eq!(save(&foreign, &workspace, document, json!({})).await.refused(), "NOT_FOUND");
    // An auditor of one organisation has their own, with answers about that organisation.
    let second = portal.client(&world.second_plan_admin).await;
    let of_plan = open(&second, "Of the plan", None).await;
    keep_to(&portal, &world.auditor, &world.hospital).await;
    assert_eq!(names(&auditor, &portal).await, ["Audit of last year"]);
    assert_eq!(ask(&auditor, &of_plan, &question).await.error_code(), "NOT_FOUND");
    let all = "{ accessRegister(first: 100) { nodes { organization { id } } } }";
    let count = async |client: &Client| {
        let asked = json!({ "workspace": workspace["id"], "document": all });
        let answer = client.send(ANSWER, asked).await;
        let data = &answer.data()["auditWorkspaceAnswer"]["data"];
        data["accessRegister"]["nodes"].as_array().expect("nodes").len()
    };
    assert!(count(&auditor).await < count(&plan).await);
    // Taken out, closed, and answered as before.
    let remove = json!({ "workspaceId": workspace["id"], "questionId": question["id"] });
    let removed = plan.mutate("removeWorkspaceQuestion", remove.clone(), WORKSPACE).await;
    assert_eq!(removed.done()["workspace"]["questions"], json!([]));
    let again = plan.mutate("removeWorkspaceQuestion", remove, WORKSPACE).await;
    assert_eq!(again.refused(), "NOT_FOUND");
    let close = json!({ "workspaceId": workspace["id"] });
    let closed = plan.mutate("closeAuditWorkspace", close.clone(), WORKSPACE).await;
    assert!(closed.done()["workspace"]["closedAt"].is_string());
    for (mutation, input) in [("closeAuditWorkspace", close), ("renameAuditWorkspace", rename)] {
        let refused = plan.mutate(mutation, input, WORKSPACE).await;
        assert_eq!(refused.refused(), "ALREADY_DECIDED", "{mutation}");
    }
    assert!(count(&plan).await > 0);
    // On record, for auditors and plan administrators alone.
    let events = "query($min: Position) { auditEvents(first: 100, minPosition: $min) {
        nodes { type sentence } } }";
    let min = portal.position().await.to_string();
    let told = async |client: &Client| -> Vec<String> {
        let answer = client.send(events, json!({ "min": min })).await;
        let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
        let own = |node: &&Value| node["type"].as_str().unwrap().starts_with("audit.workspace.");
        let told = nodes.iter().filter(own).map(|node| node["sentence"].as_str().unwrap());
        told.map(str::to_owned).collect()
    };
    let record = told(&plan).await;
    assert_eq!(record.len(), 6, "{record:?}");
    assert!(record[0].ends_with("closed the audit workspace Audit of last year."), "{record:?}");
    let support = portal.client(&world.plan_support).await;
    assert!(told(&support).await.is_empty());
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_document_made_to_exhaust_the_server_is_refused_before_it_is_parsed() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    let workspace = open(&auditor, "Quarter", None).await;
    let deep = format!("{{a(b:{}", "[".repeat(400_000));
    let saved = save(&portal.anybody(), &workspace, &deep, json!({})).await;
    assert_eq!(saved.error_code(), "UNAUTHENTICATED");
    assert_eq!(save(&auditor, &workspace, &deep, json!({})).await.refused(), "FIELD_INVALID");
    let variables = json!({ "workspace": workspace["id"], "document": deep });
    let asked = auditor.send(ANSWER, variables).await;
    assert_eq!(asked.body["errors"][0]["extensions"]["reason"], "FIELD_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_an_answer_is_a_request_of_its_own_and_one_request_has_one() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    let workspace = open(&auditor, "Quarter", None).await;
    let two = "query($id: ID!, $of: String) {
        a: auditWorkspaceAnswer(workspaceId: $id, document: $of) { position }
        b: auditWorkspaceAnswer(workspaceId: $id, document: $of) { position } }";
    let of = json!({ "id": workspace["id"], "of": "{ auditEvents { totalCount } }" });
    assert_eq!(auditor.send(two, of).await.error_code(), "QUERY_TOO_COMPLEX");
    portal.finish().await;
}
