//! Leaving and coming back (MC-30, MC-31, GN-12).

use std::time::Duration;

use rollcall_domain::organizations::{OrgRole, Organization, organization::RosterCommand};
use serde_json::json;

use super::{change, user};
use crate::support::{Person, Portal};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn mc_30_deactivation_is_confirmed_reasoned_and_labelled() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.processor);
    let unconfirmed = json!({ "confirm": false, "reason": "left" });
    let answer = change(&admin, "deactivateUser", about, unconfirmed).await;
    assert_eq!(answer.refused(), "CONFIRMATION_REQUIRED");
    let unreasoned = json!({ "confirm": true, "reason": " " });
    let answer = change(&admin, "deactivateUser", about, unreasoned).await;
    assert_eq!(answer.refused(), "REASON_REQUIRED");

    let confirmed = json!({ "confirm": true, "reason": "left", "leftOn": "2026-01-09" });
    let done = change(&admin, "deactivateUser", about, confirmed.clone()).await;
    assert_eq!(done.done()["user"]["statusLabel"], "Deactivated User");
    assert_eq!(
        change(&admin, "deactivateUser", about, confirmed).await.refused(),
        "ALREADY_INACTIVE"
    );

    let fields = "status leftOn deactivatedAt history { fact new actorName }";
    let gone = user(&admin, world, &world.processor, fields).await;
    let gone = &gone.data()["user"];
    assert_eq!((&gone["status"], &gone["leftOn"]), (&json!("DEACTIVATED"), &json!("2026-01-09")));
    let newest = json!({ "fact": "DEACTIVATED", "new": "2026-01-09", "actorName": "Ann Lee" });
    assert_eq!(gone["history"][0], newest);
    portal.finish().await;
}

#[tokio::test]
async fn mc_30_sessions_that_act_for_the_organisation_end_at_once() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let first = portal.client(&world.npi_admin).await;
    let second = portal.client(&world.npi_admin).await;
    let other = portal.client(&world.processor).await;
    user(&first, world, &world.npi_admin, "id").await.data();
    let confirmed = json!({ "confirm": true, "reason": "left" });
    change(&admin, "deactivateUser", (world, &world.npi_admin), confirmed).await.done();
    for session in [&first, &second] {
        let answer = user(session, world, &world.npi_admin, "id").await;
        assert_eq!(answer.error_code(), "UNAUTHENTICATED");
    }
    user(&other, world, &world.processor, "id").await.data();
    portal.finish().await;
}

#[tokio::test]
async fn mc_30_other_memberships_and_their_sessions_go_on() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let attach = RosterCommand::AttachUser {
        user: world.processor.user,
        email_domain: "portal.example".to_owned(),
        role: OrgRole::None,
    };
    portal.decide::<Organization>(world.hospital.id, attach.into()).await;
    let elsewhere = Person { organization: Some(world.hospital.id), ..world.processor.clone() };
    let session = portal.client(&elsewhere).await;
    let admin = portal.client(&world.clinic_admin).await;
    let confirmed = json!({ "confirm": true, "reason": "left" });
    change(&admin, "deactivateUser", (world, &world.processor), confirmed).await.done();
    let document = "query($id: ID!, $organization: ID!) {
        user(id: $id, organizationId: $organization) { status } }";
    let variables = json!({ "id": elsewhere.user, "organization": world.hospital.id });
    let answer = session.send(document, variables).await;
    assert_eq!(answer.data()["user"]["status"], "ACTIVE");
    portal.finish().await;
}

#[tokio::test]
async fn mc_30_whoever_is_no_administrator_deactivates_nobody() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let before = portal.position().await;
    let confirmed = || json!({ "confirm": true, "reason": "left" });
    let npi_admin = portal.client(&world.npi_admin).await;
    let about = (world, &world.processor);
    assert_eq!(
        change(&npi_admin, "deactivateUser", about, confirmed()).await.refused(),
        "NOT_ORG_ADMIN"
    );
    let stranger = portal.client(&world.hospital_admin).await;
    let answer = change(&stranger, "deactivateUser", about, confirmed()).await;
    assert_eq!(answer.refused(), "NOT_FOUND");
    let admin = portal.client(&world.clinic_admin).await;
    let foreign = (world, &world.hospital_admin);
    let answer = change(&admin, "deactivateUser", foreign, confirmed()).await;
    assert_eq!(answer.refused(), "NOT_FOUND");
    let status = user(&admin, world, &world.processor, "status").await;
    assert_eq!(status.data()["user"]["status"], "ACTIVE");
    assert!(portal.position().await > before, "the attempt beyond one's rights is on record");
    portal.finish().await;
}

#[tokio::test]
async fn mc_31_reactivation_lists_former_permissions_before_they_return() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.npi_admin);
    let again = json!({ "confirm": true });
    assert_eq!(
        change(&admin, "reactivateUser", about, again.clone()).await.refused(),
        "NOT_INACTIVE"
    );
    let left = json!({ "confirm": true, "reason": "left" });
    change(&admin, "deactivateUser", about, left).await.done();

    let asked = change(&admin, "reactivateUser", about, json!({ "confirm": false })).await;
    assert_eq!(asked.refused(), "CONFIRMATION_REQUIRED");
    let details = &asked.body["data"]["reactivateUser"]["userErrors"][0]["details"];
    assert_eq!(*details, json!([format!("NPI {} ADMIN", world.clinic.npis[0])]));

    let done = change(&admin, "reactivateUser", about, again).await;
    assert_eq!(done.done()["user"]["status"], "ACTIVE");
    let back = user(&admin, world, &world.npi_admin, "permissions { npis { npi level } }").await;
    let levels = &back.data()["user"]["permissions"]["npis"];
    assert_eq!(levels[0], json!({ "npi": world.clinic.npis[0], "level": "ADMIN" }));
    let returned = portal.client(&world.npi_admin).await;
    user(&returned, world, &world.npi_admin, "id").await.data();
    portal.finish().await;
}

#[tokio::test]
async fn mc_31_whoever_is_no_administrator_reactivates_nobody() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.processor);
    let left = json!({ "confirm": true, "reason": "left" });
    change(&admin, "deactivateUser", about, left).await.done();
    for (who, code) in [
        (&world.npi_admin, "NOT_ORG_ADMIN"),
        (&world.hospital_admin, "NOT_FOUND"),
        (&world.auditor, "NOT_FOUND"),
    ] {
        let client = portal.client(who).await;
        let answer = change(&client, "reactivateUser", about, json!({ "confirm": true })).await;
        assert_eq!(answer.refused(), code);
    }
    let status = user(&admin, world, &world.processor, "status").await;
    assert_eq!(status.data()["user"]["status"], "DEACTIVATED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_12_after_ninety_days_former_permissions_are_confirmed_or_taken_away() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let left = || json!({ "confirm": true, "reason": "left" });
    for who in [&world.npi_admin, &world.processor, &world.clinic_second_admin] {
        change(&admin, "deactivateUser", (world, who), left()).await.done();
    }
    portal.advance(Duration::from_secs(90 * DAY - 1));
    let admin = portal.client(&world.clinic_admin).await;
    let confirm = json!({ "confirm": true });
    change(&admin, "reactivateUser", (world, &world.npi_admin), confirm.clone()).await.done();

    portal.advance(Duration::from_secs(1));
    let about = (world, &world.processor);
    let answer = change(&admin, "reactivateUser", about, confirm).await;
    assert_eq!(answer.refused(), "CONFIRMATION_REQUIRED");
    let error = &answer.body["data"]["reactivateUser"]["userErrors"][0];
    assert_eq!(error["field"], json!(["confirmPermissions"]));
    let kept = json!({ "confirm": true, "confirmPermissions": true });
    let done = change(&admin, "reactivateUser", about, kept).await;
    assert_eq!(done.done()["user"]["unassigned"], false);

    let removed = json!({ "confirm": true, "confirmPermissions": false });
    let about = (world, &world.clinic_second_admin);
    let done = change(&admin, "reactivateUser", about, removed).await;
    let user = &done.done()["user"];
    assert_eq!((&user["orgRole"], &user["unassigned"]), (&json!("NONE"), &json!(true)));
    portal.finish().await;
}
