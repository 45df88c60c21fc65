//! Access that was taken away is looked up before it counts as such: whatever is left of it keeps the item
//! pending, and is told (GN-15).

use std::time::Duration;

use rollcall_domain::{
    access_reviews::{AccessReview, AccessReviewEvent, Leftover, ReviewDecision},
    organizations::{Authority, OrgRole, organization::RosterCommand},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{Review, seeded};
use crate::support::{Client, Person, Portal};

const REVOKE: ReviewDecision = ReviewDecision::Revoke { left_on: None };

/// What a look a minute later finds, as the reviewer is told: outcome and what is left.
async fn found(portal: &Portal, client: &Client, (review, item): (uuid::Uuid, u32)) -> Value {
    portal.advance(Duration::from_secs(61));
    portal.settle().await;
    told(client, (review, item)).await
}

async fn told(client: &Client, (review, item): (uuid::Uuid, u32)) -> Value {
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) {
        nodes { item outcome remaining verified } } }";
    let answer = client.send(document, json!({ "id": review })).await;
    let nodes = answer.data()["accessReviewItems"]["nodes"].as_array().expect("items").clone();
    let node = nodes.into_iter().find(|node| node["item"] == item).expect("the item");
    assert_eq!(node["verified"], node["outcome"] != "PENDING");
    json!([node["outcome"], node["remaining"]])
}

fn pending(left: &[&str]) -> Value {
    json!(["PENDING", left])
}

/// Two who administer the clinic, and a review in which the one may revoke the other.
async fn of_abe(portal: &Portal) -> (Client, Client, Review, u32) {
    let world = portal.world();
    let ann = portal.client(&world.clinic_admin).await;
    let abe = portal.client(&world.clinic_second_admin).await;
    let review = Review::open(portal, &ann, world.clinic.id).await;
    let item = review.of(&world.clinic_second_admin);
    (ann, abe, review, item)
}

async fn revoke(portal: &Portal, ann: &Client, review: &Review, item: u32) {
    let world = portal.world().clone();
    review.revoke((portal, ann, &world.clinic_admin), &[item]).await.done();
    portal.settle().await;
}

#[tokio::test]
async fn gn_15_a_key_that_a_person_made_keeps_their_revocation_pending_until_it_is_revoked() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, abe, review, item) = of_abe(&portal).await;
    let key = json!({ "organizationId": world.clinic.id, "name": "Nightly roster",
                      "scopes": ["READ_DIRECTORY"], "expiresAt": "2026-02-11T17:00:00Z" });
    let made = abe.mutate("createApiKey", key.clone(), "secret apiKey { id }").await;
    let other = ann.mutate("createApiKey", key, "secret apiKey { id }").await;
    other.done();
    revoke(&portal, &ann, &review, item).await;
    let it = (review.id, item);
    assert_eq!(told(&ann, it).await, pending(&["API_KEY"]));
    assert_eq!(found(&portal, &ann, it).await, pending(&["API_KEY"]));
    // Whoever signs has to see to it first.
    let others =
        review.items.iter().filter(|it| it.item != item && it.user != world.clinic_admin.user);
    let others: Vec<u32> = others.map(|it| it.item).collect();
    review.keep((&portal, &ann, &world.clinic_admin), &others).await.done();
    let support = portal.client(&world.plan_support).await;
    let own = review.of(&world.clinic_admin);
    review.keep((&portal, &support, &world.plan_support), &[own]).await.done();
    assert_eq!(review.complete(&ann).await.refused(), "STILL_IN_EFFECT");
    let revoked = json!({ "organizationId": world.clinic.id, "reason": "Abe left.",
                          "apiKeyId": made.done()["apiKey"]["id"] });
    ann.mutate("revokeApiKey", revoked, "apiKey { status }").await.done();
    assert_eq!(found(&portal, &ann, it).await, json!(["REVOKED", []]));
    let events = review.events(&portal).await;
    let executed = events.iter().filter_map(|event| {
        let AccessReviewEvent::ReviewRevocationExecuted(done) = event else { return None };
        Some((&done.remaining[..], done.delay_s))
    });
    let executed: Vec<_> = executed.collect();
    assert_eq!(
        executed,
        [(&[Leftover::ApiKey][..], 0), (&[], 122)],
        "said once, and how long it took"
    );
    assert_eq!(review.complete(&ann).await.done()["accessReview"]["status"], "COMPLETED");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_link_to_a_file_keeps_a_revocation_pending_until_it_has_run_out() {
    let portal = Portal::medi_cal().await;
    let (ann, abe, review, item) = of_abe(&portal).await;
    let input = json!({ "format": "CSV" });
    let export = abe.mutate("exportAuditEvents", input, "auditExport { url }").await;
    export.done();
    revoke(&portal, &ann, &review, item).await;
    let it = (review.id, item);
    assert_eq!(found(&portal, &ann, it).await, pending(&["DOWNLOAD"]));
    portal.advance(Duration::from_secs(15 * 60));
    let ann = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(found(&portal, &ann, it).await, json!(["REVOKED", []]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_hand_off_on_its_way_keeps_a_revocation_pending_for_its_minute() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let nora = portal.client(&world.npi_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let item = review.of(&world.npi_admin);
    let input = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    let started = nora.mutate("startTransactionHandoff", input, "token").await;
    let token = started.done()["token"].clone();
    revoke(&portal, &ann, &review, item).await;
    assert_eq!(told(&ann, (review.id, item)).await, pending(&["HAND_OFF"]));
    let redeemed = portal.anybody();
    let redeemed =
        redeemed.mutate("redeemTransactionHandoff", json!({ "token": token }), "userId").await;
    assert_ne!(redeemed.refused(), "", "nobody is handed over any more");
    assert_eq!(found(&portal, &ann, (review.id, item)).await, json!(["REVOKED", []]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_membership_and_then_a_session_that_are_left_keep_a_revocation_pending() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, nora) = (&world.clinic_admin, &world.npi_admin);
    let session = portal.client(nora).await;
    let people = [(nora, OrgRole::None), (&world.processor, OrgRole::None)];
    // Decided in the stream alone: nothing followed, as after a mistake of the software's.
    let review = seeded::Review::open(&portal, (&world.clinic, ann), &people).await;
    review.decide(ann, &[1], REVOKE).await;
    let change = ReviewDecision::Change { role: OrgRole::Processor };
    review.decide(ann, &[2], change).await;
    let ann = portal.client(ann).await;
    let (first, second) = ((review.id.0, 1), (review.id.0, 2));
    assert_eq!(found(&portal, &ann, first).await, pending(&["MEMBERSHIP"]));
    assert_eq!(told(&ann, second).await, pending(&["ROLE"]));
    // The roster says so now, and nobody ended the session.
    portal.roster(&world.clinic, leave(nora)).await;
    assert_eq!(found(&portal, &ann, first).await, pending(&["SESSION"]));
    let role = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                       "role": "PROCESSOR" });
    ann.mutate("assignOrgRole", role, "position").await.done();
    session.mutate("signOut", json!({}), "sessionId").await.done();
    assert_eq!(found(&portal, &ann, first).await, json!(["REVOKED", []]));
    assert_eq!(told(&ann, second).await, json!(["CHANGED", []]));
    let document = "{ auditEvents(filter: { types:
        [\"access_reviews.access_review.review_revocation_executed\"] }) { nodes { sentence } } }";
    let auditor = portal.client(&world.auditor).await;
    let told = auditor.send(document, json!({})).await.data()["auditEvents"].to_string();
    assert!(told.contains("could not verify that (a session)"), "{told}");
    let events = portal.events::<AccessReview>(review.id.0).await;
    assert!(!events.is_empty());
    portal.finish().await;
}

fn leave(who: &Person) -> RosterCommand {
    RosterCommand::DeactivateUser {
        user: who.user,
        authority: Authority::Organization,
        confirmed: true,
        reason: None,
        left_on: None,
    }
}

#[tokio::test]
async fn gn_15_a_register_that_says_otherwise_keeps_a_revocation_pending() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let item = review.of(&world.npi_admin);
    portal.settle().await;
    // A row that no event made, as a damaged read model has it.
    let mut db = PgConnection::connect_with(&portal.database()).await.expect("the database");
    let stray = "INSERT INTO read.access_intervals
        SELECT tenant_id, known_from, 99, kind, gen_random_uuid(), user_id, organization_id, npi, name, value,
               valid_from, valid_to, known_from_at, known_to, known_to_at, cause, cause_position,
               end_position, end_cause
          FROM read.access_intervals
         WHERE user_id = $1 AND kind = 'MEMBERSHIP_ACTIVE' AND known_to IS NULL";
    let made = sqlx::query(stray).bind(world.npi_admin.user.0).execute(&mut db).await;
    assert_eq!(made.expect("a stray row").rows_affected(), 1);
    revoke(&portal, &ann, &review, item).await;
    assert_eq!(told(&ann, (review.id, item)).await, pending(&["REGISTER"]));
    let gone = "DELETE FROM read.access_intervals WHERE ordinal = 99";
    sqlx::query(gone).execute(&mut db).await.expect("it is deleted");
    assert_eq!(found(&portal, &ann, (review.id, item)).await, json!(["REVOKED", []]));
    portal.finish().await;
}
