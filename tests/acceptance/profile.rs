//! People's own data: names, telephone, email address, and the passcodes that guard them (MC-27,
//! MC-28, GN-05, GN-06).

use std::time::Duration;

use rollcall_domain::{
    policies::{PolicyKey, PolicyValue},
    users::user::{User, UserEvent},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Portal};

const NEW_NUMBER: &str = "+12025550188";
const NEW_ADDRESS: &str = "nora.vega@elsewhere.example";
const SEVEN_DAYS: u64 = 7 * 24 * 60 * 60;

async fn me(client: &Client, position: &Value) -> Value {
    let document = "query($position: Position) { me(minPosition: $position) {
        firstName lastName email emailVerified mobile businessPhone } }";
    let answer = client.send(document, json!({ "position": position })).await;
    answer.data()["me"].clone()
}

async fn change_phone(client: &Client, password: &str, challenge: Option<&str>) -> Answer {
    let input = json!({
        "mobile": NEW_NUMBER, "currentPassword": password, "otpChallengeId": challenge });
    client.mutate("changePhone", input, "").await
}

async fn change_email(client: &Client, email: &str, challenge: Option<&str>) -> Answer {
    let input = json!({ "email": email, "currentPassword": PASSWORD, "otpChallengeId": challenge });
    client.mutate("changeEmail", input, "").await
}

/// A verified passcode, sent where `owner` says.
async fn passcode(portal: &Portal, client: &Client, owner: Value) -> String {
    let challenge = client.challenge(owner).await;
    portal.type_code(client, &challenge).await.done();
    challenge
}

#[tokio::test]
async fn mc_27_people_change_their_own_names_and_business_number() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().npi_admin;
    let client = portal.client(who).await;
    let input = json!({ "lastName": "Vega", "businessPhone": "+12025550199" });
    let done = client.mutate("updateProfile", input, "").await;
    let seen = me(&client, &done.done()["position"]).await;
    assert_eq!((&seen["firstName"], &seen["lastName"]), (&json!("Nora"), &json!("Vega")));
    assert_eq!(seen["businessPhone"], "+12025550199");
    let events = portal.events::<User>(who.user).await;
    let Some(UserEvent::ProfileUpdated { changed, .. }) = events.last() else {
        panic!("nothing changed: {events:?}");
    };
    let last_name = changed.last_name.as_ref().expect("the last name");
    assert_eq!(last_name.old.get().map(ToString::to_string).as_deref(), Some("Diaz"));
    assert_eq!(last_name.new.get().map(ToString::to_string).as_deref(), Some("Vega"));
    assert!(changed.first_name.is_none(), "what was left out stays");

    let before = events.len();
    client.mutate("updateProfile", json!({ "lastName": "Vega" }), "").await.done();
    assert_eq!(portal.events::<User>(who.user).await.len(), before, "what stands is no event");
    let gone = client.mutate("updateProfile", json!({ "businessPhone": null }), "").await;
    assert_eq!(me(&client, &gone.done()["position"]).await["businessPhone"], Value::Null);
    for (input, field, code) in [
        (json!({ "firstName": "" }), "firstName", "FIELD_REQUIRED"),
        (json!({ "businessPhone": "+12021550123" }), "businessPhone", "PHONE_INVALID"),
    ] {
        let refused = client.mutate("updateProfile", input, "").await;
        assert_eq!((refused.refused(), &refused.refusal()["field"]), (code, &json!([field])));
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_27_a_new_telephone_is_proven_by_a_passcode_that_went_to_it() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().npi_admin;
    let client = portal.client(who).await;
    let wrong = change_phone(&client, "Wrong-Horse-Battery-7!", None).await;
    assert_eq!(wrong.refused(), "CURRENT_PASSWORD_WRONG");
    assert_eq!(change_phone(&client, PASSWORD, None).await.refused(), "OTP_REQUIRED");
    let to_the_old = passcode(&portal, &client, json!({})).await;
    let by_the_old = change_phone(&client, PASSWORD, Some(&to_the_old)).await;
    assert_eq!(by_the_old.refused(), "OTP_REQUIRED");
    let other = passcode(&portal, &client, json!({ "newPhone": "+12025550177" })).await;
    assert_eq!(change_phone(&client, PASSWORD, Some(&other)).await.refused(), "OTP_REQUIRED");

    let proof = passcode(&portal, &client, json!({ "newPhone": NEW_NUMBER })).await;
    assert!(!portal.mailbox(NEW_NUMBER).await.is_empty(), "the code went to the new number");
    let done = change_phone(&client, PASSWORD, Some(&proof)).await;
    assert_eq!(me(&client, &done.done()["position"]).await["mobile"], NEW_NUMBER);
    Portal::newest(&portal.mailbox(&who.email).await, "Your telephone number was changed");
    let events = portal.events::<User>(who.user).await;
    let Some(UserEvent::PhoneChanged { old, new, .. }) = events.last() else {
        panic!("no change: {events:?}");
    };
    assert_eq!(new.get().map(|phone| phone.e164()), Some(NEW_NUMBER));
    assert_ne!(old, new);
    let bad = json!({ "mobile": "+10125550123", "currentPassword": PASSWORD });
    assert_eq!(client.mutate("changePhone", bad, "").await.refused(), "PHONE_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn gn_06_a_changed_address_is_verified_by_the_link_that_went_to_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let who = &world.npi_admin;
    let client = portal.client(who).await;
    assert_eq!(change_email(&client, NEW_ADDRESS, None).await.refused(), "OTP_REQUIRED");
    let proof = passcode(&portal, &client, json!({})).await;
    let done = change_email(&client, NEW_ADDRESS, Some(&proof)).await;
    let seen = me(&client, &done.done()["position"]).await;
    assert_eq!((&seen["email"], &seen["emailVerified"]), (&json!(NEW_ADDRESS), &json!(false)));
    for address in [who.email.as_str(), NEW_ADDRESS] {
        Portal::newest(&portal.mailbox(address).await, "Your email address was changed");
    }
    let visitor = portal.anybody();
    assert_eq!(
        visitor.try_to_sign_in(&who.email, PASSWORD).await.refused(),
        "CREDENTIALS_INVALID",
        "the old address is nobody's"
    );
    visitor.sign_in(NEW_ADDRESS, PASSWORD).await;

    let token = portal.mailed_token(NEW_ADDRESS, "verify-email").await;
    let verify =
        async |token: &str| visitor.mutate("verifyEmail", json!({ "token": token }), "").await;
    assert_eq!(verify("nonsense").await.refused(), "LINK_INVALID");
    let verified = verify(&token).await;
    let seen = me(&client, &verified.done()["position"]).await;
    assert_eq!(seen["emailVerified"], true);
    assert_eq!(verify(&token).await.refused(), "LINK_USED");

    let admin = portal.client(&world.clinic_admin).await;
    let list = "query($id: ID!) { emailDomains(organizationId: $id) { domain activeUsers } }";
    let domains = admin.send(list, json!({ "id": world.clinic.id })).await;
    let listed = domains.data()["emailDomains"].as_array().expect("a list").clone();
    assert!(listed.contains(&json!({ "domain": "elsewhere.example", "activeUsers": 1 })));
    portal.finish().await;
}

#[tokio::test]
async fn gn_06_the_link_works_seven_days_to_the_second_and_another_replaces_it() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().npi_admin;
    let client = portal.client(who).await;
    let change = async || {
        let proof = passcode(&portal, &client, json!({})).await;
        change_email(&client, NEW_ADDRESS, Some(&proof)).await.done();
        portal.mailed_token(NEW_ADDRESS, "verify-email").await
    };
    let (first, second) = (change().await, change().await);
    assert_ne!(first, second, "another link for an address not verified yet");
    let visitor = portal.anybody();
    let verify =
        async |token: &str| visitor.mutate("verifyEmail", json!({ "token": token }), "").await;
    assert_eq!(verify(&first).await.refused(), "LINK_INVALID");
    portal.advance(Duration::from_secs(SEVEN_DAYS));
    assert_eq!(verify(&second).await.refused(), "LINK_EXPIRED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_06_an_address_of_somebody_else_is_refused_in_any_case_of_its_letters() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().npi_admin).await;
    let proof = passcode(&portal, &client, json!({})).await;
    let taken = change_email(&client, "Ann.LEE@portal.example", Some(&proof)).await;
    assert_eq!((taken.refused(), &taken.refusal()["field"]), ("EMAIL_TAKEN", &json!(["email"])));
    assert_eq!(change_email(&client, "no address", Some(&proof)).await.refused(), "EMAIL_INVALID");
    // A refused change has not cost the passcode.
    change_email(&client, "Nora.DIAZ@portal.example", Some(&proof)).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_the_portal_tells_what_asks_for_a_passcode_and_a_change_counts_at_once() {
    let portal = Portal::medi_cal().await;
    let visitor = portal.anybody();
    let actions = async || {
        portal.settle().await;
        let answer = visitor.send("{ portal { policy { stepUpActions } } }", json!({})).await;
        answer.data()["portal"]["policy"]["stepUpActions"].clone()
    };
    let stated = json!(["FIRST_PASSWORD", "RESET_PASSWORD", "CHANGE_PHONE", "CHANGE_EMAIL"]);
    assert_eq!(actions().await, stated);
    let client = portal.client(&portal.world().npi_admin).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "Meadow-Lantern-42!" });
    let words = |words: &[&str]| PolicyValue::Words(words.iter().map(|&w| w.to_owned()).collect());
    portal.change_policy(PolicyKey::OtpStepUpActions, words(&["CHANGE_PASSWORD"])).await;
    assert_eq!(actions().await, json!(["RESET_PASSWORD", "CHANGE_PASSWORD"]));
    let refused = client.mutate("changePassword", input.clone(), "").await;
    assert_eq!(refused.refused(), "OTP_REQUIRED");
    change_phone(&client, PASSWORD, None).await.done();
    portal.change_policy(PolicyKey::OtpStepUpActions, words(&[])).await;
    client.mutate("changePassword", input, "").await.done();
    portal.finish().await;
}
