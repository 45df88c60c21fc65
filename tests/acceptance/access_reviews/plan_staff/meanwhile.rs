//! What becomes of plan roles while reviews of them go on, and between two of them (GN-15).

use serde_json::{Value, json};

use super::{
    super::{SHOWN, error, evidence::taken},
    Scene,
};

#[tokio::test]
async fn gn_15_a_plan_role_that_ended_meanwhile_is_gone_and_one_given_meanwhile_is_a_joiner() {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let review = scene.open(json!({})).await;
    scene.end(&world.plan_support, "PS").await;
    scene.assign(&world.newcomer, "QI", json!({ "organizationIds": [world.clinic.id] })).await;
    scene.scope(&world.auditor, "AU", json!([world.clinic.id])).await;
    let of_sam = review.of(&world.plan_support);
    let refused = review.revoke(scene.by_pia(), &[of_sam]).await;
    assert_eq!(error(&refused), ("ALREADY_INACTIVE", "items", vec![of_sam.to_string().as_str()]));

    let now = scene.shown(&scene.pia, &review).await;
    let counts = &now["accessReview"]["counts"];
    assert_eq!((&counts["gone"], &counts["undecided"]), (&json!(1), &json!(3)));
    let joiners = now["accessReviewJoiners"]["nodes"].as_array().expect("joiners");
    let [joiner] = &joiners[..] else { panic!("{joiners:?}") };
    assert_eq!((&joiner["user"]["name"], &joiner["role"]), (&json!("Nell Ortiz"), &json!("NONE")));
    assert_eq!(
        (&joiner["granted"]["kind"], &joiner["granted"]["planRole"]),
        (&json!("PLAN_ROLE"), &json!("QI"))
    );
    assert_eq!(joiner["granted"]["organizationIds"].as_array().map(Vec::len), Some(1));
    // One that counts for less by now is still decided about, and whoever reads sees that it changed.
    let item = scene.item(&review, &world.auditor).await;
    assert_eq!((&item["changedSince"], &item["isHeld"]), (&json!(true), &json!(true)));
    assert_eq!(item["granted"]["organizationIds"], json!([]), "as it was listed");
    assert_eq!(item["presentOrganizationIds"].as_array().map(Vec::len), Some(1));

    scene.keep_the_others(&review, &[&world.plan_support]).await;
    portal.settle().await;
    review.complete(&scene.pia).await.done();
    let now = scene.shown(&scene.pia, &review).await;
    let of = &now["accessReview"];
    assert_eq!((&of["status"], &of["joiners"]), (&json!("COMPLETED"), &json!(1)));
    assert_eq!((&of["counts"]["gone"], &of["counts"]["kept"]), (&json!(1), &json!(3)));
    let (bytes, _) = taken(&scene.pia, &review, "JSON").await;
    let file: Value = serde_json::from_slice(&bytes).expect("JSON");
    let joined = file["joined"].as_array().expect("who joined");
    assert_eq!((joined.len(), &joined[0]["planRole"]), (1, &json!("QI")), "{joined:?}");
    taken(&scene.pia, &review, "PDF").await;
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_plan_role_that_was_certified_is_carried_forward_until_it_is_touched() {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let first = scene.open(json!({})).await;
    let of_sam = first.of(&world.plan_support);
    // Taken and given back in the review itself: that is what was certified.
    first.revoke(scene.by_pia(), &[of_sam]).await.done();
    portal.settle().await;
    scene.keep_the_others(&first, &[]).await;
    portal.settle().await;
    first.complete(&scene.pia).await.done();
    let changed = json!({ "scope": "PLAN_STAFF", "changedOnly": true });
    let nothing = scene.pia.mutate("openReview", changed, SHOWN).await;
    assert_eq!(
        error(&nothing),
        ("FIELD_INVALID", "changedOnly", vec![first.id.to_string().as_str()])
    );

    portal.advance(std::time::Duration::from_secs(60));
    scene.scope(&world.auditor, "AU", json!([world.clinic.id])).await;
    scene.scope(&world.auditor, "AU", json!([])).await;
    scene.assign(&world.newcomer, "CE", json!({})).await;
    let second = scene.open(json!({ "changedOnly": true })).await;
    let listed = [&world.auditor, &world.newcomer].map(|who| second.of(who));
    assert_eq!(
        (second.items.len(), listed.len()),
        (2, 2),
        "what was touched, though it is as before"
    );
    let now = scene.shown(&scene.pia, &second).await;
    let counts = &now["accessReview"]["counts"];
    assert_eq!(
        (&now["accessReview"]["population"], &counts["carriedForward"]),
        (&json!(5), &json!(3))
    );
    let items = now["accessReviewItems"]["nodes"].as_array().expect("items");
    let of = |name: &str| items.iter().find(|it| it["user"]["name"] == name).expect("on the list");
    assert_eq!(of("Sam Hill")["outcome"], "CARRIED_FORWARD");
    assert_eq!(of("Sam Hill")["carriedForward"]["decidedBy"]["name"], "Pia Stone");
    assert_eq!(of("Aya Nash")["previousDecision"]["decision"], "KEEP");
    second.keep(scene.by_pia(), &listed).await.done();
    portal.settle().await;
    second.complete(&scene.pia).await.done();
    scene.portal.finish().await;
}
