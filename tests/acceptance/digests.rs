//! Digests and quiet hours: when mail goes out that need not go out at once (MC-65, GN-19).

use rollcall_domain::{
    kernel::ids::OrganizationId,
    notifications::{Inbox, InboxEvent},
    policies::{PolicyKey, PolicyValue},
    users::user::{User, UserCommand},
    values::PhoneNumber,
};
use serde_json::json;

use crate::support::{Person, Portal};

/// Moves the clock and lets everything that is due happen.
async fn set_clock(portal: &Portal, instant: &str) {
    portal.clock.set(instant.parse().expect("a time"));
    portal.settle().await;
}

/// The person chooses how changes of their permissions are mailed.
async fn choose(portal: &Portal, who: &Person, email: bool, frequency: &str) {
    let client = portal.client(who).await;
    let input = json!({ "type": "PERMISSION_CHANGE", "email": email, "frequency": frequency });
    let shown = "notificationPreference { type }";
    client.mutate("setNotificationPreference", input, shown).await.done();
    portal.settle().await;
}

/// An administrator gives a member of the clinic another role, which raises a notice to them.
async fn assign(portal: &Portal, who: &Person, role: &str) {
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let of: OrganizationId = world.clinic.id;
    let input = json!({ "organizationId": of, "userId": who.user, "role": role });
    admin.mutate("assignOrgRole", input, "user { orgRole }").await.done();
    portal.settle().await;
}

/// The digests a person was sent, oldest first: subject and text.
async fn digests(portal: &Portal, who: &Person) -> Vec<(String, String)> {
    let mail = portal.mailbox(&who.email).await;
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    mail.iter()
        .map(|message| (text(&message["subject"]), text(&message["text"])))
        .filter(|(subject, _)| subject.contains("notice") && subject.contains(" from "))
        .collect()
}

#[tokio::test]
async fn mc_65_a_daily_digest_at_eight_tells_of_the_notices_since_the_one_before() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    choose(&portal, &who, true, "DAILY").await;
    assign(&portal, &who, "PROCESSOR").await;
    assign(&portal, &who, "NONE").await;
    set_clock(&portal, "2026-01-13T15:59:59Z").await;
    assert_eq!(digests(&portal, &who).await, []);
    set_clock(&portal, "2026-01-13T16:00:00Z").await;
    let sent = digests(&portal, &who).await;
    let [(subject, text)] = &sent[..] else { panic!("one digest: {sent:?}") };
    assert_eq!(subject, "2 notices from medi-cal portal");
    assert_eq!(text.matches("- your permissions (Redwood Clinic)").count(), 2, "{text}");
    for npi in &portal.world().clinic.npis {
        assert!(!text.contains(npi), "{text}");
    }

    set_clock(&portal, "2026-01-14T17:00:00Z").await;
    assert_eq!(digests(&portal, &who).await.len(), 1, "without notices there is none");
    assign(&portal, &who, "PROCESSOR").await;
    set_clock(&portal, "2026-01-15T16:00:00Z").await;
    let sent = digests(&portal, &who).await;
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].0, "1 notice from medi-cal portal");
    let events = portal.events::<Inbox>(portal.world().tenant.inbox_stream(who.user)).await;
    let counts: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            InboxEvent::DigestSent { notifications, .. } => Some(notifications.len()),
            InboxEvent::NotificationRead { .. } => None,
        })
        .collect();
    assert_eq!(counts, [2, 1]);
    portal.finish().await;
}

#[tokio::test]
async fn mc_65_digests_keep_their_local_hour_in_the_week_the_clocks_change() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    // Saturday at nine in California; the clocks change in the night to Sunday.
    set_clock(&portal, "2026-03-07T17:00:00Z").await;
    choose(&portal, &world.npi_admin, true, "DAILY").await;
    choose(&portal, &world.processor, true, "WEEKLY").await;
    for who in [&world.npi_admin, &world.processor] {
        assign(&portal, who, "PROCESSOR").await;
    }
    for (instant, daily, weekly) in [
        ("2026-03-08T14:59:59Z", 0, 0),
        ("2026-03-08T15:00:00Z", 1, 0),
        ("2026-03-09T14:59:59Z", 1, 0),
        ("2026-03-09T15:00:00Z", 1, 1),
    ] {
        set_clock(&portal, instant).await;
        let sent = (
            digests(&portal, &world.npi_admin).await.len(),
            digests(&portal, &world.processor).await.len(),
        );
        assert_eq!(sent, (daily, weekly), "{instant}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_65_a_choice_made_meanwhile_counts_for_the_notices_that_wait() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    for who in [&world.npi_admin, &world.processor] {
        choose(&portal, who, true, "DAILY").await;
        assign(&portal, who, "PROCESSOR").await;
    }
    choose(&portal, &world.npi_admin, false, "OFF").await;
    choose(&portal, &world.processor, true, "WEEKLY").await;
    set_clock(&portal, "2026-01-18T17:00:00Z").await;
    assert_eq!(digests(&portal, &world.npi_admin).await, []);
    assert_eq!(digests(&portal, &world.processor).await, []);
    set_clock(&portal, "2026-01-19T16:00:00Z").await;
    assert_eq!(digests(&portal, &world.npi_admin).await, []);
    assert_eq!(digests(&portal, &world.processor).await.len(), 1, "on Monday");
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_quiet_hours_hold_mail_back_until_their_end_but_not_security_mail() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    choose(&portal, &who, true, "IMMEDIATE").await;
    for (key, time) in
        [(PolicyKey::NotifyQuietFrom, "21:00"), (PolicyKey::NotifyQuietUntil, "07:00")]
    {
        portal.change_policy(key, PolicyValue::Text(time.to_owned())).await;
    }
    let subject = "A notice from medi-cal portal";
    let noticed = async || {
        let mail = portal.mailbox(&who.email).await;
        mail.iter().filter(|message| message["subject"] == subject).count()
    };
    // Ten in the evening in California.
    set_clock(&portal, "2026-01-13T06:00:00Z").await;
    assign(&portal, &who, "PROCESSOR").await;
    let mobile = PhoneNumber::parse("+12025550177").expect("a valid number");
    portal.decide::<User>(who.user, UserCommand::ChangePhone { mobile }).await;
    let mail = portal.mailbox(&who.email).await;
    Portal::newest(&mail, "Your telephone number was changed");
    assert_eq!(noticed().await, 0);
    set_clock(&portal, "2026-01-13T14:59:59Z").await;
    assert_eq!(noticed().await, 0);
    set_clock(&portal, "2026-01-13T15:00:00Z").await;
    assert_eq!(noticed().await, 1);
    assign(&portal, &who, "NONE").await;
    assert_eq!(noticed().await, 2, "by day at once");
    portal.finish().await;
}
