//! When a right was last used (GN-16).

use std::time::Duration;

use rollcall_domain::{
    kernel::ids::OrganizationId,
    permissions::right_use::{RightUseEvent, RightUses},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, Portal, World};

const HOUR: Duration = Duration::from_secs(3600);

const REGISTER: &str = "query($user: ID!, $right: AccessRight, $asOf: DateTime, $at: Position) {
  accessRegister(userId: $user, right: $right, asOf: $asOf, asOfPosition: $at, first: 100) {
    nodes { npi level lastUse { state on } } } }";

/// The last use of a person's rights of a kind, as the plan's auditor is told it, by NPI and level.
async fn last_uses(portal: &Portal, who: &Person, right: &str, as_of: Value) -> Vec<Value> {
    let auditor = portal.client(&portal.world().auditor).await;
    let mut variables = json!({ "user": who.user.to_string(), "right": right });
    for (name, value) in as_of.as_object().expect("an object") {
        variables[name] = value.clone();
    }
    let answer = auditor.send(REGISTER, variables).await;
    answer.data()["accessRegister"]["nodes"].as_array().expect("rows").clone()
}

async fn last_use(portal: &Portal, who: &Person, right: &str) -> Value {
    let rows = last_uses(portal, who, right, json!({})).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0]["lastUse"].clone()
}

fn used_on(day: &str) -> Value {
    json!({ "state": "USED_ON", "on": day })
}

fn unused_since(day: &str) -> Value {
    json!({ "state": "UNUSED_SINCE", "on": day })
}

fn target(world: &World) -> Value {
    json!({ "organizationId": world.clinic.id.to_string(), "npi": world.clinic.npis[0] })
}

async fn reveal(portal: &Portal, client: &Client) {
    client.mutate("revealPin", target(portal.world()), "pin").await.done();
}

/// Lets the tenant's day end.
async fn next_day(portal: &Portal, hours: u32) {
    portal.advance(HOUR * hours);
    portal.settle().await;
}

#[tokio::test]
async fn gn_16_a_use_is_told_once_its_day_is_over_however_often_and_wherever_it_was() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let nora = portal.client(&world.npi_admin).await;
    let process = portal.another_process().await;
    for client in [&nora, &nora.through(&process), &nora] {
        reveal(&portal, client).await;
    }
    assert_eq!(last_use(&portal, &world.npi_admin, "MANAGE_PIN").await, unused_since("2025-12-13"));
    // Nine in the morning in California: the day has fifteen more hours.
    portal.advance(HOUR * 15 - Duration::from_secs(1));
    portal.settle().await;
    let stream = world.tenant.right_use_stream(world.npi_admin.user, Some(world.clinic.id));
    assert!(portal.events::<RightUses>(stream).await.is_empty());
    portal.advance(Duration::from_secs(1));
    portal.settle().await;
    let events = portal.events::<RightUses>(stream).await;
    let pins = |events: &[RightUseEvent]| {
        let pin = |event: &&RightUseEvent| {
            let RightUseEvent::RightUsed { right, .. } = event;
            right.kind.as_str() == "MANAGE_PIN"
        };
        events.iter().filter(pin).count()
    };
    assert_eq!(pins(&events), 1, "{events:?}");
    assert_eq!(last_use(&portal, &world.npi_admin, "MANAGE_PIN").await, used_on("2026-01-12"));

    let nora = portal.client(&world.npi_admin).await;
    reveal(&portal, &nora).await;
    next_day(&portal, 24).await;
    assert_eq!(pins(&portal.events::<RightUses>(stream).await), 2);
    assert_eq!(last_use(&portal, &world.npi_admin, "MANAGE_PIN").await, used_on("2026-01-13"));
    let auditor = portal.client(&world.auditor).await;
    let query = "query($npi: NPI!) { auditEvents(first: 1, filter: {
      npi: $npi, types: [\"permissions.right_use.right_used\"] }) { nodes { sentence } } }";
    let told = auditor.send(query, json!({ "npi": world.clinic.npis[0] })).await;
    let sentence = &told.data()["auditEvents"]["nodes"][0]["sentence"];
    let npi = &world.clinic.npis[0];
    let expected = format!(
        "Nora Diaz used the right to manage the PIN of NPI {npi} (Redwood Clinic) on 2026-01-13."
    );
    assert_eq!(sentence, &json!(expected));
    process.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_a_last_use_holds_as_of_a_day_and_as_known_at_a_position() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    reveal(&portal, &portal.client(&world.npi_admin).await).await;
    next_day(&portal, 24).await;
    let known = portal.position().await;
    reveal(&portal, &portal.client(&world.npi_admin).await).await;
    let before = portal.position().await;
    next_day(&portal, 24).await;
    let told = async |as_of: Value| {
        last_uses(&portal, &world.npi_admin, "MANAGE_PIN", as_of).await[0]["lastUse"].clone()
    };
    assert_eq!(told(json!({})).await, used_on("2026-01-13"));
    assert_eq!(told(json!({ "asOf": "2026-01-12T20:00:00Z" })).await, used_on("2026-01-12"));
    assert_eq!(told(json!({ "asOf": "2026-01-11T20:00:00Z" })).await, unused_since("2025-12-13"));
    for position in [known, before] {
        let at = json!({ "at": position.to_string() });
        assert_eq!(told(at).await, used_on("2026-01-12"), "{position}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_each_kind_of_right_is_used_by_its_operations() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let users = "query($id: ID!) { users(organizationId: $id) { nodes { lastName } } }";
    admin.send(users, json!({ "id": world.clinic.id.to_string() })).await.data();
    let invited = json!({
        "organizationId": world.clinic.id.to_string(), "email": "rita.voss@redwood.example",
        "firstName": "Rita", "lastName": "Voss", "mobile": "+12025550177",
    });
    let second = portal.client(&world.clinic_second_admin).await;
    second.mutate("inviteUser", invited, "invitation { id }").await.done();
    let paul = portal.client(&world.processor).await;
    let pins = "query($id: ID!) { pins(organizationId: $id) { nodes { npi } } }";
    paul.send(pins, json!({ "id": world.clinic.id.to_string() })).await.data();
    let support = portal.client(&world.plan_support).await;
    support.send(users, json!({ "id": world.clinic.id.to_string() })).await.data();
    // What is refused uses nothing.
    let denied = paul.mutate("revealPin", target(world), "pin").await;
    assert_eq!(denied.refused(), "NPI_NOT_PERMITTED");
    next_day(&portal, 15).await;

    let (used, unused) = (used_on("2026-01-12"), unused_since("2025-12-13"));
    assert_eq!(last_use(&portal, &world.clinic_admin, "VIEW_ORGANIZATION").await, used);
    assert_eq!(last_use(&portal, &world.clinic_admin, "MANAGE_USERS").await, unused);
    assert_eq!(last_use(&portal, &world.clinic_second_admin, "MANAGE_USERS").await, used);
    assert_eq!(last_use(&portal, &world.clinic_second_admin, "VIEW_ORGANIZATION").await, unused);
    assert_eq!(last_use(&portal, &world.processor, "VIEW_NPI").await, used);
    assert_eq!(last_use(&portal, &world.npi_admin, "VIEW_NPI").await, unused);
    assert_eq!(last_use(&portal, &world.npi_admin, "MANAGE_PIN").await, unused);
    assert_eq!(last_use(&portal, &world.plan_support, "PLAN_ROLE").await, used);
    assert_eq!(last_use(&portal, &world.plan_admin, "PLAN_ROLE").await, unused);

    let rights = effective(&portal, &world.clinic_admin).await;
    let told = |kind: &str| -> Vec<Value> {
        let of_kind = rights.iter().filter(|right| right["kind"] == kind);
        of_kind.map(|right| right["lastUse"].clone()).collect()
    };
    assert_eq!(told("VIEW_ORGANIZATION"), [used]);
    assert_eq!(told("MANAGE_USERS"), [unused]);
    portal.finish().await;
}

async fn effective(portal: &Portal, who: &Person) -> Vec<Value> {
    let query = "query($o: ID!, $u: ID!) { effectivePermissions(organizationId: $o, userId: $u) {
      rights { kind npi correspondenceType lastUse { state on } } } }";
    let world = portal.world();
    let variables = json!({ "o": world.clinic.id.to_string(), "u": who.user.to_string() });
    let answer = portal.client(&world.auditor).await.send(query, variables).await;
    answer.data()["effectivePermissions"]["rights"].as_array().expect("rights").clone()
}

async fn reporter(portal: &Portal, scope: &str) -> Client {
    let world = portal.world();
    let input = json!({
        "organizationId": world.clinic.id.to_string(),
        "name": "Claims system",
        "scopes": [scope],
        "expiresAt": "2026-02-11T17:00:00Z",
    });
    let admin = portal.client(&world.clinic_admin).await;
    let made = admin.mutate("createApiKey", input, "secret").await;
    let secret = made.done()["secret"].as_str().expect("a secret").to_owned();
    portal.visitor(&world.slug).with_token(&secret)
}

async fn report(client: &Client, organization: OrganizationId, uses: Value) -> Answer {
    let input = json!({ "organizationId": organization.to_string(), "uses": uses });
    client.mutate("reportRightUse", input, "recorded").await
}

#[tokio::test]
async fn gn_16_what_the_portal_cannot_observe_an_external_system_reports_by_its_key() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[0].clone();
    let kind = "RAD";
    let set = json!({
        "organizationId": world.clinic.id.to_string(), "userId": world.processor.user.to_string(),
        "npis": [npi], "types": [kind],
    });
    let admin = portal.client(&world.clinic_admin).await;
    admin.mutate("setCorrespondencePermissions", set, "user { id }").await.done();
    let told = async || {
        portal.settle().await;
        let rights = effective(&portal, &world.processor).await;
        let read = rights.iter().find(|right| right["correspondenceType"] == kind);
        read.expect("the right to read").clone()["lastUse"].clone()
    };
    assert_eq!(told().await, json!({ "state": "NOT_OBSERVABLE", "on": null }));

    let machine = reporter(&portal, "REPORT_RIGHT_USE").await;
    let read = |day: &str| {
        json!([{ "userId": world.processor.user.to_string(), "right": "READ_CORRESPONDENCE",
            "npi": npi, "of": kind, "on": day }])
    };
    let clinic = world.clinic.id;
    assert_eq!(report(&machine, clinic, read("2026-01-10")).await.done()["recorded"], 1);
    assert_eq!(told().await, used_on("2026-01-10"));
    for known in ["2026-01-10", "2026-01-09"] {
        assert_eq!(report(&machine, clinic, read(known)).await.done()["recorded"], 0);
    }
    assert_eq!(told().await, used_on("2026-01-10"));

    let tomorrow = report(&machine, clinic, read("2026-01-13")).await;
    assert_eq!(tomorrow.refused(), "DATE_INVALID");
    let field = &tomorrow.body["data"]["reportRightUse"]["userErrors"][0]["field"];
    assert_eq!(field, &json!(["uses", "0", "on"]));
    let mut stranger = read("2026-01-11");
    stranger[0]["userId"] = json!(world.hospital_admin.user.to_string());
    assert_eq!(report(&machine, clinic, stranger).await.refused(), "NOT_FOUND");
    let other = report(&machine, world.hospital.id, read("2026-01-11")).await;
    assert_eq!(other.refused(), "NOT_FOUND");
    // Nobody keeps rights alive by hand, and no machine without the scope.
    assert_eq!(report(&admin, clinic, read("2026-01-11")).await.refused(), "FORBIDDEN");
    let reader = reporter(&portal, "READ_DIRECTORY").await;
    assert_eq!(report(&reader, clinic, read("2026-01-11")).await.refused(), "FORBIDDEN");
    assert_eq!(told().await, used_on("2026-01-10"));
    portal.finish().await;
}
