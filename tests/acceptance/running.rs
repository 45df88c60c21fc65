//! The service as whoever runs it meets it.

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
async fn a_visitor_of_an_unknown_portal_is_told_so() {
    let portal = Portal::empty().await;
    let answer = portal.visitor("nowhere").send("{ version }", json!({})).await;
    assert_eq!(answer.error_code(), "NOT_FOUND");
    portal.finish().await;
}
