//! One event is proven to be in the log (GN-26).

use base64::{Engine, prelude::BASE64_STANDARD};
use rollcall_domain::permissions::NpiLevel;
use rollcall_projections::proof::head_of;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash, tlog};

use super::{set_level, transparency::signed_up_to};
use crate::support::{Client, Portal};

const PROOF: &str = "query($id: ID!) { inclusionProof(eventId: $id) { position leaf tlogProof } }";

async fn event_at(client: &Client, position: i64) -> Value {
    let query = "query($at: Position!) { auditEvents(asOfPosition: $at, first: 1) { nodes {
        id position } } }";
    let answer = client.send(query, json!({ "at": position.to_string() })).await;
    answer.data()["auditEvents"]["nodes"][0]["id"].clone()
}

/// Index, path and checkpoint of a proof as C2SP writes it, read by hand.
fn read(text: &str) -> (u64, Vec<Hash>, String) {
    let (head, note) = text.split_once("\n\n").expect("an empty line");
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
    let index = lines.next().and_then(|line| line.strip_prefix("index ")).expect("an index");
    let path = lines.map(|line| {
        let bytes = BASE64_STANDARD.decode(line).expect("base64");
        Hash(bytes.try_into().expect("32 bytes"))
    });
    (index.parse().expect("a number"), path.collect(), note.to_owned())
}

#[tokio::test]
async fn gn_26_an_event_is_proven_to_be_in_the_log_by_a_text_of_its_own() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = &world.clinic.npis[1];
    let position =
        set_level(&portal, &world.clinic_admin, &world.newcomer, npi, NpiLevel::Processor).await;
    let auditor = portal.client(&world.auditor).await;
    signed_up_to(&auditor, position).await;
    portal.settle().await;
    for at in [1, position / 2, position] {
        let id = event_at(&auditor, at).await;
        let answer = auditor.send(PROOF, json!({ "id": id })).await;
        let proof = &answer.data()["inclusionProof"];
        assert_eq!(proof["position"], at.to_string());
        let (index, path, note) = read(proof["tlogProof"].as_str().expect("a text"));
        assert_eq!(index as i64, at - 1);
        let (size, root) = head_of(note.as_bytes()).expect("a checkpoint");
        let leaf = proof["leaf"].as_str().expect("a leaf");
        let hash = Hash(Sha256::digest([&[0], leaf.as_bytes()].concat()).into());
        tlog::check_record(&path, size, root, index, hash).expect("it is there");
        let other =
            Hash(Sha256::digest([&[0], leaf.replace("1.0", "1.1").as_bytes()].concat()).into());
        assert!(tlog::check_record(&path, size, root, index, other).is_err());
        // The leaf is the event's and names nobody.
        let leaf: Value = serde_json::from_str(leaf).expect("JSON");
        assert_eq!(leaf["tenant"], world.tenant.to_string());
        assert!(!leaf.to_string().contains(&world.newcomer.user.to_string()));
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_proof_is_for_auditors_of_what_they_see() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    signed_up_to(&auditor, 2).await;
    let id = event_at(&auditor, 2).await;
    for who in [&world.clinic_admin, &world.plan_support] {
        let answer = portal.client(who).await.send(PROOF, json!({ "id": id })).await;
        assert_eq!(answer.error_code(), "FORBIDDEN");
    }
    let visitor = portal.visitor(&world.slug).send(PROOF, json!({ "id": id })).await;
    assert_eq!(visitor.error_code(), "UNAUTHENTICATED");
    // Of what is no event, and of what is none of theirs, there is no proof.
    let nothing = auditor.send(PROOF, json!({ "id": uuid::Uuid::new_v4().to_string() })).await;
    assert!(nothing.body["data"]["inclusionProof"].is_null());
    portal.finish().await;
}
