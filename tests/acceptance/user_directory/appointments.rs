//! Who makes administrators, and people whom the plan brings in (CC-03, CC-07, CX-05).

use std::time::Duration;

use rollcall_domain::{
    organizations::{Organization, OrganizationEvent},
    policies::Preset,
};
use serde_json::{Value, json};

use super::{change, user};
use crate::support::{Client, Portal};

const REASON: &str = "The administrator left the clinic.";
const EVIDENCE: &str = "Letter of the clinic, 9 January 2026.";

#[tokio::test]
async fn cc_07_who_makes_administrators_is_the_portals_policy() {
    // By an administrator of the organisation; by the plan while there is one.
    for (slug, preset, by_admin, by_plan) in [
        ("medi-cal", Preset::MediCal, true, false),
        ("cencal", Preset::Cencal, true, false),
        ("alliance", Preset::Alliance, true, true),
        ("carecentrix", Preset::Carecentrix, false, false),
        ("hardened", Preset::Hardened, true, false),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let support = portal.client(&world.plan_support).await;
        let appoint = json!({ "role": "ADMIN", "reason": REASON, "evidence": EVIDENCE });
        let answer = change(&support, "assignOrgRole", (world, &world.newcomer), appoint).await;
        if by_plan {
            answer.done();
        } else {
            assert_eq!(answer.refused(), "FORBIDDEN", "{slug}");
        }
        let admin = portal.client(&world.clinic_admin).await;
        let about = (world, &world.processor);
        let answer = change(&admin, "assignOrgRole", about, json!({ "role": "ADMIN" })).await;
        if by_admin {
            answer.done();
        } else {
            assert_eq!(answer.refused(), "FORBIDDEN", "{slug}");
        }
        let stranger = portal.client(&world.hospital_admin).await;
        let about = (world, &world.npi_admin);
        let answer = change(&stranger, "assignOrgRole", about, json!({ "role": "ADMIN" })).await;
        assert_eq!(answer.refused(), "NOT_FOUND", "{slug}: only of the same organization");
        let member = portal.client(&world.npi_admin).await;
        let about = (world, &world.newcomer);
        let answer = change(&member, "assignOrgRole", about, json!({ "role": "ADMIN" })).await;
        assert_eq!(answer.refused(), "NOT_ORG_ADMIN", "{slug}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn cc_07_the_plan_suspends_and_appoints_with_reason_and_evidence_on_record() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    for who in [&world.clinic_second_admin, &world.clinic_admin] {
        let unproven = json!({ "confirm": true, "reason": REASON });
        let answer = change(&support, "deactivateUser", (world, who), unproven).await;
        assert_eq!(answer.refused(), "EVIDENCE_REQUIRED");
        assert_eq!(answer.refusal()["field"], json!(["evidence"]));
        let proven = json!({ "confirm": true, "reason": REASON, "evidence": EVIDENCE });
        change(&support, "deactivateUser", (world, who), proven).await.done();
    }
    let about = (world, &world.npi_admin);
    let unproven = json!({ "role": "ADMIN", "reason": REASON });
    let answer = change(&support, "assignOrgRole", about, unproven).await;
    assert_eq!(answer.refused(), "EVIDENCE_REQUIRED");
    let proven = json!({ "role": "ADMIN", "reason": REASON, "evidence": EVIDENCE });
    change(&support, "assignOrgRole", about, proven).await.done();
    let events = portal.events::<Organization>(world.clinic.id).await;
    let kept = events.iter().filter(|event| {
        let OrganizationEvent::PlanEvidenceRecorded { evidence, .. } = event else { return false };
        evidence.get().is_some_and(|text| text.to_string() == EVIDENCE)
    });
    assert_eq!(kept.count(), 3);
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let document = "{ auditEvents(filter: {
        types: [\"organizations.organization.plan_evidence_recorded\"] }) {
        nodes { sentence } } }";
    let told = auditor.send(document, json!({})).await;
    let sentence =
        "Sam Hill recorded evidence for the change of Nora Diaz's role at Redwood Clinic.";
    assert_eq!(told.data()["auditEvents"]["nodes"][0]["sentence"], sentence);
    let client = portal.client(&world.npi_admin).await;
    let notices = client.send("{ notifications(first: 1) { nodes { text } } }", json!({})).await;
    let text = "Your role in Redwood Clinic was changed.";
    assert_eq!(notices.data()["notifications"]["nodes"][0]["text"], text);
    portal.finish().await;
}

/// The plan's queue: who is to be administrator, and who asked.
async fn queue(plan: &Client) -> Vec<(Value, Value)> {
    let document =
        "{ adminRequests { nodes { organizationName userName requestedByName requestedAt } } }";
    let answer = plan.send(document, json!({})).await;
    let nodes = answer.data()["adminRequests"]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|it| (it["userName"].clone(), it["requestedByName"].clone())).collect()
}

#[tokio::test]
async fn cx_05_a_further_administrator_is_set_up_by_the_plan_on_request() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world();
    let (paul, nora) = (&world.processor, &world.npi_admin);
    let admin = portal.client(&world.clinic_admin).await;
    let support = portal.client(&world.plan_support).await;
    let because = json!({ "reason": "Covers the second office." });
    let request = async |client: &Client, who| {
        change(client, "requestAdditionalAdmin", (world, who), because.clone()).await
    };
    request(&admin, paul).await.done();
    portal.advance(Duration::from_secs(1));
    request(&admin, nora).await.done();
    assert_eq!(request(&admin, paul).await.refused(), "DUPLICATE_REQUEST");
    let other = request(&admin, &world.clinic_second_admin).await;
    assert_eq!(other.refused(), "ALREADY_DECIDED", "an administrator already");
    assert_eq!(request(&portal.client(nora).await, paul).await.refused(), "NOT_ORG_ADMIN");
    let silent = change(&admin, "requestAdditionalAdmin", (world, paul), json!({})).await;
    assert_eq!(silent.refused(), "REASON_REQUIRED");
    let subject = "A further administrator of Redwood Clinic was requested";
    Portal::newest(&portal.mailbox(&world.clinic_admin.email).await, subject);
    let asked = |name: &str| (json!(name), json!("Ann Lee"));
    assert_eq!(queue(&support).await, [asked("Paul Kim"), asked("Nora Diaz")]);
    let hidden = admin.send("{ adminRequests { nodes { userName } } }", json!({})).await;
    assert_eq!(hidden.error_code(), "FORBIDDEN");

    let grant = json!({ "role": "ADMIN", "reason": "Asked by the administrator.",
        "evidence": "The request." });
    change(&support, "assignOrgRole", (world, paul), grant.clone()).await.done();
    let subject = "The health plan appointed an administrator of Redwood Clinic";
    for who in [&world.clinic_admin, paul] {
        Portal::newest(&portal.mailbox(&who.email).await, subject);
    }
    assert_eq!(queue(&support).await, [asked("Nora Diaz")]);
    let decline = json!({ "reason": "No form was signed." });
    let about = (world, nora);
    change(&support, "declineAdditionalAdmin", about, decline.clone()).await.done();
    assert_eq!(queue(&support).await, []);
    let again = change(&support, "declineAdditionalAdmin", about, decline).await;
    assert_eq!(again.refused(), "NOT_PENDING");
    let subject = "The request for a further administrator of Redwood Clinic was declined";
    Portal::newest(&portal.mailbox(&world.clinic_admin.email).await, subject);
    let unasked = change(&support, "assignOrgRole", about, grant).await;
    assert_eq!(unasked.refused(), "FORBIDDEN", "only on request");
    portal.finish().await;
}

#[tokio::test]
async fn cx_05_where_administrators_appoint_nobody_asks_the_plan() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let because = json!({ "reason": "Covers the second office." });
    let about = (world, &world.processor);
    let refused = change(&admin, "requestAdditionalAdmin", about, because).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn cc_03_plan_staff_attach_somebody_whom_the_administrator_misses() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let hana = &world.hospital_admin;
    let support = portal.client(&world.plan_support).await;
    let attach = async |client: &Client, fields: Value| {
        let mut input = json!({ "organizationId": world.clinic.id, "reason": "Asked by Ann Lee." });
        input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        client.mutate("attachUserToOrganization", input, "user { status orgRole unassigned }").await
    };
    let unknown = attach(&support, json!({ "email": "nobody@clinic.example" })).await;
    assert_eq!(unknown.refused(), "USER_UNKNOWN");
    assert_eq!(attach(&support, json!({})).await.refused(), "FIELD_REQUIRED");
    let silent = attach(&support, json!({ "email": hana.email, "reason": null })).await;
    assert_eq!(silent.refused(), "REASON_REQUIRED");
    let admin = portal.client(&world.clinic_admin).await;
    let by_admin = attach(&admin, json!({ "email": hana.email })).await;
    assert_eq!(by_admin.refused(), "FORBIDDEN");

    let done = attach(&support, json!({ "email": hana.email })).await;
    let shown = json!({ "status": "ACTIVE", "orgRole": "NONE", "unassigned": true });
    assert_eq!(done.done()["user"], shown);
    let again = attach(&support, json!({ "userId": hana.user })).await;
    assert_eq!(again.refused(), "EMAIL_TAKEN_IN_ORG");
    user(&admin, world, hana, "email").await.data();
    let name = hana.username.clone().expect("a user name");
    let both = portal.anybody().try_to_sign_in(&name, crate::support::PASSWORD).await;
    assert_eq!(both.done()["memberships"].as_array().map(Vec::len), Some(2));
    let notices = admin.send("{ notifications(first: 1) { nodes { text } } }", json!({})).await;
    let text = "Hana Wu joined Redwood Clinic.";
    assert_eq!(notices.data()["notifications"]["nodes"][0]["text"], text);
    portal.finish().await;
}
