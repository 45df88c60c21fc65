//! Members whom nobody gives a permission (MC-32). The newcomer joined the day before tests begin.

use std::time::Duration;

use rollcall_domain::policies::{PolicyKey, PolicyValue, Preset};
use serde_json::json;

use super::{change, user};
use crate::support::{Client, Person, Portal};

const DAY: u64 = 24 * 60 * 60;
const NEAR: &str = "A user of Redwood Clinic will be deactivated";
const OVER: &str = "A user of Redwood Clinic was deactivated";

async fn mailed(portal: &Portal, who: &Person, subject: &str) -> usize {
    let mail = portal.mailbox(&who.email).await;
    mail.iter().filter(|message| message["subject"] == subject).count()
}

async fn status(portal: &Portal, who: &Person) -> String {
    portal.settle().await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let answer = user(&support, world, who, "status").await;
    answer.data()["user"]["status"].as_str().expect("a status").to_owned()
}

/// First names of those at risk.
async fn at_risk(client: &Client, portal: &Portal) -> Vec<String> {
    let document = "query($id: ID!, $risk: Boolean) {
        users(organizationId: $id, atRisk: $risk) { totalCount nodes { firstName } } }";
    let variables = json!({ "id": portal.world().clinic.id, "risk": true });
    let answer = client.send(document, variables).await;
    let nodes = answer.data()["users"]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|node| node["firstName"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn mc_32_who_never_gets_a_permission_is_warned_of_and_deactivated_to_the_second() {
    for (slug, preset) in [("medi-cal", Preset::MediCal), ("hardened", Preset::Hardened)] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let (nell, ann) = (&world.newcomer, &world.clinic_admin);
        portal.advance(Duration::from_secs(22 * DAY - 1));
        assert_eq!(mailed(&portal, ann, NEAR).await, 0, "{slug}");
        assert_eq!(at_risk(&portal.client(ann).await, &portal).await, [""; 0]);

        portal.advance(Duration::from_secs(1));
        for admin in [ann, &world.clinic_second_admin] {
            assert_eq!(mailed(&portal, admin, NEAR).await, 1, "{slug}");
        }
        let admin = portal.client(ann).await;
        assert_eq!(at_risk(&admin, &portal).await, ["Nell"]);
        let notices = admin.send("{ notifications(first: 1) { nodes { text } } }", json!({})).await;
        let text = "Nell Ortiz has no permissions in Redwood Clinic and will be deactivated soon.";
        assert_eq!(notices.data()["notifications"]["nodes"][0]["text"], text);

        portal.advance(Duration::from_secs(7 * DAY - 1));
        assert_eq!(status(&portal, nell).await, "ACTIVE", "{slug}");
        let session = portal.client(nell).await;
        user(&session, world, nell, "id").await.data();
        portal.advance(Duration::from_secs(1));
        assert_eq!(status(&portal, nell).await, "DEACTIVATED", "{slug}");
        assert_eq!(user(&session, world, nell, "id").await.error_code(), "UNAUTHENTICATED");
        assert_eq!(mailed(&portal, ann, OVER).await, 1, "{slug}");
        let ended = mailed(&portal, nell, &format!("Your access to {slug} portal has ended")).await;
        assert_eq!(ended, 1, "{slug}");
        let admin = portal.client(ann).await;
        let told = user(&admin, world, nell, "statusLabel history { fact actorKind }").await;
        assert_eq!(told.data()["user"]["statusLabel"], "Deactivated User");
        let newest = json!({ "fact": "AUTO_DEACTIVATED", "actorKind": "SYSTEM" });
        assert_eq!(told.data()["user"]["history"][0], newest);

        change(&admin, "reactivateUser", (world, nell), json!({ "confirm": true })).await.done();
        portal.advance(Duration::from_secs(29 * DAY));
        assert_eq!(status(&portal, nell).await, "ACTIVE", "{slug}: the time begins anew");
        portal.advance(Duration::from_secs(DAY));
        assert_eq!(status(&portal, nell).await, "DEACTIVATED", "{slug}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_32_a_permission_or_role_once_given_ends_the_wait() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    for level in ["PROCESSOR", "NONE"] {
        let permissions = json!([{ "npi": world.clinic.npis[0], "level": level }]);
        let fields = json!({ "permissions": permissions });
        change(&admin, "setNpiPermissions", (world, &world.newcomer), fields).await.done();
    }
    portal.advance(Duration::from_secs(40 * DAY));
    assert_eq!(status(&portal, &world.newcomer).await, "ACTIVE");
    assert_eq!(status(&portal, &world.clinic_second_admin).await, "ACTIVE");
    assert_eq!(mailed(&portal, &world.clinic_admin, NEAR).await, 0);
    portal.finish().await;
}

#[tokio::test]
async fn mc_32_where_the_policy_sets_no_time_nobody_is_deactivated_until_it_does() {
    for (slug, preset) in [
        ("cencal", Preset::Cencal),
        ("alliance", Preset::Alliance),
        ("carecentrix", Preset::Carecentrix),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let nell = &portal.world().newcomer;
        portal.advance(Duration::from_secs(50 * DAY));
        assert_eq!(status(&portal, nell).await, "ACTIVE", "{slug}");
        let month = PolicyValue::Integer(30);
        portal.change_policy(PolicyKey::UnassignedDeactivateDays, month).await;
        assert_eq!(status(&portal, nell).await, "DEACTIVATED", "{slug}");
        portal.finish().await;
    }
}
