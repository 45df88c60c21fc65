//! Deciding: by whom, once, and with what effect (CC-12, GN-13).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::{approve, ask, decide, features, id, listed, queue, status};
use crate::support::Portal;

#[tokio::test]
async fn cc_12_an_approval_issues_the_grants_in_the_same_append() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let admin = portal.client(&world.clinic_admin).await;
    let items = json!([{ "feature": "EOP_REPORTS" }, { "npi": world.clinic.npis[1] }]);
    let request = id(&ask(&paul, world, items).await);
    let before = portal.position().await;
    assert_eq!(status(&approve(&admin, world, &request).await), "APPROVED");
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let at = portal.position().await.to_string();
    let document = "query($at: Position) { auditEvents(first: 20, minPosition: $at) {
        nodes { position command correlationId sentence } } }";
    let answer = auditor.send(document, json!({ "at": at })).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    let of_it: Vec<&Value> =
        nodes.iter().filter(|node| node["command"] == "DecideAccessRequest").collect();
    assert_eq!(of_it.len(), 3, "the decision and two grants: {nodes:?}");
    assert!(of_it.iter().all(|node| node["correlationId"] == of_it[0]["correlationId"]));
    let sentences = of_it.iter().map(|node| node["sentence"].to_string()).collect::<String>();
    for part in ["Ann Lee approved Paul Kim's request", "granted Paul Kim the feature EOP reports"]
    {
        assert!(sentences.contains(part), "{sentences}");
    }
    assert!(portal.position().await >= before + 3);
    let register = "query($user: ID!, $at: Position) {
        accessRegister(userId: $user, right: USE_FEATURE, minPosition: $at) {
          nodes { level cause { kind } } } }";
    let variables = json!({ "user": world.processor.user, "at": at });
    let answer = auditor.send(register, variables).await;
    let expected = json!([{ "level": "EOP_REPORTS", "cause": { "kind": "REQUEST" } }]);
    assert_eq!(answer.data()["accessRegister"]["nodes"], expected);
    portal.finish().await;
}

#[tokio::test]
async fn cc_12_a_denial_says_why_and_gives_nothing() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let admin = portal.client(&world.clinic_admin).await;
    let request = id(&ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await);
    let silent = decide(&admin, world, &request, "DENY", json!({})).await;
    assert_eq!(silent.refused(), "REASON_REQUIRED");
    let stale = json!({ "reason": "No.", "expectedVersion": 7 });
    let stale = decide(&admin, world, &request, "DENY", stale).await;
    assert_eq!(stale.refused(), "VERSION_CONFLICT");
    let denied = decide(&admin, world, &request, "DENY", json!({ "reason": "Not needed." })).await;
    let shown = &denied.done()["accessRequest"];
    assert_eq!((&shown["status"], &shown["answer"]), (&json!("DENIED"), &json!("Not needed.")));
    assert_eq!(approve(&admin, world, &request).await.refused(), "ALREADY_DECIDED");
    assert_eq!(listed(&paul, &portal, "MINE").await, ["DENIED Paul Kim"]);
    assert!(!features(&portal, &world.processor).await.iter().any(|it| it.contains("CLAIMS")));
    portal.finish().await;
}

#[tokio::test]
async fn cc_12_only_the_side_it_waits_for_decides_and_nobody_about_themself() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let (paul, abe) =
        (portal.client(&world.processor).await, portal.client(&world.clinic_second_admin).await);
    let support = portal.client(&world.plan_support).await;
    let request = id(&ask(&paul, world, json!([{ "feature": "CLAIMS" }])).await);
    assert_eq!(approve(&paul, world, &request).await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(approve(&support, world, &request).await.refused(), "NOT_ORG_ADMIN");
    let hana = portal.client(&world.hospital_admin).await;
    assert_eq!(approve(&hana, world, &request).await.refused(), "NOT_FOUND");
    approve(&abe, world, &request).await.done();
    let own = id(&ask(&abe, world, json!([{ "feature": "ATTESTATION" }])).await);
    assert_eq!(approve(&abe, world, &own).await.refused(), "SELF_APPROVAL");
    assert!(listed(&abe, &portal, "TO_DECIDE").await.is_empty());
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_an_administrator_who_needs_more_asks_another_one_or_the_plan() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let (ann, abe) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.clinic_second_admin).await);
    let support = portal.client(&world.plan_support).await;
    let asked = ask(&ann, world, json!([{ "feature": "EFT_REPORTS" }])).await;
    assert_eq!(status(&asked), "OPEN");
    approve(&abe, world, &id(&asked)).await.done();
    let held = features(&portal, &world.clinic_admin).await;
    assert!(held.contains(&"USE_FEATURE EFT_REPORTS DIRECT".to_owned()), "{held:?}");
    let left = json!({ "organizationId": world.clinic.id, "userId": world.clinic_second_admin.user,
        "confirm": true, "reason": "left" });
    ann.mutate("deactivateUser", left, "position").await.done();
    let asked = ask(&ann, world, json!([{ "feature": "ATTESTATION" }])).await;
    let shown = &asked.done()["accessRequest"];
    assert_eq!(
        (&shown["status"], &shown["routedBecause"]),
        (&json!("ROUTED"), &json!("NO_ADMINISTRATOR"))
    );
    assert_eq!(queue(&support, &portal, "").await, ["FEATURE ROUTED"]);
    approve(&support, world, &id(&asked)).await.done();
    assert!(queue(&support, &portal, "").await.is_empty());
    let held = features(&portal, &world.clinic_admin).await;
    assert!(held.contains(&"USE_FEATURE ATTESTATION DIRECT".to_owned()), "{held:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_access_asked_for_until_a_moment_ends_then() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let admin = portal.client(&world.clinic_admin).await;
    let input = |until: &str| {
        json!({ "organizationId": world.clinic.id, "items": [{ "feature": "CLAIMS" }],
            "why": "A week of cover.", "until": until })
    };
    let selection = "accessRequest { id }";
    let past = paul.mutate("requestAccess", input("2026-01-12T17:00:00Z"), selection).await;
    assert_eq!(past.refused(), "RANGE_INVALID");
    let asked = paul.mutate("requestAccess", input("2026-01-12T18:00:00Z"), selection).await;
    approve(&admin, world, &id(&asked)).await.done();
    portal.advance(Duration::from_secs(3599));
    let holds = async || features(&portal, &world.processor).await.join(" ").contains("CLAIMS");
    assert!(holds().await);
    portal.advance(Duration::from_secs(1));
    assert!(!holds().await);
    portal.finish().await;
}
