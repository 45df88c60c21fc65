//! A level per NPI (MC-39, MC-42, MC-48).

use std::time::Duration;

use rollcall_domain::{
    kernel::ids::MembershipId,
    permissions::{Cause, Membership, MembershipEvent, NpiLevel},
};
use serde_json::json;

use super::{change, levels, matrix, set_levels};
use crate::support::{Portal, World};

/// The clinic's NPIs in the matrix's order, with these levels.
fn expected(world: &World, levels: [&str; 3]) -> Vec<String> {
    let mut npis = world.clinic.npis.clone();
    npis.sort_unstable();
    npis.iter().zip(levels).map(|(npi, level)| format!("{npi} {level}")).collect()
}

#[tokio::test]
async fn mc_39_every_npi_has_one_level_and_none_is_the_default() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["NONE", "NONE", "NONE"]));
    let [first, second, _] = [0, 1, 2].map(|nth| world.clinic.npis[nth].as_str());
    set_levels(&admin, about, &[(first, "ADMIN"), (second, "PROCESSOR")]).await.done();
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["ADMIN", "PROCESSOR", "NONE"]));
    set_levels(&admin, about, &[(first, "PROCESSOR")]).await.done();
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["PROCESSOR", "PROCESSOR", "NONE"]));

    let stream = MembershipId::of(world.tenant, world.newcomer.user, world.clinic.id);
    let events = portal.events::<Membership>(stream).await;
    let last = events.last().expect("three facts");
    let MembershipEvent::NpiPermissionSet { old, new, cause, .. } = last else {
        panic!("not a level: {last:?}");
    };
    assert_eq!((*old, *new, *cause), (NpiLevel::Admin, NpiLevel::Processor, Cause::Administrator));
    portal.finish().await;
}

#[tokio::test]
async fn mc_39_foreign_unknown_and_doubled_npis_change_nothing() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let own = world.clinic.npis[0].as_str();
    let foreign = world.hospital.npis[0].as_str();
    for (levels, code, field) in [
        (vec![(own, "ADMIN"), (foreign, "ADMIN")], "NPI_NOT_IN_ORG", "permissions.1.npi"),
        (vec![("1234567890", "ADMIN")], "NPI_INVALID", "permissions.0.npi"),
        (vec![("", "ADMIN")], "FIELD_REQUIRED", "permissions.0.npi"),
        (vec![(own, "ADMIN"), (own, "NONE")], "FIELD_INVALID", "permissions.1.npi"),
        (vec![], "FIELD_REQUIRED", "permissions"),
    ] {
        let answer = set_levels(&admin, about, &levels).await;
        assert_eq!(answer.refused(), code);
        let path: Vec<&str> = field.split('.').collect();
        assert_eq!(answer.refusal()["field"], json!(path));
    }
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["NONE", "NONE", "NONE"]));
    portal.finish().await;
}

#[tokio::test]
async fn mc_39_only_the_organisations_administrators_set_levels_of_its_own_people() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let own = world.clinic.npis[0].as_str();
    for (who, code) in [
        (&world.npi_admin, "NOT_ORG_ADMIN"),
        (&world.hospital_admin, "NOT_FOUND"),
        (&world.plan_admin, "NOT_FOUND"),
    ] {
        let client = portal.client(who).await;
        let about = (world, &world.newcomer);
        assert_eq!(set_levels(&client, about, &[(own, "ADMIN")]).await.refused(), code);
    }
    let admin = portal.client(&world.clinic_admin).await;
    let foreign = (world, &world.hospital_admin);
    let answer = set_levels(&admin, foreign, &[(own, "ADMIN")]).await;
    assert_eq!(answer.refused(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn mc_39_who_has_access_to_an_npi_is_told_with_the_reason() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let document = "query($npi: NPI!, $organization: ID!) {
        npiAccess(npi: $npi, organizationId: $organization) {
          totalCount nodes { user { firstName } level source } } }";
    let variables = |npi: &str| json!({ "npi": npi, "organization": world.clinic.id });
    let answer = admin.send(document, variables(&world.clinic.npis[0])).await;
    let expected = json!({ "totalCount": 4, "nodes": [
        { "user": { "firstName": "Nora" }, "level": "ADMIN", "source": "DIRECT" },
        { "user": { "firstName": "Abe" }, "level": "ADMIN", "source": "IMPLIED_BY_ADMIN" },
        { "user": { "firstName": "Paul" }, "level": "PROCESSOR", "source": "DIRECT" },
        { "user": { "firstName": "Ann" }, "level": "ADMIN", "source": "ALL_NPIS" },
    ] });
    assert_eq!(answer.data()["npiAccess"], expected);
    let answer = admin.send(document, variables(&world.hospital.npis[0])).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "NPI_NOT_IN_ORG");
    portal.finish().await;
}

#[tokio::test]
async fn mc_42_quick_assign_sets_every_npi_in_one_step_and_single_ones_may_differ() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let membership = MembershipId::of(world.tenant, world.newcomer.user, world.clinic.id);
    let before = portal.events::<Membership>(membership).await.len();
    change(&admin, "quickAssignNpis", about, json!({ "level": "PROCESSOR" })).await.done();
    let after = portal.events::<Membership>(membership).await.len();
    assert_eq!(after, before + 3, "one fact per NPI");
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["PROCESSOR"; 3]));
    let stream = MembershipId::of(world.tenant, world.newcomer.user, world.clinic.id);
    let npis = portal.events::<Membership>(stream).await;
    let each = |event: &MembershipEvent| matches!(event, MembershipEvent::NpiPermissionSet { .. });
    assert_eq!((npis.len(), npis.iter().all(each)), (3, true));
    set_levels(&admin, about, &[(&world.clinic.npis[0], "NONE")]).await.done();
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["NONE", "PROCESSOR", "PROCESSOR"]));
    portal.finish().await;
}

#[tokio::test]
async fn mc_48_all_three_groups_are_seen_and_changed_later_from_the_users_page() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.npi_admin);
    let npi = world.clinic.npis[0].as_str();
    super::set_types(&admin, about, &[npi], &["RAD"]).await.done();
    change(&admin, "assignOrgRole", about, json!({ "role": "PROCESSOR" })).await.done();
    let document = "query($id: ID!, $organization: ID!) {
        user(id: $id, organizationId: $organization) { orgRole
          permissions { orgRole npis { npi level correspondence } } } }";
    let variables = json!({ "id": world.npi_admin.user, "organization": world.clinic.id });
    let answer = admin.send(document, variables).await;
    let permissions = &answer.data()["user"]["permissions"];
    assert_eq!(permissions["orgRole"], "PROCESSOR");
    let row = json!({ "npi": npi, "level": "ADMIN", "correspondence": ["RAD"] });
    assert_eq!(permissions["npis"][0], row);
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_a_level_with_an_end_counts_to_its_last_second() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let set = |until: &str| {
        let npi = &world.clinic.npis[0];
        json!({ "permissions": [{ "npi": npi, "level": "PROCESSOR", "until": until }] })
    };
    for past in ["2026-01-12T17:00:00Z", "2025-12-31T00:00:00Z"] {
        let answer = change(&admin, "setNpiPermissions", about, set(past)).await;
        assert_eq!(answer.refused(), "RANGE_INVALID");
    }
    change(&admin, "setNpiPermissions", about, set("2026-01-12T17:10:00Z")).await.done();
    portal.advance(Duration::from_secs(599));
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["PROCESSOR", "NONE", "NONE"]));
    portal.advance(Duration::from_secs(1));
    let rows = matrix(&admin, world, &world.newcomer).await;
    assert_eq!(levels(&rows), expected(world, ["NONE"; 3]));
    portal.finish().await;
}
