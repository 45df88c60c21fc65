//! Asking, taking back, running out (CC-11, AL-07, MC-69).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::{approve, ask, decide, features, id, listed, status};
use crate::support::{Client, Portal};

async fn texts(client: &Client) -> Vec<String> {
    let document = "{ notifications(first: 10) { nodes { type text } } }";
    let answer = client.send(document, json!({})).await;
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("nodes").clone();
    let of_requests = nodes.iter().filter(|node| node["type"] == "ACCESS_REQUEST");
    of_requests.map(|node| node["text"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn cc_11_a_member_asks_and_it_is_on_record() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let admin = portal.client(&world.clinic_admin).await;
    let auditor = portal.client(&world.auditor).await;
    let asked = ask(&paul, world, json!([{ "feature": "EOP_REPORTS" }])).await;
    let request = &asked.done()["accessRequest"];
    assert_eq!((&request["status"], &request["kind"]), (&json!("OPEN"), &json!("FEATURE")));
    assert_eq!(request["why"], "For my work.");
    assert_eq!(request["expiresAt"], "2026-02-11T17:00:00Z", "thirty days");
    assert_eq!(listed(&paul, &portal, "MINE").await, ["OPEN Paul Kim"]);
    assert_eq!(listed(&admin, &portal, "TO_DECIDE").await, ["OPEN Paul Kim"]);
    assert!(listed(&admin, &portal, "MINE").await.is_empty());
    let all = "query($of: ID!) { accessRequests(organizationId: $of, view: ALL) { nodes { id } } }";
    let refused = paul.send(all, json!({ "of": world.clinic.id })).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    let again = ask(&paul, world, json!([{ "feature": "EOP_REPORTS" }])).await;
    assert_eq!(again.refused(), "DUPLICATE_REQUEST");
    let at = portal.position().await.to_string();
    let events = "query($at: Position) {
        auditEvents(first: 20, minPosition: $at) { nodes { sentence } } }";
    let told = auditor.send(events, json!({ "at": at })).await;
    let sentence = "Paul Kim asked for the feature EOP reports (Redwood Clinic).";
    let nodes = told.data()["auditEvents"]["nodes"].as_array().expect("a page").clone();
    assert_eq!(nodes.iter().filter(|node| node["sentence"] == sentence).count(), 1, "{nodes:?}");
    assert!(!told.data().to_string().contains("For my work"));
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_what_is_asked_for_must_be_one_known_thing_not_held() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let npi = &world.clinic.npis[0];
    for (items, code) in [
        (json!([]), "FIELD_REQUIRED"),
        (json!([{}]), "FIELD_REQUIRED"),
        (json!([{ "feature": "CLAIMS", "npi": npi }]), "FIELD_REQUIRED"),
        (json!([{ "feature": "CLAIMS" }, { "feature": "CLAIMS" }]), "FIELD_REQUIRED"),
        (json!([{ "npi": npi }]), "ALREADY_ASSIGNED"),
        (json!([{ "npi": npi, "level": "NONE" }]), "FIELD_INVALID"),
        (json!([{ "npi": "1234567890" }]), "NPI_INVALID"),
        (json!([{ "feature": "DATA_SUBMISSION" }]), "FEATURE_DISABLED"),
        (json!([{ "jobRoleId": world.clinic.id }]), "ROLE_UNKNOWN"),
        (json!([{ "locationName": "North Branch" }]), "FEATURE_DISABLED"),
        (json!([{ "missingTaxId": { "kind": "EIN", "last4": "98-7654321" } }]), "TAX_ID_INVALID"),
    ] {
        assert_eq!(ask(&paul, world, items.clone()).await.refused(), code, "{items}");
    }
    let silent = json!({
        "organizationId": world.clinic.id, "items": [{ "feature": "CLAIMS" }], "why": " ",
    });
    let refused = paul.mutate("requestAccess", silent, "position").await;
    assert_eq!(refused.refused(), "REASON_REQUIRED");
    let hana = portal.client(&world.hospital_admin).await;
    let foreign = ask(&hana, world, json!([{ "feature": "CLAIMS" }])).await;
    assert_eq!(foreign.refused(), "NOT_FOUND");
    let plan = portal.client(&world.plan_admin).await;
    let off = json!({ "feature": "ACCESS_REQUESTS", "state": "OFF", "reason": "Not yet." });
    plan.mutate("setFeatureAvailability", off, "position").await.done();
    let refused = ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await;
    assert_eq!(refused.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_who_asked_takes_it_back_and_may_ask_again() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let admin = portal.client(&world.clinic_admin).await;
    let request = id(&ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await);
    let input = json!({ "organizationId": world.clinic.id, "accessRequestId": request });
    let selection = "accessRequest { status }";
    let refused = admin.mutate("withdrawAccessRequest", input.clone(), selection).await;
    assert_eq!(refused.refused(), "NOT_FOUND");
    let done = paul.mutate("withdrawAccessRequest", input.clone(), selection).await;
    assert_eq!(status(&done), "WITHDRAWN");
    let again = paul.mutate("withdrawAccessRequest", input, selection).await;
    assert_eq!(again.refused(), "ALREADY_DECIDED");
    assert_eq!(approve(&admin, world, &request).await.refused(), "ALREADY_DECIDED");
    ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_a_request_runs_out_after_thirty_days_to_the_second() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let request = id(&ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await);
    portal.advance(Duration::from_secs(30 * 86_400 - 1));
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(listed(&admin, &portal, "TO_DECIDE").await, ["OPEN Paul Kim"]);
    portal.advance(Duration::from_secs(1));
    assert!(listed(&admin, &portal, "TO_DECIDE").await.is_empty());
    assert_eq!(approve(&admin, world, &request).await.refused(), "ALREADY_DECIDED");
    portal.settle().await;
    let paul = portal.client(&world.processor).await;
    assert_eq!(listed(&paul, &portal, "MINE").await, ["EXPIRED Paul Kim"]);
    let told = texts(&paul).await;
    let text = "Nobody decided in time on your request for access in Redwood Clinic.";
    assert_eq!(told, [text]);
    ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_a_request_runs_thirty_times_24_hours_whatever_the_clocks_do_meanwhile() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    // Ten in the morning in February, eleven in March.
    portal.clock.set("2026-02-20T18:00:00Z".parse().unwrap());
    let paul = portal.client(&world.processor).await;
    let asked = ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await;
    assert_eq!(asked.done()["accessRequest"]["expiresAt"], "2026-03-22T18:00:00Z");
    portal.clock.set("2026-03-22T17:59:59Z".parse().unwrap());
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(listed(&admin, &portal, "TO_DECIDE").await, ["OPEN Paul Kim"]);
    portal.clock.set("2026-03-22T18:00:00Z".parse().unwrap());
    assert_eq!(approve(&admin, world, &id(&asked)).await.refused(), "ALREADY_DECIDED");
    assert!(listed(&admin, &portal, "TO_DECIDE").await.is_empty());
    portal.finish().await;
}

#[tokio::test]
async fn al_07_lost_npis_and_reports_are_restored_by_a_request_that_names_them() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let nell = portal.client(&world.newcomer).await;
    let admin = portal.client(&world.clinic_admin).await;
    let items = json!([
        { "npi": world.clinic.npis[1], "level": "PROCESSOR" },
        { "feature": "QUALITY_REPORTS" }, { "feature": "DATA_SUBMISSION" },
    ]);
    let asked = ask(&nell, world, items).await;
    let request = &asked.done()["accessRequest"];
    assert_eq!((&request["kind"], &request["status"]), (&json!("MIXED"), &json!("OPEN")));
    assert!(features(&portal, &world.newcomer).await.is_empty());
    approve(&admin, world, &id(&asked)).await.done();
    let npi = &world.clinic.npis[1];
    let expected = [
        format!("VIEW_NPI {npi} DIRECT"),
        "USE_FEATURE QUALITY_REPORTS DIRECT".to_owned(),
        "USE_FEATURE DATA_SUBMISSION DIRECT".to_owned(),
    ];
    assert_eq!(features(&portal, &world.newcomer).await, expected);
    portal.finish().await;
}

#[tokio::test]
async fn mc_69_a_request_for_access_leaves_a_notice_and_mail_on_either_side() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let nell = portal.client(&world.newcomer).await;
    let admin = portal.client(&world.clinic_admin).await;
    let count = async |who: &crate::support::Person| portal.mailbox(&who.email).await.len();
    let before = (count(&world.clinic_admin).await, count(&world.newcomer).await);
    let items = json!([{ "npi": world.clinic.npis[0], "level": "PROCESSOR" }]);
    let request = id(&ask(&nell, world, items).await);
    portal.settle().await;
    assert_eq!(texts(&admin).await, ["Somebody asks Redwood Clinic for access."]);
    assert_eq!(count(&world.clinic_admin).await, before.0 + 1);
    let reason = json!({ "reason": "Not your desk." });
    decide(&admin, world, &request, "DENY", reason).await.done();
    portal.settle().await;
    let told = texts(&nell).await;
    assert_eq!(told, ["Your request for access in Redwood Clinic was denied."]);
    assert_eq!(count(&world.newcomer).await, before.1 + 1);
    let mails = portal.mailbox(&world.newcomer.email).await;
    assert!(!Value::from(mails).to_string().contains("Not your desk"), "the reason stays inside");
    portal.finish().await;
}
