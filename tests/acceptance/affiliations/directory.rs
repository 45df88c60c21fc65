//! Submitters in the directory: what they offer, whether they are listed, how their tests stand
//! (MC-61 to MC-63).

use rollcall_domain::policies::{PolicyKey, PolicyValue, Preset};
use serde_json::{Value, json};

use super::{Desk, Scene, id, scene};
use crate::support::{Answer, Client, Portal};

const PROFILE: &str = "profile { visible types { type testState testedAt } }";

async fn offer(desk: &Desk, types: &[&str]) -> Answer {
    let input = json!({ "organizationId": desk.organization.to_string(), "types": types });
    desk.client.mutate("setTransactionTypes", input, PROFILE).await
}

async fn show(desk: &Desk, visible: bool) -> Answer {
    let input = json!({ "organizationId": desk.organization.to_string(), "visible": visible });
    desk.client.mutate("setDirectoryVisibility", input, PROFILE).await
}

async fn test(client: &Client, of: &Desk, kind: &str, result: &str) -> Answer {
    let input = json!({
        "organizationId": of.organization.to_string(), "transactionType": kind, "result": result,
    });
    client.mutate("recordTransactionTest", input, PROFILE).await
}

/// Each listed submitter with its types, as an organisation sees the directory.
async fn directory(portal: &Portal, viewer: &Desk, arguments: &str) -> Vec<(String, Vec<String>)> {
    let document = format!(
        "{{ submitterDirectory(organizationId: \"{}\", minPosition: \"{}\" {arguments})
            {{ nodes {{ name transactionTypes {{ type }} }} }} }}",
        viewer.organization,
        portal.position().await
    );
    let answer = viewer.client.send(&document, json!({})).await;
    let listed = answer.data()["submitterDirectory"]["nodes"].as_array().expect("nodes").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    listed
        .iter()
        .map(|node| {
            let types = node["transactionTypes"].as_array().expect("types");
            (text(&node["name"]), types.iter().map(|kind| text(&kind["type"])).collect())
        })
        .collect()
}

fn golden_gate(types: &[&str]) -> Vec<(String, Vec<String>)> {
    vec![("Golden Gate Billing".to_owned(), types.iter().map(|&kind| kind.to_owned()).collect())]
}

#[tokio::test]
async fn mc_61_the_directory_shows_what_a_submitter_offers_and_finds_it_by_type() {
    let Scene { portal, biller, clinic, .. } = scene().await;
    assert_eq!(directory(&portal, &clinic, "").await, golden_gate(&[]));
    let set = offer(&biller, &["837P", "835"]).await;
    let testing = |kind: &str| json!({ "type": kind, "testState": "TESTING", "testedAt": null });
    assert_eq!(set.done()["profile"]["types"], json!([testing("835"), testing("837P")]));
    assert_eq!(directory(&portal, &clinic, "").await, golden_gate(&["835", "837P"]));
    assert_eq!(
        directory(&portal, &clinic, ", type: \"837P\"").await,
        golden_gate(&["835", "837P"])
    );
    assert_eq!(directory(&portal, &clinic, ", type: \"837D\"").await, []);
    offer(&biller, &["837D"]).await.done();
    assert_eq!(directory(&portal, &clinic, "").await, golden_gate(&["837D"]));
    assert_eq!(directory(&portal, &biller, "").await, [], "nobody is listed to themselves");
    let unknown = offer(&biller, &["837D", "999X"]).await;
    assert_eq!(unknown.refused(), "TYPE_UNKNOWN");
    assert_eq!(unknown.refusal()["field"], json!(["types", "1"]));
    assert_eq!(offer(&clinic, &["837P"]).await.refused(), "ORG_KIND_WRONG");
    let document = format!(
        "{{ submitterDirectory(organizationId: \"{}\", type: \"999X\") {{ nodes {{ name }} }} }}",
        clinic.organization
    );
    assert_eq!(clinic.client.send(&document, json!({})).await.error_code(), "BAD_USER_INPUT");
    portal.finish().await;
}

#[tokio::test]
async fn mc_61_a_submitter_and_the_plan_read_its_own_profile() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    offer(&biller, &["837P"]).await.done();
    let document = format!(
        "{{ submitterProfile(organizationId: \"{}\", minPosition: \"{}\") {{ visible types {{ type }} }} }}",
        biller.organization,
        portal.position().await
    );
    let plan = portal.client(&world.plan_support).await;
    for client in [&biller.client, &plan] {
        let answer = client.send(&document, json!({})).await;
        let shown = json!({ "visible": true, "types": [{ "type": "837P" }] });
        assert_eq!(answer.data()["submitterProfile"], shown);
    }
    assert_eq!(clinic.client.send(&document, json!({})).await.error_code(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn mc_61_a_portal_without_affiliations_has_no_directory_profiles() {
    let presets = [
        ("cencal", Preset::Cencal),
        ("alliance", Preset::Alliance),
        ("carecentrix", Preset::Carecentrix),
        ("hardened", Preset::Hardened),
    ];
    for (slug, preset) in presets {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let desk = super::desk(&portal, &world.biller_admin).await;
        assert_eq!(offer(&desk, &["837P"]).await.refused(), "FEATURE_DISABLED", "{preset}");
        assert_eq!(show(&desk, false).await.refused(), "FEATURE_DISABLED", "{preset}");
        portal.change_policy(PolicyKey::AffiliationsEnabled, PolicyValue::Boolean(true)).await;
        offer(&desk, &["837P"]).await.done();
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_62_who_hides_is_listed_to_those_affiliated_with_it_only() {
    let Scene { portal, world, biller, clinic, hospital } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    biller.ask(world.hospital.id).await.done();
    let hidden = show(&biller, false).await;
    assert_eq!(hidden.done()["profile"]["visible"], false);
    assert_eq!(directory(&portal, &clinic, "").await, golden_gate(&[]), "affiliated already");
    assert_eq!(directory(&portal, &hospital, "").await, [], "a request is no affiliation yet");
    clinic.terminate(&affiliation, true, "2026-01-12").await.done();
    assert_eq!(directory(&portal, &clinic, "").await, golden_gate(&[]), "to its last second");
    portal.clock.set("2026-01-13T08:00:00Z".parse().unwrap());
    let clinic = super::desk(&portal, &world.clinic_admin).await;
    assert_eq!(directory(&portal, &clinic, "").await, []);
    let biller = super::desk(&portal, &world.biller_admin).await;
    show(&biller, true).await.done();
    assert_eq!(directory(&portal, &clinic, "").await, golden_gate(&[]));
    assert_eq!(show(&clinic, false).await.refused(), "ORG_KIND_WRONG");
    let input = json!({ "organizationId": world.biller.id.to_string(), "visible": false });
    let stranger = clinic.client.mutate("setDirectoryVisibility", input, "").await;
    assert_eq!(stranger.refused(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn mc_63_the_plan_records_tests_and_each_type_has_its_state() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let plan = portal.client(&world.plan_support).await;
    offer(&biller, &["837P", "835"]).await.done();
    let state = |answer: &Answer| {
        let types = answer.done()["profile"]["types"].as_array().expect("types").clone();
        let kind = types.iter().find(|kind| kind["type"] == "837P").expect("837P").clone();
        (kind["testState"].clone(), kind["testedAt"].clone())
    };
    let at = json!("2026-01-12T17:00:00Z");
    for (result, expected) in [
        ("FAILED", "TESTING"),
        ("PASSED", "APPROVED"),
        ("SUSPENDED", "SUSPENDED"),
        ("PASSED", "APPROVED"),
    ] {
        let recorded = test(&plan, &biller, "837P", result).await;
        assert_eq!(state(&recorded), (json!(expected), at.clone()), "{result}");
    }
    assert_eq!(test(&plan, &biller, "837D", "PASSED").await.refused(), "TYPE_UNKNOWN");
    assert_eq!(test(&biller.client, &biller, "837P", "PASSED").await.refused(), "FORBIDDEN");
    test(&plan, &biller, "837P", "SUSPENDED").await.done();
    assert_eq!(directory(&portal, &clinic, ", type: \"837P\"").await, [], "suspended");
    // What is taken off the list and put back keeps what its tests have shown.
    offer(&biller, &["835"]).await.done();
    let back = offer(&biller, &["835", "837P"]).await;
    assert_eq!(state(&back), (json!("SUSPENDED"), at));
    portal.finish().await;
}
