//! Who sees which event: the table itself against a committed file, and its rows through the API.

use std::{fmt::Write, fs, path::Path};

use rollcall_domain::{
    Actor, AnyEvent,
    kernel::{
        EventSet,
        ids::{OrganizationId, UserId},
    },
    permissions::NpiLevel,
    policies::Preset,
    users::credential::{Credential, CredentialCommand, LoginAttempt},
};
use rollcall_projections::audit_timeline::{
    Audience, Outcome, Viewer,
    sentences::{Names, Telling, sentence},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::set_level;
use crate::support::{Client, Portal};

/// What a viewer sees of an audience: everything, what concerns them, or nothing.
fn seen(viewer: Viewer, audience: Audience) -> &'static str {
    let sight = viewer.sight();
    let mut of_organizations = sight.of_organizations.iter();
    let own_organization = of_organizations.any(|(_, audiences)| audiences.contains(&audience));
    let own = sight.of_person.is_some_and(|(_, audiences)| audiences.contains(&audience));
    if sight.whole.contains(&audience) {
        "all"
    } else if own_organization {
        "organisation"
    } else if own {
        "own"
    } else if viewer == Viewer::PlanAdministrator
        && Viewer::RecordsOfficer.sight().whole.contains(&audience)
    {
        // Those of them who are named for it.
        "named"
    } else {
        "-"
    }
}

/// One line per event type: its outcome, who sees it, and how it is told.
fn table() -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/events");
    let mut files: Vec<_> =
        fs::read_dir(golden).expect("golden events").flatten().map(|file| file.path()).collect();
    files.sort();
    let organization = OrganizationId(Uuid::from_u128(10));
    let user = UserId(Uuid::from_u128(1));
    let viewers = [
        Viewer::Auditor,
        Viewer::PlanAdministrator,
        Viewer::PlanSupport,
        Viewer::OrgAdmin { organization, user },
        Viewer::Person(user),
    ];
    let names = Names {
        people: [(user.0, "Ann Lee".to_owned()), (Uuid::from_u128(2), "Bob Ray".to_owned())].into(),
        organizations: [(organization.0, "Mercy Clinic".to_owned())].into(),
        ..Names::default()
    };
    let telling = Telling { names: &names, actor: Actor::user(UserId(Uuid::from_u128(2))) };
    let mut table = "event\toutcome\tAU\tPA\tPS\tOA\tUS\tsentence\n".to_owned();
    for file in files {
        let golden: Value =
            serde_json::from_str(&fs::read_to_string(file).expect("text")).expect("JSON");
        let text = |field: &str| golden[field].as_str().expect("a name").to_owned();
        let (kind, name) = (text("aggregate_type"), text("event_type"));
        let event = AnyEvent::decode(&kind, &name, golden["payload"].clone()).expect("an event");
        let audience = Audience::of(&event);
        let columns = viewers.map(|viewer| seen(viewer, audience)).join("\t");
        let (outcome, told) = (Outcome::of(&event).as_str(), sentence(&event, telling));
        writeln!(table, "{name}\t{outcome}\t{columns}\t{told}").expect("text grows");
    }
    table
}

#[test]
fn gn_26_who_sees_which_event_is_the_committed_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/audit_visibility.tsv");
    let table = table();
    if std::env::var_os("ROLLCALL_GOLDEN").is_some_and(|value| value == "write") {
        fs::write(&file, &table).expect("the table is written");
    }
    let committed = fs::read_to_string(&file).expect("the table is committed");
    let known: Vec<&str> = committed.lines().collect();
    let new: Vec<&str> = table.lines().filter(|line| !known.contains(line)).collect();
    assert!(new.is_empty(), "not in the table; ROLLCALL_GOLDEN=write adds it: {new:#?}");
    assert_eq!(table.lines().count(), known.len(), "the table tells of events that are no more");
}

const TYPES: &str = "query($filter: AuditEventFilter, $min: Position) {
  auditEvents(filter: $filter, first: 100, minPosition: $min) {
    totalCount nodes { type subject { id } subjectOrganization { name } } } }";

async fn total(client: &Client, filter: Value, min: i64) -> i64 {
    let variables = json!({ "filter": filter, "min": min.to_string() });
    let answer = client.send(TYPES, variables).await;
    answer.data()["auditEvents"]["totalCount"].as_i64().expect("a count")
}

#[tokio::test]
async fn gn_26_each_role_sees_its_part_and_failed_logins_stay_with_auditors_and_administrators() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[1].as_str();
    let level = NpiLevel::Processor;
    set_level(&portal, &world.clinic_admin, &world.processor, npi, level).await;
    let attempt = LoginAttempt {
        user: Some(world.processor.user),
        session: rollcall_domain::kernel::ids::SessionId(Uuid::new_v4()),
        matched: None,
        bar: None,
        challenge: None,
    };
    let credential = world.tenant.credential_stream(world.processor.user);
    let failed = portal
        .record::<Credential>(
            Actor::ANONYMOUS,
            credential,
            CredentialCommand::AttemptLogin(attempt),
        )
        .await;
    let failures = json!({ "types": ["users.credential.login_failed"] });
    let permission = json!({ "types": ["permissions.membership.npi_permission_set"], "npi": npi });
    let policy = json!({ "types": ["policies.policy.preset_applied"] });
    let expected = [
        // (who, failed logins, the permission set, the policy)
        (&world.auditor, 1, 1, 1),
        (&world.plan_admin, 1, 1, 1),
        (&world.plan_support, 0, 1, 0),
        (&world.clinic_admin, 0, 1, 0),
        (&world.processor, 0, 1, 0),
        (&world.newcomer, 0, 0, 0),
        (&world.hospital_admin, 0, 0, 0),
    ];
    for (person, logins, permissions, policies) in expected {
        let client = portal.client(person).await;
        let found = (
            total(&client, failures.clone(), failed).await,
            total(&client, permission.clone(), failed).await,
            total(&client, policy.clone(), failed).await,
        );
        assert_eq!(found, (logins, permissions, policies), "{}", person.email);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_26_nothing_of_another_organisation_or_tenant_is_shown() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let other = portal.another_tenant("cencal", Preset::Cencal).await;
    let admin = portal.client(&world.clinic_admin).await;
    portal.settle().await;
    let answer = admin.send(TYPES, json!({ "filter": { "organization": other.clinic.id } })).await;
    assert_eq!(answer.data()["auditEvents"]["totalCount"], 0);
    let answer =
        admin.send(TYPES, json!({ "filter": { "organization": world.hospital.id } })).await;
    assert_eq!(answer.data()["auditEvents"]["totalCount"], 0);
    let answer = admin.send(TYPES, json!({})).await;
    for event in answer.data()["auditEvents"]["nodes"].as_array().expect("events") {
        let name = &event["subjectOrganization"]["name"];
        assert!(*name == "Redwood Clinic" || name.is_null(), "{event}");
    }
    portal.finish().await;
}
