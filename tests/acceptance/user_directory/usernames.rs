//! User names and addresses that people forgot (AL-03, AL-05).

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::user;
use crate::support::{Answer, Client, Person, Portal};

async fn disclose(client: &Client, who: &Person, reason: Value) -> Answer {
    let input = json!({ "userId": who.user, "reason": reason });
    client.mutate("discloseUsername", input, "username").await
}

#[tokio::test]
async fn al_03_the_user_name_is_seen_by_its_owner_the_office_admin_and_told_by_support() {
    for (slug, preset) in [
        ("alliance", Preset::Alliance),
        ("cencal", Preset::Cencal),
        ("carecentrix", Preset::Carecentrix),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let who = &world.processor;
        let name = json!(who.username.clone().expect("a user name"));
        let owner = portal.client(who).await;
        let me = owner.send("{ me { username } }", json!({})).await;
        assert_eq!(me.data()["me"]["username"], name);
        let admin = portal.client(&world.clinic_admin).await;
        assert_eq!(user(&admin, world, who, "username").await.data()["user"]["username"], name);
        let colleague = portal.client(&world.npi_admin).await;
        let unseen = user(&colleague, world, who, "username").await;
        assert_eq!(unseen.error_code(), "FORBIDDEN", "{slug}");

        let support = portal.client(&world.plan_support).await;
        let told = disclose(&support, who, json!("Gave NPI and birth date.")).await;
        assert_eq!(told.done()["username"], name);
        Portal::newest(&portal.mailbox(&who.email).await, "Your user name was told by support");
        assert_eq!(disclose(&support, who, Value::Null).await.refused(), "REASON_REQUIRED");
        for other in [&admin, &owner] {
            let refused = disclose(other, who, json!("I forgot it.")).await;
            assert_eq!(refused.refused(), "FORBIDDEN", "{slug}");
        }
        let auditor = portal.client(&world.auditor).await;
        let document = "{ auditEvents(filter: { types: [\"users.user.username_disclosed\"] }) {
            nodes { sentence } } }";
        let events = auditor.send(document, json!({})).await;
        let sentence = "Sam Hill told Paul Kim's user name to somebody who asked.";
        assert_eq!(events.data()["auditEvents"]["nodes"], json!([{ "sentence": sentence }]));
        portal.finish().await;
    }
}

#[tokio::test]
async fn al_03_where_people_sign_in_by_address_there_is_no_user_name_to_tell() {
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let told = disclose(&support, &portal.world().processor, json!("Asked by telephone.")).await;
    assert_eq!(told.refused(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn al_05_a_forgotten_address_is_read_by_the_office_admin_or_support() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let list =
        "query($id: ID!) { users(organizationId: $id, search: \"kim\") { nodes { email } } }";
    let variables = json!({ "id": world.clinic.id });
    for who in [&world.clinic_admin, &world.plan_support] {
        let client = portal.client(who).await;
        let found = client.send(list, variables.clone()).await;
        let email = json!([{ "email": world.processor.email }]);
        assert_eq!(found.data()["users"]["nodes"], email);
    }
    for who in [&world.npi_admin, &world.hospital_admin] {
        let client = portal.client(who).await;
        let refused = client.send(list, variables.clone()).await;
        assert!(["FORBIDDEN", "NOT_FOUND"].contains(&refused.error_code()));
    }
    portal.finish().await;
}
