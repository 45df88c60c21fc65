//! Reports taken away as files, with a manifest.

use rollcall_domain::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{eventful, report};
use crate::support::{Client, Portal};

async fn get(client: &Client, path: &Value) -> (u16, String) {
    let url = format!("http://{}{}", client.address(), path.as_str().expect("a path"));
    let token = client.token.as_deref().expect("a token");
    let answer =
        reqwest::Client::new().get(url).bearer_auth(token).send().await.expect("it answers");
    (answer.status().as_u16(), answer.text().await.expect("a whole text"))
}

async fn export(client: &Client, name: &str, format: &str) -> Value {
    let input = json!({ "name": name, "format": format });
    let shown = "auditExport { url manifestUrl asOfPosition }";
    client.mutate("exportAuditReport", input, shown).await.done()["auditExport"].clone()
}

#[tokio::test]
async fn gn_26_reports_are_taken_away_as_csv_and_json_lines_with_a_manifest() {
    let portal = Portal::medi_cal().await;
    eventful(&portal).await;
    let auditor = portal.client(&portal.world().auditor).await;
    for (name, version) in [("ADMINISTRATORS", 2), ("ACTIVE_ACCOUNTS", 2), ("TERMINATIONS", 1)] {
        let told = report(&portal, &auditor, name, json!({})).await;
        assert!(!told.rows.is_empty());
        for format in ["CSV", "JSON_LINES"] {
            let export = export(&auditor, name, format).await;
            let (status, text) = get(&auditor, &export["url"]).await;
            assert_eq!(status, 200, "{text}");
            let rows: Vec<Value> = if format == "CSV" {
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let names = reader.headers().expect("a header").clone();
                let rows = reader.records().map(|record| {
                    let record = record.expect("a record");
                    names.iter().zip(record.iter()).map(|(n, c)| (n, json!(c))).collect()
                });
                rows.collect()
            } else {
                text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
            };
            assert_eq!(rows.len(), told.rows.len(), "{name} {format}");
            for (row, expected) in rows.iter().zip(&told.rows) {
                assert_eq!(row["userId"], expected["userId"]);
                assert!(row["userName"].as_str().is_some_and(|name| name.contains(' ')), "{row}");
                if format == "JSON_LINES" {
                    for (column, value) in expected.as_object().expect("a row") {
                        assert_eq!(row[column], *value, "{name} {column}");
                    }
                }
            }
            let (status, manifest) = get(&auditor, &export["manifestUrl"]).await;
            assert_eq!(status, 200, "{manifest}");
            let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
            assert_eq!(manifest["sha256"], hex(&Sha256::digest(&text)));
            assert_eq!(manifest["rows"], rows.len());
            assert_eq!(manifest["report"]["report"], name);
            assert_eq!(manifest["report"]["version"], version);
            assert_eq!(
                manifest["report"]["known_at"].to_string(),
                export["asOfPosition"].as_str().unwrap()
            );
        }
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_report_is_given_as_a_file_to_who_asked_alone_and_as_far_as_they_may_see() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let administrator = portal.client(&world.clinic_admin).await;
    let asked = export(&administrator, "ACTIVE_ACCOUNTS", "JSON_LINES").await;
    let (status, text) = get(&administrator, &asked["url"]).await;
    assert_eq!((status, text.lines().count()), (200, 5));
    let auditor = portal.client(&world.auditor).await;
    assert_eq!(get(&auditor, &asked["url"]).await.0, 404, "somebody else's");
    let support = portal.client(&world.plan_support).await;
    let input = json!({ "name": "ACTIVE_ACCOUNTS", "format": "CSV" });
    let document = "mutation($input: ExportAuditReportInput!) { exportAuditReport(input: $input) {
        auditExport { url } userErrors { code } } }";
    let refused = support.send(document, json!({ "input": input })).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    // The right that the file was asked for by is gone.
    let plan = portal.client(&world.plan_admin).await;
    let asked = export(&auditor, "ADMINISTRATORS", "CSV").await;
    let end = json!({ "userId": world.auditor.user, "role": "AU", "reason": "Left." });
    plan.mutate("endPlanRole", end, "planStaff { id }").await.done();
    let again = portal.client(&world.auditor).await;
    assert_eq!(get(&again, &asked["url"]).await.0, 404);
    portal.finish().await;
}
