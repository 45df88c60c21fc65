//! A passcode at every sign-in, and authenticator apps as the second factor (MC-28).
//!
//! The app is the crate `totp-rs`, which knows nothing of Rollcall but the URI it scans.

use std::time::Duration;

use rollcall_domain::{
    policies::{PolicyKey, PolicyValue, Preset},
    sessions::{LoginMethod, SessionEvent},
    users::{
        authenticator::{Authenticator, AuthenticatorEvent},
        credential::{CredentialEvent, LoginFailureReason},
    },
};
use serde_json::{Value, json};
use totp_rs::TOTP;

use crate::support::{Answer, Client, PASSWORD, Person, Portal, uuid_of};

const NEW_PASSWORD: &str = "Meadow-Lantern-42!";
const STEP: Duration = Duration::from_secs(30);
const SIGNED_IN: &str = "next sessionToken mustAddSecondFactor session { id }
    challenge { id status source digits attemptsLeft expiresAt }";

/// An authenticator app on somebody's telephone.
struct App(TOTP);

impl App {
    fn scan(uri: &Value) -> Self {
        let uri = uri.as_str().expect("a URI");
        Self(TOTP::from_url(uri).unwrap_or_else(|error| panic!("{uri}: {error}")))
    }

    fn code(&self, portal: &Portal) -> String {
        let now = portal.service.commands.journal.now().timestamp();
        self.0.generate(u64::try_from(now).expect("after 1970"))
    }

    fn wrong_code(&self, portal: &Portal) -> String {
        let right = self.code(portal);
        let last = right.chars().last().and_then(|digit| digit.to_digit(10)).expect("a digit");
        format!("{}{}", &right[..5], (last + 1) % 10)
    }
}

async fn hardened() -> Portal {
    Portal::seeded("hardened", Preset::Hardened).await
}

async fn ask_at_sign_in(portal: &Portal) {
    let words = ["RESET_PASSWORD", "SIGN_IN"].map(str::to_owned).to_vec();
    portal.change_policy(PolicyKey::OtpStepUpActions, PolicyValue::Words(words)).await;
}

/// The first two steps; answers the ticket and what the second said.
async fn give_password(portal: &Portal, who: &Person) -> (String, Value) {
    let visitor = portal.anybody();
    let identifier = who.username.as_ref().unwrap_or(&who.email);
    let login_id = visitor.begin_login(identifier).await;
    let input = json!({ "loginId": login_id, "password": PASSWORD });
    let answer = visitor.mutate("completeLogin", input, SIGNED_IN).await;
    (login_id, answer.done().clone())
}

async fn confirm(portal: &Portal, login_id: &str, challenge: &Value, code: &str) -> Answer {
    let input = json!({ "loginId": login_id, "otpChallengeId": challenge, "code": code });
    let selection = "sessionToken mustChangePassword session { id } memberships { role }";
    portal.anybody().mutate("confirmLogin", input, selection).await
}

fn signed_in(portal: &Portal, answered: &Value) -> Client {
    portal.anybody().with_token(answered["sessionToken"].as_str().expect("a token"))
}

async fn start(client: &Client, password: &str) -> Answer {
    let input = json!({ "currentPassword": password });
    client.mutate("startTotpEnrolment", input, "otpauthUri secret expiresAt").await
}

async fn first_code(client: &Client, code: &str) -> Answer {
    client.mutate("confirmTotpEnrolment", json!({ "code": code }), "recoveryCodes").await
}

/// Signs in where an app has to be added first, and adds it.
async fn enrolled(portal: &Portal, who: &Person) -> (Client, App, Vec<String>) {
    let (_, answered) = give_password(portal, who).await;
    assert_eq!(answered["mustAddSecondFactor"], true, "{answered}");
    let client = signed_in(portal, &answered);
    let app = App::scan(&start(&client, PASSWORD).await.done()["otpauthUri"]);
    let done = first_code(&client, &app.code(portal)).await;
    let codes = done.done()["recoveryCodes"].as_array().expect("codes").clone();
    portal.advance(STEP);
    (client, app, codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect())
}

/// A verified challenge of the app.
async fn passcode(client: &Client, code: &str) -> String {
    let challenge = client.challenge(json!({})).await;
    client.verify(&challenge, code).await.done();
    challenge
}

async fn me(client: &Client) -> Value {
    let document = "{ me { mustAddSecondFactor authenticator { recoveryCodesLeft } } }";
    client.send(document, json!({})).await.data()["me"].clone()
}

#[tokio::test]
async fn mc_28_signing_in_asks_for_a_passcode_where_the_policy_says_so() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    ask_at_sign_in(&portal).await;
    let (login_id, answered) = give_password(&portal, &who).await;
    assert_eq!((&answered["next"], &answered["sessionToken"]), (&json!("PASSCODE"), &Value::Null));
    let challenge = &answered["challenge"];
    assert_eq!((&challenge["source"], &challenge["digits"]), (&json!("TELEPHONE"), &json!(6)));
    let id = challenge["id"].clone();
    let code = portal.code_on_the_phone(id.as_str().expect("an id"))[2..].to_owned();
    let elsewhere = portal.anybody().verify(id.as_str().expect("an id"), &code).await;
    assert_eq!(elsewhere.refused(), "STEP_OUT_OF_ORDER");
    let (other, _) = give_password(&portal, &portal.world().processor).await;
    assert_eq!(confirm(&portal, &other, &id, &code).await.refused(), "STEP_OUT_OF_ORDER");
    let wrong = confirm(&portal, &login_id, &id, "000000").await;
    assert_eq!((wrong.refused(), &wrong.refusal()["details"]), ("OTP_WRONG", &json!(["4"])));
    let done = confirm(&portal, &login_id, &id, &code).await;
    let session = done.done()["session"]["id"].as_str().expect("a session").to_owned();
    let client = signed_in(&portal, done.done());
    assert_eq!(client.session().await.data()["session"]["id"], session);
    let began = portal.events::<rollcall_domain::sessions::Session>(uuid_of(&session)).await;
    let by_passcode = |event: &SessionEvent| {
        matches!(
            event,
            SessionEvent::SessionStarted { method: LoginMethod::PasswordAndPasscode, .. }
        )
    };
    assert!(by_passcode(&began[0]), "{began:?}");
    assert_eq!(confirm(&portal, &login_id, &id, &code).await.refused(), "STEP_OUT_OF_ORDER");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_the_passcode_of_a_sign_in_is_its_newest_and_works_ten_minutes() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    ask_at_sign_in(&portal).await;
    let code = |answered: &Value| {
        portal.code_on_the_phone(answered["challenge"]["id"].as_str().expect("an id"))[2..]
            .to_owned()
    };
    let (login_id, first) = give_password(&portal, &who).await;
    let (second_id, second) = give_password(&portal, &who).await;
    let old = confirm(&portal, &login_id, &first["challenge"]["id"], &code(&first)).await;
    assert_eq!(old.refused(), "STEP_OUT_OF_ORDER");
    portal.advance(Duration::from_secs(599));
    confirm(&portal, &second_id, &second["challenge"]["id"], &code(&second)).await.done();
    let (third_id, third) = give_password(&portal, &who).await;
    portal.advance(Duration::from_secs(600));
    let late = confirm(&portal, &third_id, &third["challenge"]["id"], &code(&third)).await;
    assert_eq!(late.refused(), "LINK_EXPIRED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_wrong_passcodes_lock_the_account_like_wrong_passwords() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    ask_at_sign_in(&portal).await;
    for _ in 0..2 {
        let wrong = portal.anybody().try_to_sign_in(&who.email, "Wrong-Horse-Battery-7!").await;
        assert_eq!(wrong.refused(), "CREDENTIALS_INVALID");
    }
    let (login_id, answered) = give_password(&portal, &who).await;
    let id = answered["challenge"]["id"].clone();
    for _ in 0..2 {
        assert_eq!(confirm(&portal, &login_id, &id, "000000").await.refused(), "OTP_WRONG");
    }
    assert_eq!(confirm(&portal, &login_id, &id, "000000").await.refused(), "ACCOUNT_LOCKED");
    let code = portal.code_on_the_phone(id.as_str().expect("an id"))[2..].to_owned();
    assert_eq!(confirm(&portal, &login_id, &id, &code).await.refused(), "ACCOUNT_LOCKED");
    let events = portal.credential_events(who.user).await;
    let by_passcode = |event: &&CredentialEvent| {
        let reason = LoginFailureReason::Passcode;
        matches!(event, CredentialEvent::LoginFailed { reason: why, .. } if *why == reason)
    };
    assert_eq!(events.iter().filter(by_passcode).count(), 3);
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_where_only_apps_serve_the_first_sign_in_adds_one_before_anything_else() {
    let portal = hardened().await;
    let who = portal.world().clinic_admin.clone();
    let (_, answered) = give_password(&portal, &who).await;
    let client = signed_in(&portal, &answered);
    assert_eq!((&answered["next"], &answered["mustAddSecondFactor"]), (&Value::Null, &json!(true)));
    let held = client.send("{ dashboard { tiles { kind } } }", json!({})).await;
    assert_eq!(held.body["errors"][0]["extensions"]["reason"], "SECOND_FACTOR_REQUIRED");
    let input = json!({ "organizationId": portal.world().clinic.id.to_string() });
    let held = client.mutate("switchOrganization", input, "").await;
    assert_eq!(held.refused(), "SECOND_FACTOR_REQUIRED");
    let asked = client.mutate("requestOtp", json!({}), "challenge { id }").await;
    assert_eq!(asked.refused(), "SECOND_FACTOR_REQUIRED");

    assert_eq!(first_code(&client, "123456").await.refused(), "NOT_ENROLLED");
    assert_eq!(start(&client, "Wrong-Horse-1!").await.refused(), "CURRENT_PASSWORD_WRONG");
    let started = start(&client, PASSWORD).await;
    let app = App::scan(&started.done()["otpauthUri"]);
    assert_eq!(app.0.get_secret_base32(), started.done()["secret"].as_str().expect("a secret"));
    assert_eq!(app.0.account_name, who.email);
    assert_eq!(me(&client).await, json!({ "mustAddSecondFactor": true, "authenticator": null }));
    assert_eq!(first_code(&client, &app.wrong_code(&portal)).await.refused(), "OTP_WRONG");
    let added = first_code(&client, &app.code(&portal)).await;
    assert_eq!(added.done()["recoveryCodes"].as_array().map(Vec::len), Some(10));
    let free =
        json!({ "mustAddSecondFactor": false, "authenticator": { "recoveryCodesLeft": 10 } });
    assert_eq!(me(&client).await, free);
    client.send("{ dashboard { tiles { kind } } }", json!({})).await.data();
    assert_eq!(start(&client, PASSWORD).await.refused(), "ALREADY_ENROLLED");
    Portal::newest(&portal.mailbox(&who.email).await, "An authenticator app was added");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_a_secret_waits_ten_minutes_for_its_first_code_and_a_newer_one_replaces_it() {
    let portal = hardened().await;
    let (_, answered) = give_password(&portal, &portal.world().clinic_admin).await;
    let client = signed_in(&portal, &answered);
    let first = App::scan(&start(&client, PASSWORD).await.done()["otpauthUri"]);
    let second = App::scan(&start(&client, PASSWORD).await.done()["otpauthUri"]);
    assert_eq!(first_code(&client, &first.code(&portal)).await.refused(), "OTP_WRONG");
    portal.advance(Duration::from_secs(600));
    assert_eq!(first_code(&client, &second.code(&portal)).await.refused(), "OTP_EXPIRED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_the_apps_code_opens_a_session_and_no_code_serves_twice() {
    let portal = hardened().await;
    let who = portal.world().clinic_admin.clone();
    let (client, app, _) = enrolled(&portal, &who).await;
    let (login_id, answered) = give_password(&portal, &who).await;
    assert_eq!(answered["challenge"]["source"], "AUTHENTICATOR");
    assert!(portal.mailbox("+12025550101").await.is_empty(), "nothing is sent");
    let id = &answered["challenge"]["id"];
    let code = app.code(&portal);
    let wrong = confirm(&portal, &login_id, id, &app.wrong_code(&portal)).await;
    assert_eq!((wrong.refused(), &wrong.refusal()["details"]), ("OTP_WRONG", &json!(["4"])));
    confirm(&portal, &login_id, id, &code).await.done();

    // The same step, wherever it is typed.
    let (again_id, again) = give_password(&portal, &who).await;
    let replayed = confirm(&portal, &again_id, &again["challenge"]["id"], &code).await;
    assert_eq!(replayed.refused(), "OTP_USED");
    let challenge = client.challenge(json!({})).await;
    assert_eq!(client.verify(&challenge, &code).await.refused(), "OTP_USED");
    portal.advance(STEP);
    client.verify(&challenge, &app.code(&portal)).await.done();
    // The step before the present one is taken, unless a later one was.
    assert_eq!(
        confirm(&portal, &again_id, &again["challenge"]["id"], &code).await.refused(),
        "OTP_USED"
    );
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_a_recovery_code_serves_once_and_others_take_the_place_of_all() {
    let portal = hardened().await;
    let who = portal.world().clinic_admin.clone();
    let (client, app, codes) = enrolled(&portal, &who).await;
    let (login_id, answered) = give_password(&portal, &who).await;
    let typed = codes[3].to_lowercase();
    confirm(&portal, &login_id, &answered["challenge"]["id"], &typed).await.done();
    assert_eq!(me(&client).await["authenticator"]["recoveryCodesLeft"], 9);
    Portal::newest(&portal.mailbox(&who.email).await, "A recovery code was used");
    let challenge = client.challenge(json!({})).await;
    assert_eq!(client.verify(&challenge, &codes[3]).await.refused(), "OTP_WRONG");

    let proof = passcode(&client, &app.code(&portal)).await;
    let input = json!({ "otpChallengeId": proof });
    let renewed = client.mutate("renewRecoveryCodes", input.clone(), "recoveryCodes").await;
    let new = renewed.done()["recoveryCodes"][0].as_str().expect("a code").to_owned();
    let again = client.mutate("renewRecoveryCodes", input, "recoveryCodes").await;
    assert_eq!(again.refused(), "OTP_REQUIRED", "a passcode serves once");
    let challenge = client.challenge(json!({})).await;
    assert_eq!(client.verify(&challenge, &codes[0]).await.refused(), "OTP_WRONG");
    client.verify(&challenge, &new).await.done();

    let stream = portal.world().tenant.authenticator_stream(who.user);
    let events = portal.events::<Authenticator>(stream).await;
    let told = format!("{events:?}");
    assert!(codes.iter().all(|code| !told.contains(code.as_str())), "no code is in an event");
    assert!(matches!(events[0], AuthenticatorEvent::TotpEnrolmentStarted { .. }));
    let AuthenticatorEvent::TotpEnrolled { codes_ref, .. } = &events[1] else {
        panic!("enrolled: {events:?}");
    };
    let journal = &portal.service.commands.journal;
    let kept = journal.vault_get(portal.world().tenant, "recovery_codes", codes_ref.0).await;
    assert!(kept.expect("the vault answers").is_none(), "the earlier hashes are gone");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_secret_and_codes_are_shown_once() {
    let portal = hardened().await;
    let (_, answered) = give_password(&portal, &portal.world().clinic_admin).await;
    let client = signed_in(&portal, &answered);
    let input = json!({ "currentPassword": PASSWORD, "idempotencyKey": "once" });
    let shown = client.mutate("startTotpEnrolment", input.clone(), "otpauthUri").await;
    let app = App::scan(&shown.done()["otpauthUri"]);
    let again = client.mutate("startTotpEnrolment", input, "otpauthUri").await;
    assert_eq!(again.refused(), "RESULT_WITHHELD");
    let input = json!({ "code": app.code(&portal), "idempotencyKey": "once" });
    client.mutate("confirmTotpEnrolment", input.clone(), "recoveryCodes").await.done();
    let again = client.mutate("confirmTotpEnrolment", input, "recoveryCodes").await;
    assert_eq!(again.refused(), "RESULT_WITHHELD");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_the_app_is_removed_by_its_own_code_and_the_next_sign_in_adds_another() {
    let portal = hardened().await;
    let who = portal.world().clinic_admin.clone();
    let (client, app, codes) = enrolled(&portal, &who).await;
    let remove = async |password: &str, proof: &str| {
        let input = json!({ "currentPassword": password, "otpChallengeId": proof });
        client.mutate("removeTotp", input, "").await
    };
    let unverified = client.challenge(json!({})).await;
    assert_eq!(remove(PASSWORD, &unverified).await.refused(), "OTP_REQUIRED");
    let proof = passcode(&client, &app.code(&portal)).await;
    assert_eq!(remove("Wrong-Horse-1!", &proof).await.refused(), "CURRENT_PASSWORD_WRONG");
    remove(PASSWORD, &proof).await.done();
    assert_eq!(me(&client).await["authenticator"], Value::Null);
    Portal::newest(&portal.mailbox(&who.email).await, "Your authenticator app was removed");
    let (_, answered) = give_password(&portal, &who).await;
    assert_eq!(answered["mustAddSecondFactor"], true);
    // A new app comes with new codes; those of the removed one serve nobody.
    let (client, _, _) = enrolled(&portal, &who).await;
    let challenge = client.challenge(json!({})).await;
    assert_eq!(client.verify(&challenge, &codes[0]).await.refused(), "OTP_WRONG");
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_the_app_guards_what_the_hardened_policy_names() {
    let portal = hardened().await;
    let who = portal.world().clinic_admin.clone();
    let (client, app, _) = enrolled(&portal, &who).await;
    let change = async |proof: Option<&str>| {
        let input = json!({ "mobile": "+12025550189", "currentPassword": PASSWORD,
                            "otpChallengeId": proof });
        client.mutate("changePhone", input, "").await
    };
    assert_eq!(change(None).await.refused(), "OTP_REQUIRED");
    change(Some(&passcode(&client, &app.code(&portal)).await)).await.done();
    portal.advance(STEP);
    let input = |proof: Option<String>| json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, "otpChallengeId": proof });
    let refused = client.mutate("changePassword", input(None), "").await;
    assert_eq!(refused.refused(), "OTP_REQUIRED");
    let proof = passcode(&client, &app.code(&portal)).await;
    client.mutate("changePassword", input(Some(proof)), "").await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_a_forgotten_password_takes_the_app_or_where_there_is_none_the_link_alone() {
    let portal = hardened().await;
    let (with, without) = (portal.world().clinic_admin.clone(), portal.world().processor.clone());
    let (_, app, _) = enrolled(&portal, &with).await;
    let visitor = portal.anybody();
    let token = async |who: &Person| {
        visitor.mutate("requestPasswordReset", json!({ "email": who.email }), "").await.done();
        portal.reset_token(who).await
    };
    let reset = async |token: &str, proof: Option<&str>| {
        let input = json!({ "token": token, "password": NEW_PASSWORD, "otpChallengeId": proof });
        visitor.mutate("resetPassword", input, "").await
    };
    let link = token(&with).await;
    assert_eq!(reset(&link, None).await.refused(), "OTP_REQUIRED");
    let challenge = visitor.challenge(json!({ "passwordToken": link })).await;
    visitor.verify(&challenge, &app.code(&portal)).await.done();
    reset(&link, Some(&challenge)).await.done();

    let link = token(&without).await;
    let asked = visitor.mutate("requestOtp", json!({ "passwordToken": link }), "").await;
    assert_eq!(asked.refused(), "FEATURE_DISABLED");
    reset(&link, None).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_28_authenticator_apps_are_used_where_the_policy_offers_them() {
    let presets = [
        ("medi-cal", Preset::MediCal),
        ("cencal", Preset::Cencal),
        ("alliance", Preset::Alliance),
        ("carecentrix", Preset::Carecentrix),
    ];
    for (slug, preset) in presets {
        let portal = Portal::seeded(slug, preset).await;
        let client = portal.client(&portal.world().clinic_admin).await;
        assert_eq!(start(&client, PASSWORD).await.refused(), "FEATURE_DISABLED", "{preset}");
        portal.finish().await;
    }
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().clinic_admin).await;
    let methods = ["SMS", "VOICE", "TOTP"].map(str::to_owned).to_vec();
    portal.change_policy(PolicyKey::OtpMethods, PolicyValue::Words(methods)).await;
    let app = App::scan(&start(&client, PASSWORD).await.done()["otpauthUri"]);
    first_code(&client, &app.code(&portal)).await.done();
    let source = async |input: Value| {
        let answer = client.mutate("requestOtp", input, "challenge { id source }").await;
        answer.done()["challenge"].clone()
    };
    assert_eq!(source(json!({})).await["source"], "AUTHENTICATOR");
    let by_text = source(json!({ "channel": "SMS" })).await;
    assert_eq!(by_text["source"], "TELEPHONE");
    // A text message does not undo what the app guards.
    let id = by_text["id"].as_str().expect("an id");
    portal.type_code(&client, id).await.done();
    let input = json!({ "currentPassword": PASSWORD, "otpChallengeId": id });
    assert_eq!(client.mutate("removeTotp", input, "").await.refused(), "OTP_REQUIRED");
    portal.finish().await;
}
