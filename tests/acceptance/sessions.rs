//! Sessions: organisation acted for, home page, ends (MC-35 to MC-37, CX-10, GN-11).

use std::time::Duration;

use rollcall_domain::{
    organizations::{OrgRole, organization::RosterCommand},
    policies::{PolicyKey, PolicyValue, Preset},
    sessions::{EndCause, Session, SessionEvent},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Client, PASSWORD, Person, Portal, uuid_of};

const NEW_PASSWORD: &str = "Meadow-Lantern-42!";

/// The clinic's administrator, administrator of the hospital too.
async fn administrator_of_two(portal: &Portal) -> &Person {
    let world = portal.world();
    let attach = RosterCommand::AttachUser {
        user: world.clinic_admin.user,
        email_domain: "portal.example".to_owned(),
        role: OrgRole::Admin,
    };
    portal.roster(&world.hospital, attach).await;
    &world.clinic_admin
}

/// Tries something in an organisation that only its administrators may: NOT_LOCKED means that one may.
async fn act_in(client: &Client, organization: impl ToString, user: impl ToString) -> String {
    let input = json!({ "organizationId": organization.to_string(), "userId": user.to_string() });
    client.mutate("unlockUser", input, "").await.refused().to_owned()
}

async fn tiles(client: &Client) -> Vec<String> {
    let answer = client.send("{ dashboard { tiles { kind count } } }", json!({})).await;
    let tiles = answer.data()["dashboard"]["tiles"].as_array().expect("a list").clone();
    tiles.iter().map(|tile| tile["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn reason(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["reason"].as_str().unwrap_or("none")
}

async fn last_end(portal: &Portal, session: Uuid) -> Option<EndCause> {
    let events = portal.events::<Session>(session).await;
    events.iter().rev().find_map(|event| match event {
        SessionEvent::SessionEnded { cause, .. } => Some(*cause),
        SessionEvent::SessionStarted { .. }
        | SessionEvent::RestrictionLifted { .. }
        | SessionEvent::SecondFactorEnrolled { .. }
        | SessionEvent::OrganizationSelected { .. }
        | SessionEvent::OrganizationSwitched { .. } => None,
    })
}

/// The UUID in a session's global id.
fn session_of(answer: &Value) -> Uuid {
    uuid_of(answer["session"]["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn mc_35_members_of_several_organizations_select_one_before_they_act() {
    let portal = Portal::medi_cal().await;
    let who = administrator_of_two(&portal).await;
    let (clinic, processor) = (portal.world().clinic.id, portal.world().processor.user);
    let answer = portal.anybody().try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(answer.done()["session"]["organization"], Value::Null);
    let token = answer.done()["sessionToken"].as_str().expect("a token").to_owned();
    let client = portal.anybody().with_token(&token);
    assert_eq!(act_in(&client, clinic, processor).await, "ORGANIZATION_NOT_SELECTED");
    assert_eq!(tiles(&client).await, ["MY_DASHBOARD", "NOTIFICATIONS", "SIGN_OUT"]);

    let foreign = json!({ "organizationId": portal.world().biller.id });
    let refused = client.mutate("selectOrganization", foreign, "").await;
    assert_eq!(refused.refused(), "NOT_A_MEMBER");
    let select = json!({ "organizationId": clinic });
    let selection = "session { id organization { name } }";
    let selected = client.mutate("selectOrganization", select, selection).await;
    assert_eq!(selected.done()["session"]["organization"]["name"], "Redwood Clinic");
    assert_eq!(act_in(&client, clinic, processor).await, "NOT_LOCKED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_35_a_member_of_one_goes_straight_on() {
    let portal = Portal::medi_cal().await;
    let client = portal.anybody().sign_in(&portal.world().newcomer.email, PASSWORD).await;
    let session = client.session().await;
    assert_eq!(session.data()["session"]["organization"]["name"], "Redwood Clinic");
    portal.finish().await;
}

#[tokio::test]
async fn mc_36_after_a_switch_everything_is_scoped_to_the_new_organization() {
    let portal = Portal::medi_cal().await;
    let who = administrator_of_two(&portal).await;
    let world = portal.world();
    let (clinic, hospital) = (world.clinic.id, world.hospital.id);
    let client = portal.client(who).await;
    let member = world.processor.user;
    assert!(client.login_history(member, None).await.data()["loginHistory"].is_object());

    let switch = json!({ "organizationId": hospital });
    let switched =
        client.mutate("switchOrganization", switch, "session { id organization { name } }").await;
    assert_eq!(switched.done()["session"]["organization"]["name"], "Bayview Hospital");
    let events = portal.events::<Session>(session_of(switched.done())).await;
    let (user, from, to) = (who.user, clinic, hospital);
    assert_eq!(events.last(), Some(&SessionEvent::OrganizationSwitched { user, from, to }));
    // Writes and reads alike, also through a process that has not seen the switch.
    assert_eq!(act_in(&client, clinic, member).await, "ORGANIZATION_NOT_SELECTED");
    assert_eq!(act_in(&client, hospital, world.hospital_admin.user).await, "NOT_LOCKED");
    assert_eq!(client.login_history(member, None).await.error_code(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn mc_36_a_switch_counts_at_once_in_another_process() {
    let portal = Portal::medi_cal().await;
    let who = administrator_of_two(&portal).await;
    let (clinic, hospital) = (portal.world().clinic.id, portal.world().hospital.id);
    let other = portal.another_process().await;
    let here = portal.client(who).await;
    let there = here.through(&other);
    let member = portal.world().processor.user;
    assert_eq!(act_in(&there, clinic, member).await, "NOT_LOCKED");
    let switch = json!({ "organizationId": hospital });
    here.mutate("switchOrganization", switch, "").await.done();
    assert_eq!(act_in(&there, clinic, member).await, "ORGANIZATION_NOT_SELECTED");
    let session = there.send("{ session { organization { name } } }", json!({})).await;
    assert!(session.data()["session"].is_object());
    other.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn mc_37_the_home_page_offers_what_rights_allow() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let of = async |who: &Person| tiles(&portal.client(who).await).await;
    let all = [
        "MY_DASHBOARD",
        "NOTIFICATIONS",
        "USERS",
        "PINS",
        "SUBMITTER_MANAGEMENT",
        "ACCESS_REGISTER",
        "SIGN_OUT",
    ];
    assert_eq!(of(&world.clinic_admin).await, all);
    assert_eq!(of(&world.npi_admin).await, ["MY_DASHBOARD", "NOTIFICATIONS", "PINS", "SIGN_OUT"]);
    assert_eq!(of(&world.processor).await, ["MY_DASHBOARD", "NOTIFICATIONS", "SIGN_OUT"]);
    let auditor = ["MY_DASHBOARD", "NOTIFICATIONS", "ACCESS_REGISTER", "AUDIT_TRAIL", "SIGN_OUT"];
    assert_eq!(of(&world.auditor).await, auditor);
    portal.finish().await;
}

#[tokio::test]
async fn mc_37_tiles_count_what_waits() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let invite = RosterCommand::InviteMember {
        user: Uuid::new_v4().into(),
        invitation: Uuid::new_v4().into(),
        email_domain: "portal.example".to_owned(),
    };
    portal.roster(&world.clinic, invite).await;
    let client = portal.client(&world.clinic_admin).await;
    let answer = client.send("{ dashboard { tiles { kind count } } }", json!({})).await;
    let tiles = answer.data()["dashboard"]["tiles"].as_array().expect("a list").clone();
    let counted = [("USERS", json!(1)), ("SUBMITTER_MANAGEMENT", json!(0)), ("PINS", Value::Null)];
    for (kind, count) in counted {
        assert!(tiles.contains(&json!({ "kind": kind, "count": count })), "{kind}: {tiles:?}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_37_signing_out_ends_the_session_for_good() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().clinic_admin).await;
    let session = session_of(client.session().await.data());
    client.mutate("signOut", json!({}), "sessionId").await.done();
    let after = client.session().await;
    assert_eq!((after.error_code(), reason(&after.body)), ("UNAUTHENTICATED", "SESSION_ENDED"));
    assert_eq!(last_end(&portal, session).await, Some(EndCause::User));
    portal.finish().await;
}

#[tokio::test]
async fn cx_10_seventy_minutes_without_activity_end_the_session() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let client = portal.client(&portal.world().clinic_admin).await;
    let seventy = Duration::from_secs(70 * 60);
    portal.advance(seventy - Duration::from_secs(1));
    let answer = client.session().await;
    assert_eq!(answer.data()["session"]["expiresAt"], "2026-01-12T19:19:59Z");
    let session = session_of(answer.data());
    portal.advance(seventy);
    let over = client.session().await;
    assert_eq!((over.error_code(), reason(&over.body)), ("UNAUTHENTICATED", "SESSION_EXPIRED"));
    assert_eq!(last_end(&portal, session).await, Some(EndCause::Inactivity));
    assert_eq!(reason(&client.session().await.body), "SESSION_ENDED");
    portal.finish().await;
}

#[tokio::test]
async fn cx_10_the_idle_time_is_the_policys_and_the_absolute_time_ends_the_busiest_session() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().clinic_admin).await;
    let almost = Duration::from_secs(20 * 60 - 1);
    for _ in 0..36 {
        portal.advance(almost);
        client.session().await.data();
    }
    // 36 times a second short of 20 minutes are 36 seconds short of twelve hours.
    portal.advance(Duration::from_secs(35));
    let session = session_of(client.session().await.data());
    portal.advance(Duration::from_secs(1));
    assert_eq!(reason(&client.session().await.body), "SESSION_EXPIRED");
    assert_eq!(last_end(&portal, session).await, Some(EndCause::Absolute));
    let idle = portal.client(&portal.world().clinic_admin).await;
    portal.advance(almost + Duration::from_secs(1));
    assert_eq!(reason(&idle.session().await.body), "SESSION_EXPIRED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_11_a_changed_password_ends_the_other_sessions_in_every_process_at_once() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let other = portal.another_process().await;
    let here = portal.client(who).await;
    let there = portal.client(who).await.through(&other);
    let session = session_of(there.session().await.data());
    let change = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    here.mutate("changePassword", change, "").await.done();
    let over = there.session().await;
    assert_eq!((over.error_code(), reason(&over.body)), ("UNAUTHENTICATED", "SESSION_ENDED"));
    assert_eq!(last_end(&portal, session).await, Some(EndCause::PasswordChanged));
    here.session().await.data();
    other.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_11_people_list_and_end_their_own_sessions_and_nobody_elses() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let first = portal.client(&world.clinic_admin).await;
    portal.advance(Duration::from_secs(60));
    let second = portal.client(&world.clinic_admin).await;
    let list = "query($at: Position) { sessions(minPosition: $at) { nodes { id isCurrent } } }";
    let sessions = second.send(list, json!({ "at": portal.position().await })).await;
    let nodes = sessions.data()["sessions"]["nodes"].as_array().expect("a list").clone();
    assert_eq!(nodes.len(), 2);
    assert_eq!((&nodes[0]["isCurrent"], &nodes[1]["isCurrent"]), (&json!(true), &json!(false)));
    let revoke = json!({ "sessionId": nodes[1]["id"] });
    let stranger = portal.client(&world.hospital_admin).await;
    assert_eq!(stranger.mutate("revokeSession", revoke.clone(), "").await.refused(), "NOT_FOUND");
    second.mutate("revokeSession", revoke, "sessionId").await.done();
    assert_eq!(reason(&first.session().await.body), "SESSION_ENDED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_11_a_sign_in_beyond_the_limit_ends_the_oldest_session() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(portal.client(who).await);
        portal.advance(Duration::from_secs(1));
    }
    portal.anybody().sign_in(&who.email, PASSWORD).await;
    assert_eq!(reason(&clients[0].session().await.body), "SESSION_ENDED");
    for client in &clients[1..] {
        client.session().await.data();
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_11_a_session_says_when_to_warn_of_its_idle_end_and_doing_something_puts_it_off() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().clinic_admin.clone();
    let client = portal.anybody().sign_in(&who.email, PASSWORD).await;
    let document = "{ session { expiresAt idleWarningAt } }";
    let times = async || client.send(document, json!({})).await.data()["session"].clone();
    assert_eq!(
        times().await,
        json!({ "expiresAt": "2026-01-12T17:20:00Z", "idleWarningAt": "2026-01-12T17:18:00Z" })
    );
    portal.change_policy(PolicyKey::SessionWarningMinutes, PolicyValue::Integer(4)).await;
    portal.advance(Duration::from_secs(600));
    assert_eq!(
        times().await,
        json!({ "expiresAt": "2026-01-12T17:30:00Z", "idleWarningAt": "2026-01-12T17:26:00Z" })
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_11_live_subscriptions_end_within_five_seconds_of_their_session() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().clinic_admin.clone();
    let client = portal.anybody().sign_in(&who.email, PASSWORD).await;
    let other = portal.anybody().sign_in(&who.email, PASSWORD).await;
    let document = "subscription { eventAppended { type } }";
    let mut subscription = portal.subscribe(&client, document, json!({})).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let session = client.session().await.data()["session"]["id"].clone();
    let revoke = json!({ "sessionId": session });
    other.mutate("revokeSession", revoke, "sessionId").await.done();
    let ended = std::time::Instant::now();
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
    assert!(ended.elapsed() < Duration::from_secs(5), "{:?}", ended.elapsed());
    portal.finish().await;
}
