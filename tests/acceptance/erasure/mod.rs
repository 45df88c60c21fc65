//! How long a person in the records is kept, what holds them there, and how they are erased (GN-26,
//! GN-27).

mod addresses;
mod dump;
mod holds;
mod persons;
mod restoring;
mod retention;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::policies::Preset;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Client, Person, Portal};

/// Two portals whose rules differ; their years of retention are the same.
const PRESETS: [(&str, Preset); 2] = [("medi-cal", Preset::MediCal), ("cencal", Preset::Cencal)];

async fn retention(client: &Client, portal: &Portal, user: Uuid) -> Value {
    let document = "query($user: ID!, $at: Position) { retention(userId: $user, minPosition: $at) {
        years lastRecordedAt lastInEffectAt inEffect { kind role } earliestErasureAt legalHolds } }";
    let at = portal.position().await.to_string();
    let answer = client.send(document, json!({ "user": user, "at": at })).await;
    answer.data()["retention"].clone()
}

async fn request(client: &Client, user: Uuid) -> Answer {
    let input =
        json!({ "userId": user, "basis": "PERSONS_REQUEST", "reason": "They asked us to." });
    client.mutate("requestErasure", input, "request { status expiresAt }").await
}

async fn approve(client: &Client, user: Uuid) -> Answer {
    let input = json!({ "userId": user, "confirm": true });
    client.mutate("approveErasure", input, "request { status }").await
}

/// Ends somebody's membership of the clinic, by its administrator.
async fn deactivate(portal: &Portal, who: &Person, reason: &str) {
    let input = json!({ "organizationId": portal.world().clinic.id, "userId": who.user,
                        "confirm": true, "reason": reason });
    let admin = portal.client(&portal.world().clinic_admin).await;
    admin.mutate("deactivateUser", input, "position").await.done();
}

/// Two years on, so that whatever was to happen by itself has happened.
async fn let_things_happen(portal: &Portal) {
    for _ in 0..4 {
        portal.advance(Duration::from_secs(183 * 24 * 3600));
        portal.settle().await;
    }
}

/// The moment at which somebody's retention ends.
async fn end_of_retention(portal: &Portal, user: Uuid) -> DateTime<Utc> {
    let client = portal.client(&portal.world().plan_admin).await;
    let end = retention(&client, portal, user).await["earliestErasureAt"].clone();
    end.as_str().expect("an end").parse().expect("a time")
}

/// Moves the clock there, to the microsecond.
async fn go_to(portal: &Portal, at: DateTime<Utc>) {
    portal.clock.set(at);
    portal.service.background.wake();
    portal.settle().await;
}

/// Moves the clock to a moment at which somebody who left may be erased.
async fn keep_until_the_end(portal: &Portal, user: Uuid) {
    let_things_happen(portal).await;
    go_to(portal, end_of_retention(portal, user).await + TimeDelta::days(1)).await;
}

/// Erases somebody of the clinic who left long ago, by both administrators of the plan.
async fn erase(portal: &Portal, user: Uuid) {
    let world = portal.world();
    request(&portal.client(&world.plan_admin).await, user).await.done();
    approve(&portal.client(&world.second_plan_admin).await, user).await.done();
    portal.settle().await;
}

/// What the auditor's timeline tells of somebody, newest first.
async fn told(portal: &Portal, filter: Value) -> Vec<String> {
    let auditor = portal.client(&portal.world().auditor).await;
    let document = "query($filter: AuditEventFilter, $at: Position) {
        auditEvents(filter: $filter, first: 100, minPosition: $at) { nodes { sentence } } }";
    let at = portal.position().await.to_string();
    let answer = auditor.send(document, json!({ "filter": filter, "at": at })).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("events").clone();
    nodes.iter().map(|node| node["sentence"].as_str().expect("a sentence").to_owned()).collect()
}
