//! The service as whoever runs it meets it.

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

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
