//! What reviewers do, and what follows for the people on the list at once.

use rollcall_domain::{
    access_reviews::{AccessReviewEvent, ReviewDecision, ReviewedAccess},
    kernel::ids::OrganizationId,
    organizations::{OrgRole, Organization, OrganizationEvent},
    permissions::Cause,
    tenants::PlanRole,
};
use serde_json::{Value, json};

use super::{Review, SHOWN, error, receipt_for, times_told};
use crate::support::{Client, Person, Portal, uuid_of};

/// Whether the person's session still answers.
async fn is_in(client: &Client) -> bool {
    client.send("{ me { email } }", json!({})).await.body["errors"].is_null()
}

async fn roster(portal: &Portal) -> Organization {
    let (journal, world) = (&portal.service.commands.journal, portal.world());
    let id = world.clinic.id.0;
    let loaded = journal.load_fresh::<Organization>(world.tenant, id).await;
    (*loaded.expect("the roster").state).clone()
}

async fn is_member(portal: &Portal, who: &Person) -> bool {
    roster(portal).await.is_active_member(who.user, portal.now())
}

async fn role(portal: &Portal, who: &Person) -> OrgRole {
    roster(portal).await.role_of(who.user, portal.now())
}

#[tokio::test]
async fn cc_13_a_review_opens_with_its_list_frozen_and_one_at_a_time() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let people = [
        (&world.clinic_admin, OrgRole::Admin),
        (&world.clinic_second_admin, OrgRole::Admin),
        (&world.npi_admin, OrgRole::None),
        (&world.processor, OrgRole::None),
        (&world.newcomer, OrgRole::None),
    ];
    assert_eq!(review.items.len(), people.len());
    for (who, role) in people {
        let item = review.items.iter().find(|item| item.user == who.user).expect("on the list");
        assert_eq!(item.access, ReviewedAccess::Membership { role });
    }
    let events = review.events(&portal).await;
    let AccessReviewEvent::AccessReviewOpened { items, due_at, grace_until, opened_at, .. } =
        &events[0]
    else {
        panic!("{events:?}");
    };
    assert_eq!(*items, 5);
    assert_eq!(((*due_at - *opened_at).num_days(), (*grace_until - *due_at).num_days()), (30, 14));

    let input = json!({ "organizationId": world.clinic.id });
    let again = ann.mutate("openReview", input.clone(), SHOWN).await;
    let id = review.id.to_string();
    assert_eq!(error(&again), ("DUPLICATE_REQUEST", "", vec![id.as_str()]));
    let support = portal.client(&world.plan_support).await;
    let administrators = json!({ "organizationId": world.clinic.id, "scope": "ADMINISTRATORS" });
    let other = support.mutate("openReview", administrators, SHOWN).await;
    let other = uuid_of(other.done()["accessReview"]["id"].as_str().expect("an id"));
    assert_eq!(Review::at(&portal, other, world.clinic.id).await.items.len(), 2, "another choice");
    let dormant = json!({ "organizationId": world.clinic.id, "scope": "DORMANT" });
    assert_eq!(error(&ann.mutate("openReview", dormant.clone(), SHOWN).await).1, "dormantDays");
    let mut never = dormant;
    never["dormantDays"] = json!(3650);
    assert_eq!(ann.mutate("openReview", never, SHOWN).await.refused(), "FIELD_INVALID");

    let paul = portal.client(&world.processor).await;
    assert_eq!(paul.mutate("openReview", input.clone(), SHOWN).await.refused(), "NOT_ORG_ADMIN");
    let hana = portal.client(&world.hospital_admin).await;
    assert_eq!(hana.mutate("openReview", input.clone(), SHOWN).await.refused(), "NOT_FOUND");
    let auditor = portal.client(&world.auditor).await;
    assert_eq!(auditor.mutate("openReview", input, SHOWN).await.refused(), "NOT_FOUND");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn cc_13_two_who_open_a_review_at_once_open_one() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let other = portal.another_process().await;
    let ann = portal.client(&world.clinic_admin).await;
    let abe = portal.client(&world.clinic_second_admin).await.through(&other);
    let input = || json!({ "organizationId": world.clinic.id });
    let (one, two) = tokio::join!(
        ann.mutate("openReview", input(), SHOWN),
        abe.mutate("openReview", input(), SHOWN),
    );
    let both = [one, two];
    let refused = both.iter().filter(|answer| {
        let errors = answer.data()["openReview"]["userErrors"].as_array().expect("a list");
        errors.first().is_some_and(|error| error["code"] == "DUPLICATE_REQUEST")
    });
    assert_eq!(refused.count(), 1);
    portal.settle().await;
    other.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_person_who_is_revoked_is_out_at_once_and_that_is_verified() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let nora = portal.client(&world.npi_admin).await;
    assert!(is_in(&nora).await);
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let item = review.of(&world.npi_admin);
    let bare = review.decide(by, &[item], "REVOKE", json!({})).await;
    assert_eq!(error(&bare).0, "REASON_REQUIRED");
    assert!(is_in(&nora).await, "a refused decision does nothing");
    review.revoke(by, &[item]).await.done();
    assert!(!is_in(&nora).await, "the session ended with the decision");
    assert!(!is_member(&portal, &world.npi_admin).await);
    portal.settle().await;
    let executed: Vec<_> = review
        .events(&portal)
        .await
        .into_iter()
        .filter_map(|event| {
            let AccessReviewEvent::ReviewRevocationExecuted(done) = event else { return None };
            Some(done)
        })
        .collect();
    assert_eq!(executed.len(), 1);
    assert_eq!((executed[0].item, executed[0].verified, executed[0].delay_s), (item, true, 0));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_revocation_on_a_later_last_day_is_verified_after_it_and_called_off_by_keeping() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let (nora, paul) = (review.of(&world.npi_admin), review.of(&world.processor));
    let later = |day: &str| json!({ "reason": "Retires.", "leftOn": day });
    review.decide(by, &[nora, paul], "REVOKE", later("2026-01-20")).await.done();
    let too_late = review.decide(by, &[nora], "REVOKE", later("2026-03-20")).await;
    assert_eq!(error(&too_late).1, "leftOn");
    portal.settle().await;
    assert!(is_member(&portal, &world.npi_admin).await, "until that day is over");
    let others = [&world.clinic_second_admin, &world.newcomer].map(|who| review.of(who));
    review.keep(by, &others).await.done();
    review.keep(by, &[paul]).await.done();
    let abe = portal.client(&world.clinic_second_admin).await;
    let own = review.of(&world.clinic_admin);
    review.keep((&portal, &abe, &world.clinic_second_admin), &[own]).await.done();
    let pending = review.complete(&ann).await;
    assert_eq!(error(&pending), ("STILL_IN_EFFECT", "", vec![nora.to_string().as_str()]));
    portal.clock.set("2026-01-21T08:00:00Z".parse().expect("a moment"));
    portal.settle().await;
    assert!(!is_member(&portal, &world.npi_admin).await);
    assert!(is_member(&portal, &world.processor).await, "kept after all");
    let ann = portal.client(&world.clinic_admin).await;
    let signed = review.complete(&ann).await;
    assert_eq!(signed.done()["accessReview"]["status"], "COMPLETED");
    let events = review.events(&portal).await;
    let Some(AccessReviewEvent::AccessReviewCompleted { totals, joiners, .. }) = events.last()
    else {
        panic!("{events:?}");
    };
    assert_eq!((totals.population, totals.kept, totals.revoked, totals.gone), (5, 4, 1, 0));
    assert_eq!(*joiners, 0);
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_keeping_takes_back_what_was_revoked_or_changed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let (abe, paul) = (review.of(&world.clinic_second_admin), review.of(&world.processor));
    let to = |role: &str| json!({ "reason": "Works at the desk now.", "role": role });
    assert_eq!(
        error(&review.decide(by, &[abe], "CHANGE", json!({ "reason": "Why." })).await).1,
        "role"
    );
    review.decide(by, &[abe], "CHANGE", to("PROCESSOR")).await.done();
    assert_eq!(role(&portal, &world.clinic_second_admin).await, OrgRole::Processor);
    review.revoke(by, &[paul]).await.done();
    portal.settle().await;
    // Verified by now: only keeping takes it back.
    let otherwise = review.decide(by, &[paul], "CHANGE", to("PROCESSOR")).await;
    assert_eq!(otherwise.refused(), "ALREADY_DECIDED");
    review.keep(by, &[abe, paul]).await.done();
    assert_eq!(role(&portal, &world.clinic_second_admin).await, OrgRole::Admin);
    assert!(is_member(&portal, &world.processor).await);
    let causes: Vec<_> = portal
        .events::<Organization>(world.clinic.id)
        .await
        .into_iter()
        .filter_map(|event| {
            let OrganizationEvent::OrgRoleAssigned { user, new, cause, .. } = event else {
                return None;
            };
            (user == world.clinic_second_admin.user).then_some((new, cause))
        })
        .collect();
    let by_review = [(OrgRole::Processor, Cause::Review), (OrgRole::Admin, Cause::Review)];
    assert_eq!(causes[causes.len() - 2..], by_review);
    let decided: Vec<_> = review
        .events(&portal)
        .await
        .into_iter()
        .filter_map(|event| {
            let AccessReviewEvent::ReviewItemDecided(decided) = event else { return None };
            Some((decided.old, decided.new))
        })
        .collect();
    let change = ReviewDecision::Change { role: OrgRole::Processor };
    assert!(decided.contains(&(Some(change), ReviewDecision::Keep)), "{decided:?}");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_the_roster_refuses_is_not_decided() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let abe = portal.client(&world.clinic_second_admin).await;
    let leaves = json!({ "organizationId": world.clinic.id, "userId": world.clinic_admin.user,
                         "confirm": true, "reason": "Retires.", "leftOn": "2026-01-20" });
    abe.mutate("deactivateUser", leaves, "position").await.done();
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let item = review.of(&world.clinic_second_admin);
    assert_eq!(review.revoke(by, &[item]).await.refused(), "LAST_ADMIN");
    assert_eq!(review.events(&portal).await.len(), 2, "nothing was decided");
    // The plan may, and says what for.
    let support = portal.client(&world.plan_support).await;
    let by = (&portal, &support, &world.plan_support);
    assert_eq!(error(&review.revoke(by, &[item]).await).1, "evidence");
    let more = json!({ "reason": "Left.", "evidence": "Letter of 12 January." });
    review.decide(by, &[item], "REVOKE", more).await.done();
    assert!(!is_member(&portal, &world.clinic_second_admin).await);
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn cc_13_nobody_reviews_themself_and_the_plan_does_for_a_sole_administrator() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let hana = portal.client(&world.hospital_admin).await;
    let review = Review::open(&portal, &hana, world.hospital.id).await;
    let own = review.of(&world.hospital_admin);
    let refused = review.keep((&portal, &hana, &world.hospital_admin), &[own]).await;
    assert_eq!(error(&refused), ("SELF_REVIEW", "items", vec![own.to_string().as_str()]));
    let to_self = json!({ "items": [own], "to": world.hospital_admin.user, "reason": "Mine." });
    let refused = hana.mutate("delegateReviewItems", review.input(to_self), SHOWN).await;
    assert_eq!(refused.refused(), "SELF_REVIEW");
    let undecided = review.complete(&hana).await;
    assert_eq!(error(&undecided), ("ITEMS_UNDECIDED", "", vec![own.to_string().as_str()]));
    let support = portal.client(&world.plan_support).await;
    review.keep((&portal, &support, &world.plan_support), &[own]).await.done();
    let unticked = json!({ "signature": { "name": "Hana Wu", "attested": false } });
    let unticked = hana.mutate("completeReview", review.input(unticked), SHOWN).await;
    assert_eq!(unticked.refused(), "BOX_NOT_TICKED");
    assert_eq!(review.complete(&hana).await.done()["accessReview"]["status"], "COMPLETED");
    // Over, and the next one can be opened.
    let late = review.keep((&portal, &support, &world.plan_support), &[own]).await;
    assert_eq!(late.refused(), "REVIEW_CLOSED");
    assert_eq!(review.complete(&hana).await.refused(), "REVIEW_CLOSED");
    let next = Review::open(&portal, &hana, world.hospital.id).await;
    let cancel = next.input(json!({ "reason": "Opened by mistake." }));
    let cancelled = hana.mutate("cancelReview", cancel.clone(), SHOWN).await;
    assert_eq!(cancelled.done()["accessReview"]["status"], "CANCELLED");
    assert_eq!(hana.mutate("cancelReview", cancel, SHOWN).await.refused(), "REVIEW_CLOSED");
    Review::open(&portal, &hana, world.hospital.id).await;
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_delegated_item_is_decided_by_the_delegate_or_the_plan() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let nora = portal.client(&world.npi_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let (paul, nell) = (review.of(&world.processor), review.of(&world.newcomer));
    let by_ann = (&portal, &ann, &world.clinic_admin);
    let by_nora = (&portal, &nora, &world.npi_admin);
    assert_eq!(review.keep(by_nora, &[paul]).await.refused(), "NOT_ORG_ADMIN");
    let to = |who: Value, items: &[u32]| {
        review.input(json!({ "items": items, "to": who, "reason": "Knows them." }))
    };
    let outside = to(json!(world.hospital_admin.user), &[paul]);
    let outside = ann.mutate("delegateReviewItems", outside, SHOWN).await;
    assert_eq!(error(&outside).1, "to");
    let input = to(json!(world.npi_admin.user), &[paul, nell]);
    ann.mutate("delegateReviewItems", input, SHOWN).await.done();
    let delegate = world.npi_admin.user.to_string();
    let refused = review.keep(by_ann, &[paul]).await;
    assert_eq!(error(&refused), ("FORBIDDEN", "items", vec![delegate.as_str()]));
    let own = review.of(&world.clinic_second_admin);
    assert_eq!(review.keep(by_nora, &[paul, own]).await.refused(), "NOT_ORG_ADMIN");
    let change = json!({ "role": "ADMIN", "reason": "Friend." });
    let change = review.decide(by_nora, &[paul], "CHANGE", change).await;
    assert_eq!(change.refused(), "NOT_ORG_ADMIN", "a delegate gives no roles");
    review.revoke(by_nora, &[paul]).await.done();
    assert!(!is_member(&portal, &world.processor).await);
    // Taken back, it is the administrators' again.
    ann.mutate("delegateReviewItems", to(Value::Null, &[nell]), SHOWN).await.done();
    assert_eq!(review.keep(by_nora, &[nell]).await.refused(), "NOT_ORG_ADMIN");
    review.keep(by_ann, &[nell]).await.done();
    let text = "People of Redwood Clinic wait for your decision in an access review.";
    assert!(times_told(&portal, &nora, text).await > 0);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_decision_says_what_was_seen_and_bulk_has_its_bounds() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(&portal, &ann, world.clinic.id).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let (abe, paul) = (review.of(&world.clinic_second_admin), review.of(&world.processor));
    for receipt in ["invented".to_owned(), receipt_for(&portal, &world.clinic_second_admin)] {
        let refused = review.decide(by, &[paul], "KEEP", json!({ "receipt": receipt })).await;
        assert_eq!(error(&refused), ("FIELD_INVALID", "receipt", vec![]));
    }
    assert_eq!(review.keep(by, &[]).await.refused(), "FIELD_REQUIRED");
    assert_eq!(review.keep(by, &[77]).await.refused(), "NOT_FOUND");
    let many: Vec<u32> = (1..=1_001).collect();
    assert_eq!(review.keep(by, &many).await.refused(), "BULK_LIMIT");
    // Many at once are typed, not clicked.
    for typed in ["", "KEEP", "KEEP 12", "REVOKE 11"] {
        let more = json!({ "confirmation": typed });
        let refused = review.decide(by, &many[..11], "KEEP", more).await;
        assert_eq!(error(&refused), ("CONFIRMATION_REQUIRED", "confirmation", vec![]));
    }
    let typed = json!({ "confirmation": " KEEP 11 " });
    assert_eq!(review.decide(by, &many[..11], "KEEP", typed).await.refused(), "NOT_FOUND");
    assert_eq!(review.revoke(by, &[abe, paul]).await.refused(), "FIELD_INVALID");
    assert!(is_member(&portal, &world.processor).await);
    review.keep(by, &[abe, paul]).await.done();
    let events = review.events(&portal).await;
    let Some(AccessReviewEvent::ReviewItemDecided(decided)) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!((decided.seen.position, decided.seen.sha256.as_str()), (17, &*"ab".repeat(32)));
    let of: OrganizationId = world.hospital.id;
    let elsewhere = Review { id: review.id, organization: of, items: Vec::new() };
    let hana = portal.client(&world.hospital_admin).await;
    let refused = elsewhere.keep((&portal, &hana, &world.hospital_admin), &[paul]).await;
    assert_eq!(error(&refused).1, "accessReviewId", "of another organisation there is none");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_plan_staff_review_what_their_scope_covers() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.plan_admin).await;
    let support = portal.client(&world.plan_support).await;
    let scope = json!({ "userId": world.plan_support.user, "role": PlanRole::Ps.as_str(),
                        "organizationIds": [world.hospital.id], "reason": "Only these." });
    admin.mutate("scopePlanRole", scope, "position").await.done();
    let input = json!({ "organizationId": world.clinic.id });
    let refused = support.mutate("openReview", input, SHOWN).await;
    assert_eq!(refused.refused(), "NOT_FOUND");
    Review::open(&portal, &support, world.hospital.id).await;
    portal.settle().await;
    portal.finish().await;
}
