//! Reports about people: accounts, administrators, who is not there any more.

use rollcall_domain::{
    organizations::{Authority, organization::RosterCommand},
    permissions::NpiLevel,
    policies::{PolicyKey, PolicyValue},
    users::user::{User, UserCommand},
};
use serde_json::json;

use super::{DAY, HOUR, column, deactivate, of, report, set_level};
use crate::support::Portal;

#[tokio::test]
async fn gn_26_active_accounts_are_told_with_last_sign_in_and_last_use_as_of_the_day() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let member = portal.client(&world.npi_admin).await;
    let pin = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    member.mutate("revealPin", pin, "pin").await.done();
    portal.advance(2 * DAY);
    portal.settle().await;
    let told =
        report(&portal, &portal.client(&world.auditor).await, "ACTIVE_ACCOUNTS", json!({})).await;
    let row = of(&told, &world.npi_admin);
    assert_eq!(row["lastSignIn"], "2026-01-12T17:00:00.000000Z");
    assert_eq!(row["organizationId"], world.clinic.id.to_string());
    let rights = row["rights"].as_array().expect("rights").clone();
    let pins = rights.iter().find(|right| right["right"] == "MANAGE_PIN").expect("PINs");
    let used = json!({ "right": "MANAGE_PIN", "of": null, "held": 1, "lastUse": "USED_ON",
                       "on": "2026-01-12" });
    assert_eq!(*pins, used);
    let unused = rights.iter().find(|right| right["right"] == "VIEW_NPI").expect("the NPI");
    assert_eq!((&unused["lastUse"], &unused["on"]), (&json!("UNUSED_SINCE"), &json!("2025-12-13")));
    // Nobody had seen anything of it the day before.
    let before = json!({ "asOf": "2026-01-11T20:00:00Z" });
    let told =
        report(&portal, &portal.client(&world.auditor).await, "ACTIVE_ACCOUNTS", before).await;
    let row = of(&told, &world.npi_admin);
    assert_eq!(row["lastSignIn"], json!(null));
    let rights = row["rights"].as_array().expect("rights");
    let pins = rights.iter().find(|right| right["right"] == "MANAGE_PIN").expect("PINs");
    assert_eq!(pins["lastUse"], "UNUSED_SINCE");
    let plan = of(&told, &world.plan_admin);
    assert_eq!(plan["rights"][0]["of"], "PA");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_administrators_are_told_since_when_and_by_whom_as_of_any_day() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.advance(HOUR);
    let admin = portal.client(&world.clinic_admin).await;
    let input = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                        "role": "ADMIN" });
    admin.mutate("assignOrgRole", input, "user { id }").await.done();
    portal.advance(HOUR);
    let told =
        report(&portal, &portal.client(&world.auditor).await, "ADMINISTRATORS", json!({})).await;
    let row = of(&told, &world.processor);
    assert_eq!(row["role"], "ADMIN");
    assert_eq!(row["since"], "2026-01-12T18:00:00.000000Z");
    let by = (&row["byKind"], &row["byId"]);
    assert_eq!(by, (&json!("USER"), &json!(world.clinic_admin.user.to_string())));
    assert_eq!(of(&told, &world.auditor)["role"], "AU");
    let before = json!({ "asOf": "2026-01-12T17:59:59Z" });
    let told =
        report(&portal, &portal.client(&world.auditor).await, "ADMINISTRATORS", before).await;
    let people = column(&told, "userId");
    assert!(!people.contains(&json!(world.processor.user.to_string())), "not yet");
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_dormant_accounts_begin_at_their_second() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    portal.client(&world.npi_admin).await;
    let almost = 30 * DAY - std::time::Duration::from_secs(1);
    portal.advance(almost);
    let at = json!({ "days": 30 });
    let told = report(&portal, &portal.client(&world.auditor).await, "DORMANT", at.clone()).await;
    let people = column(&told, "userId");
    assert!(!people.contains(&json!(world.npi_admin.user.to_string())), "a second before");
    let quiet = of(&told, &world.processor);
    assert_eq!((&quiet["lastSignIn"], &quiet["quietDays"]), (&json!(null), &json!(59)));
    portal.advance(std::time::Duration::from_secs(1));
    let told = report(&portal, &portal.client(&world.auditor).await, "DORMANT", at).await;
    let quiet = of(&told, &world.npi_admin);
    assert_eq!(quiet["quietSince"], "2026-01-12T17:00:00.000000Z");
    assert_eq!(quiet["quietDays"], 30);
    let told =
        report(&portal, &portal.client(&world.auditor).await, "DORMANT", json!({ "days": 60 }))
            .await;
    assert!(!column(&told, "userId").contains(&json!(world.npi_admin.user.to_string())));
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_orphaned_accounts_are_told_with_why_nobody_answers_for_them() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    deactivate(&admin, &world.newcomer, None).await;
    let plan = portal.client(&world.plan_admin).await;
    let suspend = json!({ "organizationId": world.hospital.id, "reason": "Under investigation." });
    plan.mutate("suspendOrganization", suspend, "organization { id }").await.done();
    let told = report(&portal, &portal.client(&world.auditor).await, "ORPHANED", json!({})).await;
    assert_eq!(of(&told, &world.newcomer)["reason"], "NO_MEMBERSHIP");
    assert_eq!(of(&told, &world.hospital_admin)["reason"], "ORGANIZATION_NOT_ACTIVE");
    assert_eq!(told.rows.len(), 2, "{:?}", told.rows);
    for user in [world.clinic_admin.user, world.clinic_second_admin.user] {
        let (authority, left_on) = (Authority::Plan, None);
        let leave = RosterCommand::DeactivateUser {
            user,
            confirmed: true,
            reason: None,
            left_on,
            authority,
        };
        portal.roster(&world.clinic, leave).await;
    }
    portal.advance(HOUR);
    let told = report(&portal, &portal.client(&world.auditor).await, "ORPHANED", json!({})).await;
    for left in [&world.npi_admin, &world.processor] {
        assert_eq!(of(&told, left)["reason"], "ORGANIZATION_WITHOUT_ADMINISTRATOR");
    }
    let before = json!({ "asOf": "2026-01-12T16:59:59Z" });
    let told = report(&portal, &portal.client(&world.auditor).await, "ORPHANED", before).await;
    assert!(told.rows.is_empty(), "all was well: {:?}", told.rows);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_members_who_were_never_given_anything_stay_on_the_list_until_they_are() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let told =
        report(&portal, &portal.client(&world.auditor).await, "NEVER_ASSIGNED", json!({})).await;
    assert_eq!(column(&told, "userId"), [json!(world.newcomer.user.to_string())]);
    portal.advance(HOUR);
    let npi = &world.clinic.npis[0];
    set_level(&portal, &world.clinic_admin, &world.newcomer, npi, NpiLevel::Processor).await;
    portal.advance(HOUR);
    set_level(&portal, &world.clinic_admin, &world.newcomer, npi, NpiLevel::None).await;
    let told =
        report(&portal, &portal.client(&world.auditor).await, "NEVER_ASSIGNED", json!({})).await;
    assert!(told.rows.is_empty(), "what was given and taken was given: {:?}", told.rows);
    let before = json!({ "asOf": "2026-01-12T17:59:59Z" });
    let told =
        report(&portal, &portal.client(&world.auditor).await, "NEVER_ASSIGNED", before).await;
    assert_eq!(column(&told, "userId"), [json!(world.newcomer.user.to_string())]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_nobody_acts_where_the_portal_serves_only_others() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let end = json!({ "organizationId": world.clinic.id, "status": "TERMINATED" });
    support.mutate("setContractStatus", end, "position").await.done();
    portal.advance(DAY);
    let clinic = json!(world.clinic.id.to_string());
    let names = ["ACTIVE_ACCOUNTS", "ADMINISTRATORS", "DORMANT", "NEVER_ASSIGNED"];
    let told = async |name: &str| {
        let auditor = portal.client(&world.auditor).await;
        let parameters = if name == "DORMANT" { json!({ "days": 1 }) } else { json!({}) };
        let told = report(&portal, &auditor, name, parameters).await;
        column(&told, "organizationId").contains(&clinic)
    };
    for name in names {
        assert!(told(name).await, "{name}: a contract is not asked for");
    }
    portal.change_policy(PolicyKey::ContractedOnly, PolicyValue::Boolean(true)).await;
    for name in names {
        assert!(!told(name).await, "{name}: whoever cannot act has no active account");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_who_was_erased_is_no_orphan() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    deactivate(&admin, &world.processor, None).await;
    let told = report(&portal, &portal.client(&world.auditor).await, "ORPHANED", json!({})).await;
    assert_eq!(of(&told, &world.processor)["reason"], "NO_MEMBERSHIP");
    let before = portal.position().await;
    let user = world.processor.user;
    portal.decide::<User>(user, UserCommand::EraseUser { user }).await;
    let paul = json!(user.to_string());
    let told = report(&portal, &portal.client(&world.auditor).await, "ORPHANED", json!({})).await;
    assert!(!column(&told, "userId").contains(&paul), "{:?}", told.rows);
    let then = json!({ "asOfPosition": before.to_string() });
    let told = report(&portal, &portal.client(&world.auditor).await, "ORPHANED", then).await;
    assert!(column(&told, "userId").contains(&paul), "as was known before");
    let why = "query($user: ID!, $of: ID!) { accessExplanation(userId: $user, organizationId: $of,
        right: VIEW_ORGANIZATION) { conditions { kind met cause } } }";
    let auditor = portal.client(&world.auditor).await;
    let told = auditor.send(why, json!({ "user": user, "of": world.clinic.id })).await;
    let account = json!({ "kind": "ACCOUNT_ACTIVE", "met": false, "cause": "DEACTIVATION" });
    assert_eq!(told.data()["accessExplanation"]["conditions"][0], account);
    portal.finish().await;
}
