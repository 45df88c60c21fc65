//! Locations and tax ids of an organisation and of its people (CX-02, CX-03, CX-12, CC-02).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::{change, effective::rights};
use crate::support::{Answer, Client, Portal, World};

const LOCATION: &str = "location { id name credentialed terminated terminatedFrom }";

async fn register(client: &Client, world: &World, name: &str, credentialed: bool) -> Answer {
    let input = json!({
        "organizationId": world.clinic.id, "name": name, "credentialed": credentialed,
        "npi": world.clinic.npis[0],
    });
    client.mutate("registerLocation", input, LOCATION).await
}

fn id(answer: &Answer) -> String {
    answer.done()["location"]["id"].as_str().expect("an id").to_owned()
}

fn about(world: &World, location: &str) -> Value {
    json!({ "organizationId": world.clinic.id, "locationId": location })
}

async fn carecentrix() -> Portal {
    Portal::seeded("carecentrix", Preset::Carecentrix).await
}

#[tokio::test]
async fn cx_02_only_credentialed_locations_are_granted() {
    let portal = carecentrix().await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let admin = portal.client(&world.clinic_admin).await;
    let north = id(&register(&support, world, "North Branch", false).await);
    assert_eq!(register(&support, world, "North Branch", true).await.refused(), "NAME_INVALID");
    assert_eq!(register(&admin, world, "South Branch", true).await.refused(), "FORBIDDEN");
    let paul = (world, &world.processor);
    let grant = json!({ "locationId": north });
    let refused = change(&admin, "grantLocationAccess", paul, grant.clone()).await;
    assert_eq!(refused.refused(), "LOCATION_NOT_CREDENTIALED");
    let mut credential = about(world, &north);
    credential["credentialed"] = json!(true);
    support.mutate("setLocationCredentialed", credential.clone(), LOCATION).await.done();
    change(&admin, "grantLocationAccess", paul, grant).await.done();
    let own = portal.client(&world.processor).await;
    let both = [format!("VIEW_LOCATION {north} DIRECT"), format!("CHOOSE_LOCATION {north} DIRECT")];
    let held = rights(&own, world, &world.processor).await;
    assert!(both.iter().all(|right| held.contains(right)), "{held:?}");
    credential["credentialed"] = json!(false);
    support.mutate("setLocationCredentialed", credential, LOCATION).await.done();
    let held = rights(&own, world, &world.processor).await;
    assert!(!held.iter().any(|right| right.contains("LOCATION")), "{held:?}");
    let foreign = json!({
        "organizationId": world.clinic.id, "name": "East", "credentialed": true,
        "npi": world.hospital.npis[0],
    });
    let refused = support.mutate("registerLocation", foreign, LOCATION).await;
    assert_eq!(refused.refused(), "NPI_NOT_IN_ORG");
    portal.finish().await;
}

#[tokio::test]
async fn cx_02_locations_are_listed_and_searched_by_name() {
    let portal = carecentrix().await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    for name in ["North Branch", "South Branch", "Harbor"] {
        register(&support, world, name, true).await.done();
    }
    let paul = portal.client(&world.processor).await;
    let document = "query($of: ID!, $search: String, $after: String) {
        locations(organizationId: $of, search: $search, first: 2, after: $after) {
          nodes { name credentialed } pageInfo { hasNextPage endCursor } } }";
    let names = |answer: &Answer| answer.data()["locations"]["nodes"].to_string();
    let first = paul.send(document, json!({ "of": world.clinic.id })).await;
    assert!(names(&first).contains("Harbor") && names(&first).contains("North"));
    let page = &first.data()["locations"]["pageInfo"];
    let after = json!({ "of": world.clinic.id, "after": page["endCursor"] });
    assert!(names(&paul.send(document, after).await).contains("South"));
    let found = paul.send(document, json!({ "of": world.clinic.id, "search": "branch" })).await;
    assert_eq!(found.data()["locations"]["nodes"].as_array().unwrap().len(), 2);
    let hana = portal.client(&world.hospital_admin).await;
    let foreign = hana.send(document, json!({ "of": world.clinic.id })).await;
    assert_eq!(foreign.error_code(), "NOT_FOUND");
    portal.finish().await;
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let refused = register(&support, portal.world(), "North Branch", true).await;
    assert_eq!(refused.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn cx_03_a_terminated_branch_is_a_z_location_open_to_its_claims_only() {
    let portal = carecentrix().await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let admin = portal.client(&world.clinic_admin).await;
    let north = id(&register(&support, world, "North Branch", true).await);
    let paul = (world, &world.processor);
    change(&admin, "grantLocationAccess", paul, json!({ "locationId": north })).await.done();
    let mut end = about(world, &north);
    end["from"] = json!("2026-01-12T17:10:00Z");
    let ended = support.mutate("terminateLocation", end.clone(), LOCATION).await;
    assert_eq!(ended.done()["location"]["name"], "North Branch", "not yet");
    portal.advance(Duration::from_secs(599));
    let own = portal.client(&world.processor).await;
    let choose = format!("CHOOSE_LOCATION {north} DIRECT");
    let view = format!("VIEW_LOCATION {north} DIRECT");
    assert!(rights(&own, world, &world.processor).await.contains(&choose));
    portal.advance(Duration::from_secs(1));
    let held = rights(&own, world, &world.processor).await;
    assert!(held.contains(&view) && !held.contains(&choose), "{held:?}");
    let list = "query($of: ID!) { locations(organizationId: $of) { nodes { name terminated } } }";
    let listed = own.send(list, json!({ "of": world.clinic.id })).await;
    let shown = json!([{ "name": "Z North Branch", "terminated": true }]);
    assert_eq!(listed.data()["locations"]["nodes"], shown);
    let again = support.mutate("terminateLocation", end, LOCATION).await;
    assert_eq!(again.refused(), "LOCATION_TERMINATED");
    let late = (world, &world.newcomer);
    let refused = change(&admin, "grantLocationAccess", late, json!({ "locationId": north })).await;
    assert_eq!(refused.refused(), "LOCATION_TERMINATED");
    portal.finish().await;
}

#[tokio::test]
async fn cx_12_the_administrator_decides_who_works_for_which_location() {
    let portal = carecentrix().await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let admin = portal.client(&world.clinic_admin).await;
    let north = id(&register(&support, world, "North Branch", true).await);
    let implied = format!("CHOOSE_LOCATION {north} IMPLIED_BY_ADMIN");
    assert!(rights(&admin, world, &world.clinic_admin).await.contains(&implied));
    let paul = (world, &world.processor);
    let grant = json!({ "locationId": north });
    let own = portal.client(&world.processor).await;
    for (client, code) in [(&own, "NOT_ORG_ADMIN"), (&support, "NOT_ORG_ADMIN")] {
        let refused = change(client, "grantLocationAccess", paul, grant.clone()).await;
        assert_eq!(refused.refused(), code);
    }
    change(&admin, "grantLocationAccess", paul, grant.clone()).await.done();
    let matrix = "query($of: ID!) { locationMatrix(organizationId: $of) {
        nodes { user { firstName } locations { location { name } } } } }";
    let answer = admin.send(matrix, json!({ "of": world.clinic.id })).await;
    let expected = json!([{
        "user": { "firstName": "Paul" }, "locations": [{ "location": { "name": "North Branch" } }],
    }]);
    assert_eq!(answer.data()["locationMatrix"]["nodes"], expected);
    let unknown = json!({ "locationId": world.clinic.id });
    let refused = change(&admin, "grantLocationAccess", paul, unknown).await;
    assert_eq!(refused.refused(), "NOT_FOUND");
    change(&admin, "revokeLocationAccess", paul, grant).await.done();
    assert!(rights(&own, world, &world.processor).await.iter().all(|it| !it.contains("LOCATION")));
    portal.finish().await;
}

#[tokio::test]
async fn cx_12_sites_are_given_by_the_plan() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let admin = portal.client(&world.clinic_admin).await;
    let site = id(&register(&support, world, "Harbor Site", true).await);
    let paul = (world, &world.processor);
    let grant = json!({ "locationId": site });
    let refused = change(&admin, "grantLocationAccess", paul, grant.clone()).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    change(&support, "grantLocationAccess", paul, grant).await.done();
    let held = rights(&admin, world, &world.processor).await;
    assert!(held.contains(&format!("CHOOSE_LOCATION {site} DIRECT")), "{held:?}");
    let own = rights(&admin, world, &world.clinic_admin).await;
    assert!(own.iter().all(|right| !right.contains("LOCATION")), "no site is implied: {own:?}");
    portal.finish().await;
}

async fn link(client: &Client, world: &World, number: &str) -> Answer {
    let input = json!({ "organizationId": world.clinic.id, "kind": "EIN", "taxId": number });
    client.mutate("linkTaxId", input, "taxId { id kind last4 }").await
}

#[tokio::test]
async fn cc_02_plan_staff_add_a_tax_id_to_a_persons_account() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(link(&admin, world, "98-7654321").await.refused(), "FORBIDDEN");
    assert_eq!(link(&support, world, "07-1234567").await.refused(), "TAX_ID_INVALID");
    let linked = link(&support, world, "98-7654321").await;
    let tax_id = linked.done()["taxId"].clone();
    assert_eq!((&tax_id["kind"], &tax_id["last4"]), (&json!("EIN"), &json!("4321")));
    assert_eq!(link(&support, world, "987654321").await.refused(), "TAX_ID_TAKEN");
    let paul = (world, &world.processor);
    let grant = json!({ "taxIdId": tax_id["id"] });
    let refused = change(&admin, "grantTaxIdAccess", paul, grant.clone()).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let unknown = json!({ "taxIdId": world.hospital.id });
    let refused = change(&support, "grantTaxIdAccess", paul, unknown).await;
    assert_eq!(refused.refused(), "TAX_ID_UNKNOWN");
    change(&support, "grantTaxIdAccess", paul, grant.clone()).await.done();
    let enrolled = json!({ "taxIdId": world.clinic.id });
    change(&support, "grantTaxIdAccess", paul, enrolled).await.done();
    portal.settle().await;
    let own = portal.client(&world.processor).await;
    let me = own.send("{ me { taxIds { kind last4 } } }", json!({})).await;
    let both = json!([{ "kind": "EIN", "last4": "6789" }, { "kind": "EIN", "last4": "4321" }]);
    assert_eq!(me.data()["me"]["taxIds"], both);
    let notices = "{ notifications(first: 5) { nodes { type } } }";
    let told = own.send(notices, json!({})).await.data().to_string();
    assert!(told.contains("PERMISSION_CHANGE"), "{told}");
    let told = admin.send(notices, json!({})).await.data().to_string();
    assert!(told.contains("USER_ACTIVITY"), "{told}");
    change(&support, "revokeTaxIdAccess", paul, grant).await.done();
    let me = own.send("{ me { taxIds { last4 } } }", json!({})).await;
    assert_eq!(me.data()["me"]["taxIds"], json!([{ "last4": "6789" }]));
    portal.finish().await;
}

#[tokio::test]
async fn cc_02_no_digit_beyond_the_last_four_is_anywhere() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let auditor = portal.client(&world.auditor).await;
    link(&support, world, "98-7654321").await.done();
    let document = "query($at: Position) { auditEvents(first: 20, minPosition: $at) {
        nodes { type sentence after } } }";
    let at = json!({ "at": portal.position().await.to_string() });
    let events = auditor.send(document, at).await.data().to_string();
    assert!(events.contains("linked the EIN ending in 4321 to Redwood Clinic"), "{events}");
    assert!(!events.contains("987654321") && !events.contains("98-7654321"), "{events}");
    portal.finish().await;
}
