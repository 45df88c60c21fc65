//! Limits in the weeks in which the clocks change: days are the portal's own and go by its calendar,
//! durations go by the hour (section 5, "Clock tests").

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    policies::Preset,
    users::credential::{Credential, CredentialEvent},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, GOOD_PASSWORD, Portal};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// Invites Ines into the clinic: the invitation's id, its link's token and when it ends.
async fn invite(portal: &Portal) -> (String, String, Value) {
    let admin = portal.client(&portal.world().clinic_admin).await;
    let input = json!({
        "organizationId": portal.world().clinic.id, "email": "ines@vega.example",
        "firstName": "Ines", "lastName": "Vega", "mobile": "+12025550177",
    });
    let answer = admin.mutate("inviteUser", input, "invitation { id expiresAt }").await;
    let invitation = answer.done()["invitation"].clone();
    let id = invitation["id"].as_str().expect("an id").to_owned();
    let token = portal.invitation_token(&id).await;
    (id, token, invitation["expiresAt"].clone())
}

async fn open(portal: &Portal, token: &str) -> Answer {
    let document = "query($token: String!) { invitation(token: $token) { status } }";
    portal.anybody().send(document, json!({ "token": token })).await
}

fn reason(answer: &Answer) -> &str {
    answer.body["errors"][0]["extensions"]["reason"].as_str().unwrap_or("none")
}

/// Resets the PIN of the clinic's first NPI at a moment.
async fn reset_pin(portal: &Portal, moment: &str) -> Answer {
    portal.clock.set(time(moment));
    let client = portal.client(&portal.world().npi_admin).await;
    let (of, npi) = (portal.world().clinic.id, &portal.world().clinic.npis[0]);
    let input = json!({ "organizationId": of, "npi": npi });
    client.mutate("resetPin", input, "pin { nextResetAt }").await
}

#[tokio::test]
async fn mc_53_a_pin_is_reset_once_a_local_day_also_when_that_has_23_or_25_hours() {
    // By California's clocks: 23:59 on the day before, 00:01 on the day that they change, later on
    // that day, its 23:59, and the midnight that ends it.
    let spring = [
        "2026-03-08T07:59:00Z",
        "2026-03-08T08:01:00Z",
        "2026-03-08T10:00:00Z",
        "2026-03-09T06:59:00Z",
        "2026-03-09T07:00:00Z",
    ];
    let autumn = [
        "2026-11-01T06:59:00Z",
        "2026-11-01T07:01:00Z",
        "2026-11-01T09:30:00Z",
        "2026-11-02T07:59:00Z",
        "2026-11-02T08:00:00Z",
    ];
    for [late, early, later, last, midnight] in [spring, autumn] {
        let portal = Portal::medi_cal().await;
        reset_pin(&portal, late).await.done();
        let done = reset_pin(&portal, early).await;
        assert_eq!(done.done()["pin"]["nextResetAt"], midnight, "{early}");
        for moment in [later, last] {
            let refused = reset_pin(&portal, moment).await;
            assert_eq!(refused.refused(), "PIN_RESET_LIMIT", "{moment}");
            assert_eq!(refused.refusal()["retryAt"], midnight, "{moment}");
        }
        let second_before = (time(midnight) - TimeDelta::seconds(1)).to_rfc3339();
        assert_eq!(reset_pin(&portal, &second_before).await.refused(), "PIN_RESET_LIMIT");
        reset_pin(&portal, midnight).await.done();
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_16_a_link_works_seven_times_24_hours_whatever_the_clocks_do_meanwhile() {
    // Ten in the morning becomes eleven, or nine.
    for (sent, ends) in [
        ("2026-03-05T18:00:00Z", "2026-03-12T18:00:00Z"),
        ("2026-10-29T17:00:00Z", "2026-11-05T17:00:00Z"),
    ] {
        let portal = Portal::medi_cal().await;
        portal.publish_agreements().await;
        portal.clock.set(time(sent));
        let (_, token, expires_at) = invite(&portal).await;
        assert_eq!(time(expires_at.as_str().expect("a time")), time(ends));
        portal.clock.set(time(ends) - TimeDelta::seconds(1));
        assert_eq!(open(&portal, &token).await.data()["invitation"]["status"], "SENT");
        portal.clock.set(time(ends));
        assert_eq!(reason(&open(&portal, &token).await), "LINK_EXPIRED");
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_21_the_link_to_the_first_password_works_thirty_minutes_over_the_hour_that_changes() {
    // A quarter to two: a quarter past three by the clocks in spring, a quarter past one in autumn.
    for (sent, ends) in [
        ("2026-03-08T09:45:00Z", "2026-03-08T10:15:00Z"),
        ("2026-11-01T08:45:00Z", "2026-11-01T09:15:00Z"),
    ] {
        let portal = Portal::medi_cal().await;
        portal.publish_agreements().await;
        portal.clock.set(time(sent));
        let (id, token, _) = invite(&portal).await;
        portal.follow_invitation(&token).await.done();
        let user = portal.invited_user(&id).await;
        let link = portal.setup_token(user).await;
        let credential = portal.world().tenant.credential_stream(user);
        let events = portal.events::<Credential>(credential).await;
        let [CredentialEvent::PasswordSetupLinkSent { expires_at, .. }] = events.as_slice() else {
            panic!("one link: {events:?}");
        };
        assert_eq!(*expires_at, time(ends));
        portal.clock.set(time(ends) - TimeDelta::minutes(5));
        let challenge = portal.passcode_for_password(&link).await;
        let set =
            async || portal.anybody().set_password(&link, GOOD_PASSWORD, Some(&challenge)).await;
        portal.clock.set(time(ends));
        assert_eq!(set().await.refused(), "LINK_EXPIRED");
        portal.clock.set(time(ends) - TimeDelta::seconds(1));
        set().await.done();
        portal.finish().await;
    }
}

#[tokio::test]
async fn cx_10_seventy_minutes_are_seventy_in_the_hour_that_changes() {
    // Half past one in New York, before the hour that is skipped and in the one that comes twice.
    for begun in ["2026-03-08T06:30:00Z", "2026-11-01T05:30:00Z"] {
        let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
        portal.clock.set(time(begun));
        let signed_in = async || portal.client(&portal.world().clinic_admin).await;
        let (kept, left): (Client, Client) = (signed_in().await, signed_in().await);
        portal.advance(Duration::from_secs(70 * 60 - 1));
        kept.session().await.data();
        portal.advance(Duration::from_secs(1));
        assert_eq!(reason(&left.session().await), "SESSION_EXPIRED", "{begun}");
        // What was done at 69:59 counts from there.
        portal.advance(Duration::from_secs(70 * 60 - 2));
        kept.session().await.data();
        portal.advance(Duration::from_secs(70 * 60));
        assert_eq!(reason(&kept.session().await), "SESSION_EXPIRED", "{begun}");
        portal.finish().await;
    }
}
