//! Who may not review the plan's own people, and what is refused to those who may (GN-15).

use rollcall_domain::{
    access_reviews::AccessReviewEvent,
    policies::{PolicyKey, PolicyValue},
};
use serde_json::{Value, json};

use super::{
    super::{Review, SHOWN, error, receipt_for},
    Scene, acts_for_plan,
};
use crate::support::{Answer, Client, uuid_of};

async fn open(client: &Client, more: Value) -> Answer {
    let mut input = json!({ "scope": "PLAN_STAFF" });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    client.mutate("openReview", input, SHOWN).await
}

#[tokio::test]
async fn gn_15_the_plans_own_people_are_reviewed_by_administrators_of_the_whole_plan_and_nobody_else()
 {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let plan = world.tenant.plan_itself();
    let ann = portal.client(&world.clinic_admin).await;
    let sam = portal.client(&world.plan_support).await;
    // An administrator of the plan for one clinic only.
    let nell = portal.client(&world.newcomer).await;
    scene.assign(&world.newcomer, "PA", json!({ "organizationIds": [world.clinic.id] })).await;
    let own = json!({ "organizationId": world.clinic.id });
    let plans = json!({ "organizationId": plan });
    for client in [&ann, &nell] {
        assert_eq!(error(&open(client, json!({})).await).0, "FIELD_REQUIRED");
        let refused = open(client, plans.clone()).await;
        assert_eq!(error(&refused), ("NOT_FOUND", "organizationId", vec![]));
        let refused = open(client, own.clone()).await;
        assert_eq!(error(&refused), ("FIELD_INVALID", "organizationId", vec![]));
    }
    for more in [json!({}), plans.clone()] {
        assert_eq!(error(&open(&sam, more).await).0, "FORBIDDEN");
    }
    let auditor = portal.client(&world.auditor).await;
    assert_eq!(error(&open(&auditor, json!({})).await).0, "FIELD_REQUIRED");

    let review = scene.open(json!({})).await;
    let of_aya = review.of(&world.auditor);
    for (client, who, code) in [
        (&ann, &world.clinic_admin, "NOT_FOUND"),
        (&nell, &world.newcomer, "NOT_FOUND"),
        (&sam, &world.plan_support, "FORBIDDEN"),
        (&auditor, &world.auditor, "NOT_FOUND"),
    ] {
        let by = (portal, client, who);
        assert_eq!(error(&review.keep(by, &[of_aya]).await).0, code);
        assert_eq!(error(&review.revoke(by, &[of_aya]).await).0, code);
        assert_eq!(review.complete(client).await.refused(), code);
        let cancel = review.input(json!({ "reason": "Not now." }));
        assert_eq!(client.mutate("cancelReview", cancel, SHOWN).await.refused(), code);
        let confirm =
            review.input(json!({ "items": [of_aya], "receipt": receipt_for(portal, who) }));
        assert_eq!(client.mutate("confirmReviewItems", confirm, SHOWN).await.refused(), code);
    }
    let see = "query($id: ID!) { accessReview(id: $id) { status }
                                 accessReviewItems(accessReviewId: $id) { nodes { item } } }";
    for (client, sees) in [(&ann, false), (&nell, false), (&sam, true), (&auditor, true)] {
        let seen = client.send(see, json!({ "id": review.id })).await.data().clone();
        assert_eq!(seen["accessReview"].is_object(), sees, "{seen}");
        assert_eq!(seen["accessReviewItems"].is_object(), sees, "{seen}");
    }
    let own = json!({ "accessReviewId": review.id, "format": "JSON" });
    let refused = ann.mutate("exportAccessReview", own, "position").await;
    assert_eq!(refused.refused(), "FIELD_REQUIRED");
    let decided = review.events(portal).await.into_iter();
    let decided = decided.filter(|event| matches!(event, AccessReviewEvent::ReviewItemDecided(_)));
    assert_eq!(decided.count(), 0);
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_review_of_the_plans_own_people_names_no_organization_and_any_other_does() {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let plan = json!(world.tenant.plan_itself());
    for scope in ["ROSTER", "ADMINISTRATORS", "RIGHTS", "API_KEYS"] {
        let named = json!({ "scope": scope, "organizationId": plan });
        let refused = scene.pia.mutate("openReview", named, SHOWN).await;
        assert_eq!(error(&refused), ("NOT_FOUND", "organizationId", vec![]), "{scope}");
        let unnamed = scene.pia.mutate("openReview", json!({ "scope": scope }), SHOWN).await;
        assert_eq!(error(&unnamed), ("FIELD_REQUIRED", "organizationId", vec![]), "{scope}");
    }
    let of_clinic = json!({ "organizationId": world.clinic.id });
    assert_eq!(error(&open(&scene.pia, of_clinic).await).0, "FIELD_INVALID");
    let asking = open(&scene.pia, json!({ "selfAttestation": true })).await;
    assert_eq!(error(&asking), ("FIELD_INVALID", "selfAttestation", vec![]));

    // Campaigns and templates are over organisations.
    let choice = json!({ "scope": "PLAN_STAFF" });
    for (mutation, of) in
        [("openReviewCampaign", "reviewCampaign"), ("createReviewTemplate", "reviewTemplate")]
    {
        let input = json!({ "name": "Staff", "choice": choice });
        let refused = scene.pia.mutate(mutation, input, &format!("{of} {{ id }}")).await;
        assert_eq!(refused.refused(), "FIELD_INVALID", "{mutation}");
        assert!(refused.body.to_string().contains("openReview instead"), "{}", refused.body);
    }

    // An organisation's review that is not named so.
    let review = Review::open(portal, &scene.pia, world.clinic.id).await;
    let signature = json!({ "name": "Pia Stone", "attested": true });
    let unnamed = json!({ "accessReviewId": review.id, "signature": signature });
    let refused = scene.pia.mutate("completeReview", unnamed.clone(), SHOWN).await;
    assert_eq!(error(&refused), ("FIELD_REQUIRED", "organizationId", vec![]));
    let ann = portal.client(&world.clinic_admin).await;
    let refused = ann.mutate("completeReview", unnamed, SHOWN).await;
    assert_eq!(error(&refused), ("FIELD_REQUIRED", "organizationId", vec![]));
    // And the plan's, named as an organisation's.
    let own = scene.open(json!({})).await;
    let named = json!({ "organizationId": world.clinic.id, "accessReviewId": own.id,
                        "reason": "Not now." });
    let refused = scene.pia.mutate("cancelReview", named, SHOWN).await;
    assert_eq!(error(&refused), ("NOT_FOUND", "accessReviewId", vec![]));
    let unnamed = json!({ "accessReviewId": own.id, "reason": "Not now." });
    let cancelled = scene.pia.mutate("cancelReview", unnamed, SHOWN).await;
    assert_eq!(cancelled.done()["accessReview"]["status"], "CANCELLED");
    assert_eq!(uuid_of(cancelled.done()["accessReview"]["id"].as_str().expect("an id")), own.id);
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_nobody_decides_about_their_own_plan_role_and_the_last_administrators_stay() {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let review = scene.open(json!({})).await;
    let (pias, pats) = (review.of(&world.plan_admin), review.of(&world.second_plan_admin));
    for decision in ["KEEP", "REVOKE"] {
        let reason = json!({ "reason": "My own." });
        let own = review.decide(scene.by_pia(), &[pias], decision, reason).await;
        assert_eq!(error(&own), ("SELF_REVIEW", "items", vec![pias.to_string().as_str()]));
    }
    let change = json!({ "role": "PROCESSOR", "reason": "Less." });
    let refused = review.decide(scene.by_pia(), &[pats], "CHANGE", change).await;
    assert_eq!(error(&refused).0, "FIELD_INVALID");
    assert!(refused.body.to_string().contains("kept or taken away"), "{}", refused.body);
    let refused = review.decide(scene.by_pia(), &[pats], "REVOKE", json!({})).await;
    assert_eq!(error(&refused).0, "REASON_REQUIRED");
    let delegate = review.input(json!({ "items": [pats], "to": world.plan_support.user,
                                        "reason": "You know them." }));
    let refused = scene.pia.mutate("delegateReviewItems", delegate, SHOWN).await;
    assert_eq!(error(&refused).0, "NOT_A_MEMBER");

    // Two have to remain.
    let refused = review.revoke(scene.by_pia(), &[pats]).await;
    assert_eq!(error(&refused), ("LAST_ADMIN", "items", vec![pats.to_string().as_str()]));
    assert!(acts_for_plan(&scene.pat).await);
    let item = scene.item(&review, &world.second_plan_admin).await;
    assert_eq!((&item["outcome"], &item["isHeld"]), (&json!("UNDECIDED"), &json!(true)));
    scene.assign(&world.newcomer, "PA", json!({})).await;
    review.revoke(scene.by_pia(), &[pats]).await.done();
    assert!(!acts_for_plan(&scene.pat).await);
    let refused = review.keep(scene.by_pat(), &[pias]).await;
    assert_eq!(refused.refused(), "NOT_FOUND", "nor is it theirs to decide any more");
    let nell = portal.client(&world.newcomer).await;
    review.keep((portal, &nell, &world.newcomer), &[pats, pias]).await.done();
    assert!(acts_for_plan(&scene.pat).await, "given back");
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_plan_role_is_revoked_at_the_closing_or_by_the_policy_as_far_as_administrators_remain()
 {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let word = |word: &str| PolicyValue::Text(word.to_owned());
    portal.change_policy(PolicyKey::ReviewRevocations, word("AT_CLOSE")).await;
    let review = scene.open(json!({})).await;
    portal.change_policy(PolicyKey::ReviewRevocations, word("AT_ONCE")).await;
    let pats = review.of(&world.second_plan_admin);
    let refused = review.revoke(scene.by_pia(), &[pats]).await;
    assert_eq!(error(&refused).0, "LAST_ADMIN", "it is tried when it is decided");
    review.revoke(scene.by_pia(), &[review.of(&world.plan_support)]).await.done();
    let sam = portal.client(&world.plan_support).await;
    assert!(acts_for_plan(&sam).await, "nothing is done before the closing");
    let item = scene.item(&review, &world.plan_support).await;
    assert_eq!(item["waitsForClosing"], true);
    scene.keep_the_others(&review, &[&world.plan_support]).await;
    review.complete(&scene.pia).await.done();
    portal.settle().await;
    assert!(!acts_for_plan(&sam).await);
    review.complete(&scene.pia).await.done();
    let now = scene.shown(&scene.pia, &review).await["accessReview"].clone();
    assert_eq!((&now["status"], &now["counts"]["revoked"]), (&json!("COMPLETED"), &json!(1)));

    // Nobody decides: roles of high risk are taken away, but for the last administrators.
    for key in [PolicyKey::UnassignedDeactivateDays, PolicyKey::DormantDeactivateDays] {
        portal.change_policy(key, PolicyValue::Off).await;
    }
    portal.change_policy(PolicyKey::ReviewUndecided, word("KEEP")).await;
    portal.change_policy(PolicyKey::ReviewUndecidedHigh, word("REVOKE")).await;
    scene.assign(&world.newcomer, "CE", json!({})).await;
    let review = scene.open(json!({})).await;
    assert_eq!(review.items.len(), 4);
    portal.clock.set(portal.now() + chrono::TimeDelta::days(44));
    portal.service.background.wake();
    portal.settle().await;
    let pia = portal.client(&world.plan_admin).await;
    let now = scene.shown(&pia, &review).await;
    let items = now["accessReviewItems"]["nodes"].as_array().expect("items").clone();
    let of = |who: &crate::support::Person| {
        let number = review.of(who);
        items.iter().find(|node| node["item"] == number).expect("the item").clone()
    };
    assert_eq!(of(&world.newcomer)["outcome"], "KEPT");
    assert_eq!(of(&world.auditor)["outcome"], "REVOKED");
    for who in [&world.plan_admin, &world.second_plan_admin] {
        let item = of(who);
        assert_eq!(
            (&item["outcome"], &item["refusal"]["code"]),
            (&json!("UNDECIDED"), &json!("LAST_ADMIN"))
        );
    }
    let told = "The policy could not take everything away that nobody decided about in the access review \
                of the health plan. Decide about it.";
    assert!(super::times_told(portal, &pia, told).await > 0);
    scene.portal.finish().await;
}
