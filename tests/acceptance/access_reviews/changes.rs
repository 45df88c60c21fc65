//! Reviews that a change opens by itself, where the policy has it so (GN-15).

use std::{collections::BTreeSet, time::Duration};

use rollcall_domain::{
    access_reviews::{AccessReview, AccessReviewEvent, ReviewScope},
    policies::{PolicyKey, PolicyValue, Preset, ReviewedChange},
};
use serde_json::{Value, json};

use super::{
    Review, SHOWN,
    affiliations::{Scene, scene},
    error,
};
use crate::support::{Answer, Client, Company, Person, Portal, uuid_of};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lets the policy have such changes reviewed.
async fn reviewed(portal: &Portal, changes: &[ReviewedChange]) {
    let words = changes.iter().map(|change| change.as_str().to_owned()).collect();
    portal.change_policy(PolicyKey::ReviewChanges, PolicyValue::Words(words)).await;
}

/// The open reviews of an organisation, as plan staff see them.
async fn open(portal: &Portal, of: &Company) -> Vec<Value> {
    portal.settle().await;
    let plan = portal.client(&portal.world().plan_support).await;
    let list = "query($of: ID!, $at: Position) {
        accessReviews(organizationId: $of, status: OPEN, minPosition: $at) { nodes {
          id scope { choice userIds } openedBy { name }
          openedBecause { change auditEventId } population } } }";
    let at = portal.position().await.to_string();
    let answer = plan.send(list, json!({ "of": of.id, "at": at })).await;
    answer.data()["accessReviews"]["nodes"].as_array().expect("reviews").clone()
}

#[track_caller]
fn id(review: &Value) -> uuid::Uuid {
    uuid_of(review["id"].as_str().expect("an id"))
}

/// Whose access is on a list.
async fn people(portal: &Portal, review: &Value) -> BTreeSet<uuid::Uuid> {
    let listed = Review::at(portal, id(review), portal.world().clinic.id).await.items;
    listed.into_iter().map(|item| item.user.0).collect()
}

async fn assign(by: &Client, of: &Company, who: &Person, role: &str) -> Answer {
    let input = json!({ "organizationId": of.id, "userId": who.user, "role": role });
    by.mutate("assignOrgRole", input, "position").await
}

/// Gives somebody a level for the organisation's second NPI, for which nobody has one.
async fn level(by: &Client, of: &Company, who: &Person) -> Answer {
    let input = json!({ "organizationId": of.id, "userId": who.user,
        "permissions": [{ "npi": of.npis[1], "level": "ADMIN" }] });
    by.mutate("setNpiPermissions", input, "position").await
}

#[tokio::test]
async fn gn_15_a_new_administrator_is_reviewed_at_once_where_the_policy_has_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (clinic, paul) = (&world.clinic, &world.processor);
    let ann = portal.client(&world.clinic_admin).await;
    assign(&ann, clinic, paul, "ADMIN").await.done();
    assert_eq!(open(&portal, clinic).await, Vec::<Value>::new(), "no policy asks for it");
    assign(&ann, clinic, paul, "NONE").await.done();

    reviewed(&portal, &[ReviewedChange::NewAdministrator]).await;
    assign(&ann, clinic, paul, "PROCESSOR").await.done();
    assert_eq!(open(&portal, clinic).await.len(), 0, "no administrator");
    assign(&ann, clinic, paul, "ADMIN").await.done();
    let found = open(&portal, clinic).await;
    assert_eq!(found.len(), 1);
    let because = &found[0]["openedBecause"];
    assert_eq!(
        (&because["change"], &found[0]["openedBy"]),
        (&json!("NEW_ADMINISTRATOR"), &Value::Null)
    );
    assert_eq!(found[0]["scope"]["choice"], "PEOPLE");
    assert_eq!(people(&portal, &found[0]).await, [paul.user.0].into());
    // The event that brought it about, for whoever wants to know.
    let auditor = portal.client(&world.auditor).await;
    let node = "query($id: ID!) { node(id: $id) { ... on AuditEvent { sentence } } }";
    let told = auditor.send(node, json!({ "id": because["auditEventId"] })).await;
    let told = told.data()["node"]["sentence"].as_str().expect("a sentence").to_owned();
    assert!(told.contains("Paul Kim") && told.contains("Admin"), "{told}");
    let events = "{ auditEvents(first: 60) { nodes { sentence } } }";
    let told = auditor.send(events, json!({})).await.data().to_string();
    let opening = "opened an access review of Redwood Clinic after somebody became an administrator: \
                   all that one person has,";
    assert!(told.contains(opening), "{told}");

    // The membership and each right; the new administrator does not decide about themself.
    let review = Review::at(&portal, id(&found[0]), clinic.id).await;
    assert!(review.items.len() >= 2, "{:?}", review.items);
    let all: Vec<u32> = review.items.iter().map(|item| item.item).collect();
    let own = portal.client(paul).await;
    let refused = review.keep((&portal, &own, paul), &all).await;
    assert_eq!(error(&refused).0, "SELF_REVIEW");
    let cancel = review.input(json!({ "reason": "No time." }));
    assert_eq!(ann.mutate("cancelReview", cancel, SHOWN).await.refused(), "FORBIDDEN");
    // Made administrator again meanwhile: they are under review already.
    assign(&ann, clinic, paul, "NONE").await.done();
    assign(&ann, clinic, paul, "ADMIN").await.done();
    assert_eq!(open(&portal, clinic).await.len(), 1);
    review.keep((&portal, &ann, &world.clinic_admin), &all).await.done();
    review.complete(&ann).await.done();
    portal.settle().await;
    let totals = review.events(&portal).await.into_iter().find_map(|event| {
        let AccessReviewEvent::AccessReviewCompleted { totals, joiners, .. } = event else {
            return None;
        };
        Some((totals, joiners))
    });
    let (totals, joiners) = totals.expect("it is signed");
    assert_eq!((totals.kept as usize, joiners), (all.len(), 0));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_right_granted_after_ninety_days_without_a_sign_in_is_reviewed_at_its_second() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let clinic = &world.clinic;
    reviewed(&portal, &[ReviewedChange::GrantedWhileDormant]).await;
    // Both sign in today.
    for who in [&world.processor, &world.npi_admin] {
        portal.client(who).await.sign_in(&who.email, crate::support::PASSWORD).await;
    }
    portal.settle().await;
    // Ninety days by the portal's clocks, which go forward in between.
    portal.advance(90 * DAY - Duration::from_secs(3_600 + 60));
    let ann = portal.client(&world.clinic_admin).await;
    level(&ann, clinic, &world.processor).await.done();
    assert_eq!(open(&portal, clinic).await, Vec::<Value>::new(), "a minute too early");
    portal.advance(Duration::from_secs(60));
    let ann = portal.client(&world.clinic_admin).await;
    level(&ann, clinic, &world.npi_admin).await.done();
    let of_ann = open(&portal, clinic).await;
    let change = |review: &Value| review["openedBecause"]["change"].clone();
    let found: Vec<&Value> =
        of_ann.iter().filter(|it| change(it) == "GRANTED_WHILE_DORMANT").collect();
    assert_eq!(found.len(), 1, "{of_ann:?}");
    assert_eq!(people(&portal, found[0]).await, [world.npi_admin.user.0].into());
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_who_worked_under_an_affiliation_that_ended_is_reviewed_from_its_last_second_on() {
    let Scene { portal, clerk, affiliation, .. } = scene().await;
    let world = portal.world().clone();
    reviewed(&portal, &[ReviewedChange::AffiliationEnded]).await;
    let clinic = portal.client(&world.clinic_admin).await;
    let end = json!({ "organizationId": world.clinic.id, "affiliationId": affiliation,
                      "confirm": true, "endsOn": "2026-01-13" });
    clinic.mutate("terminateAffiliation", end, "position").await.done();
    let over = "2026-01-14T08:00:00Z".parse().expect("a moment");
    portal.clock.set(over - chrono::TimeDelta::seconds(1));
    portal.service.background.wake();
    assert_eq!(open(&portal, &world.biller).await, Vec::<Value>::new());
    portal.clock.set(over);
    portal.service.background.wake();
    let found = open(&portal, &world.biller).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["openedBecause"]["change"], "AFFILIATION_ENDED");
    assert_eq!(people(&portal, &found[0]).await, [clerk.user.0].into());
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_who_moved_here_by_request_or_with_a_merged_organization_is_reviewed_here() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world().clone();
    reviewed(&portal, &[ReviewedChange::Moved]).await;
    let (paul, support) =
        (portal.client(&world.processor).await, portal.client(&world.plan_support).await);
    let ask = json!({ "organizationId": world.clinic.id, "why": "A change of offices.",
                      "toNpi": world.hospital.npis[0] });
    let asked = paul.mutate("requestMove", ask, "accessRequest { id }").await;
    let decide = json!({ "organizationId": world.clinic.id, "decision": "APPROVE",
                         "accessRequestId": asked.done()["accessRequest"]["id"] });
    support.mutate("decideAccessRequest", decide, "position").await.done();
    let found = open(&portal, &world.hospital).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["openedBecause"]["change"], "MOVED");
    assert_eq!(people(&portal, &found[0]).await, [world.processor.user.0].into());
    assert_eq!(open(&portal, &world.clinic).await.len(), 0);

    let plan = portal.client(&world.plan_admin).await;
    let merge = json!({ "fromOrganizationId": world.clinic.id, "roles": "KEEP",
        "intoOrganizationId": world.hospital.id, "reason": "The hospital bought the clinic." });
    plan.mutate("mergeOrganizations", merge, "organization { id }").await.done();
    let found = open(&portal, &world.hospital).await;
    assert_eq!(found.len(), 2, "one of them all: {found:?}");
    let of_all = found.iter().find(|it| it["scope"]["userIds"].as_array().unwrap().len() > 1);
    let people = people(&portal, of_all.expect("of several people")).await;
    assert!(
        people.contains(&world.clinic_admin.user.0)
            && !people.contains(&world.hospital_admin.user.0)
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_imported_people_are_reviewed_together_once_the_import_is_done() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let line = crate::enrolment::line(json!({ "reference": "S-1" }));
    let enrolled = crate::enrolment::import(&support, vec![line]).await;
    let sierra = uuid_of(enrolled[0]["organizationId"].as_str().expect("enrolled"));
    reviewed(&portal, &[ReviewedChange::Imported]).await;
    let row = |n: u32, role: &str| {
        json!({ "organizationReference": "S-1", "legacyId": format!("u-{n}"),
                "username": format!("person.{n}"), "email": format!("person{n}@sierra.example"),
                "firstName": "Rosa", "lastName": "Sol", "mobile": format!("+1202555019{n}"),
                "orgRole": role, "npis": "1000000004=PROCESSOR", "correspondence": "" })
    };
    let rows: Vec<Value> = vec![row(1, "ADMIN"), row(2, "NONE"), row(3, "NONE")];
    let plan = portal.client(&world.plan_admin).await;
    plan.mutate("importPeople", json!({ "rows": rows }), "import { id }").await.done();
    portal.settle().await;
    portal.advance(Duration::from_secs(60));
    portal.service.background.wake();
    let sierra = Company {
        id: rollcall_domain::kernel::ids::OrganizationId(sierra),
        ..world.clinic.clone()
    };
    let found = open(&portal, &sierra).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["openedBecause"]["change"], "IMPORTED");
    assert_eq!(people(&portal, &found[0]).await.len(), 3);
    // Again later: nothing is opened twice.
    portal.advance(Duration::from_secs(600));
    portal.service.background.wake();
    assert_eq!(open(&portal, &sierra).await.len(), 1);
    let opened = portal.events::<AccessReview>(id(&found[0])).await;
    assert!(matches!(
        &opened[0],
        AccessReviewEvent::AccessReviewOpened { scope: ReviewScope::People { users }, .. }
            if users.len() == 3
    ));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_people_are_named_for_a_review_by_hand_and_nobody_else_is_on_its_list() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let ask = |ids: Value| json!({ "organizationId": world.clinic.id, "scope": "PEOPLE", "userIds": ids });
    let refused = ann.mutate("openReview", ask(json!([])), SHOWN).await;
    assert_eq!(error(&refused), ("RANGE_INVALID", "userIds", vec![]));
    let refused = ann.mutate("openReview", ask(json!([world.hospital_admin.user])), SHOWN).await;
    let (code, field, details) = error(&refused);
    assert_eq!((code, field, details.len()), ("NOT_FOUND", "userIds", 1));
    let two = json!([world.processor.user, world.npi_admin.user]);
    let more = json!({ "scope": "PEOPLE", "userIds": two });
    let review = Review::open_of(&portal, &ann, world.clinic.id, more).await;
    let listed: BTreeSet<_> = review.items.iter().map(|item| item.user).collect();
    assert_eq!(listed, [world.processor.user, world.npi_admin.user].into());
    let again = ann.mutate("openReview", ask(two), SHOWN).await;
    assert_eq!(error(&again).0, "DUPLICATE_REQUEST");
    // A right that comes after is told apart, and counted when it is signed.
    level(&ann, &world.clinic, &world.processor).await.done();
    let feature = json!({ "organizationId": world.clinic.id, "userId": world.newcomer.user,
        "permissions": [{ "npi": world.clinic.npis[0], "level": "ADMIN" }] });
    ann.mutate("setNpiPermissions", feature, "position").await.done();
    portal.settle().await;
    let joiners = "query($id: ID!, $at: Position) {
        accessReviewJoiners(accessReviewId: $id, minPosition: $at) { nodes { user { id } } } }";
    let at = portal.position().await.to_string();
    let answer = ann.send(joiners, json!({ "id": review.id, "at": at })).await;
    let nodes = answer.data()["accessReviewJoiners"]["nodes"].as_array().expect("a list").clone();
    let joined: Vec<&Value> = nodes.iter().map(|node| &node["user"]["id"]).collect();
    assert_eq!(joined.len(), 1, "the newcomer is not named: {nodes:?}");
    assert_eq!(uuid_of(joined[0].as_str().expect("an id")), world.processor.user.0);
    // A campaign is of organisations.
    let plan = portal.client(&world.plan_admin).await;
    let campaign = json!({ "name": "These", "choice": { "scope": "PEOPLE" } });
    let refused = plan.mutate("openReviewCampaign", campaign, "position").await;
    assert_eq!(refused.refused(), "FIELD_INVALID");
    portal.finish().await;
}
