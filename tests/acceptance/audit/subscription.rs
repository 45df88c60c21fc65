//! `eventAppended` over a WebSocket: replay, then tail, and its end.

use rollcall_domain::{
    Actor,
    organizations::{Authority, Organization, OrganizationCommand, organization::RosterCommand},
    permissions::NpiLevel,
};
use serde_json::{Value, json};

use super::set_level;
use crate::support::Portal;

const APPENDED: &str = "subscription($filter: AuditEventFilter, $after: Position) {
  eventAppended(filter: $filter, afterPosition: $after) { position type sentence } }";

fn position(data: &Value) -> i64 {
    data["eventAppended"]["position"].as_str().expect("a position").parse().expect("a number")
}

#[tokio::test]
async fn events_are_replayed_and_then_followed_without_a_gap() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].clone();
    let auditor = portal.client(&world.auditor).await;
    let mut subscription = portal.subscribe(&auditor, APPENDED, json!({ "after": "0" })).await;
    for expected in 1..=5 {
        assert_eq!(position(&subscription.next().await), expected);
    }
    let (by, of) = (&world.clinic_admin, &world.processor);
    let last = set_level(&portal, by, of, &npi, NpiLevel::Admin).await;
    for expected in 6..last {
        assert_eq!(position(&subscription.next().await), expected);
    }
    let told = subscription.next().await;
    assert_eq!(position(&told), last);
    assert_eq!(
        told["eventAppended"]["sentence"],
        "Ann Lee set Paul Kim's permission for NPI 1245319599 (Redwood Clinic) from None to Admin."
    );
    let next = set_level(&portal, by, of, &npi, NpiLevel::None).await;
    // What the service itself adds, such as notices, comes in its place.
    for expected in last + 1..=next {
        assert_eq!(position(&subscription.next().await), expected, "followed while open");
    }
    portal.finish().await;
}

#[tokio::test]
async fn a_subscriber_hears_only_what_they_may_see_and_nothing_after_their_right_ended() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npis = world.clinic.npis.clone();
    let admin = portal.client(&world.clinic_second_admin).await;
    let filter = json!({ "types": ["permissions.membership.npi_permission_set",
                                    "pins.pin.pin_issued", "users.credential.login_failed"] });
    let mut subscription = portal.subscribe(&admin, APPENDED, json!({ "filter": filter })).await;
    let (by, of) = (&world.clinic_admin, &world.processor);
    // The subscription begins where the journal stands when it is heard; until then nothing is sent.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let first = set_level(&portal, by, of, &npis[1], NpiLevel::Admin).await;
    assert_eq!(position(&subscription.next().await), first);
    let session = admin_session_ends(&portal).await;
    set_level(&portal, by, of, &npis[2], NpiLevel::Admin).await;
    let end = subscription.hear().await;
    let errors = match end["type"].as_str() {
        Some("next") => &end["payload"]["errors"],
        Some("error") => &end["payload"],
        _ => panic!("expected the end of the stream after position {session}: {end}"),
    };
    assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED", "{end}");
    portal.finish().await;
}

/// The second administrator is deactivated and signed out everywhere.
async fn admin_session_ends(portal: &Portal) -> i64 {
    use rollcall_domain::{
        kernel::ids::SessionId,
        sessions::{EndCause, Session, SessionCommand},
        users::credential::Credential,
    };
    let world = portal.world();
    let user = world.clinic_second_admin.user;
    let leave = RosterCommand::DeactivateUser {
        user,
        confirmed: true,
        reason: None,
        left_on: None,
        authority: Authority::Organization,
    };
    let by = Actor::user(world.clinic_admin.user);
    let command = OrganizationCommand::from(leave);
    portal.record::<Organization>(by, world.clinic.id.0, command).await;
    let journal = &portal.service.commands.journal;
    let credential = world.tenant.credential_stream(user);
    let loaded = journal.load::<Credential>(world.tenant, credential).await.expect("it loads");
    let sessions: Vec<SessionId> = loaded.state.recent_sessions(journal.now()).collect();
    let mut position = 0;
    for session in sessions {
        let end = SessionCommand::EndSession { cause: EndCause::Deactivated };
        position = portal.record::<Session>(Actor::SYSTEM, session.0, end).await;
    }
    position
}
