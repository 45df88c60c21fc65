//! What `accessExposure` answers: from when to when somebody held a right, entitled and enforced.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{permissions::NpiLevel, policies::Preset};
use serde_json::{Value, json};

use super::{keep_to, set_level};
use crate::support::{Client, Portal};

const EXPOSURE: &str = "query($right: AccessRight!, $npi: NPI, $of: String, $user: ID,
    $organization: ID, $from: DateTime, $to: DateTime, $position: Position, $min: Position,
    $first: Int, $after: String) {
  accessExposure(right: $right, npi: $npi, of: $of, userId: $user, organizationId: $organization,
                 during: { from: $from, to: $to }, asOfPosition: $position, minPosition: $min,
                 first: $first, after: $after) {
    asOfPosition asOf pageInfo { hasNextPage endCursor }
    nodes { user { name } organization { name } entitledFrom entitledUntil enforcedFrom enforcedUntil
            entitled { from until } enforced { from until }
            enforcedWithoutRightSeconds entitledWithoutEffectSeconds
            began { kind eventPosition sentence } ended { kind eventPosition } } } }";

async fn exposure(client: &Client, variables: Value) -> Value {
    client.send(EXPOSURE, variables).await.data()["accessExposure"].clone()
}

async fn reason(client: &Client, variables: Value) -> (String, Value) {
    let answer = client.send(EXPOSURE, variables).await;
    let extensions = &answer.body["errors"][0]["extensions"];
    let reason = extensions["reason"].as_str().or(extensions["code"].as_str());
    (reason.unwrap_or("-").to_owned(), extensions["field"].clone())
}

fn names(answer: &Value) -> Vec<String> {
    let nodes = answer["nodes"].as_array().expect("nodes");
    let mut names: Vec<_> = nodes
        .iter()
        .map(|node| node["user"]["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

fn now(portal: &Portal) -> DateTime<Utc> {
    portal.service.commands.journal.now()
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a moment").parse().expect("a moment")
}

#[tokio::test]
async fn gn_14_a_back_dated_end_shows_for_how_long_it_was_enforced_without_right() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[0].as_str();
    let known = portal.position().await;
    let admin = portal.client(&world.clinic_admin).await;
    let leave = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                        "confirm": true, "reason": "Left.", "leftOn": "2026-01-10" });
    let left = admin.mutate("deactivateUser", leave, "position").await;
    let left: i64 =
        left.done()["position"].as_str().expect("a position").parse().expect("a number");
    let written_down = now(&portal);
    // Two events are never recorded at one moment: of several the later one is a microsecond later.
    let late = TimeDelta::milliseconds(1);
    portal.advance(Duration::from_secs(7200));
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "right": "VIEW_NPI", "npi": npi, "user": world.processor.user,
                      "min": portal.position().await.to_string() });
    let told = exposure(&auditor, ask.clone()).await;
    let nodes = told["nodes"].as_array().expect("nodes");
    let [node] = &nodes[..] else { panic!("one time: {told}") };
    let entitled_until = moment(&node["entitledUntil"]);
    assert_eq!(entitled_until, moment(&json!("2026-01-11T08:00:00Z")));
    let enforced_until = moment(&node["enforcedUntil"]);
    assert!(written_down <= enforced_until && enforced_until < written_down + late, "{node}");
    let gap = (written_down - entitled_until).num_seconds();
    assert_eq!(node["enforcedWithoutRightSeconds"], gap, "{node}");
    assert_eq!(node["entitledWithoutEffectSeconds"], 0);
    assert_eq!(node["entitledFrom"], node["enforcedFrom"]);
    assert_eq!(node["ended"]["kind"], "DEACTIVATION");
    let ended: i64 = node["ended"]["eventPosition"].as_str().unwrap().parse().unwrap();
    assert!(known < ended && ended <= left, "{node}");
    assert!(node["began"]["sentence"].as_str().expect("it is told").contains("Paul Kim"), "{node}");
    // As was known before it was found out, nothing had ended and there was no gap.
    let mut then = ask.clone();
    then["position"] = json!(known.to_string());
    let then = exposure(&auditor, then).await;
    let node = &then["nodes"][0];
    assert_eq!(
        (&node["entitledUntil"], &node["enforcedUntil"], &node["enforcedWithoutRightSeconds"]),
        (&Value::Null, &Value::Null, &json!(0))
    );
    assert_eq!((&node["ended"], &then["asOfPosition"]), (&Value::Null, &json!(known.to_string())));
    // In a window in which it was enforced only, it is told.
    let mut during = ask.clone();
    (during["from"], during["to"]) = (json!("2026-01-11T12:00:00Z"), json!("2026-01-11T12:00:01Z"));
    assert_eq!(exposure(&auditor, during).await["nodes"].as_array().map(Vec::len), Some(1));
    let mut since = ask;
    since["from"] = json!((written_down + late).to_rfc3339());
    assert_eq!(exposure(&auditor, since).await["nodes"], json!([]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_who_held_a_right_at_any_moment_of_a_time_however_briefly() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    portal.advance(Duration::from_secs(3600));
    let given =
        set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::Processor).await;
    let from = now(&portal);
    portal.advance(Duration::from_secs(1));
    let taken =
        set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::None).await;
    let until = now(&portal);
    portal.advance(Duration::from_secs(86_400));
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "right": "VIEW_NPI", "npi": npi, "min": taken.to_string(),
                      "from": (from - TimeDelta::minutes(5)).to_rfc3339(),
                      "to": (until + TimeDelta::minutes(5)).to_rfc3339() });
    let told = exposure(&auditor, ask.clone()).await;
    assert_eq!(names(&told), ["Abe Fox", "Ann Lee", "Paul Kim"], "{told}");
    let nodes = told["nodes"].as_array().expect("nodes");
    let paul = nodes.iter().find(|node| node["user"]["name"] == "Paul Kim").expect("Paul's second");
    assert_eq!((moment(&paul["entitledFrom"]), moment(&paul["entitledUntil"])), (from, until));
    assert_eq!((moment(&paul["enforcedFrom"]), moment(&paul["enforcedUntil"])), (from, until));
    assert_eq!(paul["began"]["eventPosition"], given.to_string());
    assert_eq!(paul["ended"]["eventPosition"], taken.to_string());
    // Page by page nobody is lost or repeated.
    let mut rows = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut page = ask.clone();
        (page["first"], page["after"]) = (json!(1), after);
        let page = exposure(&auditor, page).await;
        rows.extend(page["nodes"].as_array().expect("rows").iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(told["nodes"], Value::from(rows));
    // The moment after and the moment before it is not.
    for (from, to) in [(until, until + TimeDelta::hours(1)), (from - TimeDelta::hours(1), from)] {
        let mut ask = ask.clone();
        (ask["from"], ask["to"]) = (json!(from.to_rfc3339()), json!(to.to_rfc3339()));
        assert_eq!(names(&exposure(&auditor, ask).await), ["Abe Fox", "Ann Lee"]);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_exposure_is_told_of_things_and_roles_by_what_gave_them() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let of_paul = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                          "feature": "EOP_REPORTS" });
    admin.mutate("grantFeature", of_paul.clone(), "position").await.done();
    portal.advance(Duration::from_secs(60));
    admin.mutate("revokeFeature", of_paul.clone(), "position").await.done();
    portal.advance(Duration::from_secs(60));
    admin.mutate("grantFeature", of_paul, "position").await.done();
    let desk = json!({ "organizationId": world.clinic.id, "name": "Front desk",
                       "features": ["EOP_REPORTS"] });
    let role = admin.mutate("defineJobRole", desk, "jobRole { id }").await;
    let assign = json!({ "organizationId": world.clinic.id, "userId": world.npi_admin.user,
                         "jobRoleId": role.done()["jobRole"]["id"] });
    admin.mutate("assignJobRole", assign, "position").await.done();
    let auditor = portal.client(&world.auditor).await;
    let min = portal.position().await.to_string();
    let features = json!({ "right": "USE_FEATURE", "of": "EOP_REPORTS", "min": min });
    let told = exposure(&auditor, features).await;
    assert_eq!(names(&told), ["Nora Diaz", "Paul Kim", "Paul Kim"], "two times of Paul: {told}");
    let roles = json!({ "right": "PLAN_ROLE", "of": "AU", "min": min });
    let roles = exposure(&auditor, roles).await;
    assert_eq!(roles["nodes"].as_array().map(Vec::len), Some(1), "{roles}");
    assert_eq!(roles["nodes"][0]["organization"], Value::Null);
    let managers = json!({ "right": "MANAGE_USERS", "organization": world.clinic.id, "min": min });
    assert_eq!(names(&exposure(&auditor, managers).await), ["Abe Fox", "Ann Lee"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_exposure_is_asked_within_ones_sight_and_narrowly_enough() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let npi = world.clinic.npis[0].as_str();
    let ask = json!({ "right": "VIEW_NPI", "npi": npi });
    let with = |fields: &[(&str, Value)]| {
        let mut ask = ask.clone();
        for (name, value) in fields {
            ask[*name] = value.clone();
        }
        ask
    };
    let early = with(&[("from", json!("2020-01-01T00:00:00Z"))]);
    assert_eq!(reason(&auditor, early).await, ("BEFORE_RECORDS".into(), json!(["during", "from"])));
    let (at, before) = ("2026-01-12T12:00:00Z", "2026-01-12T11:00:00Z");
    let reversed = with(&[("from", json!(at)), ("to", json!(before))]);
    assert_eq!(reason(&auditor, reversed).await.0, "RANGE_INVALID");
    assert_eq!(reason(&auditor, with(&[("position", json!("1000000"))])).await.0, "RANGE_INVALID");
    assert_eq!(reason(&auditor, with(&[("first", json!(101))])).await.0, "PAGE_SIZE_EXCEEDED");
    let everybody = json!({ "right": "VIEW_ORGANIZATION" });
    let expected = ("FIELD_REQUIRED".to_owned(), json!(["organizationId"]));
    assert_eq!(reason(&auditor, everybody).await, expected);
    // An administrator is told of their organisation, a person of themself.
    let ann = portal.client(&world.clinic_admin).await;
    assert_eq!(
        names(&exposure(&ann, ask.clone()).await),
        ["Abe Fox", "Ann Lee", "Nora Diaz", "Paul Kim"]
    );
    let hana = portal.client(&world.hospital_admin).await;
    assert_eq!(exposure(&hana, ask.clone()).await["nodes"], json!([]));
    let paul = portal.client(&world.processor).await;
    assert_eq!(names(&exposure(&paul, ask.clone()).await), ["Paul Kim"]);
    let other = with(&[("user", json!(world.npi_admin.user))]);
    assert_eq!(paul.send(EXPOSURE, other).await.error_code(), "FORBIDDEN");
    keep_to(&portal, &world.auditor, &world.hospital).await;
    assert_eq!(exposure(&auditor, ask.clone()).await["nodes"], json!([]), "outside of the scope");
    let own = json!({ "right": "VIEW_NPI", "npi": world.hospital.npis[0] });
    assert_eq!(exposure(&auditor, own).await["nodes"].as_array().map(Vec::len), Some(1));
    let visitor = portal.visitor("medi-cal");
    assert_eq!(visitor.send(EXPOSURE, ask).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}
