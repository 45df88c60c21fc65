//! A named report is taken away with the events from which anybody computes it anew (GN-35).

use reqwest::StatusCode;
use rollcall_domain::permissions::NpiLevel;
use rollcall_projections::proof::bundle::{LOG, REPORT_ROWS};
use serde_json::{Value, json};

use super::{
    evidence::{REQUEST, altered, checked, fetch, file, policy},
    set_level,
    transparency::signed_up_to,
};
use crate::support::{Client, Portal};

/// The bundle of a report, by the portal's auditor, once it is signed for.
async fn bundle_of(auditor: &Client, report: Value) -> Vec<u8> {
    let input = json!({ "report": report, "recipient": "A court", "purpose": "Case 7" });
    let asked = auditor.send(REQUEST, json!({ "input": input })).await.done().clone();
    for _ in 0..100 {
        let (status, bytes) = fetch(auditor, &asked).await;
        if status == StatusCode::OK {
            return bytes;
        }
        // The position asked for is signed within a second or so.
        let told = String::from_utf8_lossy(&bytes).into_owned();
        assert!(told.contains("fetch it again in a second"), "{status} {told}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the report is not signed for")
}

async fn with_changes() -> (Portal, Client, Value) {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (npi, by) = (&world.clinic.npis[1], &world.clinic_admin);
    set_level(&portal, by, &world.newcomer, npi, NpiLevel::Processor).await;
    let last = set_level(&portal, by, &world.processor, npi, NpiLevel::Admin).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let log = signed_up_to(&auditor, last).await;
    (portal, auditor, log)
}

#[tokio::test]
async fn gn_35_a_report_is_computed_anew_from_proven_events() {
    let (portal, auditor, log) = with_changes().await;
    let npi = portal.world().clinic.npis[1].clone();
    let at = portal.position().await.to_string();
    for (name, parameters) in [
        ("ADMINISTRATORS", json!({ "asOfPosition": at })),
        ("ACTIVE_ACCOUNTS", json!({ "asOfPosition": at })),
        ("ACCESS_TO_NPI", json!({ "asOfPosition": at, "npi": npi })),
    ] {
        let bytes = bundle_of(&auditor, json!({ "name": name, "parameters": parameters })).await;
        let proven = checked(&bytes, &policy(&log), None).expect("a good bundle");
        assert_eq!(proven.manifest.report.name, name);
        let told = proven.told().join("\n");
        assert!(told.contains("follow from the events up to"), "{told}");
        // The rows are those that the portal shows for the same position.
        let rows = file(&bytes, REPORT_ROWS);
        assert_eq!(rows.lines().count() as u64, proven.manifest.report.population);
        let query = "query($name: AuditReportName!, $parameters: AuditReportParameters) {
            auditReport(name: $name, parameters: $parameters, first: 100) { nodes { canonical } } }";
        let variables = json!({ "name": name, "parameters": parameters });
        let shown = auditor.send(query, variables).await;
        let shown = shown.data()["auditReport"]["nodes"].as_array().expect("rows").clone();
        let shown: Vec<&str> =
            shown.iter().map(|row| row["canonical"].as_str().expect("a row")).collect();
        assert!(!shown.is_empty(), "{name}");
        assert_eq!(rows.lines().collect::<Vec<_>>(), shown);
        // Nobody is named, and nothing sealed is opened.
        let text = [rows, file(&bytes, LOG)].concat();
        for name in ["Diaz", "Ortiz", "Redwood.example"] {
            assert!(!text.contains(name), "{name}");
        }
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_35_whatever_is_done_to_a_report_shows() {
    let (portal, auditor, log) = with_changes().await;
    let npi = portal.world().clinic.npis[1].clone();
    let report = json!({ "name": "ACCESS_TO_NPI", "parameters": { "npi": npi } });
    let bytes = bundle_of(&auditor, report).await;
    let trusted = policy(&log);
    let code = |bundle: &[u8]| checked(bundle, &trusted, None).err().map(|fault| fault.code());
    assert_eq!(code(&bytes), None);
    let first_of = |text: &str| text.lines().next().expect("a line").to_owned() + "\n";
    // A row left out, one twice, one altered.
    let left_out = altered(&bytes, REPORT_ROWS, |text| text.replacen(&first_of(text), "", 1));
    assert_eq!(code(&left_out), Some(14));
    let twice = altered(&bytes, REPORT_ROWS, |text| first_of(text) + text);
    assert_eq!(code(&twice), Some(14));
    let other = altered(&bytes, REPORT_ROWS, |text| text.replacen("ADMIN", "NONE", 1));
    assert_eq!(code(&other), Some(14));
    // An event that bears on it is closed, or says something else, or is not there.
    let of_level = |text: &str| {
        let line = text.lines().rfind(|line| line.contains("npi_permission_set\""));
        line.expect("a level was set").to_owned()
    };
    let closed = altered(&bytes, LOG, |text| {
        let line = of_level(text);
        let mut told: Value = serde_json::from_str(&line).expect("JSON");
        told["open"].as_object_mut().expect("openings").remove("payload");
        text.replace(&line, &told.to_string())
    });
    assert_eq!(code(&closed), Some(12));
    let says_else = altered(&bytes, LOG, |text| {
        let line = of_level(text);
        text.replace(&line, &line.replacen("ADMIN", "NONE", 1))
    });
    assert_eq!(code(&says_else), Some(13));
    let gone = altered(&bytes, LOG, |text| text.replace(&(of_level(text) + "\n"), ""));
    assert!(matches!(code(&gone), Some(10 | 12)));
    portal.finish().await;
}

#[tokio::test]
async fn gn_35_a_report_is_evidence_for_auditors_of_the_whole_plan() {
    let (portal, auditor, _) = with_changes().await;
    let world = portal.world();
    let input = json!({ "report": { "name": "ADMINISTRATORS" }, "recipient": "R", "purpose": "P" });
    let admin = portal.client(&world.plan_admin).await;
    let scope = json!({ "userId": world.auditor.user, "role": "AU",
        "organizationIds": [world.clinic.id], "reason": "Audits this office." });
    admin.mutate("scopePlanRole", scope, "position").await.done();
    let scoped = portal.client(&world.auditor).await;
    let refused = scoped.send(REQUEST, json!({ "input": input })).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let both = json!({ "report": { "name": "ADMINISTRATORS" }, "question": {}, "recipient": "R",
        "purpose": "P" });
    let both = admin.send(REQUEST, json!({ "input": both })).await;
    assert_eq!(both.refused(), "FIELD_INVALID");
    drop(auditor);
    portal.finish().await;
}
