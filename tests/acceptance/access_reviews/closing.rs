//! Reviews whose revocations are carried out when they are closed (GN-15).

use rollcall_domain::{
    access_reviews::AccessReviewEvent,
    kernel::ids::OrganizationId,
    organizations::{OrgRole, Organization, OrganizationEvent},
    policies::{PolicyKey, PolicyValue},
};
use serde_json::{Value, json};

use super::{Review, SHOWN, error, times_told};
use crate::support::{Client, Person, Portal};

/// Opens a review of an organisation under AT_CLOSE, which the policy is only while it opens.
async fn opened(portal: &Portal, by: &Client, of: OrganizationId) -> Review {
    let mode = |word: &str| PolicyValue::Text(word.to_owned());
    portal.change_policy(PolicyKey::ReviewRevocations, mode("AT_CLOSE")).await;
    let review = Review::open(portal, by, of).await;
    portal.change_policy(PolicyKey::ReviewRevocations, mode("AT_ONCE")).await;
    review
}

async fn roster(portal: &Portal, of: OrganizationId) -> Organization {
    let (journal, world) = (&portal.service.commands.journal, portal.world());
    let loaded = journal.load_fresh::<Organization>(world.tenant, of.0).await;
    (*loaded.expect("the roster").state).clone()
}

async fn is_member(portal: &Portal, who: &Person) -> bool {
    let of = portal.world().clinic.id;
    roster(portal, of).await.is_active_member(who.user, portal.now())
}

/// What an item is shown as: outcome, whether it waits, and why it could not be carried out.
async fn shown(client: &Client, review: &Review, item: u32) -> Value {
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) {
        nodes { item outcome waitsForClosing refusal { code } } } }";
    let answer = client.send(document, json!({ "id": review.id })).await;
    let nodes = answer.data()["accessReviewItems"]["nodes"].as_array().expect("items").clone();
    let node = nodes.into_iter().find(|node| node["item"] == item).expect("the item");
    json!([node["outcome"], node["waitsForClosing"], node["refusal"]["code"]])
}

async fn of_review(client: &Client, review: &Review) -> Value {
    let document = "query($id: ID!) { accessReview(id: $id) {
        status revocations closingAt closingBy { name } counts { kept pending revoked changed gone } } }";
    client.send(document, json!({ "id": review.id })).await.data()["accessReview"].clone()
}

async fn tasks(client: &Client) -> Vec<(Value, Value)> {
    let document = "{ myTasks { nodes { kind count } } }";
    let answer = client.send(document, json!({})).await;
    let nodes = answer.data()["myTasks"]["nodes"].as_array().expect("a list").clone();
    nodes.iter().map(|task| (task["kind"].clone(), task["count"].clone())).collect()
}

async fn deactivated(portal: &Portal, of: OrganizationId) -> usize {
    let events = portal.events::<Organization>(of).await;
    let is_end =
        |event: &&OrganizationEvent| matches!(event, OrganizationEvent::UserDeactivated { .. });
    events.iter().filter(is_end).count()
}

#[tokio::test]
async fn gn_15_what_is_revoked_at_close_waits_and_is_then_carried_out_verified_and_signed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = opened(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let of = [&world.npi_admin, &world.processor, &world.newcomer, &world.clinic_second_admin];
    let [nora, paul, nell, abe] = of.map(|who| review.of(who));
    review.revoke(by, &[nora, paul]).await.done();
    review.revoke(by, &[nell]).await.done();
    portal.settle().await;
    assert!(is_member(&portal, &world.npi_admin).await, "nothing is done before the closing");
    assert_eq!(shown(&ann, &review, nora).await, json!(["PENDING", true, null]));
    // Keeping instead changes nothing in the world.
    review.keep(by, &[nell]).await.done();
    let role = json!({ "reason": "At the desk now.", "role": "PROCESSOR" });
    review.decide(by, &[abe], "CHANGE", role).await.done();
    let own = review.of(&world.clinic_admin);
    assert_eq!(error(&review.complete(&ann).await).0, "ITEMS_UNDECIDED");
    let abe_client = portal.client(&world.clinic_second_admin).await;
    review.keep((&portal, &abe_client, &world.clinic_second_admin), &[own]).await.done();
    assert_eq!(deactivated(&portal, world.clinic.id).await, 0);

    let begun = review.complete(&ann).await;
    assert_eq!(begun.done()["accessReview"]["status"], "OPEN", "nothing is signed yet");
    let late = review.keep(by, &[nora]).await;
    assert_eq!(late.refused(), "REVIEW_CLOSED");
    portal.settle().await;
    assert!(!is_member(&portal, &world.npi_admin).await);
    assert!(!is_member(&portal, &world.processor).await);
    assert!(is_member(&portal, &world.newcomer).await);
    let present = roster(&portal, world.clinic.id).await;
    assert_eq!(present.role_of(world.clinic_second_admin.user, portal.now()), OrgRole::Processor);
    assert_eq!(shown(&ann, &review, nora).await, json!(["REVOKED", false, null]));
    let counts = json!({ "kept": 2, "pending": 0, "revoked": 2, "changed": 1, "gone": 0 });
    let told = of_review(&ann, &review).await;
    assert_eq!((&told["counts"], &told["revocations"]), (&counts, &json!("AT_CLOSE")));
    assert_eq!(told["closingBy"]["name"], "Ann Lee");
    assert!(told["closingAt"].is_string());
    assert_eq!(tasks(&ann).await, [(json!("ACCESS_REVIEW"), json!(0))], "it waits to be signed");
    let text =
        "What was decided in the access review of Redwood Clinic is carried out. Sign the review.";
    assert_eq!(times_told(&portal, &ann, text).await, 1, "whoever closed it is told, once");
    let other = portal.client(&world.clinic_second_admin).await;
    assert_eq!(times_told(&portal, &other, text).await, 0);
    let late = review.decide(by, &[nell], "KEEP", json!({ "reason": "Stays." })).await;
    assert_eq!(error(&late), ("REVIEW_CLOSED", "items", vec![nell.to_string().as_str()]));
    assert_eq!(review.complete(&ann).await.done()["accessReview"]["status"], "COMPLETED");
    assert_eq!(deactivated(&portal, world.clinic.id).await, 2);
    // The policy that is in force by now is the next review's.
    let next = Review::open(&portal, &ann, world.clinic.id).await;
    assert_eq!(of_review(&ann, &next).await["revocations"], "AT_ONCE");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_cannot_be_carried_out_at_the_closing_is_told_and_decided_again() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, abe) = (&world.clinic_admin, &world.clinic_second_admin);
    let (ann_client, abe_client) = (portal.client(ann).await, portal.client(abe).await);
    let review = opened(&portal, &ann_client, world.clinic.id).await;
    let [of_ann, of_abe, nora] = [ann, abe, &world.npi_admin].map(|who| review.of(who));
    // Each of them could go; both cannot.
    review.revoke((&portal, &ann_client, ann), &[of_abe]).await.done();
    review.revoke((&portal, &abe_client, abe), &[of_ann]).await.done();
    review.revoke((&portal, &ann_client, ann), &[nora]).await.done();
    let others = [&world.processor, &world.newcomer].map(|who| review.of(who));
    review.keep((&portal, &ann_client, ann), &others).await.done();
    let leaves = json!({ "organizationId": world.clinic.id, "userId": world.npi_admin.user,
                         "confirm": true, "reason": "Left already." });
    abe_client.mutate("deactivateUser", leaves, "position").await.done();
    let support = portal.client(&world.plan_support).await;
    review.complete(&support).await.done();
    portal.settle().await;
    let (stays, item) = if is_member(&portal, ann).await { (ann, of_ann) } else { (abe, of_abe) };
    assert!(is_member(&portal, stays).await, "somebody administers the clinic");
    assert_eq!(deactivated(&portal, world.clinic.id).await, 2, "Nora and the other administrator");
    assert_eq!(shown(&support, &review, item).await, json!(["PENDING", false, "LAST_ADMIN"]));
    assert_eq!(shown(&support, &review, nora).await, json!(["PENDING", false, "ALREADY_INACTIVE"]));
    let refused = review.complete(&support).await;
    assert_eq!(error(&refused), ("STILL_IN_EFFECT", "", vec![item.to_string().as_str()]));
    let stays_client = portal.client(stays).await;
    let text = "Something that was decided in the access review of Redwood Clinic could not be carried out. \
                Decide about it again.";
    assert_eq!(times_told(&portal, &stays_client, text).await, 1);
    // Decided again, also by the same words, it is carried out or refused at once.
    let by = (&portal, &support, &world.plan_support);
    assert_eq!(error(&review.revoke(by, &[item]).await).1, "evidence");
    review.keep(by, &[item]).await.done();
    portal.settle().await;
    assert_eq!(review.complete(&support).await.done()["accessReview"]["status"], "COMPLETED");
    let events = review.events(&portal).await;
    let Some(AccessReviewEvent::AccessReviewCompleted { totals, gone, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!((totals.kept, totals.revoked, totals.gone), (3, 1, 1));
    assert_eq!(gone[..], [nora]);
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_decision_that_waits_is_checked_when_it_is_made_and_keeps_the_plans_evidence() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let review = opened(&portal, &support, world.hospital.id).await;
    let by = (&portal, &support, &world.plan_support);
    let hana = review.of(&world.hospital_admin);
    assert_eq!(error(&review.revoke(by, &[hana]).await).1, "evidence");
    assert_eq!(review.events(&portal).await.len(), 2, "nothing was decided");
    let more = json!({ "reason": "Left.", "evidence": "Letter of 12 January." });
    review.decide(by, &[hana], "REVOKE", more).await.done();
    let evidence = |events: &[OrganizationEvent]| {
        let is_it = |event: &&OrganizationEvent| {
            matches!(event, OrganizationEvent::PlanEvidenceRecorded { .. })
        };
        events.iter().filter(is_it).count()
    };
    assert_eq!(evidence(&portal.events::<Organization>(world.hospital.id).await), 0);
    review.complete(&support).await.done();
    // Carried out though the service stopped in between, and once.
    let portal = portal.restarted().await;
    portal.settle().await;
    let events = portal.events::<Organization>(world.hospital.id).await;
    assert_eq!(evidence(&events), 1, "it stands beside the end of the access");
    assert_eq!(deactivated(&portal, world.hospital.id).await, 1);
    let support = portal.client(&world.plan_support).await;
    assert_eq!(review.complete(&support).await.done()["accessReview"]["status"], "COMPLETED");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_review_that_is_cancelled_before_its_closing_has_taken_nothing_away() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = opened(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let nora = review.of(&world.npi_admin);
    review.revoke(by, &[nora]).await.done();
    let undo = json!({ "decisions": [{ "item": nora, "decidedAt": "2026-01-12T17:00:00Z" }],
                       "reason": "The wrong list.", "receipt": super::receipt_for(&portal, by.2) });
    let undone = "outcome { undone { gaveBack } refused { error { code } } }";
    let undone = ann.mutate("undoReviewDecisions", review.input(undo), undone).await;
    assert_eq!(
        undone.done()["outcome"],
        json!({ "undone": [{ "gaveBack": "NOTHING" }], "refused": [] })
    );
    review.revoke(by, &[nora]).await.done();
    let cancel = review.input(json!({ "reason": "Opened by mistake." }));
    ann.mutate("cancelReview", cancel, SHOWN).await.done();
    portal.settle().await;
    assert!(is_member(&portal, &world.npi_admin).await);
    portal.finish().await;
}
