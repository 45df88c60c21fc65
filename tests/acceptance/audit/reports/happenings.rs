//! Reports whose rows are events.

use rollcall_domain::permissions::NpiLevel;
use serde_json::{Value, json};

use super::{DAY, HOUR, affiliated, ask, assign, clerk, column, deactivate, of, report, set_level};
use crate::support::Portal;

#[tokio::test]
async fn gn_26_reveals_and_resets_of_pins_are_told_with_who_and_when() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let member = portal.client(&world.npi_admin).await;
    let pin = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    member.mutate("revealPin", pin.clone(), "pin").await.done();
    portal.advance(HOUR);
    let member = portal.client(&world.npi_admin).await;
    member.mutate("resetPin", pin, "position").await.done();
    let auditor = portal.client(&world.auditor).await;
    let told =
        report(&portal, &portal.client(&world.auditor).await, "PIN_ACTIVITY", json!({})).await;
    assert_eq!(column(&told, "what"), ["REVEALED", "RESET"]);
    assert_eq!(column(&told, "pinVersion"), [json!(1), json!(2)]);
    let period = json!({ "from": "2026-01-12T17:59:00Z", "to": "2026-01-12T18:01:00Z" });
    let told = report(&portal, &portal.client(&world.auditor).await, "PIN_ACTIVITY", period).await;
    assert_eq!(column(&told, "what"), ["RESET"]);
    let other = json!({ "npi": world.clinic.npis[1] });
    assert!(
        report(&portal, &portal.client(&world.auditor).await, "PIN_ACTIVITY", other)
            .await
            .rows
            .is_empty()
    );
    let document = "{ auditReport(name: PIN_ACTIVITY) { nodes { ... on PinActivityRow {
        what npi resetBy actor { kind name } organization { name } } } } }";
    let answer = auditor.send(document, json!({})).await;
    let expected = json!({ "what": "RESET", "npi": world.clinic.npis[0], "resetBy": "USER",
        "actor": { "kind": "USER", "name": "Nora Diaz" },
        "organization": { "name": "Redwood Clinic" } });
    assert_eq!(answer.data()["auditReport"]["nodes"][1], expected);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_terminations_are_told_with_the_time_to_disable_and_whether_it_was_too_long() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    // Left on the tenth, whose day ended at eight in the morning of the eleventh, UTC.
    deactivate(&admin, &world.processor, Some("2026-01-10")).await;
    deactivate(&admin, &world.npi_admin, None).await;
    deactivate(&admin, &world.newcomer, Some("2026-01-14")).await;
    portal.advance(4 * DAY);
    portal.settle().await;
    let told =
        report(&portal, &portal.client(&world.auditor).await, "TERMINATIONS", json!({})).await;
    let late = of(&told, &world.processor);
    assert_eq!(late["leftOn"], "2026-01-10");
    assert_eq!(late["endedAt"], "2026-01-11T08:00:00.000000Z");
    assert_eq!(late["enforcedAt"], "2026-01-12T17:00:00.000000Z");
    assert_eq!(late["secondsToDisable"], 33 * 3600);
    assert_eq!((&late["overLimit"], &late["cause"]), (&json!(true), &json!("DECIDED")));
    let at_once = of(&told, &world.npi_admin);
    assert_eq!((&at_once["secondsToDisable"], &at_once["overLimit"]), (&json!(0), &json!(false)));
    let planned = of(&told, &world.newcomer);
    assert_eq!((&planned["secondsToDisable"], &planned["cause"]), (&json!(0), &json!("PLANNED")));
    assert_eq!(planned["endedAt"], "2026-01-15T08:00:00.000000Z", "enforced at its second");
    // Exactly the limit is within it.
    let told = report(
        &portal,
        &portal.client(&world.auditor).await,
        "TERMINATIONS",
        json!({ "limitHours": 33 }),
    )
    .await;
    assert_eq!(of(&told, &world.processor)["overLimit"], false);
    let told = report(
        &portal,
        &portal.client(&world.auditor).await,
        "TERMINATIONS",
        json!({ "limitHours": 32 }),
    )
    .await;
    assert_eq!(of(&told, &world.processor)["overLimit"], true);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_revocations_are_told_with_the_time_to_removal() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let member = portal.client(&world.newcomer).await;
    let items = json!([{ "npi": world.clinic.npis[0] }]);
    let input = json!({ "organizationId": world.clinic.id, "items": items, "why": "For my work." });
    let asked = member.mutate("requestAccess", input, "accessRequest { id }").await;
    let request = asked.done()["accessRequest"]["id"].clone();
    let admin = portal.client(&world.clinic_admin).await;
    let deny = json!({ "organizationId": world.clinic.id, "accessRequestId": request,
                       "decision": "DENY", "reason": "Not needed." });
    admin.mutate("decideAccessRequest", deny, "accessRequest { id }").await.done();
    portal.advance(HOUR);
    let npi = &world.clinic.npis[0];
    set_level(&portal, &world.clinic_admin, &world.npi_admin, npi, NpiLevel::Processor).await;
    set_level(&portal, &world.clinic_admin, &world.npi_admin, npi, NpiLevel::None).await;
    let told =
        report(&portal, &portal.client(&world.auditor).await, "REVOCATIONS", json!({})).await;
    let decisions = column(&told, "decision");
    assert_eq!(decisions, ["REQUEST_DENIED", "LEVEL_LOWERED", "RIGHT_REVOKED"]);
    let seconds = column(&told, "secondsToRemoval");
    assert_eq!(seconds, [json!(null), json!(0), json!(0)]);
    assert_eq!(column(&told, "of"), [json!(null), json!("PROCESSOR"), json!(null)]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_npis_of_a_submitters_people_and_a_narrower_role_of_the_plan_are_revocations() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let affiliation = affiliated(&portal, &world).await;
    let clerk = clerk(&portal).await;
    let npis: Vec<&str> = world.clinic.npis.iter().map(String::as_str).collect();
    assign(&portal, &affiliation, &clerk, &npis).await;
    assign(&portal, &affiliation, &clerk, &npis[..2]).await;
    assign(&portal, &affiliation, &clerk, &npis[2..]).await;
    let told =
        report(&portal, &portal.client(&world.auditor).await, "REVOCATIONS", json!({})).await;
    assert_eq!(column(&told, "right"), ["SUBMIT_TRANSACTIONS", "SUBMIT_TRANSACTIONS"]);
    assert_eq!(column(&told, "npi"), [json!(npis[2]), json!(null)]);
    let mut both = npis[..2].to_vec();
    both.sort_unstable();
    assert_eq!(column(&told, "of"), [json!(null), json!(both.join(" "))]);
    assert_eq!(column(&told, "secondsToRemoval"), [json!(0), json!(0)]);
    let biller = json!(world.biller.id.to_string());
    assert_eq!(column(&told, "organizationId"), [biller.clone(), biller]);
    // The plan's support for one organisation alone, for two, and for the other one.
    for kept_to in
        [vec![world.clinic.id], vec![world.clinic.id, world.hospital.id], vec![world.hospital.id]]
    {
        let input = json!({ "userId": world.plan_support.user, "role": "PS",
            "organizationIds": kept_to, "reason": "By region." });
        let plan = portal.client(&world.plan_admin).await;
        plan.mutate("scopePlanRole", input, "position").await.done();
    }
    let told =
        report(&portal, &portal.client(&world.auditor).await, "REVOCATIONS", json!({})).await;
    let of_plan: Vec<_> = told.rows.iter().filter(|row| row["right"] == "PLAN_ROLE").collect();
    assert_eq!(of_plan.len(), 2, "to one of all, and away from one: {:?}", told.rows);
    let support = json!(world.plan_support.user.to_string());
    for row in of_plan {
        assert_eq!((&row["decision"], &row["of"]), (&json!("RIGHT_REVOKED"), &json!("PS")));
        assert_eq!((&row["userId"], &row["secondsToRemoval"]), (&support, &json!(0)));
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_auditors_own_reads_are_a_report_that_no_organisation_sees() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    let export = json!({ "format": "CSV" });
    let asked = auditor.mutate("exportAuditEvents", export, "auditExport { url }").await;
    let url = asked.done()["auditExport"]["url"].as_str().expect("a path").to_owned();
    let got = reqwest::Client::new()
        .get(format!("http://{}{url}", auditor.address()))
        .bearer_auth(auditor.token.as_deref().expect("a token"));
    got.send().await.expect("an answer").text().await.expect("a whole file");
    let export = json!({ "name": "TERMINATIONS", "format": "CSV" });
    auditor.mutate("exportAuditReport", export, "auditExport { url }").await.done();
    let evidence = json!({ "question": {}, "recipient": "Office for Civil Rights",
                           "purpose": "Investigation 12" });
    auditor.mutate("requestEvidence", evidence, "evidence { id }").await.done();
    let told =
        report(&portal, &portal.client(&world.auditor).await, "AUDIT_READS", json!({})).await;
    let what = column(&told, "what");
    assert_eq!(what, ["EVENTS_ASKED", "FILE_GIVEN", "REPORT_ASKED", "EVIDENCE_ASKED"]);
    assert_eq!(told.rows[0]["documentId"], told.rows[1]["documentId"]);
    assert_eq!(told.rows[2]["report"], "TERMINATIONS");
    let by = json!(world.auditor.user.to_string());
    assert!(column(&told, "actorId").iter().all(|actor| *actor == by));
    let administrator = portal.client(&world.clinic_admin).await;
    let refused = ask(&administrator, "AUDIT_READS", Value::Null, json!({})).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    portal.finish().await;
}
