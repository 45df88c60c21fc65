//! Plan roles that count for some organisations only (GN-31).

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Person, Portal};

const STAFF: &str = "planStaff { roles { role organizationIds } }";

/// Keeps a plan role of somebody to these organisations; none: the whole plan again.
async fn scope(portal: &Portal, who: &Person, role: &str, to: &[&Company]) -> Answer {
    let admin = portal.client(&portal.world().plan_admin).await;
    let ids: Vec<String> = to.iter().map(|company| company.id.to_string()).collect();
    let input = json!({
        "userId": who.user, "role": role, "organizationIds": ids, "reason": "Serves these offices.",
    });
    admin.mutate("scopePlanRole", input, STAFF).await
}

async fn names(client: &Client, list: &str, name: &str) -> Vec<String> {
    let answer = client.send(&format!("{{ {list} {{ nodes {{ {name} }} }} }}"), json!({})).await;
    let field = list.split('(').next().expect("a field");
    let nodes = answer.data()[field]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|node| node.to_string().replace('"', "")).collect()
}

fn suspend(of: &Company) -> Value {
    json!({ "organizationId": of.id, "reason": "As the test needs it." })
}

async fn try_to(client: &Client, mutation: &str, input: Value) -> String {
    let answer = client.mutate(mutation, input, "position").await;
    let errors = &answer.body["data"][mutation]["userErrors"];
    errors[0]["code"].as_str().unwrap_or("DONE").to_owned()
}

#[tokio::test]
async fn gn_31_a_scoped_role_acts_for_its_organizations_and_no_others() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    assert_eq!(names(&support, "organizations", "name").await.len(), 3);
    let done = scope(&portal, &world.plan_support, "PS", &[&world.clinic]).await;
    let held = &done.done()["planStaff"]["roles"][0];
    assert_eq!(held["organizationIds"].as_array().map(Vec::len), Some(1), "{held}");
    // At once, in the session that is open.
    assert_eq!(names(&support, "organizations", "name").await, ["{name:Redwood Clinic}"]);
    let one = "query($id: ID!) { organization(id: $id) { name } }";
    let seen = support.send(one, json!({ "id": world.clinic.id })).await;
    assert_eq!(seen.data()["organization"]["name"], "Redwood Clinic");
    let hidden = support.send(one, json!({ "id": world.hospital.id })).await;
    assert_eq!(hidden.error_code(), "NOT_FOUND", "as for anybody without the right");
    let node = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let wide = portal.client(&world.plan_admin).await;
    let all = "{ organizations { nodes { id } } }";
    let ids = wide.send(all, json!({})).await.data()["organizations"]["nodes"].clone();
    let ids: Vec<&Value> = ids.as_array().expect("nodes").iter().map(|it| &it["id"]).collect();
    let found = support.send(node, json!({ "ids": ids })).await;
    let found = found.data()["nodes"].as_array().expect("nodes").clone();
    assert_eq!(found.iter().filter(|node| !node.is_null()).count(), 1, "{found:?}");

    let users = "query($of: ID!) { users(organizationId: $of) { totalCount } }";
    let own = support.send(users, json!({ "of": world.clinic.id })).await;
    assert_eq!(own.data()["users"]["totalCount"], 5);
    let other = support.send(users, json!({ "of": world.hospital.id })).await;
    assert_eq!(other.error_code(), "NOT_FOUND");

    // Commands: inside, outside, and what is no organisation's.
    assert_eq!(
        try_to(&support, "suspendOrganization", suspend(&world.hospital)).await,
        "FORBIDDEN"
    );
    let deactivate = |of: &Company, who: &Person| {
        json!({ "organizationId": of.id, "userId": who.user, "confirm": true, "reason": "Left.",
            "evidence": "A letter." })
    };
    let there = deactivate(&world.hospital, &world.hospital_admin);
    assert_eq!(try_to(&support, "deactivateUser", there).await, "NOT_FOUND");
    for (mutation, of, npi, answer) in [
        ("detachNpi", &world.hospital, &world.hospital.npis[0], "FORBIDDEN"),
        ("cancelNpiEnd", &world.hospital, &world.hospital.npis[0], "FORBIDDEN"),
        ("detachNpi", &world.clinic, &world.clinic.npis[0], "DONE"),
        ("cancelNpiEnd", &world.clinic, &world.clinic.npis[0], "DONE"),
    ] {
        let mut input = json!({ "organizationId": of.id, "npi": npi });
        if mutation == "detachNpi" {
            input["effectiveAt"] = json!("2026-02-01T00:00:00Z");
        }
        assert_eq!(try_to(&support, mutation, input).await, answer, "{mutation}");
    }
    let here = deactivate(&world.clinic, &world.processor);
    assert_eq!(try_to(&support, "deactivateUser", here).await, "DONE");
    assert_eq!(try_to(&support, "suspendOrganization", suspend(&world.clinic)).await, "DONE");
    let moved = json!({ "npi": world.clinic.npis[0], "organizationId": world.clinic.id,
        "toOrganizationId": world.hospital.id, "reason": "Sold." });
    assert_eq!(try_to(&support, "moveNpi", moved).await, "FORBIDDEN", "it takes both");
    let account = "query($id: ID!) { loginHistory(userId: $id) { nodes { at } } }";
    let account = support.send(account, json!({ "id": world.hospital_admin.user })).await;
    assert_eq!(account.error_code(), "FORBIDDEN", "an account is no organisation's");

    scope(&portal, &world.plan_support, "PS", &[]).await.done();
    assert_eq!(names(&support, "organizations", "name").await.len(), 3);
    assert_eq!(try_to(&support, "suspendOrganization", suspend(&world.hospital)).await, "DONE");
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_lists_of_the_plan_show_what_is_in_scope() {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    scope(&portal, &world.plan_support, "PS", &[&world.hospital]).await.done();
    for (who, of) in [(&world.processor, &world.clinic), (&world.hospital_admin, &world.hospital)] {
        let client = portal.client(who).await;
        let input = json!({
            "organizationId": of.id, "why": "For my work.",
            "items": [{ "missingTaxId": { "kind": "EIN", "last4": "4321" } }],
        });
        client.mutate("requestAccess", input, "position").await.done();
    }
    portal.settle().await;
    let support = portal.client(&world.plan_support).await;
    let queue = names(&support, "planQueue", "organization { name }").await;
    assert_eq!(queue, ["{organization:{name:Bayview Hospital}}"]);
    let admin = portal.client(&world.plan_admin).await;
    assert_eq!(names(&admin, "planQueue", "kind").await.len(), 2);
    let told = names(&support, "notifications", "text").await.join("\n");
    assert!(told.contains("in Bayview Hospital waits"), "{told}");
    assert!(!told.contains("in Redwood Clinic waits"), "nor is one told of others: {told}");
    portal.finish().await;
}

/// The organisations that the events a reader sees are about, with how many are about none.
async fn audited(client: &Client, portal: &Portal) -> (Vec<String>, usize) {
    let at = portal.position().await.to_string();
    let document = "query($at: Position) { auditEvents(first: 100, minPosition: $at) {
        nodes { organization { name } subjectOrganization { name } sentence } } }";
    let answer = client.send(document, json!({ "at": at })).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    let of = |node: &Value| {
        let named = [&node["organization"]["name"], &node["subjectOrganization"]["name"]];
        named.iter().find_map(|name| name.as_str()).map(str::to_owned)
    };
    let found: Vec<Option<String>> = nodes.iter().map(of).collect();
    let none = found.iter().filter(|name| name.is_none()).count();
    let mut names: Vec<String> = found.into_iter().flatten().collect();
    names.sort();
    names.dedup();
    (names, none)
}

#[tokio::test]
async fn gn_31_a_scoped_auditor_sees_the_events_of_their_organizations() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let auditor = portal.client(&world.auditor).await;
    let (all, plan) = audited(&auditor, &portal).await;
    assert!(all.len() == 3 && plan > 0, "{all:?} {plan}");
    scope(&portal, &world.auditor, "AU", &[&world.hospital]).await.done();
    let (own, without) = audited(&auditor, &portal).await;
    assert_eq!(own, ["Bayview Hospital"]);
    let mine = "{ auditEvents(first: 100) { nodes { sentence subject { id } } } }";
    let answer = auditor.send(mine, json!({})).await;
    let told = answer.data().to_string();
    assert!(
        told.contains("Pia Stone let Aya Nash's plan role Compliance auditor count for Bayview")
    );
    assert!(!told.contains("applied the policy preset"), "the plan's own affairs: {told}");
    assert!(without < plan, "of what is no organisation's only what concerns the auditor");
    for (organization, seen) in [(&world.hospital, true), (&world.clinic, false)] {
        let document = "query($of: ID!) { auditEvents(filter: { organization: $of }) {
            nodes { sentence } totalCount } }";
        let answer = auditor.send(document, json!({ "of": organization.id })).await;
        let total = answer.data()["auditEvents"]["totalCount"].as_i64().expect("a number");
        assert_eq!(total > 0, seen, "{}", answer.body);
    }
    // The register, too.
    let register = "{ accessRegister(first: 100) { nodes { organization { name } } totalCount } }";
    let answer = auditor.send(register, json!({})).await;
    let rows = answer.data()["accessRegister"]["nodes"].as_array().expect("rows").clone();
    assert!(!rows.is_empty());
    assert!(rows.iter().all(|row| row["organization"]["name"] == "Bayview Hospital"), "{rows:?}");
    assert_eq!(answer.data()["accessRegister"]["totalCount"], rows.len());
    let other = "query($of: ID!) { accessRegister(organizationId: $of) { nodes { level } } }";
    let other = auditor.send(other, json!({ "of": world.clinic.id })).await;
    assert_eq!(other.data()["accessRegister"]["nodes"], json!([]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_the_register_shows_the_scope_and_since_when() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let before = portal.position().await;
    scope(&portal, &world.plan_support, "PS", &[&world.clinic, &world.hospital]).await.done();
    let both = portal.position().await;
    scope(&portal, &world.plan_support, "PS", &[&world.hospital]).await.done();
    let auditor = portal.client(&world.auditor).await;
    let rows = async |arguments: &str| {
        let document = format!(
            "query($user: ID!) {{ accessRegister(userId: $user, right: PLAN_ROLE {arguments}) {{
                nodes {{ level organization {{ name }} validTo }} }} }}"
        );
        let answer = auditor.send(&document, json!({ "user": world.plan_support.user })).await;
        let nodes = answer.data()["accessRegister"]["nodes"].as_array().expect("rows").clone();
        let line = |row: &Value| {
            let organization = row["organization"]["name"].as_str().unwrap_or("the whole plan");
            format!("{} {organization}", row["level"].as_str().expect("a role"))
        };
        let mut lines: Vec<String> = nodes.iter().map(line).collect();
        lines.sort();
        lines
    };
    let at = portal.position().await;
    let now = format!(", minPosition: \"{at}\"");
    assert_eq!(rows(&now).await, ["PS Bayview Hospital"]);
    assert_eq!(rows(&format!(", asOfPosition: \"{before}\"")).await, ["PS the whole plan"]);
    let then = rows(&format!(", asOfPosition: \"{both}\"")).await;
    assert_eq!(then, ["PS Bayview Hospital", "PS Redwood Clinic"]);
    // Who could see the hospital's people: its own and the plan's who are kept to it.
    let document = "query($of: ID!) { accessRegister(organizationId: $of, right: PLAN_ROLE) {
        nodes { user { name } } } }";
    let answer = auditor.send(document, json!({ "of": world.hospital.id })).await;
    let expected = json!([{ "user": { "name": "Sam Hill" } }]);
    assert_eq!(answer.data()["accessRegister"]["nodes"], expected);
    let admin = portal.client(&world.plan_admin).await;
    let end = json!({ "userId": world.plan_support.user, "role": "PS", "reason": "Leaves." });
    admin.mutate("endPlanRole", end, "position").await.done();
    let at = portal.position().await;
    assert!(rows(&format!(", minPosition: \"{at}\"")).await.is_empty());
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_roles_are_scoped_when_somebody_is_invited_and_by_administrators_of_the_whole_plan() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.plan_admin).await;
    let invite = |organization: &str| {
        json!({ "email": "quinn@plan.example", "firstName": "Quinn", "lastName": "Reed",
            "mobile": "+12025550171", "roles": ["PS"], "organizationIds": [organization],
            "reason": "Serves the clinic." })
    };
    let shown = "planStaff { invitedRoles invitedOrganizationIds }";
    let nowhere = invite(&uuid::Uuid::new_v4().to_string());
    let refused = admin.mutate("invitePlanStaff", nowhere, shown).await;
    assert_eq!(refused.refused(), "NOT_FOUND");
    let clinic = invite(&world.clinic.id.to_string());
    let invited = admin.mutate("invitePlanStaff", clinic, shown).await;
    let staff = &invited.done()["planStaff"];
    assert_eq!(staff["invitedOrganizationIds"].as_array().map(Vec::len), Some(1), "{staff}");
    assert_eq!(staff["invitedRoles"], json!(["PS"]));
    let assign = json!({ "userId": world.plan_support.user, "role": "QI", "reason": "Reports.",
        "organizationIds": [world.hospital.id] });
    let assigned = admin.mutate("assignPlanRole", assign, STAFF).await;
    let roles = assigned.done()["planStaff"]["roles"].clone();
    let of = |role: &str| {
        let roles = roles.as_array().expect("roles");
        let held = roles.iter().find(|held| held["role"] == role).expect("held");
        held["organizationIds"].as_array().expect("ids").len()
    };
    assert_eq!((of("PS"), of("QI")), (0, 1));

    // Nobody scopes themself, and two administrators of the whole plan remain.
    let own = scope(&portal, &world.plan_admin, "PA", &[&world.clinic]).await;
    assert_eq!(own.refused(), "SELF_GRANT");
    let last = scope(&portal, &world.second_plan_admin, "PA", &[&world.clinic]).await;
    assert_eq!(last.refused(), "LAST_ADMIN");
    let not_held = scope(&portal, &world.plan_support, "AU", &[&world.clinic]).await;
    assert_eq!(not_held.refused(), "NOT_FOUND");
    let promote = json!({ "userId": world.auditor.user, "role": "PA", "reason": "Takes over." });
    admin.mutate("assignPlanRole", promote, "position").await.done();
    scope(&portal, &world.second_plan_admin, "PA", &[&world.clinic]).await.done();
    let narrow = portal.client(&world.second_plan_admin).await;
    let invite = invite(&world.clinic.id.to_string());
    assert_eq!(try_to(&narrow, "invitePlanStaff", invite).await, "FORBIDDEN");
    let policy = json!({ "key": "invite.days", "value": 3, "reason": "Shorter." });
    assert_eq!(try_to(&narrow, "changePolicy", policy).await, "FORBIDDEN");
    let issue = |of: &Company| json!({ "organizationId": of.id });
    let elsewhere = try_to(&narrow, "issueRegistrationToken", issue(&world.hospital)).await;
    assert_eq!(elsewhere, "FORBIDDEN");
    let here = try_to(&narrow, "issueRegistrationToken", issue(&world.clinic)).await;
    assert_ne!(here, "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn gn_31_a_scoped_role_changes_no_account_that_counts_outside_its_scope() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let (clinic, hospital) = (&world.clinic, &world.hospital);
    scope(&portal, &world.plan_support, "PS", &[clinic]).await.done();
    let support = portal.client(&world.plan_support).await;
    let bring = async |by: &Client, who: &Person, to: &Company| {
        let input =
            json!({ "organizationId": to.id, "userId": who.user, "reason": "Was missing." });
        by.mutate("attachUserToOrganization", input, "position").await.done();
    };
    let wide = portal.client(&world.plan_admin).await;
    bring(&wide, &world.processor, hospital).await;
    // To bring somebody in is not to answer for them.
    bring(&support, &world.hospital_admin, clinic).await;
    bring(&support, &world.second_plan_admin, clinic).await;
    let about = |who: &Person, more: Value| {
        let mut input = json!({ "organizationId": clinic.id, "userId": who.user });
        input.as_object_mut().unwrap().extend(more.as_object().expect("fields").clone());
        input
    };
    let reasoned = |field: &str, value: &str| json!({ field: value, "reason": "As they asked." });
    for who in [&world.processor, &world.hospital_admin, &world.second_plan_admin] {
        for (mutation, more) in [
            ("correctUserDetails", reasoned("mobile", "+12025550199")),
            ("correctUserDetails", reasoned("email", "mine@elsewhere.example")),
            ("changeUserEmail", reasoned("email", "mine@elsewhere.example")),
            ("adminResetPassword", json!({})),
            ("unlockUser", json!({})),
        ] {
            let code = try_to(&support, mutation, about(who, more)).await;
            assert_eq!(code, "FORBIDDEN", "{mutation} {}", who.email);
        }
    }
    let own = about(&world.newcomer, reasoned("mobile", "+12025550199"));
    assert_eq!(try_to(&support, "correctUserDetails", own).await, "DONE");
    let own = about(&world.newcomer, json!({}));
    assert_eq!(try_to(&support, "unlockUser", own.clone()).await, "NOT_LOCKED");
    assert_eq!(try_to(&support, "adminResetPassword", own).await, "DONE");

    // Whoever answers for both offices, or for the whole plan, does.
    scope(&portal, &world.plan_support, "PS", &[clinic, hospital]).await.done();
    let both = about(&world.processor, reasoned("lastName", "Kimm"));
    assert_eq!(try_to(&support, "correctUserDetails", both).await, "DONE");
    let staff = about(&world.second_plan_admin, reasoned("lastName", "Moor"));
    assert_eq!(try_to(&support, "correctUserDetails", staff.clone()).await, "FORBIDDEN");
    scope(&portal, &world.plan_support, "PS", &[]).await.done();
    assert_eq!(try_to(&support, "correctUserDetails", staff).await, "DONE");
    portal.finish().await;
}
