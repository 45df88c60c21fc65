//! The timeline pushed to a receiver that fails, is slow, goes away and comes back.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use rollcall_domain::permissions::NpiLevel;
use rollcall_journal::Clock;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::set_level;
use crate::support::{Client, Portal, Receiver, Reply};

const SINKS: &str = "{ auditSinks { id name url format filter text paused position lag lastDeliveryAt \
                     lastError nextAttemptAt bothSecretsUntil } }";
const MADE: &str = "auditSink { id position lag } secret position";

async fn create(client: &Client, receiver: &Receiver, more: Value) -> Value {
    let mut input = json!({ "name": "SIEM", "url": receiver.url(), "format": "JSON_LINES" });
    for (field, value) in more.as_object().expect("an object") {
        input[field] = value.clone();
    }
    client.mutate("createAuditSink", input, MADE).await.done().clone()
}

async fn sink(client: &Client) -> Value {
    let sinks = client.send(SINKS, json!({})).await.data()["auditSinks"].clone();
    assert_eq!(sinks.as_array().map(Vec::len), Some(1), "{sinks}");
    sinks[0].clone()
}

/// Waits for what the service does by itself, twenty seconds at most.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the receiver has everything.
async fn caught_up(portal: &Portal, client: &Client) {
    until("everything is pushed", async || {
        portal.settle().await;
        let sink = sink(client).await;
        let head = portal.position().await;
        sink["position"].as_str().and_then(|it| it.parse().ok()) == Some(head)
    })
    .await;
}

async fn change(portal: &Portal, level: NpiLevel) -> i64 {
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    set_level(portal, &world.clinic_admin, &world.processor, npi, level).await
}

/// The signature of a delivery as the standard describes it, by another implementation of HMAC.
fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let secret = secret.strip_prefix("whsec_").expect("a secret of Standard Webhooks");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).expect("base64"));
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn gn_26_a_sink_gets_every_event_once_in_order_and_signed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    for n in 0..520 {
        let level = if n % 2 == 0 { NpiLevel::Admin } else { NpiLevel::Processor };
        change(&portal, level).await;
    }
    let receiver = Receiver::opened().await;
    let plan = portal.client(&world.plan_admin).await;
    let made = create(&plan, &receiver, json!({ "afterPosition": "0" })).await;
    let secret = text(&made["secret"]).to_owned();
    caught_up(&portal, &plan).await;
    change(&portal, NpiLevel::None).await;
    caught_up(&portal, &plan).await;
    let taken = receiver.taken();
    let positions: Vec<i64> = taken.iter().flat_map(|posted| posted.positions()).collect();
    assert_eq!(positions, (1..=portal.position().await).collect::<Vec<_>>());
    assert!(taken.len() >= 3 && taken.iter().all(|posted| posted.positions().len() <= 500));
    let now = portal.clock.now().timestamp();
    for posted in &taken {
        let (id, timestamp) = (posted.header("webhook-id"), posted.header("webhook-timestamp"));
        let expected = signature(&secret, id, timestamp, &posted.body);
        assert_eq!(posted.header("webhook-signature"), expected);
        assert!(id.starts_with("msg_"), "{id}");
        assert_eq!(timestamp, now.to_string());
        assert_eq!(posted.header("content-type"), "application/x-ndjson");
    }
    // What an export of the same says.
    let body = std::str::from_utf8(&taken.last().expect("one").body).expect("UTF-8").to_owned();
    let line: Value = serde_json::from_str(body.lines().last().expect("a line")).expect("JSON");
    assert!(
        text(&line["sentence"]).contains("Ann Lee") || line["actorName"] == "Rollcall",
        "{line}"
    );
    // The secret is nowhere but in the vault.
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let found: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM es.events WHERE payload::text || metadata::text LIKE '%' || $1 || '%'",
    )
    .bind(secret.trim_start_matches("whsec_"))
    .fetch_one(&mut session)
    .await
    .expect("a count");
    assert_eq!(found, 0);
    drop(session);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_delivery_that_failed_comes_again_under_its_id_with_the_same_events() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let receiver = Receiver::opened().await;
    let plan = portal.client(&world.plan_admin).await;
    receiver.answer([
        Reply::Status(500, "the disk is full\nof <b>words</b>"),
        Reply::Broken,
        Reply::Elsewhere("http://127.0.0.1:9/".to_owned()),
    ]);
    create(&plan, &receiver, json!({})).await;
    until("the first try", async || receiver.posted().len() == 1).await;
    until("it is on file", async || !sink(&plan).await["lastError"].is_null()).await;
    let failing = sink(&plan).await;
    assert_eq!(failing["lastError"], "500", "what it said may be about people");
    assert!(failing["nextAttemptAt"].is_string() && failing["lastDeliveryAt"].is_null());
    assert_ne!(failing["lag"], "0");
    // What comes meanwhile is no part of the batch, and the service is another one.
    change(&portal, NpiLevel::Admin).await;
    let portal = portal.restarted().await;
    let plan = plan.through(&portal.service);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.posted().len(), 1, "it waits");
    for tries in 2..=3 {
        portal.advance(Duration::from_secs(60));
        until("the next try", async || receiver.posted().len() == tries).await;
        until("it is on file", async || {
            sink(&plan).await["lastError"].as_str().is_some_and(|error| !error.starts_with("500"))
        })
        .await;
    }
    portal.advance(Duration::from_secs(60));
    caught_up(&portal, &plan).await;
    let posted = receiver.posted();
    assert_eq!([500, 0, 307, 204], [0, 1, 2, 3].map(|n: usize| posted[n].answered));
    for again in &posted[1..=3] {
        assert_eq!(again.header("webhook-id"), posted[0].header("webhook-id"));
        assert_eq!(again.body, posted[0].body);
    }
    let ids: Vec<_> = posted[3..].iter().map(|it| it.header("webhook-id").to_owned()).collect();
    let different: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "another batch, another id");
    let positions: Vec<i64> = receiver.taken().iter().flat_map(|it| it.positions()).collect();
    let first = positions[0];
    assert_eq!(positions, (first..=portal.position().await).collect::<Vec<_>>());
    let well = sink(&plan).await;
    assert!(well["lastError"].is_null() && well["nextAttemptAt"].is_null(), "{well}");
    assert!(well["lastDeliveryAt"].is_string());
    portal.finish().await;
}

async fn stopped(client: &Client, cause: &str) {
    until("it is stopped", async || sink(client).await["paused"] == cause).await;
}

#[tokio::test]
async fn gn_26_a_sink_that_is_gone_or_dead_is_paused_and_administrators_of_the_plan_are_told() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let receiver = Receiver::opened().await;
    let plan = portal.client(&world.plan_admin).await;
    let id = create(&plan, &receiver, json!({})).await["auditSink"]["id"].clone();
    caught_up(&portal, &plan).await;
    let before = receiver.taken().len();
    receiver.always(Some(Reply::Status(410, "moved away")));
    change(&portal, NpiLevel::Admin).await;
    stopped(&plan, "GONE").await;
    let tries = receiver.posted().len();
    portal.advance(Duration::from_secs(7_200));
    change(&portal, NpiLevel::Processor).await;
    portal.settle().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.posted().len(), tries, "nothing is sent while it is paused");
    // The sessions of before have ended meanwhile.
    let plan = portal.client(&world.plan_admin).await;
    let told = "{ notifications(first: 10) { nodes { type text } } }";
    let titles = async |client: &Client| {
        let nodes = client.send(told, json!({})).await.data()["notifications"]["nodes"].clone();
        let nodes = nodes.as_array().expect("nodes").clone();
        let told = nodes.iter().filter(|node| text(&node["text"]).contains("sinks"));
        told.count()
    };
    let other = portal.client(&world.second_plan_admin).await;
    until("they are told", async || titles(&plan).await == 1 && titles(&other).await == 1).await;
    // It goes on where it stopped.
    receiver.always(None);
    plan.mutate("resumeAuditSink", json!({ "auditSinkId": id }), "position").await.done();
    caught_up(&portal, &plan).await;
    let positions: Vec<i64> = receiver.taken().iter().flat_map(|it| it.positions()).collect();
    assert_eq!(positions, (positions[0]..=portal.position().await).collect::<Vec<_>>());
    assert!(receiver.taken().len() > before);
    // Dead after five days without an answer that counts.
    receiver.always(Some(Reply::Status(503, "")));
    change(&portal, NpiLevel::Admin).await;
    until("it fails", async || sink(&plan).await["lastError"] == "503").await;
    portal.advance(Duration::from_secs(5 * 24 * 3_600 - 60));
    until("it is tried", async || {
        portal.settle().await;
        let posted = receiver.posted();
        posted.iter().filter(|posted| posted.answered == 503).count() >= 2
    })
    .await;
    let plan = portal.client(&world.plan_admin).await;
    assert!(sink(&plan).await["paused"].is_null());
    portal.advance(Duration::from_secs(7_200));
    let plan = portal.client(&world.plan_admin).await;
    stopped(&plan, "UNREACHABLE").await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_two_secrets_sign_for_a_day_after_one_was_replaced() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let receiver = Receiver::opened().await;
    let plan = portal.client(&world.plan_admin).await;
    let made = create(&plan, &receiver, json!({})).await;
    let first = text(&made["secret"]).to_owned();
    caught_up(&portal, &plan).await;
    let input = json!({ "auditSinkId": made["auditSink"]["id"] });
    let rotated = plan.mutate("rotateAuditSinkSecret", input, MADE).await.done().clone();
    let second = text(&rotated["secret"]).to_owned();
    assert_ne!(first, second);
    let signed = async |portal: &Portal, level| {
        let position = change(portal, level).await;
        let holding =
            || receiver.taken().into_iter().find(|posted| posted.positions().contains(&position));
        until("it is pushed", async || holding().is_some()).await;
        let posted = holding().expect("one");
        let by = |secret: &str| {
            let (id, at) = (posted.header("webhook-id"), posted.header("webhook-timestamp"));
            signature(secret, id, at, &posted.body)
        };
        (posted.header("webhook-signature").to_owned(), by(&second), by(&first))
    };
    let (signatures, newer, older) = signed(&portal, NpiLevel::Admin).await;
    assert_eq!(signatures, format!("{newer} {older}"));
    assert!(sink(&plan).await["bothSecretsUntil"].is_string());
    portal.advance(Duration::from_secs(24 * 3_600));
    let (signatures, newer, _) = signed(&portal, NpiLevel::Processor).await;
    assert_eq!(signatures, newer);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_sinks_are_for_administrators_of_the_plan_and_what_left_is_on_record() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let receiver = Receiver::opened().await;
    let plan = portal.client(&world.plan_admin).await;
    let input = json!({ "name": "SIEM", "url": receiver.url(), "format": "OCSF" });
    for other in [&world.plan_support, &world.auditor, &world.clinic_admin] {
        let client = portal.client(other).await;
        let refused = client.mutate("createAuditSink", input.clone(), "position").await;
        assert_eq!(refused.refused(), "FORBIDDEN", "{}", other.email);
    }
    for url in ["http://10.0.0.1/in", "https://169.254.169.254/", "https://a:b@siem.example/"] {
        let input = json!({ "name": "SIEM", "url": url, "format": "OCSF" });
        assert_eq!(plan.mutate("createAuditSink", input, MADE).await.refused(), "FIELD_INVALID");
    }
    let types = json!(["permissions.membership.npi_permission_set"]);
    let more = json!({ "format": "OCSF", "filter": { "types": types, "text": "Kim" } });
    let id = create(&plan, &receiver, more).await["auditSink"]["id"].clone();
    let again = json!({ "name": "SIEM", "url": receiver.url(), "format": "OCSF" });
    assert_eq!(plan.mutate("createAuditSink", again, MADE).await.refused(), "ALREADY_ASSIGNED");
    let auditor = portal.client(&world.auditor).await;
    let shown = sink(&auditor).await;
    assert_eq!((&shown["filter"]["types"], &shown["text"]), (&types, &json!(["Kim"])));
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(admin.send(SINKS, json!({})).await.error_code(), "FORBIDDEN");
    let position = change(&portal, NpiLevel::Admin).await;
    caught_up(&portal, &plan).await;
    let taken = receiver.taken();
    let positions: Vec<i64> = taken.iter().flat_map(|posted| posted.positions()).collect();
    assert_eq!(positions, [position], "the filter's alone");
    let event: Value = serde_json::from_slice(&taken[0].body).expect("one line");
    assert_eq!(event["type_uid"], 300_501);
    // A day later what left is on record, once.
    portal.advance(Duration::from_secs(24 * 3_600));
    let of =
        |fact: &str| json!({ "filter": { "types": [format!("audit.sinks.audit_sink_{fact}")] } });
    let events = "query($filter: AuditEventFilter) { auditEvents(filter: $filter, first: 10) {
        totalCount nodes { sentence } } }";
    let auditor = portal.client(&world.auditor).await;
    until("it is on record", async || {
        let found = auditor.send(events, of("delivered")).await.data()["auditEvents"].clone();
        found["totalCount"] == 1
    })
    .await;
    let told = auditor.send(events, of("delivered")).await.data()["auditEvents"].clone();
    assert!(text(&told["nodes"][0]["sentence"]).contains("took 1 audit events"), "{told}");
    let support = portal.client(&world.plan_support).await;
    let seen = support.send(events, of("created")).await.data()["auditEvents"].clone();
    assert_eq!(seen["totalCount"], 0);
    // Its end: for a reason, and nothing is pushed any more.
    let plan = portal.client(&world.plan_admin).await;
    let end = |reason: &str| json!({ "auditSinkId": id, "reason": reason });
    let refused = plan.mutate("deleteAuditSink", end(" "), "position").await;
    assert_eq!(refused.refused(), "REASON_REQUIRED");
    plan.mutate("pauseAuditSink", end("Maintenance"), "auditSink { paused }").await.done();
    assert_eq!(sink(&plan).await["paused"], "ADMINISTRATOR");
    plan.mutate("deleteAuditSink", end("Replaced"), "position").await.done();
    change(&portal, NpiLevel::Processor).await;
    portal.settle().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.posted().len(), 1);
    let left = plan.send(SINKS, json!({})).await.data()["auditSinks"].clone();
    assert_eq!(left, json!([]));
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let secrets = "SELECT count(*) FROM es.vault WHERE kind = 'audit_sink_secret'";
    let kept: i64 = sqlx::query_scalar(secrets).fetch_one(&mut session).await.expect("a count");
    assert_eq!(kept, 0, "its secrets are forgotten");
    drop(session);
    portal.finish().await;
}

/// When a receiver is looked at again.
async fn next_attempt(portal: &Portal, id: &Value) -> chrono::DateTime<chrono::Utc> {
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let next = "SELECT next_attempt_at FROM ops.audit_sinks WHERE sink_id = $1::uuid";
    sqlx::query_scalar(next).bind(text(id)).fetch_one(&mut session).await.expect("a row")
}

#[tokio::test]
async fn gn_26_a_sink_for_which_there_is_nothing_or_that_cannot_be_read_waits_behind_others() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let receiver = Receiver::opened().await;
    let plan = portal.client(&world.plan_admin).await;
    let named = async |name: &str, more: Value| {
        let mut input = json!({ "name": name });
        input.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        create(&plan, &receiver, input).await["auditSink"]["id"].clone()
    };
    let never = json!({ "filter": { "types": ["pins.pin.pin_reset"] } });
    let idle = named("Nothing for it", never).await;
    portal.advance(Duration::from_secs(60));
    change(&portal, NpiLevel::Admin).await;
    until("it is passed", async || next_attempt(&portal, &idle).await == portal.now()).await;

    // One whose secret was damaged, and another one.
    let broken = named("Broken", json!({})).await;
    until("it is taken in", async || {
        portal.settle().await;
        !receiver.taken().is_empty()
    })
    .await;
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    sqlx::query("UPDATE es.vault SET value = '\\x00' WHERE kind = 'audit_sink_secret'")
        .execute(&mut session)
        .await
        .expect("it is damaged");
    drop(session);
    let good = named("Good", json!({})).await;
    let taken = receiver.taken().len();
    change(&portal, NpiLevel::Processor).await;
    until("the good one is served", async || receiver.taken().len() > taken).await;
    until("the other one waits", async || {
        next_attempt(&portal, &broken).await > portal.now() + chrono::TimeDelta::seconds(30)
    })
    .await;
    assert!(next_attempt(&portal, &good).await <= portal.now());
    portal.finish().await;
}
