//! The service as whoever runs it meets it.

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::Portal;

#[tokio::test]
async fn gn_29_health_tells_live_and_ready_with_positions() {
    let portal = Portal::empty().await;
    let live: Value = portal.get("/health/live").await;
    assert_eq!(live["status"], "live");
    let ready: Value = portal.get("/health/ready").await;
    assert_eq!(ready["status"], "ready");
    assert!(ready["projections"].is_array());
    portal.finish().await;
}

#[tokio::test]
async fn gn_29_metrics_tell_how_far_a_projection_is_behind() {
    let portal = Portal::medi_cal().await;
    portal.settle().await;
    assert_eq!(lag_of_sessions(&portal).await, 0);

    // As when it is slow: its rows are held while others go on.
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a session");
    let mut held = session.begin().await.expect("a transaction");
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('rollcall.rows/sessions', 0))")
        .execute(&mut *held)
        .await
        .expect("held");
    portal.client(&portal.world().clinic_admin).await;
    assert!(lag_of_sessions(&portal).await > 0, "a sign-in is an event it has not taken in");
    held.rollback().await.expect("let go");
    portal.settle().await;
    assert_eq!(lag_of_sessions(&portal).await, 0);
    portal.finish().await;
}

async fn lag_of_sessions(portal: &Portal) -> i64 {
    let text = portal.get_text("/metrics").await;
    let name = format!(
        "rollcall_projection_lag_events{{projection=\"sessions\",tenant=\"{}\"}} ",
        portal.world().tenant
    );
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().expect("a number")
}

#[tokio::test]
async fn a_seeded_person_is_signed_in_and_a_session_of_another_portal_is_nobodys() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let client = portal.client(&world.clinic_admin).await;
    assert!(client.send("{ version }", json!({})).await.data()["version"].is_string());
    let other = portal.another_tenant("cencal", Preset::Cencal).await;
    let mut stray = client.clone();
    stray.tenant = Some(other.slug.clone());
    assert_eq!(stray.send("{ version }", json!({})).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn a_visitor_of_an_unknown_portal_is_told_so() {
    let portal = Portal::empty().await;
    let answer = portal.visitor("nowhere").send("{ version }", json!({})).await;
    assert_eq!(answer.error_code(), "NOT_FOUND");
    portal.finish().await;
}
