//! The log's signing keys are renewed with an overlap (GN-26).

use std::sync::Arc;

use chrono::TimeDelta;
use rollcall_api::service::LOG_FOLDER;
use rollcall_domain::permissions::NpiLevel;
use rollcall_journal::{MasterKey, secrets::Secrets};
use rollcall_projections::proof::Signer;
use serde_json::{Value, json};

use super::{
    evidence::{bundle, checked, policy},
    set_level,
    transparency::signed_up_to,
};
use crate::support::{Client, Portal};

/// Something happens; the log's head once it is signed.
async fn signed(portal: &Portal, auditor: &Client, level: NpiLevel) -> Value {
    let world = portal.world();
    let npi = &world.clinic.npis[1];
    let position = set_level(portal, &world.clinic_admin, &world.newcomer, npi, level).await;
    signed_up_to(auditor, position).await
}

fn keys(log: &Value) -> Vec<Value> {
    log["verifierKeys"].as_array().expect("keys").clone()
}

fn signatures(log: &Value) -> usize {
    let note = log["checkpoint"].as_str().expect("a checkpoint");
    note.lines().filter(|line| line.starts_with('\u{2014}')).count()
}

#[tokio::test]
async fn gn_26_a_new_signing_key_begins_beside_the_old_one_and_then_stands_alone() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    let first = signed(&portal, &auditor, NpiLevel::Processor).await;
    let old = policy(&first);
    assert_eq!((keys(&first).len(), signatures(&first)), (1, 1));

    // As `rollcall rotate-log-key` does.
    let secrets = Arc::new(Secrets::new(&MasterKey::from_bytes([0; 32])));
    let signer = Signer::new(secrets, portal.folder().join(LOG_FOLDER));
    let overlap = portal.now() + TimeDelta::days(30);
    assert_eq!(signer.rotate(overlap).expect("the folder is there"), 2);

    // Meanwhile both sign: whoever knows either of them checks what is new.
    let both = signed(&portal, &auditor, NpiLevel::Admin).await;
    assert_eq!((keys(&both).len(), signatures(&both)), (2, 2));
    assert_eq!(keys(&both)[0], keys(&first)[0]);
    let mut new = policy(&both);
    new.logs[0].keys.remove(0);
    let held = first["checkpointPosition"].as_str();
    let evidence = bundle(&auditor, json!({}), held).await;
    let kept = first["checkpoint"].as_str();
    for trusted in [&old, &new] {
        checked(&evidence, trusted, None).expect("a key that is trusted has signed");
    }
    // The checkpoint kept from before is known by the old key.
    assert!(checked(&evidence, &old, kept).expect("a good bundle").continues);

    // After it the new one alone; evidence continues what the old one signed.
    portal.advance(std::time::Duration::from_secs(30 * 24 * 3600));
    let auditor = portal.client(&portal.world().auditor).await;
    let alone = signed(&portal, &auditor, NpiLevel::None).await;
    assert_eq!((keys(&alone), signatures(&alone)), (vec![keys(&both)[1].clone()], 1));
    let evidence = bundle(&auditor, json!({}), held).await;
    assert_eq!(checked(&evidence, &old, None).err().map(|fault| fault.code()), Some(11));
    let mut all = policy(&both);
    assert!(checked(&evidence, &all, kept).expect("a good bundle").continues);
    all.logs[0].keys.remove(1);
    assert_eq!(checked(&evidence, &all, kept).err().map(|fault| fault.code()), Some(11));
    portal.finish().await;
}
