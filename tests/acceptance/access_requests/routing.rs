//! What goes to the plan, and how it comes back (AL-08, CX-13).

use std::time::Duration;

use rollcall_domain::{
    organizations::{Authority, organization::RosterCommand},
    policies::Preset,
    values::Reason,
};
use serde_json::json;

use super::{approve, ask, decide, features, id, listed, queue, status};
use crate::support::Portal;

#[tokio::test]
async fn al_08_what_the_office_cannot_give_waits_for_the_plan() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let nell = portal.client(&world.newcomer).await;
    let (admin, support) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.plan_support).await);
    for items in [
        json!([{ "npi": "1993999998" }]),
        json!([{ "missingTaxId": { "kind": "EIN", "last4": "4321" } }]),
        json!([{ "taxIdId": world.clinic.id }]),
        json!([{ "locationName": "Harbor Site" }]),
    ] {
        let asked = ask(&nell, world, items.clone()).await;
        let shown = &asked.done()["accessRequest"];
        assert_eq!(
            (&shown["status"], &shown["routedBecause"]),
            (&json!("ROUTED"), &json!("NOT_GRANTABLE")),
            "{items}"
        );
        assert_eq!(approve(&admin, world, &id(&asked)).await.refused(), "FORBIDDEN");
    }
    let all = ["NPI ROUTED", "TAX_ID ROUTED", "TAX_ID ROUTED", "LOCATION ROUTED"];
    assert_eq!(queue(&support, &portal, "").await, all, "oldest first");
    assert_eq!(queue(&support, &portal, "kind: LOCATION").await, ["LOCATION ROUTED"]);
    assert!(queue(&support, &portal, "daysOld: 3").await.is_empty());
    portal.advance(Duration::from_secs(3 * 86_400));
    let support = portal.client(&world.plan_support).await;
    assert_eq!(queue(&support, &portal, "daysOld: 3").await.len(), 4);
    let refused = portal.client(&world.clinic_admin).await;
    let refused = refused.send("{ planQueue { nodes { id } } }", json!({})).await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn al_08_the_plan_attaches_an_extra_npi_and_approves() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let nell = portal.client(&world.newcomer).await;
    let support = portal.client(&world.plan_support).await;
    let request = id(&ask(&nell, world, json!([{ "npi": "1993999998" }])).await);
    assert_eq!(approve(&support, world, &request).await.refused(), "NPI_NOT_IN_ORG");
    let attach = json!({
        "organizationId": world.clinic.id, "npi": "1993999998", "name": "Redwood South",
        "providerType": "GROUP", "community": "PHYSICIANS",
    });
    support.mutate("attachNpi", attach, "position").await.done();
    approve(&support, world, &request).await.done();
    assert_eq!(features(&portal, &world.newcomer).await, ["VIEW_NPI 1993999998 DIRECT"]);
    portal.finish().await;
}

#[tokio::test]
async fn al_08_an_administrator_hands_a_request_on_and_one_without_administrators_goes_at_once() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let nell = portal.client(&world.newcomer).await;
    let (admin, support) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.plan_support).await);
    let request = id(&ask(&nell, world, json!([{ "feature": "CLAIMS" }])).await);
    let escalate = json!({ "organizationId": world.clinic.id, "accessRequestId": request });
    let selection = "accessRequest { status routedBecause }";
    let refused = nell.mutate("escalateAccessRequest", escalate.clone(), selection).await;
    assert_eq!(refused.refused(), "NOT_ORG_ADMIN");
    let routed = admin.mutate("escalateAccessRequest", escalate.clone(), selection).await;
    assert_eq!(routed.done()["accessRequest"]["routedBecause"], "ESCALATED");
    assert_eq!(
        admin.mutate("escalateAccessRequest", escalate, selection).await.refused(),
        "FORBIDDEN"
    );
    portal.settle().await;
    let notices = "{ notifications(first: 3) { nodes { text } } }";
    let told = support.send(notices, json!({})).await.data().to_string();
    assert!(told.contains("waits for the health plan"), "{told}");
    approve(&support, world, &request).await.done();
    for who in [&world.clinic_admin, &world.clinic_second_admin] {
        let deactivate = RosterCommand::DeactivateUser {
            user: who.user,
            confirmed: true,
            reason: Some(Reason::parse("left").expect("a valid reason")),
            left_on: None,
            authority: Authority::Plan,
        };
        portal.roster(&world.clinic, deactivate).await;
    }
    let asked = ask(&nell, world, json!([{ "feature": "ELIGIBILITY" }])).await;
    assert_eq!(asked.done()["accessRequest"]["routedBecause"], "NO_ADMINISTRATOR");
    portal.finish().await;
}

#[tokio::test]
async fn cx_13_credentialed_then_the_administrators_yes_then_the_plan_adds() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let (admin, support) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.plan_support).await);
    let request = id(&ask(&paul, world, json!([{ "locationName": "North Branch" }])).await);
    assert_eq!(listed(&admin, &portal, "TO_DECIDE").await, ["OPEN Paul Kim"]);
    assert_eq!(approve(&support, world, &request).await.refused(), "NOT_ORG_ADMIN");
    let agreed = approve(&admin, world, &request).await;
    let shown = &agreed.done()["accessRequest"];
    assert_eq!(
        (&shown["status"], &shown["routedBecause"]),
        (&json!("ROUTED"), &json!("ADMINISTRATOR_AGREED"))
    );
    assert_eq!(approve(&support, world, &request).await.refused(), "FIELD_REQUIRED");
    let branch = json!({
        "organizationId": world.clinic.id, "name": "North Branch", "credentialed": false,
    });
    let location = support.mutate("registerLocation", branch, "location { id }").await;
    let location = location.done()["location"]["id"].clone();
    let resolved = json!({ "resolutions": [{ "item": 0, "locationId": location }] });
    let early = decide(&support, world, &request, "APPROVE", resolved.clone()).await;
    assert_eq!(early.refused(), "LOCATION_NOT_CREDENTIALED");
    let credential = json!({
        "organizationId": world.clinic.id, "locationId": location, "credentialed": true,
    });
    support.mutate("setLocationCredentialed", credential, "position").await.done();
    let done = decide(&support, world, &request, "APPROVE", resolved).await;
    assert_eq!(status(&done), "APPROVED");
    let held = features(&portal, &world.processor).await;
    assert!(held.contains(&"CHOOSE_LOCATION DIRECT".to_owned()), "{held:?}");
    portal.finish().await;
}

#[tokio::test]
async fn cx_13_a_branch_on_the_list_is_the_administrators_to_give_if_credentialed() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let (admin, support) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.plan_support).await);
    let branch = json!({
        "organizationId": world.clinic.id, "name": "North Branch", "credentialed": false,
    });
    let location = support.mutate("registerLocation", branch, "location { id }").await;
    let location = location.done()["location"]["id"].clone();
    let wanted = json!([{ "locationId": location }]);
    let refused = ask(&paul, world, wanted.clone()).await;
    assert_eq!(refused.refused(), "LOCATION_NOT_CREDENTIALED");
    let credential = json!({
        "organizationId": world.clinic.id, "locationId": location, "credentialed": true,
    });
    support.mutate("setLocationCredentialed", credential, "position").await.done();
    let request = id(&ask(&paul, world, wanted).await);
    assert_eq!(status(&approve(&admin, world, &request).await), "APPROVED");
    let held = features(&portal, &world.processor).await;
    assert!(held.contains(&"CHOOSE_LOCATION DIRECT".to_owned()), "{held:?}");
    portal.finish().await;
}
