//! Lines, shown; those of other standards for each kind of event that was ever stored.

use std::{collections::BTreeMap, fs, path::Path};

use chrono::TimeZone;
use rollcall_domain::{Actor, AnyEvent, kernel::EventSet};
use rollcall_projections::audit_timeline::Outcome;

use super::*;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// An entry for an event of each type, by a person, about another one.
fn entries() -> Vec<Entry> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/events");
    let files = fs::read_dir(golden).expect("golden events").flatten();
    let entries: Vec<Entry> = files.map(|file| entry(&file.path())).collect();
    assert!(entries.len() > 200, "only {} events", entries.len());
    entries
}

fn entry(file: &Path) -> Entry {
    let text = fs::read_to_string(file).expect("a golden event");
    let stored: Value = serde_json::from_str(&text).expect("JSON");
    let name = |field: &str| stored[field].as_str().expect("a name");
    let payload = stored["payload"].clone();
    let event = AnyEvent::decode(name("aggregate_type"), name("event_type"), payload);
    let event = event.expect("it reads");
    let facets = event.facets();
    let at = Utc.with_ymd_and_hms(2026, 6, 30, 12, 0, 0).unwrap();
    let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
    Entry {
        position: 41,
        event_id: id(1),
        event_type: name("event_type").to_owned(),
        refused: Outcome::of(&event) == Outcome::Refused,
        actor: Actor::user(rollcall_domain::kernel::ids::UserId(id(2))),
        actor_name: "Ann Lee".to_owned(),
        organization: Some(id(3)),
        organization_name: Some("Redwood, \"Clinic\"".to_owned()),
        subject: facets.subject.map(Uuid::from),
        subject_name: Some("=Paul Kim".to_owned()),
        subject_organization: facets.organization.map(Uuid::from),
        subject_organization_name: None,
        npi: facets.npi.clone(),
        command: "SetNpiPermissions".to_owned(),
        session: Some(id(4)),
        policy_version: 7,
        correlation_id: id(5),
        causation_id: None,
        recorded_at: at,
        occurred_at: at,
        effective_at: at,
        before: None,
        after: raw(r#"{"value": "ADMIN"}"#),
        client_address: Some("192.0.2.7".to_owned()),
        sentence: "It happened.".to_owned(),
        stream: id(6),
        event,
    }
}

fn written(format: ExportFormat) -> String {
    let entries = entries().into_iter().map(Ok);
    let lines = lines(format, TenantId(id(9)), entries).expect("they are written");
    String::from_utf8(lines).expect("UTF-8")
}

fn objects(format: ExportFormat) -> Vec<Value> {
    written(format).lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

#[test]
fn cells_that_a_spreadsheet_would_run_begin_with_an_apostrophe() {
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
        let mut cells = Cells(ByteRecord::new());
        cells.text(text);
        assert_eq!(cells.0.get(0), Some(format!("'{text}").as_bytes()));
    }
    for text in ["", "Ann Lee", "1-1", "{\"a\":\"=1\"}", "'=1"] {
        assert!(!runs(text));
    }
}

#[test]
fn records_end_and_are_quoted_as_rfc_4180_has_it() {
    let row = ByteRecord::from(vec!["a,b", "say \"x\"", "two\r\nlines"]);
    let text = records([Ok(row)]).expect("memory takes it");
    assert_eq!(text, b"\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\"\r\n");
    let head = head(ExportFormat::Csv).expect("memory takes it");
    assert!(head.starts_with(b"position,recordedAt,") && head.ends_with(b",after\r\n"));
}

#[test]
fn a_record_of_csv_and_an_object_of_json_say_the_same() {
    let head = String::from_utf8(head(ExportFormat::Csv).expect("a head")).expect("UTF-8");
    let csv = head + &written(ExportFormat::Csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().expect("a head").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let objects = objects(ExportFormat::JsonLines);
    assert_eq!(rows.len(), objects.len());
    for (row, object) in rows.iter().zip(objects) {
        let object = object.as_object().expect("an object");
        assert!(object.keys().eq(names.iter()), "{object:?}");
        for (cell, value) in row.iter().zip(object.values()) {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) if text.starts_with('=') => format!("'{text}"),
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                    assert_eq!(&serde_json::from_str::<Value>(cell).expect("JSON"), other);
                    continue;
                }
            };
            assert_eq!(cell, text);
        }
    }
}

/// OCSF 1.8.0: the activities of each class that we name.
const ACTIVITIES: [(i64, &[i64]); 5] = [
    (3001, &[1, 2, 3, 4, 5, 9, 10, 11, 12, 99]),
    (3002, &[1, 2, 6, 99]),
    (3004, &[1, 3, 4, 5, 6, 7, 10, 11, 12, 13, 99]),
    (3005, &[1, 2, 99]),
    (6003, &[2, 99]),
];

#[test]
fn gn_26_every_kind_of_event_is_of_a_class_of_ocsf_with_what_it_requires() {
    let classes: BTreeMap<i64, &[i64]> = ACTIVITIES.into_iter().collect();
    let mut met: BTreeMap<i64, usize> = BTreeMap::new();
    for event in objects(ExportFormat::Ocsf) {
        let number = |field: &str| event[field].as_i64().unwrap_or_else(|| panic!("{event}"));
        let (class, activity) = (number("class_uid"), number("activity_id"));
        assert!(classes[&class].contains(&activity), "{event}");
        assert_eq!(number("type_uid"), class * 100 + activity);
        assert_eq!(number("category_uid"), class / 1_000);
        assert_eq!(number("time"), 1_782_820_800_000);
        assert_eq!(event["metadata"]["version"], "1.8.0");
        assert_eq!(event["metadata"]["uid"], id(1).to_string());
        assert_eq!(event["src_endpoint"]["ip"], "192.0.2.7");
        assert_eq!(event["metadata"]["original_time"], "2026-06-30T12:00:00.000000Z");
        let required: &[&str] = match class {
            3001 => &["user"],
            3002 => &["user", "service"],
            3004 => &["entity"],
            3005 => &["user", "privileges"],
            _ => &["actor", "api", "src_endpoint"],
        };
        for field in required {
            assert!(!event[field].is_null(), "no {field}: {event}");
        }
        *met.entry(class).or_default() += 1;
    }
    assert!(met.len() == ACTIVITIES.len(), "{met:?}");
}

#[test]
fn gn_26_every_kind_of_event_is_an_audit_event_of_fhir_with_what_it_requires() {
    for event in objects(ExportFormat::Fhir) {
        assert_eq!(event["resourceType"], "AuditEvent");
        assert!(event["type"]["code"].is_string() && event["recorded"].is_string(), "{event}");
        assert!("CRUDE".contains(event["action"].as_str().expect("an action")), "{event}");
        let agents = event["agent"].as_array().expect("agents");
        let asked = agents.iter().filter(|agent| agent["requestor"] == true).count();
        assert_eq!(asked, 1, "{event}");
        assert!(event["source"]["observer"].is_object(), "{event}");
        // sev-1: an entity has a name or a query, never both.
        for entity in event["entity"].as_array().expect("entities") {
            assert!(entity["name"].is_null() || entity["query"].is_null(), "{entity}");
        }
    }
}
