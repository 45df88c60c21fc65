//! The regular review of what happened in the portal: signed, watched, caught up with (GN-34).

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    audit::{ActivityReviews, ActivityReviewsEvent},
    policies::{PolicyKey, PolicyValue, Preset},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Portal};

const STATUS: &str = "{ activityReviewStatus { reviewedUntil statement statementVersion
    overdue { from to periods dueAt } next { from to periods dueAt } } }";
const REVIEW: &str = "activityReview { id from to findings signedName statementVersion completedAt
    completedBy { name } questions { report filter } }";

async fn status(client: &Client) -> Value {
    client.send(STATUS, json!({})).await.data()["activityReviewStatus"].clone()
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a moment").parse().expect("a moment")
}

fn input(from: &Value, to: &Value) -> Value {
    json!({
        "period": { "from": from, "to": to },
        "questions": [{ "report": "TERMINATIONS", "filter": "limit 24 hours" },
                      { "filter": "failed sign-ins" }],
        "findings": "Two accounts were closed late; both administrators were told.",
        "signature": { "name": "Aya Nash", "attested": true },
    })
}

async fn complete(client: &Client, input: Value) -> Answer {
    client.mutate("completeActivityReview", input, REVIEW).await
}

async fn overdue(portal: &Portal) -> Vec<(u32, DateTime<Utc>)> {
    let stream = portal.world().tenant.activity_reviews_stream();
    let events = portal.events::<ActivityReviews>(stream).await;
    let told = events.into_iter().filter_map(|event| match event {
        ActivityReviewsEvent::ActivityReviewOverdue { periods, period, .. } => {
            Some((periods, period.to))
        }
        ActivityReviewsEvent::ActivityReviewCompleted(_) => None,
    });
    told.collect()
}

async fn notices(portal: &Portal, client: &Client) -> Vec<String> {
    let at = portal.position().await.to_string();
    let list = "query($at: Position) { notifications(minPosition: $at) { nodes { type text } } }";
    let answer = client.send(list, json!({ "at": at })).await;
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("nodes");
    let due = nodes.iter().filter(|node| node["type"] == "REVIEW_DUE");
    due.map(|node| node["text"].as_str().expect("a sentence").to_owned()).collect()
}

async fn an_overdue_review_is_told_at_its_second(slug: &str, preset: Preset) {
    let portal = Portal::seeded(slug, preset).await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    let next = status(&auditor).await["next"].clone();
    let due_at = moment(&next["dueAt"]);
    assert_eq!(due_at - moment(&next["from"]), TimeDelta::days(37), "thirty days and a week");
    portal.clock.set(due_at - TimeDelta::seconds(1));
    portal.settle().await;
    assert_eq!(overdue(&portal).await, []);
    portal.clock.set(due_at);
    portal.service.background.wake();
    portal.settle().await;
    assert_eq!(overdue(&portal).await, [(1, moment(&next["to"]))]);
    for who in [&world.auditor, &world.plan_admin] {
        let client = portal.client(who).await;
        let told = notices(&portal, &client).await;
        assert_eq!(told, ["A review of the activity in the portal is overdue."], "{preset:?}");
        let mail = portal.mailbox(&who.email).await;
        let last = mail.last().expect("mail followed").to_string();
        assert!(last.contains("a review"), "{last}");
    }
    let support = portal.client(&world.plan_support).await;
    assert_eq!(notices(&portal, &support).await, Vec::<String>::new());
    portal.clock.set(due_at + TimeDelta::days(1));
    portal.service.background.wake();
    portal.settle().await;
    assert_eq!(overdue(&portal).await.len(), 1, "told once");
    portal.finish().await;
}

#[tokio::test]
async fn gn_34_an_overdue_review_is_told_at_its_second_in_medi_cal() {
    an_overdue_review_is_told_at_its_second("medi-cal", Preset::MediCal).await;
}

#[tokio::test]
async fn gn_34_an_overdue_review_is_told_at_its_second_in_alliance() {
    an_overdue_review_is_told_at_its_second("alliance", Preset::Alliance).await;
}

#[tokio::test]
async fn gn_34_a_review_is_signed_with_what_was_asked_and_found_and_never_changes() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    let before = status(&auditor).await;
    assert_eq!(before["statementVersion"], "1");
    let (from, to) = (before["reviewedUntil"].clone(), json!("2026-01-12T17:00:00Z"));
    let done = complete(&auditor, input(&from, &to)).await;
    let review = done.done()["activityReview"].clone();
    assert_eq!(review["signedName"], "Aya Nash");
    assert_eq!(review["completedBy"]["name"], "Aya Nash");
    assert_eq!(
        review["questions"][0],
        json!({ "report": "TERMINATIONS", "filter": "limit 24 hours" })
    );
    assert_eq!(review["questions"][1], json!({ "report": null, "filter": "failed sign-ins" }));
    assert_eq!((&review["from"], &review["to"]), (&from, &to));
    let after = status(&auditor).await;
    assert_eq!((&after["reviewedUntil"], &after["overdue"]), (&to, &Value::Null));
    let list = "{ activityReviews { totalCount nodes { findings signedName } } }";
    let listed = auditor.send(list, json!({})).await.data()["activityReviews"].clone();
    let findings = "Two accounts were closed late; both administrators were told.";
    let node = json!({ "findings": findings, "signedName": "Aya Nash" });
    assert_eq!(listed, json!({ "totalCount": 1, "nodes": [node] }));
    portal.settle().await;
    let told =
        "{ auditEvents(filter: { types: [\"audit.activity_reviews.activity_review_completed\"] })
        { nodes { sentence after } } }";
    let told = auditor.send(told, json!({})).await.data()["auditEvents"]["nodes"][0].clone();
    let sentence = told["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("Aya Nash reviewed the activity from "), "{sentence}");
    assert!(!told.to_string().contains("closed late"), "what was found is sealed: {told}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_34_a_review_that_does_not_hold_is_refused() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    let begins = status(&auditor).await["reviewedUntil"].clone();
    let now = json!("2026-01-12T17:00:00Z");
    let changed = |at: &[&str], value: Value| {
        let mut input = input(&begins, &now);
        let field = at.iter().fold(&mut input, |input, name| &mut input[*name]);
        *field = value;
        input
    };
    let cases = [
        (changed(&["period", "to"], json!("2026-01-12T17:00:01Z")), "RANGE_INVALID"),
        (changed(&["period", "to"], begins.clone()), "RANGE_INVALID"),
        (changed(&["period", "from"], json!("2025-01-01T00:00:00Z")), "BEFORE_RECORDS"),
        (changed(&["period", "from"], json!("yesterday")), "DATE_INVALID"),
        (changed(&["findings"], json!(" \n ")), "FIELD_REQUIRED"),
        (changed(&["questions"], json!([])), "FIELD_REQUIRED"),
        (changed(&["signature", "name"], json!("")), "FIELD_REQUIRED"),
        (changed(&["signature", "attested"], json!(false)), "BOX_NOT_TICKED"),
    ];
    for (input, code) in cases {
        assert_eq!(complete(&auditor, input.clone()).await.refused(), code, "{input}");
    }
    let signed = changed(&["period", "to"], json!("2026-01-05T00:00:00Z"));
    complete(&auditor, signed).await.done();
    let overlapping = changed(&["period", "from"], json!("2026-01-04T23:59:59Z"));
    assert_eq!(complete(&auditor, overlapping).await.refused(), "ALREADY_SIGNED");
    let rest = changed(&["period", "from"], json!("2026-01-05T00:00:00Z"));
    for who in [&world.plan_support, &world.clinic_admin, &world.processor] {
        let client = portal.client(who).await;
        assert_eq!(complete(&client, rest.clone()).await.refused(), "FORBIDDEN");
        let list = client.send("{ activityReviews { totalCount } }", json!({})).await;
        assert_eq!(list.error_code(), "FORBIDDEN");
    }
    let other = portal.another_tenant("cencal", Preset::Cencal).await;
    let theirs = portal.client_in(&other, Preset::Cencal, &other.auditor).await;
    let list = theirs.send("{ activityReviews { totalCount } }", json!({})).await;
    assert_eq!(list.data()["activityReviews"]["totalCount"], 0, "nothing of another portal");
    let plan = portal.client(&world.plan_admin).await;
    complete(&plan, rest).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_34_several_missed_periods_are_one_alert_and_one_review_catches_up() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let auditor = portal.client(&world.auditor).await;
    let next = status(&auditor).await["next"].clone();
    let begins = next["from"].clone();
    portal.clock.set(moment(&begins) + TimeDelta::days(100));
    portal.service.background.wake();
    portal.settle().await;
    let ninety = moment(&begins) + TimeDelta::days(90);
    assert_eq!(overdue(&portal).await, [(3, ninety)]);
    let auditor = portal.client(&world.auditor).await;
    let now = status(&auditor).await;
    assert_eq!(now["overdue"]["periods"], 3);
    let to = (moment(&begins) + TimeDelta::days(100)).to_rfc3339();
    complete(&auditor, input(&begins, &json!(to))).await.done();
    let after = status(&auditor).await;
    assert_eq!(after["overdue"], Value::Null);
    assert_eq!(moment(&after["next"]["dueAt"]), moment(&begins) + TimeDelta::days(137));
    portal.clock.set(moment(&after["next"]["dueAt"]));
    portal.service.background.wake();
    portal.settle().await;
    assert_eq!(overdue(&portal).await.len(), 2, "the next one comes alone");
    portal.finish().await;
}

#[tokio::test]
async fn gn_34_no_review_is_due_where_the_policy_asks_for_none() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.change_policy(PolicyKey::ActivityReviewDays, PolicyValue::Off).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    assert_eq!(status(&auditor).await["next"], Value::Null);
    portal.advance(std::time::Duration::from_secs(90 * 24 * 3600));
    portal.settle().await;
    assert_eq!(overdue(&portal).await, []);
    // Asked for again, what nobody reviewed meanwhile is overdue at once.
    portal.change_policy(PolicyKey::ActivityReviewDays, PolicyValue::Integer(30)).await;
    portal.settle().await;
    assert_eq!(overdue(&portal).await.len(), 1);
    portal.finish().await;
}
