//! Addresses change hands: what an erasure takes with it, and what it leaves to others.

use rollcall_commands::users::EMAIL;
use rollcall_domain::access_requests::{JoinRequest, JoinRequestEvent};
use serde_json::json;

use super::{deactivate, erase, keep_until_the_end};
use crate::support::{Client, Company, Portal, uuid_of};

async fn owner(portal: &Portal, address: &str) -> Option<uuid::Uuid> {
    let journal = &portal.service.commands.journal;
    journal.owner_of(portal.world().tenant, EMAIL, address).await.expect("the journal answers")
}

async fn invite(portal: &Portal, (by, to): (&Client, &Company), address: &str) -> uuid::Uuid {
    let input = json!({ "organizationId": to.id, "email": address, "firstName": "Ines",
                        "lastName": "Vega", "mobile": "+12025550177" });
    let invited = by.mutate("inviteUser", input, "invitation { id }").await;
    let invitation = invited.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    portal.invited_user(&invitation).await.0
}

#[tokio::test]
async fn gn_27_the_address_of_somebody_who_never_came_is_free_after_their_erasure() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (address, hospital) = ("ines.vega@elsewhere.example", &world.hospital);
    let hana = portal.client(&world.hospital_admin).await;
    let user = invite(&portal, (&hana, hospital), address).await;
    portal.settle().await;
    assert_eq!(owner(&portal, address).await, Some(user));
    // The invitation runs out.
    keep_until_the_end(&portal, user).await;
    erase(&portal, user).await;
    assert_eq!(owner(&portal, address).await, None);
    let hana = portal.client(&world.hospital_admin).await;
    assert_ne!(invite(&portal, (&hana, hospital), address).await, user);
    portal.finish().await;
}

/// A visitor asks to join the clinic and is let in: the request.
async fn joins(portal: &Portal, address: &str) -> uuid::Uuid {
    let world = portal.world();
    let input = json!({ "npi": world.clinic.npis[0], "firstName": "Ines", "lastName": "Vega",
        "email": address, "phone": "+12025550190", "why": "I began at the front desk." });
    portal.anybody().mutate("requestToJoin", input, "position").await.done();
    portal.settle().await;
    let admin = portal.client(&world.clinic_admin).await;
    let document = "query($of: ID!) { accessRequests(organizationId: $of, view: TO_DECIDE) {
        nodes { id } } }";
    let found = admin.send(document, json!({ "of": world.clinic.id })).await;
    let request = found.data()["accessRequests"]["nodes"][0]["id"].clone();
    let input = json!({ "organizationId": world.clinic.id, "accessRequestId": request,
                        "decision": "APPROVE" });
    admin.mutate("decideAccessRequest", input, "position").await.done();
    uuid_of(request.as_str().expect("an id"))
}

async fn visitor_of(portal: &Portal, request: uuid::Uuid) -> Option<String> {
    let events = portal.events::<JoinRequest>(request).await;
    let JoinRequestEvent::JoinRequested { visitor, .. } = &events[0] else { panic!("{events:?}") };
    visitor.email.get().map(ToString::to_string)
}

#[tokio::test]
async fn gn_27_who_has_an_address_after_somebody_who_is_erased_keeps_what_is_theirs() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let paul = &world.processor;
    let admin = portal.client(&world.clinic_admin).await;
    let correct = json!({ "organizationId": world.clinic.id, "userId": paul.user,
        "email": "paul.kim@elsewhere.example", "reason": "Another address." });
    admin.mutate("correctUserDetails", correct, "position").await.done();
    assert_eq!(owner(&portal, &paul.email).await, None);
    let request = joins(&portal, &paul.email).await;
    let ines = owner(&portal, &paul.email).await.expect("the invited person has it");
    assert_ne!(ines, paul.user.0);
    deactivate(&portal, paul, "left").await;
    keep_until_the_end(&portal, paul.user.0).await;
    erase(&portal, paul.user.0).await;
    assert_eq!(owner(&portal, "paul.kim@elsewhere.example").await, None);
    assert_eq!(owner(&portal, &paul.email).await, Some(ines));
    assert_eq!(visitor_of(&portal, request).await.as_deref(), Some(paul.email.as_str()));
    // In the end it is erased with whom it led to.
    keep_until_the_end(&portal, ines).await;
    erase(&portal, ines).await;
    assert_eq!(visitor_of(&portal, request).await, None);
    portal.finish().await;
}
