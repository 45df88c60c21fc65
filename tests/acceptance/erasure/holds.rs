//! Legal holds: who knows of them, and what they keep.

use reqwest::StatusCode;
use rollcall_domain::{
    Actor,
    kernel::ids::InvitationId,
    organizations::organization::RosterCommand,
    tenants::{PlanRole, PlanScope, PlanStaff, PlanStaffCommand},
    values::AgreementKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PRESETS, approve, deactivate, keep_until_the_end, request, retention, told};
use crate::support::{Answer, Client, Portal};

async fn place(client: &Client, scope: Value) -> Answer {
    let mut input =
        json!({ "matter": "Doe v. Plan, 24-cv-1", "reason": "The complaint was served." });
    for (name, value) in scope.as_object().expect("an object") {
        input[name] = value.clone();
    }
    client.mutate("placeLegalHold", input, "holdId").await
}

async fn placed(client: &Client, scope: Value) -> String {
    place(client, scope).await.done()["holdId"].as_str().expect("an id").to_owned()
}

async fn release(client: &Client, hold: &str) -> Answer {
    let input = json!({ "holdId": hold, "reason": "The matter is settled." });
    client.mutate("releaseLegalHold", input, "position").await
}

const HOLDS: &str = "query($at: Position) { legalHolds(minPosition: $at) {
    scope userId organizationId npi matter reason placedBy { name } } }";

async fn holds(client: &Client, portal: &Portal) -> Answer {
    client.send(HOLDS, json!({ "at": portal.position().await.to_string() })).await
}

async fn name(client: &Client, mutation: &str, user: Uuid) -> Answer {
    let document = format!(
        "mutation($input: RecordsOfficerInput!) {{ {mutation}(input: $input) {{ position
         userErrors {{ code field message }} }} }}"
    );
    client.send(&document, json!({ "input": { "userId": user } })).await
}

#[tokio::test]
async fn gn_26_legal_holds_are_for_auditors_and_a_named_plan_administrator_alone() {
    for (slug, preset) in PRESETS {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let auditor = portal.client(&world.auditor).await;
        let (pia, pat) = (&world.plan_admin, &world.second_plan_admin);
        let (plan, other) = (portal.client(pia).await, portal.client(pat).await);
        let person = json!({ "scope": "PERSON", "userId": world.processor.user });
        let hold = placed(&auditor, person.clone()).await;
        let shown = holds(&auditor, &portal).await.data()["legalHolds"].clone();
        assert_eq!(shown[0]["matter"], "Doe v. Plan, 24-cv-1", "{slug}");
        assert_eq!(shown[0]["placedBy"]["name"], "Aya Nash");
        // Nobody else of the plan, nor of an organisation, sees, places or releases any.
        for who in [pia, pat, &world.plan_support, &world.clinic_admin, &world.processor] {
            let client = portal.client(who).await;
            assert_eq!(holds(&client, &portal).await.error_code(), "FORBIDDEN");
            assert_eq!(place(&client, person.clone()).await.refused(), "FORBIDDEN");
            assert_eq!(release(&client, &hold).await.refused(), "FORBIDDEN");
        }
        let types = json!({ "types": ["audit.legal_holds.legal_hold_placed"] });
        let events = "query($filter: AuditEventFilter, $at: Position) {
            auditEvents(filter: $filter, first: 9, minPosition: $at) { nodes { sentence } } }";
        let seen = async |client: &Client| {
            let at = portal.position().await.to_string();
            let answer = client.send(events, json!({ "filter": types, "at": at })).await;
            answer.data()["auditEvents"]["nodes"].as_array().expect("events").len()
        };
        assert_eq!((seen(&auditor).await, seen(&plan).await), (1, 0));

        // An administrator is named by another one, never by themself, and knows from then on.
        assert_eq!(name(&plan, "nameRecordsOfficer", pia.user.0).await.refused(), "SELF_GRANT");
        let support = world.plan_support.user.0;
        assert_eq!(name(&plan, "nameRecordsOfficer", support).await.refused(), "NOT_FOUND");
        name(&plan, "nameRecordsOfficer", pat.user.0).await.done();
        assert_eq!(
            name(&plan, "nameRecordsOfficer", pat.user.0).await.refused(),
            "ALREADY_ASSIGNED"
        );
        assert_eq!((seen(&other).await, seen(&plan).await), (1, 0));
        assert_eq!(holds(&other, &portal).await.data()["legalHolds"].as_array().unwrap().len(), 1);
        assert_eq!(retention(&other, &portal, world.processor.user.0).await["legalHolds"], 1);
        release(&other, &hold).await.done();
        assert_eq!(release(&other, &hold).await.refused(), "NOT_FOUND");
        name(&plan, "relieveRecordsOfficer", pat.user.0).await.done();
        assert_eq!(name(&plan, "relieveRecordsOfficer", pat.user.0).await.refused(), "NOT_FOUND");
        assert_eq!(seen(&other).await, 0);
        assert_eq!(holds(&other, &portal).await.error_code(), "FORBIDDEN");
        let story =
            told(&portal, json!({ "types": ["audit.legal_holds.legal_hold_released"] })).await;
        assert_eq!(story, ["Pat Moss released a legal hold on the records about Paul Kim."]);
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_26_a_hold_names_whom_it_covers_and_why() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    for (scope, code, field) in [
        (json!({ "scope": "PERSON" }), "FIELD_REQUIRED", "userId"),
        (json!({ "scope": "PERSON", "userId": Uuid::new_v4() }), "NOT_FOUND", "userId"),
        (
            json!({ "scope": "ORGANIZATION", "organizationId": Uuid::new_v4() }),
            "NOT_FOUND",
            "organizationId",
        ),
        (json!({ "scope": "NPI", "npi": "1234567890" }), "NPI_INVALID", "npi"),
        (json!({ "scope": "TENANT", "reason": " " }), "REASON_REQUIRED", "reason"),
        (json!({ "scope": "TENANT", "matter": "" }), "FIELD_REQUIRED", "matter"),
    ] {
        let refused = place(&auditor, scope).await;
        assert_eq!(refused.refusal()["code"], code);
        assert_eq!(refused.refusal()["field"], json!([field]));
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_hold_on_a_person_an_organisation_an_npi_or_everybody_keeps_everybody_it_covers() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (paul, nora) = (world.processor.user.0, world.npi_admin.user.0);
    deactivate(&portal, &world.processor, "left").await;
    deactivate(&portal, &world.npi_admin, "left").await;
    keep_until_the_end(&portal, paul).await;
    let (plan, other) =
        (portal.client(&world.plan_admin).await, portal.client(&world.second_plan_admin).await);
    let auditor = portal.client(&world.auditor).await;
    let scopes = [
        (json!({ "scope": "PERSON", "userId": paul }), false),
        (json!({ "scope": "ORGANIZATION", "organizationId": world.clinic.id }), true),
        (json!({ "scope": "NPI", "npi": world.clinic.npis[2] }), true),
        (json!({ "scope": "TENANT" }), true),
    ];
    for (scope, covers_nora) in scopes {
        let hold = placed(&auditor, scope.clone()).await;
        let refused = request(&plan, paul).await;
        assert_eq!(refused.refused(), "LEGAL_HOLD_ACTIVE", "{scope}");
        assert_eq!(refused.refusal()["details"], json!([]), "not for this administrator to know");
        let of_nora = retention(&auditor, &portal, nora).await["legalHolds"].clone();
        assert_eq!(of_nora, i32::from(covers_nora), "{scope}");
        release(&auditor, &hold).await.done();
    }
    let elsewhere = json!({ "scope": "ORGANIZATION", "organizationId": world.hospital.id });
    placed(&auditor, elsewhere).await;

    // One placed after the request counts at the approval, and who may know is told how many.
    name(&plan, "nameRecordsOfficer", world.second_plan_admin.user.0).await.done();
    request(&plan, paul).await.done();
    let mut holds = Vec::new();
    for scope in ["TENANT", "TENANT"] {
        holds.push(placed(&auditor, json!({ "scope": scope })).await);
    }
    let refused = approve(&other, paul).await;
    assert_eq!(refused.refused(), "LEGAL_HOLD_ACTIVE");
    assert_eq!(refused.refusal()["details"], json!(["holds=2"]));
    for hold in &holds {
        release(&auditor, hold).await.done();
    }
    approve(&other, paul).await.done();
    // Of a hold on somebody who is gone not even the words would be left.
    let late = place(&auditor, json!({ "scope": "PERSON", "userId": paul })).await;
    assert_eq!(late.refused(), "ALREADY_ERASED");
    portal.finish().await;
}

/// An affiliation of the biller with the clinic for all its NPIs.
async fn affiliated(portal: &Portal) -> String {
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    let world = portal.world();
    let signature = json!({ "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee",
                            "role": "OWNER", "agreementVersion": "2026-01" });
    let ask = json!({ "organizationId": world.biller.id, "counterpartyId": world.clinic.id,
        "scope": { "transactionTypes": ["837P", "835"] }, "signature": signature });
    let biller = portal.client(&world.biller_admin).await;
    let asked = biller.mutate("requestAffiliation", ask, "affiliation { id }").await;
    let id = asked.done()["affiliation"]["id"].as_str().expect("an id").to_owned();
    let approve =
        json!({ "organizationId": world.clinic.id, "affiliationId": id, "signature": signature });
    let clinic = portal.client(&world.clinic_admin).await;
    clinic.mutate("approveAffiliation", approve, "affiliation { id }").await.done();
    id
}

#[tokio::test]
async fn gn_26_a_hold_on_an_npi_covers_who_worked_for_it_through_an_affiliation() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let affiliation = affiliated(&portal).await;
    // Of the hospital, who works for the biller as well.
    let hana = world.hospital_admin.user;
    let (invitation, email_domain) = (InvitationId(Uuid::new_v4()), "portal.example".to_owned());
    let invite = RosterCommand::InviteMember { user: hana, invitation, email_domain };
    portal.roster(&world.biller, invite).await;
    let join = RosterCommand::JoinByInvitation { user: hana, invitation, signed_in: false };
    portal.roster(&world.biller, join).await;
    let auditor = portal.client(&world.auditor).await;
    for npi in &world.clinic.npis[..2] {
        placed(&auditor, json!({ "scope": "NPI", "npi": npi })).await;
    }
    assert_eq!(retention(&auditor, &portal, hana.0).await["legalHolds"], 0);
    let biller = portal.client(&world.biller_admin).await;
    for npis in [json!([world.clinic.npis[0]]), json!([])] {
        let assign = json!({ "organizationId": world.biller.id, "affiliationId": affiliation,
                             "userId": hana, "npis": npis });
        biller.mutate("assignAffiliatedNpis", assign, "position").await.done();
        assert_eq!(retention(&auditor, &portal, hana.0).await["legalHolds"], 1, "{npis}");
    }
    portal.finish().await;
}

async fn evidence(client: &Client, question: Value) -> Answer {
    let input = json!({ "question": question, "recipient": "Office for Civil Rights",
                        "purpose": "Investigation 12" });
    client.mutate("requestEvidence", input, "evidence { url }").await
}

async fn fetch(client: &Client, path: &str) -> StatusCode {
    let url = format!("http://{}{path}", client.address());
    let token = client.token.as_deref().expect("signed in");
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await;
    answer.expect("an answer").status()
}

#[tokio::test]
async fn gn_35_evidence_leaves_only_for_who_knows_of_holds_when_it_leaves() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let pat = &world.second_plan_admin;
    let (plan, other) = (portal.client(&world.plan_admin).await, portal.client(pat).await);
    name(&plan, "nameRecordsOfficer", pat.user.0).await.done();
    let asked = evidence(&other, json!({})).await;
    let path = asked.done()["evidence"]["url"].as_str().expect("a path").to_owned();
    let begun = std::time::Instant::now();
    while fetch(&other, &path).await != StatusCode::OK {
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "nothing is signed");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    name(&plan, "relieveRecordsOfficer", pat.user.0).await.done();
    assert_eq!(fetch(&other, &path).await, StatusCode::NOT_FOUND);
    // Named, and kept to the clinic: not for the whole plan, as holds are.
    name(&plan, "nameRecordsOfficer", pat.user.0).await.done();
    let scope = PlanScope::Organizations([world.clinic.id].into());
    let scope = PlanStaffCommand::ScopePlanRole { role: PlanRole::Pa, scope, reason: None };
    let (by, staff) =
        (Actor::plan_staff(world.plan_admin.user), world.tenant.plan_staff_stream(pat.user));
    portal.record::<PlanStaff>(by, staff, scope).await;
    let other = portal.client(pat).await;
    let of_clinic = json!({ "organization": world.clinic.id });
    assert_eq!(evidence(&other, of_clinic).await.refused(), "FORBIDDEN");
    portal.finish().await;
}
