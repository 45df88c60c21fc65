//! Passwords that grow old, and what portals ask of a password (CC-04, CC-05).

use std::time::Duration;

use rollcall_domain::{
    policies::{PolicyKey, PolicyValue, Preset},
    users::credential::CredentialEvent,
};
use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, Person, Portal};

const DAY: u64 = 24 * 60 * 60;
const HOUR: u64 = 60 * 60;

/// How long after the tests' first moment California's clocks show the same hour so many days later:
/// they go forward on 8 March, the fifty-fifth.
fn days_on(days: u64) -> u64 {
    days * DAY - if days < 55 { 0 } else { HOUR }
}

async fn warnings(portal: &Portal, who: &Person) -> usize {
    let messages = portal.mailbox(&who.email).await;
    messages.iter().filter(|message| message["subject"] == "Your password expires soon").count()
}

/// How many notices of this text the person has.
async fn notices(client: &Client, text: &str) -> usize {
    let answer =
        client.send("{ notifications(first: 50) { nodes { type text } } }", json!({})).await;
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("a list").clone();
    let told = json!({ "type": "ACCOUNT_SECURITY", "text": text });
    nodes.iter().filter(|node| **node == told).count()
}

async fn has_expired(portal: &Portal, who: &Person) -> bool {
    portal.settle().await;
    let events = portal.credential_events(who.user).await;
    events.contains(&CredentialEvent::PasswordExpired { user: who.user })
}

async fn change(client: &Client, new: &str) -> Answer {
    let input = json!({ "currentPassword": PASSWORD, "newPassword": new });
    client.mutate("changePassword", input, "").await
}

#[tokio::test]
async fn cc_04_the_owner_is_told_fourteen_seven_and_one_day_before_to_the_second() {
    // Everybody's password was set thirty days before the test begins.
    for (slug, preset, age) in [("cencal", Preset::Cencal, 180), ("alliance", Preset::Alliance, 90)]
    {
        let portal = Portal::seeded(slug, preset).await;
        let who = &portal.world().processor;
        let shown = "{ me { passwordExpiresAt } }";
        let me = portal.client(who).await.send(shown, json!({})).await;
        let expires =
            json!(if age == 180 { "2026-06-11T16:00:00Z" } else { "2026-03-13T16:00:00Z" });
        assert_eq!(me.data()["me"]["passwordExpiresAt"], expires);
        let mut passed = 0;
        for (told, days) in [14, 7, 1].into_iter().enumerate() {
            let due = days_on(age - 30 - days);
            portal.advance(Duration::from_secs(due - passed - 1));
            assert_eq!(warnings(&portal, who).await, told, "{slug}: {days} days before");
            portal.advance(Duration::from_secs(1));
            assert_eq!(warnings(&portal, who).await, told + 1, "{slug}: {days} days before");
            passed = due;
        }
        let client = portal.client(who).await;
        assert_eq!(notices(&client, "Your password expires soon.").await, 3);
        assert!(!has_expired(&portal, who).await);
        portal.advance(Duration::from_secs(DAY - 1));
        assert!(!has_expired(&portal, who).await, "{slug}");
        portal.advance(Duration::from_secs(1));
        assert!(has_expired(&portal, who).await, "{slug}");
        Portal::newest(&portal.mailbox(&who.email).await, "Your password has expired");
        portal.finish().await;
    }
}

#[tokio::test]
async fn cc_04_where_the_portal_sets_no_age_a_password_stays_good() {
    for (slug, preset) in [
        ("medi-cal", Preset::MediCal),
        ("carecentrix", Preset::Carecentrix),
        ("hardened", Preset::Hardened),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let who = &portal.world().processor;
        portal.advance(Duration::from_secs(400 * DAY));
        assert_eq!(warnings(&portal, who).await, 0, "{slug}");
        assert!(!has_expired(&portal, who).await, "{slug}");
        let client = portal.client(who).await;
        let me = client.send("{ me { passwordExpiresAt mustChangePassword } }", json!({})).await;
        let shown = json!({ "passwordExpiresAt": null, "mustChangePassword": false });
        assert_eq!(me.data()["me"], shown, "{slug}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn cc_04_who_changed_the_password_in_time_hears_no_more_of_the_old_one() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let who = &portal.world().processor;
    portal.advance(Duration::from_secs(140 * DAY));
    assert_eq!(warnings(&portal, who).await, 1);
    let client = portal.client(who).await;
    change(&client, "Meadow-Lantern-42!").await.done();
    portal.advance(Duration::from_secs(20 * DAY));
    assert_eq!(warnings(&portal, who).await, 1);
    assert!(!has_expired(&portal, who).await);
    portal.finish().await;
}

#[tokio::test]
async fn cc_04_an_expired_password_is_named_as_the_reason_nothing_else_goes_on() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let who = &portal.world().processor;
    portal.advance(Duration::from_secs(150 * DAY));
    assert!(has_expired(&portal, who).await);
    let name = who.username.clone().expect("a user name");
    let client = portal.anybody().sign_in(&name, PASSWORD).await;
    let home = client.send("{ dashboard { tiles { kind } } }", json!({})).await;
    assert_eq!(home.error_code(), "FORBIDDEN");
    assert_eq!(home.body["errors"][0]["extensions"]["reason"], "PASSWORD_EXPIRED");
    let profile = client.mutate("updateProfile", json!({ "lastName": "Kimm" }), "").await;
    assert_eq!(profile.refused(), "PASSWORD_EXPIRED");
    change(&client, "Meadow-Lantern-42!").await.done();
    client.send("{ dashboard { tiles { kind } } }", json!({})).await.data();
    portal.finish().await;
}

#[tokio::test]
async fn cc_04_a_policy_that_begins_to_limit_the_age_finds_the_passwords_there_are() {
    let portal = Portal::medi_cal().await;
    let who = &portal.world().processor;
    portal.advance(Duration::from_secs(140 * DAY));
    assert_eq!(warnings(&portal, who).await, 0, "passwords do not grow old here");
    portal.change_policy(PolicyKey::PasswordMaxAgeDays, PolicyValue::Integer(180)).await;
    assert_eq!(warnings(&portal, who).await, 1, "170 days old");
    portal.change_policy(PolicyKey::PasswordMaxAgeDays, PolicyValue::Integer(160)).await;
    assert!(has_expired(&portal, who).await);
    portal.finish().await;
}

#[tokio::test]
async fn cc_05_one_password_is_good_at_cencal_and_too_weak_at_medi_cal() {
    let cencal = Portal::seeded("cencal", Preset::Cencal).await;
    let client = cencal.client(&cencal.world().processor).await;
    for (weak, rule) in [
        ("Prtl12#", "TOO_SHORT"),
        ("vqzportal123#", "NO_UPPERCASE"),
        ("VQZPORTAL123#", "NO_LOWERCASE"),
        ("VqzPortal###", "NO_DIGIT"),
        ("VqzPortal123", "NO_SPECIAL"),
    ] {
        let refused = change(&client, weak).await;
        assert_eq!(refused.refused(), "PASSWORD_POLICY", "{weak}");
        assert_eq!(refused.refusal()["details"], json!([rule]), "{weak}");
    }
    change(&client, "Portal123#").await.done();
    cencal.finish().await;

    let medi_cal = Portal::medi_cal().await;
    let client = medi_cal.client(&medi_cal.world().processor).await;
    let refused = change(&client, "Portal123#").await;
    assert_eq!(refused.refused(), "PASSWORD_POLICY");
    assert_eq!(refused.refusal()["details"], json!(["TOO_SHORT"]));
    medi_cal.finish().await;
}
