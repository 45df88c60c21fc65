//! When a right was last used (GN-16).

use std::time::Duration;

use rollcall_api::graphql::ids::NodeType;
use rollcall_domain::{
    kernel::ids::OrganizationId,
    permissions::right_use::{RightUseEvent, RightUses},
    policies::Preset,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

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

async fn database(portal: &Portal) -> PgConnection {
    PgConnection::connect_with(&portal.database()).await.expect("a connection")
}

async fn sql(portal: &Portal, statement: &str) {
    sqlx::raw_sql(statement).execute(&mut database(portal).await).await.expect("a statement");
}

#[tokio::test]
async fn gn_16_what_is_looked_up_by_id_or_followed_is_used_like_what_is_listed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let node = async |who: &Person, id: String| {
        let query = "query($id: ID!) { node(id: $id) { id } }";
        let found = portal.client(who).await.send(query, json!({ "id": id })).await;
        assert!(found.data()["node"].is_object(), "{found:?}");
    };
    let user = |who: &Person| NodeType::User.id(who.user).to_string();
    node(&world.clinic_second_admin, user(&world.processor)).await;
    // Who looks themself up uses no right.
    node(&world.clinic_admin, user(&world.clinic_admin)).await;
    node(&world.plan_support, NodeType::Organization.id(world.clinic.id).to_string()).await;
    let id = world.clinic.id.to_string();
    let list = "query($id: ID!) { pins(organizationId: $id) { nodes { id } } }";
    let pins = portal.client(&world.clinic_admin).await.send(list, json!({ "id": id })).await;
    let pin = &pins.data()["pins"]["nodes"][0]["id"];
    node(&world.npi_admin, pin.as_str().expect("an id").to_owned()).await;
    let one = "query($id: ID!, $npi: NPI!) { pin(organizationId: $id, npi: $npi) { id } }";
    let paul = portal.client(&world.processor).await;
    let asked = paul.send(one, json!({ "id": id, "npi": world.clinic.npis[0] })).await;
    assert!(asked.data()["pin"].is_object());
    let pia = portal.client(&world.plan_admin).await;
    let follow = "subscription { eventAppended(afterPosition: \"0\") { type } }";
    portal.subscribe(&pia, follow, json!({})).await.next().await;
    next_day(&portal, 15).await;

    let (used, unused) = (used_on("2026-01-12"), unused_since("2025-12-13"));
    let told = async |who: &Person, right: &str| last_use(&portal, who, right).await;
    assert_eq!(told(&world.clinic_second_admin, "VIEW_ORGANIZATION").await, used);
    assert_eq!(told(&world.clinic_admin, "VIEW_ORGANIZATION").await, unused);
    assert_eq!(told(&world.plan_support, "PLAN_ROLE").await, used);
    assert_eq!(told(&world.npi_admin, "VIEW_NPI").await, used);
    assert_eq!(told(&world.processor, "VIEW_NPI").await, used);
    assert_eq!(told(&world.plan_admin, "PLAN_ROLE").await, used);
    assert_eq!(told(&world.second_plan_admin, "PLAN_ROLE").await, unused);
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_only_what_a_page_shows_is_used() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let query = "query($id: ID!) { pins(organizationId: $id, first: 1) { nodes { npi } } }";
    let admin = portal.client(&world.clinic_admin).await;
    let page = admin.send(query, json!({ "id": world.clinic.id.to_string() })).await;
    let shown = page.data()["pins"]["nodes"][0]["npi"].clone();
    next_day(&portal, 15).await;
    let rows = last_uses(&portal, &world.clinic_admin, "VIEW_NPI", json!({})).await;
    let used = rows.iter().filter(|row| row["lastUse"]["state"] == "USED_ON");
    let npis: Vec<&Value> = used.map(|row| &row["npi"]).collect();
    assert_eq!((rows.len(), npis), (world.clinic.npis.len(), vec![&shown]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_calling_a_deactivation_off_and_asking_for_somebody_to_come_manage_users() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let of_paul = json!({ "organizationId": world.clinic.id, "userId": world.processor.user });
    let mut leaving = of_paul.clone();
    leaving["confirm"] = json!(true);
    leaving["reason"] = json!("Retires.");
    leaving["leftOn"] = json!("2026-03-31");
    let second = portal.client(&world.clinic_second_admin).await;
    second.mutate("deactivateUser", leaving, "position").await.done();
    let first = portal.client(&world.clinic_admin).await;
    first.mutate("cancelUserDeactivation", of_paul, "position").await.done();
    let hana = portal.client(&world.hospital_admin).await;
    let here = json!({ "organizationId": world.hospital.id, "why": "She joins us.",
                       "email": world.newcomer.email });
    hana.mutate("requestMove", here, "position").await.done();
    let nora = portal.client(&world.npi_admin).await;
    let away = json!({ "organizationId": world.clinic.id, "why": "Another office.",
                       "toNpi": world.hospital.npis[0] });
    nora.mutate("requestMove", away, "position").await.done();
    next_day(&portal, 15).await;
    for who in [&world.clinic_admin, &world.clinic_second_admin, &world.hospital_admin] {
        assert_eq!(last_use(&portal, who, "MANAGE_USERS").await, used_on("2026-01-12"), "{who:?}");
    }
    // Who asks for themself manages nobody.
    let stream = world.tenant.right_use_stream(world.npi_admin.user, Some(world.clinic.id));
    assert_eq!(portal.events::<RightUses>(stream).await, []);
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_who_sees_a_list_by_managing_users_uses_that_right() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let feature = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                          "feature": "USER_MANAGEMENT" });
    let admin = portal.client(&world.clinic_admin).await;
    admin.mutate("grantFeature", feature, "position").await.done();
    let users = "query($id: ID!) { users(organizationId: $id) { nodes { lastName } } }";
    let paul = portal.client(&world.processor).await;
    paul.send(users, json!({ "id": world.clinic.id.to_string() })).await.data();
    next_day(&portal, 15).await;
    let stream = world.tenant.right_use_stream(world.processor.user, Some(world.clinic.id));
    let used = portal.events::<RightUses>(stream).await;
    let kind = |event: &RightUseEvent| {
        let RightUseEvent::RightUsed { right, .. } = event;
        right.kind.as_str()
    };
    assert_eq!(used.iter().map(kind).collect::<Vec<_>>(), ["MANAGE_USERS"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_a_question_is_answered_though_its_use_cannot_be_noted_and_the_next_one_notes_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let users = "query($id: ID!) { users(organizationId: $id) { nodes { lastName } } }";
    let admin = portal.client(&world.clinic_admin).await;
    let of = json!({ "id": world.clinic.id.to_string() });
    sql(&portal, "ALTER TABLE ops.right_uses RENAME TO put_aside").await;
    admin.send(users, of.clone()).await.data();
    sql(&portal, "ALTER TABLE ops.put_aside RENAME TO right_uses").await;
    admin.send(users, of).await.data();
    next_day(&portal, 15).await;
    let told = last_use(&portal, &world.clinic_admin, "VIEW_ORGANIZATION").await;
    assert_eq!(told, used_on("2026-01-12"));
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_no_right_is_called_unused_of_a_time_when_nobody_looked() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let later = format!(
        "INSERT INTO ops.right_use_noting (tenant_id, kind, since)
         VALUES ('{0}', 'MANAGE_USERS', '2026-01-02T20:00:00Z'),
                ('{0}', 'VIEW_ORGANIZATION', '2025-11-30T20:00:00Z')",
        world.tenant
    );
    sql(&portal, &later).await;
    let admin = &world.clinic_admin;
    let told = async |right: &str| last_use(&portal, admin, right).await;
    assert_eq!(told("MANAGE_USERS").await, unused_since("2026-01-02"));
    // It is held since later than that.
    assert_eq!(told("VIEW_ORGANIZATION").await, unused_since("2025-12-13"));
    let rights = effective(&portal, admin).await;
    let managing = rights.iter().find(|right| right["kind"] == "MANAGE_USERS");
    assert_eq!(managing.expect("the right")["lastUse"], unused_since("2026-01-02"));
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_earlier_days_are_written_down_first_and_what_nobody_can_read_holds_up_nothing() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let nora = &world.npi_admin;
    let mut database = database(&portal).await;
    // The earlier day was put off once, so that the later one was due before it.
    sqlx::query(
        "INSERT INTO ops.right_uses
           (tenant_id, user_id, organization_id, kind, npi, day, due_at)
         SELECT $1, $2, $3, noted.kind, $4, noted.day::date, noted.due_at::timestamptz
           FROM (VALUES ('FLY', '2026-01-10', '2026-01-11T08:00:00Z'),
                        ('MANAGE_PIN', '2026-01-11', '2026-01-12T08:00:00Z'),
                        ('MANAGE_PIN', '2026-01-10', '2026-01-12T08:00:30Z'))
                noted(kind, day, due_at)",
    )
    .bind(world.tenant.0)
    .bind(nora.user.0)
    .bind(world.clinic.id.0)
    .bind(&world.clinic.npis[0])
    .execute(&mut database)
    .await
    .expect("rows");
    portal.settle().await;
    let told = async |as_of: &str| {
        let rows = last_uses(&portal, nora, "MANAGE_PIN", json!({ "asOf": as_of })).await;
        rows[0]["lastUse"].clone()
    };
    assert_eq!(told("2026-01-10T20:00:00Z").await, used_on("2026-01-10"));
    assert_eq!(told("2026-01-12T17:00:00Z").await, used_on("2026-01-11"));
    let left: Vec<(String, bool)> = sqlx::query_as(
        "SELECT kind, due_at BETWEEN '2026-01-13T17:00:00Z' AND '2026-01-13T17:01:00Z'
           FROM ops.right_uses WHERE day < '2026-01-12'",
    )
    .fetch_all(&mut database)
    .await
    .expect("rows");
    assert_eq!(left, [("FLY".to_owned(), true)], "it waits a day, to the moment it was looked at");
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
