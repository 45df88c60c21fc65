//! What becomes of keys while reviews of them go on, between two of them, and in a campaign (GN-15).

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::{
    api_keys::{ApiKey, ApiKeyEvent},
    policies::{PolicyKey, PolicyValue},
};
use serde_json::{Value, json};

use super::{
    super::{Review, SHOWN, error, evidence::taken},
    Machine, scene, shown,
};
use crate::support::uuid_of;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn gn_15_a_key_that_ended_meanwhile_is_gone_and_one_made_meanwhile_is_a_joiner() {
    let scene = scene().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let third = Machine::of(portal, &world.clinic_second_admin, "Report", &["READ_AUDIT"]).await;
    let review = scene.open(json!({})).await;
    assert_eq!(review.items.len(), 3);
    let late = Machine::of(portal, &world.clinic_second_admin, "Late", &["REPORT_RIGHT_USE"]).await;
    scene.revoke_by_hand(&third).await;
    scene.abe_leaves().await;
    let refused = review.revoke(scene.by_ann(), &[third.on(&review)]).await;
    assert_eq!(error(&refused).0, "ALREADY_INACTIVE");

    let now = shown(portal, &scene.ann, &review).await;
    assert_eq!(
        (&now["accessReview"]["counts"]["gone"], &now["accessReview"]["counts"]["undecided"]),
        (&json!(1), &json!(2)),
        "the key of who left is there"
    );
    let joiner = json!({ "user": { "name": "Abe Fox" }, "role": "ADMIN",
        "granted": { "kind": "API_KEY", "name": "Late", "scopes": ["REPORT_RIGHT_USE"],
                     "thingId": late.key } });
    let joiners = now["accessReviewJoiners"]["nodes"].as_array().expect("joiners");
    let [found] = &joiners[..] else { panic!("{joiners:?}") };
    assert_eq!((&found["user"], &found["granted"]), (&joiner["user"], &joiner["granted"]));

    // The others run out; what was kept before is gone as well.
    review.keep(scene.by_ann(), &[scene.abes.on(&review)]).await.done();
    let unsigned = review.complete(&scene.ann).await;
    assert_eq!(unsigned.refused(), "ITEMS_UNDECIDED");
    portal
        .change_policy(PolicyKey::ReviewUndecided, PolicyValue::Text("ESCALATE".to_owned()))
        .await;
    portal.advance(DAY * 30);
    portal.settle().await;
    let ann = portal.client(&world.clinic_admin).await;
    let now = shown(portal, &ann, &review).await;
    assert_eq!(now["accessReview"]["counts"]["gone"], 3, "{now}");
    assert_eq!(now["accessReviewJoiners"]["nodes"], json!([]), "they ran out too");
    let fresh = Machine::of(portal, &world.clinic_admin, "Fresh", &["READ_AUDIT"]).await;
    review.complete(&ann).await.done();
    let now = shown(portal, &ann, &review).await;
    assert_eq!(
        (&now["accessReview"]["status"], &now["accessReview"]["joiners"]),
        (&json!("COMPLETED"), &json!(1))
    );
    assert_eq!(now["accessReview"]["counts"]["gone"], 3);
    let joiners = now["accessReviewJoiners"]["nodes"].as_array().expect("joiners");
    assert_eq!(joiners[0]["granted"]["thingId"], json!(fresh.key));
    let (bytes, _) = taken(&ann, &review, "JSON").await;
    let file: Value = serde_json::from_slice(&bytes).expect("JSON");
    let joined = file["joined"].as_array().expect("who joined");
    assert_eq!((joined.len(), &joined[0]["key"]), (1, &json!("Fresh")), "{joined:?}");
    taken(&ann, &review, "PDF").await;
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_key_that_was_certified_is_carried_forward_as_long_as_it_works() {
    let scene = scene().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let first = scene.open(json!({})).await;
    first.keep(scene.by_ann(), &[scene.abes.on(&first)]).await.done();
    scene.keep_and_sign(&first, &[scene.anns.on(&first)]).await;
    let changed = json!({ "organizationId": world.clinic.id, "scope": "API_KEYS",
                          "changedOnly": true });
    let nothing = scene.ann.mutate("openReview", changed, SHOWN).await;
    assert_eq!(
        error(&nothing),
        ("FIELD_INVALID", "changedOnly", vec![first.id.to_string().as_str()])
    );

    // That its maker left changes nothing about a key; one that is new is asked about.
    scene.abe_leaves().await;
    let new = Machine::of(portal, &world.clinic_admin, "New", &["READ_AUDIT"]).await;
    let second = scene.open(json!({ "changedOnly": true })).await;
    assert_eq!(second.items.len(), 1);
    let now = shown(portal, &scene.ann, &second).await;
    assert_eq!(
        (&now["accessReview"]["population"], &now["accessReview"]["counts"]["carriedForward"]),
        (&json!(3), &json!(2)),
    );
    let items = now["accessReviewItems"]["nodes"].as_array().expect("items");
    let carried = items.iter().find(|it| it["granted"]["name"] == "Nightly roster").expect("his");
    assert_eq!(carried["outcome"], "CARRIED_FORWARD");
    assert_eq!(carried["carriedForward"]["decidedBy"]["name"], "Ann Lee");
    // It is decided about all the same where somebody wants to.
    let number = carried["item"].as_u64().and_then(|it| u32::try_from(it).ok()).expect("a number");
    second.revoke(scene.by_ann(), &[number]).await.done();
    assert!(!scene.abes.works(portal).await);
    scene.keep_and_sign(&second, &[new.on(&second)]).await;
    let third = Machine::of(portal, &world.clinic_admin, "Newer", &["READ_AUDIT"]).await;
    let last = scene.open(json!({ "changedOnly": true })).await;
    assert_eq!(third.on(&last), 1);
    let now = shown(portal, &scene.ann, &last).await;
    assert_eq!(now["accessReview"]["counts"]["carriedForward"], 2, "what was revoked is not there");
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_keys_are_revoked_at_the_closing_or_by_the_policy_by_what_they_may_do() {
    let scene = scene().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let word = |word: &str| PolicyValue::Text(word.to_owned());
    portal.change_policy(PolicyKey::ReviewRevocations, word("AT_CLOSE")).await;
    let review = scene.open(json!({})).await;
    portal.change_policy(PolicyKey::ReviewRevocations, word("AT_ONCE")).await;
    let abes = scene.abes.on(&review);
    review.revoke(scene.by_ann(), &[abes]).await.done();
    assert!(scene.abes.works(portal).await, "nothing is done before the closing");
    assert_eq!(scene.item(&review, &scene.abes).await["waitsForClosing"], true);
    // What waits is taken back.
    review.keep(scene.by_ann(), &[abes]).await.done();
    review.revoke(scene.by_ann(), &[abes]).await.done();
    let plan = portal.client(&world.plan_admin).await;
    let by = (portal, &plan, &world.plan_admin);
    review.keep(by, &[scene.anns.on(&review)]).await.done();
    review.complete(&scene.ann).await.done();
    portal.settle().await;
    assert!(!scene.abes.works(portal).await);
    let told = portal.events::<ApiKey>(uuid_of(&scene.abes.key)).await;
    let Some(ApiKeyEvent::ApiKeyRevoked { by, reason: Some(reason), .. }) = told.last() else {
        panic!("{told:?}");
    };
    assert_eq!(*by, Some(world.clinic_admin.user), "who decided so");
    assert_eq!(reason.get().expect("there").as_str(), "Left the practice.");
    review.complete(&scene.ann).await.done();
    let now = shown(portal, &scene.ann, &review).await["accessReview"].clone();
    assert_eq!((&now["status"], &now["counts"]["revoked"]), (&json!("COMPLETED"), &json!(1)));

    // Nobody decides: what only reads stays, and what changes something is revoked, by nobody.
    for key in [PolicyKey::UnassignedDeactivateDays, PolicyKey::DormantDeactivateDays] {
        portal.change_policy(key, PolicyValue::Off).await;
    }
    portal.change_policy(PolicyKey::ReviewUndecided, word("KEEP")).await;
    portal.change_policy(PolicyKey::ReviewUndecidedHigh, word("REVOKE")).await;
    let until = portal.now() + TimeDelta::days(300);
    let make = async |name: &str, scope: &str| {
        let input = json!({ "organizationId": world.clinic.id, "name": name, "scopes": [scope],
                            "expiresAt": until.to_rfc3339() });
        let made = scene.ann.mutate("createApiKey", input, "apiKey { id }").await;
        uuid_of(made.done()["apiKey"]["id"].as_str().expect("an id"))
    };
    let (reads, writes) =
        (make("Reads", "READ_ACCESS").await, make("Writes", "MANAGE_USERS").await);
    let review = scene.open(json!({})).await;
    assert_eq!(review.items.len(), 3);
    portal.clock.set(portal.now() + TimeDelta::days(44));
    portal.service.background.wake();
    portal.settle().await;
    let ann = portal.client(&world.clinic_admin).await;
    let now = shown(portal, &ann, &review).await;
    let items = now["accessReviewItems"]["nodes"].as_array().expect("items");
    let of = |name: &str| {
        let item = items.iter().find(|it| it["granted"]["name"] == name).expect("the key");
        (item["outcome"].clone(), item["decidedByPolicy"].clone())
    };
    assert_eq!(of("Reads"), (json!("KEPT"), json!(true)));
    assert_eq!(of("Writes"), (json!("REVOKED"), json!(true)));
    assert_eq!(portal.events::<ApiKey>(reads).await.len(), 1);
    let told = portal.events::<ApiKey>(writes).await;
    let Some(ApiKeyEvent::ApiKeyRevoked { by: None, reason: Some(_), .. }) = told.last() else {
        panic!("{told:?}");
    };
    let number = review.items.iter().find(|it| it.access.key().is_some_and(|it| it.0 == writes));
    let number = number.expect("on the list").item;
    let plan = portal.client(&world.plan_admin).await;
    let kept = review.keep((portal, &plan, &world.plan_admin), &[number]).await;
    assert_eq!(error(&kept).0, "ALREADY_DECIDED");
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_campaign_reviews_the_keys_of_every_organization_that_has_some() {
    let scene = scene().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    scene.abe_leaves().await;
    let third = Machine::of(portal, &world.clinic_admin, "Old", &["READ_AUDIT"]).await;
    scene.revoke_by_hand(&third).await;
    let plan = portal.client(&world.plan_admin).await;
    portal.settle().await;
    let ask = "query($choice: ReviewCampaignChoice) { reviewCampaignPreview(choice: $choice) {
        organizations reviews items withoutItems openAlready largest { organization { name } items } } }";
    let scope = json!({ "scope": "API_KEYS" });
    let choice = json!({ "choice": scope });
    let seen = plan.send(ask, choice.clone()).await.data()["reviewCampaignPreview"].clone();
    assert_eq!((&seen["reviews"], &seen["items"]), (&json!(1), &json!(2)), "{seen}");
    assert_eq!(seen["largest"][0]["organization"]["name"], "Redwood Clinic");
    let input = json!({ "name": "Keys 2026", "choice": scope,
                        "expectedOrganizations": seen["organizations"] });
    let opened = plan.mutate("openReviewCampaign", input, "reviewCampaign { id }").await;
    let id = opened.done()["reviewCampaign"]["id"].clone();
    portal.settle().await;
    let of = "query($id: ID!) { reviewCampaign(id: $id) { population organizations { underWay skipped } }
        reviewCampaignOrganizations(reviewCampaignId: $id, state: UNDER_WAY) { nodes { accessReviewId } } }";
    let found = plan.send(of, json!({ "id": id })).await.data().clone();
    assert_eq!(found["reviewCampaign"]["population"], 2);
    assert_eq!(found["reviewCampaign"]["organizations"]["underWay"], 1);
    let review = &found["reviewCampaignOrganizations"]["nodes"][0]["accessReviewId"];
    let review = uuid_of(review.as_str().expect("an id"));
    let review = Review::at(portal, review, world.clinic.id).await;
    let again = plan.send(ask, choice).await.data()["reviewCampaignPreview"].clone();
    assert_eq!(again["openAlready"], 1);
    let by = (portal, &plan, &world.plan_admin);
    review.revoke(by, &[scene.anns.on(&review)]).await.done();
    review.keep(by, &[scene.abes.on(&review)]).await.done();
    portal.settle().await;
    review.complete(&plan).await.done();
    assert!(!scene.anns.works(portal).await);
    assert!(scene.abes.works(portal).await);
    scene.portal.finish().await;
}
