//! The home page is pushed when it changes, over WebSocket and server-sent events (GN-28, MC-37).

use std::time::{Duration, Instant};

use rollcall_domain::{
    Actor,
    organizations::{Authority, OrgRole, organization::RosterCommand},
    permissions::Cause,
    sessions::{EndCause, Session, SessionCommand},
    users::credential::Credential,
};
use serde_json::{Value, json};

use crate::support::{Client, Portal};

const CHANGED: &str = "subscription { dashboardChanged { tiles { kind count } } }";

fn count(dashboard: &Value, kind: &str) -> Value {
    let tiles = dashboard["dashboardChanged"]["tiles"].as_array().expect("tiles");
    let tile = tiles.iter().find(|tile| tile["kind"] == kind);
    tile.map_or(Value::Null, |tile| tile["count"].clone())
}

async fn invite(by: &Client, portal: &Portal, email: &str) {
    let input = json!({ "organizationId": portal.world().clinic.id, "email": email,
                        "firstName": "New", "lastName": "Person", "mobile": "+12025550177" });
    by.mutate("inviteUser", input, "").await.done();
}

#[tokio::test]
async fn gn_28_a_dashboard_is_pushed_when_a_count_or_a_tile_changes() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let abe = portal.client(&world.clinic_second_admin).await;
    let mut pushed = portal.subscribe(&abe, CHANGED, json!({})).await;
    let first = pushed.next().await;
    assert_eq!(count(&first, "USERS"), 0, "as it is now: {first}");
    let unread = count(&first, "NOTIFICATIONS").as_i64().expect("a count");
    invite(&ann, &portal, "new@redwood.example").await;
    let (mut invited, mut told) = (false, false);
    while !(invited && told) {
        let next = pushed.next().await;
        invited |= count(&next, "USERS") == 1;
        told |= count(&next, "NOTIFICATIONS") == unread + 1;
    }
    let assign = RosterCommand::AssignOrgRole {
        user: world.clinic_second_admin.user,
        role: OrgRole::None,
        cause: Cause::Administrator,
        authority: Authority::Organization,
    };
    portal.roster(&world.clinic, assign).await;
    loop {
        let next = pushed.next().await;
        if count(&next, "USERS") == Value::Null {
            break;
        }
    }
    portal.finish().await;
}

/// Ends every session of the second administrator.
async fn end_sessions(portal: &Portal) {
    let world = portal.world();
    let journal = &portal.service.commands.journal;
    let credential = world.tenant.credential_stream(world.clinic_second_admin.user);
    let loaded = journal.load::<Credential>(world.tenant, credential).await.expect("it loads");
    let sessions: Vec<_> = loaded.state.recent_sessions(journal.now()).collect();
    for session in sessions {
        let end = SessionCommand::EndSession { cause: EndCause::Revoked };
        portal.record::<Session>(Actor::SYSTEM, session.0, end).await;
    }
}

#[tokio::test]
async fn gn_28_a_dashboard_is_pushed_no_longer_than_five_seconds_after_the_session() {
    let portal = Portal::medi_cal().await;
    let abe = portal.client(&portal.world().clinic_second_admin).await;
    let mut pushed = portal.subscribe(&abe, CHANGED, json!({})).await;
    pushed.next().await;
    end_sessions(&portal).await;
    let ended = Instant::now();
    let end = pushed.hear().await;
    assert!(ended.elapsed() < Duration::from_secs(5), "{:?}", ended.elapsed());
    let errors = match end["type"].as_str() {
        Some("next") => &end["payload"]["errors"],
        Some("error") => &end["payload"],
        _ => panic!("expected the end of the stream: {end}"),
    };
    assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED", "{end}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_dashboard_comes_as_server_sent_events_too() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let abe = portal.client(&world.clinic_second_admin).await;
    let mut response = reqwest::Client::new()
        .post(format!("http://{}/graphql", portal.service.address))
        .header("accept", "text/event-stream")
        .header("rollcall-tenant", &world.slug)
        .bearer_auth(abe.token.as_ref().expect("a token"))
        .json(&json!({ "query": CHANGED }))
        .send()
        .await
        .expect("the service answers");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut heard = String::new();
    let mut hear = async |word: &str| {
        while !heard.contains(word) {
            let chunk = tokio::time::timeout(Duration::from_secs(8), response.chunk()).await;
            let chunk = chunk.expect("a chunk in time").expect("an open stream").expect("a chunk");
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
        heard.clone()
    };
    let first = hear("dashboardChanged").await;
    assert!(first.contains("event: next"), "{first}");
    invite(&ann, &portal, "new@redwood.example").await;
    hear(r#"{"kind":"USERS","count":1}"#).await;
    end_sessions(&portal).await;
    let all = hear("event: complete").await;
    assert!(all.contains("UNAUTHENTICATED"), "{all}");
    portal.finish().await;
}
