//! People who cannot sign in, and who helps them (AL-06, CC-06, CX-09).

use rollcall_commands::users::temporary_password;
use rollcall_domain::{
    policies::{PolicyKey, PolicyValue, Preset},
    users::credential::{CredentialEvent, UnlockCause},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Person, Portal};

const NEW_PASSWORD: &str = "Meadow-Lantern-42!";

async fn cencal() -> Portal {
    Portal::seeded("cencal", Preset::Cencal).await
}

fn name(who: &Person) -> String {
    who.username.clone().expect("a user name")
}

/// Asks for a reset as an administrator of the clinic.
async fn reset(client: &Client, portal: &Portal, who: &Person, secret: &str) -> Answer {
    let organization = portal.world().clinic.id;
    let input = json!({ "userId": who.user, "organizationId": organization, "secret": secret });
    client.mutate("adminResetPassword", input, "userId").await
}

/// As many wrong passwords as lock an account.
async fn lock(visitor: &Client, name: &str, tries: usize) {
    for _ in 0..tries {
        visitor.try_to_sign_in(name, "Wrong-Horse-Battery-7!").await.refused();
    }
    assert_eq!(visitor.try_to_sign_in(name, PASSWORD).await.refused(), "ACCOUNT_LOCKED");
}

/// The temporary password that was issued last, as its mail tells it.
async fn issued(portal: &Portal, who: &Person) -> String {
    let events = portal.credential_events(who.user).await;
    let hash_ref = events.iter().rev().find_map(|event| {
        let CredentialEvent::TemporaryPasswordIssued { hash_ref, .. } = event else { return None };
        Some(*hash_ref)
    });
    let secrets = portal.service.commands.journal.secrets();
    temporary_password(secrets, hash_ref.expect("one was issued")).reveal().to_owned()
}

#[tokio::test]
async fn cc_06_an_administrator_has_a_link_mailed_and_a_change_is_forced() {
    let portal = cencal().await;
    let world = portal.world();
    let (who, admin) = (&world.processor, portal.client(&world.clinic_admin).await);
    let live = portal.client(who).await;
    reset(&admin, &portal, who, "LINK").await.done();
    assert_eq!(live.session().await.error_code(), "UNAUTHENTICATED", "sessions end at once");
    Portal::newest(&portal.mailbox(&who.email).await, "An administrator reset your password");

    let visitor = portal.anybody();
    let old = visitor.try_to_sign_in(&name(who), PASSWORD).await;
    assert_eq!(old.done()["mustChangePassword"], true);
    let restricted = visitor.with_token(old.done()["sessionToken"].as_str().expect("a token"));
    let home = restricted.send("{ dashboard { tiles { kind } } }", json!({})).await;
    assert_eq!(home.body["errors"][0]["extensions"]["reason"], "PASSWORD_CHANGE_REQUIRED");

    let token = portal.reset_token(who).await;
    let input = json!({ "token": token, "password": NEW_PASSWORD });
    visitor.mutate("resetPassword", input, "").await.done();
    let done = visitor.try_to_sign_in(&name(who), NEW_PASSWORD).await;
    assert_eq!(done.done()["mustChangePassword"], false);
    portal.finish().await;
}

#[tokio::test]
async fn cc_06_plan_staff_have_a_temporary_password_mailed_that_must_be_changed() {
    let portal = cencal().await;
    let world = portal.world();
    let who = &world.clinic_admin;
    let support = portal.client(&world.plan_support).await;
    let input = json!({ "userId": who.user, "secret": "TEMPORARY_PASSWORD" });
    let done = support.mutate("adminResetPassword", input, "userId").await;
    assert!(!done.body.to_string().contains(&issued(&portal, who).await), "the helper sees none");
    let mailbox = portal.mailbox(&who.email).await;
    let mail = Portal::newest(&mailbox, "An administrator reset your password");
    let temporary = mail["codes"][0].as_str().expect("the password").to_owned();
    assert_eq!(temporary, issued(&portal, who).await);
    let visitor = portal.anybody();
    let client = visitor.sign_in(&name(who), &temporary).await;
    let change = json!({ "currentPassword": temporary, "newPassword": NEW_PASSWORD });
    client.mutate("changePassword", change, "").await.done();
    visitor.sign_in(&name(who), NEW_PASSWORD).await;
    let events = portal.credential_events(who.user).await;
    let by = UnlockCause::Plan;
    assert!(events.contains(&CredentialEvent::PasswordResetByAdmin { user: who.user, by }));
    portal.finish().await;
}

#[tokio::test]
async fn cc_06_nobody_else_resets_or_unlocks() {
    let portal = cencal().await;
    let world = portal.world();
    let who = &world.processor;
    let member = portal.client(&world.npi_admin).await;
    assert_eq!(reset(&member, &portal, who, "LINK").await.refused(), "NOT_ORG_ADMIN");
    let stranger = portal.client(&world.hospital_admin).await;
    assert_eq!(reset(&stranger, &portal, who, "LINK").await.refused(), "NOT_FOUND");
    let admin = portal.client(&world.clinic_admin).await;
    let foreign = reset(&admin, &portal, &world.hospital_admin, "LINK").await;
    assert_eq!(foreign.refused(), "NOT_FOUND");
    let alone = json!({ "userId": who.user });
    assert_eq!(admin.mutate("adminResetPassword", alone, "").await.refused(), "FORBIDDEN");
    let not_locked = json!({ "userId": who.user, "organizationId": world.clinic.id });
    assert_eq!(admin.mutate("unlockUser", not_locked, "").await.refused(), "NOT_LOCKED");
    portal.change_policy(PolicyKey::ResetAssistedBy, PolicyValue::Words(vec!["PS".into()])).await;
    assert_eq!(reset(&admin, &portal, who, "LINK").await.refused(), "FORBIDDEN");
    let support = portal.client(&world.plan_support).await;
    reset(&support, &portal, who, "LINK").await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_06_a_reset_by_a_helper_lifts_the_lock_and_either_side_unlocks() {
    let portal = cencal().await;
    let world = portal.world();
    let visitor = portal.anybody();
    let admin = portal.client(&world.clinic_admin).await;
    lock(&visitor, &name(&world.processor), 5).await;
    reset(&admin, &portal, &world.processor, "LINK").await.done();
    visitor.sign_in(&name(&world.processor), PASSWORD).await;

    lock(&visitor, &name(&world.npi_admin), 5).await;
    let support = portal.client(&world.plan_support).await;
    let unlock = json!({ "userId": world.npi_admin.user });
    support.mutate("unlockUser", unlock, "userId").await.done();
    visitor.sign_in(&name(&world.npi_admin), PASSWORD).await;
    Portal::newest(&portal.mailbox(&world.npi_admin.email).await, "Your account is unlocked");
    portal.finish().await;
}

#[tokio::test]
async fn al_06_the_person_is_mailed_and_administrators_find_who_is_locked() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    lock(&portal.anybody(), &name(&world.processor), 3).await;
    Portal::newest(&portal.mailbox(&world.processor.email).await, "Your account is locked");
    let admin = portal.client(&world.clinic_admin).await;
    let notices = admin.send("{ notifications { nodes { type } } }", json!({})).await;
    assert_eq!(notices.data()["notifications"]["nodes"][0]["type"], "USER_ACTIVITY");
    let found = async |locked: bool| {
        let list =
            "query($id: ID!, $locked: Boolean) { users(organizationId: $id, locked: $locked) {
            totalCount nodes { firstName locked lockedUntil } } }";
        let variables = json!({ "id": world.clinic.id, "locked": locked });
        admin.send(list, variables).await.data()["users"].clone()
    };
    let paul = json!({ "firstName": "Paul", "locked": true, "lockedUntil": Value::Null });
    assert_eq!(found(true).await, json!({ "totalCount": 1, "nodes": [paul] }));
    assert_eq!(found(false).await["totalCount"], 4);
    portal.finish().await;
}

#[tokio::test]
async fn cx_09_a_temporary_password_asked_for_while_locked_also_unlocks() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let who = &portal.world().processor;
    let visitor = portal.anybody();
    lock(&visitor, &name(who), 5).await;
    visitor.mutate("requestPasswordReset", json!({ "email": who.email }), "").await.done();
    let temporary = issued(&portal, who).await;
    let still = visitor.try_to_sign_in(&name(who), PASSWORD).await;
    assert_eq!(still.refused(), "ACCOUNT_LOCKED", "asking alone unlocks nothing");
    let client = visitor.sign_in(&name(who), &temporary).await;
    let events = portal.credential_events(who.user).await;
    let by = UnlockCause::Reset;
    assert!(events.contains(&CredentialEvent::UserUnlocked { user: Some(who.user), by }));
    let change = json!({ "currentPassword": temporary, "newPassword": NEW_PASSWORD });
    client.mutate("changePassword", change, "").await.done();
    visitor.sign_in(&name(who), NEW_PASSWORD).await;
    portal.finish().await;
}

#[tokio::test]
async fn cx_09_a_completed_reset_by_link_unlocks_where_the_policy_says_so() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().processor;
    let visitor = portal.anybody();
    let unlockers = PolicyValue::Words(vec!["OA".into(), "RESET_LINK".into()]);
    portal.change_policy(PolicyKey::LockoutUnlockers, unlockers).await;
    lock(&visitor, &who.email, 5).await;
    visitor.mutate("requestPasswordReset", json!({ "email": who.email }), "").await.done();
    let token = portal.reset_token(who).await;
    let challenge = portal.passcode_for_password(&token).await;
    let input = json!({ "token": token, "password": NEW_PASSWORD, "otpChallengeId": challenge });
    visitor.mutate("resetPassword", input, "").await.done();
    visitor.sign_in(&who.email, NEW_PASSWORD).await;
    portal.finish().await;
}
