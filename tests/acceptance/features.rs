//! Features on, off or coming soon, and guidance for clients (MC-01, CX-01).

use std::time::Duration;

use rollcall_domain::policies::{PolicyKey, PolicyValue, Preset};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Portal};

const FEATURE: &str = "feature { feature state message }";

async fn switch(client: &Client, feature: &str, state: &str, message: Option<&str>) -> Answer {
    let input = json!({
        "feature": feature, "state": state, "message": message, "reason": "As decided.",
    });
    client.mutate("setFeatureAvailability", input, FEATURE).await
}

/// A feature as visitors meet it.
async fn seen(portal: &Portal, feature: &str) -> Value {
    let visitor = portal.visitor(&portal.world().slug);
    portal.settle().await;
    let document = "{ portal { features { feature state message grantedPerUser } } }";
    let answer = visitor.send(document, json!({})).await;
    let features = answer.data()["portal"]["features"].as_array().expect("features").clone();
    features.into_iter().find(|found| found["feature"] == feature).expect("every feature is told")
}

#[tokio::test]
async fn mc_01_a_feature_coming_soon_shows_its_text_and_rejects_use() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let plan = portal.client(&world.plan_admin).await;
    let nora = portal.client(&world.npi_admin).await;
    let npi = &world.clinic.npis[0];
    let reset = json!({ "organizationId": world.clinic.id, "npi": npi });
    assert_eq!(switch(&plan, "PINS", "COMING_SOON", None).await.refused(), "FIELD_REQUIRED");
    let text = "PINs return in spring.";
    let switched = switch(&plan, "PINS", "COMING_SOON", Some(text)).await;
    assert_eq!(switched.done()["feature"]["message"], text);
    let refused = nora.mutate("resetPin", reset.clone(), "position").await;
    assert_eq!(refused.refused(), "FEATURE_COMING_SOON");
    assert_eq!(refused.refusal()["message"], text);
    let list = "query($of: ID!) { pins(organizationId: $of) { totalCount } }";
    let listed = nora.send(list, json!({ "of": world.clinic.id })).await;
    assert_eq!(listed.body["errors"][0]["extensions"]["reason"], "FEATURE_COMING_SOON");
    let expected = json!({
        "feature": "PINS", "state": "COMING_SOON", "message": text, "grantedPerUser": false,
    });
    assert_eq!(seen(&portal, "PINS").await, expected);
    switch(&plan, "PINS", "ON", None).await.done();
    nora.mutate("resetPin", reset, "position").await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_01_what_is_off_rejects_every_operation_that_belongs_to_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let plan = portal.client(&world.plan_admin).await;
    let ann = portal.client(&world.clinic_admin).await;
    for feature in ["PINS", "AFFILIATIONS", "CORRESPONDENCE"] {
        switch(&plan, feature, "OFF", None).await.done();
        assert_eq!(seen(&portal, feature).await["state"], "OFF");
    }
    let (of, npi) = (world.clinic.id, &world.clinic.npis[0]);
    let types = json!({ "organizationId": of, "userId": world.processor.user, "npis": [npi], "types": ["RAD"] });
    let affiliation = json!({ "organizationId": of, "affiliationId": of, "confirm": true });
    for (mutation, input) in [
        ("resetPin", json!({ "organizationId": of, "npi": npi })),
        ("revealPin", json!({ "organizationId": of, "npi": npi })),
        ("setCorrespondencePermissions", types),
        ("denyAffiliation", affiliation),
    ] {
        let answer = ann.mutate(mutation, input, "position").await;
        assert_eq!(answer.refused(), "FEATURE_DISABLED", "{mutation}");
    }
    for query in [
        "query($of: ID!) { pins(organizationId: $of) { totalCount } }",
        "query($of: ID!) { affiliations(organizationId: $of) { totalCount } }",
        "query($of: ID!) { submitterDirectory(organizationId: $of) { totalCount } }",
    ] {
        let answer = ann.send(query, json!({ "of": of })).await;
        let reason = &answer.body["errors"][0]["extensions"]["reason"];
        assert_eq!(reason, "FEATURE_DISABLED", "{query}");
    }
    let disclosed = plan.send("{ affiliations { totalCount } }", json!({})).await;
    assert_eq!(disclosed.data()["affiliations"]["totalCount"], 0, "the plan still sees them");
    let rights = "query($user: ID!, $of: ID!) {
        effectivePermissions(userId: $user, organizationId: $of) { rights { kind } } }";
    let variables = json!({ "user": world.clinic_admin.user, "of": of });
    let rights = ann.send(rights, variables).await.data().to_string();
    assert!(rights.contains("VIEW_NPI") && !rights.contains("MANAGE_PIN"), "{rights}");
    assert!(!rights.contains("READ_CORRESPONDENCE"), "{rights}");
    portal.finish().await;
}

#[tokio::test]
async fn mc_01_a_parameter_of_its_own_goes_before_and_some_features_are_never_off() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let plan = portal.client(&portal.world().plan_admin).await;
    assert_eq!(switch(&plan, "PINS", "ON", None).await.refused(), "FEATURE_DISABLED");
    assert_eq!(switch(&plan, "USER_MANAGEMENT", "OFF", None).await.refused(), "FIELD_INVALID");
    let support = portal.client(&portal.world().plan_support).await;
    assert_eq!(switch(&support, "CLAIMS", "OFF", None).await.refused(), "FORBIDDEN");
    portal.change_policy(PolicyKey::PinsEnabled, PolicyValue::Boolean(true)).await;
    assert_eq!(seen(&portal, "PINS").await["state"], "ON");
    portal.finish().await;
}

#[tokio::test]
async fn mc_01_every_portal_begins_with_the_features_of_its_preset() {
    for (slug, preset, on, off) in [
        ("medi-cal", Preset::MediCal, "TRANSACTION_SERVICES", "EOP_REPORTS"),
        ("cencal", Preset::Cencal, "EOP_REPORTS", "AFFILIATIONS"),
        ("alliance", Preset::Alliance, "DATA_SUBMISSION", "PINS"),
        ("carecentrix", Preset::Carecentrix, "CHAT", "DATA_SUBMISSION"),
        ("hardened", Preset::Hardened, "CORRESPONDENCE", "CHAT"),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        assert_eq!(seen(&portal, on).await["state"], "ON", "{slug}");
        assert_eq!(seen(&portal, off).await["state"], "OFF", "{slug}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_01_a_switch_may_be_set_for_later_and_stands_in_the_history() {
    let portal = Portal::medi_cal().await;
    let plan = portal.client(&portal.world().plan_admin).await;
    let input = json!({
        "feature": "AFFILIATIONS", "state": "OFF", "reason": "The season is over.",
        "effectiveAt": "2026-01-12T17:10:00Z",
    });
    plan.mutate("setFeatureAvailability", input, FEATURE).await.done();
    portal.advance(Duration::from_secs(599));
    assert_eq!(seen(&portal, "AFFILIATIONS").await["state"], "ON");
    portal.advance(Duration::from_secs(1));
    assert_eq!(seen(&portal, "AFFILIATIONS").await["state"], "OFF");
    let document = "{ policyHistory(first: 1) { nodes { key old new reason effectiveAt } } }";
    let history = plan.send(document, json!({})).await;
    let expected = json!({
        "key": "feature.AFFILIATIONS", "old": "ON", "new": "OFF",
        "reason": "The season is over.", "effectiveAt": "2026-01-12T17:10:00Z",
    });
    assert_eq!(history.data()["policyHistory"]["nodes"][0], expected);
    portal.finish().await;
}

#[tokio::test]
async fn cx_01_content_editors_set_what_visitors_read_about_their_clients() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world();
    let plan = portal.client(&world.plan_admin).await;
    let editor = json!({ "userId": world.plan_support.user, "role": "CE", "reason": "Edits." });
    let guidance = json!({
        "screen": { "width": 1024, "height": 728 },
        "hints": ["Clear temporary files.", "Contact your own IT team."],
    });
    let selection = "clientGuidance { screen { width height } hints }";
    let support = portal.client(&world.plan_support).await;
    let early = support.mutate("setClientGuidance", guidance.clone(), selection).await;
    assert_eq!(early.refused(), "FORBIDDEN");
    plan.mutate("assignPlanRole", editor, "position").await.done();
    let set = support.mutate("setClientGuidance", guidance.clone(), selection).await;
    assert_eq!(set.done()["clientGuidance"], guidance);
    let visitor = portal.visitor("carecentrix");
    let read = visitor.send(&format!("{{ portal {{ {selection} }} }}"), json!({})).await;
    assert_eq!(read.data()["portal"]["clientGuidance"], guidance);
    for (bad, code) in [
        (json!({ "hints": [" "] }), "FIELD_REQUIRED"),
        (json!({ "hints": [], "screen": { "width": 3, "height": 728 } }), "RANGE_INVALID"),
    ] {
        let refused = support.mutate("setClientGuidance", bad, selection).await;
        assert_eq!(refused.refused(), code);
    }
    let other = portal.another_tenant("other-plan", Preset::Carecentrix).await;
    let visitor = portal.visitor(&other.slug);
    let read = visitor.send("{ portal { clientGuidance { hints } } }", json!({})).await;
    assert_eq!(read.data()["portal"]["clientGuidance"], Value::Null);
    portal.finish().await;
}
