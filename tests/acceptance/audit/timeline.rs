//! What `auditEvents` answers.

use rollcall_domain::permissions::NpiLevel;
use serde_json::{Value, json};

use super::set_level;
use crate::support::{Client, Portal};

const EVENTS: &str = "query($filter: AuditEventFilter, $order: AuditEventOrder, $first: Int,
    $after: String, $min: Position, $asOf: Position) {
  auditEvents(filter: $filter, orderBy: $order, first: $first, after: $after, minPosition: $min,
              asOfPosition: $asOf) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id position type outcome sentence before after npi command correlationId recordedAt
            actor { kind name } subject { name } subjectOrganization { name } } } }";

async fn events(client: &Client, variables: Value) -> Value {
    client.send(EVENTS, variables).await.data()["auditEvents"].clone()
}

#[tokio::test]
async fn gn_26_a_change_is_told_in_plain_english_with_before_and_after() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let (by, of) = (&world.clinic_admin, &world.processor);
    let position = set_level(&portal, by, of, npi, NpiLevel::Processor).await;
    let auditor = portal.client(&world.auditor).await;
    let found = events(
        &auditor,
        json!({ "min": position.to_string(), "filter": {
        "types": ["permissions.membership.npi_permission_set"], "npi": npi } }),
    )
    .await;
    assert_eq!(found["totalCount"], 1);
    let event = &found["nodes"][0];
    assert_eq!(
        event["sentence"],
        "Ann Lee set Paul Kim's permission for NPI 1245319599 (Redwood Clinic) from None to Processor."
    );
    assert_eq!(event["before"], json!({ "value": "NONE" }));
    assert_eq!(event["after"]["value"], "PROCESSOR");
    assert_eq!(event["actor"], json!({ "kind": "USER", "name": "Ann Lee" }));
    assert_eq!(event["subject"]["name"], "Paul Kim");
    assert_eq!(event["subjectOrganization"]["name"], "Redwood Clinic");
    assert_eq!(event["outcome"], "SUCCEEDED");
    assert_eq!(event["position"], position.to_string());
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_pages_follow_each_other_in_either_order_and_stand_still_while_events_come() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    portal.settle().await;
    let newest = events(&auditor, json!({ "first": 3 })).await;
    let positions = |page: &Value| -> Vec<i64> {
        let nodes = page["nodes"].as_array().expect("nodes");
        nodes.iter().map(|node| node["position"].as_str().unwrap().parse().unwrap()).collect()
    };
    let first = positions(&newest);
    assert_eq!(first, [first[0], first[0] - 1, first[0] - 2], "newest first, without a gap");
    let npi = world.clinic.npis[1].as_str();
    let level = NpiLevel::Admin;
    let position = set_level(&portal, &world.clinic_admin, &world.processor, npi, level).await;
    let after = newest["pageInfo"]["endCursor"].clone();
    let next = json!({ "first": 2, "after": after, "min": position.to_string() });
    assert_eq!(positions(&events(&auditor, next).await), [first[2] - 1, first[2] - 2]);
    let order = json!({ "field": "POSITION", "direction": "ASC" });
    let oldest = events(&auditor, json!({ "first": 2, "order": order })).await;
    assert_eq!(positions(&oldest), [1, 2]);
    let known_then = events(&auditor, json!({ "first": 1, "asOf": "7" })).await;
    assert_eq!((positions(&known_then), &known_then["totalCount"]), (vec![7], &json!(7)));
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_events_are_found_by_actor_subject_organisation_time_and_correlation() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let level = NpiLevel::Admin;
    let position = set_level(&portal, &world.clinic_admin, &world.processor, npi, level).await;
    let auditor = portal.client(&world.auditor).await;
    let all = events(&auditor, json!({ "first": 1, "min": position.to_string() })).await;
    let find = async |filter: Value| events(&auditor, json!({ "filter": filter })).await;
    let set =
        find(json!({ "actor": world.clinic_admin.user, "subject": world.processor.user })).await;
    assert_eq!(set["totalCount"], 1, "{set}");
    let event = &set["nodes"][0];
    // What the command caused shares the correlation: the notices that tell the person and the
    // organisation's administrators of it.
    portal.settle().await;
    let together = find(json!({ "correlationId": event["correlationId"] })).await;
    let types: Vec<_> =
        together["nodes"].as_array().unwrap().iter().map(|node| &node["type"]).collect();
    assert_eq!(
        types,
        [
            "notifications.notification.notification_raised",
            "notifications.notification.notification_raised",
            "permissions.membership.npi_permission_set"
        ]
    );
    let hospital = find(json!({ "organization": world.hospital.id })).await;
    let of_hospital = hospital["totalCount"].as_i64().expect("a count");
    assert!(0 < of_hospital && of_hospital < all["totalCount"].as_i64().unwrap());
    let since = find(json!({ "from": event["recordedAt"], "types": [event["type"]] })).await;
    assert_eq!(since["totalCount"], 1);
    let before = find(json!({ "to": event["recordedAt"], "actor": world.clinic_admin.user })).await;
    assert!(before["nodes"].as_array().unwrap().iter().all(|node| node["npi"] != npi));
    portal.finish().await;
}

#[tokio::test]
async fn bad_filters_are_refused_with_their_field() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    for (variables, reason, field) in [
        (json!({ "first": 101 }), "PAGE_SIZE_EXCEEDED", "first"),
        (json!({ "after": "nonsense" }), "FIELD_INVALID", "after"),
        (json!({ "filter": { "npi": "1234567890" } }), "NPI_INVALID", "filter"),
        (json!({ "filter": { "from": "yesterday" } }), "DATE_INVALID", "filter"),
        (json!({ "filter": { "subject": "nobody" } }), "NOT_FOUND", "filter"),
    ] {
        let answer = auditor.send(EVENTS, variables).await;
        let extensions = &answer.body["errors"][0]["extensions"];
        assert_eq!(extensions["reason"], reason, "{}", answer.body);
        assert_eq!(extensions["field"][0], field, "{}", answer.body);
    }
    let range = json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" });
    let answer = auditor.send(EVENTS, json!({ "filter": range })).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "RANGE_INVALID");
    let visitor = portal.visitor("medi-cal").send(EVENTS, json!({})).await;
    assert_eq!(visitor.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn an_event_is_found_by_its_global_id_by_whoever_may_see_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let (by, of) = (&world.clinic_admin, &world.processor);
    let position = set_level(&portal, by, of, npi, NpiLevel::Processor).await;
    let auditor = portal.client(&world.auditor).await;
    let newest = json!({ "min": position.to_string(), "filter": { "npi": npi }, "first": 1 });
    let id = events(&auditor, newest).await["nodes"][0]["id"].clone();
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let nobody = "00000000-0000-0000-0000-000000000001";
    let answer = auditor.send(document, json!({ "ids": [id, nobody] })).await;
    assert_eq!(answer.data()["nodes"], json!([{ "__typename": "AuditEvent", "id": id }, null]));
    let stranger = portal.client(&world.hospital_admin).await;
    let answer =
        stranger.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(answer.data()["node"], Value::Null);
    let other = portal.another_tenant("cencal", rollcall_domain::policies::Preset::Cencal).await;
    let preset = rollcall_domain::policies::Preset::Cencal;
    let foreign = portal.client_in(&other, preset, &other.auditor).await;
    let answer =
        foreign.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(answer.data()["node"], Value::Null);
    let many: Vec<_> = (0..101).map(|_| nobody).collect();
    let answer = auditor.send(document, json!({ "ids": many })).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "PAGE_SIZE_EXCEEDED");
    portal.finish().await;
}
