//! An organisation is merged into another one, step by step (GN-03).

use std::time::Duration;

use rollcall_domain::{
    kernel::ids::{InvitationId, MembershipId},
    organizations::{
        OrgRole, Organization, OrganizationEvent,
        organization::{RosterCommand, Standing},
    },
    permissions::{
        Cause, Membership, MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    values::{AgreementKind, Npi},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::{Answer, Client, PASSWORD, Person, Portal};

const SHOWN: &str = "organization { id name status version successorId }";

fn input(portal: &Portal, roles: &str) -> Value {
    let world = portal.world();
    json!({ "fromOrganizationId": world.clinic.id, "intoOrganizationId": world.hospital.id,
            "roles": roles, "reason": "The hospital bought the clinic." })
}

async fn merge(by: &Client, input: Value) -> Answer {
    by.mutate("mergeOrganizations", input, SHOWN).await
}

/// The organisations through which a person may see the NPI, as was so and known at a position.
async fn seen_through(
    portal: &Portal,
    auditor: &Client,
    who: &Person,
    (npi, position): (&str, i64),
) -> Vec<String> {
    let list = "query($user: ID!, $npi: NPI!, $at: DateTime!, $position: Position) {
        accessRegister(userId: $user, npi: $npi, right: VIEW_NPI, asOf: $at,
                       asOfPosition: $position) { nodes { organization { name } } } }";
    let now = portal.service.commands.journal.now().to_rfc3339();
    let variables = json!({ "user": who.user, "npi": npi, "at": now,
                            "position": position.to_string() });
    let answer = auditor.send(list, variables).await;
    let nodes = answer.data()["accessRegister"]["nodes"].as_array().expect("rows").clone();
    nodes.iter().map(|node| node["organization"]["name"].as_str().unwrap().to_owned()).collect()
}

/// The last position of each append from `first` on: what stands between is never seen by a command.
async fn ends_of_appends(portal: &Portal, first: i64) -> Vec<i64> {
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    sqlx::query_scalar(
        "SELECT max(tenant_position) FROM es.events
          WHERE tenant_id = $1 AND tenant_position >= $2 GROUP BY command_id ORDER BY 1",
    )
    .bind(portal.world().tenant.0)
    .bind(first)
    .fetch_all(&mut session)
    .await
    .expect("the log is read")
}

/// So many further members of the clinic, each Processor of its first NPI.
async fn crowd(portal: &Portal, many: usize) {
    for _ in 0..many {
        let user = Uuid::new_v4().into();
        let invitation = InvitationId(Uuid::new_v4());
        let email_domain = "portal.example".to_owned();
        let clinic = &portal.world().clinic;
        portal.roster(clinic, RosterCommand::InviteMember { user, invitation, email_domain }).await;
        let join = RosterCommand::JoinByInvitation { user, invitation, signed_in: false };
        portal.roster(clinic, join).await;
        let npi = Npi::parse(&clinic.npis[0]).unwrap();
        let set = MembershipCommand::SetNpiPermissions {
            of: MembershipKey { user, organization: clinic.id },
            changes: vec![NpiChange {
                npi: NpiScope::One(npi.clone()),
                level: NpiLevel::Processor,
                until: None,
            }],
            held: [npi].into(),
            cause: Cause::Administrator,
        };
        let stream = MembershipId::of(portal.world().tenant, user, clinic.id);
        portal.decide::<Membership>(stream, set).await;
    }
}

#[tokio::test]
async fn gn_03_a_merger_takes_people_and_their_rights_over_without_a_gap_or_an_overlap() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    crowd(&portal, 25).await;
    portal.settle().await;
    let plan = portal.client(&world.plan_admin).await;
    let (paul, nell) =
        (portal.client(&world.processor).await, portal.client(&world.newcomer).await);
    let first = portal.position().await;
    let begun = merge(&plan, input(&portal, "DROP")).await;
    let shown = &begun.done()["organization"];
    let question = "query($id: ID!) { organization(id: $id) { id } }";
    let hospital = plan.send(question, json!({ "id": world.hospital.id })).await;
    assert_eq!(shown["successorId"], hospital.data()["organization"]["id"]);
    portal.settle().await;
    let last = portal.position().await;

    let former = portal.events::<Organization>(world.clinic.id).await;
    assert!(matches!(former.last(), Some(OrganizationEvent::OrganizationMerged { into, .. })
        if *into == world.hospital.id));
    let steps = former
        .iter()
        .filter(|event| matches!(event, OrganizationEvent::OrganizationMergeAdvanced { .. }))
        .count();
    assert!(steps >= 5, "a crowd goes over in several appends: {steps}");

    let auditor = portal.client(&world.auditor).await;
    let npi = world.clinic.npis[0].as_str();
    for who in [&world.processor, &world.npi_admin] {
        let mut through = Vec::new();
        for position in ends_of_appends(&portal, first).await {
            let now = seen_through(&portal, &auditor, who, (npi, position)).await;
            assert_eq!(now.len(), 1, "after position {position} in exactly one: {now:?}");
            through.extend(now);
        }
        through.dedup();
        assert_eq!(through, ["Redwood Clinic", "Bayview Hospital"]);
    }
    for session in [&paul, &nell] {
        assert_eq!(session.session().await.error_code(), "UNAUTHENTICATED", "sessions end");
    }
    let signed_in = portal.anybody().try_to_sign_in(&world.processor.email, PASSWORD).await;
    assert_eq!(signed_in.done()["session"]["organization"]["name"], "Bayview Hospital");

    let journal = &portal.service.commands.journal;
    let hospital = journal.load::<Organization>(world.tenant, world.hospital.id.0).await.unwrap();
    assert_eq!(hospital.state.role_of(world.clinic_admin.user, journal.now()), OrgRole::None);
    assert_eq!(hospital.state.npis_at(journal.now()).len(), 4);
    let own = world.hospital.npis[0].as_str();
    let extra = seen_through(&portal, &auditor, &world.clinic_admin, (own, last)).await;
    assert!(
        extra.is_empty(),
        "what she held for all NPIs of the clinic opens none of the hospital's"
    );
    let brought = seen_through(&portal, &auditor, &world.clinic_admin, (npi, last)).await;
    assert_eq!(brought, ["Bayview Hospital"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_a_merger_is_refused_where_it_cannot_be_and_repeated_without_effect() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    for who in [&world.plan_support, &world.clinic_admin] {
        let client = portal.client(who).await;
        assert_eq!(merge(&client, input(&portal, "KEEP")).await.refused(), "FORBIDDEN");
    }
    let with = |field: &str, value: Value| {
        let mut input = input(&portal, "KEEP");
        input[field] = value;
        input
    };
    let itself = with("intoOrganizationId", json!(world.clinic.id));
    assert_eq!(merge(&plan, itself).await.refused(), "FIELD_INVALID");
    let nowhere = with("intoOrganizationId", json!(Uuid::from_u128(7)));
    assert_eq!(merge(&plan, nowhere).await.refused(), "NOT_FOUND");
    let unlike = with("intoOrganizationId", json!(world.biller.id));
    assert_eq!(merge(&plan, unlike.clone()).await.refused(), "ORG_KIND_WRONG");
    assert_eq!(merge(&plan, with("expectedVersion", json!(1))).await.refused(), "VERSION_CONFLICT");
    let later = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0],
                        "effectiveAt": "2026-02-01T00:00:00Z" });
    plan.mutate("detachNpi", later, "").await.done();
    assert_eq!(merge(&plan, input(&portal, "KEEP")).await.refused(), "ALREADY_DECIDED");
    let cancel = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    plan.mutate("cancelNpiEnd", cancel, "").await.done();

    let stop = json!({ "organizationId": world.hospital.id, "reason": "Looked into." });
    plan.mutate("suspendOrganization", stop, "").await.done();
    assert_eq!(merge(&plan, input(&portal, "KEEP")).await.refused(), "ORG_NOT_ACTIVE");
    let open = json!({ "organizationId": world.hospital.id });
    plan.mutate("reopenOrganization", open, "").await.done();

    merge(&plan, input(&portal, "KEEP")).await.done();
    portal.settle().await;
    let before = portal.position().await;
    let again = merge(&plan, input(&portal, "KEEP")).await;
    assert_eq!(again.done()["organization"]["status"], "CLOSED");
    assert_eq!(portal.position().await, before, "the same once more changes nothing");
    let elsewhere = merge(&plan, with("parts", json!(["PEOPLE"]))).await;
    assert_eq!(elsewhere.done()["organization"]["status"], "CLOSED", "it is done already");
    let other = with("intoOrganizationId", json!(world.biller.id));
    let mut other = other;
    other["parts"] = json!(["PEOPLE"]);
    assert_eq!(merge(&plan, other).await.refused(), "ORG_NOT_ACTIVE");
    let attach = json!({ "organizationId": world.clinic.id, "npi": "1000000004", "name": "Redwood",
                         "providerType": "GROUP", "community": "PHYSICIANS" });
    assert_eq!(plan.mutate("attachNpi", attach, "").await.refused(), "ORG_NOT_ACTIVE");
    let admins = "query($id: ID!) { organization(id: $id) { admins { lastName } npis { npi } } }";
    let hospital = plan.send(admins, json!({ "id": world.hospital.id })).await;
    let hospital = &hospital.data()["organization"];
    assert_eq!(hospital["admins"].as_array().map(Vec::len), Some(3), "they kept their role");
    assert_eq!(hospital["npis"].as_array().map(Vec::len), Some(4));
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_a_merger_that_was_interrupted_is_gone_on_with_and_waits_for_a_closed_door() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    crowd(&portal, 30).await;
    let plan = portal.client(&world.plan_admin).await;
    // Nothing is carried out until the successor is stopped.
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let mut lock = session.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE ops.due_times IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .expect("a lock");
    merge(&plan, input(&portal, "DROP")).await.done();
    let stop = json!({ "organizationId": world.hospital.id, "reason": "Looked into." });
    plan.mutate("suspendOrganization", stop, "").await.done();
    lock.rollback().await.expect("the lock is gone");
    portal.settle().await;
    let journal = &portal.service.commands.journal;
    // Fresh, because either process may have written last.
    let standing = async || {
        let clinic =
            journal.load_fresh::<Organization>(world.tenant, world.clinic.id.0).await.unwrap();
        let left = clinic.state.members().filter(|(_, it)| it.standing == Standing::Active).count();
        let hospital =
            journal.load_fresh::<Organization>(world.tenant, world.hospital.id.0).await.unwrap();
        let come =
            hospital.state.members().filter(|(_, it)| it.standing == Standing::Active).count();
        (left, come)
    };
    let (left, come) = standing().await;
    assert_eq!((left, come), (35, 1), "nobody goes where the door is closed");
    let close = json!({ "organizationId": world.hospital.id, "reason": "Never mind." });
    assert_eq!(plan.mutate("closeOrganization", close, "").await.refused(), "ORG_NOT_ACTIVE");
    let open = json!({ "organizationId": world.hospital.id });
    plan.mutate("reopenOrganization", open, "").await.done();
    // Another process comes up beside the first and either of them goes on.
    let other = portal.another_process().await;
    portal.advance(Duration::from_secs(61));
    portal.settle().await;
    assert_eq!(standing().await, (0, 36));
    let former = portal.events::<Organization>(world.clinic.id).await;
    assert!(matches!(former.last(), Some(OrganizationEvent::OrganizationMerged { .. })));
    other.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_affiliations_go_over_requests_end_and_both_sides_are_told() {
    let portal = Portal::medi_cal().await;
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    let world = portal.world().clone();
    let (clinic, biller) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.biller_admin).await);
    let signature = json!({ "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee",
                            "role": "OWNER", "agreementVersion": "2026-01" });
    let ask = json!({ "organizationId": world.biller.id, "counterpartyId": world.clinic.id,
                      "scope": { "transactionTypes": ["837P"] }, "signature": signature });
    let asked = biller.mutate("requestAffiliation", ask, "affiliation { id }").await;
    let id = asked.done()["affiliation"]["id"].clone();
    let approve = json!({ "organizationId": world.clinic.id, "affiliationId": id,
                          "signature": signature });
    clinic.mutate("approveAffiliation", approve, "").await.done();
    let npi = world.clinic.npis[0].clone();
    let worker = portal.somebody_without_password().await;
    let join = RosterCommand::AttachUser {
        user: worker.user,
        email_domain: "portal.example".to_owned(),
        role: OrgRole::None,
    };
    portal.roster(&world.biller, join).await;
    let assign = json!({ "organizationId": world.biller.id, "affiliationId": id,
                         "userId": worker.user, "npis": [npi] });
    biller.mutate("assignAffiliatedNpis", assign, "").await.done();
    let invite = json!({ "organizationId": world.clinic.id, "email": "new@redwood.example",
                         "firstName": "New", "lastName": "Person", "mobile": "+12025550177" });
    clinic.mutate("inviteUser", invite, "").await.done();

    let plan = portal.client(&world.plan_admin).await;
    portal.settle().await;
    let first = portal.position().await;
    merge(&plan, input(&portal, "KEEP")).await.done();
    portal.settle().await;
    let last = portal.position().await;
    let auditor = portal.client(&world.auditor).await;
    let submits = async |position: i64| {
        let list = "query($user: ID!, $npi: NPI!, $position: Position) {
            accessRegister(userId: $user, npi: $npi, right: SUBMIT_TRANSACTIONS,
                           asOfPosition: $position) { totalCount } }";
        let variables = json!({ "user": worker.user, "npi": npi,
                                "position": position.to_string() });
        let answer = auditor.send(list, variables).await;
        answer.data()["accessRegister"]["totalCount"].as_i64().unwrap()
    };
    for position in first..=last {
        assert!(submits(position).await >= 1, "submitting goes on at position {position}");
    }
    let min = last.to_string();
    let seen = plan
        .send(
            "query($min: Position) { affiliations(minPosition: $min) {
        nodes { status provider { name } } } }",
            json!({ "min": min }),
        )
        .await;
    let nodes = seen.data()["affiliations"]["nodes"].clone();
    let has = |status: &str, name: &str| {
        nodes
            .as_array()
            .unwrap()
            .contains(&json!({ "status": status, "provider": { "name": name } }))
    };
    assert!(has("ACTIVE", "Bayview Hospital") && has("TERMINATED", "Redwood Clinic"), "{nodes}");
    let events = portal.events::<Organization>(world.clinic.id).await;
    assert!(
        events.iter().any(|it| matches!(it, OrganizationEvent::MemberInvitationEnded { .. })),
        "nobody waits for an organisation that is gone"
    );
    for (who, subject) in [
        (&world.clinic_admin, "Redwood Clinic becomes part of Bayview Hospital"),
        (&world.hospital_admin, "Bayview Hospital takes Redwood Clinic over"),
        (&world.hospital_admin, "Redwood Clinic is part of Bayview Hospital now"),
        (&world.biller_admin, "Bayview Hospital goes on with an affiliation"),
    ] {
        Portal::newest(&portal.mailbox(&who.email).await, subject);
    }
    let paul = portal.anybody().sign_in(&world.processor.email, PASSWORD).await;
    let document = "{ notifications { nodes { text } } }";
    let told = paul.send(document, json!({})).await;
    let sentence = "You belong to Bayview Hospital now, which took Redwood Clinic over.";
    assert!(told.body.to_string().contains(sentence), "{}", told.body);
    portal.finish().await;
}
