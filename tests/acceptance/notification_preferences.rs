//! Which notices are mailed: the portal's default, a person's choice, and what nobody can switch off
//! (MC-64 to MC-66, GN-19).

use rollcall_domain::{
    policies::Preset,
    users::user::{User, UserCommand, UserEvent},
    values::PhoneNumber,
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, Portal, World};

const PREFERENCE: &str = "notificationPreference { type email frequency source adminOnly }";

async fn set(client: &Client, kind: &str, email: bool, frequency: &str) -> Answer {
    let input = json!({ "type": kind, "email": email, "frequency": frequency });
    client.mutate("setNotificationPreference", input, PREFERENCE).await
}

/// What holds for a person, by type.
async fn preference(client: &Client, kind: &str) -> Value {
    let query = "{ notificationPreferences { type email frequency source adminOnly security } }";
    let answer = client.send(query, json!({})).await;
    let all = answer.data()["notificationPreferences"].as_array().expect("a list").clone();
    assert_eq!(all.len(), 11, "every type");
    all.into_iter().find(|shown| shown["type"] == kind).expect("every type is shown")
}

async fn assign(admin: &Client, world: &World, who: &Person, role: &str) {
    let input = json!({
        "organizationId": world.clinic.id, "userId": who.user, "role": role,
    });
    admin.mutate("assignOrgRole", input, "user { orgRole }").await.done();
}

/// How many messages of this subject went to a person.
async fn mailed(portal: &Portal, who: &Person, subject: &str) -> usize {
    let mail = portal.mailbox(&who.email).await;
    mail.iter().filter(|message| message["subject"] == subject).count()
}

/// Type and sentence of a person's notices, newest first.
async fn notices(client: &Client) -> Vec<(String, String)> {
    let answer =
        client.send("{ notifications(first: 50) { nodes { type text } } }", json!({})).await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| (text(&node["type"]), text(&node["text"]))).collect()
}

#[tokio::test]
async fn mc_64_every_type_shows_what_holds_and_where_it_comes_from_in_every_preset() {
    for (slug, preset, email) in [
        ("medi-cal", Preset::MediCal, false),
        ("cencal", Preset::Cencal, true),
        ("alliance", Preset::Alliance, true),
        ("carecentrix", Preset::Carecentrix, true),
        ("hardened", Preset::Hardened, false),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let client = portal.client(&portal.world().processor).await;
        let frequency = if email { "IMMEDIATE" } else { "OFF" };
        assert_eq!(
            preference(&client, "PERMISSION_CHANGE").await,
            json!({
                "type": "PERMISSION_CHANGE", "email": email, "frequency": frequency,
                "source": "POLICY", "adminOnly": false, "security": false,
            }),
            "{slug}"
        );
        let security = preference(&client, "ACCOUNT_SECURITY").await;
        assert_eq!(
            (&security["email"], &security["frequency"], &security["source"]),
            (&json!(true), &json!("IMMEDIATE"), &json!("SECURITY"))
        );
        assert_eq!(preference(&client, "USER_ACTIVITY").await["adminOnly"], true);
        assert_eq!(preference(&client, "AFFILIATION_DECISION").await["source"], "TYPE");
        let visitor = portal.visitor(slug);
        let asked = visitor.send("{ notificationPreferences { type } }", json!({})).await;
        assert_eq!(asked.error_code(), "UNAUTHENTICATED");
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_64_without_notices_in_the_portal_the_mail_still_follows() {
    let portal = Portal::seeded("carecentrix", Preset::Carecentrix).await;
    let world = portal.world().clone();
    let subject = "A notice from carecentrix portal";
    let before = mailed(&portal, &world.newcomer, subject).await;
    let admin = portal.client(&world.clinic_admin).await;
    assign(&admin, &world, &world.newcomer, "PROCESSOR").await;
    assert_eq!(mailed(&portal, &world.newcomer, subject).await, before + 1);
    assert_eq!(notices(&portal.client(&world.newcomer).await).await, []);
    portal.finish().await;
}

#[tokio::test]
async fn mc_65_a_frequency_is_chosen_per_type_and_only_one_of_the_list() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let client = portal.client(&world.processor).await;
    for (frequency, email) in
        [("DAILY", true), ("WEEKLY", true), ("IMMEDIATE", true), ("OFF", false)]
    {
        let done = set(&client, "PERMISSION_CHANGE", email, frequency).await;
        assert_eq!(
            done.done()["notificationPreference"],
            json!({
                "type": "PERMISSION_CHANGE", "email": email, "frequency": frequency,
                "source": "OWN", "adminOnly": false,
            })
        );
    }
    set(&client, "PERMISSION_CHANGE", false, "OFF").await.done();
    let events = portal.events::<User>(world.processor.user).await;
    let is_choice =
        |event: &&UserEvent| matches!(event, UserEvent::NotificationPreferenceChanged { .. });
    assert_eq!(events.iter().filter(is_choice).count(), 4, "the same again is no event");
    assert_eq!(preference(&client, "SYSTEM_ALERT").await["source"], "POLICY", "others stay");
    let other = portal.client(&world.npi_admin).await;
    assert_eq!(preference(&other, "PERMISSION_CHANGE").await["source"], "POLICY");

    let hourly = set(&client, "PERMISSION_CHANGE", true, "HOURLY").await;
    assert_eq!(
        (hourly.refused(), &hourly.refusal()["field"]),
        ("FREQUENCY_UNKNOWN", &json!(["frequency"]))
    );
    let weather = set(&client, "WEATHER", true, "DAILY").await;
    assert_eq!(
        (weather.refused(), &weather.refusal()["field"]),
        ("TYPE_UNKNOWN", &json!(["type"]))
    );
    portal.finish().await;
}

#[tokio::test]
async fn mc_66_administrators_are_told_who_was_invited_joined_left_returned_or_has_other_rights() {
    let portal = Portal::medi_cal().await;
    portal.publish_agreements().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let other = portal.client(&world.clinic_second_admin).await;
    portal.settle().await;
    let before = notices(&other).await.len();
    let about = |more: Value| {
        let mut input = json!({
            "organizationId": world.clinic.id, "userId": world.processor.user,
        });
        for (field, value) in more.as_object().expect("an object") {
            input[field] = value.clone();
        }
        input
    };
    let user = "user { id }";
    assign(&admin, &world, &world.processor, "PROCESSOR").await;
    let all = about(json!({ "level": "PROCESSOR" }));
    admin.mutate("quickAssignNpis", all, user).await.done();
    let leave = about(json!({ "confirm": true, "reason": "left" }));
    admin.mutate("deactivateUser", leave, user).await.done();
    admin.mutate("reactivateUser", about(json!({ "confirm": true })), user).await.done();
    let invite = json!({
        "organizationId": world.clinic.id, "firstName": "Ines", "lastName": "Vega",
        "email": "ines@vega.example", "mobile": "+12025550188",
    });
    admin.mutate("inviteUser", invite, "invitation { id }").await.done();
    portal.settle().await;
    let found = notices(&other).await;
    let told: Vec<&str> = found[..found.len() - before]
        .iter()
        .map(|(kind, text)| {
            assert_eq!(kind, "USER_ACTIVITY");
            text.as_str()
        })
        .collect();
    assert_eq!(
        told,
        [
            "A user was invited to Redwood Clinic.",
            "Paul Kim was reactivated in Redwood Clinic.",
            "Paul Kim was deactivated in Redwood Clinic.",
            "The permissions of Paul Kim in Redwood Clinic were changed.",
            "The role of Paul Kim in Redwood Clinic was changed.",
        ]
    );
    for stranger in [&world.npi_admin, &world.hospital_admin] {
        let found = notices(&portal.client(stranger).await).await;
        assert!(found.iter().all(|(_, text)| !text.contains("Paul Kim")), "{found:?}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_66_only_administrators_choose_mail_about_users() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    for person in [&world.npi_admin, &world.processor, &world.plan_admin] {
        let client = portal.client(person).await;
        let refused = set(&client, "USER_ACTIVITY", true, "IMMEDIATE").await;
        assert_eq!(
            (refused.refused(), &refused.refusal()["field"]),
            ("NOT_ORG_ADMIN", &json!(["type"]))
        );
    }
    let admin = portal.client(&world.clinic_admin).await;
    let second = portal.client(&world.clinic_second_admin).await;
    set(&second, "USER_ACTIVITY", true, "IMMEDIATE").await.done();
    let subject = "A notice from medi-cal portal";
    let before = mailed(&portal, &world.clinic_second_admin, subject).await;
    assign(&admin, &world, &world.processor, "PROCESSOR").await;
    assert_eq!(mailed(&portal, &world.clinic_second_admin, subject).await, before + 1);
    assert_eq!(mailed(&portal, &world.clinic_admin, subject).await, 0, "who did not choose it");
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_mail_about_the_security_of_an_account_cannot_be_switched_off_or_put_off() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let client = portal.client(&world.processor).await;
    for (kind, email, frequency) in [
        ("ACCOUNT_SECURITY", false, "IMMEDIATE"),
        ("ACCOUNT_SECURITY", true, "OFF"),
        ("ACCOUNT_SECURITY", true, "WEEKLY"),
        ("PIN_RESET", true, "DAILY"),
    ] {
        let refused = set(&client, kind, email, frequency).await;
        assert_eq!(refused.refused(), "FIELD_INVALID");
        let message = refused.refusal()["message"].as_str().expect("a sentence");
        assert!(message.contains("cannot be switched off"), "{message}");
    }
    let mobile = PhoneNumber::parse("+12025550177").expect("a valid number");
    portal.decide::<User>(world.processor.user, UserCommand::ChangePhone { mobile }).await;
    let changed = "Your telephone number was changed";
    assert_eq!(mailed(&portal, &world.processor, changed).await, 1);
    portal.finish().await;
}

#[tokio::test]
async fn mc_58_mail_of_the_decision_is_declined_by_choice_only() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().biller_admin).await;
    let shown = preference(&client, "AFFILIATION_DECISION").await;
    assert_eq!((&shown["email"], &shown["source"]), (&json!(true), &json!("TYPE")));
    set(&client, "AFFILIATION_DECISION", false, "OFF").await.done();
    let shown = preference(&client, "AFFILIATION_DECISION").await;
    assert_eq!((&shown["email"], &shown["source"]), (&json!(false), &json!("OWN")));
    portal.finish().await;
}
