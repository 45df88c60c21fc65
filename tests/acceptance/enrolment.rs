//! What the plan has on file: enrolment, kinds, NPIs, standing (GN-32, MC-12, MC-13, GN-03).

use std::time::Duration;

use rollcall_commands::organizations::enrolment_file::import_file;
use rollcall_domain::{
    kernel::ids::{MembershipId, OrganizationId, TenantId},
    organizations::{Organization, OrganizationEvent},
    permissions::{Membership, MembershipEvent},
    pins::{Pin, PinEvent},
    values::Npi,
};
use serde_json::{Value, json};

use crate::support::{Client, Person, Portal, uuid_of};

/// A line of the plan's file; `overrides` are its other columns.
pub fn line(overrides: Value) -> Value {
    let mut row = json!({
        "organization": "Sierra Family Clinic",
        "kinds": "PROVIDER",
        "taxIdType": "EIN",
        "taxId": "12-3456789",
        "payToLine1": "22 Oak Ave",
        "payToCity": "Fresno",
        "payToState": "CA",
        "payToZip": "93701-1234",
        "contactEmail": "office@sierra.example",
        "npi": "1000000004",
        "providerType": "GROUP",
        "community": "PHYSICIANS",
    });
    for (column, value) in overrides.as_object().expect("columns") {
        row[column] = value.clone();
    }
    row
}

const RESULTS: &str = "results { line outcome organizationId error { code field message } }";

/// Imports lines as plan staff; answers one result per line.
pub async fn import(client: &Client, rows: Vec<Value>) -> Vec<Value> {
    let answer = client.mutate("importEnrolment", json!({ "rows": rows }), RESULTS).await;
    answer.done()["results"].as_array().expect("a result per line").clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn gn_32_the_same_file_twice_records_nothing_the_second_time() {
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let file = || {
        vec![
            line(json!({})),
            line(json!({ "npi": "1111111112", "npiName": "Sierra Radiology" })),
            line(json!({
                "organization": "Valley Billing", "kinds": "SUBMITTER", "taxId": "20-0000001",
                "npi": "", "reference": "V-7",
            })),
        ]
    };
    let first = import(&support, file()).await;
    assert_eq!(outcomes(&first), ["ENROLLED", "UPDATED", "ENROLLED"]);
    assert_eq!(first[0]["organizationId"], first[1]["organizationId"], "one tax id, one of them");
    let before = portal.position().await;
    let second = import(&support, file()).await;
    assert_eq!(outcomes(&second), ["UNCHANGED"; 3]);
    assert_eq!(portal.position().await, before);

    let moved = import(&support, vec![line(json!({ "payToLine1": "23 Oak Ave" }))]).await;
    assert_eq!(outcomes(&moved), ["UPDATED"]);
    let id = OrganizationId(uuid_of(first[0]["organizationId"].as_str().unwrap()));
    let events = portal.events::<Organization>(id).await;
    let Some(OrganizationEvent::EnrolmentUpdated { changes, source, .. }) = events.last() else {
        panic!("the change is on record: {events:?}");
    };
    assert!(changes.pay_to_address.is_some() && changes.name.is_none(), "only what changed");
    assert_eq!(source.as_ref().map(|source| source.line), Some(1));
    portal.finish().await;
}

#[tokio::test]
async fn gn_32_a_bad_line_names_itself_and_keeps_no_good_one_out() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let held = portal.world().clinic.npis[0].clone();
    let results = import(
        &admin,
        vec![
            line(json!({ "line": 2 })),
            line(json!({ "line": 3, "taxId": "07-1234567" })),
            line(json!({ "line": 4, "npi": "1234567890" })),
            line(json!({ "line": 5, "npi": held })),
            line(json!({ "line": 6, "reference": "OTHER-1" })),
            line(json!({ "line": 7, "contactEmail": "nobody" })),
            line(json!({ "line": 8, "npi": "1111111112" })),
        ],
    )
    .await;
    let told: Vec<(i64, &str)> = results
        .iter()
        .map(|result| {
            let code = result["error"]["code"].as_str();
            (result["line"].as_i64().unwrap(), code.unwrap_or("imported"))
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, "imported"),
            (3, "TAX_ID_INVALID"),
            (4, "NPI_INVALID"),
            (5, "NPI_ATTACHED"),
            (6, "TAX_ID_TAKEN"),
            (7, "EMAIL_INVALID"),
            (8, "imported"),
        ]
    );
    assert_eq!(results[2]["error"]["field"], json!(["npi"]));
    assert!(!results[1].to_string().contains("1234567"), "no tax id is repeated");
    portal.settle().await;
    let list = admin
        .send("{ organizations(search: \"sierra\") { nodes { name npis { npi } } } }", json!({}))
        .await;
    assert_eq!(
        list.data()["organizations"]["nodes"],
        json!([{
            "name": "Sierra Family Clinic", "npis": [{ "npi": "1000000004" }, { "npi": "1111111112" }],
        }])
    );
    let member = portal.client(&portal.world().clinic_admin).await;
    let refused =
        member.mutate("importEnrolment", json!({ "rows": [line(json!({}))] }), RESULTS).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let none = admin.mutate("importEnrolment", json!({ "rows": [] }), RESULTS).await;
    assert_eq!(none.refused(), "PAGE_SIZE_EXCEEDED");
    portal.finish().await;
}

const ORGANIZATION: &str = "organization { kinds status contractStatus version npis { npi } }";

#[tokio::test]
async fn mc_12_an_organization_is_provider_submitter_or_both() {
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let id = portal.world().clinic.id.to_string();
    let set = |kinds: Value| json!({ "organizationId": id, "kinds": kinds });
    let name = "setOrganizationKinds";
    let both = support.mutate(name, set(json!(["SUBMITTER", "PROVIDER"])), ORGANIZATION).await;
    let organization = &both.done()["organization"];
    assert_eq!(organization["kinds"], json!(["PROVIDER", "SUBMITTER"]));
    let version = organization["version"].as_i64().unwrap();
    let none = support.mutate(name, set(json!([])), ORGANIZATION).await;
    assert_eq!(none.refused(), "FIELD_REQUIRED");
    let mut stale = set(json!(["SUBMITTER"]));
    stale["expectedVersion"] = json!(version - 1);
    assert_eq!(support.mutate(name, stale, ORGANIZATION).await.refused(), "VERSION_CONFLICT");
    let mut fresh = set(json!(["SUBMITTER"]));
    fresh["expectedVersion"] = json!(version);
    let one = support.mutate(name, fresh, ORGANIZATION).await;
    assert_eq!(one.done()["organization"]["kinds"], json!(["SUBMITTER"]));

    let member = portal.client(&portal.world().processor).await;
    let seen = "query($id: ID!) { organization(id: $id) {
        kinds contractStatus admins { lastName } emailDomains { domain activeUsers }
        taxId { last4 } payToAddress { line1 } } }";
    let answer = member.send(seen, json!({ "id": id })).await;
    let organization = &answer.data()["organization"];
    assert_eq!(organization["kinds"], json!(["SUBMITTER"]));
    assert_eq!(organization["admins"], json!([{ "lastName": "Fox" }, { "lastName": "Lee" }]));
    assert_eq!(
        organization["emailDomains"],
        json!([{ "domain": "portal.example", "activeUsers": 5 }])
    );
    assert_eq!(organization["taxId"], Value::Null, "behind a right");
    assert_eq!(organization["payToAddress"], Value::Null, "behind a right");
    let refused = member.mutate(name, set(json!(["PROVIDER"])), ORGANIZATION).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_12_each_kind_gives_its_own_area_and_no_other() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let areas = async |who: &Person| -> Vec<String> {
        let client = portal.client(who).await;
        let answer = client.send("{ dashboard { tiles { kind } } }", json!({})).await;
        let tiles = answer.data()["dashboard"]["tiles"].as_array().expect("tiles").clone();
        let kinds = tiles.iter().map(|tile| tile["kind"].as_str().expect("a kind").to_owned());
        kinds.filter(|kind| kind.contains("SUBMITTER") || kind.contains("PROVIDER")).collect()
    };
    assert_eq!(areas(&world.clinic_admin).await, ["SUBMITTER_MANAGEMENT"]);
    assert_eq!(areas(&world.biller_admin).await, ["PROVIDER_NETWORK"]);
    assert!(areas(&world.processor).await.is_empty(), "administrators decide there");
    let support = portal.client(&world.plan_support).await;
    let both = json!({
        "organizationId": world.clinic.id.to_string(), "kinds": ["PROVIDER", "SUBMITTER"],
    });
    support.mutate("setOrganizationKinds", both, ORGANIZATION).await.done();
    assert_eq!(areas(&world.clinic_admin).await, ["SUBMITTER_MANAGEMENT", "PROVIDER_NETWORK"]);
    portal.finish().await;
}

fn npi_input(organization: &str, npi: &str) -> Value {
    json!({
        "organizationId": organization, "npi": npi, "name": "Redwood Urgent Care",
        "providerType": "CLINIC", "community": "PHYSICIANS",
    })
}

#[tokio::test]
async fn mc_13_an_npi_is_attached_with_a_pin_and_held_by_one_organization() {
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let clinic = portal.world().clinic.id.to_string();
    let hospital = portal.world().hospital.id.to_string();
    let attached =
        support.mutate("attachNpi", npi_input(&clinic, "1000000004"), ORGANIZATION).await;
    assert_eq!(attached.done()["organization"]["npis"].as_array().unwrap().len(), 4);
    let npi = Npi::parse("1000000004").unwrap();
    let pins = portal.events::<Pin>(portal.world().tenant.pin_stream(&npi)).await;
    let [PinEvent::PinIssued { pin_ref, .. }] = &pins[..] else { panic!("one PIN: {pins:?}") };
    let journal = &portal.service.commands.journal;
    let pin = journal.vault_get(portal.world().tenant, "pin", pin_ref.0).await.unwrap();
    assert_eq!(pin.expect("the PIN is in the vault").len(), 7);

    for (organization, npi, code) in [
        (&clinic, "1000000004", "NPI_ATTACHED"),
        (&hospital, "1000000004", "NPI_ATTACHED"),
        (&clinic, "1234567890", "NPI_INVALID"),
    ] {
        let answer = support.mutate("attachNpi", npi_input(organization, npi), ORGANIZATION).await;
        assert_eq!(answer.refused(), code, "{npi}");
    }
    let admin = portal.client(&portal.world().clinic_admin).await;
    let own = admin.mutate("attachNpi", npi_input(&clinic, "1111111112"), ORGANIZATION).await;
    assert_eq!(own.refused(), "FORBIDDEN", "the plan attaches NPIs");
    let mut past = npi_input(&clinic, "1111111112");
    past["effectiveAt"] = json!("2026-01-12T16:59:59Z");
    assert_eq!(support.mutate("attachNpi", past, ORGANIZATION).await.refused(), "RANGE_INVALID");

    let npis = "query($id: ID!, $search: String, $after: String) {
        npis(organizationId: $id, search: $search, first: 3, after: $after) {
          totalCount nodes { npi name providerType community }
          pageInfo { hasNextPage endCursor } } }";
    let member = portal.client(&portal.world().processor).await;
    let page = member.send(npis, json!({ "id": clinic })).await;
    let page = &page.data()["npis"];
    assert_eq!(page["totalCount"], 4);
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    let after = page["pageInfo"]["endCursor"].clone();
    let rest = member.send(npis, json!({ "id": clinic, "after": after })).await;
    assert_eq!(rest.data()["npis"]["nodes"].as_array().unwrap().len(), 1);
    let found = member.send(npis, json!({ "id": clinic, "search": "urgent" })).await;
    assert_eq!(
        found.data()["npis"]["nodes"],
        json!([{
            "npi": "1000000004", "name": "Redwood Urgent Care",
            "providerType": "CLINIC", "community": "PHYSICIANS",
        }])
    );
    portal.finish().await;
}

#[tokio::test]
async fn mc_13_detaching_an_npi_ends_what_people_held_for_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let (clinic, hospital) = (world.clinic.id.to_string(), world.hospital.id.to_string());
    let npi = &world.clinic.npis[0];
    let detach = |npi: &str| json!({ "organizationId": clinic, "npi": npi, "reason": "Sold to the hospital." });
    let done = support.mutate("detachNpi", detach(npi), ORGANIZATION).await;
    assert_eq!(done.done()["organization"]["npis"].as_array().unwrap().len(), 2);
    for person in [&world.npi_admin, &world.processor] {
        let membership = MembershipId::of(world.tenant, person.user, world.clinic.id);
        let last = portal.events::<Membership>(membership).await.pop();
        assert!(matches!(last, Some(MembershipEvent::NpiPermissionEnded { .. })), "{last:?}");
    }
    let again = support.mutate("detachNpi", detach(npi), ORGANIZATION).await;
    assert_eq!(again.refused(), "NPI_NOT_IN_ORG");
    let held = async |at: &str| -> Value {
        let list = "query($id: ID!, $at: DateTime!) {
            npis(organizationId: $id, asOf: $at) { totalCount } }";
        let answer = support.send(list, json!({ "id": clinic, "at": at })).await;
        answer.data()["npis"]["totalCount"].clone()
    };
    assert_eq!(held("2026-01-12T16:59:59Z").await, 3, "until the second before");
    assert_eq!(held("2026-01-12T17:00:00Z").await, 2);

    let moved = support.mutate("attachNpi", npi_input(&hospital, npi), ORGANIZATION).await;
    moved.done();
    let npi = Npi::parse(npi).unwrap();
    let pins = portal.events::<Pin>(world.tenant.pin_stream(&npi)).await;
    assert!(
        matches!(pins.last(), Some(PinEvent::PinIssued { version: 2, .. })),
        "the new holder has a PIN of its own: {pins:?}"
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_04_a_moved_npi_ends_what_the_former_holders_people_held() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.advance(Duration::from_secs(3600));
    let support = portal.client(&world.plan_support).await;
    let npi = world.clinic.npis[0].clone();
    let input = |at: Value| {
        json!({
            "organizationId": world.clinic.id, "toOrganizationId": world.hospital.id, "npi": npi,
            "effectiveAt": at, "reason": "Sold to the hospital.",
        })
    };
    let mut nowhere = input(Value::Null);
    nowhere["toOrganizationId"] = json!(world.clinic.id);
    let mut foreign = input(Value::Null);
    foreign["npi"] = json!(world.hospital.npis[0]);
    for (refused, code) in [(nowhere, "FIELD_INVALID"), (foreign, "NPI_NOT_IN_ORG")] {
        let answer = support.mutate("moveNpi", refused, ORGANIZATION).await;
        assert_eq!(answer.refused(), code);
    }
    let admin = portal.client(&world.clinic_admin).await;
    let own = admin.mutate("moveNpi", input(Value::Null), ORGANIZATION).await;
    assert_eq!(own.refused(), "FORBIDDEN", "the plan moves NPIs");

    let moved = support.mutate("moveNpi", input(json!("2026-01-12T17:30:00Z")), ORGANIZATION).await;
    let held = moved.done()["organization"]["npis"].as_array().unwrap().clone();
    assert!(held.contains(&json!({ "npi": npi })), "the hospital holds it: {held:?}");
    for person in [&world.npi_admin, &world.processor] {
        let membership = MembershipId::of(world.tenant, person.user, world.clinic.id);
        let last = portal.events::<Membership>(membership).await.pop();
        assert!(matches!(last, Some(MembershipEvent::NpiPermissionEnded { .. })), "{last:?}");
    }
    let who = async |at: &str| -> Value {
        let list = "query($npi: NPI!, $at: DateTime!, $position: Position) {
            accessRegister(npi: $npi, asOf: $at, right: VIEW_NPI, minPosition: $position) {
              nodes { organization { name } } } }";
        let position = portal.position().await.to_string();
        let variables = json!({ "npi": npi, "at": at, "position": position });
        let auditor = portal.client(&world.auditor).await;
        let answer = auditor.send(list, variables).await;
        let mut names: Vec<_> = answer.data()["accessRegister"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["organization"]["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        json!(names)
    };
    assert_eq!(who("2026-01-12T17:29:59Z").await, json!(["Redwood Clinic"]));
    assert_eq!(who("2026-01-12T17:30:00Z").await, json!(["Bayview Hospital"]));
    let pins = portal.events::<Pin>(world.tenant.pin_stream(&Npi::parse(&npi).unwrap())).await;
    assert!(matches!(pins.last(), Some(PinEvent::PinIssued { version: 2, .. })), "{pins:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_a_suspended_organization_takes_nobody_until_it_is_reopened() {
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let member = portal.client(&portal.world().clinic_admin).await;
    let id = portal.world().clinic.id.to_string();
    let stop = json!({ "organizationId": id, "reason": "Suspected misuse." });
    let suspended = support.mutate("suspendOrganization", stop.clone(), ORGANIZATION).await;
    assert_eq!(suspended.done()["organization"]["status"], "SUSPENDED");
    let seen = "query($id: ID!) { organization(id: $id) { name } }";
    let shut = member.send(seen, json!({ "id": id })).await;
    assert_eq!(shut.error_code(), "UNAUTHENTICATED", "its sessions ended with it");
    let again = support.mutate("suspendOrganization", stop.clone(), ORGANIZATION).await;
    assert_eq!(again.refused(), "ORG_NOT_ACTIVE");

    let reopen = json!({ "organizationId": id });
    let reopened = support.mutate("reopenOrganization", reopen.clone(), ORGANIZATION).await;
    assert_eq!(reopened.done()["organization"]["status"], "REGISTERED");
    let not = support.mutate("reopenOrganization", reopen.clone(), ORGANIZATION).await;
    assert_eq!(not.refused(), "NOT_INACTIVE");
    let back = portal.client(&portal.world().clinic_admin).await;
    assert!(back.send(seen, json!({ "id": id })).await.data()["organization"].is_object());

    let closed = support.mutate("closeOrganization", stop, ORGANIZATION).await;
    assert_eq!(closed.done()["organization"]["status"], "CLOSED");
    let dead = support.mutate("reopenOrganization", reopen, ORGANIZATION).await;
    assert_eq!(dead.refused(), "ORG_NOT_ACTIVE");
    portal.finish().await;
}

#[tokio::test]
async fn gn_32_a_file_read_on_the_machine_is_imported_line_by_line() {
    let portal = Portal::medi_cal().await;
    let file = "reference,organization,kinds,tax_id_type,tax_id,pay_to_line1,pay_to_city,\
                pay_to_state,pay_to_zip,contact_email,npi,provider_type,community\n\
                S-1,Sierra Clinic,PROVIDER,EIN,12-3456789,22 Oak Ave,Fresno,CA,93701,\
                office@sierra.example,1000000004,GROUP,PHYSICIANS\n\
                S-2,Broken Clinic,PROVIDER,EIN,00-3456789,22 Oak Ave,Fresno,CA,93701,\
                office@broken.example,,,\n";
    let (commands, tenant) = (&portal.service.commands, portal.world().tenant);
    let results = import_file(commands, tenant, file.as_bytes()).await.expect("a fitting header");
    assert_eq!(results.iter().map(|result| result.line).collect::<Vec<_>>(), [2, 3]);
    assert!(results[0].refusal.is_none());
    let refusal = results[1].refusal.as_ref().expect("no EIN begins with 00");
    assert_eq!(
        (refusal.code.as_str(), &refusal.field[..]),
        ("TAX_ID_INVALID", &["tax_id".to_owned()][..])
    );
    let events =
        portal.events::<Organization>(results[0].organization.expect("an organization")).await;
    let Some(OrganizationEvent::OrganizationEnrolled { source: Some(source), .. }) = events.first()
    else {
        panic!("enrolled by the file: {events:?}");
    };
    assert_eq!((source.line, source.file_sha256.len()), (2, 64));
    let unknown = import_file(commands, TenantId::of_slug("nowhere"), file.as_bytes()).await;
    assert_eq!(unknown.unwrap_err().code().map(|code| code.as_str()), Some("NOT_FOUND"));
    portal.finish().await;
}
