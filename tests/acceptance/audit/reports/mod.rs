//! Named reports, answered online and computed anew from the events alone (GN-26).

mod access;
mod asking;
mod files;
mod happenings;
mod people;

use std::time::Duration;

use rollcall_domain::{
    audit::{ReportName, ReportQuestion},
    kernel::ids::InvitationId,
    organizations::organization::RosterCommand,
    permissions::NpiLevel,
    values::AgreementKind,
};
use rollcall_journal::upcast::Upcasters;
use rollcall_projections::{proof::store::events_after, reports::recount::Recount};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::set_level;
use crate::support::{Answer, Client, Person, Portal, World};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

const REPORT: &str = "query($name: AuditReportName!, $parameters: AuditReportParameters, $of: ID,
    $first: Int, $after: String) {
  auditReport(name: $name, parameters: $parameters, organizationId: $of, first: $first,
              after: $after) {
    name version title criteria asOf asOfPosition question totalCount
    pageInfo { hasNextPage endCursor } nodes { __typename canonical } } }";

/// What a report answers.
struct Told {
    rows: Vec<Value>,
    question: ReportQuestion,
    criteria: String,
}

async fn ask(client: &Client, name: &str, parameters: Value, more: Value) -> Answer {
    let mut variables = json!({ "name": name, "parameters": parameters });
    for (name, value) in more.as_object().expect("an object") {
        variables[name] = value.clone();
    }
    client.send(REPORT, variables).await
}

/// All pages of a report, three rows each, held to what the events alone say.
async fn report(portal: &Portal, client: &Client, name: &str, parameters: Value) -> Told {
    report_of(portal, client, name, parameters, json!({})).await
}

async fn report_of(
    portal: &Portal,
    client: &Client,
    name: &str,
    parameters: Value,
    more: Value,
) -> Told {
    portal.settle().await;
    let mut found: Vec<String> = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut page = json!({ "first": 3, "after": after });
        for (name, value) in more.as_object().expect("an object") {
            page[name] = value.clone();
        }
        let answer = ask(client, name, parameters.clone(), page).await;
        let report = &answer.data()["auditReport"];
        let nodes = report["nodes"].as_array().expect("rows");
        let row = |node: &Value| node["canonical"].as_str().expect("a row").to_owned();
        found.extend(nodes.iter().map(row));
        if report["pageInfo"]["hasNextPage"] == true {
            after = report["pageInfo"]["endCursor"].clone();
            continue;
        }
        let question = report["question"].as_str().expect("a question");
        let question: ReportQuestion = serde_json::from_str(question).expect("a question");
        assert_eq!(report["version"], question.report.definition().version);
        assert_eq!(found, recounted(portal, &question).await, "{name} {parameters}");
        assert_eq!(report["totalCount"], found.len(), "{name} {parameters}");
        let columns = question.report.definition().columns;
        let rows: Vec<Value> =
            found.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect();
        for row in &rows {
            let mut told: Vec<_> = row.as_object().expect("an object").keys().cloned().collect();
            let mut defined: Vec<_> = columns.iter().map(|it| (*it).to_owned()).collect();
            told.sort();
            defined.sort();
            assert_eq!(told, defined, "{name}");
        }
        let criteria = report["criteria"].as_str().expect("words").to_owned();
        return Told { rows, question, criteria };
    }
}

/// The rows that follow from the events of the log, and from nothing else.
async fn recounted(portal: &Portal, question: &ReportQuestion) -> Vec<String> {
    let upcasters = Upcasters::default();
    let mut recount = Recount::new(question, &upcasters);
    let mut connection = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let (mut after, tenant) = (0, portal.world().tenant);
    loop {
        let events = events_after(&mut connection, tenant, after, 500).await.expect("the log");
        let Some(last) = events.last() else { break };
        after = last.tenant_position;
        for event in &events {
            recount.take(event).expect("an event that can be read");
        }
    }
    recount.finish().iter().map(rollcall_projections::reports::Row::canonical).collect()
}

/// The rows' values in a column.
fn column(told: &Told, name: &str) -> Vec<Value> {
    told.rows.iter().map(|row| row[name].clone()).collect()
}

/// The row about a person.
fn of<'a>(told: &'a Told, who: &Person) -> &'a Value {
    let user = who.user.to_string();
    let row = told.rows.iter().find(|row| row["userId"] == user);
    row.unwrap_or_else(|| panic!("no row about {user}: {:?}", told.rows))
}

async fn deactivate(by: &Client, who: &Person, left_on: Option<&str>) {
    let input = json!({ "organizationId": who.organization, "userId": who.user, "confirm": true,
                        "reason": "Retires.", "leftOn": left_on });
    by.mutate("deactivateUser", input, "user { status }").await.done();
}

/// An affiliation of the biller with the clinic for all its NPIs.
async fn affiliated(portal: &Portal, world: &World) -> String {
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    let signature = json!({
        "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee", "role": "OWNER",
        "agreementVersion": "2026-01",
    });
    let asked = json!({
        "organizationId": world.biller.id, "counterpartyId": world.clinic.id,
        "scope": { "transactionTypes": ["837P", "835"] }, "signature": signature,
    });
    let biller = portal.client(&world.biller_admin).await;
    let asked = biller.mutate("requestAffiliation", asked, "affiliation { id }").await;
    let id = asked.done()["affiliation"]["id"].as_str().expect("an id").to_owned();
    let approved =
        json!({ "organizationId": world.clinic.id, "affiliationId": id, "signature": signature });
    let clinic = portal.client(&world.clinic_admin).await;
    clinic.mutate("approveAffiliation", approved, "affiliation { id }").await.done();
    id
}

/// Somebody of the clinic who works for the biller too.
async fn clerk(portal: &Portal) -> Person {
    let world = portal.world();
    let (user, invitation) = (world.newcomer.user, InvitationId(Uuid::new_v4()));
    let email_domain = "portal.example".to_owned();
    let invite = RosterCommand::InviteMember { user, invitation, email_domain };
    portal.roster(&world.biller, invite).await;
    let join = RosterCommand::JoinByInvitation { user, invitation, signed_in: false };
    portal.roster(&world.biller, join).await;
    Person { organization: Some(world.biller.id), ..world.newcomer.clone() }
}

async fn assign(portal: &Portal, affiliation: &str, who: &Person, npis: &[&str]) {
    let world = portal.world();
    let input = json!({ "organizationId": world.biller.id, "affiliationId": affiliation,
                        "userId": who.user, "npis": npis });
    let biller = portal.client(&world.biller_admin).await;
    biller.mutate("assignAffiliatedNpis", input, "affiliation { id }").await.done();
}

async fn define(by: &Client, name: &str, (first, second): (&str, &str), scope: &str) -> Answer {
    let input = json!({ "name": name, "first": { "right": first }, "second": { "right": second },
                        "scope": scope, "reason": "Finding 7 of the audit." });
    by.mutate("defineSodRule", input, "sodRule { id name scope first { right of } }").await
}

/// Some weeks in which a lot happened.
async fn eventful(portal: &Portal) {
    let world = portal.world().clone();
    let npis: Vec<&str> = world.clinic.npis.iter().map(String::as_str).collect();
    set_level(portal, &world.clinic_admin, &world.processor, npis[1], NpiLevel::Admin).await;
    portal.advance(HOUR);
    let affiliation = affiliated(portal, &world).await;
    let clerk = clerk(portal).await;
    assign(portal, &affiliation, &clerk, &[npis[0], npis[2]]).await;
    let plan = portal.client(&world.plan_admin).await;
    define(&plan, "View and submit", ("VIEW_NPI", "MANAGE_PIN"), "SAME_NPI").await.done();
    define(&plan, "Users and PINs", ("MANAGE_USERS", "VIEW_NPI"), "SAME_ORGANIZATION").await.done();
    define(&plan, "Plan and clinic", ("PLAN_ROLE", "VIEW_ORGANIZATION"), "ANYWHERE").await.done();
    let pin = json!({ "organizationId": world.clinic.id, "npi": npis[0] });
    let npi_admin = portal.client(&world.npi_admin).await;
    npi_admin.mutate("revealPin", pin.clone(), "pin").await.done();
    npi_admin.mutate("resetPin", pin, "position").await.done();
    portal.advance(2 * DAY);
    set_level(portal, &world.clinic_admin, &world.processor, npis[1], NpiLevel::Processor).await;
    set_level(portal, &world.clinic_admin, &world.processor, npis[0], NpiLevel::None).await;
    let admin_later = portal.client(&world.clinic_admin).await;
    deactivate(&admin_later, &world.npi_admin, Some("2026-01-13")).await;
    deactivate(&admin_later, &world.newcomer, Some("2026-01-20")).await;
    portal.advance(DAY);
    let suspend = json!({ "organizationId": world.hospital.id, "reason": "Under investigation." });
    let plan = portal.client(&world.plan_admin).await;
    plan.mutate("suspendOrganization", suspend, "organization { id }").await.done();
    portal.advance(10 * DAY);
    portal.settle().await;
}

#[tokio::test]
async fn gn_26_every_report_is_what_the_events_alone_say_at_any_moment_and_position() {
    let portal = Portal::medi_cal().await;
    let beginning = portal.position().await;
    eventful(&portal).await;
    let auditor = portal.client(&portal.world().auditor).await;
    portal.settle().await;
    let head = portal.position().await;
    let npi = portal.world().clinic.npis[0].clone();
    let mut rows = 0;
    for name in ReportName::ALL {
        let about = |mut parameters: Value| {
            if name == ReportName::AccessToNpi {
                parameters["npi"] = json!(npi);
            }
            parameters
        };
        let word = name.as_str();
        let now = report(&portal, &auditor, word, about(json!({}))).await;
        assert!(!now.criteria.is_empty() && now.question.known_at >= head);
        rows += now.rows.len();
        for position in [beginning, beginning + (head - beginning) / 2] {
            let parameters = about(json!({ "asOfPosition": position.to_string() }));
            let then = report(&portal, &auditor, word, parameters).await;
            assert_eq!(then.question.known_at, position);
            rows += then.rows.len();
        }
        let takes = name.definition().parameters;
        if takes.contains(&rollcall_domain::audit::ReportParameter::AsOf) {
            for as_of in ["2026-01-12T16:59:59Z", "2026-01-13T12:00:00Z", "2026-01-16T00:00:00Z"] {
                let then = report(&portal, &auditor, word, about(json!({ "asOf": as_of }))).await;
                rows += then.rows.len();
            }
        }
        if takes.contains(&rollcall_domain::audit::ReportParameter::From) {
            let period = json!({ "from": "2026-01-12T17:30:00Z", "to": "2026-01-15T18:30:00Z" });
            rows += report(&portal, &auditor, word, about(period)).await.rows.len();
            let open = json!({ "from": "2026-01-13T00:00:00Z" });
            rows += report(&portal, &auditor, word, about(open)).await.rows.len();
        }
        for organization in [&portal.world().clinic, &portal.world().biller] {
            let of = json!({ "of": organization.id });
            let theirs = report_of(&portal, &auditor, word, about(json!({})), of).await;
            rows += theirs.rows.len();
        }
    }
    assert!(rows > 200, "only {rows} rows were compared");
    portal.finish().await;
}
