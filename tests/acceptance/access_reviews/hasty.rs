//! Reviewers who keep almost everybody, quicker than anybody reads (GN-15).

use std::time::Duration;

use rollcall_domain::{
    access_reviews::{AccessReview, AccessReviewEvent, ReviewDecision},
    organizations::OrgRole,
    policies::{PolicyKey, PolicyValue},
};
use serde_json::{Value, json};

use super::seeded::Review;
use crate::support::{Client, Portal};

async fn notices(portal: &Portal, client: &Client) -> Vec<String> {
    let all = super::notices(portal, client).await;
    all.into_iter().filter(|text| text.contains("quicker than anybody reads")).collect()
}

#[tokio::test]
async fn gn_15_the_plan_is_told_once_of_a_reviewer_who_keeps_quicker_than_anybody_reads() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.change_policy(PolicyKey::ReviewHastyItems, PolicyValue::Integer(5)).await;
    let (ann, abe) = (&world.clinic_admin, &world.clinic_second_admin);
    let listed = [
        &world.npi_admin,
        &world.processor,
        &world.newcomer,
        &world.hospital_admin,
        &world.biller_admin,
        &world.plan_support,
        &world.plan_admin,
        &world.auditor,
    ];
    let people = listed.map(|who| (who, OrgRole::None));
    let review = Review::open(&portal, (&world.clinic, ann), &people).await;
    let keep = ReviewDecision::Keep;
    // A minute for each is time enough.
    review.decide(abe, &[1], keep).await;
    portal.advance(Duration::from_secs(5 * 60));
    review.decide(abe, &[2, 3, 4, 5, 6], keep).await;
    let support = portal.client(&world.plan_support).await;
    portal.settle().await;
    assert_eq!(notices(&portal, &support).await, Vec::<String>::new());

    review.decide(ann, &[1], ReviewDecision::Revoke { left_on: None }).await;
    review.decide(ann, &[1], keep).await;
    portal.advance(Duration::from_secs(2));
    review.decide(ann, &[2, 3, 4, 5, 6, 7, 8], ReviewDecision::Revoke { left_on: None }).await;
    portal.settle().await;
    assert_eq!(notices(&portal, &support).await, Vec::<String>::new(), "who takes away is not");

    let second = Review::open(&portal, (&world.clinic, abe), &people).await;
    second.decide(ann, &[1], keep).await;
    portal.advance(Duration::from_secs(2));
    second.decide(ann, &[2, 3, 4, 5, 6], keep).await;
    portal.advance(Duration::from_secs(1));
    second.decide(ann, &[7, 8], keep).await;
    portal.settle().await;
    let text = "Somebody keeps almost everybody in the access review of Redwood Clinic, quicker than \
                anybody reads.";
    assert_eq!(notices(&portal, &support).await, [text]);
    let reviewer = portal.client(ann).await;
    assert_eq!(notices(&portal, &reviewer).await, Vec::<String>::new());
    let told = portal.events::<AccessReview>(second.id.0).await.into_iter().filter_map(|event| {
        let AccessReviewEvent::HastyReviewSuspected {
            reviewer, decided, kept, ms_per_item, ..
        } = event
        else {
            return None;
        };
        Some((reviewer, decided, kept, ms_per_item))
    });
    assert_eq!(told.collect::<Vec<_>>(), [(ann.user, 6, 6, 400)]);

    let fields =
        "figures { reviewers { reviewer { name } decided approvalRate secondsPerItem isHasty } }";
    let figures = second.seen_by(&support, fields).await;
    let of_ann = json!({ "reviewer": { "name": "Ann Lee" }, "decided": 8, "approvalRate": 1.0,
                         "secondsPerItem": 3.0 / 7.0, "isHasty": true });
    assert_eq!(figures["figures"]["reviewers"], json!([of_ann]));
    let figures = review.seen_by(&support, fields).await["figures"]["reviewers"].clone();
    let hasty: Vec<&Value> =
        figures.as_array().expect("reviewers").iter().map(|it| &it["isHasty"]).collect();
    assert_eq!(hasty, [&json!(false), &json!(false)]);
    portal.finish().await;
}
