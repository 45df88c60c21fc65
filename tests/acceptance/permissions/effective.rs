//! What people may do, and why (MC-40, MC-41, MC-49, GN-13).

use serde_json::{Value, json};

use super::{set_levels, set_types};
use crate::support::{Answer, Client, Person, Portal, World};

/// `KIND [npi] [type] [feature] [ids] SOURCE` of every right in force.
pub(super) async fn rights(client: &Client, world: &World, who: &Person) -> Vec<String> {
    let document = "query($user: ID!, $organization: ID!) {
        effectivePermissions(userId: $user, organizationId: $organization) {
          rights { kind npi correspondenceType feature jobRoleId locationId taxIdId source because }
        } }";
    let variables = json!({ "user": who.user, "organization": world.clinic.id });
    let answer = client.send(document, variables).await;
    let rights = &answer.data()["effectivePermissions"]["rights"];
    let line = |right: &Value| {
        assert!(right["because"].as_str().is_some_and(|because| because.ends_with('.')));
        let words = [
            "kind",
            "npi",
            "correspondenceType",
            "feature",
            "jobRoleId",
            "locationId",
            "taxIdId",
            "source",
        ];
        let words: Vec<_> = words.iter().filter_map(|field| right[field].as_str()).collect();
        words.join(" ")
    };
    rights.as_array().expect("rights").iter().map(line).collect()
}

#[tokio::test]
async fn mc_40_an_npi_admin_manages_pins_of_that_npi_and_no_users() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = &world.clinic.npis[0];
    let client = portal.client(&world.npi_admin).await;
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(
        rights(&client, world, &world.npi_admin).await,
        [format!("VIEW_NPI {npi} DIRECT"), format!("MANAGE_PIN {npi} DIRECT")]
    );
    reset_pin(&client, world, npi).await.done();
    assert_eq!(
        reset_pin(&client, world, &world.clinic.npis[1]).await.refused(),
        "NPI_NOT_PERMITTED"
    );
    // Documents as far as they were granted.
    set_types(&admin, (world, &world.npi_admin), &[npi], &["TAX_DOCUMENTS"]).await.done();
    let granted = format!("READ_CORRESPONDENCE {npi} TAX_DOCUMENTS DIRECT");
    assert!(rights(&client, world, &world.npi_admin).await.contains(&granted));
    let about = (world, &world.newcomer);
    assert_eq!(set_levels(&client, about, &[(npi, "ADMIN")]).await.refused(), "NOT_ORG_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_41_a_processor_reads_correspondence_and_manages_no_pin() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[0].as_str();
    let admin = portal.client(&world.clinic_admin).await;
    set_types(&admin, (world, &world.processor), &[npi], &["RAD"]).await.done();
    let client = portal.client(&world.processor).await;
    assert_eq!(
        rights(&client, world, &world.processor).await,
        [format!("VIEW_NPI {npi} DIRECT"), format!("READ_CORRESPONDENCE {npi} RAD DIRECT")]
    );
    assert_eq!(reset_pin(&client, world, npi).await.refused(), "NPI_NOT_PERMITTED");
    let about = (world, &world.newcomer);
    assert_eq!(set_levels(&client, about, &[(npi, "ADMIN")]).await.refused(), "NOT_ORG_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_49_people_see_only_the_npis_they_are_assigned() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let seen = |rights: Vec<String>| {
        let npis = rights.into_iter().filter(|right| right.starts_with("VIEW_NPI"));
        npis.map(|right| right[9..19].to_owned()).collect::<Vec<_>>()
    };
    let client = portal.client(&world.processor).await;
    let own = seen(rights(&client, world, &world.processor).await);
    assert_eq!(own, [world.clinic.npis[0].clone()]);
    assert_eq!(pins(&client, &portal).await, own);
    let second = world.clinic.npis[1].as_str();
    set_levels(&admin, (world, &world.processor), &[(second, "PROCESSOR")]).await.done();
    assert_eq!(seen(rights(&client, world, &world.processor).await).len(), 2);
    assert_eq!(pins(&client, &portal).await.len(), 2);
    set_levels(&admin, (world, &world.processor), &[(second, "NONE")]).await.done();
    let held = rights(&client, world, &world.processor).await;
    assert!(held.iter().all(|right| !right.contains(second)), "{held:?}");
    assert_eq!(seen(held), own);
    assert_eq!(pins(&client, &portal).await, own);
    portal.finish().await;
}

async fn reset_pin(client: &Client, world: &World, npi: &str) -> Answer {
    let input = json!({ "organizationId": world.clinic.id, "npi": npi });
    client.mutate("resetPin", input, "pin { version }").await
}

/// The NPIs in somebody's list of PINs.
async fn pins(client: &Client, portal: &Portal) -> Vec<String> {
    portal.settle().await;
    let document = "query($of: ID!) { pins(organizationId: $of) { nodes { npi } } }";
    let answer = client.send(document, json!({ "of": portal.world().clinic.id })).await;
    let nodes = answer.data()["pins"]["nodes"].as_array().expect("nodes").iter();
    nodes.map(|node| node["npi"].as_str().expect("an NPI").to_owned()).collect()
}

#[tokio::test]
async fn gn_13_nobody_raises_their_own_permissions() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let own = (world, &world.clinic_second_admin);
    let client = portal.client(&world.clinic_second_admin).await;
    let npi = world.clinic.npis[0].as_str();
    assert_eq!(set_levels(&client, own, &[(npi, "PROCESSOR")]).await.refused(), "SELF_GRANT");
    let quick = json!({ "level": "ADMIN" });
    let answer = super::change(&client, "quickAssignNpis", own, quick).await;
    assert_eq!(answer.refused(), "SELF_GRANT");
    let admin = portal.client(&world.clinic_admin).await;
    set_levels(&admin, own, &[(npi, "PROCESSOR")]).await.done();
    assert_eq!(set_types(&client, own, &[npi], &["RAD"]).await.refused(), "SELF_GRANT");
    set_levels(&client, own, &[(npi, "NONE")]).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_every_right_comes_with_its_reason() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let npi = &world.clinic.npis[0];
    let implied = rights(&admin, world, &world.clinic_second_admin).await;
    for right in [
        "MANAGE_USERS ROLE".to_owned(),
        "VIEW_ORGANIZATION ROLE".to_owned(),
        format!("MANAGE_PIN {npi} IMPLIED_BY_ADMIN"),
        format!("READ_CORRESPONDENCE {npi} TAX_DOCUMENTS IMPLIED_BY_ADMIN"),
    ] {
        assert!(implied.contains(&right), "{right} is not in {implied:?}");
    }
    let registrant = rights(&admin, world, &world.clinic_admin).await;
    assert!(registrant.contains(&format!("MANAGE_PIN {npi} ALL_NPIS")));
    let processor = portal.client(&world.processor).await;
    let document = "query($user: ID!, $organization: ID!) {
        effectivePermissions(userId: $user, organizationId: $organization) { rights { kind } } }";
    let variables = json!({ "user": world.npi_admin.user, "organization": world.clinic.id });
    assert_eq!(processor.send(document, variables).await.error_code(), "FORBIDDEN");
    portal.finish().await;
}
