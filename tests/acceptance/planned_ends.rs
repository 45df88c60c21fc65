//! Ends and moves planned ahead and found out late: what ends at a moment ends then (GN-04, GN-14).

use std::time::Duration;

use rollcall_domain::{
    Event,
    kernel::ids::{MembershipId, OrganizationId},
    organizations::{Organization, OrganizationEvent},
    permissions::{Membership, MembershipEvent},
    pins::{Pin, PinEvent},
    values::{AgreementKind, Npi},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Person, Portal};

/// Ten minutes after the test begins.
const LATER: &str = "2026-01-12T17:10:00Z";
const SECOND_BEFORE: &str = "2026-01-12T17:09:59Z";
const SHOWN: &str = "organization { name version npis { npi detachedAt } }";

fn to(moment: &str) -> chrono::DateTime<chrono::Utc> {
    moment.parse().expect("a moment")
}

/// The names of the organisations whose people may see the NPI at a moment, as known at a position.
async fn who_sees(portal: &Portal, npi: &str, at: &str, known: Option<i64>) -> Vec<String> {
    let list = "query($npi: NPI!, $at: DateTime!, $position: Position, $min: Position) {
        accessRegister(npi: $npi, asOf: $at, asOfPosition: $position, right: VIEW_NPI,
                       minPosition: $min, first: 100) { nodes { organization { name } } } }";
    let auditor = portal.client(&portal.world().auditor).await;
    let variables = json!({ "npi": npi, "at": at, "min": portal.position().await.to_string(),
                            "position": known.map(|position| position.to_string()) });
    let answer = auditor.send(list, variables).await;
    let nodes = answer.data()["accessRegister"]["nodes"].as_array().expect("rows");
    let mut names: Vec<_> = nodes
        .iter()
        .map(|node| node["organization"]["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn move_to_hospital(portal: &Portal, npi: &str, at: &str) -> Value {
    let world = portal.world();
    json!({ "organizationId": world.clinic.id, "toOrganizationId": world.hospital.id, "npi": npi,
            "effectiveAt": at, "reason": "Sold to the hospital." })
}

/// Whether the person may see the NPI's PIN now.
async fn sees_pin(client: &Client, organization: OrganizationId, npi: &str) -> bool {
    let input = json!({ "organizationId": organization, "npi": npi });
    let answer = client.mutate("revealPin", input, "pin").await;
    answer.body["data"]["revealPin"]["pin"].is_string()
}

async fn deactivate(by: &Client, who: &Person, left_on: &str) -> Answer {
    let input = json!({ "organizationId": who.organization, "userId": who.user, "confirm": true,
                        "reason": "Retires.", "leftOn": left_on });
    by.mutate("deactivateUser", input, "user { status leftOn version }").await
}

#[tokio::test]
async fn gn_04_a_move_planned_ahead_comes_at_its_second() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let admin = portal.client(&world.npi_admin).await;
    let npi = world.clinic.npis[0].clone();
    let planned = support.mutate("moveNpi", move_to_hospital(&portal, &npi, LATER), SHOWN).await;
    let shown = &planned.done()["organization"];
    assert_eq!(shown["name"], "Redwood Clinic", "it holds the NPI until then");
    assert!(
        shown["npis"].as_array().unwrap().contains(&json!({ "npi": npi, "detachedAt": LATER }))
    );
    let again = support.mutate("moveNpi", move_to_hospital(&portal, &npi, LATER), SHOWN).await;
    assert_eq!(again.refused(), "ALREADY_DECIDED");
    let known = planned.done()["position"].as_str().expect("a position");
    let known: i64 = known.parse().expect("a number");

    portal.clock.set(to(SECOND_BEFORE));
    assert!(sees_pin(&admin, world.clinic.id, &npi).await, "until the second before");
    // Whether the scheduler is there before us or not makes no difference to the former holder.
    portal.clock.set(to(LATER));
    assert!(!sees_pin(&admin, world.clinic.id, &npi).await, "not from its second on");

    portal.advance(Duration::from_secs(7));
    portal.settle().await;
    let events = portal.events::<Organization>(world.clinic.id).await;
    let ended = events.iter().rev().find_map(|event| {
        let OrganizationEvent::NpiDetached { effective_at, reason, .. } = event else {
            return None;
        };
        Some((*effective_at, reason.is_some()))
    });
    assert_eq!(ended, Some((to(LATER), true)), "with the moment and the reason it had");
    let events = portal.events::<Organization>(world.hospital.id).await;
    assert!(
        matches!(events.last(), Some(OrganizationEvent::NpiAttached { effective_at, .. })
            if *effective_at == to(LATER)),
        "{events:?}"
    );
    for person in [&world.npi_admin, &world.processor] {
        let membership = MembershipId::of(world.tenant, person.user, world.clinic.id);
        let last = portal.events::<Membership>(membership).await.pop();
        let Some(last @ MembershipEvent::NpiPermissionEnded { .. }) = last else {
            panic!("what they held for it has ended: {last:?}");
        };
        assert_eq!(last.facets().effective_at, Some(to(LATER)));
    }
    let pins = portal.events::<Pin>(world.tenant.pin_stream(&Npi::parse(&npi).unwrap())).await;
    assert!(
        pins.iter().any(|pin| matches!(pin, PinEvent::PinIssued { organization, version: 2, .. }
            if *organization == world.hospital.id)),
        "{pins:?}"
    );
    assert_eq!(by_whom(&portal, "CarryOutNpiEnd").await, "SYSTEM");
    assert_eq!(who_sees(&portal, &npi, SECOND_BEFORE, None).await, ["Redwood Clinic"]);
    assert_eq!(who_sees(&portal, &npi, LATER, None).await, ["Bayview Hospital"]);
    assert!(
        who_sees(&portal, &npi, LATER, Some(known)).await.is_empty(),
        "as was known when it was planned, the clinic's rights end and nobody else has any yet"
    );
    assert_eq!(who_sees(&portal, &npi, LATER, Some(known - 1)).await, ["Redwood Clinic"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_move_of_a_holding_to_come_begins_when_that_was_to_begin() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let npi = "1000000004";
    let attach = json!({ "organizationId": world.clinic.id, "npi": npi, "name": "Redwood Annex",
                         "providerType": "GROUP", "community": "PHYSICIANS", "effectiveAt": LATER });
    support.mutate("attachNpi", attach, SHOWN).await.done();
    let mut input = move_to_hospital(&portal, npi, LATER);
    input.as_object_mut().unwrap().remove("effectiveAt");
    support.mutate("moveNpi", input, SHOWN).await.done();
    let events = portal.events::<Organization>(world.hospital.id).await;
    assert!(
        matches!(events.last(), Some(OrganizationEvent::NpiAttached { effective_at, .. })
            if *effective_at == to(LATER)),
        "{events:?}"
    );
    let held = "query($id: ID!, $min: Position) { organization(id: $id, minPosition: $min) {
        npis { npi } } }";
    for (company, many) in [(&world.clinic, 0), (&world.hospital, 1)] {
        let min = portal.position().await.to_string();
        let answer = support.send(held, json!({ "id": company.id, "min": min })).await;
        let npis = answer.data()["organization"]["npis"].as_array().expect("NPIs").clone();
        let listed = npis.iter().filter(|held| held["npi"] == npi).count();
        assert_eq!(listed, many, "what never began is not listed: {npis:?}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_planned_end_is_not_back_dated_beyond_the_beginning() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let npi = world.clinic.npis[0].clone();
    let detach =
        |at: &str| json!({ "organizationId": world.clinic.id, "npi": npi, "effectiveAt": at });
    support.mutate("detachNpi", detach(LATER), SHOWN).await.done();
    let refused = support.mutate("detachNpi", detach("2025-01-01T00:00:00Z"), SHOWN).await;
    assert_eq!(refused.refused(), "RANGE_INVALID");
    support.mutate("detachNpi", detach("2026-01-10T00:00:00Z"), SHOWN).await.done();
    portal.finish().await;
}

/// In which role the newest event of a command was caused, as the audit trail tells it.
async fn by_whom(portal: &Portal, command: &str) -> Value {
    let auditor = portal.client(&portal.world().auditor).await;
    let document = "query($command: String, $min: Position) {
        auditEvents(filter: { command: $command }, minPosition: $min, first: 1) {
          nodes { actor { kind } } } }";
    let min = portal.position().await.to_string();
    let answer = auditor.send(document, json!({ "command": command, "min": min })).await;
    answer.data()["auditEvents"]["nodes"][0]["actor"]["kind"].clone()
}

#[tokio::test]
async fn gn_04_a_planned_move_is_called_off_before_it_comes() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let npi = world.clinic.npis[0].clone();
    let planned = support.mutate("moveNpi", move_to_hospital(&portal, &npi, LATER), SHOWN).await;
    let version = planned.done()["organization"]["version"].as_i64().unwrap();
    let input = |version: i64| json!({ "organizationId": world.clinic.id, "npi": npi, "expectedVersion": version });
    let stale = support.mutate("cancelNpiEnd", input(version - 1), SHOWN).await;
    assert_eq!(stale.refused(), "VERSION_CONFLICT");
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(admin.mutate("cancelNpiEnd", input(version), SHOWN).await.refused(), "FORBIDDEN");
    let cancelled = support.mutate("cancelNpiEnd", input(version), SHOWN).await;
    let held = cancelled.done()["organization"]["npis"].as_array().unwrap().clone();
    assert!(held.contains(&json!({ "npi": npi, "detachedAt": null })), "{held:?}");
    portal.clock.set(to(LATER));
    portal.advance(Duration::from_secs(5));
    portal.settle().await;
    let nora = portal.client(&world.npi_admin).await;
    assert!(sees_pin(&nora, world.clinic.id, &npi).await);
    assert_eq!(who_sees(&portal, &npi, LATER, None).await, ["Redwood Clinic"]);
    let late = support.mutate("cancelNpiEnd", input(version + 1), SHOWN).await;
    assert_eq!(late.refused(), "NOT_PENDING");
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_move_whose_taker_is_gone_ends_the_right_and_tells_the_plan() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let npi = world.clinic.npis[0].clone();
    support.mutate("moveNpi", move_to_hospital(&portal, &npi, LATER), SHOWN).await.done();
    let close = json!({ "organizationId": world.hospital.id, "reason": "Gave up." });
    support.mutate("closeOrganization", close, "").await.done();
    portal.clock.set(to(LATER));
    portal.advance(Duration::ZERO);
    portal.settle().await;
    let events = portal.events::<Organization>(world.clinic.id).await;
    let [.., OrganizationEvent::NpiDetached { .. }, OrganizationEvent::NpiMoveFailed { .. }] =
        &events[..]
    else {
        panic!("the end stands, and so does its failure: {events:?}");
    };
    let document = "query($min: Position) { notifications(minPosition: $min) { nodes { text } } }";
    let min = portal.position().await.to_string();
    let told = support.send(document, json!({ "min": min })).await;
    let sentence =
        "The NPI 1234567893 left Redwood Clinic as planned, and its next holder could not take it.";
    assert!(told.body.to_string().contains(sentence), "{}", told.body);
    let attach = json!({ "organizationId": world.clinic.id, "npi": npi, "name": "Redwood Clinic",
                         "providerType": "GROUP", "community": "PHYSICIANS" });
    support.mutate("attachNpi", attach, SHOWN).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_an_end_found_out_late_was_enforced_longer_than_entitled() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let npi = world.clinic.npis[0].clone();
    let mut input = move_to_hospital(&portal, &npi, "2026-01-10T09:00:00Z");
    input.as_object_mut().unwrap().remove("toOrganizationId");
    let known = portal.position().await;
    support.mutate("detachNpi", input, SHOWN).await.done();
    let during = "2026-01-11T12:00:00Z";
    assert!(
        who_sees(&portal, &npi, during, None).await.is_empty(),
        "not entitled, as is known now"
    );
    let enforced = who_sees(&portal, &npi, during, Some(known)).await;
    assert_eq!(enforced, ["Redwood Clinic"], "as was known and enforced until it was recorded");
    assert_eq!(who_sees(&portal, &npi, "2026-01-10T08:59:59Z", None).await, ["Redwood Clinic"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_contract_planned_to_end_is_called_off_by_what_is_said_last() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let set = async |status: &str, from: Value| {
        let input = json!({ "organizationId": world.clinic.id, "status": status, "from": from });
        let shown = "organization { contractStatus contract { status from } }";
        let answer = support.mutate("setContractStatus", input, shown).await;
        answer.done()["organization"].clone()
    };
    let planned = set("TERMINATED", json!(LATER)).await;
    assert_eq!(planned["contract"][1], json!({ "status": "TERMINATED", "from": LATER }));
    let called_off = set("CONTRACTED", Value::Null).await;
    let last = called_off["contract"].as_array().unwrap().last().cloned();
    assert_eq!(last.unwrap()["status"], "CONTRACTED");
    let late = set("TERMINATED", json!("2026-01-01T00:00:00Z")).await;
    assert_eq!(late["contractStatus"], "TERMINATED", "an end found out late holds from its moment");
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_membership_ends_with_its_last_day_in_a_week_of_changing_clocks() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let who = world.processor.clone();
    let planned = deactivate(&admin, &who, "2026-03-08").await;
    let shown = &planned.done()["user"];
    assert_eq!((&shown["status"], &shown["leftOn"]), (&json!("ACTIVE"), &json!("2026-03-08")));
    assert_eq!(deactivate(&admin, &who, "2026-03-09").await.refused(), "ALREADY_DECIDED");
    // California went from eight to seven hours behind UTC on that very Sunday.
    portal.clock.set(to("2026-03-09T06:59:59Z"));
    let signed_in = portal.anybody().try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(signed_in.done()["memberships"].as_array().map(Vec::len), Some(1));
    let session = portal.anybody().with_token(signed_in.done()["sessionToken"].as_str().unwrap());
    let seen = "query($id: ID!) { organization(id: $id) { name } }";
    let question = json!({ "id": world.clinic.id });
    assert!(session.send(seen, question.clone()).await.data()["organization"].is_object());
    portal.clock.set(to("2026-03-09T07:00:00Z"));
    let over = session.send(seen, question).await;
    assert!(over.body["errors"].is_array(), "from its second on: {}", over.body);
    portal.advance(Duration::from_secs(4));
    portal.settle().await;
    let events = portal.events::<Organization>(world.clinic.id).await;
    let gone = events.iter().rev().find_map(|event| {
        let OrganizationEvent::UserDeactivated { user, effective_at, .. } = event else {
            return None;
        };
        Some((*user, *effective_at))
    });
    assert_eq!(gone, Some((who.user, to("2026-03-09T07:00:00Z"))));
    let ended = session.session().await;
    assert_eq!(ended.error_code(), "UNAUTHENTICATED", "sessions end with it");
    let npi = &world.clinic.npis[0];
    let count = async |at: &str| {
        let list = "query($user: ID!, $npi: NPI!, $at: DateTime!, $min: Position) {
            accessRegister(userId: $user, npi: $npi, right: VIEW_NPI, asOf: $at, minPosition: $min) {
              totalCount } }";
        let auditor = portal.client(&world.auditor).await;
        let min = portal.position().await.to_string();
        let variables = json!({ "user": who.user, "npi": npi, "at": at, "min": min });
        auditor.send(list, variables).await.data()["accessRegister"]["totalCount"].clone()
    };
    assert_eq!(count("2026-03-09T06:59:59Z").await, 1);
    assert_eq!(count("2026-03-09T07:00:00Z").await, 0);
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_planned_leave_is_called_off_and_the_last_administrator_plans_none() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let planned = deactivate(&admin, &world.clinic_second_admin, "2026-01-13").await;
    let version = planned.done()["user"]["version"].clone();
    let second = portal.client(&world.clinic_second_admin).await;
    let own = deactivate(&second, &world.clinic_admin, "2026-01-20").await;
    assert_eq!(own.refused(), "LAST_ADMIN", "nobody would remain");
    let cancel = json!({ "organizationId": world.clinic.id, "expectedVersion": version,
                         "userId": world.clinic_second_admin.user });
    let own = second.mutate("cancelUserDeactivation", cancel.clone(), "").await;
    assert_eq!(own.refused(), "SELF_GRANT");
    let shown = "user { status leftOn history { fact } }";
    let cancelled = admin.mutate("cancelUserDeactivation", cancel.clone(), shown).await;
    let user = &cancelled.done()["user"];
    assert_eq!(
        (&user["leftOn"], &user["history"][0]["fact"]),
        (&Value::Null, &json!("END_CANCELLED"))
    );
    let again = admin.mutate("cancelUserDeactivation", cancel, shown).await;
    assert_eq!(again.refused(), "VERSION_CONFLICT");
    portal.clock.set(to("2026-01-14T08:00:00Z"));
    portal.advance(Duration::ZERO);
    portal.settle().await;
    let signed_in =
        portal.anybody().try_to_sign_in(&world.clinic_second_admin.email, PASSWORD).await;
    assert_eq!(signed_in.done()["memberships"].as_array().map(Vec::len), Some(1));
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_an_affiliation_ends_with_its_last_day_unless_that_is_called_off() {
    let portal = Portal::medi_cal().await;
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    let world = portal.world().clone();
    let (clinic, biller) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.biller_admin).await);
    let signature = json!({ "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee",
                            "role": "OWNER", "agreementVersion": "2026-01" });
    let shown = "affiliation { id status endsOn version }";
    let ask = json!({ "organizationId": world.biller.id, "counterpartyId": world.clinic.id,
                      "scope": { "transactionTypes": ["837P"] }, "signature": signature });
    let asked = biller.mutate("requestAffiliation", ask, shown).await;
    let id = asked.done()["affiliation"]["id"].clone();
    let of = |organization| json!({ "organizationId": organization, "affiliationId": id });
    let with = |mut input: Value, more: Value| {
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let approve = with(of(world.clinic.id), json!({ "signature": signature }));
    clinic.mutate("approveAffiliation", approve, shown).await.done();
    let end = || with(of(world.clinic.id), json!({ "confirm": true, "endsOn": "2026-03-08" }));
    clinic.mutate("terminateAffiliation", end(), shown).await.done();
    let theirs = biller.mutate("cancelAffiliationTermination", of(world.biller.id), shown).await;
    assert_eq!(theirs.refused(), "NOT_COUNTERPARTY", "who ended it calls that off");
    let goes_on = clinic.mutate("cancelAffiliationTermination", of(world.clinic.id), shown).await;
    let affiliation = &goes_on.done()["affiliation"];
    assert_eq!((&affiliation["status"], &affiliation["endsOn"]), (&json!("ACTIVE"), &Value::Null));
    portal.settle().await;
    let mail = portal.mailbox(&world.biller_admin.email).await;
    Portal::newest(&mail, "Redwood Clinic lets the affiliation go on");

    clinic.mutate("terminateAffiliation", end(), shown).await.done();
    let status = async |at: &str| {
        portal.clock.set(to(at));
        let who = portal.client(&world.clinic_admin).await;
        let document = "query($id: ID!, $of: ID!) {
            affiliation(id: $id, organizationId: $of) { status } }";
        let answer = who.send(document, json!({ "id": id, "of": world.clinic.id })).await;
        answer.data()["affiliation"]["status"].clone()
    };
    assert_eq!(status("2026-03-09T06:59:59Z").await, "ACTIVE");
    assert_eq!(status("2026-03-09T07:00:00Z").await, "TERMINATED");
    let clinic = portal.client(&world.clinic_admin).await;
    let late = clinic.mutate("cancelAffiliationTermination", of(world.clinic.id), shown).await;
    assert_eq!(late.refused(), "NOT_PENDING");
    portal.finish().await;
}
