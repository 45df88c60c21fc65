//! Operators, portals and the health plan's people (GN-01, GN-31).

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_commands::tenants::bootstrap;
use rollcall_domain::{
    Decider,
    kernel::ids::{TenantId, UserId},
    policies::Preset,
    tenants::{PlanStaff, PlanStaffEvent},
    users::invitation::{Invitation, InvitationEvent},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Portal, uuid_of};

const LONG_PASSWORD: &str = "seven quiet herons cross the bay";

fn first_operator(link: &str, password: &str) -> Value {
    json!({
        "token": link.rsplit('/').next(),
        "email": "olga@operations.example",
        "firstName": "Olga",
        "lastName": "Petrov",
        "mobile": "+12025550101",
        "password": password,
    })
}

fn person(name: &str) -> Value {
    json!({
        "email": format!("{}@plan.example", name.to_lowercase()),
        "firstName": name,
        "lastName": "Stone",
        "mobile": "+12025550102",
    })
}

fn new_tenant(slug: &str) -> Value {
    json!({
        "slug": slug,
        "name": "Golden State Plan",
        "preset": "MEDI_CAL",
        "administrators": [person("Pia"), person("Pat")],
    })
}

/// Somebody's session, shown to the seeded portal.
fn with_session_of(portal: &Portal, client: &Client) -> Client {
    let token = client.token.as_deref().expect("a signed-in client");
    portal.visitor(&portal.world().slug).with_token(token)
}

const TENANT: &str = "tenant { id slug name preset state }";

#[tokio::test]
async fn gn_31_the_first_operator_registers_by_the_printed_link_once() {
    let portal = Portal::empty().await;
    let commands = &portal.service.commands;
    let link = bootstrap(commands, "https://portal.test").await.unwrap().expect("nobody is there");
    assert!(link.starts_with("https://portal.test/first-operator/"));
    assert_eq!(bootstrap(commands, "https://portal.test").await.unwrap(), Some(link.clone()));

    let visitor = portal.visitor("operations");
    let register = |input| visitor.mutate("registerFirstOperator", input, "userId");
    let wrong = first_operator("https://portal.test/first-operator/guessed", LONG_PASSWORD);
    assert_eq!(register(wrong).await.refused(), "TOKEN_INVALID");
    // The hardened preset asks for fifteen characters where there is no second factor.
    let weak = register(first_operator(&link, "fourteen chars")).await;
    assert_eq!(weak.refused(), "PASSWORD_POLICY");

    let done = register(first_operator(&link, LONG_PASSWORD)).await;
    assert!(done.done()["userId"].is_string());
    let again = register(first_operator(&link, LONG_PASSWORD)).await;
    assert_eq!(again.refused(), "TOKEN_USED");
    assert_eq!(bootstrap(commands, "https://portal.test").await.unwrap(), None);
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_an_operator_opens_a_portal_with_rules_texts_and_administrators() {
    let portal = Portal::empty().await;
    let operator = portal.operator().await;
    let created = operator.mutate("createTenant", new_tenant("golden-state"), TENANT).await;
    let tenant = &created.done()["tenant"];
    assert_eq!(tenant["slug"], "golden-state");
    assert_eq!(tenant["state"], "ACTIVE");

    let taken = operator.mutate("createTenant", new_tenant("golden-state"), TENANT).await;
    assert_eq!(taken.refused(), "SLUG_TAKEN");
    let reserved = operator.mutate("createTenant", new_tenant("operations"), TENANT).await;
    assert_eq!(reserved.refused(), "SLUG_TAKEN");
    let mut alone = new_tenant("alone");
    alone["administrators"] = json!([person("Pia")]);
    assert_eq!(
        operator.mutate("createTenant", alone, TENANT).await.refused(),
        "FIELD_REQUIRED",
        "a portal never hangs on one person"
    );
    let mut twice = new_tenant("twice");
    twice["administrators"] = json!([person("Pia"), person("Pia")]);
    assert_eq!(operator.mutate("createTenant", twice, TENANT).await.refused(), "EMAIL_TAKEN");

    let visitor = portal.visitor("golden-state");
    let facts = visitor
        .send(
            "{ portal { name timeZone passwordRules { minLength specialSet } otpEnabled } }",
            json!({}),
        )
        .await;
    let facts = &facts.data()["portal"];
    assert_eq!(facts["name"], "Golden State Plan");
    assert_eq!(facts["passwordRules"], json!({ "minLength": 15, "specialSet": "!$#%" }));

    let journal = &portal.service.commands.journal;
    let id = TenantId::of_slug("golden-state");
    let mut invited = 0;
    for stream in journal.streams_of(id, Invitation::TYPE).await.unwrap() {
        let events = journal.events::<Invitation>(id, stream).await.unwrap();
        let [InvitationEvent::UserInvited { organization: None, expires_at, .. }] = &events[..]
        else {
            panic!("an invitation of plan staff: {events:?}");
        };
        assert_eq!(*expires_at, journal.now() + TimeDelta::days(7));
        invited += 1;
    }
    assert_eq!(invited, 2);
    assert_eq!(journal.streams_of(id, PlanStaff::TYPE).await.unwrap().len(), 2);
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_operators_stop_and_end_portals_and_see_nothing_inside() {
    let portal = Portal::medi_cal().await;
    let operator = portal.operator().await;
    let id = portal.world().tenant.to_string();
    let admin = portal.client(&portal.world().plan_admin).await;
    let staff = "{ planStaff { nodes { userId } } }";

    let inside = with_session_of(&portal, &operator);
    assert_eq!(inside.send(staff, json!({})).await.error_code(), "UNAUTHENTICATED");
    let organizations = "{ organizations { nodes { id } } }";
    assert_eq!(operator.send(organizations, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(
        admin.send("{ tenants { nodes { id } } }", json!({})).await.error_code(),
        "FORBIDDEN"
    );

    let stop = |reason: &str| json!({ "tenantId": id, "reason": reason });
    let refused = admin.mutate("suspendTenant", stop("Not mine to stop."), TENANT).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let suspended = operator.mutate("suspendTenant", stop("An incident."), TENANT).await;
    assert_eq!(suspended.done()["tenant"]["state"], "SUSPENDED");
    let again = operator.mutate("suspendTenant", stop("An incident."), TENANT).await;
    assert_eq!(again.refused(), "ALREADY_INACTIVE");
    let shut = admin.send(staff, json!({})).await;
    assert_eq!(shut.body["errors"][0]["extensions"]["reason"], "TENANT_INACTIVE");
    let command = json!({ "key": "invite.days", "value": 3, "reason": "Shorter." });
    assert_eq!(
        admin.mutate("changePolicy", command, "policy { version }").await.refused(),
        "TENANT_INACTIVE"
    );

    let resumed = operator.mutate("resumeTenant", json!({ "tenantId": id }), TENANT).await;
    assert_eq!(resumed.done()["tenant"]["state"], "ACTIVE");
    assert!(!admin.send(staff, json!({})).await.data()["planStaff"]["nodes"].is_null());
    let running = operator.mutate("resumeTenant", json!({ "tenantId": id }), TENANT).await;
    assert_eq!(running.refused(), "NOT_INACTIVE");

    let closed = operator.mutate("closeTenant", stop("The contract ended."), TENANT).await;
    assert_eq!(closed.done()["tenant"]["state"], "CLOSED");
    let dead = operator.mutate("resumeTenant", json!({ "tenantId": id }), TENANT).await;
    assert_eq!(dead.refused(), "TENANT_INACTIVE");
    let operations = TenantId::OPERATIONS.to_string();
    let itself = json!({ "tenantId": operations, "reason": "Lock everybody out." });
    assert_eq!(operator.mutate("closeTenant", itself, TENANT).await.refused(), "NOT_FOUND");
    portal.finish().await;
}

const STAFF: &str = "planStaff { userId email roles { role inForce } invitedRoles }";

fn invitation(roles: &[&str]) -> Value {
    let mut input = person("Quinn");
    input["roles"] = json!(roles);
    input["reason"] = json!("Joins the quality team.");
    input
}

#[tokio::test]
async fn gn_31_plan_staff_are_invited_by_administrators_only() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let answer = admin.mutate("invitePlanStaff", invitation(&["QI", "CE"]), STAFF).await;
    let staff = &answer.done()["planStaff"];
    assert_eq!(staff["invitedRoles"], json!(["QI", "CE"]), "in the order of roles");
    assert_eq!(staff["roles"], json!([]), "nothing is held before the invitation is completed");
    assert_eq!(staff["email"], "quinn@plan.example");
    let user = uuid_of(staff["userId"].as_str().unwrap());
    let stream = portal.world().tenant.plan_staff_stream(user.into());
    let events = portal.events::<PlanStaff>(stream).await;
    assert!(matches!(&events[..], [PlanStaffEvent::PlanStaffInvited { .. }]), "{events:?}");

    for who in [&portal.world().plan_support, &portal.world().clinic_admin] {
        let client = portal.client(who).await;
        let refused = client.mutate("invitePlanStaff", invitation(&["PA"]), STAFF).await;
        assert_eq!(refused.refused(), "FORBIDDEN");
    }
    let none = admin.mutate("invitePlanStaff", invitation(&[]), STAFF).await;
    assert_eq!(none.refused(), "FIELD_REQUIRED");
    let operator = admin.mutate("invitePlanStaff", invitation(&["OPERATOR"]), STAFF).await;
    assert_eq!(operator.refused(), "ROLE_UNKNOWN");
    let mut past = invitation(&["PS"]);
    past["until"] = json!("2026-01-12T17:00:00Z");
    assert_eq!(admin.mutate("invitePlanStaff", past, STAFF).await.refused(), "RANGE_INVALID");
    portal.finish().await;
}

async fn assign(client: &Client, input: Value) -> Answer {
    client.mutate("assignPlanRole", input, STAFF).await
}

const STAFF_ROLES: &str =
    "{ planStaff(first: 100) { nodes { userId roles { role inForce until } } } }";

/// The role of plan support that has an end.
fn cover(in_force: bool) -> Value {
    json!({ "role": "PA", "inForce": in_force, "until": "2026-01-12T18:00:00Z" })
}

fn lasting() -> Value {
    json!({ "role": "PS", "inForce": true, "until": null })
}

/// What plan support holds or will hold, once everything that is due has been done.
async fn plan_roles(portal: &Portal) -> Value {
    portal.settle().await;
    let world = portal.world();
    let list = portal.client(&world.plan_admin).await.send(STAFF_ROLES, json!({})).await;
    let nodes = list.data()["planStaff"]["nodes"].as_array().expect("a list");
    let of = |node: &&Value| {
        uuid_of(node["userId"].as_str().expect("an id")) == world.plan_support.user.0
    };
    nodes.iter().find(of).expect("plan support is listed")["roles"].clone()
}

#[tokio::test]
async fn gn_31_a_time_boxed_role_ends_at_its_second() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.plan_admin).await;
    let give = |user: &str, role: &str| {
        json!({
            "userId": user, "role": role, "reason": "Holiday cover.",
            "from": "2026-01-12T17:30:00Z", "until": "2026-01-12T18:00:00Z",
        })
    };
    let support = world.plan_support.user.to_string();
    assert_eq!(
        assign(&admin, give(&world.plan_admin.user.to_string(), "QI")).await.refused(),
        "SELF_GRANT"
    );
    assert_eq!(assign(&admin, give(&support, "PS")).await.refused(), "ALREADY_ASSIGNED");
    let nobody = uuid::Uuid::new_v4().to_string();
    assert_eq!(assign(&admin, give(&nobody, "PS")).await.refused(), "NOT_FOUND");
    assign(&admin, give(&support, "PA")).await.done();

    let (almost, second) = (Duration::from_secs(30 * 60 - 1), Duration::from_secs(1));
    let read = async || portal.client(&world.plan_support).await.send(STAFF_ROLES, json!({})).await;
    portal.advance(almost);
    assert_eq!(read().await.error_code(), "FORBIDDEN");
    assert_eq!(plan_roles(&portal).await, json!([cover(false), lasting()]));
    portal.advance(second);
    read().await.data();
    assert_eq!(plan_roles(&portal).await, json!([cover(true), lasting()]));
    portal.advance(almost);
    read().await.data();
    assert_eq!(plan_roles(&portal).await, json!([cover(true), lasting()]));
    portal.advance(second);
    // At once, whether or not its end was written down; then it is, and the role is held no more.
    assert_eq!(read().await.error_code(), "FORBIDDEN");
    assert_eq!(plan_roles(&portal).await, json!([lasting()]));
    let ends = "{ auditEvents(filter: { types: [\"tenants.plan_staff.plan_role_ended\"] }) {
      nodes { effectiveAt } } }";
    let ends = portal.client(&world.auditor).await.send(ends, json!({})).await;
    let told = json!([{ "effectiveAt": "2026-01-12T18:00:00Z" }]);
    assert_eq!(ends.data()["auditEvents"]["nodes"], told);
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_two_administrators_remain() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.plan_admin).await;
    let end = |user: &UserId, role: &str| json!({ "userId": user.to_string(), "role": role, "reason": "Leaves the team." });
    let other = &world.second_plan_admin.user;
    let refused = admin.mutate("endPlanRole", end(other, "PA"), STAFF).await;
    assert_eq!(refused.refused(), "LAST_ADMIN");
    let not_held = admin.mutate("endPlanRole", end(other, "QI"), STAFF).await;
    assert_eq!(not_held.refused(), "NOT_FOUND");

    let support = world.plan_support.user;
    let promote =
        json!({ "userId": support.to_string(), "role": "PA", "reason": "Takes over from Pat." });
    assign(&admin, promote).await.done();
    let ended = admin.mutate("endPlanRole", end(other, "PA"), STAFF).await;
    assert_eq!(ended.done()["planStaff"]["roles"], json!([]));
    let gone = portal.client(&world.second_plan_admin).await;
    assert_eq!(
        gone.send("{ planStaff { nodes { userId } } }", json!({})).await.error_code(),
        "FORBIDDEN"
    );
    let stream = world.tenant.plan_staff_stream(*other);
    let last = portal.events::<PlanStaff>(stream).await.pop();
    assert!(matches!(last, Some(PlanStaffEvent::PlanRoleEnded { .. })), "{last:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_01_another_portals_ids_and_sessions_lead_nowhere() {
    let portal = Portal::medi_cal().await;
    let other = portal.another_tenant("other-plan", Preset::Cencal).await;
    let stranger = portal.client_in(&other, Preset::Cencal, &other.plan_admin).await;
    let clinic = portal.world().clinic.id.to_string();
    let one = stranger
        .send("query($id: ID!) { organization(id: $id) { name } }", json!({ "id": clinic }))
        .await;
    assert_eq!(one.data()["organization"], Value::Null);
    let npis = "query($id: ID!) { npis(organizationId: $id) { nodes { npi } } }";
    let listed = stranger.send(npis, json!({ "id": clinic })).await;
    assert_eq!(listed.data()["npis"]["nodes"], json!([]));
    let member = portal.client_in(&other, Preset::Cencal, &other.clinic_admin).await;
    assert_eq!(member.send(npis, json!({ "id": clinic })).await.error_code(), "NOT_FOUND");

    // The same organisations and people exist there under ids of their own.
    let all = "{ organizations { nodes { id } } planStaff { nodes { userId } }
                 registrationTokens { nodes { id } } }";
    let admin = portal.client(&portal.world().plan_admin).await;
    let here = admin.send(all, json!({})).await.data().clone();
    let there = stranger.send(all, json!({})).await.data().clone();
    for list in ["organizations", "planStaff"] {
        let ids = |answer: &Value| -> Vec<Value> {
            answer[list]["nodes"].as_array().expect("a list").clone()
        };
        assert!(!ids(&here).is_empty());
        assert!(ids(&here).iter().all(|id| !ids(&there).contains(id)), "{list}");
    }
    let crossed = with_session_of(&portal, &stranger);
    assert_eq!(crossed.send(all, json!({})).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}
