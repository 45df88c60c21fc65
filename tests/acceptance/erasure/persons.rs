//! A person is erased: who decides, and what is left.

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_domain::users::user::{User, UserEvent};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{
    PRESETS, approve, deactivate, end_of_retention, erase, go_to, keep_until_the_end, request, told,
};
use crate::support::Portal;

#[tokio::test]
async fn gn_27_one_administrator_asks_and_another_approves_never_about_themself() {
    for (slug, preset) in PRESETS {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let paul = world.processor.user.0;
        deactivate(&portal, &world.processor, "left").await;
        keep_until_the_end(&portal, paul).await;
        let plan = portal.client(&world.plan_admin).await;
        let other = portal.client(&world.second_plan_admin).await;
        assert_eq!(request(&plan, world.plan_admin.user.0).await.refused(), "SELF_APPROVAL");
        assert_eq!(request(&plan, uuid::Uuid::new_v4()).await.refused(), "NOT_FOUND");
        assert_eq!(approve(&other, paul).await.refused(), "NOT_PENDING");
        request(&plan, paul).await.done();
        assert_eq!(request(&other, paul).await.refused(), "DUPLICATE_REQUEST");
        assert_eq!(approve(&plan, paul).await.refused(), "SELF_APPROVAL");
        let unsure = json!({ "userId": paul, "confirm": false });
        let unsure = other.mutate("approveErasure", unsure, "position").await;
        assert_eq!(unsure.refused(), "CONFIRMATION_REQUIRED");
        for who in [&world.auditor, &world.plan_support, &world.clinic_admin] {
            assert_eq!(approve(&portal.client(who).await, paul).await.refused(), "FORBIDDEN");
        }
        // Refused with a reason, and asked for again by the other one.
        let refuse = json!({ "userId": paul, "reason": "They are a witness." });
        other.mutate("refuseErasure", refuse, "request { status }").await.done();
        assert_eq!(approve(&other, paul).await.refused(), "NOT_PENDING");
        request(&other, paul).await.done();
        let listed = "query($at: Position) { erasureRequests(minPosition: $at) { nodes {
            userId status basis requestedBy } } }";
        let at = portal.position().await.to_string();
        let listed = plan.send(listed, json!({ "at": at })).await;
        let nodes = &listed.data()["erasureRequests"]["nodes"];
        assert_eq!(nodes.as_array().expect("nodes").len(), 1);
        assert_eq!(
            (&nodes[0]["status"], &nodes[0]["basis"]),
            (&json!("OPEN"), &json!("PERSONS_REQUEST"))
        );
        let done = approve(&plan, paul).await;
        assert_eq!(done.done()["request"]["status"], "ERASED", "{slug}");
        assert_eq!(approve(&plan, paul).await.refused(), "ALREADY_ERASED");
        assert_eq!(request(&plan, paul).await.refused(), "ALREADY_ERASED");
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_27_a_request_runs_out_after_seven_days_to_the_second() {
    for (slug, preset) in PRESETS {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let paul = world.processor.user.0;
        deactivate(&portal, &world.processor, "left").await;
        keep_until_the_end(&portal, paul).await;
        request(&portal.client(&world.plan_admin).await, paul).await.done();
        let asked = portal.service.commands.journal.now();
        go_to(&portal, asked + TimeDelta::days(7)).await;
        let other = portal.client(&world.second_plan_admin).await;
        assert_eq!(approve(&other, paul).await.refused(), "REQUEST_EXPIRED", "{slug}");
        let listed = "{ erasureRequests(status: EXPIRED) { nodes { status } } }";
        let listed = other.send(listed, json!({})).await;
        assert_eq!(listed.data()["erasureRequests"]["nodes"], json!([{ "status": "EXPIRED" }]));
        request(&portal.client(&world.plan_admin).await, paul).await.done();
        portal.advance(Duration::from_secs(7 * 24 * 3600 - 1));
        let other = portal.client(&world.second_plan_admin).await;
        approve(&other, paul).await.done();
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_27_an_approval_asks_again_what_is_in_effect_and_kept() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let paul = world.processor.user.0;
    deactivate(&portal, &world.processor, "left").await;
    keep_until_the_end(&portal, paul).await;
    request(&portal.client(&world.plan_admin).await, paul).await.done();
    let input = json!({ "organizationId": world.clinic.id, "userId": paul, "reason": "came back" });
    let support = portal.client(&world.plan_support).await;
    let attach = support.mutate(
        "attachUserToOrganization",
        json!({
        "organizationId": world.hospital.id, "userId": paul, "reason": "came back" }),
        "position",
    );
    attach.await.done();
    let other = portal.client(&world.second_plan_admin).await;
    assert_eq!(approve(&other, paul).await.refused(), "STILL_IN_EFFECT");
    let mut leave = input;
    leave["organizationId"] = json!(world.hospital.id);
    leave["confirm"] = json!(true);
    let hana = portal.client(&world.hospital_admin).await;
    hana.mutate("deactivateUser", leave, "position").await.done();
    // They were a member a moment ago: the years begin anew.
    assert_eq!(approve(&other, paul).await.refused(), "RETENTION_ACTIVE");
    let end = end_of_retention(&portal, paul).await;
    assert!(end > portal.service.commands.journal.now() + TimeDelta::days(3650));
    portal.finish().await;
}

#[tokio::test]
async fn gn_27_who_is_erased_is_nobody_in_every_process_at_once_and_the_records_stand() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let paul = &world.processor;
    deactivate(&portal, paul, "left").await;
    keep_until_the_end(&portal, paul.user.0).await;
    let there = portal.another_process().await;
    // The other process has the person's key and name in its memory.
    let journal = &there.commands.journal;
    let before = journal.events::<User>(world.tenant, paul.user.0).await.expect("events");
    let UserEvent::UserRegistered { first_name, .. } = &before[0] else { panic!("{before:?}") };
    assert_eq!(first_name.get().map(ToString::to_string).as_deref(), Some("Paul"));
    let of_paul = json!({ "subject": paul.user });
    let events = told(&portal, of_paul.clone()).await.len();
    assert!(told(&portal, of_paul.clone()).await.iter().any(|it| it.contains("Paul Kim")));

    request(&portal.client(&world.plan_admin).await, paul.user.0).await.done();
    approve(&portal.client(&world.second_plan_admin).await, paul.user.0).await.done();
    let gone = async || {
        let events = journal.events::<User>(world.tenant, paul.user.0).await.expect("events");
        let UserEvent::UserRegistered { first_name, email, .. } = &events[0] else {
            panic!("{events:?}")
        };
        first_name.get().is_none() && email.get().is_none()
    };
    let heard = std::time::Instant::now();
    while !gone().await {
        assert!(heard.elapsed() < Duration::from_secs(2), "the other process opens them still");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    portal.settle().await;
    // The story is told of somebody who was erased, and nothing of it is missing.
    let story = told(&portal, of_paul.clone()).await;
    assert!(story.len() > events, "{} of {events}", story.len());
    let digits = paul.user.0.simple().to_string();
    let nobody = format!("a person who was erased ({})", &digits[24..]);
    assert!(story.iter().all(|sentence| !sentence.contains("Paul") && !sentence.contains("Kim")));
    assert!(story.iter().any(|sentence| sentence.to_lowercase().contains(&nobody)), "{story:#?}");
    assert!(told(&portal, json!({ "text": "Paul Kim" })).await.is_empty());
    // Who had access when is answered still.
    let auditor = portal.client(&world.auditor).await;
    let register = "query($npi: NPI!) { accessRegister(asOf: \"2026-01-12T16:59:00Z\", npi: $npi) {
        nodes { user { id name } } } }";
    let found = auditor.send(register, json!({ "npi": world.clinic.npis[0] })).await;
    let nodes = found.data()["accessRegister"]["nodes"].as_array().expect("nodes").clone();
    assert!(nodes.iter().any(|node| node["user"]["name"].is_null()), "{nodes:?}");
    // The address is free, the password gone, and the key is never made anew.
    let visitor = portal.anybody();
    let tried = visitor.try_to_sign_in(&paul.email, crate::support::PASSWORD).await;
    assert_eq!(tried.refused(), "CREDENTIALS_INVALID");
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let left: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM es.reservations WHERE owner = $1 AND kind IN ('email', 'username')),
                (SELECT count(*) FROM es.subject_keys WHERE subject_id = $1 AND wrapped IS NOT NULL),
                (SELECT count(*) FROM read.people WHERE user_id = $1)",
    )
    .bind(paul.user.0)
    .fetch_one(&mut session)
    .await
    .expect("counts");
    assert_eq!(left, (0, 0, 0));
    session.close().await.expect("the session ends");
    let again =
        json!({ "organizationId": world.hospital.id, "userId": paul.user, "reason": "back" });
    let support = portal.client(&world.plan_support).await;
    let attach = support.mutate("attachUserToOrganization", again, "position").await;
    assert_eq!(attach.refused(), "USER_UNKNOWN");
    there.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_27_somebody_invited_anew_at_the_address_of_the_erased_is_somebody_else() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let paul = &world.processor;
    deactivate(&portal, paul, "left").await;
    keep_until_the_end(&portal, paul.user.0).await;
    erase(&portal, paul.user.0).await;
    // The hospital's only administrator is one still, after so many years.
    let admin = portal.client(&world.hospital_admin).await;
    let input = json!({ "organizationId": world.hospital.id, "email": paul.email, "firstName": "Ines",
                        "lastName": "Vega", "mobile": "+12025550177" });
    let invited = admin.mutate("inviteUser", input, "invitation { id }").await;
    let invitation = invited.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let user = portal.invited_user(&invitation).await;
    assert_ne!(user, paul.user);
    let shown: Value = told(&portal, json!({ "subject": user })).await.into();
    assert!(shown.to_string().contains("Ines Vega"), "{shown}");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_27_an_approval_sent_again_under_its_key_is_answered_as_before() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let paul = world.processor.user;
    deactivate(&portal, &world.processor, "left").await;
    keep_until_the_end(&portal, paul.0).await;
    let plan = portal.client(&world.plan_admin).await;
    let other = portal.client(&world.second_plan_admin).await;
    let ask = json!({ "userId": paul, "basis": "PERSONS_REQUEST", "reason": "They asked us to.",
                      "idempotencyKey": "asked" });
    plan.mutate("requestErasure", ask.clone(), "request { status }").await.done();
    let approve = json!({ "userId": paul, "confirm": true, "idempotencyKey": "approved" });
    let send = async || other.mutate("approveErasure", approve.clone(), "request { status }").await;
    let first = send().await;
    portal.settle().await;
    let again = send().await;
    assert_eq!(again.done()["position"], first.done()["position"]);
    assert_eq!(again.done()["request"]["status"], "ERASED");
    // Of the request nothing is kept that came of what was typed.
    let forgotten = plan.mutate("requestErasure", ask, "request { status }").await;
    assert_eq!(forgotten.refused(), "ALREADY_ERASED");
    portal.finish().await;
}
