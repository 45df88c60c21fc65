//! Administrators put right what was typed about people (MC-33, CX-04, CX-06, GN-06).

use rollcall_domain::{
    organizations::{OrgRole, organization::RosterCommand},
    policies::Preset,
    users::user::{User, UserEvent},
};
use serde_json::{Value, json};

use super::{change, user};
use crate::support::{Answer, Client, PASSWORD, Portal, World};

const NEW_NUMBER: &str = "+12025550188";
const NEW_ADDRESS: &str = "paul.kim@elsewhere.example";

/// Invites somebody to the clinic; answers the user's and the invitation's id.
async fn invite(admin: &Client, world: &World) -> (String, String) {
    let input = json!({
        "organizationId": world.clinic.id, "email": "inez@clinic.example", "firstName": "Inez",
        "lastName": "Vga", "mobile": "+12025550170", "businessPhone": "+12025550171" });
    let answer = admin.mutate("inviteUser", input, "invitation { id }").await;
    let invitation = answer.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let list = "query($id: ID!, $position: Position) { users(organizationId: $id, status: INVITED,
        minPosition: $position) { nodes { id email } } }";
    let variables = json!({ "id": world.clinic.id, "position": answer.done()["position"] });
    let users = admin.send(list, variables).await;
    let id = users.data()["users"]["nodes"][0]["id"].as_str().expect("an id").to_owned();
    (id, invitation)
}

/// Corrects a user by id and answers them as they stand after it.
async fn correct(client: &Client, world: &World, id: &str, fields: Value) -> Answer {
    let mut input = json!({ "organizationId": world.clinic.id, "userId": id });
    input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let shown = "user { id firstName lastName email mobile businessPhone status orgRole
        permissions { npis { npi level } } version }";
    client.mutate("correctUserDetails", input, shown).await
}

#[tokio::test]
async fn mc_33_every_field_typed_about_an_invited_person_is_corrected() {
    let portal = Portal::medi_cal().await;
    portal.publish_agreements().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let (id, invitation) = invite(&admin, world).await;
    let fields = json!({ "firstName": "Ines", "lastName": "Vega", "mobile": NEW_NUMBER,
        "businessPhone": null });
    let done = correct(&admin, world, &id, fields.clone()).await;
    let shown = &done.done()["user"];
    assert_eq!(shown["id"], id);
    assert_eq!((&shown["firstName"], &shown["lastName"]), (&json!("Ines"), &json!("Vega")));
    assert_eq!((&shown["mobile"], &shown["businessPhone"]), (&json!(NEW_NUMBER), &Value::Null));
    let before = portal.position().await;
    correct(&admin, world, &id, fields).await.done();
    assert_eq!(portal.position().await, before, "what stands already is no event");
    for (field, value, code) in [
        ("firstName", " ", "FIELD_REQUIRED"),
        ("mobile", "+10125550123", "PHONE_INVALID"),
        ("email", "no address", "EMAIL_INVALID"),
    ] {
        let refused = correct(&admin, world, &id, json!({ field: value })).await;
        assert_eq!(refused.refused(), code);
        assert_eq!(refused.refusal()["field"], json!([field]));
    }
    let token = portal.invitation_token(&invitation).await;
    portal.follow_invitation(&token).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_33_another_address_is_invited_with_all_that_was_assigned() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let (id, invitation) = invite(&admin, world).await;
    let npi = &world.clinic.npis[0];
    let level = json!({ "organizationId": world.clinic.id, "userId": id,
        "permissions": [{ "npi": npi, "level": "PROCESSOR" }] });
    admin.mutate("setNpiPermissions", level, "").await.done();
    let role = json!({ "organizationId": world.clinic.id, "userId": id, "role": "PROCESSOR" });
    admin.mutate("assignOrgRole", role, "").await.done();
    let old = portal.invitation_token(&invitation).await;

    let taken = correct(&admin, world, &id, json!({ "email": world.processor.email })).await;
    assert_eq!(taken.refused(), "EMAIL_TAKEN_IN_ORG");
    let moved = json!({ "email": "ines@clinic.example", "lastName": "Vega" });
    let done = correct(&admin, world, &id, moved).await;
    let shown = &done.done()["user"];
    assert_ne!(shown["id"], id, "the address decides who it is");
    assert_eq!((&shown["firstName"], &shown["lastName"]), (&json!("Inez"), &json!("Vega")));
    assert_eq!((&shown["status"], &shown["orgRole"]), (&json!("INVITED"), &json!("PROCESSOR")));
    let levels = shown["permissions"]["npis"].as_array().expect("a list");
    assert!(levels.contains(&json!({ "npi": npi, "level": "PROCESSOR" })), "{levels:?}");
    let opened = "query($token: String!) { invitation(token: $token) { status } }";
    let dead = portal.anybody().send(opened, json!({ "token": old })).await;
    assert!(dead.body["errors"].is_array() || dead.data()["invitation"].is_null());
    let mail = portal.mailbox("ines@clinic.example").await;
    assert_eq!(mail.len(), 1, "the new address has its link");
    portal.finish().await;
}

#[tokio::test]
async fn cx_04_portal_administrators_add_edit_and_remove_people() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world();
    let who = &world.processor;
    let admin = portal.client(&world.clinic_admin).await;
    invite(&admin, world).await;
    let id = who.user.to_string();
    let fields = json!({ "lastName": "Kimm", "mobile": NEW_NUMBER });
    let shown = correct(&admin, world, &id, fields).await.done()["user"].clone();
    assert_eq!((&shown["lastName"], &shown["mobile"]), (&json!("Kimm"), &json!(NEW_NUMBER)));
    Portal::newest(&portal.mailbox(&who.email).await, "Your telephone number was changed");
    let former = user(&admin, world, who, "formerDetails { field value replacedBy }").await;
    let expected = json!([
        { "field": "MOBILE", "value": "+12025550104", "replacedBy": "Ann Lee" },
        { "field": "LAST_NAME", "value": "Kim", "replacedBy": "Ann Lee" },
    ]);
    assert_eq!(former.data()["user"]["formerDetails"], expected);
    let leave = json!({ "confirm": true, "reason": "left" });
    change(&admin, "deactivateUser", (world, who), leave).await.done();
    for stranger in [&world.npi_admin, &world.hospital_admin] {
        let client = portal.client(stranger).await;
        let refused = correct(&client, world, &id, json!({ "lastName": "Kim" })).await;
        assert!(["NOT_ORG_ADMIN", "NOT_FOUND"].contains(&refused.refused()));
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_33_nobody_corrects_themself_or_somebody_who_belongs_elsewhere_too() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let email = json!({ "email": NEW_ADDRESS });
    let own = correct(&admin, world, &world.clinic_admin.user.to_string(), email.clone()).await;
    assert_eq!(own.refused(), "FORBIDDEN");
    let attach = RosterCommand::AttachUser {
        user: world.processor.user,
        email_domain: "portal.example".to_owned(),
        role: OrgRole::None,
    };
    portal.roster(&world.hospital, attach).await;
    let id = world.processor.user.to_string();
    assert_eq!(correct(&admin, world, &id, email).await.refused(), "FORBIDDEN");

    let support = portal.client(&world.plan_support).await;
    let unreasoned = json!({ "lastName": "Kimm" });
    assert_eq!(correct(&support, world, &id, unreasoned).await.refused(), "REASON_REQUIRED");
    let reasoned = json!({ "lastName": "Kimm", "reason": "Asked by telephone, called back." });
    let done = correct(&support, world, &id, reasoned).await;
    assert_eq!(done.done()["user"]["lastName"], "Kimm");
    let stale = json!({ "lastName": "Kim", "reason": "Asked again.", "expectedVersion": 1 });
    assert_eq!(correct(&support, world, &id, stale).await.refused(), "VERSION_CONFLICT");
    portal.finish().await;
}

#[tokio::test]
async fn cx_06_a_corrected_address_is_told_to_both_and_verified_by_its_link() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world();
    let who = &world.processor;
    let admin = portal.client(&world.clinic_admin).await;
    let fields = "email emailVerified lastDelivery { state at }";
    let email = json!({ "email": NEW_ADDRESS });
    let about = (world, who);
    change(&admin, "changeUserEmail", about, email.clone()).await.done();
    Portal::newest(&portal.mailbox(&who.email).await, "Your email address was changed");
    Portal::newest(&portal.mailbox(NEW_ADDRESS).await, "Your email address was changed");
    let shown = user(&admin, world, who, fields).await.data()["user"].clone();
    assert_eq!((&shown["email"], &shown["emailVerified"]), (&json!(NEW_ADDRESS), &json!(false)));
    assert_eq!(shown["lastDelivery"]["state"], "SENT");

    let first = portal.mailed_token(NEW_ADDRESS, "verify-email").await;
    change(&admin, "changeUserEmail", about, email).await.done();
    let second = portal.mailed_token(NEW_ADDRESS, "verify-email").await;
    assert_ne!(first, second, "repeated, it sends another link");
    let visitor = portal.anybody();
    visitor.mutate("verifyEmail", json!({ "token": second }), "").await.done();
    portal.settle().await;
    let shown = user(&admin, world, who, fields).await.data()["user"].clone();
    assert_eq!(shown["emailVerified"], true);
    let taken = json!({ "email": world.hospital_admin.email });
    assert_eq!(change(&admin, "changeUserEmail", about, taken).await.refused(), "EMAIL_TAKEN");
    let bad = json!({ "email": "paul" });
    assert_eq!(change(&admin, "changeUserEmail", about, bad).await.refused(), "EMAIL_INVALID");
    let name = who.username.clone().expect("a user name");
    visitor.sign_in(&name, PASSWORD).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_06_former_names_telephones_and_addresses_are_listed_with_who_changed_them() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let who = &world.npi_admin;
    let client = portal.client(who).await;
    let input = json!({ "lastName": "Vega", "businessPhone": "+12025550199" });
    client.mutate("updateProfile", input, "").await.done();
    let input = json!({ "businessPhone": null });
    client.mutate("updateProfile", input, "").await.done();
    let admin = portal.client(&world.clinic_admin).await;
    change(&admin, "changeUserEmail", (world, who), json!({ "email": "n.vega@x.example" }))
        .await
        .done();
    portal.settle().await;
    let list = user(&admin, world, who, "formerDetails { field value replacedBy }").await;
    let expected = json!([
        { "field": "EMAIL", "value": "nora.diaz@portal.example", "replacedBy": "Ann Lee" },
        { "field": "BUSINESS_PHONE", "value": "+12025550199", "replacedBy": "Nora Vega" },
        { "field": "LAST_NAME", "value": "Diaz", "replacedBy": "Nora Vega" },
    ]);
    assert_eq!(list.data()["user"]["formerDetails"], expected);
    let events = portal.events::<User>(who.user).await;
    assert!(matches!(events.last(), Some(UserEvent::EmailVerificationSent { .. })));
    portal.finish().await;
}
