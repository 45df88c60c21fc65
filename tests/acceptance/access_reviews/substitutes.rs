//! Who reviews in somebody's place while they are away (GN-15).

use chrono::{DateTime, Utc};
use rollcall_domain::access_reviews::AccessReviewEvent;
use serde_json::{Value, json};

use super::{Review, SHOWN, error, times_told};
use crate::support::{Answer, Client, Person, Portal};

const FROM: &str = "2026-01-13T08:00:00Z";
const UNTIL: &str = "2026-01-20T08:00:00Z";

async fn name(client: &Client, of: &Portal, substitute: &Person, from: Value) -> Answer {
    let input = json!({ "organizationId": of.world().clinic.id, "substituteId": substitute.user,
                        "from": from, "until": UNTIL });
    client.mutate("nameReviewSubstitute", input, "isNamed").await
}

async fn come_to(portal: &Portal, moment: &str) {
    portal.clock.set(moment.parse::<DateTime<Utc>>().expect("a moment"));
    portal.settle().await;
}

/// The numbers that somebody is shown, and what waits for them.
async fn seen(client: &Client, review: &Review) -> (Vec<u64>, Value) {
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) { nodes { item } } }";
    let answer = client.send(document, json!({ "id": review.id })).await;
    let nodes = answer.data()["accessReviewItems"]["nodes"].as_array().cloned().unwrap_or_default();
    let items = nodes.iter().map(|node| node["item"].as_u64().expect("a number")).collect();
    let answer = client.send("{ myTasks { nodes { kind count } } }", json!({})).await;
    (items, answer.data()["myTasks"]["nodes"].clone())
}

/// Who decided last about an item, and in whose place.
async fn last(
    portal: &Portal,
    review: &Review,
) -> (u32, Option<rollcall_domain::kernel::ids::UserId>) {
    let events = review.events(portal).await;
    let decided = events.iter().rev().find_map(|event| {
        let AccessReviewEvent::ReviewItemDecided(decided) = event else { return None };
        Some((decided.item, decided.in_place_of))
    });
    decided.expect("a decision")
}

#[tokio::test]
async fn gn_15_a_substitute_decides_in_an_administrators_place_for_that_time_and_it_is_on_record() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, nora) = (&world.clinic_admin, &world.npi_admin);
    let ann_client = portal.client(ann).await;
    let review = Review::open(&portal, &ann_client, world.clinic.id).await;
    let of = [ann, nora, &world.processor, &world.clinic_second_admin];
    let [of_ann, of_nora, paul, abe] = of.map(|who| review.of(who));
    assert_eq!(error(&name(&ann_client, &portal, ann, Value::Null).await).1, "substituteId");
    let outside = name(&ann_client, &portal, &world.hospital_admin, Value::Null).await;
    assert_eq!(error(&outside), ("NOT_A_MEMBER", "substituteId", vec![]));
    name(&ann_client, &portal, nora, json!(FROM)).await.done();
    portal.settle().await;
    let client = portal.client(nora).await;
    let by = (&portal, &client, nora);
    assert_eq!(seen(&client, &review).await, (vec![], json!([])), "not yet");
    assert_eq!(review.keep(by, &[paul]).await.refused(), "NOT_ORG_ADMIN");
    come_to(&portal, FROM).await;
    let client = portal.client(nora).await;
    let by = (&portal, &client, nora);
    // All but her own and Ann's, which Ann may not decide either.
    let waits = json!([{ "kind": "DELEGATED_REVIEW_ITEMS", "count": 3 }]);
    assert_eq!(seen(&client, &review).await, (vec![1, 2, 3, 4, 5], waits));
    assert_eq!(review.keep(by, &[of_nora]).await.refused(), "SELF_REVIEW");
    assert_eq!(review.keep(by, &[of_ann]).await.refused(), "SELF_REVIEW");
    review.keep(by, &[paul]).await.done();
    assert_eq!(last(&portal, &review).await, (paul, Some(ann.user)));
    // What only administrators decide is theirs.
    assert_eq!(review.revoke(by, &[abe]).await.refused(), "NOT_ORG_ADMIN");
    let role = json!({ "role": "ADMIN", "reason": "A friend." });
    assert_eq!(review.decide(by, &[paul], "CHANGE", role).await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(review.complete(&client).await.refused(), "NOT_ORG_ADMIN");
    let on = json!({ "items": [paul], "to": world.newcomer.user, "reason": "Knows them." });
    let on = client.mutate("delegateReviewItems", review.input(on), SHOWN).await;
    assert_eq!(on.refused(), "NOT_ORG_ADMIN", "a substitute passes nothing on");
    let list = "query($of: ID!) { reviewSubstitutes(organizationId: $of) { user { name } substitute { name } until } }";
    let listed = client.send(list, json!({ "of": world.clinic.id })).await;
    let away = json!([{ "user": { "name": "Ann Lee" }, "substitute": { "name": "Nora Diaz" }, "until": UNTIL }]);
    assert_eq!(listed.data()["reviewSubstitutes"], away);
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) { nodes {
        item decidedBy { name } decidedInPlaceOf { name } } } }";
    let shown = client.send(document, json!({ "id": review.id })).await.data().to_string();
    let decided = json!({ "item": paul, "decidedBy": { "name": "Nora Diaz" },
                          "decidedInPlaceOf": { "name": "Ann Lee" } });
    assert!(shown.contains(&decided.to_string()), "{shown}");
    let auditor = portal.client(&world.auditor).await;
    let document =
        "{ auditEvents(filter: { types: [\"access_reviews.access_review.review_item_decided\"] }) {
        nodes { sentence } } }";
    let told = auditor.send(document, json!({})).await.data().to_string();
    assert!(told.contains("Nora Diaz, in the place of Ann Lee, decided"), "{told}");
    // To the second on which that time is over.
    come_to(&portal, UNTIL).await;
    let client = portal.client(nora).await;
    assert_eq!(review.keep((&portal, &client, nora), &[paul]).await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(seen(&client, &review).await, (vec![], json!([])));
    let end = json!({ "organizationId": world.clinic.id });
    let ann_client = portal.client(ann).await;
    let ended = ann_client.mutate("endReviewSubstitution", end, "isEnded").await;
    assert_eq!(ended.refused(), "NOT_PENDING");
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_is_delegated_to_somebody_who_is_away_is_their_substitutes_until_they_are_back()
{
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (nora, nell) = (&world.npi_admin, &world.newcomer);
    let ann = portal.client(&world.clinic_admin).await;
    let (nora_client, nell_client) = (portal.client(nora).await, portal.client(nell).await);
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let of = [nell, &world.processor, &world.clinic_second_admin];
    let [of_nell, paul, abe] = of.map(|who| review.of(who));
    let to_nora = |items: &[u32]| {
        review.input(json!({ "items": items, "to": nora.user, "reason": "Knows them." }))
    };
    ann.mutate("delegateReviewItems", to_nora(&[paul]), SHOWN).await.done();
    let by_nell = (&portal, &nell_client, nell);
    assert_eq!(review.keep(by_nell, &[paul]).await.refused(), "NOT_ORG_ADMIN");
    name(&nora_client, &portal, nell, Value::Null).await.done();
    portal.settle().await;
    // What was delegated before is decided in her place.
    let waits = json!([{ "kind": "DELEGATED_REVIEW_ITEMS", "count": 1 }]);
    assert_eq!(seen(&nell_client, &review).await, (vec![u64::from(paul)], waits));
    review.keep(by_nell, &[paul]).await.done();
    assert_eq!(last(&portal, &review).await, (paul, Some(nora.user)));
    // What is delegated now goes there, but for the substitute's own.
    ann.mutate("delegateReviewItems", to_nora(&[abe, of_nell]), SHOWN).await.done();
    let went: Vec<_> = review
        .events(&portal)
        .await
        .into_iter()
        .filter_map(|event| {
            let AccessReviewEvent::ReviewItemDelegated { item, new, in_place_of, .. } = event
            else {
                return None;
            };
            Some((item, new, in_place_of))
        })
        .skip(1)
        .collect();
    let mut expected =
        vec![(abe, Some(nell.user), Some(nora.user)), (of_nell, Some(nora.user), None)];
    expected.sort_by_key(|(item, ..)| *item);
    assert_eq!(went, expected);
    review.keep(by_nell, &[abe]).await.done();
    assert_eq!(last(&portal, &review).await, (abe, None), "it is the substitute's own by now");
    let end = json!({ "organizationId": world.clinic.id });
    nora_client.mutate("endReviewSubstitution", end, "isEnded").await.done();
    assert_eq!(review.keep(by_nell, &[paul]).await.refused(), "NOT_ORG_ADMIN");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_was_delegated_to_somebody_who_left_falls_back_to_all_reviewers_and_is_told() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, nora) = (&world.clinic_admin, &world.npi_admin);
    let ann_client = portal.client(ann).await;
    let review = Review::open(&portal, &ann_client, world.clinic.id).await;
    let paul = review.of(&world.processor);
    let input = json!({ "items": [paul], "to": nora.user, "reason": "Knows them." });
    ann_client.mutate("delegateReviewItems", review.input(input), SHOWN).await.done();
    portal.settle().await;
    let by = (&portal, &ann_client, ann);
    assert_eq!(review.keep(by, &[paul]).await.refused(), "FORBIDDEN");
    let leaves = json!({ "organizationId": world.clinic.id, "userId": nora.user, "confirm": true,
                         "reason": "Left." });
    ann_client.mutate("deactivateUser", leaves, "position").await.done();
    portal.settle().await;
    review.keep(by, &[paul]).await.done();
    let text = "Somebody who was to decide in the access review of Redwood Clinic has left. Their part is yours \
                again.";
    assert_eq!(times_told(&portal, &ann_client, text).await, 1);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_no_administrator_may_decide_waits_for_the_plan() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let hana = portal.client(&world.hospital_admin).await;
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &hana, world.hospital.id).await;
    Review::open(&portal, &ann, world.clinic.id).await;
    portal.settle().await;
    let support = portal.client(&world.plan_support).await;
    let tasks = "{ myTasks { nodes { kind count targetId } } }";
    let waiting = || async {
        let answer = support.send(tasks, json!({})).await;
        let nodes = answer.data()["myTasks"]["nodes"].as_array().expect("a list").clone();
        nodes.iter().map(|node| (node["kind"].clone(), node["count"].clone())).collect::<Vec<_>>()
    };
    // The hospital's sole administrator; the clinic has two, each of whom decides about the other.
    assert_eq!(waiting().await, [(json!("ACCESS_REVIEW"), json!(1))]);
    let own = review.of(&world.hospital_admin);
    review.keep((&portal, &support, &world.plan_support), &[own]).await.done();
    portal.settle().await;
    assert_eq!(waiting().await, []);
    portal.finish().await;
}
