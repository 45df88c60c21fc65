//! A review taken away as files, and asked for as evidence: the hashes are computed from the files alone.

use reqwest::StatusCode;
use rollcall_domain::{access_reviews::AccessReviewEvent, hex};
use rollcall_projections::proof::bundle::REPORT;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Review;
use crate::{
    audit::{evidence, transparency::signed_up_to},
    support::{Client, Person, Portal},
};

/// What a GET answers.
async fn fetch(client: &Client, path: &Value) -> (StatusCode, Vec<u8>) {
    let path = path.as_str().expect("a path");
    let mut request = reqwest::Client::new().get(format!("http://{}{path}", client.address()));
    if let Some(token) = &client.token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("the service answers");
    let status = response.status();
    (status, response.bytes().await.expect("a whole body").to_vec())
}

async fn asked(client: &Client, review: &Review, format: &str) -> crate::support::Answer {
    let input = review.input(json!({ "format": format }));
    let shown = "auditExport { url manifestUrl expiresAt asOfPosition } position";
    client.mutate("exportAccessReview", input, shown).await
}

/// The file, and its manifest, which has the file's hash.
pub(super) async fn taken(client: &Client, review: &Review, format: &str) -> (Vec<u8>, Value) {
    let export = asked(client, review, format).await.done()["auditExport"].clone();
    let (status, bytes) = fetch(client, &export["url"]).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    let (_, manifest) = fetch(client, &export["manifestUrl"]).await;
    let manifest: Value = serde_json::from_slice(&manifest).expect("a manifest");
    assert_eq!(manifest["sha256"], sha256(&bytes));
    assert_eq!(manifest["accessReview"], json!(review.id));
    (bytes, manifest)
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// The hash of a member of each item, written as a line.
pub(super) fn of_lines(file: &Value, member: &str) -> String {
    let items = file["items"].as_array().expect("items");
    sha256(items.iter().map(|item| format!("{}\n", item[member])).collect::<String>())
}

/// A review in which somebody is revoked and the others are kept, signed.
async fn signed(portal: &Portal) -> (Review, Client) {
    let world = portal.world();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(portal, &ann, world.clinic.id).await;
    let by = (portal, &ann, &world.clinic_admin);
    let nora = review.of(&world.npi_admin);
    review.keep(by, &[nora]).await.done();
    let reason = json!({ "reason": "=HYPERLINK(\"x\") Łukasz left." });
    review.decide(by, &[nora], "REVOKE", reason).await.done();
    let kept: [&Person; 3] = [&world.clinic_second_admin, &world.processor, &world.newcomer];
    review.keep(by, &kept.map(|who| review.of(who))).await.done();
    let abe = portal.client(&world.clinic_second_admin).await;
    let own = review.of(&world.clinic_admin);
    review.keep((portal, &abe, &world.clinic_second_admin), &[own]).await.done();
    portal.settle().await;
    review.complete(&ann).await.done();
    portal.settle().await;
    (review, ann)
}

#[tokio::test]
async fn gn_15_a_signed_review_is_taken_away_and_its_hashes_follow_from_the_file_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (review, ann) = signed(&portal).await;
    let events = review.events(&portal).await;
    let Some(AccessReviewEvent::AccessReviewOpened { sha256: list, as_of, .. }) = events.first()
    else {
        panic!("{events:?}");
    };
    let Some(AccessReviewEvent::AccessReviewCompleted { sha256: results, .. }) = events.last()
    else {
        panic!("{events:?}");
    };

    let (bytes, manifest) = taken(&ann, &review, "JSON").await;
    let file: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!((&of_lines(&file, "listed"), &of_lines(&file, "result")), (list, results));
    assert_eq!(file["list"], json!({ "population": 5, "asOfPosition": as_of, "sha256": list }));
    assert_eq!((&file["isSigned"], &file["standing"]), (&json!(true), &json!("Signed")));
    assert_eq!(file["resultsSha256"], json!(results));
    let end = &file["end"];
    assert_eq!((&end["name"], &end["statementVersion"]), (&json!("Ann Lee"), &json!("2")));
    assert!(end["statement"].as_str().expect("the text").starts_with("I reviewed everything"));
    assert_eq!(file["unresolved"], json!([]));
    assert_eq!(manifest["rows"], 5);
    assert_eq!(manifest["fromPosition"], file["log"]["openedPosition"]);
    assert_eq!(manifest["toPosition"], end["position"]);
    let number = review.of(&world.npi_admin);
    assert_eq!(file["removals"][0]["item"], number);
    assert_eq!(file["removals"][0]["secondsToRemoval"], 0);
    let items = file["items"].as_array().expect("items");
    let nora = items.iter().find(|item| item["listed"]["item"] == number).expect("her item");
    let decision = &nora["decision"];
    assert_eq!(decision["reviewer"]["name"], "Ann Lee");
    assert_eq!(decision["reason"], "=HYPERLINK(\"x\") Łukasz left.");
    assert_eq!(decision["seen"], json!({ "position": 17, "sha256": "ab".repeat(32) }));
    assert_eq!(nora["formerDecisions"][0]["decision"], "KEEP");
    assert_eq!(nora["execution"]["verified"], true);

    let (bytes, _) = taken(&ann, &review, "CSV").await;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let names = reader.headers().expect("a header").clone();
    let column = |name: &str| names.iter().position(|it| it == name).expect("a column");
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    let lines = |name: &str| {
        let cells = rows.iter().map(|row| format!("{}\n", &row[column(name)]));
        sha256(cells.collect::<String>())
    };
    assert_eq!((&lines("listed"), &lines("result")), (list, results));
    let of_nora = rows.iter().find(|row| row[column("item")] == number.to_string()).expect("a row");
    assert_eq!(&of_nora[column("reason")], "'=HYPERLINK(\"x\") Łukasz left.");
    assert_eq!(&of_nora[column("outcome")], "REVOKED");

    let (pdf, _) = taken(&ann, &review, "PDF").await;
    let shows = |text: &str| pdf.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(pdf.starts_with(b"%PDF-1.7") && shows("(Page 1 of 2)"));
    for text in
        ["Access review of Redwood Clinic", "Signed as", "Ann Lee", "Nora Diaz", "0 s, verified"]
    {
        assert!(shows(text), "{text}");
    }
    assert!(shows("Letters that these fonts lack stand as question marks"), "of the reason");
    for hash in [list, results] {
        assert!(shows(&format!("SHA-256 {hash}")), "{hash}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_review_that_is_open_says_so_and_is_given_to_whom_it_is_shown_on_record() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let support = portal.client(&world.plan_support).await;
    for client in [&ann, &auditor, &support] {
        let (bytes, _) = taken(client, &review, "JSON").await;
        let file: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!((&file["isSigned"], &file["end"]), (&json!(false), &Value::Null));
        assert!(file["standing"].as_str().expect("a text").starts_with("NOT SIGNED YET"));
        assert_eq!(file["unresolved"].as_array().expect("items").len(), 5);
    }
    let (pdf, _) = taken(&support, &review, "PDF").await;
    let note = b"NOT SIGNED YET";
    assert!(pdf.windows(note.len()).any(|window| window == note));

    // Members, others' administrators and strangers get none, and no link of somebody else's.
    let nora = portal.client(&world.npi_admin).await;
    let given = json!({ "items": [review.of(&world.processor)], "to": world.npi_admin.user,
                        "reason": "Knows him." });
    ann.mutate("delegateReviewItems", review.input(given), super::SHOWN).await.done();
    assert_eq!(asked(&nora, &review, "JSON").await.refused(), "NOT_ORG_ADMIN");
    let hana = portal.client(&world.hospital_admin).await;
    assert_eq!(asked(&hana, &review, "JSON").await.refused(), "NOT_FOUND");
    let elsewhere = Review { id: review.id, organization: world.hospital.id, items: Vec::new() };
    assert_eq!(asked(&hana, &elsewhere, "JSON").await.refused(), "NOT_FOUND");
    let export = asked(&ann, &review, "CSV").await.done()["auditExport"].clone();
    assert_eq!(fetch(&auditor, &export["url"]).await.0, 404);
    // Who administers it no more fetches nothing that they asked for.
    let abe = portal.client(&world.clinic_second_admin).await;
    let theirs = asked(&abe, &review, "CSV").await.done()["auditExport"].clone();
    let leaves = json!({ "organizationId": world.clinic.id, "confirm": true, "reason": "Left.",
                         "userId": world.clinic_second_admin.user });
    ann.mutate("deactivateUser", leaves, "position").await.done();
    assert_eq!(fetch(&abe, &theirs["url"]).await.0, 401, "the session ended");
    portal.advance(std::time::Duration::from_secs(15 * 60));
    let late = fetch(&ann, &export["url"]).await.0;
    assert_eq!(late, 404, "a link works for a quarter of an hour");

    portal.settle().await;
    let document = "query($types: [String!]) { auditEvents(filter: { types: $types }) {
        nodes { sentence } } }";
    let types = json!({ "types": ["audit.export.audit_export_requested",
                                  "audit.export.audit_export_given"] });
    let told = auditor.send(document, types).await.data()["auditEvents"].to_string();
    let short = format!("the access review {}", &review.id.to_string()[..8]);
    assert!(told.contains(&short) || told.contains("access review"), "{told}");
    assert!(told.contains("was given a file of 5 rows"), "{told}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_the_events_of_a_review_are_asked_for_as_evidence_with_proofs() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (review, _) = signed(&portal).await;
    let auditor = portal.client(&world.auditor).await;
    let log = signed_up_to(&auditor, portal.position().await).await;
    let question = json!({ "accessReview": review.id });
    let bytes = evidence::bundle(&auditor, question.clone(), None).await;
    let proven = evidence::checked(&bytes, &evidence::policy(&log), None).expect("a good bundle");
    let events = review.events(&portal).await.len();
    assert_eq!(proven.manifest.report.population, events as u64);
    let report = evidence::file(&bytes, REPORT);
    assert!(report.lines().skip(1).all(|row| row.contains("access_reviews.access_review.")));
    // Another question is another answer, and whoever says otherwise is found out.
    let forged = evidence::altered(&bytes, "manifest.json", |text| {
        text.replace(&review.id.to_string(), &uuid::Uuid::new_v4().to_string())
    });
    evidence::checked(&forged, &evidence::policy(&log), None).expect_err("another review's");

    // Kept to the organization, an auditor gets the same events, each with a proof of its own.
    let admin = portal.client(&world.plan_admin).await;
    let kept = json!({ "userId": world.auditor.user, "role": "AU",
                       "organizationIds": [world.clinic.id], "reason": "Audits this office." });
    admin.mutate("scopePlanRole", kept, "position").await.done();
    let auditor = portal.client(&world.auditor).await;
    let question = json!({ "accessReview": review.id, "organization": world.clinic.id });
    let bytes = evidence::bundle(&auditor, question, None).await;
    let proven = evidence::checked(&bytes, &evidence::policy(&log), None).expect("a good bundle");
    assert_eq!(proven.manifest.report.population, events as u64);
    portal.finish().await;
}
