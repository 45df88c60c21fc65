//! What the other side decides, and who is told (MC-58 to MC-60).

use rollcall_domain::policies::{PolicyKey, PolicyValue};
use serde_json::json;

use super::{Desk, Scene, desk, id, scene, signature};
use crate::support::Portal;

/// The types of somebody's notices, newest first.
async fn notices(desk: &Desk) -> Vec<String> {
    let document = "{ notifications(first: 100) { nodes { type } } }";
    let answer = desk.client.send(document, json!({})).await;
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("a list");
    nodes.iter().map(|node| node["type"].as_str().expect("a type").to_owned()).collect()
}

#[tokio::test]
async fn mc_58_the_requester_is_told_in_the_portal_and_by_mail_what_was_decided() {
    let Scene { portal, world, biller, clinic, hospital, .. } = scene().await;
    portal.settle().await;
    let before = notices(&biller).await;
    let (one, other) =
        (id(&biller.ask(world.clinic.id).await), id(&biller.ask(world.hospital.id).await));
    assert_eq!(biller.status(&portal, &one).await, "REQUESTED");
    clinic.approve(&one).await.done();
    hospital.deny(&other, true).await.done();
    assert_eq!(biller.status(&portal, &one).await, "ACTIVE");
    assert_eq!(biller.status(&portal, &other).await, "DENIED");
    let mail = portal.mailbox(&world.biller_admin.email).await;
    Portal::newest(&mail, "Redwood Clinic approved the affiliation");
    Portal::newest(&mail, "Bayview Hospital denied the affiliation");
    let told = notices(&biller).await;
    assert_eq!(told, [vec!["AFFILIATION_DECISION".to_owned(); 2], before].concat());
    portal.finish().await;
}

#[tokio::test]
async fn mc_58_the_notice_says_approved_or_denied_and_by_which_organization() {
    let Scene { portal, world, biller, clinic, hospital, .. } = scene().await;
    let (one, other) =
        (id(&biller.ask(world.clinic.id).await), id(&biller.ask(world.hospital.id).await));
    clinic.approve(&one).await.done();
    hospital.deny(&other, true).await.done();
    portal.settle().await;
    let texts = "{ notifications(first: 2) { nodes { title text } } }";
    let told = biller.client.send(texts, json!({})).await;
    let denied = "Bayview Hospital denied the affiliation with Golden Gate Billing.";
    let approved = "Redwood Clinic approved the affiliation with Golden Gate Billing.";
    assert_eq!(
        told.data()["notifications"]["nodes"],
        json!([
            { "title": "Affiliation decision", "text": denied },
            { "title": "Affiliation decision", "text": approved },
        ])
    );
    let mail = portal.mailbox(&world.biller_admin.email).await;
    let both = format!("{told:?} {mail:?}");
    for person in ["Ann", "Lee", "Hana", "Wu"] {
        let named = both.split(|c: char| !c.is_alphanumeric()).any(|word| word == person);
        assert!(!named, "{person} is named: {both}");
    }
    let asked = clinic.client.send(texts, json!({})).await;
    let request = "Golden Gate Billing asks for an affiliation with Redwood Clinic.";
    assert_eq!(asked.data()["notifications"]["nodes"][0]["text"], request);
    portal.finish().await;
}

#[tokio::test]
async fn mc_47_a_processor_of_the_organization_finds_its_notices_and_changes_nothing() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let promote = json!({
        "organizationId": world.clinic.id, "userId": world.newcomer.user, "role": "PROCESSOR",
    });
    clinic.client.mutate("assignOrgRole", promote, "user { orgRole }").await.done();
    portal.settle().await;
    let promoted = desk(&portal, &world.newcomer).await;
    let ordinary = desk(&portal, &world.npi_admin).await;
    let unread = async |desk: &Desk| {
        let answer = desk.client.send("{ unreadCount }", json!({})).await;
        answer.data()["unreadCount"].as_i64().expect("a number")
    };
    let (before, elsewhere) = (unread(&promoted).await, unread(&ordinary).await);
    let affiliation = id(&biller.ask(world.clinic.id).await);
    portal.settle().await;
    assert_eq!(notices(&promoted).await[0], "AFFILIATION_REQUEST");
    assert_eq!(unread(&promoted).await, before + 1);
    let tiles = "{ dashboard { tiles { kind count } } }";
    let tiles = promoted.client.send(tiles, json!({})).await;
    let tile = json!({ "kind": "NOTIFICATIONS", "count": before + 1 });
    let shown = tiles.data()["dashboard"]["tiles"].as_array().expect("tiles").contains(&tile);
    assert!(shown, "{}", tiles.body);

    assert_eq!(promoted.approve(&affiliation).await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(promoted.deny(&affiliation, true).await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(unread(&ordinary).await, elsewhere, "who is neither finds none");
    let mail = portal.mailbox(&world.newcomer.email).await;
    let asked = |message: &serde_json::Value| message["subject"].to_string().contains("asks for");
    assert!(!mail.iter().any(asked), "administrators alone are mailed: {mail:?}");
    portal.finish().await;
}

#[tokio::test]
async fn mc_59_who_was_asked_approves_by_signing_and_it_is_in_force() {
    let Scene { portal, world, biller, clinic, hospital, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    let pending = [(affiliation.clone(), "REQUESTED".to_owned())];
    assert_eq!(clinic.list(&portal, "pendingAffiliations", "").await, pending);
    assert_eq!(biller.list(&portal, "pendingAffiliations", "").await, []);
    assert_eq!(biller.approve(&affiliation).await.refused(), "NOT_COUNTERPARTY");
    assert_eq!(hospital.approve(&affiliation).await.refused(), "NOT_FOUND");
    let stale = json!({
        "affiliationId": affiliation, "signature": signature(), "expectedVersion": 1,
    });
    assert_eq!(clinic.mutate("approveAffiliation", stale).await.refused(), "VERSION_CONFLICT");
    let approved = clinic.approve(&affiliation).await;
    let shown = &approved.done()["affiliation"];
    assert_eq!(shown["status"], "ACTIVE");
    assert_eq!(shown["effectiveFrom"], "2026-01-12T17:00:00Z");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    assert_eq!(clinic.list(&portal, "pendingAffiliations", "").await, []);
    portal.finish().await;
}

#[tokio::test]
async fn mc_59_administrators_only_decide() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    let processor = desk(&portal, &world.processor).await;
    assert_eq!(processor.approve(&affiliation).await.refused(), "NOT_ORG_ADMIN");
    portal.change_policy(PolicyKey::AffiliationsEnabled, PolicyValue::Boolean(false)).await;
    assert_eq!(clinic.approve(&affiliation).await.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_60_a_denial_is_confirmed_first_whichever_side_was_asked() {
    let Scene { portal, world, biller, clinic, hospital, .. } = scene().await;
    let by_submitter = id(&biller.ask(world.clinic.id).await);
    let by_provider = id(&hospital.ask(world.biller.id).await);
    for (asked, decides, affiliation) in
        [(&biller, &clinic, &by_submitter), (&hospital, &biller, &by_provider)]
    {
        assert_eq!(asked.deny(affiliation, true).await.refused(), "NOT_COUNTERPARTY");
        assert_eq!(decides.deny(affiliation, false).await.refused(), "CONFIRMATION_REQUIRED");
        let denied = decides.deny(affiliation, true).await;
        assert_eq!(denied.done()["affiliation"]["status"], "DENIED");
        assert_eq!(denied.done()["affiliation"]["reason"], "Not our biller.");
        assert_eq!(decides.approve(affiliation).await.refused(), "NOT_PENDING");
    }
    portal.finish().await;
}
