//! People without an account ask the administrators of their organisation (CC-11).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::{decide, queue};
use crate::support::{Answer, Client, Portal};

const INES: &str = "ines@elsewhere.example";
const DAY: u64 = 86_400;

async fn ask(visitor: &Client, more: Value) -> Answer {
    let mut input = json!({
        "npi": "1234567893", "firstName": "Ines", "lastName": "Vega", "email": INES,
        "phone": "+12025550190", "why": "I began at the front desk.",
    });
    input.as_object_mut().unwrap().extend(more.as_object().expect("fields").clone());
    visitor.mutate("requestToJoin", input, "clientMutationId position").await
}

/// What the clinic's administrators have to decide.
async fn waiting(client: &Client, portal: &Portal, view: &str) -> Vec<Value> {
    let at = portal.position().await.to_string();
    let document = "query($of: ID!, $view: AccessRequestView, $at: Position) {
        accessRequests(organizationId: $of, view: $view, minPosition: $at) { nodes {
            id kind status why answer expiresAt user { name }
            visitor { firstName lastName email phone } } } }";
    let variables = json!({ "of": portal.world().clinic.id, "view": view, "at": at });
    let answer = client.send(document, variables).await;
    answer.data()["accessRequests"]["nodes"].as_array().expect("nodes").clone()
}

#[tokio::test]
async fn cc_11_somebody_without_an_account_asks_and_the_yes_invites_them() {
    for (slug, preset) in [("cencal", Preset::Cencal), ("medi-cal", Preset::MediCal)] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let admin = portal.client(&world.clinic_admin).await;
        let mails = portal.mailbox(&world.clinic_admin.email).await.len();
        ask(&portal.anybody(), json!({})).await.done();
        assert!(portal.mailbox(INES).await.is_empty(), "no mail before an administrator decides");
        let found = waiting(&admin, &portal, "TO_DECIDE").await;
        let expected = json!({
            "id": found[0]["id"], "kind": "ACCOUNT", "status": "OPEN", "answer": null,
            "why": "I began at the front desk.", "expiresAt": "2026-02-11T17:00:00Z", "user": null,
            "visitor": { "firstName": "Ines", "lastName": "Vega", "email": INES,
                "phone": "+12025550190" },
        });
        assert_eq!(found, [expected]);
        let notices = "{ notifications(first: 1) { nodes { text } } }";
        let told = admin.send(notices, json!({})).await;
        let text = &told.data()["notifications"]["nodes"][0]["text"];
        assert_eq!(text, "Somebody asks Redwood Clinic for access.");
        assert_eq!(portal.mailbox(&world.clinic_admin.email).await.len(), mails + 1, "{slug}");
        // The plan does not decide for administrators, nor members for themselves.
        let request = found[0]["id"].as_str().expect("an id").to_owned();
        let support = portal.client(&world.plan_support).await;
        let paul = portal.client(&world.processor).await;
        for by in [&support, &paul] {
            let refused = decide(by, world, &request, "APPROVE", json!({})).await;
            assert_eq!(refused.refused(), "NOT_ORG_ADMIN");
        }
        let done = decide(&admin, world, &request, "APPROVE", json!({})).await;
        assert_eq!(done.done()["accessRequest"]["status"], "APPROVED");
        let again = decide(&admin, world, &request, "APPROVE", json!({})).await;
        assert_eq!(again.refused(), "ALREADY_DECIDED");
        let token = portal.mailed_token(INES, "invitation").await;
        let visitor = portal.anybody();
        let opened = visitor.send(
            "query($token: String!) { invitation(token: $token) { email status } }",
            json!({ "token": token }),
        );
        assert_eq!(opened.await.data()["invitation"]["email"], INES);
        let auditor = portal.client(&world.auditor).await;
        let at = portal.position().await.to_string();
        let events = "query($at: Position) { auditEvents(first: 60, minPosition: $at) {
            nodes { command correlationId sentence } } }";
        let answer = auditor.send(events, json!({ "at": at })).await;
        let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
        let approved = "Ann Lee approved Ines Vega's request to join Redwood Clinic.";
        let decision = nodes.iter().find(|node| node["sentence"] == approved).expect("the yes");
        let with_it = |node: &&Value| {
            node["command"] == "DecideAccessRequest"
                && node["correlationId"] == decision["correlationId"]
        };
        let of_it = nodes.iter().filter(with_it).count();
        assert!(of_it >= 3, "the decision, the roster and the invitation: {nodes:?}");
        let told = answer.data().to_string();
        assert!(told.contains("A visitor asked to join Redwood Clinic."), "{told}");
        assert!(!told.contains("front desk") && !told.contains(INES), "nothing personal: {told}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn cc_11_the_answer_tells_a_visitor_nothing() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let (visitor, admin) = (portal.anybody(), portal.client(&world.clinic_admin).await);
    let to = |email: &str| json!({ "npi": null, "administratorEmail": email, "email": "other@elsewhere.example" });
    let first = ask(&visitor, json!({})).await.body;
    for (what, more) in [
        ("the same again", json!({ "email": "INES@elsewhere.example" })),
        ("nobody's NPI", json!({ "npi": "1993999998" })),
        ("nobody's address", to("nobody@nowhere.example")),
        ("no administrator", to(&world.processor.email)),
        ("no member", to(&world.plan_admin.email)),
    ] {
        portal.settle().await;
        let before = portal.position().await;
        assert_eq!(ask(&visitor, more).await.body, first, "{what}");
        portal.settle().await;
        assert_eq!(portal.position().await, before, "{what} is not on record");
    }
    assert_eq!(waiting(&admin, &portal, "ALL").await.len(), 1);
    // By an administrator's address and for the address of somebody known, it answers the same.
    let known = json!({ "npi": null, "administratorEmail": world.clinic_second_admin.email,
        "email": world.hospital_admin.email });
    assert_eq!(ask(&visitor, known).await.body, first);
    let found = waiting(&admin, &portal, "TO_DECIDE").await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["user"], Value::Null, "nor does the request name whoever has it");
    for (field, value, code) in [
        ("npi", json!("1234567890"), "NPI_INVALID"),
        ("npi", Value::Null, "FIELD_REQUIRED"),
        ("email", json!("no address"), "EMAIL_INVALID"),
        ("phone", json!("+10125550123"), "PHONE_INVALID"),
        ("why", json!(" "), "REASON_REQUIRED"),
    ] {
        let refused = ask(&visitor, json!({ field: value })).await;
        assert_eq!((refused.refused(), &refused.refusal()["field"]), (code, &json!([field])));
    }
    let mut refused = None;
    for _ in 0..6 {
        let mine = ask(&visitor, json!({ "email": "flood@elsewhere.example" })).await;
        let errors = mine.body["data"]["requestToJoin"]["userErrors"].clone();
        refused = errors[0]["code"].as_str().map(str::to_owned);
    }
    assert_eq!(refused.as_deref(), Some("RATE_LIMITED"), "five a day for an address");
    let plan = portal.client(&world.plan_admin).await;
    let off = json!({ "feature": "ACCESS_REQUESTS", "state": "OFF", "reason": "Not yet." });
    plan.mutate("setFeatureAvailability", off, "position").await.done();
    let closed = ask(&visitor, json!({ "email": "late@elsewhere.example" })).await;
    assert_eq!(closed.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_a_no_has_its_reason_and_mail_and_the_person_may_ask_again() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let (visitor, admin) = (portal.anybody(), portal.client(&world.clinic_admin).await);
    ask(&visitor, json!({})).await.done();
    let found = waiting(&admin, &portal, "TO_DECIDE").await;
    let request = found[0]["id"].as_str().expect("an id").to_owned();
    let silent = decide(&admin, world, &request, "DENY", json!({})).await;
    assert_eq!(silent.refused(), "REASON_REQUIRED");
    let stale = json!({ "reason": "No.", "expectedVersion": 7 });
    let stale = decide(&admin, world, &request, "DENY", stale).await;
    assert_eq!(stale.refused(), "VERSION_CONFLICT");
    let reason = json!({ "reason": "Nobody knows her." });
    let denied = decide(&admin, world, &request, "DENY", reason).await;
    assert_eq!(denied.done()["accessRequest"]["answer"], "Nobody knows her.");
    let subject = "Your request to join Redwood Clinic in cencal portal was declined";
    let mails = portal.mailbox(INES).await;
    let mail = Portal::newest(&mails, subject);
    assert!(!mail.to_string().contains("knows her"), "the reason stays inside: {mail}");
    assert!(waiting(&admin, &portal, "TO_DECIDE").await.is_empty());
    ask(&visitor, json!({})).await.done();
    assert_eq!(waiting(&admin, &portal, "TO_DECIDE").await.len(), 1);
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_a_visitors_request_runs_out_after_thirty_days() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    ask(&portal.anybody(), json!({})).await.done();
    portal.advance(Duration::from_secs(30 * DAY - 1));
    let admin = portal.client(&world.clinic_admin).await;
    let found = waiting(&admin, &portal, "TO_DECIDE").await;
    let request = found[0]["id"].as_str().expect("an id").to_owned();
    portal.advance(Duration::from_secs(1));
    let late = decide(&admin, world, &request, "APPROVE", json!({})).await;
    assert_eq!(late.refused(), "ALREADY_DECIDED");
    portal.settle().await;
    let found = waiting(&admin, &portal, "ALL").await;
    assert_eq!(found[0]["status"], "EXPIRED");
    assert!(portal.mailbox(INES).await.is_empty(), "that would tell which organisations there are");
    ask(&portal.anybody(), json!({})).await.done();
    assert_eq!(waiting(&admin, &portal, "TO_DECIDE").await.len(), 1);
    portal.finish().await;
}

#[tokio::test]
async fn cc_11_where_nobody_administers_the_organization_the_plan_decides() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    for who in [&world.clinic_admin, &world.clinic_second_admin] {
        let input = json!({ "organizationId": world.clinic.id, "userId": who.user,
            "confirm": true, "reason": "Left.", "evidence": "A letter." });
        support.mutate("deactivateUser", input, "position").await.done();
    }
    ask(&portal.anybody(), json!({})).await.done();
    assert_eq!(queue(&support, &portal, "kind: ACCOUNT").await, ["ACCOUNT ROUTED"]);
    let found = waiting(&support, &portal, "ALL").await;
    let request = found[0]["id"].as_str().expect("an id").to_owned();
    decide(&support, world, &request, "APPROVE", json!({})).await.done();
    portal.mailed_token(INES, "invitation").await;
    portal.finish().await;
}
