//! Users who move to another organisation (AL-08, GN-10).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::queue;
use crate::support::{Answer, Client, Company, Person, Portal};

const SHOWN: &str = "accessRequest { id kind status routedBecause why answer
    moving { npi email userId fromOrganizationId toOrganizationId } }";

async fn ask(client: &Client, of: &Company, more: Value) -> Answer {
    let mut input = json!({ "organizationId": of.id, "why": "A change of offices." });
    input.as_object_mut().unwrap().extend(more.as_object().expect("fields").clone());
    client.mutate("requestMove", input, SHOWN).await
}

#[track_caller]
fn id(answer: &Answer) -> String {
    answer.done()["accessRequest"]["id"].as_str().expect("an id").to_owned()
}

async fn decide(client: &Client, of: &Company, request: &str, more: Value) -> Answer {
    let mut input = json!({
        "organizationId": of.id, "accessRequestId": request, "decision": "APPROVE",
    });
    input.as_object_mut().unwrap().extend(more.as_object().expect("fields").clone());
    client.mutate("decideAccessRequest", input, SHOWN).await
}

async fn outlook(client: &Client, of: &Company, request: &str, found: Value) -> Answer {
    let document = "query($of: ID!, $id: ID!, $move: MoveInput) {
        moveOutlook(organizationId: $of, accessRequestId: $id, move: $move) {
          userId fromOrganizationId toOrganizationId formerPermissions leavesAdminless } }";
    client.send(document, json!({ "of": of.id, "id": request, "move": found })).await
}

/// `status role` of somebody in an organisation, as the plan sees them, and their rights there.
async fn standing(portal: &Portal, who: &Person, of: &Company) -> (String, Vec<String>) {
    let plan = portal.client(&portal.world().plan_support).await;
    let at = portal.position().await.to_string();
    let users = "query($of: ID!, $at: Position) { users(organizationId: $of, minPosition: $at) {
        nodes { id email status orgRole } } }";
    let answer = plan.send(users, json!({ "of": of.id, "at": at })).await;
    let nodes = answer.data()["users"]["nodes"].as_array().expect("nodes").clone();
    let Some(user) = nodes.iter().find(|node| node["email"] == who.email.as_str()) else {
        return ("nobody".to_owned(), Vec::new());
    };
    let status = format!("{} {}", user["status"], user["orgRole"]).replace('"', "");
    let rights = "query($user: ID!, $of: ID!) {
        effectivePermissions(userId: $user, organizationId: $of) { rights { kind npi } } }";
    let answer = plan.send(rights, json!({ "user": who.user, "of": of.id })).await;
    let found = answer.data()["effectivePermissions"]["rights"].as_array().expect("rights").clone();
    let word = |right: &Value| format!("{} {}", right["kind"], right["npi"]).replace('"', "");
    (status, found.iter().map(word).collect())
}

async fn texts(portal: &Portal, who: &Person) -> String {
    portal.settle().await;
    let client = portal.client(who).await;
    let document = "{ notifications(first: 20) { nodes { text } } }";
    client.send(document, json!({})).await.data().to_string()
}

#[tokio::test]
async fn al_08_a_person_moves_to_another_organization_without_their_rights() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let (paul, support) =
        (portal.client(&world.processor).await, portal.client(&world.plan_support).await);
    let npi = json!({ "toNpi": world.hospital.npis[0] });
    let asked = ask(&paul, &world.clinic, npi.clone()).await;
    let request = id(&asked);
    let shown = &asked.done()["accessRequest"];
    assert_eq!(
        (&shown["kind"], &shown["status"], &shown["routedBecause"], &shown["why"]),
        (&json!("MOVE"), &json!("ROUTED"), &json!("NOT_GRANTABLE"), &json!("A change of offices."))
    );
    assert_eq!(ask(&paul, &world.clinic, npi).await.refused(), "DUPLICATE_REQUEST");
    assert_eq!(queue(&support, &portal, "kind: MOVE").await, ["MOVE ROUTED"]);
    assert!(texts(&portal, &world.plan_support).await.contains("waits for the health plan"));
    // Neither office grants it.
    for (client, code) in [
        (portal.client(&world.clinic_admin).await, "FORBIDDEN"),
        (portal.client(&world.hospital_admin).await, "NOT_FOUND"),
        (portal.client(&world.processor).await, "NOT_ORG_ADMIN"),
    ] {
        let refused = decide(&client, &world.clinic, &request, json!({})).await;
        assert_eq!(refused.refused(), code);
    }
    let seen = outlook(&support, &world.clinic, &request, json!({})).await;
    let expected = json!({
        "userId": seen.data()["moveOutlook"]["userId"],
        "fromOrganizationId": seen.data()["moveOutlook"]["fromOrganizationId"],
        "toOrganizationId": seen.data()["moveOutlook"]["toOrganizationId"],
        "formerPermissions": [format!("NPI {} PROCESSOR", world.clinic.npis[0])],
        "leavesAdminless": false,
    });
    assert_eq!(seen.data()["moveOutlook"], expected);
    let before = portal.position().await;
    let done = decide(&support, &world.clinic, &request, json!({})).await;
    assert_eq!(done.done()["accessRequest"]["status"], "APPROVED");
    let moved = &done.done()["accessRequest"]["moving"];
    assert_eq!(moved["toOrganizationId"], expected["toOrganizationId"]);
    assert!(portal.position().await >= before + 4, "the decision, the end, its rights, the begin");
    let (there, rights) = standing(&portal, &world.processor, &world.clinic).await;
    assert_eq!((there.as_str(), rights.len()), ("DEACTIVATED NONE", 0));
    let (here, rights) = standing(&portal, &world.processor, &world.hospital).await;
    assert_eq!((here.as_str(), rights.len()), ("ACTIVE NONE", 0), "nothing is carried over");
    let again = paul.send("{ me { id } }", json!({})).await;
    assert_eq!(again.error_code(), "UNAUTHENTICATED", "sessions there are over");
    let mails = portal.mailbox(&world.processor.email).await;
    Portal::newest(&mails, "Your access to alliance portal has ended");
    let left = texts(&portal, &world.clinic_admin).await;
    assert!(left.contains("Paul Kim was deactivated in Redwood Clinic."), "{left}");
    let came = texts(&portal, &world.hospital_admin).await;
    assert!(came.contains("Paul Kim joined Bayview Hospital."), "{came}");
    let auditor = portal.client(&world.auditor).await;
    let events = "{ auditEvents(first: 100) { nodes { command correlationId sentence } } }";
    let answer = auditor.send(events, json!({})).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    let told = answer.data().to_string();
    let sentence = "Sam Hill approved Paul Kim's request: Paul Kim moves from Redwood Clinic to \
                    Bayview Hospital.";
    let decision = nodes.iter().find(|node| node["sentence"] == sentence).expect("the yes");
    let with_it = |node: &&Value| {
        node["command"] == "DecideAccessRequest"
            && node["correlationId"] == decision["correlationId"]
    };
    let of_it = nodes.iter().filter(with_it).count();
    assert!(of_it >= 4, "the decision, the end, its rights and the beginning: {told}");
    assert!(told.contains("ended (moved)"), "{told}");
    let repeated = decide(&support, &world.clinic, &request, json!({})).await;
    assert_eq!(repeated.refused(), "ALREADY_DECIDED");
    portal.finish().await;
}

#[tokio::test]
async fn al_08_the_new_office_asks_without_learning_who_is_known() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let (hana, support) =
        (portal.client(&world.hospital_admin).await, portal.client(&world.plan_support).await);
    let known = ask(&hana, &world.hospital, json!({ "email": world.newcomer.email })).await;
    let unknown = ask(&hana, &world.hospital, json!({ "email": "nobody@nowhere.example" })).await;
    for (asked, email) in
        [(&known, world.newcomer.email.as_str()), (&unknown, "nobody@nowhere.example")]
    {
        let expected = json!({ "npi": null, "email": email, "userId": null,
            "fromOrganizationId": null, "toOrganizationId": null });
        assert_eq!(asked.done()["accessRequest"]["moving"], expected);
    }
    let paul = portal.client(&world.processor).await;
    let not_his = ask(&paul, &world.clinic, json!({ "email": world.hospital_admin.email })).await;
    assert_eq!(not_his.refused(), "NOT_ORG_ADMIN");
    assert_eq!(ask(&hana, &world.hospital, json!({})).await.refused(), "FIELD_REQUIRED");
    let refused = decide(&support, &world.hospital, &id(&unknown), json!({})).await;
    assert_eq!(
        (refused.refused(), &refused.refusal()["field"]),
        ("USER_UNKNOWN", &json!(["move", "userId"]))
    );
    let missing = outlook(&support, &world.hospital, &id(&unknown), json!({})).await;
    assert_eq!(missing.body["errors"][0]["extensions"]["reason"], "USER_UNKNOWN");
    let hidden = outlook(&hana, &world.hospital, &id(&known), json!({})).await;
    assert_eq!(hidden.error_code(), "FORBIDDEN", "what is held elsewhere is the plan's to see");
    let denied = json!({ "decision": "DENY", "reason": "Nobody has this address." });
    let denied = decide(&support, &world.hospital, &id(&unknown), denied).await;
    assert_eq!(denied.done()["accessRequest"]["status"], "DENIED");
    decide(&support, &world.hospital, &id(&known), json!({})).await.done();
    assert_eq!(standing(&portal, &world.newcomer, &world.hospital).await.0, "ACTIVE NONE");
    assert_eq!(standing(&portal, &world.newcomer, &world.clinic).await.0, "DEACTIVATED NONE");
    let told = texts(&portal, &world.hospital_admin).await;
    assert!(told.contains("Your request for access in Bayview Hospital was denied."), "{told}");
    portal.finish().await;
}

#[tokio::test]
async fn al_08_the_last_administrator_moves_by_the_plan_with_evidence_only() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let (hana, support) =
        (portal.client(&world.hospital_admin).await, portal.client(&world.plan_support).await);
    let asked = ask(&hana, &world.hospital, json!({ "toNpi": world.clinic.npis[0] })).await;
    let request = id(&asked);
    let seen = outlook(&support, &world.hospital, &request, json!({})).await;
    let seen = &seen.data()["moveOutlook"];
    assert_eq!(seen["leavesAdminless"], true);
    let expected = json!(["ORGANIZATION ADMIN", "NPI * ADMIN", "CORRESPONDENCE * *"]);
    assert_eq!(seen["formerPermissions"], expected);
    let silent = decide(&support, &world.hospital, &request, json!({})).await;
    assert_eq!(silent.refused(), "EVIDENCE_REQUIRED");
    let evidence = json!({ "move": { "evidence": "A letter of the hospital." } });
    decide(&support, &world.hospital, &request, evidence).await.done();
    assert_eq!(
        standing(&portal, &world.hospital_admin, &world.hospital).await.0,
        "DEACTIVATED NONE"
    );
    let (here, rights) = standing(&portal, &world.hospital_admin, &world.clinic).await;
    assert_eq!((here.as_str(), rights.len()), ("ACTIVE NONE", 0));
    // Back again, anew: what was held there before does not return.
    portal.advance(Duration::from_secs(60));
    let hana = portal
        .client(&Person { organization: Some(world.clinic.id), ..world.hospital_admin.clone() })
        .await;
    let back = ask(&hana, &world.clinic, json!({ "toNpi": world.hospital.npis[0] })).await;
    let support = portal.client(&world.plan_support).await;
    decide(&support, &world.clinic, &id(&back), json!({})).await.done();
    let (here, rights) = standing(&portal, &world.hospital_admin, &world.hospital).await;
    assert_eq!((here.as_str(), rights.len()), ("ACTIVE NONE", 0));
    portal.finish().await;
}

#[tokio::test]
async fn al_08_a_move_is_taken_back_or_runs_out_and_may_be_asked_for_again() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let npi = || json!({ "toNpi": "1993999998" });
    let request = id(&ask(&paul, &world.clinic, npi()).await);
    let input = json!({ "organizationId": world.clinic.id, "accessRequestId": request });
    let withdrawn = paul.mutate("withdrawAccessRequest", input, SHOWN).await;
    assert_eq!(withdrawn.done()["accessRequest"]["status"], "WITHDRAWN");
    let request = id(&ask(&paul, &world.clinic, npi()).await);
    let support = portal.client(&world.plan_support).await;
    let nowhere = decide(&support, &world.clinic, &request, json!({})).await;
    assert_eq!(nowhere.refused(), "NPI_NOT_IN_ORG");
    let same = json!({ "move": { "toOrganizationId": world.clinic.id } });
    let same = decide(&support, &world.clinic, &request, same).await;
    assert_eq!(same.refused(), "FIELD_INVALID");
    portal.advance(Duration::from_secs(30 * 86_400));
    portal.settle().await;
    let support = portal.client(&world.plan_support).await;
    let named = json!({ "move": { "toOrganizationId": world.hospital.id } });
    let late = decide(&support, &world.clinic, &request, named.clone()).await;
    assert_eq!(late.refused(), "ALREADY_DECIDED");
    let paul = portal.client(&world.processor).await;
    let request = id(&ask(&paul, &world.clinic, npi()).await);
    decide(&support, &world.clinic, &request, named).await.done();
    assert_eq!(standing(&portal, &world.processor, &world.hospital).await.0, "ACTIVE NONE");
    portal.finish().await;
}

#[tokio::test]
async fn al_08_what_is_on_file_is_not_the_plans_to_say_otherwise() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let (hana, paul, support) = (
        portal.client(&world.hospital_admin).await,
        portal.client(&world.processor).await,
        portal.client(&world.plan_support).await,
    );
    let away = ask(&paul, &world.clinic, json!({ "toNpi": world.hospital.npis[0] })).await;
    let here = ask(&hana, &world.hospital, json!({ "email": world.newcomer.email })).await;
    let refused = async |of: &Company, request: &str, found: Value, field: &str| {
        let seen = outlook(&support, of, request, found.clone()).await;
        assert_eq!(seen.body["errors"][0]["extensions"]["reason"], "FIELD_INVALID", "{field}");
        let refused = decide(&support, of, request, json!({ "move": found })).await;
        let at = (refused.refused(), &refused.refusal()["field"]);
        assert_eq!(at, ("FIELD_INVALID", &json!(["move", field])));
    };
    let elsewhere = json!({ "toOrganizationId": world.biller.id });
    refused(&world.clinic, &id(&away), elsewhere, "toOrganizationId").await;
    let another = json!({ "userId": world.npi_admin.user });
    refused(&world.hospital, &id(&here), another, "userId").await;
    let stranger = json!({ "fromOrganizationId": world.biller.id });
    refused(&world.hospital, &id(&here), stranger, "fromOrganizationId").await;
    let same = json!({ "move": {
        "userId": world.newcomer.user, "fromOrganizationId": world.clinic.id } });
    decide(&support, &world.hospital, &id(&here), same).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn al_08_who_is_kept_to_one_of_the_offices_decides_nothing_and_learns_nothing() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let hospital = &world.hospital;
    let hana = portal.client(&world.hospital_admin).await;
    let known = id(&ask(&hana, hospital, json!({ "email": world.newcomer.email })).await);
    let unknown = id(&ask(&hana, hospital, json!({ "email": "nobody@nowhere.example" })).await);
    let held = id(&ask(&hana, hospital, json!({ "toNpi": world.clinic.npis[0] })).await);
    let keep_to = async |offices: &[&Company]| {
        let admin = portal.client(&world.plan_admin).await;
        let ids: Vec<_> = offices.iter().map(|office| office.id).collect();
        let input = json!({ "userId": world.plan_support.user, "role": "PS",
            "organizationIds": ids, "reason": "Serves these offices." });
        admin.mutate("scopePlanRole", input, "position").await.done();
    };
    let support = portal.client(&world.plan_support).await;
    let deny = || json!({ "decision": "DENY", "reason": "Not now." });
    let shut_out = async |request: &str, found: Value| {
        let seen = outlook(&support, hospital, request, found.clone()).await;
        assert_eq!(seen.error_code(), "FORBIDDEN");
        for mut answer in [json!({}), deny()] {
            answer["move"] = found.clone();
            let refused = decide(&support, hospital, request, answer).await;
            // One answer, letter by letter.
            let expected = ("FORBIDDEN", json!([]), seen.body["errors"][0]["message"].clone());
            let refusal = refused.refusal();
            let told = (refused.refused(), refusal["field"].clone(), refusal["message"].clone());
            assert_eq!(told, expected);
        }
    };
    keep_to(&[hospital]).await;
    for request in [&known, &unknown, &held] {
        shut_out(request, json!({})).await;
        let said = json!({ "userId": world.hospital_admin.user });
        shut_out(request, said).await;
    }
    keep_to(&[hospital, &world.clinic]).await;
    let said = json!({ "userId": world.processor.user, "fromOrganizationId": world.clinic.id });
    shut_out(&unknown, said).await;
    outlook(&support, hospital, &known, json!({})).await.data();
    decide(&support, hospital, &known, json!({})).await.done();
    decide(&support, hospital, &held, deny()).await.done();
    let free = id(&ask(&hana, hospital, json!({ "toNpi": "1993999998" })).await);
    for found in [json!({}), json!({ "toOrganizationId": world.clinic.id })] {
        shut_out(&free, found).await;
    }
    portal.finish().await;
}
