//! Contracts with the plan: a portal that serves only contracted providers (CC-01, GN-32).

use std::time::Duration;

use rollcall_domain::{
    kernel::ids::OrganizationId,
    organizations::{OrgRole, organization::RosterCommand},
    policies::{PolicyKey, PolicyValue, Preset},
    users::credential::{CredentialEvent, LoginFailureReason},
};
use serde_json::{Value, json};

use crate::{
    enrolment::{import, line},
    support::{Answer, Client, PASSWORD, Portal, uuid_of},
};

const PAGE: &str = "https://plan.example/contact";
const CONTRACT: &str = "organization { contractStatus contract { status } }";

/// Lets the portal serve only contracted providers and tell the others whom to ask.
async fn serve_only_contracted(portal: &Portal) {
    portal.change_policy(PolicyKey::ContractedOnly, PolicyValue::Boolean(true)).await;
    portal.change_policy(PolicyKey::ContactPage, PolicyValue::Text(PAGE.to_owned())).await;
}

/// The moment `seconds` from now.
fn in_seconds(portal: &Portal, seconds: i64) -> String {
    let now = portal.service.commands.journal.now();
    (now + chrono::TimeDelta::seconds(seconds)).to_rfc3339()
}

async fn set(by: &Client, organization: OrganizationId, status: &str, from: Value) -> Answer {
    let input = json!({ "organizationId": organization, "status": status, "from": from });
    by.mutate("setContractStatus", input, CONTRACT).await
}

#[track_caller]
fn assert_sent_to_the_contact_page(answer: &Answer) {
    assert_eq!(answer.refused(), "NOT_CONTRACTED");
    assert_eq!(answer.refusal()["details"], json!([PAGE]));
}

/// Whether the register has anybody for an organisation, now or then.
async fn has_access(by: &Client, organization: OrganizationId, as_of: Option<&str>) -> bool {
    let document = "query($of: ID!, $asOf: DateTime) {
        accessRegister(organizationId: $of, asOf: $asOf, first: 1) { nodes { right } } }";
    let answer = by.send(document, json!({ "of": organization, "asOf": as_of })).await;
    !answer.data()["accessRegister"]["nodes"].as_array().expect("rows").is_empty()
}

#[tokio::test]
async fn cc_01_people_sign_in_until_the_second_their_organizations_contract_ends() {
    let portal = Portal::medi_cal().await;
    serve_only_contracted(&portal).await;
    let world = portal.world();
    let (clinic, who) = (world.clinic.id, &world.processor);
    let (support, admin) =
        (portal.client(&world.plan_support).await, portal.client(&world.clinic_admin).await);
    let auditor = portal.client(&world.auditor).await;
    let still = in_seconds(&portal, 599);
    let end = json!(in_seconds(&portal, 600));
    let planned = set(&support, clinic, "TERMINATED", end).await;
    let shown = &planned.done()["organization"];
    assert_eq!(shown["contractStatus"], "CONTRACTED");
    assert_eq!(shown["contract"][1]["status"], "TERMINATED");

    let unlock = json!({ "organizationId": clinic, "userId": who.user });
    portal.advance(Duration::from_secs(599));
    portal.anybody().try_to_sign_in(&who.email, PASSWORD).await.done();
    let allowed = admin.mutate("unlockUser", unlock.clone(), "").await;
    assert_eq!(allowed.refused(), "NOT_LOCKED");
    assert!(has_access(&auditor, clinic, None).await);

    portal.advance(Duration::from_secs(1));
    let barred = portal.anybody().try_to_sign_in(&who.email, PASSWORD).await;
    assert_sent_to_the_contact_page(&barred);
    let wrong = portal.anybody().try_to_sign_in(&who.email, "Wrong-Horse-Battery-7!").await;
    assert_eq!(wrong.refused(), "CREDENTIALS_INVALID", "only who knows the password is told");
    let events = portal.credential_events(who.user).await;
    let reasons: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let CredentialEvent::LoginFailed { reason, .. } = event else { return None };
            Some(*reason)
        })
        .collect();
    assert_eq!(reasons, [LoginFailureReason::NotContracted, LoginFailureReason::Credentials]);
    assert_sent_to_the_contact_page(&admin.mutate("unlockUser", unlock, "").await);
    let document = "query($id: ID!) { organization(id: $id) { name contractStatus } }";
    let question = json!({ "id": clinic });
    let closed = admin.send(document, question.clone()).await;
    assert_eq!(closed.error_code(), "FORBIDDEN");
    assert_eq!(closed.body["errors"][0]["extensions"]["reason"], "NOT_CONTRACTED");
    let seen = support.send(document, question).await;
    assert_eq!(seen.data()["organization"]["contractStatus"], "TERMINATED");
    assert!(!has_access(&auditor, clinic, None).await, "the register says the same");
    assert!(has_access(&auditor, clinic, Some(&still)).await, "and what held before");

    set(&support, clinic, "CONTRACTED", Value::Null).await.done();
    portal.anybody().try_to_sign_in(&who.email, PASSWORD).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_01_other_memberships_go_on_and_a_portal_for_all_bars_nobody() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (clinic, who) = (world.clinic.id, &world.clinic_admin);
    let attach = RosterCommand::AttachUser {
        user: who.user,
        email_domain: "portal.example".to_owned(),
        role: OrgRole::Admin,
    };
    portal.roster(&world.hospital, attach).await;
    let support = portal.client(&world.plan_support).await;
    set(&support, clinic, "NOT_CONTRACTED", Value::Null).await.done();
    let both = portal.anybody().try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(both.done()["memberships"].as_array().map(Vec::len), Some(2));

    serve_only_contracted(&portal).await;
    let one = portal.anybody().try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(one.done()["session"]["organization"]["name"], "Bayview Hospital");
    assert_eq!(one.done()["memberships"].as_array().map(Vec::len), Some(1));
    let client = portal.anybody().with_token(one.done()["sessionToken"].as_str().unwrap());
    let back = json!({ "organizationId": clinic });
    assert_sent_to_the_contact_page(&client.mutate("switchOrganization", back, "").await);
    portal.finish().await;
}

#[tokio::test]
async fn cc_01_cencal_serves_only_contracted_providers_and_the_other_portals_all() {
    for (slug, preset, served) in [
        ("cencal", Preset::Cencal, false),
        ("medi-cal", Preset::MediCal, true),
        ("alliance", Preset::Alliance, true),
        ("carecentrix", Preset::Carecentrix, true),
        ("hardened", Preset::Hardened, true),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let support = portal.client(&world.plan_support).await;
        set(&support, world.clinic.id, "TERMINATED", Value::Null).await.done();
        let identifier = world.processor.username.as_ref().unwrap_or(&world.processor.email);
        let answer = portal.anybody().try_to_sign_in(identifier, PASSWORD).await;
        if served {
            answer.done();
        } else {
            assert_eq!(answer.refused(), "NOT_CONTRACTED", "{slug}");
        }
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_32_a_contract_status_in_the_file_bars_registration_until_the_file_says_otherwise() {
    let portal = Portal::medi_cal().await;
    let support = portal.client(&portal.world().plan_support).await;
    let first = import(&support, vec![line(json!({}))]).await;
    let id = OrganizationId(uuid_of(first[0]["organizationId"].as_str().expect("imported")));
    let token = portal.letter(id).await;
    serve_only_contracted(&portal).await;
    let start = async || {
        let input = json!({ "email": "rosa@sierra.example", "token": token });
        let visitor = portal.anybody();
        visitor.mutate("startOrganizationRegistration", input, "registration { id }").await
    };
    let file = |status: &str| vec![line(json!({ "contractStatus": status }))];
    assert_eq!(import(&support, file("TERMINATED")).await[0]["outcome"], "UPDATED");
    assert_sent_to_the_contact_page(&start().await);
    assert_eq!(import(&support, file("CONTRACTED")).await[0]["outcome"], "UPDATED");
    start().await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_01_only_plan_staff_say_how_a_contract_stands() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    for who in [&world.clinic_admin, &world.auditor] {
        let client = portal.client(who).await;
        let refused = set(&client, world.clinic.id, "TERMINATED", Value::Null).await;
        assert_eq!(refused.refused(), "FORBIDDEN");
    }
    let support = portal.client(&world.plan_support).await;
    let nobody = OrganizationId(uuid::Uuid::from_u128(7));
    assert_eq!(set(&support, nobody, "TERMINATED", Value::Null).await.refused(), "NOT_FOUND");
    let before = portal.position().await;
    set(&support, world.clinic.id, "CONTRACTED", Value::Null).await.done();
    assert_eq!(portal.position().await, before, "nothing new is no event");
    portal.finish().await;
}
