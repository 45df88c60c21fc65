//! What comes by itself: a review of each period, reminders, overdue, escalation, verification.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    access_reviews::{AccessReview, AccessReviewEvent, Opener},
    kernel::ids::OrganizationId,
    organizations::Organization,
    policies::{OverdueAction, PolicyKey, PolicyValue},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Review, SHOWN};
use crate::support::{Client, Portal, uuid_of};

/// Half a year after the clinic was registered, on the same hour of its clocks.
const FIRST: &str = "2026-06-11T16:00:00Z";
const SECOND: &str = "2026-12-08T17:00:00Z";

pub(super) fn at(moment: &str) -> DateTime<Utc> {
    moment.parse().expect("a moment")
}

pub(super) async fn come_to(portal: &Portal, moment: DateTime<Utc>) {
    portal.clock.set(moment);
    portal.service.background.wake();
    portal.settle().await;
}

fn scheduled(portal: &Portal, of: OrganizationId, moment: &str) -> Uuid {
    portal.world().tenant.access_review_stream(of, at(moment).date_naive())
}

async fn openings(portal: &Portal, id: Uuid) -> usize {
    let events = portal.events::<AccessReview>(id).await;
    let opened = |event: &&AccessReviewEvent| {
        matches!(event, AccessReviewEvent::AccessReviewOpened { opened_by: Opener::Scheduled, .. })
    };
    events.iter().filter(opened).count()
}

async fn notices(portal: &Portal, client: &Client) -> Vec<String> {
    let all = super::notices(portal, client).await;
    all.into_iter().filter(|text| text.contains("Redwood Clinic")).collect()
}

#[tokio::test]
async fn cc_13_the_schedule_opens_a_review_of_each_period_at_its_second_and_once() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let first = scheduled(&portal, world.clinic.id, FIRST);
    come_to(&portal, at(FIRST) - TimeDelta::seconds(1)).await;
    assert_eq!(openings(&portal, first).await, 0);
    come_to(&portal, at(FIRST)).await;
    assert_eq!(openings(&portal, first).await, 1);
    let review = Review::at(&portal, first, world.clinic.id).await;
    assert!(!review.items.is_empty());
    // A shorter cadence has it looked at again: the period that goes on has its review.
    portal.change_policy(PolicyKey::ReviewCadenceDays, PolicyValue::Integer(90)).await;
    come_to(&portal, at(FIRST) + TimeDelta::days(1)).await;
    assert_eq!(openings(&portal, first).await, 1);

    // Its own administrators do not call it off; the plan does.
    let ann = portal.client(&world.clinic_admin).await;
    let cancel = review.input(json!({ "reason": "No time." }));
    let refused = ann.mutate("cancelReview", cancel.clone(), SHOWN).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let support = portal.client(&world.plan_support).await;
    support.mutate("cancelReview", cancel, SHOWN).await.done();
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn cc_13_of_missed_periods_the_last_is_reviewed_and_none_while_one_is_open() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let hana = portal.client(&world.hospital_admin).await;
    Review::open(&portal, &hana, world.hospital.id).await;
    come_to(&portal, at(SECOND)).await;
    let opened = |of, moment| openings(&portal, scheduled(&portal, of, moment));
    assert_eq!(opened(world.clinic.id, FIRST).await, 0, "the past is not reviewed one by one");
    assert_eq!(opened(world.clinic.id, SECOND).await, 1);
    assert_eq!(opened(world.hospital.id, SECOND).await, 0, "one is open there");
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_the_schedule_asks_about_what_changed_alone_where_the_policy_says_so() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.change_policy(PolicyKey::ReviewChangedOnly, PolicyValue::Boolean(true)).await;
    // Nothing was signed before: everything is asked.
    come_to(&portal, at(FIRST)).await;
    let first = scheduled(&portal, world.clinic.id, FIRST);
    let first = Review::at(&portal, first, world.clinic.id).await;
    let plan = portal.client(&world.plan_admin).await;
    let items: Vec<u32> = first.items.iter().map(|item| item.item).collect();
    first.keep((&portal, &plan, &world.plan_admin), &items).await.done();
    first.complete(&plan).await.done();

    portal.change_policy(PolicyKey::ReviewCadenceDays, PolicyValue::Integer(30)).await;
    let next = "2026-07-11T16:00:00Z";
    come_to(&portal, at(next)).await;
    let second = scheduled(&portal, world.clinic.id, next);
    assert_eq!(openings(&portal, second).await, 1);
    let second = Review::at(&portal, second, world.clinic.id).await;
    // Nothing changed: nobody decides, and it is signed that this is so.
    let plan = portal.client(&world.plan_admin).await;
    let shown = "query($id: ID!, $at: Position) { accessReview(id: $id, minPosition: $at) {
      changedOnly comparedWithId population counts { undecided carriedForward gone } } }";
    let at = portal.position().await.to_string();
    let answer = plan.send(shown, json!({ "id": second.id, "at": at })).await;
    let review = &answer.data()["accessReview"];
    assert_eq!(review["changedOnly"], true, "{review}");
    assert_eq!(uuid_of(review["comparedWithId"].as_str().expect("an id")), first.id);
    // Whoever did not sign in for half a year is deactivated at the same time, and gone or not on the list.
    let count = |what: &str| review["counts"][what].as_i64().expect("a number");
    assert_eq!(count("undecided"), 0, "{review}");
    assert!(count("carriedForward") > 0, "{review}");
    assert_eq!(json!(count("carriedForward") + count("gone")), review["population"], "{review}");
    second.complete(&plan).await.done();
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn cc_13_reviewers_are_told_at_the_opening_a_week_and_a_day_before_and_when_it_is_overdue() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let due = portal.now() + TimeDelta::days(30);
    let mut expected = vec!["An access review of Redwood Clinic waits for you."];
    let soon = "The access review of Redwood Clinic is due soon.";
    let steps = [
        (TimeDelta::zero() - TimeDelta::days(30), None),
        (TimeDelta::days(-7) - TimeDelta::seconds(1), None),
        (TimeDelta::days(-7), Some(soon)),
        (TimeDelta::days(-1), Some(soon)),
        (TimeDelta::zero(), Some("The access review of Redwood Clinic is overdue.")),
        (
            TimeDelta::days(14),
            Some("The health plan was told that the access review of Redwood Clinic is overdue."),
        ),
    ];
    for (offset, told) in steps {
        come_to(&portal, due + offset).await;
        expected.extend(told);
        let ann = portal.client(&world.clinic_admin).await;
        let mut said = notices(&portal, &ann).await;
        said.reverse();
        assert_eq!(said, expected, "{offset}");
    }
    let plan = portal.client(&world.plan_support).await;
    let said = notices(&portal, &plan).await;
    assert_eq!(said, ["Nobody signed the access review of Redwood Clinic in time."]);
    let mail = portal.mailbox(&world.clinic_admin.email).await;
    assert!(mail.iter().any(|it| it.to_string().contains("a review")), "mail followed");
    let told = review.events(&portal).await;
    let escalated = told.iter().filter(|event| {
        matches!(
            event,
            AccessReviewEvent::AccessReviewEscalated { action: OverdueAction::Escalate, .. }
        )
    });
    assert_eq!(escalated.count(), 1);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_an_escalation_suspends_the_organization_where_the_policy_says_so() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let suspend = PolicyValue::Text("SUSPEND".to_owned());
    portal.change_policy(PolicyKey::ReviewOverdueAction, suspend).await;
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    come_to(&portal, portal.now() + TimeDelta::days(44)).await;
    let journal = &portal.service.commands.journal;
    let roster = journal.load_fresh::<Organization>(world.tenant, world.clinic.id.0).await;
    assert!(!roster.expect("the roster").state.is_active());
    let told = review.events(&portal).await;
    assert!(
        matches!(
            told.last(),
            Some(AccessReviewEvent::AccessReviewEscalated { action: OverdueAction::Suspend, .. })
        ),
        "{told:?}"
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_revocation_is_verified_though_the_service_stopped_in_between() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    review.revoke(by, &[review.of(&world.processor)]).await.done();
    let portal = portal.restarted().await;
    portal.settle().await;
    // A look before the access register had come so far is followed by another one.
    portal.advance(std::time::Duration::from_secs(60));
    portal.service.background.wake();
    portal.settle().await;
    let verified: Vec<Value> = review
        .events(&portal)
        .await
        .iter()
        .filter_map(|event| {
            let AccessReviewEvent::ReviewRevocationExecuted(done) = event else { return None };
            Some(json!(done.verified))
        })
        .collect();
    assert_eq!(verified.last(), Some(&json!(true)), "{verified:?}");
    portal.finish().await;
}
