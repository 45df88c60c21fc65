//! Finding people and opening one (MC-29).

use serde_json::{Value, json};

use super::user;
use crate::support::{Answer, Client, Portal, World};

async fn search(client: &Client, world: &World, arguments: &str) -> Answer {
    let document = format!(
        "query($id: ID!) {{ users(organizationId: $id {arguments}) {{
           totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ id firstName lastName email status }} }} }}"
    );
    client.send(&document, json!({ "id": world.clinic.id })).await
}

fn names(answer: &Answer) -> Vec<&str> {
    let nodes = answer.data()["users"]["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["firstName"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn mc_29_administrators_search_their_users_by_name_address_status_and_domain() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let all = search(&admin, world, "").await;
    assert_eq!(names(&all), ["Nora", "Abe", "Paul", "Ann", "Nell"], "by last name");
    assert_eq!(all.data()["users"]["totalCount"], 5);
    for (arguments, found) in [
        (r#", search: "nora diaz""#, vec!["Nora"]),
        (r#", search: "KIM@portal""#, vec!["Paul"]),
        (r#", search: "100%""#, vec![]),
        (", status: ACTIVE", vec!["Nora", "Abe", "Paul", "Ann", "Nell"]),
        (", status: INVITED", vec![]),
        (", status: DEACTIVATED", vec![]),
        (r#", domain: "Portal.Example""#, vec!["Nora", "Abe", "Paul", "Ann", "Nell"]),
        (r#", domain: "elsewhere.example""#, vec![]),
    ] {
        assert_eq!(names(&search(&admin, world, arguments).await), found, "{arguments}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_29_the_list_is_read_page_by_page() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = search(&admin, world, &format!(", first: 2 {after}")).await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let info = &page.data()["users"]["pageInfo"];
        if info["hasNextPage"] == false {
            break;
        }
        after = format!(", after: {}", info["endCursor"]);
    }
    assert_eq!(seen, ["Nora", "Abe", "Paul", "Ann", "Nell"]);
    let refused = search(&admin, world, ", first: 101").await;
    assert_eq!(refused.body["errors"][0]["extensions"]["reason"], "PAGE_SIZE_EXCEEDED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_29_only_administrators_the_plan_and_people_themselves_open_a_user() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let fields = "firstName lastName email mobile status orgRole setupState lastLoginAt locked";
    let admin = portal.client(&world.clinic_admin).await;
    let opened = user(&admin, world, &world.npi_admin, fields).await;
    let nora = &opened.data()["user"];
    assert_eq!(nora["email"], "nora.diaz@portal.example");
    assert_eq!((&nora["status"], &nora["locked"]), (&json!("ACTIVE"), &json!(false)));
    assert_eq!(nora["lastLoginAt"], Value::Null);

    let npi_admin = portal.client(&world.npi_admin).await;
    portal.settle().await;
    let own = user(&npi_admin, world, &world.npi_admin, fields).await;
    assert!(own.data()["user"]["lastLoginAt"].is_string());
    let other = user(&npi_admin, world, &world.processor, fields).await;
    assert_eq!(other.error_code(), "FORBIDDEN");
    assert_eq!(other.body["errors"][0]["extensions"]["reason"], "NOT_ORG_ADMIN");
    let listed = search(&npi_admin, world, "").await;
    assert_eq!(listed.body["errors"][0]["extensions"]["reason"], "NOT_ORG_ADMIN");

    let stranger = portal.client(&world.hospital_admin).await;
    assert_eq!(search(&stranger, world, "").await.error_code(), "NOT_FOUND");
    let plan = portal.client(&world.plan_support).await;
    assert_eq!(names(&search(&plan, world, "").await).len(), 5);
    let foreign = user(&admin, world, &world.hospital_admin, fields).await;
    assert_eq!(foreign.data()["user"], Value::Null, "nothing of another organisation");
    portal.finish().await;
}
