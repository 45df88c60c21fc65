//! What `accessRegister` answers: who had access to an NPI on a date, what a person could do then.

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::{
    Actor,
    organizations::{Authority, Organization, OrganizationCommand, organization::RosterCommand},
    permissions::NpiLevel,
    values::CalendarDate,
};
use serde_json::{Value, json};

use super::set_level;
use crate::support::{Client, Portal};

const REGISTER: &str = "query($asOf: DateTime, $position: Position, $npi: NPI, $user: ID,
    $organization: ID, $right: AccessRight, $min: Position, $first: Int, $after: String) {
  accessRegister(asOf: $asOf, asOfPosition: $position, npi: $npi, userId: $user,
                 organizationId: $organization, right: $right, minPosition: $min, first: $first,
                 after: $after) {
    totalCount asOf asOfPosition pageInfo { hasNextPage endCursor }
    nodes { user { name } organization { name } npi right level correspondenceType validFrom validTo
            knownFromPosition source cause { kind eventPosition sentence } } } }";

async fn register(client: &Client, variables: Value) -> Value {
    client.send(REGISTER, variables).await.data()["accessRegister"].clone()
}

fn names(answer: &Value) -> Vec<String> {
    let nodes = answer["nodes"].as_array().expect("nodes");
    let mut names: Vec<_> =
        nodes.iter().map(|node| node["user"]["name"].as_str().unwrap_or("?").to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn gn_14_who_had_access_to_an_npi_on_a_date() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].clone();
    let before = portal.service.commands.journal.now();
    portal.advance(Duration::from_secs(3600));
    let granted =
        set_level(&portal, &world.clinic_admin, &world.processor, &npi, NpiLevel::Processor).await;
    portal.advance(Duration::from_secs(3600));
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "npi": npi, "right": "VIEW_NPI", "min": granted.to_string() });
    let now = register(&auditor, ask.clone()).await;
    assert_eq!(names(&now), ["Abe Fox", "Ann Lee", "Paul Kim"], "{now}");
    let paul =
        now["nodes"].as_array().unwrap().iter().find(|row| row["user"]["name"] == "Paul Kim");
    let paul = paul.expect("Paul's row");
    assert_eq!((&paul["level"], &paul["source"]), (&json!("PROCESSOR"), &json!("DIRECT")));
    assert_eq!(paul["validTo"], Value::Null);
    assert_eq!(
        paul["cause"],
        json!({ "kind": "ADMINISTRATOR", "eventPosition": granted.to_string(), "sentence":
            "Ann Lee set Paul Kim's permission for NPI 1245319599 (Redwood Clinic) from None to Processor." })
    );
    let mut then = ask.clone();
    then["asOf"] = json!(before.to_rfc3339());
    assert_eq!(names(&register(&auditor, then).await), ["Abe Fox", "Ann Lee"]);
    let mut known_then = ask;
    known_then["position"] = json!((granted - 1).to_string());
    let known_then = register(&auditor, known_then).await;
    assert_eq!(names(&known_then), ["Abe Fox", "Ann Lee"]);
    assert_eq!(known_then["asOfPosition"], (granted - 1).to_string());
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_what_a_person_could_do_on_a_date_and_by_which_way() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    portal.settle().await;
    let all = register(&auditor, json!({ "user": world.npi_admin.user, "first": 100 })).await;
    let rights: Vec<_> = all["nodes"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (row["right"].as_str().unwrap(), row["npi"].as_str().unwrap()))
        .collect();
    let npi = world.clinic.npis[0].as_str();
    assert_eq!(rights, [("MANAGE_PIN", npi), ("VIEW_NPI", npi)], "{all}");
    let plan = register(&auditor, json!({ "user": world.auditor.user })).await;
    assert_eq!(plan["nodes"][0]["right"], "PLAN_ROLE");
    assert_eq!(plan["nodes"][0]["level"], "AU");
    let admin =
        json!({ "user": world.clinic_admin.user, "npi": npi, "right": "READ_CORRESPONDENCE" });
    let everything = register(&auditor, admin).await;
    assert_eq!(everything["nodes"][0]["correspondenceType"], "*");
    assert_eq!(everything["nodes"][0]["source"], "ALL_NPIS");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_back_dated_end_tells_entitled_from_enforced_and_known() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[0].clone();
    let two_days_ago = portal.service.commands.journal.now() - TimeDelta::days(2);
    let yesterday = portal.service.commands.journal.now() - TimeDelta::days(1);
    let leave = RosterCommand::DeactivateUser {
        user: world.processor.user,
        confirmed: true,
        reason: None,
        left_on: Some(CalendarDate::from(two_days_ago.date_naive())),
        authority: Authority::Organization,
    };
    let by = Actor::user(world.clinic_admin.user);
    let command = OrganizationCommand::from(leave);
    let ended = portal.record::<Organization>(by, world.clinic.id.0, command).await;
    let auditor = portal.client(&world.auditor).await;
    let ask = |position: Option<i64>| {
        json!({ "npi": npi, "user": world.processor.user, "right": "VIEW_NPI",
                "asOf": yesterday.to_rfc3339(), "min": ended.to_string(),
                "position": position.map(|position| position.to_string()) })
    };
    assert_eq!(register(&auditor, ask(None)).await["totalCount"], 0, "entitled no longer");
    let enforced = register(&auditor, ask(Some(ended - 1))).await;
    assert_eq!(enforced["totalCount"], 1, "as was known and enforced then");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_before_the_records_begin_nobody_is_not_the_answer() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    portal.settle().await;
    let answer = auditor.send(REGISTER, json!({ "asOf": "2020-01-01T00:00:00Z" })).await;
    let error = &answer.body["errors"][0];
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(error["extensions"]["reason"], "BEFORE_RECORDS");
    let position = &answer.body["extensions"]["projection"]["position"];
    let position = position.as_str().expect("the position it holds for");
    assert!(
        error["message"].as_str().unwrap().contains(&format!("position {position}")),
        "{error}"
    );
    let answer = auditor.send(REGISTER, json!({ "position": "0" })).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "BEFORE_RECORDS");
    let answer = auditor.send(REGISTER, json!({ "position": "1000000" })).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "RANGE_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_everybody_sees_their_own_and_administrators_their_organisation() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    portal.settle().await;
    let clinic = register(&admin, json!({ "first": 100 })).await;
    assert!(clinic["totalCount"].as_i64().unwrap() > 5);
    let rows = clinic["nodes"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["organization"]["name"] == "Redwood Clinic"), "{clinic}");
    let hospital = json!({ "npi": world.hospital.npis[0] });
    assert_eq!(register(&admin, hospital).await["totalCount"], 0);
    let processor = portal.client(&world.processor).await;
    assert_eq!(names(&register(&processor, json!({})).await), ["Paul Kim"]);
    let other = json!({ "user": world.clinic_admin.user });
    let refused = processor.send(REGISTER, other).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    let support = portal.client(&world.plan_support).await;
    let all = register(&support, json!({ "first": 1 })).await;
    assert!(all["totalCount"].as_i64() > clinic["totalCount"].as_i64());
    portal.finish().await;
}

#[tokio::test]
async fn the_register_pages_without_losing_or_repeating_a_row() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    portal.settle().await;
    let whole = register(&auditor, json!({ "first": 100 })).await;
    let mut rows = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = register(&auditor, json!({ "first": 7, "after": after })).await;
        rows.extend(page["nodes"].as_array().expect("rows").iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(whole["totalCount"], rows.len());
    assert_eq!(whole["nodes"], Value::from(rows));
    portal.finish().await;
}
