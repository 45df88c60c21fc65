//! Organisation-wide roles, and never stranding an organisation (MC-47, GN-10, GN-13).

use serde_json::json;

use super::{change, user};
use crate::support::{Client, Portal};

/// Names of the organisations that wait for an administrator.
async fn adminless(plan: &Client) -> Vec<String> {
    let answer =
        plan.send("{ organizations(adminless: true) { nodes { name } } }", json!({})).await;
    let nodes = answer.data()["organizations"]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn mc_47_an_administrator_manages_users_and_a_processor_only_sees_them() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let done = change(&admin, "assignOrgRole", about, json!({ "role": "PROCESSOR" })).await;
    assert_eq!(done.done()["user"]["orgRole"], "PROCESSOR");
    let processor = portal.client(&world.newcomer).await;
    user(&processor, world, &world.npi_admin, "email").await.data();
    let other = (world, &world.npi_admin);
    let answer = change(&processor, "assignOrgRole", other, json!({ "role": "NONE" })).await;
    assert_eq!(answer.refused(), "NOT_ORG_ADMIN");

    change(&admin, "assignOrgRole", about, json!({ "role": "ADMIN" })).await.done();
    let promoted = portal.client(&world.newcomer).await;
    let answer = change(&promoted, "assignOrgRole", other, json!({ "role": "PROCESSOR" })).await;
    assert_eq!(answer.done()["user"]["orgRole"], "PROCESSOR");
    portal.finish().await;
}

#[tokio::test]
async fn mc_47_losing_a_role_ends_the_sessions_that_had_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let second = portal.client(&world.clinic_second_admin).await;
    user(&second, world, &world.npi_admin, "id").await.data();
    let about = (world, &world.clinic_second_admin);
    change(&admin, "assignOrgRole", about, json!({ "role": "NONE" })).await.done();
    let answer = user(&second, world, &world.npi_admin, "id").await;
    assert_eq!(answer.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_47_a_change_made_on_an_old_view_is_refused() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let seen = user(&admin, world, &world.newcomer, "version").await;
    let seen = seen.data()["user"]["version"].as_i64().expect("a version");
    let promote = json!({ "role": "PROCESSOR", "expectedVersion": seen });
    let done = change(&admin, "assignOrgRole", about, promote.clone()).await;
    assert_eq!(done.done()["user"]["version"], seen + 1);
    let answer = change(&admin, "assignOrgRole", about, promote).await;
    assert_eq!(answer.refused(), "VERSION_CONFLICT");
    let error = &answer.body["data"]["assignOrgRole"]["userErrors"][0];
    assert_eq!(error["details"], json!([format!("currentVersion={}", seen + 1)]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_10_the_last_administrator_neither_leaves_nor_steps_down() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let second = (world, &world.clinic_second_admin);
    change(&admin, "assignOrgRole", second, json!({ "role": "NONE" })).await.done();
    let own = (world, &world.clinic_admin);
    let leave = json!({ "confirm": true, "reason": "I retire" });
    assert_eq!(change(&admin, "deactivateUser", own, leave).await.refused(), "LAST_ADMIN");
    let step_down = json!({ "role": "PROCESSOR" });
    assert_eq!(change(&admin, "assignOrgRole", own, step_down).await.refused(), "LAST_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn gn_10_plan_staff_suspend_the_last_administrator_and_appoint_another_with_reason() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let second = (world, &world.clinic_second_admin);
    change(&admin, "assignOrgRole", second, json!({ "role": "NONE" })).await.done();

    let plan = portal.client(&world.plan_support).await;
    let heir = (world, &world.newcomer);
    let reason = "The administrator left the clinic.";
    let evidence = "Letter of the clinic, 9 January 2026.";
    let appoint = json!({ "role": "ADMIN", "reason": reason, "evidence": evidence });
    let early = change(&plan, "assignOrgRole", heir, appoint.clone()).await;
    assert_eq!(early.refused(), "FORBIDDEN", "the administrator there appoints further ones");
    assert_eq!(adminless(&plan).await, [""; 0]);
    let left = json!({ "confirm": true, "reason": reason, "evidence": evidence });
    change(&plan, "deactivateUser", (world, &world.clinic_admin), left).await.done();
    assert_eq!(adminless(&plan).await, ["Redwood Clinic"]);
    let told = portal.mailbox(&world.clinic_admin.email).await;
    Portal::newest(&told, "Your access to medi-cal portal has ended");

    let silent = change(&plan, "assignOrgRole", heir, json!({ "role": "ADMIN" })).await;
    assert_eq!(silent.refused(), "REASON_REQUIRED");
    let done = change(&plan, "assignOrgRole", heir, appoint).await;
    assert_eq!(done.done()["user"]["orgRole"], "ADMIN");
    assert_eq!(adminless(&plan).await, [""; 0]);
    let new_admin = portal.client(&world.newcomer).await;
    let about = (world, &world.processor);
    change(&new_admin, "assignOrgRole", about, json!({ "role": "PROCESSOR" })).await.done();
    let auditor = portal.client(&world.auditor).await;
    let answer = change(&auditor, "assignOrgRole", about, json!({ "role": "ADMIN" })).await;
    assert_eq!(answer.refused(), "NOT_FOUND", "auditors are no administrators");
    portal.finish().await;
}
