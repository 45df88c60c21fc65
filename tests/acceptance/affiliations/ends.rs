//! How requests and affiliations end, and who sees them (MC-61, GN-18).

use std::time::Duration;

use rollcall_commands::{Caller, affiliations::ExpireAffiliation};
use rollcall_domain::{
    Event,
    affiliations::{Affiliation, Pair},
    kernel::ids::AffiliationId,
};
use serde_json::json;
use uuid::Uuid;

use super::{Scene, desk, id, list, scene};

const DAY: u64 = 86_400;

#[tokio::test]
async fn gn_18_a_request_is_taken_back_by_who_made_it() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let itself = biller.ask(world.biller.id).await;
    assert_eq!(itself.refused(), "SELF_AFFILIATION");
    let affiliation = id(&biller.ask(world.clinic.id).await);
    assert_eq!(clinic.withdraw(&affiliation).await.refused(), "NOT_COUNTERPARTY");
    let withdrawn = biller.withdraw(&affiliation).await;
    assert_eq!(withdrawn.done()["affiliation"]["status"], "WITHDRAWN");
    assert_eq!(biller.withdraw(&affiliation).await.refused(), "NOT_PENDING");
    let next = id(&biller.ask(world.clinic.id).await);
    assert_ne!(next, affiliation, "the next request is another affiliation");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_a_request_runs_thirty_times_24_hours_whatever_the_clocks_do_meanwhile() {
    let Scene { portal, world, .. } = scene().await;
    // Ten in the morning in October, nine in November.
    portal.clock.set("2026-10-20T17:00:00Z".parse().unwrap());
    let biller = desk(&portal, &world.biller_admin).await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    portal.clock.set("2026-11-19T16:59:59Z".parse().unwrap());
    let clinic = desk(&portal, &world.clinic_admin).await;
    assert_eq!(clinic.status(&portal, &affiliation).await, "REQUESTED");
    portal.clock.set("2026-11-19T17:00:00Z".parse().unwrap());
    assert_eq!(clinic.status(&portal, &affiliation).await, "EXPIRED");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_a_request_runs_out_after_thirty_days_to_the_second() {
    let Scene { portal, world, biller, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    portal.advance(Duration::from_secs(30 * DAY - 1));
    let clinic = desk(&portal, &world.clinic_admin).await;
    assert_eq!(clinic.status(&portal, &affiliation).await, "REQUESTED");
    portal.advance(Duration::from_secs(1));
    assert_eq!(clinic.status(&portal, &affiliation).await, "EXPIRED");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    assert_eq!(clinic.list(&portal, "pendingAffiliations", "").await, []);
    let caller = Caller::system(world.tenant, Uuid::new_v4(), None);
    let pair = Pair { submitter: world.biller.id, provider: world.clinic.id };
    let stream = AffiliationId(world.tenant.affiliation_stream(&pair, 0));
    let expire = ExpireAffiliation { affiliation: stream };
    portal.settle().await;
    let events = portal.events::<Affiliation>(stream).await;
    let types: Vec<_> = events.iter().map(Event::event_type).collect();
    assert_eq!(
        types,
        [
            "affiliations.affiliation.affiliation_requested",
            "affiliations.affiliation.affiliation_agreement_signed",
            "affiliations.affiliation.affiliation_expired"
        ]
    );
    let position = portal.position().await;
    portal.service.commands.dispatch(&caller, None, &expire).await.expect("the system may");
    assert_eq!(portal.position().await, position, "it is written down once");
    let again = desk(&portal, &world.biller_admin).await.ask(world.clinic.id).await;
    assert_eq!(again.done()["affiliation"]["status"], "REQUESTED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_who_was_denied_asks_again_after_thirty_days() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.deny(&affiliation, true).await.done();
    let early = biller.ask(world.clinic.id).await;
    assert_eq!(early.refused(), "TOO_EARLY");
    let error = &early.data()["requestAffiliation"]["userErrors"][0];
    assert_eq!(error["retryAt"], "2026-02-11T17:00:00Z");
    portal.advance(Duration::from_secs(30 * DAY - 1));
    let biller = desk(&portal, &world.biller_admin).await;
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "TOO_EARLY");
    portal.advance(Duration::from_secs(1));
    biller.ask(world.clinic.id).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_who_denied_may_ask_at_once() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.deny(&affiliation, true).await.done();
    let theirs = clinic.ask(world.biller.id).await;
    assert_eq!(theirs.done()["affiliation"]["initiator"], "PROVIDER");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_either_side_ends_it_and_the_last_day_counts() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    assert_eq!(
        clinic.terminate(&affiliation, false, "2026-01-13").await.refused(),
        "CONFIRMATION_REQUIRED"
    );
    assert_eq!(clinic.terminate(&affiliation, true, "2026-01-11").await.refused(), "DATE_INVALID");
    assert_eq!(clinic.terminate(&affiliation, true, "soon").await.refused(), "DATE_INVALID");
    let ended = clinic.terminate(&affiliation, true, "2026-01-13").await;
    assert_eq!(ended.done()["affiliation"]["endsOn"], "2026-01-13");
    assert_eq!(ended.done()["affiliation"]["status"], "ACTIVE", "until the last day is over");
    portal.clock.set("2026-01-14T07:59:59Z".parse().unwrap());
    let biller = desk(&portal, &world.biller_admin).await;
    assert_eq!(biller.status(&portal, &affiliation).await, "ACTIVE");
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "AFFILIATION_EXISTS");
    portal.advance(Duration::from_secs(1));
    assert_eq!(biller.status(&portal, &affiliation).await, "TERMINATED");
    biller.ask(world.clinic.id).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_the_plan_sees_every_affiliation_and_its_papers() {
    let Scene { portal, world, biller, .. } = scene().await;
    let first = id(&biller.ask(world.clinic.id).await);
    let second = id(&biller.ask(world.hospital.id).await);
    let plan = portal.client(&world.plan_support).await;
    let all = list(&plan, &portal, "affiliations", "").await;
    let requested = |id: String| (id, "REQUESTED".to_owned());
    assert_eq!(all, [requested(second), requested(first)]);
    let document = "{ affiliations { nodes { signatures { lastName } } totalCount } }";
    let answer = plan.send(document, json!({})).await;
    let lists = &answer.data()["affiliations"];
    assert_eq!(lists["totalCount"], 2);
    assert!(
        lists["nodes"].as_array().unwrap().iter().all(|n| n["signatures"][0]["lastName"] == "Lee")
    );
    assert_eq!(biller.client.send(document, json!({})).await.error_code(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_61_the_submitter_directory_lists_open_submitters_by_name() {
    let Scene { portal, clinic, .. } = scene().await;
    let of = clinic.organization;
    for (search, found) in [("golden", 1), ("redwood", 0), ("", 1)] {
        let document = format!(
            "{{ submitterDirectory(organizationId: \"{of}\", search: \"{search}\", minPosition: \"{}\")
                {{ nodes {{ organizationId name }} totalCount }} }}",
            portal.position().await
        );
        let answer = clinic.client.send(&document, json!({})).await;
        assert_eq!(answer.data()["submitterDirectory"]["totalCount"], found, "{search}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_closing_an_organization_ends_its_affiliations_and_requests_at_once() {
    let Scene { portal, world, biller, clinic, hospital } = scene().await;
    let in_force = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&in_force).await.done();
    let asked = id(&hospital.ask(world.biller.id).await);
    let support = portal.client(&world.plan_support).await;
    let stop = async |mutation: &str| {
        let id = world.biller.id.to_string();
        let input = json!({ "organizationId": id, "reason": "It gave up." });
        support.mutate(mutation, input, "").await.done();
    };
    stop("suspendOrganization").await;
    assert_eq!(clinic.status(&portal, &in_force).await, "ACTIVE", "a suspension ends nothing");
    stop("closeOrganization").await;
    assert_eq!(clinic.status(&portal, &in_force).await, "TERMINATED");
    assert_eq!(hospital.status(&portal, &asked).await, "DENIED");
    let mail = portal.mailbox(&world.clinic_admin.email).await;
    crate::support::Portal::newest(&mail, "Golden Gate Billing ended the affiliation");
    portal.finish().await;
}
