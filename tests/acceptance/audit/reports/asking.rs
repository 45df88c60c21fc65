//! Who gets which report, and what is refused.

use std::time::{Duration, Instant};

use rollcall_domain::{audit::ReportQuestion, policies::Preset};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{ask, column, recounted, report, report_of};
use crate::support::Portal;

#[tokio::test]
async fn gn_26_reports_are_listed_with_version_parameters_and_columns() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let list = "{ auditReports { name version title answers parameters columns } }";
    let auditor = portal.client(&world.auditor).await;
    let answer = auditor.send(list, json!({})).await;
    let reports = answer.data()["auditReports"].as_array().expect("reports").clone();
    assert_eq!(reports.len(), 12);
    let first = ["PIN_ACTIVITY", "TERMINATIONS", "AFFILIATIONS_IN_FORCE", "AUDIT_READS"];
    for report in &reports {
        let name = report["name"].as_str().expect("a name");
        assert_eq!(report["version"], if first.contains(&name) { 1 } else { 2 }, "{name}");
        let parameters = report["parameters"].as_array().expect("parameters");
        assert!(parameters.contains(&json!("AS_OF_POSITION")), "{report}");
    }
    let administrator = portal.client(&world.clinic_admin).await;
    let theirs = administrator.send(list, json!({})).await;
    let theirs = theirs.data()["auditReports"].as_array().expect("reports").len();
    assert_eq!(theirs, 11, "all but the reads of the records");
    let member = portal.client(&world.processor).await;
    assert_eq!(member.send(list, json!({})).await.error_code(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_report_shows_no_more_than_its_reader_may_see() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    for who in [&world.plan_support, &world.processor, &world.newcomer] {
        let client = portal.client(who).await;
        let refused = ask(&client, "ACTIVE_ACCOUNTS", Value::Null, json!({})).await;
        assert_eq!(refused.error_code(), "FORBIDDEN");
    }
    let visitor = portal.visitor(&world.slug);
    let refused = ask(&visitor, "ACTIVE_ACCOUNTS", Value::Null, json!({})).await;
    assert_eq!(refused.error_code(), "UNAUTHENTICATED");
    let administrator = portal.client(&world.clinic_admin).await;
    let told = report(&portal, &administrator, "ACTIVE_ACCOUNTS", json!({})).await;
    assert_eq!(told.rows.len(), 5);
    let clinic = json!(world.clinic.id.to_string());
    assert!(column(&told, "organizationId").iter().all(|of| *of == clinic));
    let of_another = json!({ "of": world.hospital.id });
    let refused = ask(&administrator, "ACTIVE_ACCOUNTS", Value::Null, of_another.clone()).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    let auditor = portal.client(&world.auditor).await;
    let told = report_of(&portal, &auditor, "ACTIVE_ACCOUNTS", json!({}), of_another).await;
    assert_eq!(told.rows.len(), 1);
    let other = portal.another_tenant("cencal", Preset::Cencal).await;
    let foreign = json!({ "of": other.clinic.id });
    let told = report_of(&portal, &auditor, "ACTIVE_ACCOUNTS", json!({}), foreign).await;
    assert!(told.rows.is_empty(), "nothing of another tenant: {:?}", told.rows);
    let theirs = portal.client_in(&other, Preset::Cencal, &other.auditor).await;
    let answer = ask(&theirs, "ADMINISTRATORS", Value::Null, json!({ "first": 100 })).await;
    let text = answer.body.to_string();
    for person in [&world.clinic_admin, &world.plan_admin] {
        assert!(!text.contains(&person.user.to_string()), "nobody of the other portal");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_an_auditor_kept_to_an_organisation_gets_reports_of_it_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let input = json!({ "userId": world.auditor.user, "role": "AU",
        "organizationIds": [world.hospital.id], "reason": "For the inquiry." });
    plan.mutate("scopePlanRole", input, "planStaff { id }").await.done();
    let auditor = portal.client(&world.auditor).await;
    let told = report(&portal, &auditor, "ACTIVE_ACCOUNTS", json!({})).await;
    let hospital = json!(world.hospital.id.to_string());
    assert!(!told.rows.is_empty());
    assert!(column(&told, "organizationId").iter().all(|of| *of == hospital || of.is_null()));
    let others = json!({ "of": world.clinic.id });
    let refused = ask(&auditor, "ACTIVE_ACCOUNTS", Value::Null, others).await;
    assert_eq!(refused.error_code(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_question_that_cannot_be_answered_says_why() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    portal.settle().await;
    let head = portal.position().await;
    let refused = async |name: &str, parameters: Value| {
        let answer = ask(&auditor, name, parameters, json!({})).await;
        let error = answer.body["errors"][0].clone();
        let field = error["extensions"]["field"].clone();
        (error["extensions"]["reason"].clone(), field, error["message"].to_string())
    };
    let field = |name: &str| json!(["parameters", name]);
    let cases = [
        ("DORMANT", json!({ "asOf": "2025-01-01T00:00:00Z" }), "BEFORE_RECORDS", "asOf"),
        ("PIN_ACTIVITY", json!({ "from": "2025-01-01T00:00:00Z" }), "BEFORE_RECORDS", "from"),
        (
            "PIN_ACTIVITY",
            json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z" }),
            "RANGE_INVALID",
            "to",
        ),
        ("ACCESS_TO_NPI", json!({}), "FIELD_REQUIRED", "npi"),
        ("ACCESS_TO_NPI", json!({ "npi": "1234567890" }), "NPI_INVALID", "npi"),
        (
            "ACCESS_TO_NPI",
            json!({ "npi": "1234567893", "from": "2026-01-02T00:00:00Z",
                    "to": "2027-01-01T00:00:00Z" }),
            "RANGE_INVALID",
            "to",
        ),
        ("DORMANT", json!({ "days": 0 }), "RANGE_INVALID", "days"),
        ("ADMINISTRATORS", json!({ "days": 30 }), "FIELD_INVALID", "days"),
        ("TERMINATIONS", json!({ "asOf": "2026-01-12T00:00:00Z" }), "FIELD_INVALID", "asOf"),
        ("DORMANT", json!({ "asOf": "yesterday" }), "DATE_INVALID", "asOf"),
    ];
    for (name, parameters, reason, at) in cases {
        let (told, where_, message) = refused(name, parameters.clone()).await;
        assert_eq!(told, reason, "{name} {parameters}: {message}");
        assert_eq!(where_, field(at), "{name} {parameters}");
        assert!(message.len() > 30, "a sentence: {message}");
    }
    let both = json!({ "npi": "1234567893", "asOf": "2026-01-12T00:00:00Z",
                       "from": "2026-01-11T00:00:00Z" });
    assert_eq!(refused("ACCESS_TO_NPI", both).await.0, "RANGE_INVALID");
    let beyond = json!({ "asOfPosition": (head + 1000).to_string() });
    assert_eq!(refused("DORMANT", beyond).await.0, "RANGE_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_report_is_of_what_all_tables_that_it_reads_hold() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    let member = portal.client(&world.npi_admin).await;
    portal.settle().await;
    // The timeline falls behind, whatever else goes on.
    let mut held_up = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let mut connection = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let mut held_up = held_up.begin().await.expect("a transaction");
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('rollcall.rows/audit_timeline', 0))",
    )
    .execute(&mut *held_up)
    .await
    .expect("the lock");
    let pin = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    let reset = member.mutate("resetPin", pin, "position").await;
    let reset: i64 =
        reset.done()["position"].as_str().expect("a position").parse().expect("a number");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let register: i64 = sqlx::query_scalar(
            "SELECT position FROM ops.checkpoints WHERE name = 'access_register' AND tenant_id = $1",
        )
        .bind(world.tenant.0)
        .fetch_one(&mut connection)
        .await
        .expect("it answers");
        if register >= reset {
            break;
        }
        assert!(Instant::now() < deadline, "the register stands at {register}, not {reset}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = ask(&auditor, "PIN_ACTIVITY", Value::Null, json!({})).await;
    let told = &answer.data()["auditReport"];
    let question = told["question"].as_str().expect("a question");
    let question: ReportQuestion = serde_json::from_str(question).expect("a question");
    assert!(question.known_at < reset, "{} is not held of {reset}", question.known_at);
    let rows = told["nodes"].as_array().expect("rows").len();
    assert_eq!(rows, recounted(&portal, &question).await.len());
    let beyond = json!({ "asOfPosition": reset.to_string() });
    let refused = ask(&auditor, "PIN_ACTIVITY", beyond, json!({})).await;
    assert_eq!(refused.body["errors"][0]["extensions"]["reason"], "RANGE_INVALID");
    held_up.rollback().await.expect("it goes on");
    let told = report(&portal, &auditor, "PIN_ACTIVITY", json!({})).await;
    assert_eq!(column(&told, "what"), ["RESET"]);
    portal.finish().await;
}
