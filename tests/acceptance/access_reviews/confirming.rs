//! Reviews with a second reviewer (GN-15).

use rollcall_domain::{
    organizations::Organization,
    policies::{PolicyKey, PolicyValue},
};
use serde_json::{Value, json};

use super::{Review, SHOWN, error, receipt_for};
use crate::support::{Answer, Client, Person, Portal};

async fn confirm(
    review: &Review,
    (portal, by, who): (&Portal, &Client, &Person),
    items: &[u32],
) -> Answer {
    let input = review.input(json!({ "items": items, "receipt": receipt_for(portal, who) }));
    by.mutate("confirmReviewItems", input, SHOWN).await
}

async fn is_member(portal: &Portal, who: &Person) -> bool {
    let (journal, world) = (&portal.service.commands.journal, portal.world());
    let loaded = journal.load_fresh::<Organization>(world.tenant, world.clinic.id.0).await;
    loaded.expect("the roster").state.is_active_member(who.user, portal.now())
}

async fn tasks(client: &Client) -> Vec<(Value, Value)> {
    let answer = client.send("{ myTasks { nodes { kind count } } }", json!({})).await;
    let nodes = answer.data()["myTasks"]["nodes"].as_array().expect("a list").clone();
    nodes.iter().map(|task| (task["kind"].clone(), task["count"].clone())).collect()
}

#[tokio::test]
async fn gn_15_what_is_decided_counts_when_a_second_reviewer_confirmed_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, abe) = (&world.clinic_admin, &world.clinic_second_admin);
    let (ann_client, abe_client) = (portal.client(ann).await, portal.client(abe).await);
    let second = json!({ "secondReviewer": "REVIEWER" });
    let review = Review::open_of(&portal, &ann_client, world.clinic.id, second).await;
    let of = [ann, abe, &world.npi_admin, &world.processor, &world.newcomer];
    let [of_ann, of_abe, nora, paul, nell] = of.map(|who| review.of(who));
    let by_ann = (&portal, &ann_client, ann);
    let by_abe = (&portal, &abe_client, abe);
    review.revoke(by_ann, &[nora]).await.done();
    review.keep(by_ann, &[paul, nell]).await.done();
    portal.settle().await;
    assert!(is_member(&portal, &world.npi_admin).await, "one alone takes nothing away");
    let own = confirm(&review, by_ann, &[nora]).await;
    assert_eq!(error(&own), ("FORBIDDEN", "items", vec![nora.to_string().as_str()]));
    let nell_client = portal.client(&world.newcomer).await;
    let other = confirm(&review, (&portal, &nell_client, &world.newcomer), &[nora]).await;
    assert_eq!(other.refused(), "NOT_ORG_ADMIN");
    let waits = |client: Vec<(Value, Value)>| {
        client.into_iter().find(|(kind, _)| kind == "SECOND_REVIEW").map(|(_, count)| count)
    };
    assert_eq!(waits(tasks(&abe_client).await), Some(json!(3)));
    assert_eq!(waits(tasks(&ann_client).await), None);
    let many: Vec<u32> = (1..=11).collect();
    let untyped = confirm(&review, by_abe, &many).await;
    assert_eq!(error(&untyped), ("CONFIRMATION_REQUIRED", "confirmation", vec![]));
    confirm(&review, by_abe, &[nora, paul]).await.done();
    assert!(!is_member(&portal, &world.npi_admin).await, "at once then");
    portal.settle().await;
    // Who does not agree decides otherwise, and that is confirmed by another.
    review.revoke(by_abe, &[nell]).await.done();
    assert_eq!(confirm(&review, by_abe, &[nell]).await.refused(), "FORBIDDEN");
    confirm(&review, by_ann, &[nell]).await.done();
    assert!(!is_member(&portal, &world.newcomer).await);
    assert_eq!(review.keep(by_ann, &[nora]).await.refused(), "ALREADY_DECIDED");
    // The two of them decide about each other, which the plan confirms.
    review.keep(by_ann, &[of_abe]).await.done();
    review.keep(by_abe, &[of_ann]).await.done();
    assert_eq!(confirm(&review, by_abe, &[of_abe]).await.refused(), "SELF_REVIEW");
    let refused = review.complete(&ann_client).await;
    assert_eq!(error(&refused).0, "ITEMS_UNDECIDED");
    let support = portal.client(&world.plan_support).await;
    let by_plan = (&portal, &support, &world.plan_support);
    confirm(&review, by_plan, &[of_abe, of_ann]).await.done();
    portal.settle().await;
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) { nodes {
        item outcome awaitsSecondReviewer confirmedBy { name } } } }";
    let shown = ann_client.send(document, json!({ "id": review.id })).await.data().to_string();
    let item = json!({ "item": nora, "outcome": "REVOKED", "awaitsSecondReviewer": false,
                       "confirmedBy": { "name": "Abe Fox" } });
    assert!(shown.contains(&item.to_string()), "{shown}");
    assert_eq!(review.complete(&ann_client).await.done()["accessReview"]["status"], "COMPLETED");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_at_close_what_was_confirmed_waits_for_the_closing_and_what_was_not_has_none() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let at_close = PolicyValue::Text("AT_CLOSE".to_owned());
    portal.change_policy(PolicyKey::ReviewRevocations, at_close).await;
    let (ann, abe) = (&world.clinic_admin, &world.clinic_second_admin);
    let (ann_client, abe_client) = (portal.client(ann).await, portal.client(abe).await);
    let second = json!({ "secondReviewer": "REVIEWER" });
    let review = Review::open_of(&portal, &ann_client, world.clinic.id, second).await;
    let of = [ann, abe, &world.npi_admin, &world.processor, &world.newcomer];
    let [of_ann, of_abe, nora, paul, nell] = of.map(|who| review.of(who));
    let (by_ann, by_abe) = ((&portal, &ann_client, ann), (&portal, &abe_client, abe));
    review.revoke(by_ann, &[nora]).await.done();
    review.keep(by_ann, &[paul, nell]).await.done();
    confirm(&review, by_abe, &[nora, paul, nell]).await.done();
    portal.settle().await;
    assert!(is_member(&portal, &world.npi_admin).await, "confirmed, it waits all the same");
    // Confirmed or not, another decision takes its place, and begins anew.
    review.keep(by_abe, &[nora]).await.done();
    review.revoke(by_abe, &[nora]).await.done();
    review.keep(by_ann, &[of_abe]).await.done();
    review.keep(by_abe, &[of_ann]).await.done();
    let support = portal.client(&world.plan_support).await;
    let by_plan = (&portal, &support, &world.plan_support);
    confirm(&review, by_plan, &[of_abe, of_ann]).await.done();
    let early = review.complete(&ann_client).await;
    let (code, _, items) = error(&early);
    assert_eq!((code, items), ("ITEMS_UNDECIDED", vec![nora.to_string().as_str()]));
    assert!(is_member(&portal, &world.npi_admin).await, "no closing has begun");
    confirm(&review, by_ann, &[nora]).await.done();
    assert_eq!(review.complete(&ann_client).await.done()["accessReview"]["status"], "OPEN");
    portal.settle().await;
    assert!(!is_member(&portal, &world.npi_admin).await);
    assert_eq!(review.complete(&ann_client).await.done()["accessReview"]["status"], "COMPLETED");
    portal.settle().await;
    portal.finish().await;
}
