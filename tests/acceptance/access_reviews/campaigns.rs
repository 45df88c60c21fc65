//! Campaigns: the same review in many organisations, previewed, opened in portions, followed to their end.

use rollcall_domain::access_reviews::{
    AccessReviewEvent,
    campaign::{ReviewCampaign, ReviewCampaignEvent},
    sha256_of_lines,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Review;
use crate::support::{Client, Person, Portal, uuid_of};

const SHOWN: &str = "reviewCampaign { id name status dueAt population sha256 asOfPosition
    organizations { total waiting underWay overdue signed cancelled skipped }
    counts { undecided kept revoked gone } figures { approvalRate progress { decided left } } }";

async fn preview(client: &Client, choice: Value) -> Value {
    let ask = "query($choice: ReviewCampaignChoice) { reviewCampaignPreview(choice: $choice) {
        asOfPosition organizations reviews items withoutItems openAlready
        largest { organization { id } items openReviewId } } }";
    client.send(ask, json!({ "choice": choice })).await.data()["reviewCampaignPreview"].clone()
}

async fn open(client: &Client, input: Value) -> Value {
    client.mutate("openReviewCampaign", input, SHOWN).await.done()["reviewCampaign"].clone()
}

async fn campaign(client: &Client, id: &Value) -> Value {
    let ask = format!("query($id: ID!) {{ reviewCampaign: reviewCampaign(id: $id) {{ {} }} }}", {
        SHOWN.trim_start_matches("reviewCampaign {").trim_end_matches('}')
    });
    client.send(&ask, json!({ "id": id })).await.data()["reviewCampaign"].clone()
}

async fn organizations(client: &Client, id: &Value, state: Value) -> Vec<Value> {
    let ask = "query($id: ID!, $state: ReviewCampaignState) {
        reviewCampaignOrganizations(reviewCampaignId: $id, state: $state) {
          nodes { number organization { id name } state accessReviewId skipReason status population
                  undecided } } }";
    let answer = client.send(ask, json!({ "id": id, "state": state })).await;
    answer.data()["reviewCampaignOrganizations"]["nodes"].as_array().expect("nodes").clone()
}

async fn story(portal: &Portal, id: &Value) -> Vec<ReviewCampaignEvent> {
    portal.events::<ReviewCampaign>(uuid_of(id.as_str().expect("an id"))).await
}

/// The reviews that it opened, with how many items.
fn reviews(story: &[ReviewCampaignEvent]) -> Vec<(Uuid, Uuid, u32)> {
    let opened = story.iter().filter_map(|event| {
        let ReviewCampaignEvent::CampaignReviewOpened { organization, review, items } = event
        else {
            return None;
        };
        Some((organization.0, review.0, *items))
    });
    opened.collect()
}

#[tokio::test]
async fn gn_15_a_campaign_is_previewed_opened_in_every_organization_and_followed_to_its_end() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    portal.settle().await;
    let foreseen = preview(&plan, json!({})).await;
    assert!(foreseen["reviews"].as_i64() > Some(2), "{foreseen}");
    let input = json!({ "name": "Spring 2026", "openDays": 30,
        "expectedOrganizations": foreseen["organizations"] });
    let opened = open(&plan, input).await;
    assert_eq!((&opened["name"], &opened["status"]), (&json!("Spring 2026"), &json!("OPENING")));
    portal.settle().await;

    // What was foreseen is what came, of organisations that the events list.
    let now = campaign(&plan, &opened["id"]).await;
    assert_eq!(now["status"], "OPEN", "{now}");
    assert_eq!(now["population"], foreseen["items"], "{foreseen}");
    assert_eq!(now["organizations"]["total"], foreseen["organizations"]);
    assert_eq!(now["organizations"]["underWay"], foreseen["reviews"]);
    assert_eq!(now["organizations"]["skipped"], foreseen["withoutItems"]);
    let told = story(&portal, &opened["id"]).await;
    let ReviewCampaignEvent::ReviewCampaignOpened { sha256, organizations: count, .. } = &told[0]
    else {
        panic!("{told:?}");
    };
    let listed: Vec<_> = told
        .iter()
        .filter_map(|event| {
            let ReviewCampaignEvent::CampaignOrganizationsListed { organizations, .. } = event
            else {
                return None;
            };
            Some(organizations.clone())
        })
        .flatten()
        .collect();
    assert_eq!(*sha256, sha256_of_lines(&listed));
    assert_eq!(*count as usize, listed.len());

    // Each is a review like any other, until the same day.
    for (organization, id, items) in reviews(&told) {
        let review = Review::at(&portal, id, organization.into()).await;
        assert_eq!(review.items.len(), items as usize);
        let AccessReviewEvent::AccessReviewOpened { campaign, due_at, .. } =
            &review.events(&portal).await[0]
        else {
            panic!("it begins otherwise");
        };
        assert_eq!(campaign.map(|it| it.0), Some(uuid_of(opened["id"].as_str().expect("an id"))));
        assert_eq!(json!(due_at.format("%Y-%m-%dT%H:%M:%SZ").to_string()), opened["dueAt"]);
        let of_clinic = organization == world.clinic.id.0;
        let items: Vec<u32> = (1..=items).collect();
        let by = (&portal, &plan, &world.plan_admin);
        if of_clinic {
            let ann = portal.client(&world.clinic_admin).await;
            let refused = ann
                .mutate("cancelReview", review.input(json!({ "reason": "No time." })), "position")
                .await;
            assert_eq!(refused.refused(), "FORBIDDEN", "it is the plan's");
        }
        review.keep(by, &items).await.done();
        review.complete(&plan).await.done();
    }
    let end = campaign(&plan, &opened["id"]).await;
    assert_eq!(end["status"], "COMPLETED", "{end}");
    assert_eq!(end["organizations"]["signed"], foreseen["reviews"]);
    assert_eq!(end["counts"]["kept"], foreseen["items"]);
    assert_eq!(end["figures"]["approvalRate"], 1.0);
    assert_eq!(end["figures"]["progress"][0]["decided"], foreseen["items"]);
    assert!(matches!(
        story(&portal, &opened["id"]).await.last(),
        Some(ReviewCampaignEvent::ReviewCampaignCompleted { .. })
    ));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_campaign_passes_over_what_is_open_already_or_has_nobody_and_says_so() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let other = Review::open(&portal, &ann, world.clinic.id).await;
    let support = portal.client(&world.plan_support).await;
    portal.settle().await;
    let choice = json!({ "organizationIds": [world.clinic.id, world.hospital.id] });
    let foreseen = preview(&support, choice.clone()).await;
    assert_eq!((&foreseen["organizations"], &foreseen["openAlready"]), (&json!(2), &json!(1)));
    let opened = open(&support, json!({ "name": "Two of them", "choice": choice })).await;
    portal.settle().await;
    let skipped = organizations(&support, &opened["id"], json!("SKIPPED")).await;
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!(skipped[0]["organization"]["name"], "Redwood Clinic");
    assert_eq!(skipped[0]["skipReason"], "OPEN_ALREADY");
    assert_eq!(uuid_of(skipped[0]["accessReviewId"].as_str().expect("an id")), other.id);
    let under_way = organizations(&support, &opened["id"], json!("UNDER_WAY")).await;
    assert_eq!(under_way.len(), 1);
    assert_eq!(
        (&under_way[0]["status"], &under_way[0]["number"]),
        (&json!("OPEN"), &json!(1 + i32::from(world.hospital.id > world.clinic.id)))
    );

    // Nobody there has not signed in for ten years.
    let nobody = json!({ "scope": "DORMANT", "dormantDays": 3650 });
    let none = open(&support, json!({ "name": "Long gone", "choice": nobody })).await;
    portal.settle().await;
    let none = campaign(&support, &none["id"]).await;
    assert_eq!(none["status"], "COMPLETED", "{none}");
    assert_eq!(none["organizations"]["skipped"], none["organizations"]["total"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_cancelled_campaign_opens_nothing_more_and_calls_off_what_is_under_way() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let opened = open(&plan, json!({ "name": "A slip" })).await;
    portal.settle().await;
    let first = reviews(&story(&portal, &opened["id"]).await)[0];
    let review = Review::at(&portal, first.1, first.0.into()).await;
    let items: Vec<u32> = (1..=first.2).collect();
    review.keep((&portal, &plan, &world.plan_admin), &items).await.done();
    review.complete(&plan).await.done();
    let cancel = json!({ "reviewCampaignId": opened["id"], "reason": "The wrong choice." });
    let cancelled = plan.mutate("cancelReviewCampaign", cancel.clone(), SHOWN).await;
    assert_eq!(cancelled.done()["reviewCampaign"]["status"], "CANCELLED");
    portal.settle().await;
    let end = campaign(&plan, &opened["id"]).await;
    assert_eq!(end["organizations"]["signed"], 1, "what was signed stands: {end}");
    assert_eq!(end["organizations"]["underWay"], 0);
    let again = plan.mutate("cancelReviewCampaign", cancel, SHOWN).await;
    assert_eq!(again.refused(), "REVIEW_CLOSED");
    // The same people can be reviewed anew.
    let ann = portal.client(&world.clinic_admin).await;
    Review::open(&portal, &ann, world.clinic.id).await;
    portal.finish().await;
}

async fn refusal(portal: &Portal, who: &Person, input: Value) -> String {
    let client = portal.client(who).await;
    client.mutate("openReviewCampaign", input, SHOWN).await.refused().to_owned()
}

#[tokio::test]
async fn gn_15_who_may_not_open_campaigns_sees_none_and_bad_choices_are_refused() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let all = json!({ "name": "All" });
    for who in [&world.clinic_admin, &world.processor, &world.auditor] {
        assert_eq!(refusal(&portal, who, all.clone()).await, "FORBIDDEN");
    }
    let plan = portal.client(&world.plan_admin).await;
    let opened = open(&plan, all).await;
    portal.settle().await;
    let ann = portal.client(&world.clinic_admin).await;
    assert_eq!(campaign(&ann, &opened["id"]).await, Value::Null);
    assert_eq!(preview(&ann, json!({})).await, Value::Null);
    let list = "{ reviewCampaigns { nodes { id } } }";
    let seen = |answer: Value| answer["reviewCampaigns"]["nodes"].as_array().map_or(0, Vec::len);
    assert_eq!(seen(ann.send(list, json!({})).await.data().clone()), 0);
    let auditor = portal.client(&world.auditor).await;
    assert_eq!(seen(auditor.send(list, json!({})).await.data().clone()), 1);

    for (bad, code) in [
        (json!({ "name": " " }), "FIELD_REQUIRED"),
        (json!({ "name": "x", "openDays": 0 }), "RANGE_INVALID"),
        (json!({ "name": "x", "choice": { "scope": "DORMANT" } }), "FIELD_REQUIRED"),
        (
            json!({ "name": "x", "choice": { "scope": "DORMANT", "dormantDays": 0 } }),
            "RANGE_INVALID",
        ),
        (json!({ "name": "x", "choice": { "organizationIds": [] } }), "FIELD_INVALID"),
        (json!({ "name": "x", "choice": { "organizationIds": [Uuid::nil()] } }), "NOT_FOUND"),
        (json!({ "name": "x", "expectedOrganizations": 1 }), "VERSION_CONFLICT"),
    ] {
        assert_eq!(refusal(&portal, &world.plan_admin, bad.clone()).await, code, "{bad}");
    }
    portal.finish().await;
}
