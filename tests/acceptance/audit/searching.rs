//! Events found by words and names, by a kind of right, and by what led to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rollcall_domain::{permissions::NpiLevel, policies::Preset};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::set_level;
use crate::{
    enrolment::{import, line},
    rebuild::every_rebuild_agrees,
    support::{Client, Person, Portal, uuid_of},
};

const EVENTS: &str = "query($filter: AuditEventFilter, $min: Position, $after: String) {
  auditEvents(filter: $filter, minPosition: $min, after: $after, first: 100) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id type sentence causationId subject { id } npi } } }";

async fn find(client: &Client, filter: Value) -> Value {
    client.send(EVENTS, json!({ "filter": filter })).await.data()["auditEvents"].clone()
}

async fn total(client: &Client, filter: Value) -> i64 {
    find(client, filter).await["totalCount"].as_i64().expect("a count")
}

/// All events that a filter finds.
async fn all(client: &Client, filter: &Value) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = client.send(EVENTS, json!({ "filter": filter, "after": after })).await;
        let page = &answer.data()["auditEvents"];
        found.extend(page["nodes"].as_array().expect("events").iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn id_of(event: &Value) -> String {
    uuid_of(event["id"].as_str().expect("an id")).to_string()
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(id_of).collect()
}

#[tokio::test]
async fn gn_26_events_are_found_by_words_of_what_changed_and_by_names() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let (by, of) = (&world.clinic_admin, &world.processor);
    set_level(&portal, by, of, npi, NpiLevel::Admin).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let set = "permissions.membership.npi_permission_set";
    for text in [
        format!("npi_permission_set {npi} Kim"),
        format!("paul kim ADMIN {npi} permission"),
        format!("redwo clini lee, Ann: {npi} adm PERM"),
    ] {
        let found = find(&auditor, json!({ "text": text, "types": [set] })).await;
        assert_eq!(found["totalCount"], 1, "{text}: {found}");
        assert_eq!(found["nodes"][0]["npi"], npi, "{text}");
    }
    let by_name = total(&auditor, json!({ "text": "Kim" })).await;
    let by_id = total(&auditor, json!({ "subject": of.user })).await
        + total(&auditor, json!({ "actor": of.user })).await;
    assert!(0 < by_name && by_name <= by_id, "{by_name} of {by_id}");
    let of_npi = total(&auditor, json!({ "npi": npi })).await;
    assert!(0 < of_npi && of_npi <= total(&auditor, json!({ "text": npi })).await);
    // By the beginning from three letters on, by no telephone or user name, and all words count.
    for (text, some) in [("Ki", false), ("Kimb", false), ("pau", true), ("Kim zebra", false)] {
        assert_eq!(total(&auditor, json!({ "text": text })).await > 0, some, "{text}");
    }
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let mobile: String =
        sqlx::query_scalar("SELECT mobile FROM read.people WHERE tenant_id = $1 AND user_id = $2")
            .bind(world.tenant.0)
            .bind(of.user.0)
            .fetch_one(&mut session)
            .await
            .expect("Paul has a telephone");
    assert_eq!(total(&auditor, json!({ "text": mobile })).await, 0);
    for text in ["", " .- ", "a b c d e f g h i"] {
        let answer = auditor.send(EVENTS, json!({ "filter": { "text": text } })).await;
        assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "FIELD_INVALID", "{text}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_words_find_nothing_that_the_viewer_may_not_see_and_nobody_who_was_erased() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::Admin).await;
    let other = portal.another_tenant("cencal", Preset::Cencal).await;
    portal.settle().await;
    let kim = json!({ "text": "Paul Kim" });
    let auditor = portal.client(&world.auditor).await;
    let (of_all, own) = (
        total(&auditor, kim.clone()).await,
        total(&portal.client(&world.processor).await, kim.clone()).await,
    );
    assert!(0 < own && own < of_all, "{own} of {of_all}");
    let stranger = portal.client(&world.hospital_admin).await;
    assert_eq!(total(&stranger, kim.clone()).await, 0);
    assert_eq!(total(&stranger, json!({ "text": "Redwood" })).await, 0);
    let foreign = portal.client_in(&other, Preset::Cencal, &other.auditor).await;
    let here = total(&foreign, json!({ "text": "Kim" })).await;
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    // What an erasure does here.
    sqlx::query("SELECT ops.forget_names('read.audit_timeline', $1, $2)")
        .bind(world.tenant.0)
        .bind(world.processor.user.0)
        .execute(&mut session)
        .await
        .expect("the person is erased");
    assert_eq!(total(&auditor, kim).await, 0);
    assert!(total(&auditor, json!({ "subject": world.processor.user })).await > 0);
    assert_eq!(total(&foreign, json!({ "text": "Kim" })).await, here, "another portal's people");
    assert_eq!(total(&foreign, json!({ "text": npi, "subject": world.processor.user })).await, 0);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_name_or_word_that_very_many_share_finds_as_much() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::Admin).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let mut few = Vec::new();
    for text in ["Kim", "Redwood", "ADMIN"] {
        few.push(total(&auditor, json!({ "text": text })).await);
    }
    assert!(few.iter().all(|found| *found > 0), "{few:?}");
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    for crowd in [
        "INSERT INTO read.audit_names SELECT $1, gen_random_uuid(), 'FIRST', 'kimberley', 2, NULL, true
           FROM generate_series(1, 1001)",
        "INSERT INTO read.audit_names SELECT $1, gen_random_uuid(), 'NAME', 'redwood' || n, 1, NULL, false
           FROM generate_series(1, 300) n",
        "INSERT INTO read.audit_words SELECT $1, 'admin' || n, 'x' FROM generate_series(1, 65) n",
    ] {
        sqlx::query(crowd).bind(world.tenant.0).execute(&mut session).await.expect("a crowd");
    }
    assert_eq!(total(&auditor, json!({ "text": "Kim" })).await, few[0]);
    assert_eq!(total(&auditor, json!({ "text": "Redwood" })).await, few[1]);
    assert_eq!(total(&auditor, json!({ "text": "ADMIN" })).await, few[2]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_who_is_renamed_is_found_by_todays_name_in_all_their_history_and_by_no_other() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let (by, of) = (&world.clinic_admin, &world.processor);
    set_level(&portal, by, of, npi, NpiLevel::Admin).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let set = "permissions.membership.npi_permission_set";
    let of_paul = |text: &str| json!({ "text": text, "subject": of.user, "types": [set] });
    let before = total(&auditor, of_paul("Kim")).await;
    assert!(before > 0);
    let everything = total(&auditor, json!({ "text": "paul kim" })).await;

    let admin = portal.client(by).await;
    for name in ["Quill", "Kim", "Quillon"] {
        let correction = json!({ "organizationId": world.clinic.id, "userId": of.user,
            "lastName": name, "reason": "a wedding" });
        admin.mutate("correctUserDetails", correction, "position").await.done();
    }
    set_level(&portal, by, of, npi, NpiLevel::Processor).await;
    let support = portal.client(&world.plan_support).await;
    import(&support, vec![line(json!({}))]).await;
    let sierra = total(&auditor, json!({ "text": "sierra" })).await;
    import(&support, vec![line(json!({ "organization": "Greenwood Clinic" }))]).await;

    assert_eq!(total(&auditor, of_paul("Kim")).await, 0);
    assert_eq!(total(&auditor, of_paul("Quillon")).await, before + 1);
    assert_eq!(total(&auditor, of_paul("quil paul permission redwood")).await, before + 1);
    assert_eq!(total(&auditor, of_paul("quil paul permission greenwood")).await, 0);
    assert!(sierra > 0);
    assert_eq!(total(&auditor, json!({ "text": "greenw" })).await, sierra + 1);
    // What changed is told as it was.
    assert_eq!(total(&auditor, json!({ "text": "sierra" })).await, sierra);
    assert_eq!(total(&auditor, json!({ "text": "kim" })).await, 0);
    assert!(total(&auditor, json!({ "text": "paul quillon" })).await > everything);
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

/// The types of the events about a person that concern a kind of right.
async fn concerned(portal: &Portal, right: &str, subject: &Person) -> BTreeSet<String> {
    let auditor = portal.client(&portal.world().auditor).await;
    let found = all(&auditor, &json!({ "right": right, "subject": subject.user })).await;
    found.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

#[tokio::test]
async fn gn_26_events_are_found_by_the_kind_of_right_they_concern() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let nora = portal.client(&world.npi_admin).await;
    let target =
        json!({ "organizationId": world.clinic.id.to_string(), "npi": world.clinic.npis[0] });
    nora.mutate("revealPin", target, "pin").await.done();
    portal.advance(Duration::from_secs(30 * 3600));
    portal.settle().await;
    let pins = concerned(&portal, "MANAGE_PIN", &world.npi_admin).await;
    let used = "permissions.right_use.right_used";
    for name in ["permissions.membership.npi_permission_set", "pins.pin.pin_revealed", used] {
        assert!(pins.contains(name), "{name}: {pins:?}");
    }
    assert!(!concerned(&portal, "READ_TAX_ID", &world.npi_admin).await.contains(used));
    let staff = concerned(&portal, "PLAN_ROLE", &world.auditor).await;
    assert!(staff.contains("tenants.plan_staff.plan_role_assigned"), "{staff:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_grant_that_expired_concerns_its_own_kind_of_right() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let grant = json!({ "userId": world.processor.user, "organizationId": world.clinic.id,
                        "feature": "CLAIMS", "until": "2026-01-12T17:10:00Z" });
    admin.mutate("grantFeature", grant, "position").await.done();
    portal.advance(Duration::from_secs(600));
    portal.settle().await;
    let features = concerned(&portal, "USE_FEATURE", &world.processor).await;
    for name in ["feature_granted", "grant_expired"] {
        assert!(features.contains(&format!("permissions.membership.{name}")), "{features:?}");
    }
    assert!(!features.contains("permissions.membership.npi_permission_set"), "{features:?}");
    let locations = concerned(&portal, "VIEW_LOCATION", &world.processor).await;
    assert!(!locations.contains("permissions.membership.grant_expired"), "{locations:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_what_led_to_an_event_and_what_it_led_to_is_found_step_by_step() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let (by, of) = (&world.clinic_admin, &world.processor);
    set_level(&portal, by, of, npi, NpiLevel::Admin).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let events = all(&auditor, &json!({})).await;
    // The same by hand: from each event to what it led to.
    let mut led_to: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &events {
        if let Some(cause) = event["causationId"].as_str() {
            led_to.entry(cause.to_owned()).or_default().push(id_of(event));
        }
    }
    let set = find(&auditor, json!({ "actor": by.user, "subject": of.user })).await;
    let root = id_of(&set["nodes"][0]);
    let (mut reached, mut waiting) = (BTreeMap::new(), vec![(root.clone(), 0)]);
    while let Some((id, steps)) = waiting.pop() {
        let next = led_to.get(&id).cloned().unwrap_or_default();
        waiting.extend(next.into_iter().map(|it| (it, steps + 1)));
        reached.insert(id, steps);
    }
    reached.remove(&root);
    let deepest = reached.iter().max_by_key(|(_, steps)| **steps).expect("notices were raised");
    let found = all(&auditor, &json!({ "consequencesOf": root })).await;
    assert_eq!(ids(&found), reached.keys().cloned().collect());
    let causes = all(&auditor, &json!({ "causesOf": deepest.0 })).await;
    assert_eq!(causes.len(), *deepest.1, "{causes:?}");
    assert!(ids(&causes).contains(&root));
    // Who may not see what it led to is not told: the notices are the plan's own affair.
    let admin = portal.client(by).await;
    let seen = all(&admin, &json!({ "consequencesOf": root })).await;
    assert!(seen.len() < found.len(), "{seen:?}");
    assert_eq!(all(&admin, &json!({ "causesOf": root })).await, Vec::<Value>::new());
    portal.finish().await;
}
