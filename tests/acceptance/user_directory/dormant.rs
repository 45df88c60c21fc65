//! Members who do not sign in any more (MC-32). Everybody has had a password since 13 December.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    organizations::{Authority, OrgRole, organization::RosterCommand},
    permissions::Cause,
    policies::{PolicyKey, PolicyValue, Preset},
};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{change, user};
use crate::support::{Company, Person, Portal};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);
const NEAR: &str = "A user of Redwood Clinic will be deactivated";
const OVER: &str = "A user of Redwood Clinic was deactivated";

async fn mailed(portal: &Portal, who: &Person, subject: &str) -> usize {
    let mail = portal.mailbox(&who.email).await;
    mail.iter().filter(|message| message["subject"] == subject).count()
}

async fn status(portal: &Portal, of: &Company, who: &Person) -> String {
    portal.settle().await;
    let support = portal.client(&portal.world().plan_support).await;
    let document = "query($id: ID!, $of: ID!) { user(id: $id, organizationId: $of) { status } }";
    let answer = support.send(document, json!({ "id": who.user, "of": of.id })).await;
    answer.data()["user"]["status"].as_str().expect("a status").to_owned()
}

async fn clinic_status(portal: &Portal, who: &Person) -> String {
    status(portal, &portal.world().clinic, who).await
}

/// Moves the clock to a moment, with what is due before it carried out.
async fn until(portal: &Portal, moment: DateTime<Utc>) {
    portal.clock.set(moment);
    portal.settle().await;
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// Signs everybody of the clinic in but one.
async fn all_but(portal: &Portal, absent: &Person) {
    let world = portal.world();
    for who in [
        &world.clinic_admin,
        &world.clinic_second_admin,
        &world.npi_admin,
        &world.processor,
        &world.newcomer,
    ] {
        if who.user != absent.user {
            portal.client(who).await;
        }
    }
}

#[tokio::test]
async fn mc_32_who_does_not_sign_in_is_warned_and_deactivated_to_the_second() {
    // At nine in California, as they began; the clocks went forward on 8 March.
    let (june, march) = (
        ("2026-06-04T16:00:00Z", "2026-06-11T16:00:00Z"),
        ("2026-03-06T17:00:00Z", "2026-03-13T16:00:00Z"),
    );
    for (slug, preset, (near_at, end), days) in [
        ("medi-cal", Preset::MediCal, june, 180),
        ("cencal", Preset::Cencal, june, 180),
        ("hardened", Preset::Hardened, march, 90),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        // Nobody reviews anything here; where that suspends the organisation, nobody is dormant in it.
        let escalate = PolicyValue::Text("ESCALATE".to_owned());
        portal.change_policy(PolicyKey::ReviewOverdueAction, escalate).await;
        let world = portal.world();
        let (nora, ann) = (&world.npi_admin, &world.clinic_admin);
        all_but(&portal, nora).await;
        let end = moment(end);
        until(&portal, moment(near_at) - SECOND).await;
        let (near, over) = (mailed(&portal, ann, NEAR).await, mailed(&portal, ann, OVER).await);
        let soon = format!("Your access to {slug} portal ends soon");
        assert_eq!(mailed(&portal, nora, &soon).await, 0, "{slug}");
        portal.advance(SECOND);
        assert_eq!(mailed(&portal, nora, &soon).await, 1, "{slug}");
        for admin in [ann, &world.clinic_second_admin] {
            assert_eq!(mailed(&portal, admin, NEAR).await, near + 1, "{slug}");
        }
        let admin = portal.client(ann).await;
        let notices = admin.send("{ notifications(first: 5) { nodes { text } } }", json!({})).await;
        let text = "Nora Diaz has not signed in and will be deactivated in Redwood Clinic soon.";
        let notices = notices.data()["notifications"]["nodes"].as_array().expect("nodes").clone();
        // At CenCal an old password is told of on the same day.
        let told = notices.iter().filter(|notice| notice["text"] == text).count();
        assert_eq!(told, 1, "{slug}: {notices:?}");

        until(&portal, end - SECOND).await;
        assert_eq!(clinic_status(&portal, nora).await, "ACTIVE", "{slug}");
        portal.advance(SECOND);
        assert_eq!(clinic_status(&portal, nora).await, "DEACTIVATED", "{slug}");
        assert_eq!(mailed(&portal, ann, OVER).await, over + 1, "{slug}");
        let ended = mailed(&portal, nora, &format!("Your access to {slug} portal has ended")).await;
        assert_eq!(ended, 1, "{slug}");
        for other in [ann, &world.clinic_second_admin, &world.processor] {
            assert_eq!(clinic_status(&portal, other).await, "ACTIVE", "{slug}");
        }
        let admin = portal.client(ann).await;
        let told = user(&admin, world, nora, "history { fact actorKind }").await;
        let newest = json!({ "fact": "AUTO_DEACTIVATED", "actorKind": "SYSTEM" });
        assert_eq!(told.data()["user"]["history"][0], newest);
        let auditor = portal.client(&world.auditor).await;
        let query = "query($user: ID!) { auditEvents(first: 1, filter: { subject: $user, types: [
            \"organizations.organization.user_auto_deactivated\"] }) { nodes { sentence } } }";
        let told = auditor.send(query, json!({ "user": nora.user })).await;
        let sentence = "Nora Diaz was deactivated at Redwood Clinic for not signing in.";
        assert_eq!(told.data()["auditEvents"]["nodes"][0]["sentence"], sentence);

        change(&admin, "reactivateUser", (world, nora), json!({ "confirm": true })).await.done();
        until(&portal, end + (days - 7) * DAY + DAY / 24).await;
        until(&portal, end + (days - 1) * DAY).await;
        assert_eq!(clinic_status(&portal, nora).await, "ACTIVE", "{slug}: the time begins anew");
        until(&portal, end + days * DAY + DAY / 24).await;
        assert_eq!(clinic_status(&portal, nora).await, "DEACTIVATED", "{slug}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_32_a_sign_in_moves_the_end_and_so_does_the_policy() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (nora, ann) = (&world.npi_admin, &world.clinic_admin);
    let soon = "Your access to medi-cal portal ends soon";
    until(&portal, moment("2026-06-10T16:00:00Z")).await;
    assert_eq!(mailed(&portal, nora, soon).await, 1);
    // The last day but one.
    all_but(&portal, &world.newcomer).await;
    until(&portal, moment("2026-06-11T16:00:00Z")).await;
    assert_eq!(clinic_status(&portal, nora).await, "ACTIVE");
    until(&portal, moment("2026-09-18T16:00:00Z")).await;
    assert_eq!(mailed(&portal, nora, soon).await, 1);

    // A hundred days after the sign-in the policy turns to sixty: people are told before.
    portal.client(ann).await;
    let days = PolicyValue::Integer(60);
    portal.change_policy(PolicyKey::DormantDeactivateDays, days).await;
    assert_eq!(mailed(&portal, nora, soon).await, 2);
    until(&portal, moment("2026-09-25T15:59:59Z")).await;
    assert_eq!(clinic_status(&portal, nora).await, "ACTIVE");
    portal.advance(SECOND);
    assert_eq!(clinic_status(&portal, nora).await, "DEACTIVATED");
    assert_eq!(clinic_status(&portal, ann).await, "ACTIVE");

    let never = PolicyValue::Off;
    portal.change_policy(PolicyKey::DormantDeactivateDays, never).await;
    portal.advance(DAY * 400);
    assert_eq!(clinic_status(&portal, ann).await, "ACTIVE");
    portal.finish().await;
}

#[tokio::test]
async fn mc_32_who_joined_before_sign_ins_were_watched_is_watched_from_then_on() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let mut database = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let mut rows = async |change: &str| -> Vec<(String, String, Option<String>)> {
        sqlx::raw_sql(change).execute(&mut database).await.expect("a change");
        let watched = "SELECT stream_id::text, detail, organization_id::text FROM ops.due_times
                        WHERE kind = 'DORMANT' ORDER BY 1, 2";
        sqlx::query_as(watched).fetch_all(&mut database).await.expect("rows")
    };
    let before = rows("").await;
    assert_eq!(rows("DELETE FROM ops.due_times WHERE kind = 'DORMANT'").await, []);
    let migration = include_str!("../../../migrations/1702_due_times_of_dormant_members.sql");
    assert_eq!(rows(migration).await, before);
    until(&portal, moment("2026-07-01T16:00:00Z")).await;
    let soon = "Your access to medi-cal portal ends soon";
    assert_eq!(mailed(&portal, &world.npi_admin, soon).await, 1);
    portal.finish().await;
}

#[tokio::test]
async fn mc_32_the_last_administrator_and_the_plans_own_people_stay_however_long_away() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (hana, hospital) = (&world.hospital_admin, &world.hospital);
    until(&portal, moment("2027-06-01T16:00:00Z")).await;
    assert_eq!(status(&portal, hospital, hana).await, "ACTIVE");
    assert_eq!(mailed(&portal, hana, "Your access to medi-cal portal ends soon").await, 0);
    // Of two administrators who are both away one stays; both were told of late, so a week later.
    portal.advance(DAY * 7);
    let statuses = [
        clinic_status(&portal, &world.clinic_admin).await,
        clinic_status(&portal, &world.clinic_second_admin).await,
    ];
    assert_eq!(statuses.iter().filter(|status| *status == "ACTIVE").count(), 1, "{statuses:?}");
    let pia = portal.client(&world.plan_admin).await;
    pia.send("{ planStaff { nodes { id } } }", json!({})).await.data();

    // With a second administrator beside her she is not the last any more.
    let (user, role, authority) = (world.plan_support.user, OrgRole::Admin, Authority::Plan);
    let email_domain = "portal.example".to_owned();
    let attach = RosterCommand::AttachUser { user, email_domain, role: OrgRole::None };
    portal.roster(hospital, attach).await;
    let cause = Cause::Plan;
    portal.roster(hospital, RosterCommand::AssignOrgRole { user, role, cause, authority }).await;
    portal.advance(DAY * 2);
    assert_eq!(mailed(&portal, hana, "Your access to medi-cal portal ends soon").await, 1);
    portal.advance(DAY * 7);
    assert_eq!(status(&portal, hospital, hana).await, "DEACTIVATED");
    portal.finish().await;
}
