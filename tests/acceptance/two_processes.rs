//! Two processes of the service on one database: what one of them is told counts in the other at once
//! (GN-02, GN-11).

use std::time::{Duration, Instant};

use rollcall_api::service::Service;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, Client, Person, Portal, uuid_of};

/// A portal, and a second process of it.
async fn two() -> (Portal, Service) {
    let portal = Portal::medi_cal().await;
    let other = portal.another_process().await;
    (portal, other)
}

async fn end((portal, other): (Portal, Service)) {
    other.stop().await;
    portal.finish().await;
}

/// Sends a mutation about a member of the clinic.
async fn change(client: &Client, (portal, who): (&Portal, &Person), name: &str, more: Value) {
    let mut input = json!({ "organizationId": portal.world().clinic.id, "userId": who.user });
    for (field, value) in more.as_object().expect("an object") {
        input[field] = value.clone();
    }
    client.mutate(name, input, "position").await.done();
}

/// Looks at a person of the clinic, as whoever sees its list of people may.
async fn look_at(client: &Client, portal: &Portal, who: &Person) -> Answer {
    let document = "query($id: ID!, $of: ID!) { user(id: $id, organizationId: $of) { email } }";
    let of = portal.world().clinic.id;
    client.send(document, json!({ "id": who.user, "of": of })).await
}

async fn pin(client: &Client, portal: &Portal, npi: &str) -> Answer {
    let document = "query($of: ID!, $npi: NPI!) { pin(organizationId: $of, npi: $npi) { npi } }";
    client.send(document, json!({ "of": portal.world().clinic.id, "npi": npi })).await
}

async fn reveal(client: &Client, portal: &Portal, npi: &str) -> Answer {
    let input = json!({ "organizationId": portal.world().clinic.id, "npi": npi });
    client.mutate("revealPin", input, "pin").await
}

fn reason(answer: &Answer) -> &str {
    answer.body["errors"][0]["extensions"]["reason"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn gn_11_an_npi_taken_away_in_one_process_is_refused_in_the_other_at_once() {
    let (portal, other) = two().await;
    let world = portal.world().clone();
    let npi = world.clinic.npis[0].clone();
    let admin = portal.client(&world.clinic_admin).await;
    let there = portal.client(&world.npi_admin).await.through(&other);
    assert_eq!(pin(&there, &portal, &npi).await.data()["pin"]["npi"], *npi);
    reveal(&there, &portal, &npi).await.done();
    let about = (&portal, &world.npi_admin);
    let none = json!({ "permissions": [{ "npi": npi, "level": "NONE" }] });
    change(&admin, about, "setNpiPermissions", none).await;
    // Without a position to wait for: neither has to have heard of it.
    let read = pin(&there, &portal, &npi).await;
    assert_eq!((read.error_code(), reason(&read)), ("FORBIDDEN", "NPI_NOT_PERMITTED"));
    assert_eq!(reveal(&there, &portal, &npi).await.refused(), "NPI_NOT_PERMITTED");
    let again = json!({ "permissions": [{ "npi": npi, "level": "ADMIN" }] });
    change(&admin.through(&other), about, "setNpiPermissions", again).await;
    let here = portal.client(&world.npi_admin).await;
    reveal(&here, &portal, &npi).await.done();
    end((portal, other)).await;
}

#[tokio::test]
async fn gn_11_a_role_taken_away_in_one_process_is_refused_in_the_other_at_once() {
    let (portal, other) = two().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let (abe, paul) = (&world.clinic_second_admin, &world.processor);
    let unlock = json!({ "organizationId": world.clinic.id, "userId": paul.user });
    let here = portal.client(abe).await;
    let there = here.through(&other);
    look_at(&there, &portal, paul).await.data();
    assert_eq!(there.mutate("unlockUser", unlock.clone(), "").await.refused(), "NOT_LOCKED");

    change(&admin, (&portal, abe), "assignOrgRole", json!({ "role": "NONE" })).await;
    // The sessions that had the role are over, for reads and for commands.
    for client in [&there, &here] {
        let read = look_at(client, &portal, paul).await;
        assert_eq!((read.error_code(), reason(&read)), ("UNAUTHENTICATED", "SESSION_ENDED"));
        let command = client.mutate("unlockUser", unlock.clone(), "").await;
        assert_eq!(command.error_code(), "UNAUTHENTICATED");
    }
    // A new one has no more than is left.
    let there = portal.client(abe).await.through(&other);
    assert_eq!(there.mutate("unlockUser", unlock.clone(), "").await.refused(), "NOT_ORG_ADMIN");
    assert!(look_at(&there, &portal, paul).await.body["errors"].is_array());

    let leave = json!({ "confirm": true, "reason": "left" });
    change(&admin, (&portal, abe), "deactivateUser", leave).await;
    let read = look_at(&there, &portal, abe).await;
    assert_eq!(read.error_code(), "UNAUTHENTICATED");
    end((portal, other)).await;
}

#[tokio::test]
async fn gn_11_a_live_subscription_in_another_process_ends_within_five_seconds_of_its_right() {
    let (portal, other) = two().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let abe = &world.clinic_second_admin;
    let there = portal.client(abe).await.through(&other);
    let document = "subscription($at: Position) { eventAppended(afterPosition: $at) { type } }";
    let at = json!({ "at": portal.position().await.to_string() });
    let mut subscription = portal.subscribe(&there, document, at).await;
    let npi = world.clinic.npis[1].clone();
    let level = json!({ "permissions": [{ "npi": npi, "level": "PROCESSOR" }] });
    change(&admin, (&portal, &world.processor), "setNpiPermissions", level).await;
    assert!(subscription.next().await["eventAppended"]["type"].is_string(), "it is alive");

    change(&admin, (&portal, abe), "assignOrgRole", json!({ "role": "NONE" })).await;
    let revoked = Instant::now();
    loop {
        let message = subscription.hear().await;
        let errors = match message["type"].as_str() {
            Some("next") => message["payload"]["errors"].clone(),
            Some("error") => message["payload"].clone(),
            _ => panic!("expected an event or the end: {message}"),
        };
        if errors[0]["extensions"]["code"] == "UNAUTHENTICATED" {
            break;
        }
        assert!(errors.is_null(), "{message}");
    }
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    end((portal, other)).await;
}

/// Invites somebody into the clinic: how many seconds the link works, and the invitation's stream.
async fn invite(client: &Client, portal: &Portal, email: &str) -> (i64, uuid::Uuid) {
    let input = json!({
        "organizationId": portal.world().clinic.id, "email": email, "firstName": "Ines",
        "lastName": "Vega", "mobile": "+12025550177",
    });
    let answer = client.mutate("inviteUser", input, "invitation { id expiresAt }").await;
    let invitation = &answer.done()["invitation"];
    let until: chrono::DateTime<chrono::Utc> =
        invitation["expiresAt"].as_str().expect("a time").parse().expect("a time");
    let seconds = (until - portal.service.commands.journal.now()).num_seconds();
    (seconds, uuid_of(invitation["id"].as_str().expect("an id")))
}

/// The policy's versions that the first events of streams used.
async fn versions_used(portal: &Portal, streams: &[uuid::Uuid]) -> Vec<i64> {
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let mut used = Vec::new();
    for stream in streams {
        let first = "SELECT (metadata ->> 'policy_version')::bigint FROM es.events
                      WHERE aggregate_id = $1 AND sequence = 1";
        let version = sqlx::query_scalar(first).bind(stream.to_string());
        used.push(version.fetch_one(&mut session).await.expect("the event is there"));
    }
    session.close().await.expect("the session ends");
    used
}

#[tokio::test]
async fn gn_02_a_change_counts_at_its_second_in_every_process_and_decisions_keep_their_version() {
    const DAY: i64 = 24 * 60 * 60;
    let (portal, other) = two().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let here = portal.client(&world.clinic_admin).await;
    let there = here.through(&other);
    let before = invite(&there, &portal, "early@vega.example").await;
    for (key, value) in [("invite.days", 5), ("session.idle_minutes", 5)] {
        let change = json!({
            "key": key, "value": value, "reason": "As the committee decided.",
            "effectiveAt": "2026-01-12T17:10:00Z",
        });
        plan.mutate("changePolicy", change, "position").await.done();
    }
    portal.advance(Duration::from_secs(599));
    let still = invite(&there, &portal, "still@vega.example").await;
    portal.advance(Duration::from_secs(1));
    let now_there = invite(&there, &portal, "there@vega.example").await;
    let now_here = invite(&here, &portal, "here@vega.example").await;
    let lasting: Vec<_> = [&before, &still, &now_there, &now_here].map(|(it, _)| *it / DAY).into();
    assert_eq!(lasting, [7, 7, 5, 5], "days");
    // Two changes: both take effect at the same second.
    let streams = [&before, &still, &now_there, &now_here].map(|(_, stream)| *stream);
    assert_eq!(versions_used(&portal, &streams).await, [1, 1, 3, 3]);

    // The shorter idle time counts in both for sessions that had begun before.
    portal.advance(Duration::from_secs(299));
    there.session().await.data();
    here.session().await.data();
    portal.advance(Duration::from_secs(300));
    let over = there.session().await;
    assert_eq!((over.error_code(), reason(&over)), ("UNAUTHENTICATED", "SESSION_EXPIRED"));
    assert_eq!(here.session().await.error_code(), "UNAUTHENTICATED");
    end((portal, other)).await;
}
