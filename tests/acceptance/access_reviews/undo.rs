//! Decisions of a review taken back, as they were previewed (GN-15).

use rollcall_domain::{
    access_reviews::{AccessReviewEvent, ReviewDecision, ReviewItemDecision},
    organizations::{OrgRole, Organization},
};
use serde_json::{Value, json};

use super::{Review, error};
use crate::support::{Answer, Client, Person, Portal};

const OUTCOME: &str = "accessReview { counts { kept pending revoked changed } }
  outcome { undone { item gaveBack } refused { item error { code } } }";

/// What would come of taking decisions back.
async fn preview(client: &Client, review: &Review, selection: Value) -> Answer {
    let document = "query($of: ID!, $id: ID!, $selection: ReviewUndoSelection!) {
        reviewUndoPreview(organizationId: $of, accessReviewId: $id, selection: $selection) {
          total hasMore receipt
          items { item user { name } decision decidedBy { name } decidedAt givesBack
                  refusal { code } } } }";
    let variables = json!({ "of": review.organization, "id": review.id, "selection": selection });
    client.send(document, variables).await
}

fn shown(answer: &Answer) -> Value {
    answer.data()["reviewUndoPreview"].clone()
}

/// Item, what it gives back, and why not.
fn outcomes(preview: &Value) -> Vec<(u64, Value, Value)> {
    let items = preview["items"].as_array().expect("items").iter();
    let of = |it: &Value| {
        let item = it["item"].as_u64().expect("a number");
        (item, it["givesBack"].clone(), it["refusal"]["code"].clone())
    };
    items.map(of).collect()
}

/// The input that takes back what was previewed.
fn input(review: &Review, preview: &Value, more: Value) -> Value {
    let items = preview["items"].as_array().expect("items").iter();
    let decisions: Vec<Value> =
        items.map(|it| json!({ "item": it["item"], "decidedAt": it["decidedAt"] })).collect();
    let mut input = review.input(json!({ "decisions": decisions, "receipt": preview["receipt"],
                                         "reason": "The wrong list." }));
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    input
}

async fn undo(client: &Client, input: Value) -> Answer {
    client.mutate("undoReviewDecisions", input, OUTCOME).await
}

async fn roster(portal: &Portal) -> Organization {
    let (journal, world) = (&portal.service.commands.journal, portal.world());
    let loaded = journal.load_fresh::<Organization>(world.tenant, world.clinic.id.0).await;
    (*loaded.expect("the roster").state).clone()
}

async fn is_member(portal: &Portal, who: &Person) -> bool {
    roster(portal).await.is_active_member(who.user, portal.now())
}

async fn undone(portal: &Portal, review: &Review) -> Vec<ReviewItemDecision> {
    let of = |event| {
        let AccessReviewEvent::ReviewItemDecided(decided) = event else { return None };
        Some(*decided).filter(|decided| decided.undoes.is_some())
    };
    review.events(portal).await.into_iter().filter_map(of).collect()
}

/// Ann revokes Nora, plans Nell's end, makes Abe a processor and keeps Paul.
async fn decided(portal: &Portal) -> (Review, Client, [u32; 4]) {
    let world = portal.world();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(portal, &ann, world.clinic.id).await;
    let of = [&world.clinic_second_admin, &world.npi_admin, &world.newcomer, &world.processor];
    let items @ [abe, nora, nell, paul] = of.map(|who| review.of(who));
    let by = (portal, &ann, &world.clinic_admin);
    review.revoke(by, &[nora]).await.done();
    let later = json!({ "reason": "Retires.", "leftOn": "2026-01-20" });
    review.decide(by, &[nell], "REVOKE", later).await.done();
    let role = json!({ "reason": "At the desk now.", "role": "PROCESSOR" });
    review.decide(by, &[abe], "CHANGE", role).await.done();
    review.keep(by, &[paul]).await.done();
    portal.settle().await;
    (review, ann, items)
}

#[tokio::test]
async fn gn_15_a_reviewers_day_is_undone_as_it_was_previewed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (review, ann, [abe, nora, nell, _]) = decided(&portal).await;
    let day = |day: &str, who: &Person| json!({ "reviewerId": who.user, "day": day });
    let other = shown(&preview(&ann, &review, day("2026-01-13", &world.clinic_admin)).await);
    assert_eq!(other["total"], 0, "on another day she decided nothing");
    let nobodys = day("2026-01-12", &world.clinic_second_admin);
    assert_eq!(shown(&preview(&ann, &review, nobodys).await)["total"], 0);

    let selection = day("2026-01-12", &world.clinic_admin);
    let previewed = shown(&preview(&ann, &review, selection.clone()).await);
    let mut expected = vec![
        (u64::from(abe), json!("ROLE"), Value::Null),
        (u64::from(nora), json!("MEMBERSHIP"), Value::Null),
        (u64::from(nell), json!("PLANNED_END"), Value::Null),
    ];
    expected.sort_by_key(|(item, ..)| *item);
    assert_eq!(outcomes(&previewed), expected, "what was kept is not among them");
    assert_eq!(previewed["items"][0]["decidedBy"]["name"], "Ann Lee");
    assert!(!is_member(&portal, &world.npi_admin).await, "a preview changes nothing");
    assert_eq!(undone(&portal, &review).await.len(), 0);

    let taken = undo(&ann, input(&review, &previewed, json!({ "idempotencyKey": "once" }))).await;
    let given: Vec<Value> =
        expected.iter().map(|(item, back, _)| json!({ "item": item, "gaveBack": back })).collect();
    assert_eq!(taken.done()["outcome"], json!({ "undone": given, "refused": [] }));
    let counts = json!({ "kept": 4, "pending": 0, "revoked": 0, "changed": 0 });
    assert_eq!(taken.done()["accessReview"]["counts"], counts);
    assert!(is_member(&portal, &world.npi_admin).await);
    let roster = roster(&portal).await;
    assert_eq!(roster.role_of(world.clinic_second_admin.user, portal.now()), OrgRole::Admin);
    let nell = roster.member(world.newcomer.user).expect("a member");
    assert!(nell.planned_end.is_none());
    let events = undone(&portal, &review).await;
    assert_eq!(events.len(), 3);
    for decided in &events {
        let was = decided.undoes.expect("a decision taken back");
        assert_eq!(
            (was.reviewer, decided.reviewer),
            (world.clinic_admin.user, world.clinic_admin.user)
        );
        assert_eq!(decided.new, ReviewDecision::Keep);
        assert_eq!(
            decided.reason.as_ref().and_then(|it| it.get()).expect("a reason").as_str(),
            "The wrong list."
        );
    }
    // Again under the same key: the same answer, and nothing more. Under another one: it counts no more.
    let again = undo(&ann, input(&review, &previewed, json!({ "idempotencyKey": "once" }))).await;
    assert_eq!(again.done()["outcome"]["undone"], json!(given));
    let late = undo(&ann, input(&review, &previewed, json!({}))).await;
    let refused = late.done()["outcome"]["refused"].as_array().expect("a list").clone();
    assert_eq!(refused.len(), 3);
    assert!(refused.iter().all(|it| it["error"]["code"] == "NOT_PENDING"), "{refused:?}");
    assert_eq!(undone(&portal, &review).await.len(), 3);
    portal.settle().await;
    let document =
        "{ auditEvents(filter: { types: [\"access_reviews.access_review.review_item_decided\"] })
        { nodes { sentence } } }";
    let auditor = portal.client(&world.auditor).await;
    let told = auditor.send(document, json!({})).await.data()["auditEvents"].to_string();
    let sentence =
        "Ann Lee took back in the access review of Redwood Clinic that Nora Diaz leaves.";
    assert!(told.contains(sentence), "{told}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_cannot_be_given_back_is_told_before_and_stops_nothing_else() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (review, ann, [abe, nora, nell, _]) = decided(&portal).await;
    // The plan makes no administrators where there is one, not by undoing either.
    let support = portal.client(&world.plan_support).await;
    let all = json!({ "all": true });
    let bare = shown(&preview(&support, &review, all).await);
    let of_abe = outcomes(&bare).into_iter().find(|(item, ..)| *item == u64::from(abe));
    assert_eq!(of_abe, Some((u64::from(abe), Value::Null, json!("FORBIDDEN"))));
    let taken = undo(&support, input(&review, &bare, json!({}))).await;
    let outcome = &taken.done()["outcome"];
    assert_eq!(outcome["refused"], json!([{ "item": abe, "error": { "code": "FORBIDDEN" } }]));
    let mut given: Vec<u64> = outcome["undone"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["item"].as_u64().expect("a number"))
        .collect();
    given.sort_unstable();
    let mut expected = [nora, nell].map(u64::from);
    expected.sort_unstable();
    assert_eq!(given, expected);
    assert!(is_member(&portal, &world.npi_admin).await);

    // One decision; and another one than was seen is left alone.
    let one = json!({ "item": abe });
    let previewed = shown(&preview(&ann, &review, one.clone()).await);
    assert_eq!(previewed["total"], 1);
    let mut stale = input(&review, &previewed, json!({}));
    stale["decisions"][0]["decidedAt"] = json!("2026-01-01T00:00:00Z");
    let refused = undo(&ann, stale).await.done()["outcome"]["refused"].clone();
    assert_eq!(refused[0]["error"]["code"], "NOT_PENDING");
    let forged = json!({ "receipt": "invented" });
    let forged = undo(&ann, input(&review, &previewed, forged)).await.done()["outcome"].clone();
    assert_eq!(forged["refused"][0]["error"]["code"], "FIELD_INVALID");
    // Who may not decide sees no preview either.
    let paul = portal.client(&world.processor).await;
    assert_eq!(preview(&paul, &review, one.clone()).await.error_code(), "FORBIDDEN");
    assert_eq!(undo(&paul, input(&review, &previewed, json!({}))).await.refused(), "NOT_ORG_ADMIN");
    let hana = portal.client(&world.hospital_admin).await;
    assert_eq!(undo(&hana, input(&review, &previewed, json!({}))).await.refused(), "NOT_FOUND");
    let none = undo(&ann, input(&review, &json!({ "items": [], "receipt": "" }), json!({}))).await;
    assert_eq!(error(&none).1, "decisions");
    let both = json!({ "item": abe, "all": true });
    assert_eq!(preview(&ann, &review, both).await.error_code(), "BAD_USER_INPUT");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_once_a_review_is_over_another_way_is_told_and_nothing_is_undone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let hana = portal.client(&world.hospital_admin).await;
    let review = Review::open(&portal, &hana, world.hospital.id).await;
    let own = review.of(&world.hospital_admin);
    let support = portal.client(&world.plan_support).await;
    review.keep((&portal, &support, &world.plan_support), &[own]).await.done();
    let previewed = shown(&preview(&support, &review, json!({ "all": true })).await);
    review.complete(&hana).await.done();
    let late = preview(&support, &review, json!({ "all": true })).await;
    assert_eq!(late.body["errors"][0]["extensions"]["reason"], "REVIEW_CLOSED");
    let told = late.body["errors"][0]["message"].as_str().expect("a sentence");
    assert!(told.contains("grant the access again, or open a new review"), "{told}");
    let mut input = input(&review, &previewed, json!({}));
    input["decisions"] = json!([{ "item": own, "decidedAt": "2026-01-12T17:00:00Z" }]);
    assert_eq!(undo(&support, input).await.refused(), "REVIEW_CLOSED");
    portal.settle().await;
    portal.finish().await;
}
