//! Reports about what people held: an NPI, rights that exclude each other, affiliations.

use rollcall_domain::permissions::NpiLevel;
use serde_json::{Value, json};

use super::{
    DAY, HOUR, affiliated, assign, clerk, column, deactivate, define, eventful, of, report,
    set_level,
};
use crate::support::{Client, Person, Portal};

const REGISTER: &str = "query($npi: NPI!, $asOf: DateTime) { accessRegister(npi: $npi, asOf: $asOf,
    first: 100) { nodes { user { id } organization { id } right level correspondenceType source
    validFrom validTo } } }";

/// By what rows of both are ordered.
fn sorted(row: &Value) -> [String; 5] {
    ["userId", "organizationId", "right", "of", "source"].map(|name| row[name].to_string())
}

/// What the register says of an NPI, in the words of the report.
async fn registered(client: &Client, npi: &str, as_of: &Value) -> Vec<Value> {
    let answer = client.send(REGISTER, json!({ "npi": npi, "asOf": as_of })).await;
    let uuid = |id: &Value| crate::support::uuid_of(id.as_str().expect("an id")).to_string();
    let moment = |at: &Value| {
        let at: chrono::DateTime<chrono::Utc> = at.as_str()?.parse().expect("a moment");
        Some(at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    };
    let rows = answer.data()["accessRegister"]["nodes"].as_array().expect("rows").iter();
    let mut rows: Vec<Value> = rows
        .map(|row| {
            json!({ "userId": uuid(&row["user"]["id"]),
                    "organizationId": uuid(&row["organization"]["id"]), "right": row["right"],
                    "of": row["correspondenceType"], "level": row["level"],
                    "source": row["source"], "heldFrom": moment(&row["validFrom"]),
                    "heldTo": moment(&row["validTo"]) })
        })
        .collect();
    rows.sort_by_key(sorted);
    rows
}

#[tokio::test]
async fn gn_26_who_held_access_to_an_npi_is_what_the_register_says_and_nobody_else_did() {
    let portal = Portal::medi_cal().await;
    eventful(&portal).await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    for npi in &world.clinic.npis {
        for as_of in ["2026-01-12T16:59:59Z", "2026-01-12T19:00:00Z", "2026-01-25T00:00:00Z"] {
            let parameters = json!({ "npi": npi, "asOf": as_of });
            let told =
                report(&portal, &portal.client(&world.auditor).await, "ACCESS_TO_NPI", parameters)
                    .await;
            let mut rows = told.rows.clone();
            rows.sort_by_key(sorted);
            assert_eq!(rows, registered(&auditor, npi, &json!(as_of)).await, "{npi} {as_of}");
            assert!(rows.len() >= 3, "the administrators at least");
        }
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_access_to_an_npi_within_a_period_has_its_spans() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let npi = world.clinic.npis[1].clone();
    portal.advance(HOUR);
    set_level(&portal, &world.clinic_admin, &world.processor, &npi, NpiLevel::Processor).await;
    portal.advance(HOUR);
    set_level(&portal, &world.clinic_admin, &world.processor, &npi, NpiLevel::Admin).await;
    portal.advance(HOUR);
    let admin = portal.client(&world.clinic_admin).await;
    deactivate(&admin, &world.processor, None).await;
    portal.advance(HOUR);
    let period =
        json!({ "npi": npi, "from": "2026-01-12T17:00:00Z", "to": "2026-01-12T21:00:00Z" });
    let told = report(&portal, &portal.client(&world.auditor).await, "ACCESS_TO_NPI", period).await;
    let paul = json!(world.processor.user.to_string());
    let spans: Vec<Value> = told
        .rows
        .iter()
        .filter(|row| row["userId"] == paul && row["right"] == "VIEW_NPI")
        .map(|row| json!([row["level"], row["heldFrom"], row["heldTo"]]))
        .collect();
    let at = |hour: u32| json!(format!("2026-01-12T{hour}:00:00.000000Z"));
    assert_eq!(
        spans,
        [json!(["PROCESSOR", at(18), at(19)]), json!(["ADMIN", at(19), at(20)])],
        "from its second to the second of its end"
    );
    let after = json!({ "npi": npi, "from": "2026-01-12T20:00:00Z", "to": "2026-01-12T21:00:00Z" });
    let told = report(&portal, &portal.client(&world.auditor).await, "ACCESS_TO_NPI", after).await;
    assert!(!column(&told, "userId").contains(&paul), "not from the second of the end on");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_conflicts_of_rights_are_found_now_and_over_time_by_rules_that_are_kept() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let auditor = portal.client(&world.auditor).await;
    assert!(
        report(&portal, &portal.client(&world.auditor).await, "SOD_CONFLICTS", json!({}))
            .await
            .rows
            .is_empty()
    );
    let rule =
        define(&plan, "PIN and mail", ("MANAGE_PIN", "READ_CORRESPONDENCE"), "SAME_NPI").await;
    let rule = rule.done()["sodRule"]["id"].clone();
    let again = define(&plan, "pin and MAIL", ("MANAGE_PIN", "VIEW_NPI"), "SAME_NPI").await;
    assert_eq!(again.refused(), "NAME_INVALID");
    let odd = define(&plan, "Other", ("MANAGE_PIN", "MANAGE_USERS"), "SAME_NPI").await;
    assert_eq!(odd.refused(), "FIELD_INVALID");
    let by_auditor = define(&auditor, "Other", ("MANAGE_PIN", "VIEW_NPI"), "SAME_NPI").await;
    assert_eq!(by_auditor.refused(), "FORBIDDEN");
    let told =
        report(&portal, &portal.client(&world.auditor).await, "SOD_CONFLICTS", json!({})).await;
    // Both administrators, by policy, for each of the clinic's three NPIs; the hospital's for its one.
    assert_eq!(told.rows.len(), 7, "{:?}", told.rows);
    let row = of(&told, &world.clinic_admin);
    assert_eq!(
        (&row["first"], &row["second"]),
        (&json!("MANAGE_PIN"), &json!("READ_CORRESPONDENCE"))
    );
    portal.advance(2 * DAY);
    let admin = portal.client(&world.clinic_admin).await;
    deactivate(&admin, &world.clinic_second_admin, None).await;
    portal.advance(DAY);
    let auditor = portal.client(&world.auditor).await;
    let now = report(
        &portal,
        &portal.client(&world.auditor).await,
        "SOD_CONFLICTS",
        json!({ "ruleId": rule }),
    )
    .await;
    assert_eq!(now.rows.len(), 4, "one administrator of the clinic is left: {:?}", now.rows);
    let period = json!({ "from": "2026-01-12T17:00:00Z", "to": "2026-01-15T16:00:00Z" });
    let over = report(&portal, &portal.client(&world.auditor).await, "SOD_CONFLICTS", period).await;
    assert_eq!(over.rows.len(), 7, "{:?}", over.rows);
    let gone = of(&over, &world.clinic_second_admin);
    assert_eq!(gone["heldTo"], "2026-01-14T17:00:00.000000Z");
    let position = portal.position().await;
    let retire = json!({ "ruleId": rule, "reason": "Replaced." });
    let plan = portal.client(&world.plan_admin).await;
    plan.mutate("retireSodRule", retire.clone(), "retiredRuleId").await.done();
    assert_eq!(plan.mutate("retireSodRule", retire, "retiredRuleId").await.refused(), "NOT_FOUND");
    assert!(
        report(&portal, &portal.client(&world.auditor).await, "SOD_CONFLICTS", json!({}))
            .await
            .rows
            .is_empty()
    );
    let then = json!({ "asOfPosition": position.to_string() });
    assert_eq!(
        report(&portal, &portal.client(&world.auditor).await, "SOD_CONFLICTS", then)
            .await
            .rows
            .len(),
        4
    );
    let rules = auditor.send("{ sodRules { name } }", json!({})).await;
    assert_eq!(rules.data()["sodRules"], json!([]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_a_conflict_anywhere_is_told_to_those_whose_rights_met() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let rights = ("VIEW_ORGANIZATION", "MANAGE_USERS");
    let rule = define(&plan, "View and manage", rights, "ANYWHERE").await;
    let rule = rule.done()["sodRule"]["id"].clone();
    let role = async |by: &Person, of: &Person, role: &str| {
        let input = json!({ "organizationId": by.organization, "userId": of.user, "role": role });
        let admin = portal.client(by).await;
        admin.mutate("assignOrgRole", input, "user { id }").await.done();
    };
    // A processor of the clinic, who left before they came to administer the biller.
    role(&world.clinic_admin, &world.newcomer, "PROCESSOR").await;
    portal.advance(HOUR);
    let admin = portal.client(&world.clinic_admin).await;
    deactivate(&admin, &world.newcomer, None).await;
    portal.advance(HOUR);
    let clerk = clerk(&portal).await;
    role(&world.biller_admin, &clerk, "ADMIN").await;
    portal.advance(HOUR);
    let period =
        || json!({ "ruleId": rule, "from": "2026-01-12T17:00:00Z", "to": "2026-01-12T20:00:00Z" });
    let newcomer = json!(world.newcomer.user.to_string());
    let clinic = portal.client(&world.clinic_admin).await;
    let told = report(&portal, &clinic, "SOD_CONFLICTS", period()).await;
    assert!(!told.rows.is_empty(), "the clinic's administrators");
    assert!(!column(&told, "userId").contains(&newcomer), "{:?}", told.rows);
    let biller = portal.client(&world.biller_admin).await;
    let told = report(&portal, &biller, "SOD_CONFLICTS", period()).await;
    assert_eq!(of(&told, &world.newcomer)["heldFrom"], "2026-01-12T19:00:00.000000Z");
    let told =
        report(&portal, &portal.client(&world.auditor).await, "SOD_CONFLICTS", period()).await;
    assert_eq!(of(&told, &world.newcomer)["heldTo"], Value::Null);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_affiliations_in_force_are_told_for_whom_since_when_and_for_how_many() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.advance(HOUR);
    let affiliation = affiliated(&portal, &world).await;
    let clerk = clerk(&portal).await;
    assign(&portal, &affiliation, &clerk, &[&world.clinic.npis[0]]).await;
    portal.advance(HOUR);
    let told =
        report(&portal, &portal.client(&world.auditor).await, "AFFILIATIONS_IN_FORCE", json!({}))
            .await;
    let [row] = &told.rows[..] else { panic!("one affiliation: {:?}", told.rows) };
    let sides = (&row["submitterId"], &row["providerId"]);
    assert_eq!(sides, (&json!(world.biller.id.to_string()), &json!(world.clinic.id.to_string())));
    assert_eq!((&row["allNpis"], &row["people"]), (&json!(true), &json!(1)));
    assert_eq!(row["transactionTypes"], json!(["835", "837P"]));
    assert_eq!(row["since"], "2026-01-12T18:00:00.000000Z");
    let before = json!({ "asOf": "2026-01-12T17:59:59Z" });
    assert!(
        report(&portal, &portal.client(&world.auditor).await, "AFFILIATIONS_IN_FORCE", before)
            .await
            .rows
            .is_empty()
    );
    portal.finish().await;
}
