//! The plan's own attestation: who may sign it, and who of an organisation has (CC-14).

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, Portal};

/// Publishes a version of the plan's statement, as its administrators do.
async fn publish(plan: &Client, version: &str) -> Answer {
    let input = json!({
        "kind": "PLAN_ATTESTATION", "version": version, "title": "Attestation",
        "text": format!("We attest, version {version}."),
        "boxes": [{ "key": "ATTEST", "label": "I attest to this." }],
    });
    plan.mutate("publishAgreement", input, "agreement { sha256 }").await
}

async fn sign(client: &Client, portal: &Portal, version: &str, boxes: &[&str]) -> Answer {
    let input = json!({
        "organizationId": portal.world().clinic.id, "version": version, "boxes": boxes,
    });
    let shown = "attestation { signed signatures { version sha256 boxes signedAt } }";
    client.mutate("signAttestation", input, shown).await
}

async fn grant(portal: &Portal, who: &Person, mutation: &str) {
    let admin = portal.client(&portal.world().clinic_admin).await;
    let input = json!({
        "organizationId": portal.world().clinic.id, "userId": who.user, "feature": "ATTESTATION",
    });
    admin.mutate(mutation, input, "position").await.done();
}

/// `Name holds signed versions`, in the order of the names.
async fn listed(client: &Client, portal: &Portal, arguments: &str) -> Vec<String> {
    let at = portal.position().await;
    let document = format!(
        "query($of: ID!) {{ attestations(organizationId: $of, minPosition: \"{at}\" {arguments}) {{
            totalCount
            nodes {{ user {{ name }} holdsFeature signed signatures {{ version }} }} }} }}"
    );
    let answer = client.send(&document, json!({ "of": portal.world().clinic.id })).await;
    let found = &answer.data()["attestations"];
    let nodes = found["nodes"].as_array().expect("nodes").clone();
    assert_eq!(found["totalCount"], nodes.len(), "{found}");
    let line = |node: &Value| {
        let versions: Vec<_> = node["signatures"]
            .as_array()
            .expect("signatures")
            .iter()
            .map(|signature| signature["version"].as_str().expect("a version"))
            .collect();
        let name = node["user"]["name"].as_str().expect("a name");
        format!("{name} {} {} {}", node["holdsFeature"], node["signed"], versions.join(","))
    };
    let mut lines: Vec<String> = nodes.iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn cc_14_only_holders_sign_the_version_in_force_once() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let plan = portal.client(&world.plan_admin).await;
    let (admin, paul) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.processor).await);
    grant(&portal, &world.processor, "grantFeature").await;
    let unpublished = sign(&paul, &portal, "1", &["ATTEST"]).await;
    assert_eq!(unpublished.refused(), "AGREEMENT_UNKNOWN");
    let published = publish(&plan, "1").await;
    let sha256 = published.done()["agreement"]["sha256"].clone();
    // Administering an organisation brings no such feature (CC-10).
    let refused = sign(&admin, &portal, "1", &["ATTEST"]).await;
    assert_eq!(refused.refused(), "FEATURE_NOT_GRANTED");
    assert_eq!(sign(&paul, &portal, "1", &[]).await.refused(), "BOX_NOT_TICKED");
    assert_eq!(sign(&paul, &portal, "0", &["ATTEST"]).await.refused(), "AGREEMENT_UNKNOWN");
    let signed = sign(&paul, &portal, "1", &["ATTEST"]).await;
    let expected = json!({ "signed": true, "signatures": [{ "version": "1", "sha256": sha256,
        "boxes": ["ATTEST"], "signedAt": "2026-01-12T17:00:00Z" }] });
    assert_eq!(signed.done()["attestation"], expected);
    assert_eq!(sign(&paul, &portal, "1", &["ATTEST"]).await.refused(), "ALREADY_SIGNED");
    let accept = json!({ "kind": "PLAN_ATTESTATION", "version": "1", "boxes": ["ATTEST"] });
    let accepted = admin.mutate("acceptAgreement", accept, "position").await;
    assert_eq!(accepted.refused(), "FIELD_INVALID", "it is signed, not accepted");
    publish(&plan, "2").await.done();
    assert_eq!(sign(&paul, &portal, "1", &["ATTEST"]).await.refused(), "AGREEMENT_SUPERSEDED");
    sign(&paul, &portal, "2", &["ATTEST"]).await.done();
    publish(&plan, "3").await.done();
    grant(&portal, &world.processor, "revokeFeature").await;
    let late = sign(&paul, &portal, "3", &["ATTEST"]).await;
    assert_eq!(late.refused(), "FEATURE_NOT_GRANTED", "a right revoked signs nothing");
    portal.finish().await;
}

#[tokio::test]
async fn cc_14_the_plan_and_its_auditors_see_who_signed_what_and_who_has_not() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let plan = portal.client(&world.plan_admin).await;
    let paul = portal.client(&world.processor).await;
    for who in [&world.processor, &world.npi_admin] {
        grant(&portal, who, "grantFeature").await;
    }
    publish(&plan, "1").await.done();
    sign(&paul, &portal, "1", &["ATTEST"]).await.done();
    for reader in [&world.plan_admin, &world.plan_support, &world.auditor, &world.clinic_admin] {
        let reader = portal.client(reader).await;
        let all = ["Nora Diaz true false ", "Paul Kim true true 1"];
        assert_eq!(listed(&reader, &portal, "").await, all);
        assert_eq!(listed(&reader, &portal, "signed: false").await, ["Nora Diaz true false "]);
        assert_eq!(listed(&reader, &portal, "signed: true").await, ["Paul Kim true true 1"]);
    }
    assert_eq!(listed(&paul, &portal, "").await, ["Paul Kim true true 1"], "themselves");
    publish(&plan, "2").await.done();
    grant(&portal, &world.processor, "revokeFeature").await;
    let auditor = portal.client(&world.auditor).await;
    let now = ["Nora Diaz true false ", "Paul Kim false false 1"];
    assert_eq!(listed(&auditor, &portal, "").await, now, "a signature is not lost from sight");
    assert_eq!(listed(&auditor, &portal, "signed: false").await, ["Nora Diaz true false "]);
    let then = listed(&auditor, &portal, "version: \"1\" signed: true").await;
    assert_eq!(then, ["Paul Kim false true 1"]);
    let hana = portal.client(&world.hospital_admin).await;
    let document = "query($of: ID!) { attestations(organizationId: $of) { nodes { signed } } }";
    let foreign = hana.send(document, json!({ "of": world.clinic.id })).await;
    assert_eq!(foreign.error_code(), "NOT_FOUND");
    let at = portal.position().await.to_string();
    let events = "query($at: Position) {
        auditEvents(first: 100, minPosition: $at) { nodes { sentence } } }";
    let told = auditor.send(events, json!({ "at": at })).await.data().to_string();
    let sentence = "Paul Kim signed version 1 of the Plan attestation for Redwood Clinic.";
    assert!(told.contains(sentence), "{told}");
    portal.finish().await;
}

#[tokio::test]
async fn cc_14_a_job_role_that_bundles_the_feature_makes_a_holder() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let (plan, admin) =
        (portal.client(&world.plan_admin).await, portal.client(&world.clinic_admin).await);
    publish(&plan, "1").await.done();
    let define = json!({
        "organizationId": world.clinic.id, "name": "Compliance", "features": ["ATTESTATION"],
    });
    let role = admin.mutate("defineJobRole", define, "jobRole { id }").await;
    let role = role.done()["jobRole"]["id"].clone();
    let paul = portal.client(&world.processor).await;
    assert_eq!(sign(&paul, &portal, "1", &["ATTEST"]).await.refused(), "FEATURE_NOT_GRANTED");
    let assign = json!({
        "organizationId": world.clinic.id, "userId": world.processor.user, "jobRoleId": role,
    });
    admin.mutate("assignJobRole", assign, "position").await.done();
    assert_eq!(listed(&admin, &portal, "").await, ["Paul Kim true false "]);
    sign(&paul, &portal, "1", &["ATTEST"]).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_14_portals_without_the_feature_have_nothing_to_sign() {
    for (slug, preset) in [
        ("medi-cal", Preset::MediCal),
        ("alliance", Preset::Alliance),
        ("carecentrix", Preset::Carecentrix),
        ("hardened", Preset::Hardened),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let paul = portal.client(&world.processor).await;
        assert_eq!(sign(&paul, &portal, "1", &["ATTEST"]).await.refused(), "FEATURE_DISABLED");
        let plan = portal.client(&world.plan_admin).await;
        assert!(listed(&plan, &portal, "").await.is_empty(), "{slug}");
        portal.finish().await;
    }
}
