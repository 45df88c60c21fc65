//! What `accessDifference` answers: which rights were gained, lost and changed between two dates,
//! since when and by what.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Actor,
    kernel::ids::MembershipId,
    organizations::{Authority, Organization, OrganizationCommand, organization::RosterCommand},
    permissions::{
        Cause, Membership, MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    policies::{PolicyKey, PolicyValue},
    values::{CalendarDate, Npi},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::set_level;
use crate::support::{Client, Person, Portal};

const DIFFERENCE: &str = "query($from: DateTime!, $to: DateTime, $position: Position, $npi: NPI,
    $user: ID, $organization: ID, $right: AccessRight, $change: AccessChangeKind,
    $cause: AccessCauseKind, $min: Position, $first: Int, $after: String) {
  accessDifference(from: $from, to: $to, asOfPosition: $position, minPosition: $min,
                   first: $first, after: $after, filter: { npi: $npi, userId: $user,
                   organizationId: $organization, right: $right, change: $change, cause: $cause }) {
    totalCount from to asOfPosition pageInfo { hasNextPage endCursor }
    countsByCause { change cause count }
    nodes { change user { name } organization { name } npi right levelBefore levelAfter
            sourceBefore sourceAfter happenedAt cause { kind eventPosition sentence } } } }";

async fn difference(client: &Client, variables: Value) -> Value {
    client.send(DIFFERENCE, variables).await.data()["accessDifference"].clone()
}

/// Change, person, level before, level after and cause.
fn told(answer: &Value) -> Vec<String> {
    let nodes = answer["nodes"].as_array().expect("nodes");
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut told: Vec<_> = nodes
        .iter()
        .map(|node| {
            [
                &node["change"],
                &node["user"]["name"],
                &node["levelBefore"],
                &node["levelAfter"],
                &node["cause"]["kind"],
            ]
            .map(word)
            .join(" ")
        })
        .collect();
    told.sort();
    told
}

fn now(portal: &Portal) -> DateTime<Utc> {
    portal.service.commands.journal.now()
}

async fn recorded_at(portal: &Portal, position: i64) -> DateTime<Utc> {
    let mut connection = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let asked = "SELECT recorded_at FROM es.events WHERE tenant_id = $1 AND tenant_position = $2";
    let asked = sqlx::query_scalar(asked).bind(portal.world().tenant.0).bind(position);
    asked.fetch_one(&mut connection).await.expect("the event")
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a moment").parse().expect("a moment")
}

async fn leave(portal: &Portal, who: &Person, left_on: Option<DateTime<Utc>>) -> i64 {
    let leave = RosterCommand::DeactivateUser {
        user: who.user,
        confirmed: true,
        reason: None,
        left_on: left_on.map(|day| CalendarDate::from(day.date_naive())),
        authority: Authority::Organization,
    };
    let world = portal.world();
    let by = Actor::user(world.clinic_admin.user);
    let command = OrganizationCommand::from(leave);
    portal.record::<Organization>(by, world.clinic.id.0, command).await
}

/// A request gives the processor a level for an hour.
async fn one_hour(portal: &Portal, npi: &str) -> i64 {
    let world = portal.world();
    let (user, organization) = (world.processor.user, world.clinic.id);
    let npi = Npi::parse(npi).expect("a valid NPI");
    let until = Some(now(portal) + TimeDelta::hours(1));
    let command = MembershipCommand::SetNpiPermissions {
        of: MembershipKey { user, organization },
        changes: vec![NpiChange {
            npi: NpiScope::One(npi.clone()),
            level: NpiLevel::Processor,
            until,
        }],
        held: [npi].into(),
        cause: Cause::Request,
    };
    let stream = MembershipId::of(world.tenant, user, organization).0;
    let by = Actor::user(world.clinic_admin.user);
    portal.record::<Membership>(by, stream, command).await
}

#[tokio::test]
async fn gn_14_the_difference_of_two_dates_says_what_was_gained_lost_and_changed_and_by_what() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (first, second) = (world.clinic.npis[0].as_str(), world.clinic.npis[1].as_str());
    let from = now(&portal);
    portal.advance(Duration::from_secs(3600));
    let gained =
        set_level(&portal, &world.clinic_admin, &world.processor, second, NpiLevel::Processor)
            .await;
    let gained_at = now(&portal);
    portal.advance(Duration::from_secs(3600));
    set_level(&portal, &world.clinic_admin, &world.processor, first, NpiLevel::Admin).await;
    portal.advance(Duration::from_secs(3600));
    let left = leave(&portal, &world.npi_admin, None).await;
    let left_at = now(&portal);
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "from": from.to_rfc3339(), "right": "VIEW_NPI", "min": left.to_string() });
    let all = difference(&auditor, ask.clone()).await;
    assert_eq!(
        told(&all)[..2],
        [
            "CHANGED Paul Kim PROCESSOR ADMIN ADMINISTRATOR",
            "GAINED Paul Kim - PROCESSOR ADMINISTRATOR"
        ],
        "{all}"
    );
    let lost = told(&all)[2..].to_vec();
    assert!(!lost.is_empty(), "{all}");
    assert!(lost.iter().all(|told| told == "LOST Nora Diaz ADMIN - DEACTIVATION"), "{all}");
    let position: i64 =
        all["asOfPosition"].as_str().expect("a position").parse().expect("a number");
    assert!(position >= left, "{all}");
    // Of several events of one moment the later one is recorded a microsecond later.
    let to = now(&portal).max(recorded_at(&portal, position).await);
    assert_eq!((moment(&all["from"]), moment(&all["to"])), (from, to));
    assert_eq!(all["totalCount"], lost.len() + 2);
    let counted = all["countsByCause"].as_array().expect("counts");
    for expected in [
        json!({ "change": "LOST", "cause": "DEACTIVATION", "count": lost.len() }),
        json!({ "change": "GAINED", "cause": "ADMINISTRATOR", "count": 1 }),
        json!({ "change": "CHANGED", "cause": "ADMINISTRATOR", "count": 1 }),
    ] {
        assert!(counted.contains(&expected), "{all}");
    }
    // Of a cause alone; what gave the right, and when, stands beside it.
    let mut of_gains = ask.clone();
    of_gains["change"] = json!("GAINED");
    let of_gains = difference(&auditor, of_gains).await;
    let gain = &of_gains["nodes"][0];
    assert_eq!((gain["npi"].as_str(), moment(&gain["happenedAt"])), (Some(second), gained_at));
    assert_eq!(gain["cause"]["eventPosition"], gained.to_string());
    let sentence = gain["cause"]["sentence"].as_str().expect("an auditor sees the event");
    assert!(sentence.starts_with("Ann Lee set Paul Kim's permission for NPI"), "{sentence}");
    let mut of_leavers = ask;
    of_leavers["cause"] = json!("DEACTIVATION");
    let of_leavers = difference(&auditor, of_leavers).await;
    assert_eq!(of_leavers["totalCount"], lost.len());
    // The grant goes on: the condition under which it counts has ended.
    let end = &of_leavers["nodes"][0];
    assert_eq!(moment(&end["happenedAt"]), left_at);
    assert_eq!(end["cause"]["eventPosition"], left.to_string());
    assert_eq!((&end["sourceBefore"], &end["sourceAfter"]), (&json!("DIRECT"), &Value::Null));
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_back_dated_end_is_a_difference_of_the_days_it_was_true_on() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let today = now(&portal);
    let left_on = today - TimeDelta::days(2);
    let ended = leave(&portal, &world.processor, Some(left_on)).await;
    let auditor = portal.client(&world.auditor).await;
    let ask = |from: DateTime<Utc>, to: DateTime<Utc>, position: Option<i64>| {
        json!({ "from": from.to_rfc3339(), "to": to.to_rfc3339(), "user": world.processor.user,
                "right": "VIEW_NPI", "min": ended.to_string(),
                "position": position.map(|position| position.to_string()) })
    };
    let yesterday = today - TimeDelta::hours(12);
    let lost = difference(&auditor, ask(left_on, yesterday, None)).await;
    assert_eq!(told(&lost), ["LOST Paul Kim PROCESSOR - DEACTIVATION"], "{lost}");
    let at = moment(&lost["nodes"][0]["happenedAt"]);
    assert!(left_on < at && at < yesterday, "the end of the last day at work: {at}");
    assert_eq!(lost["nodes"][0]["cause"]["eventPosition"], ended.to_string());
    let known_then = difference(&auditor, ask(left_on, yesterday, Some(ended - 1))).await;
    assert_eq!((told(&known_then).len(), &known_then["totalCount"]), (0, &json!(0)));
    assert_eq!(known_then["asOfPosition"], (ended - 1).to_string());
    let since = difference(&auditor, ask(yesterday, today, None)).await;
    assert_eq!(since["totalCount"], 0, "nothing was lost on the day it was written down");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_right_given_for_a_time_is_gained_by_its_cause_and_lost_by_its_end() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let before = now(&portal);
    portal.advance(Duration::from_secs(60));
    let given = one_hour(&portal, npi).await;
    let held = now(&portal);
    let auditor = portal.client(&world.auditor).await;
    let ask = |from: DateTime<Utc>, to: Option<DateTime<Utc>>| {
        json!({ "from": from.to_rfc3339(), "to": to.map(|to| to.to_rfc3339()), "npi": npi,
                "right": "VIEW_NPI", "min": given.to_string() })
    };
    let gained = difference(&auditor, ask(before, None)).await;
    assert_eq!(told(&gained), ["GAINED Paul Kim - PROCESSOR REQUEST"]);
    // Its end is to come, then there.
    let end = held + TimeDelta::hours(1);
    for hours in [0, 2] {
        portal.advance(Duration::from_secs(hours * 3600));
        let auditor = portal.client(&world.auditor).await;
        let lost = difference(&auditor, ask(held, Some(held + TimeDelta::hours(2)))).await;
        assert_eq!(told(&lost), ["LOST Paul Kim PROCESSOR - EXPIRY"], "{lost}");
        assert_eq!(moment(&lost["nodes"][0]["happenedAt"]), end);
        assert_eq!(lost["nodes"][0]["cause"]["eventPosition"], given.to_string());
        let in_between = ask(before, Some(held + TimeDelta::hours(2)));
        assert_eq!(difference(&auditor, in_between).await["totalCount"], 0);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_policy_and_a_merger_are_told_as_causes() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let from = now(&portal);
    portal.advance(Duration::from_secs(60));
    portal.change_policy(PolicyKey::PinsEnabled, PolicyValue::Boolean(false)).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let pins = difference(&auditor, json!({ "from": from.to_rfc3339(), "first": 100 })).await;
    let nodes = pins["nodes"].as_array().expect("rows");
    assert!(!nodes.is_empty());
    for node in nodes {
        assert_eq!((&node["right"], &node["change"]), (&json!("MANAGE_PIN"), &json!("LOST")));
        assert_eq!(node["cause"]["kind"], "POLICY");
    }
    let from = now(&portal);
    portal.advance(Duration::from_secs(60));
    let plan = portal.client(&world.plan_admin).await;
    let merge = json!({ "fromOrganizationId": world.clinic.id,
                        "intoOrganizationId": world.hospital.id, "roles": "DROP",
                        "reason": "The hospital bought the clinic." });
    plan.mutate("mergeOrganizations", merge, "organization { id }").await.done();
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "from": from.to_rfc3339(), "user": world.processor.user,
                      "npi": world.clinic.npis[0], "right": "VIEW_NPI" });
    let moved = difference(&auditor, ask).await;
    let expected = ["GAINED Paul Kim - PROCESSOR MERGE", "LOST Paul Kim PROCESSOR - MERGE"];
    assert_eq!(told(&moved), expected, "{moved}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_the_difference_shows_those_whom_the_register_shows() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let from = now(&portal).to_rfc3339();
    portal.advance(Duration::from_secs(60));
    let npi = world.clinic.npis[1].as_str();
    set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::Processor).await;
    let position = leave(&portal, &world.npi_admin, None).await;
    let ask = json!({ "from": from, "min": position.to_string(), "first": 100 });
    let names = |answer: &Value| {
        let nodes = answer["nodes"].as_array().expect("rows");
        let mut names: Vec<_> =
            nodes.iter().map(|row| row["user"]["name"].as_str().expect("a name")).collect();
        names.dedup();
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let admin = portal.client(&world.clinic_admin).await;
    let clinic = difference(&admin, ask.clone()).await;
    assert_eq!(names(&clinic), ["Nora Diaz", "Paul Kim"]);
    let rows = clinic["nodes"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["organization"]["name"] == "Redwood Clinic"), "{clinic}");
    let hospital = portal.client(&world.hospital_admin).await;
    let theirs = difference(&hospital, ask.clone()).await;
    assert_eq!((theirs["totalCount"].as_i64(), names(&theirs).len()), (Some(0), 0), "{theirs}");
    assert_eq!(theirs["countsByCause"], json!([]));
    let processor = portal.client(&world.processor).await;
    assert_eq!(names(&difference(&processor, ask.clone()).await), ["Paul Kim"]);
    let mut of_another = ask;
    of_another["user"] = json!(world.npi_admin.user);
    assert_eq!(processor.send(DIFFERENCE, of_another).await.error_code(), "FORBIDDEN");
    let visitor = portal.visitor("medi-cal");
    let ask = json!({ "from": from });
    assert_eq!(visitor.send(DIFFERENCE, ask).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_difference_needs_a_range_that_lies_in_the_records() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    portal.settle().await;
    let now = now(&portal);
    let reason = async |variables: Value| {
        let answer = auditor.send(DIFFERENCE, variables).await;
        answer.body["errors"][0]["extensions"]["reason"].clone()
    };
    assert_eq!(reason(json!({ "from": "2020-01-01T00:00:00Z" })).await, "BEFORE_RECORDS");
    let both = json!({ "from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z" });
    assert_eq!(reason(both).await, "BEFORE_RECORDS");
    let reversed =
        json!({ "from": now.to_rfc3339(), "to": (now - TimeDelta::hours(1)).to_rfc3339() });
    assert_eq!(reason(reversed).await, "RANGE_INVALID");
    let to_come = json!({ "from": (now + TimeDelta::hours(1)).to_rfc3339() });
    assert_eq!(reason(to_come).await, "RANGE_INVALID");
    let unknown = json!({ "from": now.to_rfc3339(), "position": "1000000" });
    assert_eq!(reason(unknown).await, "RANGE_INVALID");
    let another = json!({ "from": now.to_rfc3339(), "npi": "1234567890" });
    let answer = auditor.send(DIFFERENCE, another).await;
    let extensions = &answer.body["errors"][0]["extensions"];
    assert_eq!(extensions["reason"], "NPI_INVALID");
    assert_eq!(extensions["field"], json!(["filter", "npi"]));
    let at_once = json!({ "from": now.to_rfc3339(), "to": now.to_rfc3339() });
    assert_eq!(difference(&auditor, at_once).await["totalCount"], 0);
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_differences_page_without_losing_or_repeating_one() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let from = now(&portal).to_rfc3339();
    portal.advance(Duration::from_secs(60));
    portal.change_policy(PolicyKey::PinsEnabled, PolicyValue::Boolean(false)).await;
    let position = leave(&portal, &world.npi_admin, None).await.to_string();
    let auditor = portal.client(&world.auditor).await;
    let whole = json!({ "from": from, "first": 100, "min": position });
    let whole = difference(&auditor, whole).await;
    let mut rows = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = json!({ "from": from, "first": 2, "after": after });
        let page = difference(&auditor, page).await;
        rows.extend(page["nodes"].as_array().expect("rows").iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert!(rows.len() > 4, "{whole}");
    assert_eq!(whole["totalCount"], rows.len());
    assert_eq!(whole["nodes"], Value::from(rows));
    portal.finish().await;
}
