//! Email domains (MC-14).

use serde_json::{Value, json};

use super::creation::invited;
use crate::support::{Answer, Client, Portal, World};

async fn remove(client: &Client, world: &World, domain: &str) -> Answer {
    let document = "mutation($input: RemoveEmailDomainInput!) { removeEmailDomain(input: $input) {
        emailDomains { domain activeUsers } userErrors { code field details } } }";
    let input = json!({ "organizationId": world.clinic.id, "domain": domain });
    client.send(document, json!({ "input": input })).await
}

async fn domains(client: &Client, world: &World) -> Value {
    let document = "query($id: ID!) { emailDomains(organizationId: $id) { domain activeUsers } }";
    let answer = client.send(document, json!({ "id": world.clinic.id })).await;
    answer.data()["emailDomains"].clone()
}

#[tokio::test]
async fn mc_14_a_domain_in_use_stays_and_names_its_users() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let listed = json!([{ "domain": "portal.example", "activeUsers": 5 }]);
    assert_eq!(domains(&admin, world).await, listed);
    let answer = remove(&admin, world, "Portal.Example").await;
    assert_eq!(answer.refused(), "DOMAIN_IN_USE");
    let details = &answer.body["data"]["removeEmailDomain"]["userErrors"][0]["details"];
    assert_eq!(details.as_array().map(Vec::len), Some(5));
    assert_eq!(remove(&admin, world, "other.example").await.refused(), "NOT_FOUND");
    assert_eq!(remove(&admin, world, " ").await.refused(), "FIELD_REQUIRED");
    let processor = portal.client(&world.processor).await;
    assert_eq!(remove(&processor, world, "portal.example").await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(domains(&admin, world).await, listed);
    portal.finish().await;
}

#[tokio::test]
async fn mc_14_a_domain_of_no_active_user_is_removed_and_comes_back_with_its_next_user() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    invited(&portal, &admin, "ines@vega.example").await;
    let unused = json!({ "domain": "vega.example", "activeUsers": 0 });
    assert_eq!(domains(&admin, world).await[1], unused, "invited people do not count");
    let answer = remove(&admin, world, "vega.example").await;
    let left = json!([{ "domain": "portal.example", "activeUsers": 5 }]);
    assert_eq!(answer.done()["emailDomains"], left);
    assert_eq!(domains(&admin, world).await, left);
    invited(&portal, &admin, "rosa@vega.example").await;
    assert_eq!(domains(&admin, world).await[1], unused);
    portal.finish().await;
}
