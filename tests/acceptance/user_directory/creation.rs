//! What is known of somebody who has not joined (MC-15).

use serde_json::{Value, json};

use super::user;
use crate::support::{Answer, Client, Person, Portal, World};

async fn invite(client: &Client, world: &World, email: &str) -> Answer {
    let input = json!({
        "organizationId": world.clinic.id,
        "email": email,
        "firstName": "Ines",
        "lastName": "Vega",
        "mobile": "+12025550177",
    });
    client.mutate("inviteUser", input, "invitation { id }").await
}

#[tokio::test]
async fn an_invited_person_is_shown_as_invited_and_not_as_their_account_elsewhere() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let invited = invite(&admin, world, &world.hospital_admin.email).await;
    let invitation = invited.done()["invitation"]["id"].clone();
    portal.settle().await;
    let fields = "firstName lastName mobile status lastLoginAt locked unassigned setupState
        invitation { id status expiresAt }";
    let shown = user(&admin, world, &world.hospital_admin, fields).await;
    let expected = json!({
        "firstName": "Ines", "lastName": "Vega", "mobile": "+12025550177", "status": "INVITED",
        "lastLoginAt": Value::Null, "locked": false, "unassigned": true,
        "setupState": "NOT_STARTED",
        "invitation": { "id": invitation, "status": "SENT", "expiresAt": "2026-01-19T17:00:00Z" },
    });
    assert_eq!(shown.data()["user"], expected);
    portal.advance(std::time::Duration::from_secs(7 * 24 * 60 * 60));
    let admin = portal.client(&world.clinic_admin).await;
    let late = user(&admin, world, &world.hospital_admin, "invitation { status }").await;
    assert_eq!(late.data()["user"]["invitation"]["status"], "EXPIRED");
    portal.finish().await;
}

/// Somebody invited into the clinic, known by the id that the directory shows.
pub(super) async fn invited(portal: &Portal, admin: &Client, email: &str) -> Person {
    let world = portal.world();
    let answer = invite(admin, world, email).await;
    let invitation = answer.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let user = portal.invited_user(&invitation).await;
    portal.settle().await;
    Person { user, email: email.to_owned(), username: None, organization: Some(world.clinic.id) }
}
