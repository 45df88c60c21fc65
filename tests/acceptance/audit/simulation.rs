//! What `policySimulation` answers: whom a rule would have reached, and when.

use std::time::Duration;

use rollcall_domain::{permissions::NpiLevel, policies::Preset};
use serde_json::{Value, json};

use super::{keep_to, set_level};
use crate::support::{Client, Portal};

const SIMULATION: &str = "query($rule: PolicySimulationRule!, $from: DateTime!, $to: DateTime,
    $organization: ID, $position: Position, $min: Position, $first: Int, $after: String) {
  policySimulation(rule: $rule, from: $from, to: $to, organizationId: $organization,
                   asOfPosition: $position, minPosition: $min, first: $first, after: $after) {
    notObservable from to asOfPosition pageInfo { hasNextPage endCursor }
    reach { people organizations rights complete }
    nodes { user { name } organization { name } grant npi of level heldFrom heldUntil reachedAt lastUsedOn
            cause { kind eventPosition sentence } } } }";

async fn simulate(client: &Client, variables: Value) -> Value {
    client.send(SIMULATION, variables).await.data()["policySimulation"].clone()
}

async fn reason(client: &Client, variables: Value) -> (String, Value) {
    let answer = client.send(SIMULATION, variables).await;
    let extensions = &answer.body["errors"][0]["extensions"];
    let reason = extensions["reason"].as_str().or(extensions["code"].as_str());
    (reason.unwrap_or("-").to_owned(), extensions["field"].clone())
}

fn nodes(answer: &Value) -> &Vec<Value> {
    answer["nodes"].as_array().expect("nodes")
}

/// Person, grant and when the rule would have ended it.
fn told(answer: &Value) -> Vec<String> {
    let mut told: Vec<String> = nodes(answer)
        .iter()
        .map(|node| {
            let parts = [&node["user"]["name"], &node["grant"], &node["reachedAt"]];
            parts.map(|part| part.as_str().unwrap_or("-").to_owned()).join(" ")
        })
        .collect();
    told.sort();
    told
}

fn about<'a>(answer: &'a Value, name: &str, grant: &str) -> Vec<&'a Value> {
    nodes(answer)
        .iter()
        .filter(|node| node["user"]["name"] == name && node["grant"] == grant)
        .collect()
}

fn position(value: &Value) -> i64 {
    value.as_str().expect("a position").parse().expect("a number")
}

async fn min(portal: &Portal) -> String {
    portal.position().await.to_string()
}

#[tokio::test]
async fn gn_14_a_rule_that_ends_unused_grants_is_tried_on_what_was_used_in_fact() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let nora = portal.client(&world.npi_admin).await;
    let pin = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    nora.mutate("revealPin", pin, "pin").await.done();
    // Thirteen days later the day of that use is long over.
    portal.advance(Duration::from_secs(13 * 86_400));
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let before = portal.position().await;
    let ask = |days: i32, from: &str| {
        json!({ "rule": { "expireUnused": { "days": days } }, "from": from, "first": 100,
                "organization": world.clinic.id, "min": before.to_string() })
    };
    // Since they were given on 13 December at 17:00 UTC, Paul's level was never used; Nora's was.
    let long = simulate(&auditor, ask(40, "2026-01-14T00:00:00Z")).await;
    let [paul] = about(&long, "Paul Kim", "NPI_LEVEL")[..] else { panic!("one grant: {long}") };
    assert_eq!(paul["reachedAt"], "2026-01-22T17:00:00Z");
    assert_eq!((&paul["lastUsedOn"], &paul["heldUntil"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&paul["level"], &paul["npi"]),
        (&json!(["PROCESSOR"]), &json!(world.clinic.npis[0]))
    );
    assert!(paul["cause"]["sentence"].is_string(), "{paul}");
    assert!(about(&long, "Nora Diaz", "NPI_LEVEL").is_empty(), "used on 12 January: {long}");
    // Ten days after the tenant's day of that use (08:00 UTC) hers would have ended as well; what was
    // unused for longer when the rule began, at once.
    let short = simulate(&auditor, ask(10, "2026-01-14T00:00:00Z")).await;
    let [nora] = about(&short, "Nora Diaz", "NPI_LEVEL")[..] else { panic!("one grant: {short}") };
    assert_eq!(
        (&nora["reachedAt"], &nora["lastUsedOn"]),
        (&json!("2026-01-23T08:00:00Z"), &json!("2026-01-12"))
    );
    let [paul] = about(&short, "Paul Kim", "NPI_LEVEL")[..] else { panic!("one grant: {short}") };
    assert_eq!(paul["reachedAt"], "2026-01-14T00:00:00Z");
    // The numbers are those of the rows.
    let mut people: Vec<_> = nodes(&short).iter().map(|node| &node["user"]["name"]).collect();
    people.sort_by_key(|name| name.to_string());
    people.dedup();
    let expected = json!({ "people": people.len(), "organizations": 1,
                           "rights": nodes(&short).len(), "complete": true });
    assert_eq!(short["reach"], expected);
    assert_eq!(long["reach"]["rights"], nodes(&long).len());
    // What nothing observes is never called unused: it is told apart, and a limit reaches it.
    let observed = ["ORGANIZATION_ROLE", "NPI_LEVEL", "PLAN_ROLE", "SUBMISSION"];
    let is_observed = |node: &&Value| observed.contains(&node["grant"].as_str().expect("a kind"));
    assert!(nodes(&short).iter().all(|node| is_observed(&node)), "{short}");
    let mut limited = ask(1, "2026-01-14T00:00:00Z");
    limited["rule"] = json!({ "limitGrants": { "days": 1 } });
    let limited = simulate(&auditor, limited).await;
    let others = nodes(&limited).iter().filter(|node| !is_observed(node)).count();
    assert!(others > 0, "{limited}");
    assert_eq!(
        (&short["notObservable"], &limited["notObservable"]),
        (&json!(others), &Value::Null)
    );
    assert_eq!(portal.position().await, before, "asking changes nothing");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_the_last_use_is_told_however_long_before_the_rule_it_was() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let nora = portal.client(&world.npi_admin).await;
    let pin = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    nora.mutate("revealPin", pin, "pin").await.done();
    portal.advance(Duration::from_secs(60 * 86_400));
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "rule": { "expireUnused": { "days": 10 } }, "from": "2026-03-01T00:00:00Z",
                      "first": 100, "organization": world.clinic.id, "min": min(&portal).await });
    let told = simulate(&auditor, ask).await;
    let [nora] = about(&told, "Nora Diaz", "NPI_LEVEL")[..] else { panic!("one grant: {told}") };
    assert_eq!(
        (&nora["reachedAt"], &nora["lastUsedOn"]),
        (&json!("2026-03-01T00:00:00Z"), &json!("2026-01-12"))
    );
    let [paul] = about(&told, "Paul Kim", "NPI_LEVEL")[..] else { panic!("one grant: {told}") };
    assert_eq!(paul["lastUsedOn"], Value::Null, "never used");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_rule_that_limits_grants_tells_what_would_have_ended_when() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let given =
        set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::Processor).await;
    let from = portal.service.commands.journal.now();
    portal.advance(Duration::from_secs(2 * 86_400));
    set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::None).await;
    let ended = portal.service.commands.journal.now();
    portal.advance(Duration::from_secs(86_400));
    let auditor = portal.client(&world.auditor).await;
    let at = min(&portal).await;
    let ask = |days: i32| {
        json!({ "rule": { "limitGrants": { "days": days } }, "from": from.to_rfc3339(),
                "first": 100, "organization": world.clinic.id, "min": at })
    };
    let of_npi = |answer: &Value| -> Vec<Value> {
        nodes(answer).iter().filter(|node| node["npi"] == npi).cloned().collect()
    };
    let moment = |value: &Value| -> chrono::DateTime<chrono::Utc> {
        value.as_str().expect("a moment").parse().expect("a moment")
    };
    let one_day = simulate(&auditor, ask(1)).await;
    let [grant] = &of_npi(&one_day)[..] else { panic!("one grant: {one_day}") };
    assert_eq!(moment(&grant["heldFrom"]), from);
    assert_eq!(moment(&grant["reachedAt"]), from + chrono::TimeDelta::days(1));
    assert_eq!(moment(&grant["heldUntil"]), ended);
    assert_eq!(position(&grant["cause"]["eventPosition"]), given);
    // It ended by itself before three days were over, and grants older than that end at once.
    let three_days = simulate(&auditor, ask(3)).await;
    assert!(of_npi(&three_days).is_empty(), "{three_days}");
    let paul = about(&three_days, "Paul Kim", "NPI_LEVEL");
    assert_eq!(paul.len(), 1, "the one he was seeded with");
    assert_eq!(moment(&paul[0]["reachedAt"]), from);
    // As was known before it was given, there was nothing to reach.
    let mut then = ask(1);
    then["position"] = json!((given - 1).to_string());
    then["from"] = json!("2025-12-20T00:00:00Z");
    assert!(of_npi(&simulate(&auditor, then).await).is_empty());
    // Page by page nothing is lost or repeated.
    let mut rows = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut page = ask(1);
        (page["first"], page["after"]) = (json!(2), after);
        let page = simulate(&auditor, page).await;
        rows.extend(nodes(&page).iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(
        (one_day["reach"]["rights"].as_u64(), &one_day["nodes"]),
        (Some(rows.len() as u64), &Value::from(rows))
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_rule_of_segregated_duties_tells_who_held_both_and_when() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let from = portal.service.commands.journal.now();
    let grant = async |mutation: &str, feature: &str| {
        let input = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                            "feature": feature });
        let admin = portal.client(&world.clinic_admin).await;
        admin.mutate(mutation, input, "position").await.done();
    };
    grant("grantFeature", "EOP_REPORTS").await;
    portal.advance(Duration::from_secs(3600));
    grant("grantFeature", "CLAIMS").await;
    portal.advance(Duration::from_secs(60));
    grant("revokeFeature", "EOP_REPORTS").await;
    portal.advance(Duration::from_secs(3600));
    let auditor = portal.client(&world.auditor).await;
    let at = min(&portal).await;
    let feature = |of: &str| json!({ "right": "USE_FEATURE", "of": of });
    let ask = |one: Value, other: Value| {
        json!({ "rule": { "forbidTogether": { "one": one, "other": other } },
                "from": from.to_rfc3339(), "min": at })
    };
    let both = simulate(&auditor, ask(feature("EOP_REPORTS"), feature("CLAIMS"))).await;
    let one = json!({ "people": 1, "organizations": 1, "rights": 1, "complete": true });
    assert_eq!(both["reach"], one, "{both}");
    let [conflict] = &nodes(&both)[..] else { panic!("one time: {both}") };
    assert_eq!(
        (&conflict["user"]["name"], &conflict["organization"]["name"], &conflict["grant"]),
        (&json!("Paul Kim"), &json!("Redwood Clinic"), &Value::Null)
    );
    let moments =
        ["reachedAt", "heldUntil"].map(|field| conflict[field].as_str().expect("a moment"));
    assert_eq!(moments, ["2026-01-12T18:00:00Z", "2026-01-12T18:01:00Z"]);
    let turned = simulate(&auditor, ask(feature("CLAIMS"), feature("EOP_REPORTS"))).await;
    assert_eq!(turned["nodes"], both["nodes"], "whichever is named first");
    // After the one was taken nobody holds both.
    let mut later = ask(feature("EOP_REPORTS"), feature("CLAIMS"));
    later["from"] = json!("2026-01-12T18:01:00Z");
    assert_eq!(told(&simulate(&auditor, later).await), Vec::<String>::new());
    // Those who manage users, and one of them who submits reports as well.
    let managers = json!({ "right": "MANAGE_USERS" });
    let none = simulate(&auditor, ask(managers.clone(), feature("EOP_REPORTS"))).await;
    assert_eq!(none["reach"]["people"], 0, "{none}");
    let plan = |role: &str| json!({ "right": "PLAN_ROLE", "of": role });
    let auditors = simulate(&auditor, ask(plan("AU"), plan("PA"))).await;
    assert_eq!(auditors["reach"]["people"], 0, "{auditors}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_rules_are_tried_within_ones_sight_and_named_in_full() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let ask = |rule: Value| json!({ "rule": rule, "from": "2025-12-20T00:00:00Z" });
    let limit = |days: i32| ask(json!({ "limitGrants": { "days": days } }));
    for days in [0, -1, 3654] {
        let expected = ("RANGE_INVALID".to_owned(), json!(["rule", "limitGrants", "days"]));
        assert_eq!(reason(&auditor, limit(days)).await, expected);
    }
    let mut early = limit(5);
    early["from"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(reason(&auditor, early).await, ("BEFORE_RECORDS".into(), json!(["from"])));
    let mut to_come = limit(5);
    to_come["from"] = json!("2026-02-01T00:00:00Z");
    assert_eq!(reason(&auditor, to_come).await, ("RANGE_INVALID".into(), json!(["from"])));
    let mut beyond = limit(5);
    beyond["position"] = json!("1000000");
    assert_eq!(reason(&auditor, beyond).await.0, "RANGE_INVALID");
    let pair =
        |one: Value, other: Value| ask(json!({ "forbidTogether": { "one": one, "other": other } }));
    let (manage, view) =
        (json!({ "right": "MANAGE_USERS" }), json!({ "right": "VIEW_ORGANIZATION" }));
    let same = pair(manage.clone(), manage.clone());
    let field = json!(["rule", "forbidTogether", "other"]);
    assert_eq!(reason(&auditor, same).await, ("FIELD_INVALID".into(), field));
    let wide = pair(manage.clone(), view.clone());
    let field = json!(["organizationId"]);
    assert_eq!(reason(&auditor, wide.clone()).await, ("FIELD_REQUIRED".into(), field));
    let mut clinic = wide;
    clinic["organization"] = json!(world.clinic.id);
    assert_eq!(simulate(&auditor, clinic).await["reach"]["people"], 2, "both administrators");
    let vague = pair(manage, json!({ "right": "VIEW_NPI" }));
    let field = json!(["rule", "forbidTogether", "other", "npi"]);
    assert_eq!(reason(&auditor, vague).await, ("FIELD_REQUIRED".into(), field));
    let two = ask(json!({ "limitGrants": { "days": 1 }, "expireUnused": { "days": 1 } }));
    assert!(auditor.send(SIMULATION, two).await.body["errors"].is_array(), "one rule at a time");
    // An administrator tries it on their organisation, nobody else on others.
    let hana = portal.client(&world.hospital_admin).await;
    let own = simulate(&hana, limit(5)).await;
    assert!(!nodes(&own).is_empty());
    let is_theirs = |node: &Value| node["organization"]["name"] == "Bayview Hospital";
    assert!(nodes(&own).iter().all(is_theirs), "{own}");
    let paul = portal.client(&world.processor).await;
    assert_eq!(paul.send(SIMULATION, limit(5)).await.error_code(), "FORBIDDEN");
    let all = simulate(&auditor, limit(5)).await;
    keep_to(&portal, &world.auditor, &world.hospital).await;
    let scoped = simulate(&auditor, limit(5)).await;
    assert!(nodes(&scoped).iter().all(is_theirs), "{scoped}");
    assert!(nodes(&scoped).len() < nodes(&all).len());
    let visitor = portal.visitor("medi-cal");
    assert_eq!(visitor.send(SIMULATION, limit(5)).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}
