//! Passwords forgotten, changed and grown too old (MC-22, MC-25 to MC-27, AL-04, CC-04, CX-07,
//! GN-07, GN-08).

use std::time::Duration;

use rollcall_commands::users::temporary_password;
use rollcall_domain::{policies::Preset, users::credential::CredentialEvent};
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Portal};

const NEW_PASSWORD: &str = "Meadow-Lantern-42!";
const HALF_HOUR: u64 = 30 * 60;
const DAY: u64 = 24 * 60 * 60;

async fn request(visitor: &Client, email: &str) -> Answer {
    visitor.mutate("requestPasswordReset", json!({ "email": email }), "").await
}

async fn reset(visitor: &Client, token: &str, challenge: Option<&str>) -> Answer {
    let input = json!({ "token": token, "password": NEW_PASSWORD, "otpChallengeId": challenge });
    visitor.mutate("resetPassword", input, "").await
}

#[tokio::test]
async fn mc_26_a_link_and_a_passcode_lead_to_a_new_password_once() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let client = portal.client(who).await;
    let visitor = portal.anybody();
    request(&visitor, "Ann.Lee@PORTAL.example").await.done();
    let token = portal.reset_token(who).await;
    assert_eq!(reset(&visitor, &token, None).await.refused(), "OTP_REQUIRED");
    let challenge = portal.passcode_for_password(&token).await;
    reset(&visitor, &token, Some(&challenge)).await.done();
    assert_eq!(reset(&visitor, &token, Some(&challenge)).await.refused(), "LINK_USED");
    assert_eq!(client.session().await.error_code(), "UNAUTHENTICATED");
    let old = visitor.try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(old.refused(), "CREDENTIALS_INVALID");
    visitor.sign_in(&who.email, NEW_PASSWORD).await;
    Portal::newest(&portal.mailbox(&who.email).await, "Your password was changed");
    portal.finish().await;
}

#[tokio::test]
async fn mc_26_the_answer_does_not_tell_whether_there_is_an_account() {
    let portal = Portal::medi_cal().await;
    let visitor = portal.anybody();
    let known = request(&visitor, "ann.lee@portal.example").await.body;
    portal.settle().await;
    let before = portal.position().await;
    assert_eq!(request(&visitor, "nobody@portal.example").await.body, known);
    assert_eq!(request(&visitor, "no address at all").await.body, known);
    assert!(portal.mailbox("nobody@portal.example").await.is_empty());
    assert_eq!(portal.position().await, before, "nothing is on record");
    assert_eq!(known["data"]["requestPasswordReset"]["position"], Value::Null);
    portal.finish().await;
}

#[tokio::test]
async fn mc_26_a_link_works_for_thirty_minutes_and_a_newer_one_kills_it() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let visitor = portal.anybody();
    request(&visitor, &who.email).await.done();
    let first = portal.reset_token(who).await;
    request(&visitor, &who.email).await.done();
    let second = portal.reset_token(who).await;
    assert_eq!(reset(&visitor, &first, None).await.refused(), "LINK_INVALID");
    portal.advance(Duration::from_secs(HALF_HOUR - 1));
    assert_eq!(reset(&visitor, &second, None).await.refused(), "OTP_REQUIRED");
    portal.advance(Duration::from_secs(1));
    assert_eq!(reset(&visitor, &second, None).await.refused(), "LINK_EXPIRED");
    assert_eq!(reset(&visitor, "nonsense", None).await.refused(), "LINK_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn mc_22_who_missed_the_first_link_gets_in_by_a_reset() {
    let portal = Portal::medi_cal().await;
    let who = &portal.somebody_without_password().await;
    let visitor = portal.anybody();
    let none = visitor.try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(none.refused(), "CREDENTIALS_INVALID");
    request(&visitor, &who.email).await.done();
    let token = portal.reset_token(who).await;
    let challenge = portal.passcode_for_password(&token).await;
    reset(&visitor, &token, Some(&challenge)).await.done();
    visitor.sign_in(&who.email, NEW_PASSWORD).await;
    portal.finish().await;
}

#[tokio::test]
async fn mc_27_changing_the_password_takes_the_current_one_and_a_day_between() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().clinic_admin).await;
    let change = async |current: &str, new: &str| change(&client, current, new).await;
    let wrong = change("Wrong-Horse-Battery-7!", NEW_PASSWORD).await;
    assert_eq!(wrong.refused(), "CURRENT_PASSWORD_WRONG");
    assert_eq!(wrong.refusal()["field"], json!(["currentPassword"]));
    let poor = change(PASSWORD, "short").await;
    assert_eq!(poor.refused(), "PASSWORD_POLICY");
    assert_eq!(poor.refusal()["field"], json!(["newPassword"]));
    change(PASSWORD, NEW_PASSWORD).await.done();
    let again = change(NEW_PASSWORD, "Harbour-Violin-93$").await;
    assert_eq!(again.refused(), "TOO_EARLY");
    assert_eq!(again.refusal()["retryAt"], "2026-01-13T17:00:00Z");
    portal.finish().await;
}

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    let input = json!({ "currentPassword": current, "newPassword": new });
    client.mutate("changePassword", input, "").await
}

/// The clinic's administrator, signed in with a password.
async fn signed_in(portal: &Portal, password: &str) -> Client {
    let world = portal.world();
    portal.visitor(&world.slug).sign_in(&world.clinic_admin.email, password).await
}

#[tokio::test]
async fn mc_25_the_previous_five_passwords_and_those_like_them_are_refused() {
    let portal = Portal::medi_cal().await;
    let mut client = signed_in(&portal, PASSWORD).await;
    assert_eq!(change(&client, PASSWORD, PASSWORD).await.refused(), "PASSWORD_REUSED");
    let first = "Correct-Horse-Baxxxxy-7!";
    let others =
        ["Meadow-Lantern-42!", "Harbour-Violin-93$", "Granite-Saffron-61#", "Orchard-Pebble-58%"];
    let mut current = PASSWORD;
    for next in [first].into_iter().chain(others) {
        if next == others[3] {
            // Four have followed the one everybody began with; it is the fifth.
            assert_eq!(change(&client, current, PASSWORD).await.refused(), "PASSWORD_REUSED");
            let like = change(&client, current, "77-Correct-Horse-Baxxxxy-2024$").await;
            assert_eq!(like.refused(), "PASSWORD_TOO_SIMILAR");
        }
        change(&client, current, next).await.done();
        current = next;
        portal.advance(Duration::from_secs(DAY));
        client = signed_in(&portal, current).await;
    }
    change(&client, current, PASSWORD).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_07_the_same_normal_form_or_three_edits_are_similar_and_four_are_not() {
    let portal = Portal::medi_cal().await;
    let client = signed_in(&portal, PASSWORD).await;
    for similar in
        ["correct-HORSE-battery-99$", "#1-C0rrect-Hor5e-B4ttery", "Correct-Horse-Batxxxy-7!"]
    {
        let answer = change(&client, PASSWORD, similar).await;
        assert_eq!(answer.refused(), "PASSWORD_TOO_SIMILAR", "{similar}");
        assert_eq!(answer.refusal()["field"], json!(["newPassword"]));
    }
    change(&client, PASSWORD, "Correct-Horse-Baxxxxy-7!").await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_08_a_password_is_kept_for_a_day_to_the_second_as_an_argon2id_hash() {
    let portal = Portal::medi_cal().await;
    let client = signed_in(&portal, PASSWORD).await;
    change(&client, PASSWORD, NEW_PASSWORD).await.done();
    let world = portal.world();
    let events = portal.credential_events(world.clinic_admin.user).await;
    let hash_ref = events.iter().rev().find_map(|event| {
        let CredentialEvent::PasswordChanged { hash_ref, .. } = event else { return None };
        Some(*hash_ref)
    });
    let journal = &portal.service.commands.journal;
    let hash_ref = hash_ref.expect("it was changed");
    let kept = journal.vault_get(world.tenant, "password", hash_ref.0).await;
    let kept = kept.expect("the vault answers").expect("a hash");
    assert!(kept.starts_with(b"$argon2id$v=19$"));
    let next = "Harbour-Violin-93$";
    portal.advance(Duration::from_secs(DAY - 1));
    let client = signed_in(&portal, NEW_PASSWORD).await;
    assert_eq!(change(&client, NEW_PASSWORD, next).await.refused(), "TOO_EARLY");
    portal.advance(Duration::from_secs(1));
    change(&client, NEW_PASSWORD, next).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn al_04_a_reset_takes_user_name_and_address_of_the_same_person() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let visitor = portal.anybody();
    let ask = async |username: Option<&str>, email: &str| {
        let input = json!({ "email": email, "username": username });
        visitor.mutate("requestPasswordReset", input, "").await
    };
    let who = &world.processor;
    assert_eq!(ask(None, &who.email).await.refused(), "FIELD_REQUIRED");
    let before = portal.position().await;
    ask(world.newcomer.username.as_deref(), &who.email).await.done();
    portal.settle().await;
    assert_eq!(portal.position().await, before);
    ask(who.username.as_deref(), &who.email).await.done();
    let token = portal.reset_token(who).await;
    reset(&visitor, &token, None).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cx_07_a_temporary_password_signs_in_to_change_it_and_nothing_else() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let who = &portal.world().processor;
    let name = who.username.clone().expect("a user name");
    let visitor = portal.anybody();
    request(&visitor, &who.email).await.done();
    let events = portal.credential_events(who.user).await;
    let Some(CredentialEvent::TemporaryPasswordIssued { hash_ref, .. }) = events.last() else {
        panic!("no temporary password: {events:?}");
    };
    let secrets = portal.service.commands.journal.secrets();
    let temporary = temporary_password(secrets, *hash_ref).reveal().to_owned();
    let client = visitor.sign_in(&name, &temporary).await;
    let home = client.send("{ dashboard { tiles { kind } } }", json!({})).await;
    assert_eq!(home.body["errors"][0]["extensions"]["reason"], "PASSWORD_CHANGE_REQUIRED");
    let change = json!({ "currentPassword": temporary, "newPassword": NEW_PASSWORD });
    client.mutate("changePassword", change, "").await.done();
    client.send("{ dashboard { tiles { kind } } }", json!({})).await.data();
    visitor.sign_in(&name, NEW_PASSWORD).await;
    portal.finish().await;
}

#[tokio::test]
async fn cx_07_the_mailed_password_works_for_a_day_exactly_as_it_was_sent() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let who = &portal.world().processor;
    let name = who.username.clone().expect("a user name");
    let visitor = portal.anybody();
    request(&visitor, &who.email).await.done();
    let mailbox = portal.mailbox(&who.email).await;
    let codes = &Portal::newest(&mailbox, "Your temporary password")["codes"];
    let temporary = codes[0].as_str().expect("the password").to_owned();
    let swapped: String = temporary
        .chars()
        .map(|c| if c.is_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
        .collect();
    for wrong in [format!("{temporary} "), format!(" {temporary}"), swapped] {
        let answer = visitor.try_to_sign_in(&name, &wrong).await;
        assert_eq!(answer.refused(), "CREDENTIALS_INVALID");
        assert_eq!(answer.refusal()["message"], "Your credentials are invalid");
    }
    portal.advance(Duration::from_secs(24 * 3_600 - 1));
    visitor.sign_in(&name, &temporary).await;
    portal.advance(Duration::from_secs(1));
    let late = visitor.try_to_sign_in(&name, &temporary).await;
    assert_eq!(late.refused(), "CREDENTIALS_INVALID");
    visitor.sign_in(&name, PASSWORD).await;
    portal.finish().await;
}

#[tokio::test]
async fn cc_04_a_password_too_old_only_lets_its_owner_change_it() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let who = &portal.world().processor;
    let name = who.username.clone().expect("a user name");
    let visitor = portal.anybody();
    // Set thirty days before the test begins; the clocks go forward meanwhile.
    portal.advance(Duration::from_secs(150 * 86_400 - 3_600 - 1));
    let young = visitor.try_to_sign_in(&name, PASSWORD).await;
    assert_eq!(young.done()["mustChangePassword"], false);
    portal.advance(Duration::from_secs(1));
    let old = visitor.try_to_sign_in(&name, PASSWORD).await;
    assert_eq!(old.done()["mustChangePassword"], true);
    let client = visitor.with_token(old.done()["sessionToken"].as_str().expect("a token"));
    let me = client.send("{ me { mustChangePassword passwordExpiresAt } }", json!({})).await;
    assert_eq!(me.data()["me"]["mustChangePassword"], true);
    assert_eq!(me.data()["me"]["passwordExpiresAt"], "2026-06-11T16:00:00Z");
    let list = client.send("{ dashboard { tiles { kind } } }", json!({})).await;
    assert_eq!(list.error_code(), "FORBIDDEN");
    let change = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    client.mutate("changePassword", change, "").await.done();
    client.send("{ dashboard { tiles { kind } } }", json!({})).await.data();
    portal.finish().await;
}
