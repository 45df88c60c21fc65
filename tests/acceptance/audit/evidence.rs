//! Evidence is taken away over HTTP and checked without the service (GN-26, GN-35).

use std::io::{Cursor, Read, Write};

use reqwest::StatusCode;
use rollcall_domain::permissions::NpiLevel;
use rollcall_journal::upcast::Upcasters;
use rollcall_projections::proof::{
    bundle::{LOG, MANIFEST, REPORT},
    verify::{Fault, Policy, Proven, TrustedLog, verify},
};
use serde_json::{Value, json};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{set_level, transparency::signed_up_to};
use crate::support::{Client, Person, Portal};

pub(super) const REQUEST: &str =
    "mutation($input: RequestEvidenceInput!) { done: requestEvidence(input: $input)
    { evidence { id url expiresAt } position userErrors { code field message } } }";
const LEVEL_SET: &str = "permissions.membership.npi_permission_set";

pub(super) async fn request(client: &Client, question: Value, since: Option<&str>) -> Value {
    let input = json!({ "question": question, "recipient": "Office for Civil Rights",
                        "purpose": "Investigation 12", "since": since });
    client.send(REQUEST, json!({ "input": input })).await.done().clone()
}

/// What a GET of the evidence answers to somebody.
pub(super) async fn fetch(client: &Client, evidence: &Value) -> (StatusCode, Vec<u8>) {
    let path = evidence["evidence"]["url"].as_str().expect("a path");
    let url = format!("http://{}{path}", client.address());
    let mut request = reqwest::Client::new().get(url);
    if let Some(token) = &client.token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status();
    (status, response.bytes().await.expect("a body").to_vec())
}

/// The bundle for a question, by the portal's auditor.
pub async fn bundle(auditor: &Client, question: Value, since: Option<&str>) -> Vec<u8> {
    let asked = request(auditor, question, since).await;
    assert_eq!(asked["userErrors"], json!([]));
    let (status, bytes) = fetch(auditor, &asked).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
    bytes
}

pub fn policy(log: &Value) -> Policy {
    let keys = log["verifierKeys"].as_array().expect("keys").iter();
    let keys = keys.map(|key| key.as_str().expect("a key").to_owned()).collect();
    let origin = log["origin"].as_str().expect("an origin").to_owned();
    Policy { logs: vec![TrustedLog { origin, keys }], witnesses: Vec::new(), quorum: 0 }
}

pub fn checked(bytes: &[u8], policy: &Policy, since: Option<&str>) -> Result<Proven, Fault> {
    verify(Cursor::new(bytes), policy, since.map(str::as_bytes), &Upcasters::default())
}

pub fn file(bundle: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(Cursor::new(bundle)).expect("an archive");
    let mut text = String::new();
    archive.by_name(name).expect("a file").read_to_string(&mut text).expect("text");
    text
}

/// The bundle with another content of one file.
pub fn altered(bundle: &[u8], name: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(bundle)).expect("an archive");
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("a file");
        let entry = file.name().expect("a name").into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        let text = if entry == name {
            let changed = change(&text);
            assert_ne!(changed, text, "nothing of {name} was changed");
            changed
        } else {
            text
        };
        out.start_file(entry, SimpleFileOptions::default()).expect("a file");
        out.write_all(text.as_bytes()).expect("written");
    }
    out.finish().expect("an archive").into_inner()
}

/// Level changes of the newcomer, the processor and, between them, another event.
async fn some_changes(portal: &Portal) -> (i64, Value, Client) {
    let world = portal.world();
    let npi = &world.clinic.npis[1];
    let by = &world.clinic_admin;
    set_level(portal, by, &world.newcomer, npi, NpiLevel::Processor).await;
    set_level(portal, by, &world.processor, npi, NpiLevel::Admin).await;
    let last = set_level(portal, by, &world.newcomer, npi, NpiLevel::None).await;
    let auditor = portal.client(&world.auditor).await;
    let log = signed_up_to(&auditor, last).await;
    (last, log, auditor)
}

#[tokio::test]
async fn gn_35_evidence_is_fetched_and_checked_offline() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let earlier = signed_up_to(&portal.client(&world.auditor).await, 1).await;
    let (_, log, auditor) = some_changes(&portal).await;
    let question = json!({ "subject": world.newcomer.user.to_string() });
    let held = earlier["checkpointPosition"].as_str();
    let bytes = bundle(&auditor, question, held).await;
    let trusted = policy(&log);
    let proven = checked(&bytes, &trusted, earlier["checkpoint"].as_str()).expect("a good bundle");
    // The clock of a test can be set, and the verdict says so.
    assert_eq!(proven.code(), 30);
    assert!(proven.told().iter().any(|line| line.starts_with("NOT EVIDENCE")));
    assert!(proven.continues);
    assert!(proven.opened > 0, "names and addresses of people are sealed");
    // The report holds the newcomer's events, and the bundle opens nothing of others'.
    let report = file(&bytes, REPORT);
    let newcomer = world.newcomer.user.to_string();
    let rows = report.lines().skip(1);
    let population = usize::try_from(proven.manifest.report.population).expect("a few");
    assert_eq!(rows.clone().filter(|row| row.contains(&newcomer)).count(), population);
    assert_eq!(rows.clone().count(), population);
    assert_eq!(rows.filter(|row| row.contains(LEVEL_SET)).count(), 2);
    let lines = file(&bytes, LOG);
    let told: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let opened = |line: &&Value| line["open"]["payload"].is_object();
    assert_eq!(told.iter().filter(opened).count(), population);
    assert!(population < told.len());
    for line in told.iter().filter(|line| !line["open"]["payload"].is_object()) {
        assert_eq!(
            line["open"].as_object().expect("openings").len(),
            1,
            "only the subject is open"
        );
        assert_eq!(line["secrets"], Value::Null);
    }
    assert!(file(&bytes, "certification.txt").contains("DRAFT CERTIFICATION"));
    // Asking and taking away are on record, for auditors and plan administrators alone.
    let events = "{ auditEvents(first: 3, filter: { types: [\"audit.evidence.evidence_requested\",
                    \"audit.evidence.evidence_opened\"] }) { edges { node { sentence } } } }";
    portal.settle().await;
    let seen = auditor.send(events, json!({})).await;
    let edges = seen.data()["auditEvents"]["edges"].as_array().expect("edges").clone();
    assert_eq!(edges.len(), 2);
    let sentence = edges[0]["node"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains(&format!("took evidence of {population} events away")), "{sentence}");
    let support = portal.client(&world.plan_support).await.send(events, json!({})).await;
    assert_eq!(support.data()["auditEvents"]["edges"], json!([]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_35_each_release_of_a_bundle_is_numbered_and_on_record() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    let log = signed_up_to(&auditor, 1).await;
    let asked = request(&auditor, json!({}), None).await;
    for release in 1..=2 {
        let (status, bytes) = fetch(&auditor, &asked).await;
        assert_eq!(status, StatusCode::OK);
        let proven = checked(&bytes, &policy(&log), None).expect("a good bundle");
        let occasion = proven.manifest.occasion;
        assert_eq!(occasion.release, release);
        assert_eq!(occasion.recipient, "Office for Civil Rights");
    }
    portal.settle().await;
    let events = "{ auditEvents(filter: { types: [\"audit.evidence.evidence_opened\"] }) {
        totalCount } }";
    let seen = auditor.send(events, json!({})).await;
    assert_eq!(seen.data()["auditEvents"]["totalCount"], 2);
    portal.finish().await;
}

#[tokio::test]
async fn gn_35_evidence_is_for_whoever_asked_for_it_within_a_day() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    signed_up_to(&auditor, 1).await;
    let asked = request(&auditor, json!({}), None).await;
    let no: [&Person; 2] = [&world.plan_admin, &world.clinic_admin];
    for who in no {
        let (status, _) = fetch(&portal.client(who).await, &asked).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    let mut visitor = auditor.clone();
    visitor.token = None;
    assert_eq!(fetch(&visitor, &asked).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(fetch(&auditor, &asked).await.0, StatusCode::OK);
    // Administrators of an organisation ask for none.
    let input = json!({ "question": {}, "recipient": "R", "purpose": "P" });
    let answer = portal.client(&world.clinic_admin).await;
    let answer = answer.send(REQUEST, json!({ "input": input })).await;
    assert_eq!(answer.refused(), "FORBIDDEN");
    // Bad input is named.
    for (input, code, field) in [
        (
            json!({ "question": {}, "recipient": " ", "purpose": "P" }),
            "REASON_REQUIRED",
            "recipient",
        ),
        (
            json!({ "question": { "from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" },
                    "recipient": "R", "purpose": "P" }),
            "RANGE_INVALID",
            "to",
        ),
    ] {
        let answer = auditor.send(REQUEST, json!({ "input": input })).await;
        let error = &answer.data()["done"]["userErrors"][0];
        assert_eq!(error["code"], code);
        assert_eq!(error["field"].as_array().and_then(|path| path.last()), Some(&json!(field)));
    }
    // A day later it is over, to the second.
    let auditor_later = auditor.clone();
    portal.advance(std::time::Duration::from_secs(24 * 3600));
    let auditor_later = if fetch(&auditor_later, &asked).await.0 == StatusCode::UNAUTHORIZED {
        portal.client(&world.auditor).await
    } else {
        auditor_later
    };
    let (status, body) = fetch(&auditor_later, &asked).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(String::from_utf8_lossy(&body).contains("LINK_EXPIRED"));
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_whatever_is_done_to_a_bundle_is_found_by_verify() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (last, log, auditor) = some_changes(&portal).await;
    let good = bundle(&auditor, json!({ "npi": world.clinic.npis[1], "types": [LEVEL_SET] }), None);
    let good = good.await;
    let trusted = policy(&log);
    assert_eq!(checked(&good, &trusted, None).map(|proven| proven.code()), Ok(30));
    let code = |bytes: &[u8]| checked(bytes, &trusted, None).err().map(|fault| fault.code());
    let line_of_last = |text: &str| -> String {
        text.lines().rfind(|line| line.contains("\"payload\":{\"key\"")).expect("a line").to_owned()
    };
    // 10: another event, another order.
    let swap = altered(&good, LOG, |text| {
        let mut lines: Vec<_> = text.lines().collect();
        lines.swap(3, 4);
        lines.join("\n") + "\n"
    });
    assert_eq!(code(&swap), Some(10));
    let time = altered(&good, LOG, |text| {
        text.replacen("T", "U", 0).replacen("\"sequence\":1,", "\"sequence\":2,", 1)
    });
    assert_eq!(code(&time), Some(10));
    // 11: a log, or a key, that is not trusted.
    let strangers = Policy {
        logs: vec![TrustedLog { origin: "elsewhere.example/log".to_owned(), keys: Vec::new() }],
        ..trusted.clone()
    };
    assert_eq!(checked(&good, &strangers, None).err().map(|fault| fault.code()), Some(11));
    let other_key = "not-evidence.invalid+1b0d5b1a+AXeCYxrQ+MJq4uKuCPl8Z5Tb5wF0hYb0BMOT9mnB3b6F";
    let mut rotated = trusted.clone();
    rotated.logs[0].keys = vec![other_key.to_owned()];
    assert_eq!(checked(&good, &rotated, None).err().map(|fault| fault.code()), Some(11));
    // 12: an answer kept back, the end cut off.
    let kept_back = altered(&good, LOG, |text| {
        let line = line_of_last(text);
        let mut told: Value = serde_json::from_str(&line).expect("JSON");
        let open = told["open"].as_object_mut().expect("openings");
        open.retain(|field, _| field == "npi");
        told.as_object_mut().expect("a line").remove("secrets");
        text.replace(&line, &told.to_string())
    });
    assert_eq!(code(&kept_back), Some(12));
    let cut = altered(&good, LOG, |text| {
        let lines: Vec<_> = text.lines().collect();
        lines[..lines.len() - 1].join("\n") + "\n"
    });
    assert_eq!(code(&cut), Some(12));
    // 13: another value than was committed to, another secret.
    let other_npi =
        altered(&good, LOG, |text| text.replacen(&world.clinic.npis[1], &world.clinic.npis[0], 1));
    assert_eq!(code(&other_npi), Some(13));
    let sealed =
        bundle(&auditor, json!({ "subject": world.newcomer.user.to_string() }), None).await;
    let other_secret = altered(&sealed, LOG, |text| {
        let line = text.lines().find(|line| line.contains("\"secrets\"")).expect("a line");
        let mut told: Value = serde_json::from_str(line).expect("JSON");
        let secrets = told["secrets"].as_object_mut().expect("secrets");
        secrets.values_mut().for_each(|secret| *secret = json!("00".repeat(32)));
        text.replace(line, &told.to_string())
    });
    assert_eq!(code(&other_secret), Some(13));
    // 14: a row left out, a row that is not so, another count.
    let row_out = altered(&good, REPORT, |text| {
        let lines: Vec<_> = text.lines().collect();
        lines[..lines.len() - 1].join("\n") + "\n"
    });
    assert_eq!(code(&row_out), Some(14));
    let count =
        altered(&good, MANIFEST, |text| text.replace("\"population\": 3", "\"population\": 2"));
    assert_eq!(code(&count), Some(14));
    // 20: not a bundle.
    assert_eq!(code(b"PK nothing"), Some(20));
    let form = altered(&good, MANIFEST, |text| text.replace("rollcall-evidence/1", "other/1"));
    assert_eq!(code(&form), Some(20));
    let letter = altered(&good, "certification.txt", |text| text.replace("DRAFT", "FINAL"));
    assert_eq!(code(&letter), Some(20));
    // A question that was widened after the fact leaves out what it asks for.
    let wider = altered(&good, MANIFEST, |text| {
        text.replace(&format!("\"{LEVEL_SET}\""), "\"sessions.session.session_started\"")
    });
    assert!(matches!(code(&wider), Some(12 | 14)), "{:?}", code(&wider));
    let _ = last;
    portal.finish().await;
}
