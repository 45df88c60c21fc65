//! The log is proven: sealed, signed, and whatever is done to it shows (GN-26).

use std::{sync::Arc, time::Duration};

use rollcall_domain::permissions::NpiLevel;
use rollcall_journal::{MasterKey, secrets::Secrets};
use rollcall_projections::proof::{
    Signer,
    check::check,
    head_of,
    store::{self, events_after},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor, PgConnection};

use super::set_level;
use crate::support::{Client, Portal};

const LOG: &str = "{ transparencyLog { origin sealedPosition checkpoint checkpointPosition
                     signedAt verifierKeys isEvidence } }";

/// The log's head once it is signed up to a position.
pub async fn signed_up_to(auditor: &Client, position: i64) -> Value {
    for _ in 0..200 {
        let answer = auditor.send(LOG, json!({})).await;
        let log = answer.data()["transparencyLog"].clone();
        let signed = log["checkpointPosition"].as_str().and_then(|at| at.parse::<i64>().ok());
        if signed.is_some_and(|signed| signed >= position) {
            return log;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing is signed up to {position}")
}

/// RFC 6962, 2.1, word for word.
fn merkle_tree_hash(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::digest([&[0], leaf.as_slice()].concat()).into(),
        many => {
            let mut k = 1;
            while 2 * k < many.len() {
                k *= 2;
            }
            let (left, right) = (merkle_tree_hash(&many[..k]), merkle_tree_hash(&many[k..]));
            Sha256::digest([&[1], left.as_slice(), right.as_slice()].concat()).into()
        }
    }
}

async fn owner(portal: &Portal) -> PgConnection {
    PgConnection::connect_with(&portal.database()).await.expect("the server answers")
}

#[tokio::test]
async fn gn_26_every_event_is_sealed_and_the_head_of_the_log_is_signed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    let npi = &world.clinic.npis[1];
    let position =
        set_level(&portal, &world.clinic_admin, &world.newcomer, npi, NpiLevel::Processor).await;
    let log = signed_up_to(&auditor, position).await;

    // The signed root is that of the leaves, by the definition.
    let note = log["checkpoint"].as_str().expect("a checkpoint");
    let (size, root) = head_of(note.as_bytes()).expect("a note");
    let size = i64::try_from(size).expect("a size");
    let events = events_after(&mut owner(&portal).await, world.tenant, 0, size).await;
    let leaves: Vec<_> = events
        .expect("the events are there")
        .iter()
        .map(|event| event.envelope().to_bytes().expect("a leaf"))
        .collect();
    assert_eq!(leaves.len() as i64, size);
    assert_eq!(merkle_tree_hash(&leaves), root.0);

    // The key that is named has signed it (C2SP signed-note, read by hand).
    let origin = log["origin"].as_str().expect("an origin");
    let (text, signatures) = note.split_once("\n\n").expect("a signed note");
    assert_eq!(text.lines().next(), Some(origin));
    let [key] = log["verifierKeys"].as_array().expect("keys").as_slice() else { panic!("{log}") };
    let key = key.as_str().expect("a key").splitn(3, '+').nth(2).expect("its last part");
    let decode = |text: &str| {
        use base64::{Engine, prelude::BASE64_STANDARD};
        BASE64_STANDARD.decode(text).expect("base64")
    };
    let key = decode(key);
    let signature = decode(signatures.trim_end().rsplit(' ').next().expect("a signature"));
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &key[1..]);
    public.verify(format!("{text}\n").as_bytes(), &signature[4..]).expect("its signature");

    // The clock of this log can be set, and it says so (GN-35).
    assert!(origin.starts_with("not-evidence.invalid/log/"), "{origin}");
    assert_eq!(log["isEvidence"], false);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_the_head_of_the_log_is_for_auditors_and_plan_administrators() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    for who in [&world.auditor, &world.plan_admin] {
        signed_up_to(&portal.client(who).await, 1).await;
    }
    for who in [&world.clinic_admin, &world.plan_support, &world.processor] {
        let answer = portal.client(who).await.send(LOG, json!({})).await;
        assert_eq!(answer.error_code(), "FORBIDDEN");
    }
    let visitor = portal.visitor(&world.slug).send(LOG, json!({})).await;
    assert_eq!(visitor.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

/// What a superuser may do to the log, by name; `$1` is the tenant.
const TAMPERING: [(&str, &[&str]); 12] = [
    ("a byte of a payload", &[
        "UPDATE es.events SET payload = replace(payload::text, 'a', 'b')::json WHERE {7}",
    ]),
    ("white space in a payload", &[
        "UPDATE es.events SET payload = (payload::text || ' ')::json WHERE {7}",
    ]),
    ("metadata", &[
        "UPDATE es.events SET metadata = '{\"policy_version\":\"1\",\"command\":\"Other\"}' WHERE {7}",
    ]),
    ("a time", &[
        "UPDATE es.events SET recorded_at = recorded_at - interval '1 microsecond' WHERE {7}",
    ]),
    ("who acted", &["UPDATE es.events SET actor_id = gen_random_uuid() WHERE {7}"]),
    ("a salt", &["UPDATE es.events SET salt = '\\x00000000000000000000000000000000' WHERE {7}"]),
    ("the order of two", &[
        "UPDATE es.events SET tenant_position = -7 WHERE {7}",
        "UPDATE es.events SET tenant_position = 7 WHERE {8}",
        "UPDATE es.events SET tenant_position = 8 WHERE {-7}",
    ]),
    ("one taken out", &["DELETE FROM es.events WHERE {7}"]),
    ("one taken out and the gap closed", &[
        "DELETE FROM es.events WHERE {7}",
        "UPDATE es.events SET tenant_position = 7 - tenant_position WHERE tenant_id = {tenant} AND tenant_position > 7",
        "UPDATE es.events SET tenant_position = 6 - tenant_position WHERE tenant_id = {tenant} AND tenant_position < 0",
    ]),
    ("one put in", &[
        "UPDATE es.events SET tenant_position = -tenant_position WHERE tenant_id = {tenant} AND tenant_position >= 7",
        "UPDATE es.events SET tenant_position = 1 - tenant_position WHERE tenant_id = {tenant} AND tenant_position < 0",
        "INSERT INTO es.events SELECT 1000000, tenant_id, 7, aggregate_type, aggregate_id, 1000000,
           gen_random_uuid(), event_type, event_version, payload, metadata, actor_kind, actor_id,
           organization_id, subject_id, subject_organization_id, npi, correlation_id, causation_id,
           command_id, recorded_at, occurred_at, effective_at, salt FROM es.events WHERE {8}",
    ]),
    ("one moved to another tenant", &[
        "UPDATE es.events SET tenant_id = gen_random_uuid() WHERE {7}",
    ]),
    ("the tail cut", &[
        "DELETE FROM es.events WHERE tenant_id = {tenant} AND tenant_position > 20",
    ]),
];

#[tokio::test]
async fn gn_26_whatever_a_superuser_does_to_the_log_is_found() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    signed_up_to(&portal.client(&world.auditor).await, 21).await;
    let mut session = owner(&portal).await;
    let clean = check(&mut session, world.tenant, &[]).await.expect("a check");
    assert_eq!(clean.faults, [""; 0]);
    assert!(clean.events > 20);
    for (what, statements) in TAMPERING {
        let mut tx = session.begin().await.expect("a transaction");
        tx.execute("ALTER TABLE es.events DISABLE TRIGGER USER").await.expect("a superuser may");
        for statement in statements {
            let tenant = format!("'{}'", world.tenant);
            let at = |n: i64| format!("tenant_id = {tenant} AND tenant_position = {n}");
            let statement = statement
                .replace("{tenant}", &tenant)
                .replace("{7}", &at(7))
                .replace("{8}", &at(8))
                .replace("{-7}", &at(-7));
            let done = tx.execute(statement.as_str()).await.expect(what);
            assert!(done.rows_affected() > 0, "{what}: {statement}");
        }
        let checked = check(&mut tx, world.tenant, &[]).await.expect("a check");
        assert!(!checked.faults.is_empty(), "{what} is not found");
        let first = &checked.faults[0];
        let named = first.contains("position 7") || first.contains("ends at 20");
        assert!(named, "{what}: {first}");
        tx.rollback().await.expect("undone");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_log_rewritten_together_with_its_tree_contradicts_what_was_signed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    let log = signed_up_to(&auditor, 21).await;
    let kept = head_of(log["checkpoint"].as_str().expect("a note").as_bytes()).expect("a head");
    let signer = Signer::new(
        Arc::new(Secrets::new(&MasterKey::from_bytes([0; 32]))),
        portal.folder().join(rollcall_api::service::LOG_FOLDER),
    );
    let last = signer.last(world.tenant).expect("its memory").expect("something was signed");
    assert!(last.0 >= kept.0);

    // An event is altered, and the tree is made anew by the service's own sealer.
    let mut session = owner(&portal).await;
    let tenant = world.tenant;
    let mut tx = session.begin().await.expect("a transaction");
    for statement in [
        // First, so that the sealer is not at it.
        format!("UPDATE es.trees SET size = 0 WHERE tenant_id = '{tenant}'"),
        "ALTER TABLE es.events DISABLE TRIGGER USER".to_owned(),
        format!(
            "UPDATE es.events SET actor_id = gen_random_uuid()
              WHERE tenant_id = '{tenant}' AND tenant_position = 7"
        ),
        format!("DELETE FROM es.tree_tiles WHERE tenant_id = '{tenant}'"),
        format!("DELETE FROM es.checkpoints WHERE tenant_id = '{tenant}'"),
    ] {
        tx.execute(statement.as_str()).await.expect("a superuser may");
    }
    tx.commit().await.expect("it is done");
    set_level(
        &portal,
        &world.clinic_admin,
        &world.newcomer,
        &world.clinic.npis[1],
        NpiLevel::Admin,
    )
    .await;
    // The signer refuses to contradict itself, and the service says so.
    let told = unproven(&portal).await;
    assert!(told.contains("are not the beginning of this log"), "{told}");
    let latest = store::latest(&mut session, tenant).await.expect("an answer").expect("a tree");
    assert_eq!(latest.checkpoint, None, "something was signed");
    // The check finds nothing by the tree alone, and everything by what was kept.
    let alone = check(&mut session, tenant, &[]).await.expect("a check");
    assert_eq!(alone.faults, [""; 0]);
    let by_memory = check(&mut session, tenant, &[last, kept]).await.expect("a check");
    let foreign =
        |(size, _): (u64, _)| format!("the checkpoint of {size} events is of another log");
    assert!(by_memory.faults.contains(&foreign(kept)), "{:?}", by_memory.faults);
    assert!(by_memory.faults.contains(&foreign(last)), "{:?}", by_memory.faults);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_log_set_back_to_an_old_backup_is_not_signed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    let log = signed_up_to(&auditor, 21).await;
    let kept = head_of(log["checkpoint"].as_str().expect("a note").as_bytes()).expect("a head");
    let mut session = owner(&portal).await;
    let tenant = world.tenant;
    let cut = i64::try_from(kept.0).expect("a size") - 5;
    let mut tx = session.begin().await.expect("a transaction");
    for statement in [
        // First, so that the sealer is not at it.
        format!("UPDATE es.trees SET size = 0 WHERE tenant_id = '{tenant}'"),
        "ALTER TABLE es.events DISABLE TRIGGER USER".to_owned(),
        format!("DELETE FROM es.events WHERE tenant_id = '{tenant}' AND tenant_position > {cut}"),
        format!("UPDATE es.tenant_heads SET position = {cut} WHERE tenant_id = '{tenant}'"),
        format!("DELETE FROM es.tree_tiles WHERE tenant_id = '{tenant}'"),
        format!("DELETE FROM es.checkpoints WHERE tenant_id = '{tenant}'"),
    ] {
        tx.execute(statement.as_str()).await.expect("a superuser may");
    }
    tx.commit().await.expect("it is done");
    let told = unproven(&portal).await;
    assert!(told.contains("was an old backup put back?"), "{told}");
    let found = check(&mut session, tenant, &[kept]).await.expect("a check").faults;
    let longer = format!("a log of {} events was signed; this one has {cut}", kept.0);
    assert_eq!(found, [longer]);
    // Projections stand beyond the log's end and say so: nothing to be finished.
    portal.abandon().await;
}

/// Why the tenant's log is not signed further, as `/health/ready` says.
async fn unproven(portal: &Portal) -> String {
    for _ in 0..200 {
        let health = portal.get("/health/ready").await;
        if let Some(told) = health["unproven"][portal.world().tenant.to_string()].as_str() {
            return told.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the service says nothing")
}
