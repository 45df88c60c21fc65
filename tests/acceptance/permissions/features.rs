//! Features and job roles of people (CC-08, CC-09, CC-10, CC-14, GN-13).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use super::{change, effective::rights};
use crate::support::{Answer, Client, Person, Portal, World};

async fn grant(client: &Client, about: (&World, &Person), feature: &str) -> Answer {
    let fields = json!({ "feature": feature });
    change(client, "grantFeature", about, fields).await
}

/// The features of a person, each with its source.
async fn features(client: &Client, world: &World, who: &Person) -> Vec<String> {
    let all = rights(client, world, who).await;
    all.iter().filter_map(|right| right.strip_prefix("USE_FEATURE ")).map(str::to_owned).collect()
}

async fn define(client: &Client, world: &World, fields: Value) -> Answer {
    let mut input = json!({ "organizationId": world.clinic.id });
    let (Value::Object(all), Value::Object(fields)) = (&mut input, fields) else {
        panic!("fields are an object");
    };
    all.extend(fields);
    client.mutate("defineJobRole", input, "jobRole { id name features version }").await
}

async fn cencal() -> Portal {
    Portal::seeded("cencal", Preset::Cencal).await
}

#[tokio::test]
async fn cc_08_features_are_granted_person_by_person() {
    let portal = cencal().await;
    let world = portal.world();
    let (admin, paul) = (portal.client(&world.clinic_admin).await, &world.processor);
    grant(&admin, (world, paul), "EOP_REPORTS").await.done();
    grant(&admin, (world, paul), "ELIGIBILITY").await.done();
    let own = portal.client(paul).await;
    assert_eq!(features(&own, world, paul).await, ["ELIGIBILITY DIRECT", "EOP_REPORTS DIRECT"]);
    let matrix = "query($of: ID!) { featureMatrix(organizationId: $of) {
        nodes { user { firstName } features { feature until } jobRoles { jobRole { name } } } } }";
    let answer = admin.send(matrix, json!({ "of": world.clinic.id })).await;
    let expected = json!([{
        "user": { "firstName": "Paul" },
        "features": [
            { "feature": "ELIGIBILITY", "until": null }, { "feature": "EOP_REPORTS", "until": null },
        ],
        "jobRoles": [],
    }]);
    assert_eq!(answer.data()["featureMatrix"]["nodes"], expected);
    change(&admin, "revokeFeature", (world, paul), json!({ "feature": "ELIGIBILITY" }))
        .await
        .done();
    assert_eq!(features(&own, world, paul).await, ["EOP_REPORTS DIRECT"]);
    assert_eq!(grant(&own, (world, paul), "CLAIMS").await.refused(), "NOT_ORG_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn cc_08_only_features_that_are_on_and_granted_can_be_given() {
    let portal = cencal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.processor);
    assert_eq!(grant(&admin, about, "REFERRALS").await.refused(), "FEATURE_DISABLED");
    assert_eq!(grant(&admin, about, "ACCESS_REQUESTS").await.refused(), "FIELD_INVALID");
    let plan = portal.client(&world.plan_admin).await;
    let soon = json!({
        "feature": "CLAIMS", "state": "COMING_SOON", "message": "In May.", "reason": "As planned.",
    });
    grant(&admin, about, "CLAIMS").await.done();
    assert_eq!(features(&admin, world, &world.processor).await, ["CLAIMS DIRECT"]);
    plan.mutate("setFeatureAvailability", soon, "position").await.done();
    assert_eq!(grant(&admin, about, "CLAIMS").await.refused(), "FEATURE_COMING_SOON");
    assert!(features(&admin, world, &world.processor).await.is_empty(), "the grant waits");
    portal.finish().await;
    for (slug, preset) in [
        ("medi-cal", Preset::MediCal),
        ("carecentrix", Preset::Carecentrix),
        ("hardened", Preset::Hardened),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let admin = portal.client(&world.clinic_admin).await;
        let refused = grant(&admin, (world, &world.processor), "CLAIMS").await;
        assert_eq!(refused.refused(), "FEATURE_DISABLED", "{slug}");
        portal.finish().await;
    }
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    grant(&admin, (world, &world.processor), "DATA_SUBMISSION").await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_08_whoever_was_granted_user_management_manages_users_but_no_administrator() {
    let portal = cencal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let paul = portal.client(&world.processor).await;
    let invite = json!({
        "organizationId": world.clinic.id, "email": "new@portal.example", "firstName": "New",
        "lastName": "Hand", "mobile": "+12025550177",
    });
    let early = paul.mutate("inviteUser", invite.clone(), "position").await;
    assert_eq!(early.refused(), "NOT_ORG_ADMIN");
    grant(&admin, (world, &world.processor), "USER_MANAGEMENT").await.done();
    let own = rights(&paul, world, &world.processor).await;
    assert!(own.contains(&"MANAGE_USERS DIRECT".to_owned()), "{own:?}");
    paul.mutate("inviteUser", invite, "position").await.done();
    let users = "query($of: ID!, $at: Position) {
        users(organizationId: $of, minPosition: $at) { totalCount } }";
    let at = portal.position().await.to_string();
    let listed = paul.send(users, json!({ "of": world.clinic.id, "at": at })).await;
    assert_eq!(listed.data()["users"]["totalCount"], 6);
    let left = json!({ "confirm": true, "reason": "left" });
    let refused =
        change(&paul, "deactivateUser", (world, &world.clinic_second_admin), left.clone());
    assert_eq!(refused.await.refused(), "NOT_ORG_ADMIN");
    change(&paul, "deactivateUser", (world, &world.newcomer), left).await.done();
    let back = json!({ "confirm": true });
    change(&paul, "reactivateUser", (world, &world.newcomer), back).await.done();
    let role = change(&paul, "assignOrgRole", (world, &world.newcomer), json!({ "role": "ADMIN" }));
    assert_eq!(role.await.refused(), "NOT_ORG_ADMIN");
    assert_eq!(grant(&paul, (world, &world.newcomer), "CLAIMS").await.refused(), "NOT_ORG_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn cc_09_a_job_role_is_a_named_bundle_of_features() {
    let portal = cencal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let desk = json!({ "name": "Front desk", "features": ["ELIGIBILITY", "CLAIMS"] });
    let defined = define(&admin, world, desk.clone()).await;
    let role = defined.done()["jobRole"]["id"].as_str().expect("an id").to_owned();
    let again =
        define(&admin, world, json!({ "name": "front DESK", "features": ["CLAIMS"] })).await;
    assert_eq!(again.refused(), "NAME_INVALID");
    assert_eq!(
        define(&admin, world, json!({ "name": "Empty", "features": [] })).await.refused(),
        "FIELD_REQUIRED"
    );
    let paul = &world.processor;
    let assign = json!({ "jobRoleId": role });
    change(&admin, "assignJobRole", (world, paul), assign.clone()).await.done();
    let by_role = |feature: &str| format!("{feature} {role} JOB_ROLE");
    assert_eq!(features(&admin, world, paul).await, [by_role("ELIGIBILITY"), by_role("CLAIMS")]);
    let wider = json!({
        "jobRoleId": role, "name": "Front desk", "features": ["ELIGIBILITY", "EOP_REPORTS"],
    });
    define(&admin, world, wider).await.done();
    let now = [by_role("ELIGIBILITY"), by_role("EOP_REPORTS")];
    assert_eq!(features(&admin, world, paul).await, now);
    let document = "query($id: ID!, $of: ID!) {
        user(id: $id, organizationId: $of) { grants { jobRoles { jobRole { name } } } }
        jobRoles(organizationId: $of) { name features } }";
    let variables = json!({ "id": paul.user, "of": world.clinic.id });
    portal.settle().await;
    let answer = admin.send(document, variables.clone()).await;
    let roles = &answer.data()["user"]["grants"]["jobRoles"];
    assert_eq!(roles, &json!([{ "jobRole": { "name": "Front desk" } }]));
    let listed = json!([{ "name": "Front desk", "features": ["ELIGIBILITY", "EOP_REPORTS"] }]);
    assert_eq!(answer.data()["jobRoles"], listed);
    let unknown = json!({ "jobRoleId": world.clinic.id });
    let refused = change(&admin, "assignJobRole", (world, paul), unknown).await;
    assert_eq!(refused.refused(), "ROLE_UNKNOWN");
    let retire = json!({ "organizationId": world.clinic.id, "jobRoleId": role });
    admin.mutate("retireJobRole", retire, "position").await.done();
    assert!(features(&admin, world, paul).await.is_empty());
    let refused = change(&admin, "assignJobRole", (world, paul), assign).await;
    assert_eq!(refused.refused(), "ROLE_UNKNOWN");
    portal.settle().await;
    let answer = admin.send(document, variables).await;
    assert_eq!(answer.data()["jobRoles"], json!([]));
    define(&admin, world, desk).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cc_09_roles_of_the_portal_are_the_plans_and_those_of_others_are_unknown() {
    let portal = cencal().await;
    let world = portal.world();
    let plan = portal.client(&world.plan_admin).await;
    let (ann, hana) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.hospital_admin).await);
    let common = json!({ "name": "Biller", "features": ["CLAIMS", "EOP_REPORTS"] });
    let selection = "jobRole { id organizationId }";
    assert_eq!(ann.mutate("defineJobRole", common.clone(), selection).await.refused(), "FORBIDDEN");
    let common = plan.mutate("defineJobRole", common, selection).await;
    let common = common.done()["jobRole"].clone();
    assert_eq!(common["organizationId"], Value::Null);
    let own = define(&ann, world, json!({ "name": "Nurse", "features": ["ELIGIBILITY"] })).await;
    let own = own.done()["jobRole"]["id"].clone();
    let list = "query($of: ID!) { jobRoles(organizationId: $of) { name } }";
    let names = |answer: Answer| answer.data()["jobRoles"].to_string();
    let clinic = names(ann.send(list, json!({ "of": world.clinic.id })).await);
    assert_eq!(clinic, r#"[{"name":"Biller"},{"name":"Nurse"}]"#);
    let hospital = names(hana.send(list, json!({ "of": world.hospital.id })).await);
    assert_eq!(hospital, r#"[{"name":"Biller"}]"#);
    let foreign = json!({ "organizationId": world.hospital.id, "userId": world.hospital_admin.user,
        "jobRoleId": own });
    let refused = hana.mutate("assignJobRole", foreign, "position").await;
    assert_eq!(refused.refused(), "ROLE_UNKNOWN");
    let paul = (world, &world.processor);
    change(&ann, "assignJobRole", paul, json!({ "jobRoleId": common["id"] })).await.done();
    let taken = json!({ "organizationId": world.clinic.id, "jobRoleId": common["id"] });
    assert_eq!(ann.mutate("retireJobRole", taken, "position").await.refused(), "ROLE_UNKNOWN");
    portal.finish().await;
    for (slug, preset) in [("alliance", Preset::Alliance), ("medi-cal", Preset::MediCal)] {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let admin = portal.client(&world.clinic_admin).await;
        let refused =
            define(&admin, world, json!({ "name": "Nurse", "features": ["CLAIMS"] })).await;
        assert_eq!(refused.refused(), "FEATURE_DISABLED", "{slug} has no job roles");
        portal.finish().await;
    }
}

#[tokio::test]
async fn cc_10_administrators_hold_user_management_and_neither_payments_nor_attestation() {
    let portal = cencal().await;
    let world = portal.world();
    let abe = &world.clinic_second_admin;
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(features(&admin, world, abe).await, ["USER_MANAGEMENT IMPLIED_BY_ADMIN"]);
    let own = portal.client(abe).await;
    for feature in ["EOP_REPORTS", "EFT_REPORTS", "ATTESTATION"] {
        assert_eq!(grant(&own, (world, abe), feature).await.refused(), "SELF_GRANT");
        grant(&admin, (world, abe), feature).await.done();
    }
    let held = features(&own, world, abe).await;
    assert_eq!(held.len(), 4, "{held:?}");
    assert!(held.contains(&"ATTESTATION DIRECT".to_owned()));
    portal.finish().await;
}

#[tokio::test]
async fn cc_14_attestation_is_granted_on_its_own_and_comes_with_no_role() {
    let portal = cencal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    for who in [&world.clinic_admin, &world.clinic_second_admin, &world.processor] {
        let held = features(&admin, world, who).await;
        assert!(!held.iter().any(|feature| feature.starts_with("ATTESTATION")), "{held:?}");
    }
    grant(&admin, (world, &world.processor), "ATTESTATION").await.done();
    assert_eq!(features(&admin, world, &world.processor).await, ["ATTESTATION DIRECT"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_nobody_adds_to_their_own_features_by_a_job_role_either() {
    let portal = cencal().await;
    let world = portal.world();
    let (ann, abe) = (&world.clinic_admin, &world.clinic_second_admin);
    let (admin, other) = (portal.client(ann).await, portal.client(abe).await);
    let role = define(&admin, world, json!({ "name": "Desk", "features": ["CLAIMS"] })).await;
    let role = role.done()["jobRole"]["id"].clone();
    let assign = json!({ "jobRoleId": role });
    let refused = change(&admin, "assignJobRole", (world, ann), assign.clone()).await;
    assert_eq!(refused.refused(), "SELF_GRANT");
    change(&other, "assignJobRole", (world, ann), assign).await.done();
    let wider = json!({ "jobRoleId": role, "name": "Desk", "features": ["CLAIMS", "EFT_REPORTS"] });
    assert_eq!(define(&admin, world, wider.clone()).await.refused(), "SELF_GRANT");
    define(&other, world, wider).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_a_feature_with_an_end_counts_to_its_last_second_and_is_written_down() {
    let portal = cencal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.processor);
    let until = |at: &str| json!({ "feature": "CLAIMS", "until": at });
    let past = change(&admin, "grantFeature", about, until("2026-01-12T17:00:00Z")).await;
    assert_eq!(past.refused(), "RANGE_INVALID");
    change(&admin, "grantFeature", about, until("2026-01-12T17:10:00Z")).await.done();
    portal.advance(Duration::from_secs(599));
    assert_eq!(features(&admin, world, &world.processor).await, ["CLAIMS DIRECT"]);
    portal.advance(Duration::from_secs(1));
    assert!(features(&admin, world, &world.processor).await.is_empty());
    portal.settle().await;
    let document = "query($id: ID!, $of: ID!) {
        user(id: $id, organizationId: $of) { history { fact old new } } }";
    let variables = json!({ "id": world.processor.user, "of": world.clinic.id });
    let answer = admin.send(document, variables).await;
    let history = &answer.data()["user"]["history"];
    let ended = json!({ "fact": "GRANT_EXPIRED", "old": "FEATURE:CLAIMS", "new": null });
    assert_eq!(history[0], ended);
    assert_eq!(history[1]["fact"], "GRANTED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_features_and_job_roles_are_in_the_register_with_their_cause() {
    let portal = cencal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let role = define(&admin, world, json!({ "name": "Desk", "features": ["CLAIMS"] })).await;
    let role = role.done()["jobRole"]["id"].clone();
    let paul = (world, &world.processor);
    portal.advance(Duration::from_secs(3600));
    let admin = portal.client(&world.clinic_admin).await;
    change(&admin, "assignJobRole", paul, json!({ "jobRoleId": role })).await.done();
    grant(&admin, paul, "EOP_REPORTS").await.done();
    let document = "query($user: ID!, $asOf: DateTime, $right: AccessRight, $at: Position) {
        accessRegister(userId: $user, asOf: $asOf, right: $right, minPosition: $at) {
          nodes { right level thing source cause { kind sentence } } } }";
    let at = portal.position().await.to_string();
    let ask = |right: &str, as_of: Value| json!({ "user": world.processor.user, "right": right, "asOf": as_of, "at": at });
    let auditor = portal.client(&world.auditor).await;
    let used = auditor.send(document, ask("USE_FEATURE", Value::Null)).await;
    let expected = json!([
        { "right": "USE_FEATURE", "level": "CLAIMS", "thing": null, "source": "JOB_ROLE",
          "cause": { "kind": "ADMINISTRATOR",
            "sentence": "Ann Lee granted Paul Kim the job role Desk (Redwood Clinic)." } },
        { "right": "USE_FEATURE", "level": "EOP_REPORTS", "thing": null, "source": "DIRECT",
          "cause": { "kind": "ADMINISTRATOR",
            "sentence": "Ann Lee granted Paul Kim the feature EOP reports (Redwood Clinic)." } },
    ]);
    assert_eq!(used.data()["accessRegister"]["nodes"], expected);
    let held = auditor.send(document, ask("HOLD_JOB_ROLE", Value::Null)).await;
    assert_eq!(held.data()["accessRegister"]["nodes"][0]["thing"], "Desk");
    let before = auditor.send(document, ask("USE_FEATURE", json!("2026-01-12T17:30:00Z"))).await;
    assert_eq!(before.data()["accessRegister"]["nodes"], json!([]));
    portal.finish().await;
}
