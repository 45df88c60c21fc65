//! Signing in: two steps, lockout, uniform answers (MC-34, GN-05, GN-09, AL-06, CX-08).

use std::time::Duration;

use rollcall_domain::{
    organizations::{Authority, OrgRole, organization::RosterCommand},
    policies::Preset,
    users::credential::{CredentialEvent, LoginFailureReason, UnlockCause},
    values::Reason,
};
use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Person, Portal};

const WRONG: &str = "Wrong-Horse-Battery-7!";

/// Takes a person off the clinic's roster without ending sessions.
async fn deactivate(portal: &Portal, who: &Person) {
    let command = RosterCommand::DeactivateUser {
        user: who.user,
        confirmed: true,
        reason: Some(Reason::parse("left").expect("a reason")),
        left_on: None,
        authority: Authority::Organization,
    };
    portal.roster(&portal.world().clinic, command).await;
}

async fn fail(visitor: &Client, identifier: &str, times: usize) -> Vec<Value> {
    let mut refusals = Vec::new();
    for _ in 0..times {
        refusals.push(visitor.try_to_sign_in(identifier, WRONG).await.refusal().clone());
    }
    refusals
}

#[tokio::test]
async fn mc_34_two_steps_open_a_session_that_history_tells_of() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let visitor = portal.anybody();
    let login_id = visitor.begin_login(&who.email).await;
    let answer = visitor.complete_login(&login_id, PASSWORD).await;
    let done = answer.done();
    assert_eq!(done["mustChangePassword"], false);
    assert_eq!(done["session"]["organization"]["name"], "Redwood Clinic");
    assert_eq!(done["session"]["startedAt"], "2026-01-12T17:00:00Z");
    assert_eq!(done["session"]["expiresAt"], "2026-01-12T17:20:00Z");
    let client = visitor.with_token(done["sessionToken"].as_str().expect("a token"));
    let document = "query($at: Position) { me(minPosition: $at) {
        email firstName lastName mustChangePassword passwordExpiresAt planRoles
        memberships { role organization { name kinds } } } }";
    let me = client.send(document, json!({ "at": done["position"] })).await;
    assert_eq!(
        me.data()["me"],
        json!({
            "email": "ann.lee@portal.example", "firstName": "Ann", "lastName": "Lee",
            "mustChangePassword": false, "passwordExpiresAt": null, "planRoles": [],
            "memberships": [{
                "role": "ADMIN",
                "organization": { "name": "Redwood Clinic", "kinds": ["PROVIDER"] },
            }],
        })
    );
    let history = client.login_history(who.user, Some(done["position"].clone())).await;
    let newest = &history.data()["loginHistory"]["nodes"][0];
    assert_eq!(newest["outcome"], "SUCCEEDED");
    assert_eq!(newest["sessionId"], done["session"]["id"]);
    portal.finish().await;
}

#[tokio::test]
async fn mc_34_the_first_step_answers_alike_for_anybody() {
    let portal = Portal::medi_cal().await;
    let visitor = portal.anybody();
    let before = portal.position().await;
    let begin = async |identifier: &str| {
        let input = json!({ "identifier": identifier });
        let answer = visitor.mutate("beginLogin", input, "loginId next").await;
        let mut payload = answer.done().clone();
        let ticket = payload["loginId"].take();
        (payload, ticket.as_str().expect("a ticket").len())
    };
    let known = begin("ann.lee@portal.example").await;
    assert_eq!(known, begin("ann.lay@portal.example").await);
    assert_eq!(known.0["next"], "PASSWORD");
    assert_eq!(known.0["position"], Value::Null);
    assert_eq!(portal.position().await, before, "the first step is no event");
    for (identifier, code) in
        [("".to_owned(), "FIELD_REQUIRED"), ("a".repeat(321), "FIELD_TOO_LONG")]
    {
        let answer =
            visitor.mutate("beginLogin", json!({ "identifier": identifier }), "loginId").await;
        assert_eq!(answer.refused(), code);
        assert_eq!(answer.refusal()["field"], json!(["identifier"]));
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_34_the_second_step_has_ten_minutes_and_takes_no_forgery() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().clinic_admin.email.clone();
    let visitor = portal.anybody();
    let login_id = visitor.begin_login(&who).await;
    portal.advance(Duration::from_secs(599));
    visitor.complete_login(&login_id, PASSWORD).await.done();
    portal.advance(Duration::from_secs(1));
    assert_eq!(visitor.complete_login(&login_id, PASSWORD).await.refused(), "LINK_EXPIRED");
    assert_eq!(visitor.complete_login("nonsense", PASSWORD).await.refused(), "LINK_INVALID");
    let elsewhere = portal.another_tenant("other-plan", Preset::MediCal).await;
    let fresh = visitor.begin_login(&who).await;
    let stray = portal.visitor(&elsewhere.slug).complete_login(&fresh, PASSWORD).await;
    assert_eq!(stray.refused(), "LINK_INVALID");
    assert_eq!(visitor.complete_login(&fresh, "").await.refused(), "FIELD_REQUIRED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_34_a_password_with_a_blank_pasted_to_it_is_another_one() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let answer = portal.anybody().try_to_sign_in(&who.email, &format!("{PASSWORD} ")).await;
    assert_eq!(answer.refusal()["message"], "Your credentials are invalid");
    let newest = portal.credential_events(who.user).await.pop();
    let reason = LoginFailureReason::Credentials;
    let failed = CredentialEvent::LoginFailed { user: Some(who.user), failures: 1, reason };
    assert_eq!(newest, Some(failed));
    portal.finish().await;
}

#[tokio::test]
async fn mc_34_an_inactive_account_is_told_so_only_after_the_right_password() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().processor;
    deactivate(&portal, who).await;
    let visitor = portal.anybody();
    assert_eq!(visitor.try_to_sign_in(&who.email, WRONG).await.refused(), "CREDENTIALS_INVALID");
    assert_eq!(visitor.try_to_sign_in(&who.email, PASSWORD).await.refused(), "ACCOUNT_INACTIVE");
    portal.finish().await;
}

#[tokio::test]
async fn mc_34_plan_staff_and_operators_sign_in_the_same_way() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.anybody().sign_in(&portal.world().auditor.email, PASSWORD).await;
    let me = auditor
        .send(
            "{ me { planRoles memberships { role } } session { organization { name } } }",
            json!({}),
        )
        .await;
    assert_eq!(me.data()["me"], json!({ "planRoles": ["AU"], "memberships": [] }));
    assert_eq!(me.data()["session"]["organization"], Value::Null);
    portal.operator().await;
    let operations = portal.visitor("operations");
    let operator = operations.sign_in("olga.petrov@portal.example", PASSWORD).await;
    let me = operator.send("{ me { planRoles } }", json!({})).await;
    assert_eq!(me.data()["me"]["planRoles"], json!(["OPERATOR"]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_05_any_case_of_the_address_leads_to_the_one_person_with_all_memberships() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let who = &world.processor;
    let attach = RosterCommand::AttachUser {
        user: who.user,
        email_domain: "portal.example".to_owned(),
        role: OrgRole::None,
    };
    portal.roster(&world.hospital, attach).await;
    let visitor = portal.anybody();
    let answer = visitor.try_to_sign_in("PAUL.Kim@Portal.Example", PASSWORD).await;
    let names = |payload: &Value| -> Vec<Value> {
        let memberships = payload["memberships"].as_array().expect("a list");
        memberships.iter().map(|it| it["organization"]["name"].clone()).collect()
    };
    assert_eq!(names(answer.done()), ["Bayview Hospital", "Redwood Clinic"]);
    // Deactivation is per membership: the other goes on.
    deactivate(&portal, who).await;
    let answer = visitor.try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(names(answer.done()), ["Bayview Hospital"]);
    assert_eq!(answer.done()["session"]["organization"]["name"], "Bayview Hospital");
    portal.finish().await;
}

#[tokio::test]
async fn gn_09_identifiers_nobody_has_fail_and_lock_like_known_ones() {
    let portal = Portal::medi_cal().await;
    let visitor = portal.anybody();
    let known = fail(&visitor, &portal.world().clinic_admin.email, 6).await;
    let unknown = fail(&visitor, "nobody@portal.example", 6).await;
    assert_eq!(known, unknown);
    let codes: Vec<_> =
        known.iter().map(|refusal| refusal["code"].as_str().expect("a code")).collect();
    let (invalid, locked) = ("CREDENTIALS_INVALID", "ACCOUNT_LOCKED");
    assert_eq!(codes, [invalid, invalid, invalid, invalid, locked, locked]);
    assert_eq!(known[5]["retryAt"], "2026-01-12T17:30:00Z");
    // Even the right password is not judged while the account is locked.
    let right = visitor.try_to_sign_in(&portal.world().clinic_admin.email, PASSWORD).await;
    assert_eq!(right.refused(), locked);
    portal.finish().await;
}

#[tokio::test]
async fn gn_09_tries_are_limited_whoever_is_meant() {
    let portal = Portal::medi_cal().await;
    let visitor = portal.anybody();
    for email in ["ann.lee@portal.example", "nobody@portal.example"] {
        for _ in 0..5 {
            visitor.mutate("requestPasswordReset", json!({ "email": email }), "").await.done();
        }
        let answer = visitor.mutate("requestPasswordReset", json!({ "email": email }), "").await;
        assert_eq!(answer.refused(), "RATE_LIMITED");
        assert_eq!(answer.refusal()["retryAt"], "2026-01-12T18:00:00Z");
    }
    portal.advance(Duration::from_secs(3600));
    let again = json!({ "email": "ann.lee@portal.example" });
    visitor.mutate("requestPasswordReset", again, "").await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_11_a_lock_ends_live_sessions() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().clinic_admin;
    let client = portal.client(who).await;
    fail(&portal.anybody(), &who.email, 5).await;
    assert_eq!(client.session().await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn al_06_three_failures_lock_until_an_administrator_unlocks() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let visitor = portal.anybody();
    let name = world.processor.username.clone().expect("a user name");
    let refusals = fail(&visitor, &name, 3).await;
    assert_eq!(refusals[2]["code"], "ACCOUNT_LOCKED");
    assert_eq!(refusals[2]["retryAt"], Value::Null);
    portal.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(visitor.try_to_sign_in(&name, PASSWORD).await.refused(), "ACCOUNT_LOCKED");

    let unlock = json!({ "userId": world.processor.user, "organizationId": world.clinic.id });
    let processor = portal.client(&world.npi_admin).await;
    assert_eq!(processor.mutate("unlockUser", unlock.clone(), "").await.refused(), "NOT_ORG_ADMIN");
    let stranger = portal.client(&world.hospital_admin).await;
    assert_eq!(stranger.mutate("unlockUser", unlock.clone(), "").await.refused(), "NOT_FOUND");
    let admin = portal.client(&world.clinic_admin).await;
    admin.mutate("unlockUser", unlock.clone(), "userId").await.done();
    assert_eq!(admin.mutate("unlockUser", unlock, "").await.refused(), "NOT_LOCKED");
    let newest = portal.credential_events(world.processor.user).await.pop();
    let by = UnlockCause::Admin;
    assert_eq!(
        newest,
        Some(CredentialEvent::UserUnlocked { user: Some(world.processor.user), by })
    );
    visitor.sign_in(&name, PASSWORD).await;
    let history = admin.login_history(world.processor.user, None).await;
    assert!(history.data()["loginHistory"]["nodes"].is_array());
    portal.finish().await;
}

#[tokio::test]
async fn cx_08_a_lock_at_rest_ends_after_thirty_minutes_and_trying_starts_them_anew() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let name = portal.world().processor.username.clone().expect("a user name");
    let visitor = portal.anybody();
    fail(&visitor, &name, 5).await;
    portal.advance(Duration::from_secs(29 * 60 + 59));
    let answer = visitor.try_to_sign_in(&name, PASSWORD).await;
    assert_eq!(answer.refused(), "ACCOUNT_LOCKED");
    assert_eq!(answer.refusal()["retryAt"], "2026-01-12T17:59:59Z");
    portal.advance(Duration::from_secs(30 * 60));
    portal.settle().await;
    let user = portal.world().processor.user;
    let by = UnlockCause::Timer;
    let unlocked = CredentialEvent::UserUnlocked { user: Some(user), by };
    assert_eq!(portal.credential_events(user).await.pop(), Some(unlocked));
    visitor.sign_in(&name, PASSWORD).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_09_a_visitor_learns_from_no_answer_how_far_the_journal_is() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let visitor = portal.anybody();
    let name = "{ portal { name } }";
    let known = portal.client(&portal.world().processor).await.send(name, json!({})).await;
    assert!(known.body["extensions"]["projection"]["position"].is_string(), "{}", known.body);
    let told = visitor.send(name, json!({})).await;
    assert_eq!(told.body, json!({ "data": known.body["data"] }));
    // Nor by waiting until it is there: nothing is waited for.
    let document = "query($at: Position) { portal(minPosition: $at) { name } }";
    let far = (portal.position().await + 1_000).to_string();
    let told = visitor.send(document, json!({ "at": far })).await;
    assert_eq!(told.body, json!({ "data": known.body["data"] }));
    portal.finish().await;
}
