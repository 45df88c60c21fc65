//! Asking and signing (MC-54 to MC-57).

use rollcall_domain::{
    organizations::{Organization, OrganizationCommand, OrganizationKind},
    values::AgreementKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Scene, field, id, scene, signature};

#[tokio::test]
async fn mc_54_either_side_asks_and_the_other_sees_the_request() {
    let Scene { portal, world, biller, clinic, hospital, .. } = scene().await;
    let by_biller = biller.ask(world.clinic.id).await;
    let shown = &by_biller.done()["affiliation"];
    assert_eq!(shown["status"], "REQUESTED");
    assert_eq!(shown["initiator"], "SUBMITTER");
    assert_eq!(shown["submitter"]["name"], "Golden Gate Billing");
    assert_eq!(shown["provider"]["name"], "Redwood Clinic");
    assert_eq!(shown["scope"]["allNpis"], true);
    assert_eq!(shown["scope"]["transactionTypes"], json!(["837P", "835"]));
    let by_hospital = hospital.ask(world.biller.id).await;
    assert_eq!(by_hospital.done()["affiliation"]["initiator"], "PROVIDER");
    let (first, second) = (id(&by_biller), id(&by_hospital));
    let requested = |id: &String| (id.clone(), "REQUESTED".to_owned());
    assert_eq!(clinic.list(&portal, "affiliations", "").await, [requested(&first)]);
    assert_eq!(clinic.list(&portal, "affiliations", ", status: ACTIVE").await, []);
    let both = [requested(&second), requested(&first)];
    assert_eq!(biller.list(&portal, "affiliations", "").await, both);
    assert_eq!(hospital.status(&portal, &first).await, Value::Null, "it is none of theirs");
    portal.finish().await;
}

#[tokio::test]
async fn mc_54_kinds_must_fit_and_one_affiliation_is_open_at_a_time() {
    let Scene { portal, world, clinic, biller, .. } = scene().await;
    assert_eq!(clinic.ask(world.hospital.id).await.refused(), "ORG_KIND_WRONG");
    let request = biller.ask(world.clinic.id).await;
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "AFFILIATION_EXISTS");
    assert_eq!(clinic.ask(world.biller.id).await.refused(), "AFFILIATION_EXISTS");
    clinic.approve(&id(&request)).await.done();
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "AFFILIATION_EXISTS");
    portal.finish().await;
}

#[tokio::test]
async fn mc_54_organisations_of_both_kinds_say_on_which_side_they_stand() {
    let Scene { portal, world, clinic, .. } = scene().await;
    for organization in [world.clinic.id, world.biller.id] {
        let kinds = [OrganizationKind::Provider, OrganizationKind::Submitter].into();
        let both = OrganizationCommand::SetOrganizationKinds { kinds };
        portal.decide::<Organization>(organization, both).await;
    }
    let unclear = clinic.ask(world.biller.id).await;
    assert_eq!(unclear.refused(), "FIELD_REQUIRED");
    assert_eq!(field(&unclear, "requestAffiliation"), "side");
    let more = json!({ "counterpartyId": world.biller.id.to_string(), "side": "SUBMITTER" });
    let asked = clinic.ask_with(more).await;
    assert_eq!(asked.done()["affiliation"]["submitter"]["name"], "Redwood Clinic");
    portal.finish().await;
}

#[tokio::test]
async fn mc_55_each_side_signs_once_and_both_signatures_are_kept() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let later = json!({ "counterpartyId": world.clinic.id.to_string(), "signature": null });
    let request = biller.ask_with(later).await;
    assert_eq!(request.done()["affiliation"]["signatures"], json!([]));
    let affiliation = id(&request);
    assert_eq!(clinic.status(&portal, &affiliation).await, Value::Null, "not signed yet");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    let sign = json!({ "affiliationId": affiliation, "signature": signature() });
    let signed = biller.mutate("signAffiliationAgreement", sign.clone()).await;
    assert_eq!(signed.done()["affiliation"]["status"], "REQUESTED");
    let again = biller.mutate("signAffiliationAgreement", sign.clone()).await;
    assert_eq!(again.refused(), "ALREADY_SIGNED");
    let mut theirs = sign;
    theirs["signature"]["firstName"] = json!("Zoë");
    theirs["signature"]["role"] = json!("OFFICE_MANAGER");
    let both = clinic.mutate("signAffiliationAgreement", theirs).await;
    let shown = &both.done()["affiliation"];
    assert_eq!(shown["status"], "ACTIVE");
    let signatures = shown["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 2);
    assert_eq!(
        (&signatures[0]["side"], &signatures[1]["side"]),
        (&json!("SUBMITTER"), &json!("PROVIDER"))
    );
    assert_eq!(signatures[1]["firstName"], "Zoë");
    assert_eq!(signatures[1]["role"], "OFFICE_MANAGER");
    assert!(signatures.iter().all(|one| one["agreementVersion"] == "2026-01"));
    assert!(signatures.iter().all(|one| one["sha256"].as_str().unwrap().len() == 64));
    portal.finish().await;
}

#[tokio::test]
async fn mc_56_a_submitter_finds_a_provider_and_has_it_in_its_network() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    for more in [
        json!({ "counterpartyId": Uuid::new_v4().to_string() }),
        json!({ "counterpartyNpi": "2999999990" }),
    ] {
        assert_eq!(biller.ask_with(more).await.refused(), "PROVIDER_NOT_FOUND");
    }
    let npi = &world.clinic.npis[1];
    let of_others = json!({
        "counterpartyNpi": npi,
        "scope": { "npis": [npi, world.hospital.npis[0]], "transactionTypes": ["837P"] },
    });
    let refused = biller.ask_with(of_others).await;
    assert_eq!(refused.refused(), "NPI_NOT_IN_ORG");
    let unknown_type = json!({
        "counterpartyNpi": npi, "scope": { "transactionTypes": ["837P", "999X"] },
    });
    let refused = biller.ask_with(unknown_type).await;
    assert_eq!(refused.refused(), "TYPE_UNKNOWN");
    assert_eq!(field(&refused, "requestAffiliation"), "scope.transactionTypes.1");
    let one = json!({
        "counterpartyNpi": npi, "scope": { "npis": [npi], "transactionTypes": ["837P"] },
    });
    let request = biller.ask_with(one).await;
    assert_eq!(request.done()["affiliation"]["provider"]["name"], "Redwood Clinic");
    assert_eq!(request.done()["affiliation"]["scope"]["npis"], json!([npi]));
    let network = biller.list(&portal, "providerNetwork", "").await;
    assert_eq!(network, [(id(&request), "REQUESTED".to_owned())]);
    assert_eq!(clinic.list(&portal, "providerNetwork", "").await, []);
    portal.finish().await;
}

#[tokio::test]
async fn mc_57_a_signature_needs_the_box_both_names_a_role_and_the_version_in_force() {
    let Scene { portal, world, biller, .. } = scene().await;
    let with = |name: &str, value: Value| {
        let mut signature = signature();
        signature[name] = value;
        json!({ "counterpartyId": world.clinic.id.to_string(), "signature": signature })
    };
    let before = portal.position().await;
    for (name, value, code) in [
        ("eligibilityConfirmed", json!(false), "BOX_NOT_TICKED"),
        ("firstName", json!(" "), "NAME_REQUIRED"),
        ("lastName", json!(""), "NAME_REQUIRED"),
        ("firstName", json!("A\u{0}"), "NAME_INVALID"),
        ("role", json!("JANITOR"), "ROLE_UNKNOWN"),
        ("agreementVersion", json!("1999"), "AGREEMENT_UNKNOWN"),
    ] {
        let refused = biller.ask_with(with(name, value)).await;
        assert_eq!(refused.refused(), code, "{name}");
        assert_eq!(field(&refused, "requestAffiliation"), format!("signature.{name}"));
    }
    assert_eq!(portal.position().await, before, "nothing has changed");
    let newer = ["ELIGIBILITY", "RECEIVER"];
    portal.publish(AgreementKind::AffiliationAgreement, "2026-02", &newer).await;
    let old = biller.ask(world.clinic.id).await;
    assert_eq!(old.refused(), "AGREEMENT_SUPERSEDED");
    let one_box = with("agreementVersion", json!("2026-02"));
    let refused = biller.ask_with(one_box.clone()).await;
    assert_eq!(refused.refused(), "BOX_NOT_TICKED");
    assert_eq!(field(&refused, "requestAffiliation"), "signature.boxes");
    let mut all_boxes = one_box;
    all_boxes["signature"]["boxes"] = json!(["RECEIVER"]);
    biller.ask_with(all_boxes).await.done();
    let roles = biller.client.send("{ affiliationSignerRoles { role label } }", json!({})).await;
    assert_eq!(
        roles.data()["affiliationSignerRoles"][0],
        json!({ "role": "OWNER", "label": "Owner" })
    );
    portal.finish().await;
}
