//! An outside witness signs the log's heads, and only of one log (GN-26; C2SP tlog-witness).

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rollcall_api::witness::WitnessConfig;
use rollcall_domain::permissions::NpiLevel;
use rollcall_projections::proof::head_of;
use serde_json::{Value, json};
use tlog_tiles::{Hash, tlog};

use super::{
    evidence::{bundle, checked, policy},
    set_level,
    transparency::signed_up_to,
};
use crate::support::{Client, Portal};

const NAME: &str = "witness.example/w1";

/// A witness as the specification has it, but that it knows every log.
struct Keeper {
    pair: Ed25519KeyPair,
    /// Size and root of the last head it signed, by origin.
    seen: Mutex<std::collections::BTreeMap<String, (u64, Hash)>>,
    /// The statuses it answered.
    answered: Mutex<Vec<u16>>,
}

impl Keeper {
    fn id(&self) -> [u8; 4] {
        signed_note::key_id(NAME, &self.typed()).to_be_bytes()
    }

    fn typed(&self) -> Vec<u8> {
        [&[4], self.pair.public_key().as_ref()].concat()
    }

    fn key(&self) -> String {
        let id = u32::from_be_bytes(self.id());
        format!("{NAME}+{id:08x}+{}", BASE64_STANDARD.encode(self.typed()))
    }

    fn answer(&self, body: &str) -> (u16, String) {
        let (head, note) = body.split_once("\n\n").expect("an empty line");
        let mut lines = head.lines();
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).expect("an old size");
        let old: u64 = old.parse().expect("a size");
        let proof = lines.map(|line| Hash::parse_hash(line).expect("a hash")).collect::<Vec<_>>();
        let (size, root) = head_of(note.as_bytes()).expect("a checkpoint");
        let origin = note.lines().next().expect("an origin").to_owned();
        let mut seen = self.seen.lock().expect("nobody panics here");
        let known = seen.get(&origin).copied();
        if known.map_or(0, |(size, _)| size) != old {
            return (409, format!("{}\n", known.map_or(0, |(size, _)| size)));
        }
        if let Some((old, before)) = known
            && tlog::check_tree(&proof, size, root, old, before).is_err()
        {
            return (422, String::new());
        }
        seen.insert(origin, (size, root));
        let text = &note[..note.rfind("\n\n").expect("signatures") + 1];
        let seconds = 1_700_000_000_u64;
        let signature =
            self.pair.sign(format!("cosignature/v1\ntime {seconds}\n{text}").as_bytes());
        let bytes = [&self.id()[..], &seconds.to_be_bytes(), signature.as_ref()].concat();
        (200, format!("\u{2014} {NAME} {}\n", BASE64_STANDARD.encode(bytes)))
    }
}

async fn keeper() -> (Arc<Keeper>, WitnessConfig) {
    let keeper = Arc::new(Keeper {
        pair: Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("a seed"),
        seen: Mutex::default(),
        answered: Mutex::default(),
    });
    let add = async |State(keeper): State<Arc<Keeper>>, body: String| {
        let (status, answer) = keeper.answer(&body);
        keeper.answered.lock().expect("nobody panics here").push(status);
        (StatusCode::from_u16(status).expect("a status"), answer)
    };
    let router = Router::new().route("/log/add-checkpoint", post(add)).with_state(keeper.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/log", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = WitnessConfig { url, key: keeper.key().parse().expect("a key") };
    (keeper, config)
}

async fn change(portal: &Portal, level: NpiLevel) -> (Client, Value) {
    let world = portal.world();
    let npi = &world.clinic.npis[1];
    let position = set_level(portal, &world.clinic_admin, &world.newcomer, npi, level).await;
    let auditor = portal.client(&world.auditor).await;
    let log = signed_up_to(&auditor, position).await;
    (auditor, log)
}

#[tokio::test]
async fn gn_26_a_witness_signs_each_head_with_proof_that_it_continues_the_last() {
    let (keeper, config) = keeper().await;
    let portal = Portal::medi_cal().await.restarted_before(vec![config.clone()]).await;
    change(&portal, NpiLevel::Processor).await;
    let (auditor, log) = change(&portal, NpiLevel::Admin).await;
    let note = log["checkpoint"].as_str().expect("a checkpoint");
    assert!(note.contains(&format!("\u{2014} {NAME} ")), "{note}");
    let answered = keeper.answered.lock().expect("nobody panics here").clone();
    assert!(answered.iter().filter(|status| **status == 200).count() >= 2, "{answered:?}");

    // Whoever trusts the witness demands its signature.
    let evidence = bundle(&auditor, json!({}), None).await;
    let mut trusted = policy(&log);
    assert!(checked(&evidence, &trusted, None).expect("a good bundle").witnesses.is_empty());
    trusted.witnesses = vec![keeper.key()];
    trusted.quorum = 1;
    let proven = checked(&evidence, &trusted, None).expect("a good bundle");
    assert_eq!(proven.witnesses, [NAME]);
    assert!(proven.told().iter().any(|line| line.starts_with(&format!("Seen by {NAME}"))));
    trusted.quorum = 2;
    trusted.witnesses.push(keeper.key());
    assert_eq!(checked(&evidence, &trusted, None).err().map(|fault| fault.code()), Some(11));

    // Started again, the log asks what the witness knows and goes on from there.
    let portal = portal.restarted_before(vec![config]).await;
    let (_, log) = change(&portal, NpiLevel::None).await;
    assert!(log["checkpoint"].as_str().expect("a checkpoint").contains(NAME));
    let answered = keeper.answered.lock().expect("nobody panics here").clone();
    assert!(answered.contains(&409) && !answered.contains(&422), "{answered:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_log_goes_on_without_a_witness_that_gives_no_answer_or_knows_another_log() {
    let (keeper, config) = keeper().await;
    let silent = WitnessConfig { url: "http://127.0.0.1:9".to_owned(), ..config.clone() };
    let portal = Portal::medi_cal().await.restarted_before(vec![silent]).await;
    let (_, log) = change(&portal, NpiLevel::Processor).await;
    assert!(!log["checkpoint"].as_str().expect("a checkpoint").contains(NAME));
    // The witness saw a log of the same name that this one does not continue.
    let origin = log["origin"].as_str().expect("an origin").to_owned();
    let other = (5, Hash([7; 32]));
    keeper.seen.lock().expect("nobody panics here").insert(origin, other);
    let portal = portal.restarted_before(vec![config]).await;
    let (_, log) = change(&portal, NpiLevel::Admin).await;
    assert!(!log["checkpoint"].as_str().expect("a checkpoint").contains(NAME));
    let answered = keeper.answered.lock().expect("nobody panics here").clone();
    assert!(answered.contains(&409) && answered.contains(&422), "{answered:?}");
    portal.finish().await;
}
