//! Every projection, rebuilt from the log, gives the rows it has: in one go or as events came, and
//! whichever version they were stored in.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rollcall_domain::{
    Actor, AnyEvent,
    kernel::ids::TenantId,
    organizations::{Organization, OrganizationCommand},
    values::Npi,
};
use rollcall_journal::{
    Reader, pools,
    rebuild::{replay, replay_schema, verify_rebuild},
    upcast::Upcasters,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::Portal;

#[tokio::test]
async fn gn_29_every_projection_rebuilt_equals_the_one_that_followed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let journal = &portal.service.commands.journal;
    // One event at a time, so that the running projections take them in batches of their own.
    for npi in &world.clinic.npis {
        let detach = OrganizationCommand::DetachNpi {
            npi: Npi::parse(npi).expect("a valid NPI"),
            effective_at: journal.now(),
            reason: None,
        };
        portal.record::<Organization>(Actor::SYSTEM, world.clinic.id.0, detach).await;
    }
    portal.settle().await;
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_29_a_replay_gives_what_stood_in_the_tables_at_an_earlier_position() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let owner = portal.database();
    let mut session = PgConnection::connect_with(&owner).await.expect("a session");
    portal.settle().await;
    let then = portal.service.commands.journal.now();
    let position = portal.position().await;
    let stood = rows(&mut session, world.tenant, |_| "read".to_owned()).await;

    portal.advance(std::time::Duration::from_secs(60));
    for npi in &world.clinic.npis {
        let detach = OrganizationCommand::DetachNpi {
            npi: Npi::parse(npi).expect("a valid NPI"),
            effective_at: portal.service.commands.journal.now(),
            reason: None,
        };
        portal.record::<Organization>(Actor::SYSTEM, world.clinic.id.0, detach).await;
    }
    portal.settle().await;
    let stands = rows(&mut session, world.tenant, |_| "read".to_owned()).await;
    assert_ne!(stands, stood);

    let pool = pools::runner(owner.clone(), 2).await.expect("a pool");
    let reader: Reader<AnyEvent> = portal.service.commands.journal.reader(pool);
    assert_eq!(reader.position_at(world.tenant, then).await.expect("read"), Some(position));
    let before = then - TimeDelta::days(36_500);
    assert_eq!(reader.position_at(world.tenant, before).await.expect("read"), None);
    for projection in rollcall_projections::all() {
        let up_to = (world.tenant, position);
        let events = replay(&owner, &reader, &projection, up_to).await.expect("it replays");
        assert_eq!(events, position as u64);
    }
    assert_eq!(rows(&mut session, world.tenant, replay_schema).await, stood);
    let now = rows(&mut session, world.tenant, |_| "read".to_owned()).await;
    assert_eq!(now, stands, "the running tables are as they were");
    portal.finish().await;
}

/// What the tables of all projections hold about a tenant, in the schemas that a projection's name
/// gives.
async fn rows(
    session: &mut PgConnection,
    tenant: TenantId,
    schema: impl Fn(&str) -> String,
) -> BTreeMap<&'static str, Vec<String>> {
    let mut held = BTreeMap::new();
    for projection in rollcall_projections::all() {
        for &table in projection.tables() {
            let schema = schema(projection.name());
            let rows =
                format!("SELECT t::text FROM {schema}.{table} t WHERE tenant_id = $1 ORDER BY 1");
            let rows = sqlx::query_scalar(&rows).bind(tenant.0).fetch_all(&mut *session).await;
            held.insert(table, rows.expect("the table is there"));
        }
    }
    held
}

/// As if names had been stored in other letters before version 2.
fn in_capitals(mut payload: Value) -> Value {
    let name = payload["NpiAttached"]["name"].as_str().map(str::to_uppercase);
    payload["NpiAttached"]["name"] = json!(name);
    payload
}

#[tokio::test]
async fn gn_29_an_event_of_an_old_version_is_read_as_todays_wherever_it_is_read() {
    const ATTACHED: &str = "organizations.organization.npi_attached";
    let upcasters = Upcasters::default().with(ATTACHED, "1.0", "2.0", in_capitals);
    let portal = Portal::with_old_events(upcasters).await;
    let world = portal.world();
    let npi = Npi::parse(&world.hospital.npis[0]).expect("a valid NPI");
    // A process that has decided nothing knows the states from the log alone.
    let fresh = portal.another_process().await;
    let state = fresh.commands.journal.load::<Organization>(world.tenant, world.hospital.id.0);
    let state = state.await.expect("it loads").state;
    assert_eq!(state.npi(&npi).expect("held").name.as_str(), "BAYVIEW HOSPITAL");
    fresh.stop().await;

    let document = "query($of: ID!, $types: [String!]!) {
      npis(organizationId: $of) { nodes { name } }
      auditEvents(filter: { organization: $of, types: $types }) { nodes { sentence } } }";
    let variables = json!({ "of": world.hospital.id.to_string(), "types": [ATTACHED] });
    let answer = portal.client(&world.auditor).await.send(document, variables).await;
    assert_eq!(answer.data()["npis"]["nodes"], json!([{ "name": "BAYVIEW HOSPITAL" }]));
    let told = &answer.data()["auditEvents"]["nodes"];
    let sentence = told[0]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("attached NPI 1558598797 (BAYVIEW HOSPITAL)"), "{sentence}");
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

pub async fn every_rebuild_agrees(portal: &Portal) {
    let owner = portal.database();
    let pool = pools::runner(owner.clone(), 2).await.expect("a pool");
    let reader: Reader<AnyEvent> = portal.service.commands.journal.reader(pool);
    for projection in rollcall_projections::all() {
        let found = verify_rebuild(&owner, &reader, &projection).await.expect("it rebuilds");
        assert!(found.is_empty(), "{} differs: {found:?}", projection.name());
    }
}
