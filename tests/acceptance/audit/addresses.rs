//! Events found by the address a request came from, by those who may look for it.

use rollcall_domain::permissions::NpiLevel;
use serde_json::{Value, json};

use super::set_level;
use crate::support::{Client, Portal};

const EVENTS: &str = "query($filter: AuditEventFilter, $min: Position) {
  auditEvents(filter: $filter, minPosition: $min, first: 100) {
    totalCount nodes { type clientAddress actor { kind } } } }";

async fn find(portal: &Portal, client: &Client, address: &str) -> Vec<(String, Value)> {
    let min = portal.position().await.to_string();
    let variables = json!({ "filter": { "clientAddress": address }, "min": min });
    let answer = client.send(EVENTS, variables).await;
    let page = &answer.data()["auditEvents"];
    let nodes = page["nodes"].as_array().expect("events");
    assert_eq!(page["totalCount"], nodes.len());
    let told = nodes.iter().map(|node| {
        (node["type"].as_str().expect("a type").to_owned(), node["clientAddress"].clone())
    });
    told.collect()
}

/// An administrator works from one office, a visitor tries the door from another network.
async fn two_offices(portal: &Portal) {
    let input = json!({ "firstName": "Anna" });
    let admin = portal.client(&portal.world().clinic_admin).await;
    admin.from("192.0.2.7").mutate("updateProfile", input.clone(), "position").await.done();
    admin
        .from("192.0.2.99")
        .mutate("updateProfile", json!({ "firstName": "Ann" }), "position")
        .await
        .done();
    let processor = portal.client(&portal.world().processor).await;
    processor.from("2001:db8::7").mutate("updateProfile", input, "position").await.done();
    portal
        .anybody()
        .from("203.0.113.9")
        .try_to_sign_in("nobody@clinic.example", "no password")
        .await;
}

#[tokio::test]
async fn gn_26_events_are_found_by_the_address_or_the_network_a_request_came_from() {
    let portal = Portal::medi_cal().await;
    two_offices(&portal).await;
    let auditor = portal.client(&portal.world().auditor).await;
    let updated = "users.user.profile_updated".to_owned();
    let one = |address: &str| vec![(updated.clone(), json!(address))];
    assert_eq!(find(&portal, &auditor, "192.0.2.7").await, one("192.0.2.7"));
    assert_eq!(find(&portal, &auditor, "::ffff:192.0.2.7").await, one("192.0.2.7"));
    assert_eq!(find(&portal, &auditor, "2001:db8::/32").await, one("2001:db8::7"));
    let both = [one("192.0.2.99"), one("192.0.2.7")].concat();
    assert_eq!(find(&portal, &auditor, "192.0.2.0/24").await, both);
    assert_eq!(find(&portal, &auditor, "192.0.2.200/24").await, both);
    assert_eq!(find(&portal, &auditor, "192.0.2.8").await, []);
    let administrator = portal.client(&portal.world().plan_admin).await;
    let tried = find(&portal, &administrator, "203.0.113.0/24").await;
    assert_eq!(tried.len(), 1, "{tried:?}");
    assert!(tried[0].0.contains("login_failed"), "{tried:?}");
    // What the service does by itself comes from nowhere.
    let all = find(&portal, &auditor, "0.0.0.0/0").await;
    let own = [updated.as_str(), tried[0].0.as_str()];
    assert!(all.iter().any(|(kind, _)| own.contains(&kind.as_str())), "{all:?}");
    assert!(all.iter().all(|(_, address)| address.is_string()), "{all:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_addresses_are_for_auditors_and_plan_administrators() {
    let portal = Portal::medi_cal().await;
    two_offices(&portal).await;
    let world = portal.world();
    let npi = world.clinic.npis[0].as_str();
    set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::Admin).await;
    portal.settle().await;
    for who in [&world.clinic_admin, &world.processor, &world.plan_support] {
        let client = portal.client(who).await;
        let asked = json!({ "filter": { "clientAddress": "192.0.2.7" } });
        let answer = client.send(EVENTS, asked).await;
        assert_eq!(answer.error_code(), "FORBIDDEN");
        let all = client.send(EVENTS, json!({})).await;
        let nodes = all.data()["auditEvents"]["nodes"].as_array().expect("events").clone();
        assert!(!nodes.is_empty());
        assert!(nodes.iter().all(|node| node["clientAddress"].is_null()), "{nodes:?}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_who_audits_one_organisation_is_shown_addresses_of_its_events_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    // Plan support for all, and auditor of the hospital only.
    let invite = json!({ "userId": world.plan_support.user, "role": "AU",
        "organizationIds": [world.hospital.id], "reason": "Audits the hospital." });
    let plan = portal.client(&world.plan_admin).await;
    plan.mutate("assignPlanRole", invite, "position").await.done();
    two_offices(&portal).await;
    let client = portal.client(&world.plan_support).await;
    let all = client.send(EVENTS, json!({ "min": portal.position().await.to_string() })).await;
    let nodes = all.data()["auditEvents"]["nodes"].as_array().expect("events").clone();
    let told = |kind: &str| nodes.iter().any(|node| node["type"] == kind);
    assert!(told("users.user.profile_updated"), "{nodes:?}");
    assert!(nodes.iter().all(|node| node["clientAddress"].is_null()), "{nodes:?}");
    assert_eq!(find(&portal, &client, "0.0.0.0/0").await, []);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_what_is_no_address_is_refused_and_no_address_is_put_on_record() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    for text in ["", "clinic.example", "192.0.2", "192.0.2.0/33", "192.0.2.7:80"] {
        let answer = auditor.send(EVENTS, json!({ "filter": { "clientAddress": text } })).await;
        assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "FIELD_INVALID", "{text}");
    }
    let input = json!({ "format": "CSV", "filter": { "clientAddress": "192.0.2.7" } });
    let answer = auditor.mutate("exportAuditEvents", input, "position").await;
    assert_eq!(answer.refused(), "FIELD_INVALID");
    portal.finish().await;
}
