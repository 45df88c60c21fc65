//! Reviews of what changed: the rest is carried forward of the last signed review, and it says so.

use rollcall_domain::access_reviews::AccessReviewEvent;
use serde_json::{Value, json};

use super::{
    Review, error,
    evidence::{of_lines, taken},
    rights::set_level,
};
use crate::{
    rebuild::every_rebuild_agrees,
    support::{Client, Person, Portal, uuid_of},
};

const CHANGED_ONLY: &str = "changedOnly";

fn changed(scope: &str) -> Value {
    json!({ "scope": scope, (CHANGED_ONLY): true })
}

/// A review as it stands, with its items: `[outcome, whose, from which review]`.
async fn shown(portal: &Portal, client: &Client, review: &Review) -> (Value, Vec<Value>) {
    portal.settle().await;
    let document = "query($id: ID!, $at: Position) {
      accessReview(id: $id, minPosition: $at) { status population changedOnly comparedWithId joiners
        counts { undecided kept revoked changed gone carriedForward } }
      accessReviewItems(accessReviewId: $id, first: 100, minPosition: $at) { nodes { item outcome kind
        user { name } carriedForward { accessReviewId decidedAt decidedBy { name } } } }
      accessReviewJoiners(accessReviewId: $id, minPosition: $at) { nodes { user { name } } } }";
    let at = portal.position().await.to_string();
    let answer = client.send(document, json!({ "id": review.id, "at": at })).await;
    let data = answer.data();
    assert_eq!(data["accessReviewJoiners"]["nodes"], json!([]), "nobody is new");
    let items = data["accessReviewItems"]["nodes"].as_array().expect("a list");
    (data["accessReview"].clone(), items.clone())
}

/// The names of those whose items came to this.
fn names<'a>(items: &'a [Value], outcome: &str) -> Vec<&'a str> {
    let those = items.iter().filter(|item| item["outcome"] == outcome);
    let mut names: Vec<&str> = those.filter_map(|item| item["user"]["name"].as_str()).collect();
    names.sort_unstable();
    names
}

/// Everything that is to be decided is kept by the plan, and the review signed.
async fn keep_and_sign(portal: &Portal, plan: &Client, review: &Review) {
    let items: Vec<u32> = review.items.iter().map(|item| item.item).collect();
    let by = (portal, plan, &portal.world().plan_admin);
    review.keep(by, &items).await.done();
    review.complete(plan).await.done();
}

async fn refused(by: &Client, organization: Value, more: &Value) -> (String, String, Vec<String>) {
    let mut input = json!({ "organizationId": organization });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    let answer = by.mutate("openReview", input, "accessReview { id }").await;
    let (code, field, details) = error(&answer);
    (code.to_owned(), field.to_owned(), details.into_iter().map(str::to_owned).collect())
}

async fn member(portal: &Portal, by: &Client, what: &str, who: &Person, more: Value) {
    let mut input = json!({ "organizationId": portal.world().clinic.id, "userId": who.user });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    by.mutate(what, input, "position").await.done();
}

#[tokio::test]
async fn gn_15_a_review_of_what_changed_asks_about_that_and_carries_the_rest_forward() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    // Nothing was signed before: everything is asked.
    let first = Review::open_of(&portal, &plan, world.clinic.id, changed("ROSTER")).await;
    let (review, items) = shown(&portal, &plan, &first).await;
    assert_eq!((&review[CHANGED_ONLY], &review["comparedWithId"]), (&json!(true), &Value::Null));
    assert_eq!((items.len(), names(&items, "UNDECIDED").len()), (5, 5));
    keep_and_sign(&portal, &plan, &first).await;
    let clinic = json!(world.clinic.id);
    let nothing = refused(&plan, clinic.clone(), &changed("ROSTER")).await;
    let (code, field, since) = (nothing.0.as_str(), nothing.1.as_str(), &nothing.2);
    assert_eq!((code, field), ("FIELD_INVALID", CHANGED_ONLY));
    assert_eq!(*since, [first.id.to_string()]);
    // Another choice was never certified.
    let others = Review::open_of(&portal, &plan, world.clinic.id, changed("ADMINISTRATORS")).await;
    assert_eq!(others.items.len(), 2);

    // Whoever left came back, and is as before.
    let ann = portal.client(&world.clinic_admin).await;
    let left = json!({ "confirm": true, "reason": "On leave." });
    member(&portal, &ann, "deactivateUser", &world.newcomer, left).await;
    member(&portal, &ann, "reactivateUser", &world.newcomer, json!({ "confirm": true })).await;
    let second = Review::open_of(&portal, &plan, world.clinic.id, changed("ROSTER")).await;
    let (review, items) = shown(&portal, &plan, &second).await;
    let compared = review["comparedWithId"].as_str().expect("an id");
    assert_eq!((uuid_of(compared), &review["population"]), (first.id, &json!(5)));
    assert_eq!(review["counts"]["carriedForward"], 4);
    assert_eq!(names(&items, "UNDECIDED").len(), 1);
    assert_eq!(second.of(&world.newcomer), 1);
    let carried = items.iter().find(|item| item["user"]["name"] == "Ann Lee").expect("hers");
    let from = &carried["carriedForward"];
    assert_eq!(uuid_of(from["accessReviewId"].as_str().expect("an id")), first.id);
    assert!(from["decidedBy"]["name"].is_string() && from["decidedAt"].is_string(), "{from}");
    // Only what is to be decided waits; a reviewer may look into the rest all the same.
    keep_and_sign(&portal, &plan, &second).await;
    let (review, items) = shown(&portal, &plan, &second).await;
    let counts = json!({ "undecided": 0, "kept": 1, "revoked": 0, "changed": 0, "gone": 0,
                         "carriedForward": 4 });
    assert_eq!((&review["status"], &review["counts"]), (&json!("COMPLETED"), &counts));
    assert_eq!((names(&items, "CARRIED_FORWARD").len(), review["joiners"].as_i64()), (4, Some(0)));

    // The file proves what was carried as it proves what was decided.
    let (bytes, _) = taken(&plan, &second, "JSON").await;
    let file: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(json!(of_lines(&file, "listed")), file["list"]["sha256"]);
    assert_eq!(json!(of_lines(&file, "result")), file["resultsSha256"]);
    let told = second.events(&portal).await;
    let Some(AccessReviewEvent::AccessReviewCompleted { sha256, totals, .. }) = told.last() else {
        panic!("{told:?}");
    };
    assert_eq!((json!(sha256), totals.population), (file["resultsSha256"].clone(), 5));
    assert_eq!(file["unresolved"], json!([]));
    assert_eq!(file["comparedWith"], json!(first.id));
    assert_eq!(file["items"][1]["carriedForward"]["review"], json!(first.id));
    for format in ["CSV", "PDF"] {
        let (bytes, _) = taken(&plan, &second, format).await;
        let is_there = String::from_utf8_lossy(&bytes).contains("CARRIED_FORWARD");
        assert!(is_there || format == "PDF");
    }

    // Carried on and on, each is told by whoever decided it.
    member(
        &portal,
        &ann,
        "deactivateUser",
        &world.processor,
        json!({ "confirm": true,
        "reason": "Left." }),
    )
    .await;
    member(&portal, &ann, "reactivateUser", &world.processor, json!({ "confirm": true })).await;
    let third = Review::open_of(&portal, &plan, world.clinic.id, changed("ROSTER")).await;
    let (_, items) = shown(&portal, &plan, &third).await;
    let froms = items.iter().filter_map(|item| item["carriedForward"]["accessReviewId"].as_str());
    let mut froms: Vec<_> = froms.map(uuid_of).collect();
    froms.sort_unstable();
    let mut expected = vec![first.id, first.id, first.id, second.id];
    expected.sort_unstable();
    assert_eq!(froms, expected);
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_right_that_was_raised_and_lowered_again_is_asked_about_and_one_lowered_by_review_is_not()
 {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (plan, ann) =
        (portal.client(&world.plan_admin).await, portal.client(&world.clinic_admin).await);
    let first =
        Review::open_of(&portal, &plan, world.clinic.id, json!({ "scope": "RIGHTS" })).await;
    let (_, items) = shown(&portal, &plan, &first).await;
    let by = (&portal, &plan, &world.plan_admin);
    let noras = items.iter().find(|item| item["user"]["name"] == "Nora Diaz").expect("hers");
    let noras = u32::try_from(noras["item"].as_u64().expect("a number")).expect("a small one");
    let lower = json!({ "level": "PROCESSOR", "reason": "Enough for her work." });
    first.decide(by, &[noras], "CHANGE", lower).await.done();
    let rest: Vec<u32> =
        first.items.iter().map(|item| item.item).filter(|item| *item != noras).collect();
    first.keep(by, &rest).await.done();
    portal.settle().await;
    first.complete(&plan).await.done();

    let (npi, pauls) = (&world.clinic.npis[0], &world.processor);
    for level in ["ADMIN", "PROCESSOR"] {
        let change = json!({ "npi": npi, "level": level });
        set_level(&ann, &portal, pauls, change).await.done();
    }
    let second = Review::open_of(&portal, &plan, world.clinic.id, changed("RIGHTS")).await;
    let (review, items) = shown(&portal, &plan, &second).await;
    assert_eq!(names(&items, "UNDECIDED"), ["Paul Kim"], "{items:?}");
    assert_eq!(names(&items, "CARRIED_FORWARD"), ["Ann Lee", "Ann Lee", "Nora Diaz"]);
    assert_eq!(review["population"], 4);

    // What is carried forward and ends by somebody else's doing is gone like all the rest.
    let none = json!({ "npi": npi, "level": "NONE" });
    set_level(&ann, &portal, &world.npi_admin, none).await.done();
    let (review, _) = shown(&portal, &plan, &second).await;
    assert_eq!(
        (&review["counts"]["carriedForward"], &review["counts"]["gone"]),
        (&json!(2), &json!(1))
    );
    // And what is carried forward can be taken away.
    let anns = items.iter().find(|item| item["kind"] == "CORRESPONDENCE").expect("hers");
    let anns = u32::try_from(anns["item"].as_u64().expect("a number")).expect("a small one");
    second.revoke(by, &[anns]).await.done();
    let (review, _) = shown(&portal, &plan, &second).await;
    assert_eq!(review["counts"]["revoked"], 1);
    keep_and_sign(&portal, &plan, &second).await;
    let (review, _) = shown(&portal, &plan, &second).await;
    let counts = json!({ "undecided": 0, "kept": 1, "revoked": 1, "changed": 0, "gone": 1,
                         "carriedForward": 1 });
    assert_eq!(review["counts"], counts);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_campaign_of_what_changed_passes_over_where_nothing_did_and_names_the_review() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let signed = Review::open(&portal, &plan, world.clinic.id).await;
    keep_and_sign(&portal, &plan, &signed).await;
    portal.settle().await;
    let choice = json!({ "organizationIds": [world.clinic.id, world.hospital.id] });
    let input = json!({ "name": "What changed", "choice": choice, (CHANGED_ONLY): true });
    let opened =
        plan.mutate("openReviewCampaign", input, "reviewCampaign { id changedOnly }").await;
    let campaign = opened.done()["reviewCampaign"].clone();
    assert_eq!(campaign[CHANGED_ONLY], true);
    portal.settle().await;
    let ask = "query($id: ID!) { reviewCampaignOrganizations(reviewCampaignId: $id) { nodes {
        organization { name } state accessReviewId skipReason population undecided } } }";
    let answer = plan.send(ask, json!({ "id": campaign["id"] })).await;
    let nodes = answer.data()["reviewCampaignOrganizations"]["nodes"].clone();
    let of = |name: &str| {
        let nodes = nodes.as_array().expect("nodes");
        nodes.iter().find(|node| node["organization"]["name"] == name).expect("covered").clone()
    };
    let clinic = of("Redwood Clinic");
    assert_eq!(
        (&clinic["state"], &clinic["skipReason"]),
        (&json!("SKIPPED"), &json!("NOTHING_CHANGED"))
    );
    assert_eq!(uuid_of(clinic["accessReviewId"].as_str().expect("an id")), signed.id);
    let others = nodes.as_array().expect("nodes").iter().find(|node| node["state"] == "UNDER_WAY");
    assert_eq!(others.expect("the hospital's")["undecided"], 1, "it was never reviewed");

    // Who does not sign in is found anew each time.
    let dormant = json!({ "scope": "DORMANT", "dormantDays": 30, (CHANGED_ONLY): true });
    let (code, field, _) = refused(&plan, json!(world.clinic.id), &dormant).await;
    assert_eq!((code.as_str(), field.as_str()), ("FIELD_INVALID", CHANGED_ONLY));
    let choice = json!({ "scope": "DORMANT", "dormantDays": 30 });
    let input = json!({ "name": "Dormant", "choice": choice, (CHANGED_ONLY): true });
    let answer = plan.mutate("openReviewCampaign", input, "position").await;
    assert_eq!(answer.refused(), "FIELD_INVALID");
    portal.finish().await;
}
