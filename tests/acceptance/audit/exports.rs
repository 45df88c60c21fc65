//! Parts of the timeline taken away as files, and what is on record of it.

use std::time::Duration;

use rollcall_domain::{hex, permissions::NpiLevel};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};

use super::set_level;
use crate::support::{Client, Person, Portal};

const EXPORT: &str = "auditExport { url manifestUrl expiresAt asOfPosition } position";
const EVENTS: &str = "query($filter: AuditEventFilter, $asOf: Position, $min: Position) {
  auditEvents(filter: $filter, asOfPosition: $asOf, minPosition: $min, first: 100,
              orderBy: { field: POSITION, direction: ASC }) {
    totalCount nodes { position type sentence actor { name } before after } } }";

/// What a GET answers: its status, its text, and the value of a header.
struct Fetched {
    status: u16,
    text: String,
    disposition: String,
}

impl Fetched {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.text))
    }
}

async fn fetch(client: &Client, path: &Value) -> Fetched {
    let path = path.as_str().expect("a path");
    let mut request = reqwest::Client::new().get(format!("http://{}{path}", client.address()));
    if let Some(token) = &client.token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("the service answers");
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok());
    let disposition = header("content-disposition").unwrap_or_default().to_owned();
    if status == 200 {
        assert_eq!(header("cache-control"), Some("no-store"));
    }
    Fetched { status, text: response.text().await.expect("a whole text"), disposition }
}

async fn export(client: &Client, input: Value) -> Value {
    let answer = client.mutate("exportAuditEvents", input, EXPORT).await;
    answer.done()["auditExport"].clone()
}

async fn shown(client: &Client, filter: Value, as_of: &Value) -> Value {
    let variables = json!({ "filter": filter, "asOf": as_of });
    client.send(EVENTS, variables).await.data()["auditEvents"].clone()
}

fn positions(rows: &Value) -> Vec<String> {
    let rows = rows["nodes"].as_array().expect("events");
    rows.iter().map(|row| row["position"].as_str().expect("a position").to_owned()).collect()
}

/// The rows of a CSV file, each by its column's name.
fn table(text: &str) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let row = |row: csv::StringRecord| -> Value {
        names.iter().zip(row.iter()).map(|(name, cell)| (name, json!(cell))).collect()
    };
    reader.records().map(|record| row(record.expect("a record"))).collect()
}

/// An administrator's changes of the processor's level, so many of them.
async fn changes(portal: &Portal, many: usize) -> i64 {
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let mut position = 0;
    for n in 0..many {
        let level = if n % 2 == 0 { NpiLevel::Admin } else { NpiLevel::Processor };
        position = set_level(portal, &world.clinic_admin, &world.processor, npi, level).await;
    }
    position
}

#[tokio::test]
async fn gn_26_events_are_taken_away_as_csv_and_json_lines_with_a_manifest() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let last = changes(&portal, 3).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let filter = json!({ "types": ["permissions.membership.npi_permission_set"], "text": "Kim",
                         "right": "VIEW_NPI" });
    for (format, file) in [("CSV", "events.csv"), ("JSON_LINES", "events.jsonl")] {
        let export = export(&auditor, json!({ "filter": filter, "format": format })).await;
        let as_of = &export["asOfPosition"];
        let early = fetch(&auditor, &export["manifestUrl"]).await;
        assert_eq!(early.status, 404, "what left is not known yet: {}", early.text);
        let fetched = fetch(&auditor, &export["url"]).await;
        assert_eq!(fetched.status, 200, "{}", fetched.text);
        assert!(fetched.disposition.ends_with(&format!("{file}\"")), "{}", fetched.disposition);
        let rows = match format {
            "CSV" => table(&fetched.text),
            _ => fetched.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        };
        let shown = shown(&auditor, filter.clone(), as_of).await;
        let exported: Vec<_> = rows
            .iter()
            .map(|row| row["position"].to_string().trim_matches('"').to_owned())
            .collect();
        assert_eq!(exported, positions(&shown));
        assert!(rows.len() >= 3);
        for (row, node) in rows.iter().zip(shown["nodes"].as_array().unwrap()) {
            assert_eq!(row["sentence"], node["sentence"]);
            assert_eq!(row["actorName"], node["actor"]["name"]);
            let after: Value = match row["after"].as_str() {
                Some(text) => serde_json::from_str(text).expect("JSON in a cell"),
                None => row["after"].clone(),
            };
            assert_eq!(after, node["after"]);
        }
        let manifest = fetch(&auditor, &export["manifestUrl"]).await.json();
        assert_eq!(manifest["sha256"], fetched.sha256());
        assert_eq!(manifest["bytes"], fetched.text.len());
        assert_eq!(manifest["rows"], rows.len());
        assert_eq!(manifest["fromPosition"].to_string(), exported[0]);
        assert_eq!(manifest["toPosition"], last);
        assert_eq!(manifest["asOfPosition"].to_string(), as_of.as_str().unwrap());
        assert_eq!(manifest["format"], format);
        let kept_as = manifest["file"].as_str().expect("a name");
        assert!(fetched.disposition.contains(&format!("\"{kept_as}\"")), "{kept_as}");
        assert_eq!(manifest["text"], json!(["Kim"]));
        assert_eq!(manifest["filter"]["types"], filter["types"]);
        // The same file once more, whatever came meanwhile.
        changes(&portal, 1).await;
        let again = fetch(&auditor, &export["url"]).await;
        assert_eq!(again.sha256(), fetched.sha256());
    }
    let typed = json!({ "filter": { "command": "Paul Kim" }, "format": "CSV" });
    let refused = auditor.mutate("exportAuditEvents", typed, EXPORT).await;
    assert_eq!(refused.refused(), "FIELD_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_who_takes_events_away_is_on_record_for_auditors_and_plan_administrators_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let input = json!({ "filter": { "text": "Kim" }, "format": "CSV" });
    let taken = export(&admin, input).await;
    let asked = json!({ "types": ["audit.export.audit_export_requested"] });
    let given = json!({ "types": ["audit.export.audit_export_given"] });
    let auditor = portal.client(&world.auditor).await;
    portal.settle().await;
    let count = async |who: &Person, filter: &Value| -> Value {
        let client = portal.client(who).await;
        shown(&client, filter.clone(), &Value::Null).await["totalCount"].clone()
    };
    // On record before anything left.
    assert_eq!(count(&world.auditor, &asked).await, 1);
    assert_eq!(count(&world.auditor, &given).await, 0);
    assert_eq!(fetch(&admin, &taken["url"]).await.status, 200);
    portal.settle().await;
    for (who, sees) in [
        (&world.auditor, 1),
        (&world.plan_admin, 1),
        (&world.plan_support, 0),
        (&world.clinic_admin, 0),
        (&world.hospital_admin, 0),
    ] {
        assert_eq!(count(who, &asked).await, sees, "{}", who.email);
        assert_eq!(count(who, &given).await, sees, "{}", who.email);
    }
    let told = shown(&auditor, asked, &Value::Null).await["nodes"][0].clone();
    let sentence = told["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("Ann Lee asked for audit events of Redwood Clinic"), "{sentence}");
    assert_eq!(told["after"]["words"], "(personal)");
    let words = shown(&auditor, json!({ "text": "audit_export kim" }), &Value::Null).await;
    assert_eq!(words["totalCount"], 0, "what was looked for is not found by others: {words}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_file_shows_no_more_than_the_query_and_is_given_to_who_asked_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    changes(&portal, 2).await;
    portal.settle().await;
    let all = json!({ "format": "JSON_LINES" });
    let admin = portal.client(&world.clinic_admin).await;
    let auditor = portal.client(&world.auditor).await;
    let own = portal.client(&world.processor).await;
    let mut counts = Vec::new();
    for client in [&own, &admin, &auditor] {
        let export = export(client, all.clone()).await;
        let lines = fetch(client, &export["url"]).await.text.lines().count();
        let total = shown(client, json!({}), &export["asOfPosition"]).await["totalCount"].clone();
        assert_eq!(total, lines);
        counts.push(lines);
    }
    assert!(counts[0] < counts[1] && counts[1] < counts[2], "{counts:?}");
    let taken = export(&admin, all.clone()).await;
    let path = taken["url"].as_str().expect("a path").to_owned();
    let nobody = portal.visitor(&world.slug);
    assert_eq!(fetch(&nobody, &taken["url"]).await.status, 401);
    for other in [&auditor, &own] {
        assert_eq!(fetch(other, &taken["url"]).await.status, 404);
        assert_eq!(fetch(other, &taken["manifestUrl"]).await.status, 404);
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts[3] = "forged";
    assert_eq!(fetch(&admin, &json!(parts.join("/"))).await.status, 404);
    let as_csv = path.replace("events.jsonl", "events.csv");
    assert_eq!(fetch(&admin, &json!(as_csv)).await.status, 404);
    portal.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(fetch(&admin, &taken["url"]).await.status, 200);
    portal.advance(Duration::from_secs(1));
    assert_eq!(fetch(&admin, &taken["url"]).await.status, 404);
    assert_eq!(fetch(&admin, &taken["manifestUrl"]).await.status, 404);
    // Whoever lost the right meanwhile gets nothing by a link that works.
    let taken = export(&admin, all).await;
    let other = portal.client(&world.clinic_second_admin).await;
    let role = json!({ "organizationId": world.clinic.id, "userId": world.clinic_admin.user,
                       "role": "PROCESSOR" });
    other.mutate("assignOrgRole", role, "position").await.done();
    assert_eq!(fetch(&admin, &taken["url"]).await.status, 401);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_file_longer_than_is_read_at_once_has_every_event_once_and_in_order() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    changes(&portal, 1_010).await;
    let auditor = portal.client(&world.auditor).await;
    let export = export(&auditor, json!({ "format": "CSV" })).await;
    let up_to: i64 = export["asOfPosition"].as_str().unwrap().parse().expect("a position");
    let fetched = fetch(&auditor, &export["url"]).await;
    let exported: Vec<i64> = table(&fetched.text)
        .iter()
        .map(|row| row["position"].as_str().unwrap().parse().expect("a position"))
        .collect();
    assert!(up_to > 1_010);
    assert_eq!(exported, (1..=up_to).collect::<Vec<_>>(), "an auditor sees them all");
    let manifest = fetch(&auditor, &export["manifestUrl"]).await.json();
    assert_eq!((&manifest["rows"], &manifest["toPosition"]), (&json!(up_to), &json!(up_to)));
    assert_eq!(manifest["sha256"], fetched.sha256());
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_name_that_a_spreadsheet_would_run_is_text_in_csv_and_itself_in_json() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    changes(&portal, 1).await;
    portal.settle().await;
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    sqlx::query("UPDATE read.people SET first_name = '=HYPERLINK(\"x\"),' WHERE user_id = $1")
        .bind(world.clinic_admin.user.0)
        .execute(&mut session)
        .await
        .expect("a name");
    let auditor = portal.client(&world.auditor).await;
    let filter = json!({ "actor": world.clinic_admin.user, "subject": world.processor.user });
    let mut names = Vec::new();
    for format in ["CSV", "JSON_LINES"] {
        let export = export(&auditor, json!({ "filter": filter, "format": format })).await;
        let text = fetch(&auditor, &export["url"]).await.text;
        let row = match format {
            "CSV" => table(&text).remove(0),
            _ => serde_json::from_str(text.lines().next().expect("a line")).expect("JSON"),
        };
        names.push(row["actorName"].as_str().expect("a name").to_owned());
    }
    assert_eq!(names, ["'=HYPERLINK(\"x\"), Lee", "=HYPERLINK(\"x\"), Lee"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_events_are_taken_away_as_ocsf_and_as_fhir_with_their_mapping() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    changes(&portal, 2).await;
    let auditor = portal.client(&world.auditor).await;
    let filter = json!({ "types": ["permissions.membership.npi_permission_set"],
                         "subject": world.processor.user });
    for (format, file, edition) in
        [("OCSF", "events.ocsf.jsonl", "1.8.0"), ("FHIR", "events.fhir.ndjson", "4.0.1")]
    {
        let export = export(&auditor, json!({ "filter": filter, "format": format })).await;
        let shown = shown(&auditor, filter.clone(), &export["asOfPosition"]).await;
        let shown = shown["nodes"].as_array().expect("events").clone();
        let fetched = fetch(&auditor, &export["url"]).await;
        assert!(fetched.disposition.ends_with(&format!("{file}\"")), "{}", fetched.disposition);
        let lines: Vec<Value> =
            fetched.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(lines.len() >= 2 && lines.len() == shown.len(), "{lines:?}");
        for (line, shown) in lines.iter().zip(&shown) {
            let told = if format == "OCSF" { &line["message"] } else { &line["outcomeDesc"] };
            assert_eq!(told, &shown["sentence"]);
            if format == "OCSF" {
                let subject = line["user"]["uid"].as_str();
                assert_eq!(subject, Some(world.processor.user.to_string().as_str()));
                assert!([300_501, 300_502].contains(&line["type_uid"].as_i64().unwrap()), "{line}");
            } else {
                assert_eq!(line["subtype"][1]["code"], filter["types"][0]);
            }
        }
        let manifest = fetch(&auditor, &export["manifestUrl"]).await.json();
        assert_eq!(manifest["mapping"]["edition"], edition);
        assert_eq!(manifest["mapping"]["version"], "1.0");
        assert_eq!(manifest["sha256"], fetched.sha256());
    }
    portal.finish().await;
}
