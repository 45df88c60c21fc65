//! Passcodes, and the first password through its link (MC-20, MC-21, MC-23, MC-24, GN-07, GN-08).

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_commands::passwords::PasswordHasher;
use rollcall_domain::{
    kernel::ids::UserId,
    users::{
        credential::{Credential, CredentialEvent},
        one_time_passcode::{OneTimePasscode, OneTimePasscodeEvent},
    },
    values::{Password, normal_form},
};
use serde_json::json;

use crate::support::{Answer, Client, GOOD_PASSWORD, Portal, uuid_of};

fn visitor(portal: &Portal) -> Client {
    portal.visitor(&portal.world().slug)
}

/// An invited person; answers invitation and token.
async fn invited(portal: &Portal) -> (String, String) {
    portal.publish_agreements().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let input = json!({
        "organizationId": portal.world().clinic.id.to_string(),
        "email": "ines@vega.example",
        "firstName": "Ines",
        "lastName": "Vega",
        "mobile": "+12025550177",
    });
    let answer = admin.mutate("inviteUser", input, "invitation { id }").await;
    let id = answer.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let token = portal.invitation_token(&id).await;
    (id, token)
}

/// An invited person who has accepted and given a telephone; answers invitation and token.
async fn at_the_passcode(portal: &Portal) -> (String, String) {
    let (id, token) = invited(portal).await;
    visitor(portal).accept_system_use(&token).await.done();
    visitor(portal).submit_invitee(&token).await.done();
    (id, token)
}

/// A person whose registration is complete; answers who it is and the token to set the password.
async fn registered(portal: &Portal) -> (UserId, String) {
    let (id, token) = at_the_passcode(portal).await;
    let challenge = visitor(portal).challenge(json!({ "invitationToken": token })).await;
    portal.type_code(&visitor(portal), &challenge).await.done();
    let user = portal.invited_user(&id).await;
    (user, portal.setup_token(user).await)
}

/// A code of six digits that is not the challenge's.
fn wrong_code(portal: &Portal, challenge: &str) -> String {
    let right = portal.code_on_the_phone(challenge);
    let last = right.chars().last().and_then(|digit| digit.to_digit(10)).expect("a digit");
    format!("{}{}", &right[2..7], (last + 1) % 10)
}

async fn shown(portal: &Portal, challenge: &str) -> Answer {
    let document = "query($id: ID!) { otpChallenge(id: $id) {
        status expiresAt attemptsLeft digits } }";
    visitor(portal).send(document, json!({ "id": challenge })).await
}

#[tokio::test]
async fn mc_20_the_last_six_digits_of_a_longer_code_are_typed() {
    let portal = Portal::medi_cal().await;
    let (_, token) = at_the_passcode(&portal).await;
    let challenge = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    let pending = shown(&portal, &challenge).await;
    assert_eq!(pending.data()["otpChallenge"]["status"], "PENDING");
    assert_eq!(pending.data()["otpChallenge"]["digits"], 6);
    assert_eq!(pending.data()["otpChallenge"]["attemptsLeft"], 5);
    let code = portal.code_on_the_phone(&challenge);
    assert_eq!(code.len(), 8);
    assert_eq!(visitor(&portal).verify(&challenge, &code).await.refused(), "OTP_WRONG");
    visitor(&portal).verify(&challenge, &code[2..]).await.done();
    assert_eq!(shown(&portal, &challenge).await.data()["otpChallenge"]["status"], "USED");
    let again = visitor(&portal).verify(&challenge, &code[2..]).await;
    assert_eq!(again.refused(), "ALREADY_VERIFIED");
    let events = portal.events::<OneTimePasscode>(uuid_of(&challenge)).await;
    let [OneTimePasscodeEvent::OtpSent { masked_to, .. }, _, _, _] = events.as_slice() else {
        panic!("sent, failed, verified, consumed: {events:?}");
    };
    assert_eq!(masked_to, "***0177");
    portal.finish().await;
}

#[tokio::test]
async fn mc_20_the_fifth_wrong_code_closes_the_challenge() {
    let portal = Portal::medi_cal().await;
    let (_, token) = at_the_passcode(&portal).await;
    let challenge = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    let wrong = wrong_code(&portal, &challenge);
    for left in [4, 3, 2, 1] {
        let answer = visitor(&portal).verify(&challenge, &wrong).await;
        assert_eq!(answer.refusal()["code"], "OTP_WRONG");
        assert_eq!(answer.refusal()["details"], json!([left.to_string()]));
    }
    assert_eq!(visitor(&portal).verify(&challenge, &wrong).await.refused(), "OTP_TOO_MANY");
    let right = portal.type_code(&visitor(&portal), &challenge).await;
    assert_eq!(right.refused(), "OTP_TOO_MANY");
    assert_eq!(shown(&portal, &challenge).await.data()["otpChallenge"]["status"], "EXHAUSTED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_20_a_code_works_to_the_last_second_of_ten_minutes() {
    let portal = Portal::medi_cal().await;
    let (_, token) = at_the_passcode(&portal).await;
    let challenge = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    let events = portal.events::<OneTimePasscode>(uuid_of(&challenge)).await;
    let [OneTimePasscodeEvent::OtpSent { expires_at, .. }] = events.as_slice() else {
        panic!("sent: {events:?}");
    };
    portal.clock.set(*expires_at);
    let late = portal.type_code(&visitor(&portal), &challenge).await;
    assert_eq!(late.refused(), "OTP_EXPIRED");
    assert_eq!(shown(&portal, &challenge).await.data()["otpChallenge"]["status"], "EXPIRED");
    portal.clock.set(*expires_at - TimeDelta::seconds(1));
    portal.type_code(&visitor(&portal), &challenge).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_20_three_codes_are_sent_in_fifteen_minutes() {
    let portal = Portal::medi_cal().await;
    let (_, token) = at_the_passcode(&portal).await;
    let owner = || json!({ "invitationToken": token, "channel": "VOICE" });
    for _ in 0..3 {
        visitor(&portal).challenge(owner()).await;
    }
    let fourth = visitor(&portal).mutate("requestOtp", owner(), "").await;
    assert_eq!(fourth.refusal()["code"], "RATE_LIMITED");
    assert!(fourth.refusal()["retryAt"].is_string());
    portal.advance(Duration::from_secs(15 * 60));
    visitor(&portal).challenge(owner()).await;
    portal.finish().await;
}

#[tokio::test]
async fn mc_20_a_code_is_not_sent_before_its_step_nor_for_a_dead_link() {
    let portal = Portal::medi_cal().await;
    let (_, token) = invited(&portal).await;
    let early =
        visitor(&portal).mutate("requestOtp", json!({ "invitationToken": token }), "").await;
    assert_eq!(early.refused(), "STEP_OUT_OF_ORDER");
    visitor(&portal).accept_system_use(&token).await.done();
    visitor(&portal).submit_invitee(&token).await.done();
    let unknown = json!({ "invitationToken": "no-such-token" });
    let answer = visitor(&portal).mutate("requestOtp", unknown, "").await;
    assert_eq!(answer.refused(), "LINK_INVALID");
    let challenge = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    portal.type_code(&visitor(&portal), &challenge).await.done();
    let used = visitor(&portal).mutate("requestOtp", json!({ "invitationToken": token }), "").await;
    assert_eq!(used.refused(), "LINK_USED");
    let nobody = visitor(&portal).mutate("requestOtp", json!({}), "").await;
    assert_eq!(nobody.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_21_the_link_to_the_first_password_works_thirty_minutes_to_the_second() {
    let portal = Portal::medi_cal().await;
    let (user, link) = registered(&portal).await;
    let credential = portal.world().tenant.credential_stream(user);
    let events = portal.events::<Credential>(credential).await;
    let [CredentialEvent::PasswordSetupLinkSent { expires_at, .. }] = events.as_slice() else {
        panic!("one link: {events:?}");
    };
    portal.clock.set(*expires_at - TimeDelta::minutes(5));
    let challenge = portal.passcode_for_password(&link).await;
    portal.clock.set(*expires_at);
    let late = visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&challenge)).await;
    assert_eq!(late.refused(), "LINK_EXPIRED");
    portal.clock.set(*expires_at - TimeDelta::seconds(1));
    visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&challenge)).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_23_the_first_password_needs_a_passcode_of_its_own() {
    let portal = Portal::medi_cal().await;
    let (invitation, token) = at_the_passcode(&portal).await;
    let first = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    portal.type_code(&visitor(&portal), &first).await.done();
    let user = portal.invited_user(&invitation).await;
    let link = portal.setup_token(user).await;

    let without = visitor(&portal).set_password(&link, GOOD_PASSWORD, None).await;
    assert_eq!(without.refused(), "OTP_REQUIRED");
    let other = visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&first)).await;
    assert_eq!(other.refused(), "OTP_REQUIRED");
    let sent =
        visitor(&portal).challenge(json!({ "passwordToken": link, "channel": "VOICE" })).await;
    let unverified = visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&sent)).await;
    assert_eq!(unverified.refused(), "OTP_REQUIRED");
    portal.type_code(&visitor(&portal), &sent).await.done();
    visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&sent)).await.done();
    let nobody = visitor(&portal).set_password("no-such-token", GOOD_PASSWORD, None).await;
    assert_eq!(nobody.refused(), "LINK_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn mc_24_every_rule_that_a_password_breaks_is_named_and_the_passcode_stays_good() {
    let portal = Portal::medi_cal().await;
    let (user, link) = registered(&portal).await;
    let challenge = portal.passcode_for_password(&link).await;
    let set = async |password: &str| {
        visitor(&portal).set_password(&link, password, Some(&challenge)).await
    };
    for (password, violations) in [
        ("Lantern-42!", json!(["TOO_SHORT"])),
        ("meadow-lantern-42!", json!(["NO_UPPERCASE"])),
        ("MEADOW-LANTERN-42!", json!(["NO_LOWERCASE"])),
        ("Meadow-Lantern-xx!", json!(["NO_DIGIT"])),
        ("Meadow-Lantern-42&", json!(["NO_SPECIAL"])),
        ("Ines@vega.example-42!", json!(["CONTAINS_IDENTIFIER"])),
        ("lantern", json!(["TOO_SHORT", "NO_UPPERCASE", "NO_DIGIT", "NO_SPECIAL"])),
    ] {
        let answer = set(password).await;
        assert_eq!(answer.refusal()["code"], "PASSWORD_POLICY", "{password}");
        assert_eq!(answer.refusal()["details"], violations, "{password}");
        assert_eq!(answer.refusal()["field"], json!(["password"]));
    }
    set(GOOD_PASSWORD).await.done();
    let credential = portal.world().tenant.credential_stream(user);
    let events = portal.events::<Credential>(credential).await;
    assert!(matches!(events.last(), Some(CredentialEvent::PasswordSet { .. })), "{events:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_08_common_passwords_are_refused_whatever_their_length() {
    let portal = Portal::medi_cal().await;
    let (_, link) = registered(&portal).await;
    let challenge = portal.passcode_for_password(&link).await;
    for password in ["PasswordPassword1!", "QwertyQwerty2024!"] {
        let answer = visitor(&portal).set_password(&link, password, Some(&challenge)).await;
        assert_eq!(answer.refusal()["details"], json!(["COMMON"]), "{password}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_07_a_slow_salted_hash_of_the_normal_form_is_kept_beside_the_passwords() {
    let portal = Portal::medi_cal().await;
    let (user, link) = registered(&portal).await;
    let challenge = portal.passcode_for_password(&link).await;
    visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&challenge)).await.done();
    let tenant = portal.world().tenant;
    let events = portal.events::<Credential>(tenant.credential_stream(user)).await;
    let Some(CredentialEvent::PasswordSet { hash_ref, .. }) = events.last() else {
        panic!("set: {events:?}");
    };
    let journal = &portal.service.commands.journal;
    let kept = async |kind: &'static str| {
        let bytes = journal.vault_get(tenant, kind, hash_ref.0).await.expect("the vault answers");
        String::from_utf8(bytes.expect("it is kept").to_vec()).expect("a PHC string")
    };
    let (hash, form) = (kept("password").await, kept("password_form").await);
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let typed = Password::new(GOOD_PASSWORD);
    let normal = Password::new(normal_form(&typed).as_str());
    let hasher = PasswordHasher::new();
    assert!(hasher.verify(&typed, Some(hash.clone())).await);
    assert!(hasher.verify(&normal, Some(form.clone())).await);
    assert!(!hasher.verify(&typed, Some(form)).await);
    portal.finish().await;
}
