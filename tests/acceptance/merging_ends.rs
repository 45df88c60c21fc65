//! What was to end, and what comes about, while an organisation goes over into another (GN-03, GN-04).

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_commands::{Caller, organizations::merging::ContinueMerge};
use rollcall_domain::{
    affiliations::{
        Affiliated, Affiliation, AffiliationCommand, AffiliationEvent, AffiliationScope,
        AssignNpis, NpiSelection, Pair, RequestAffiliation, Side, Signature,
    },
    kernel::ids::{AffiliationId, UserId},
    organizations::{MergeStage, Organization, OrganizationEvent, OrganizationKind},
    values::{Npi, PersonName, TransactionType},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::{
    enrolment::{import, line},
    support::{Client, Company, PASSWORD, Portal},
};

async fn merge(portal: &Portal, from: &Value) {
    let plan = portal.client(&portal.world().plan_admin).await;
    let input = json!({ "fromOrganizationId": from, "intoOrganizationId": portal.world().hospital.id,
                        "roles": "KEEP", "reason": "The hospital bought it." });
    plan.mutate("mergeOrganizations", input, "").await.done();
}

/// Nothing that is due is carried out as long as this is kept.
async fn hold(session: &mut PgConnection) -> Transaction<'_, Postgres> {
    let mut lock = session.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE ops.due_times IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .expect("a lock");
    lock
}

fn signature() -> Signature {
    Signature {
        user: UserId(Uuid::from_u128(1)),
        first_name: PersonName::parse("Ann").ok(),
        last_name: PersonName::parse("Lee").ok(),
        role: "OWNER".to_owned(),
        eligibility_confirmed: true,
        agreement_version: "2026-01".to_owned(),
        sha256: "ab".repeat(32),
    }
}

fn with_biller(portal: &Portal, provider: &Company, n: u32) -> AffiliationId {
    let world = portal.world();
    let pair = Pair { submitter: world.biller.id, provider: provider.id };
    AffiliationId(world.tenant.affiliation_stream(&pair, n))
}

/// The biller submits for a provider; somebody of theirs works for its first NPI.
async fn affiliate(portal: &Portal, provider: &Company, worker: UserId) {
    let world = portal.world();
    let affiliation = with_biller(portal, provider, 0);
    let request = AffiliationCommand::Request(Box::new(RequestAffiliation {
        affiliation,
        pair: Pair { submitter: world.biller.id, provider: provider.id },
        initiator: Side::Submitter,
        scope: AffiliationScope {
            npis: NpiSelection::All,
            transaction_types: BTreeSet::from([TransactionType::ProfessionalClaim]),
        },
        submitter_kinds: BTreeSet::from([OrganizationKind::Submitter]),
        provider_kinds: BTreeSet::from([OrganizationKind::Provider]),
        signature: Some(signature()),
    }));
    portal.decide::<Affiliation>(affiliation, request).await;
    let approve = AffiliationCommand::Approve { organization: provider.id, signature: signature() };
    portal.decide::<Affiliation>(affiliation, approve).await;
    let npis = BTreeSet::from([Npi::parse(&provider.npis[0]).expect("a valid NPI")]);
    let (organization, held) = (world.biller.id, npis.clone());
    let assign = AssignNpis { organization, user: worker, npis, held, cause: None };
    let assign = AffiliationCommand::AssignNpis(Box::new(assign));
    portal.decide::<Affiliation>(affiliation, assign).await;
}

/// The provider ends it with this day.
async fn terminate(portal: &Portal, provider: &Company, day: &str) {
    let ends_on: NaiveDate = day.parse().expect("a day");
    let (organization, user) = (provider.id, portal.world().clinic_admin.user);
    let end =
        AffiliationCommand::Terminate { organization, user, confirm: true, ends_on, reason: None };
    portal.decide::<Affiliation>(with_biller(portal, provider, 0), end).await;
}

/// The pair's n-th affiliation as it is.
async fn nth(portal: &Portal, provider: &Company, n: u32) -> Affiliation {
    let journal = &portal.service.commands.journal;
    let id = with_biller(portal, provider, n);
    let loaded = journal.load::<Affiliation>(portal.world().tenant, id.0).await;
    (*loaded.expect("it loads").state).clone()
}

fn workers(affiliated: &Affiliated) -> BTreeSet<UserId> {
    affiliated.assigned().map(|(user, _)| user).collect()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

#[tokio::test]
async fn gn_03_who_was_to_leave_leaves_the_successor_on_that_day() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let who = &world.processor;
    let leave = json!({ "organizationId": world.clinic.id, "userId": who.user, "confirm": true,
                        "reason": "Retires.", "leftOn": "2026-01-20" });
    admin.mutate("deactivateUser", leave, "").await.done();
    merge(&portal, &json!(world.clinic.id)).await;
    portal.settle().await;
    let end = moment("2026-01-21T08:00:00Z");
    let events = portal.events::<Organization>(world.hospital.id).await;
    let planned = events.iter().find_map(|event| {
        let OrganizationEvent::MembershipEndPlanned { user, effective_at, reason, .. } = event
        else {
            return None;
        };
        Some((*user, *effective_at, reason.is_some()))
    });
    assert_eq!(planned, Some((who.user, end, true)));
    portal.clock.set(end - chrono::TimeDelta::seconds(1));
    let signed_in = portal.anybody().try_to_sign_in(&who.email, PASSWORD).await;
    assert_eq!(signed_in.done()["session"]["organization"]["name"], "Bayview Hospital");
    portal.clock.set(end);
    portal.advance(std::time::Duration::ZERO);
    portal.settle().await;
    let events = portal.events::<Organization>(world.hospital.id).await;
    assert!(
        matches!(events.last(), Some(OrganizationEvent::UserDeactivated { user, effective_at, .. })
            if (*user, *effective_at) == (who.user, end)),
        "{:?}",
        events.last()
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_nobody_gets_in_where_a_merger_is_under_way() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let enrolled = import(&plan, vec![line(json!({}))]).await[0]["organizationId"].clone();
    let input = json!({ "organizationId": enrolled });
    plan.mutate("issueRegistrationToken", input.clone(), "").await.done();
    let gone = json!({ "organizationId": world.clinic.id, "userId": world.newcomer.user,
                       "confirm": true, "reason": "Left.", "evidence": "A letter." });
    plan.mutate("deactivateUser", gone, "").await.done();
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let lock = hold(&mut session).await;
    merge(&portal, &enrolled).await;
    merge(&portal, &json!(world.clinic.id)).await;

    let refused = async |by: &Client, mutation: &str, input: Value| {
        let answer = by.mutate(mutation, input, "").await;
        assert_eq!(answer.refused(), "ORG_NOT_ACTIVE", "{mutation}");
        let message = answer.refusal()["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("being merged"), "{mutation}: {message}");
    };
    let again = json!({ "organizationId": enrolled, "reason": "It was lost." });
    refused(&plan, "issueRegistrationToken", input).await;
    refused(&plan, "reissueRegistrationToken", again).await;
    let back = json!({ "organizationId": world.clinic.id, "userId": world.newcomer.user,
                       "confirm": true });
    refused(&plan, "reactivateUser", back).await;
    lock.rollback().await.expect("the lock is gone");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_an_affiliation_that_ends_goes_over_with_its_end() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let worker = portal.somebody_without_password().await.user;
    affiliate(&portal, &world.clinic, worker).await;
    terminate(&portal, &world.clinic, "2026-03-08").await;
    merge(&portal, &json!(world.clinic.id)).await;
    portal.settle().await;
    let end = moment("2026-03-09T07:00:00Z");
    let successor = nth(&portal, &world.hospital, 0).await;
    assert_eq!(
        successor.ending().map(|ending| (ending.by, ending.ends_at)),
        Some((Side::Provider, end))
    );
    let in_force = successor.in_force(end - chrono::TimeDelta::seconds(1)).expect("until then");
    assert_eq!(workers(in_force), BTreeSet::from([worker]));
    assert!(successor.in_force(end).is_none());
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_an_affiliation_that_ends_gives_way_to_one_that_does_not() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let worker = portal.somebody_without_password().await.user;
    let other = world.newcomer.user;
    affiliate(&portal, &world.hospital, other).await;
    terminate(&portal, &world.hospital, "2026-03-08").await;
    affiliate(&portal, &world.clinic, worker).await;
    merge(&portal, &json!(world.clinic.id)).await;
    portal.settle().await;
    let now = portal.service.commands.journal.now();
    assert!(nth(&portal, &world.hospital, 0).await.in_force(now).is_none(), "one at a time");
    let successor = nth(&portal, &world.hospital, 1).await;
    assert_eq!(successor.ending(), None, "it goes on as the clinic's did");
    let in_force = successor.in_force(now).expect("it is in force");
    assert_eq!(workers(in_force), BTreeSet::from([worker, other]));
    assert_eq!(nth(&portal, &world.hospital, 2).await, Affiliation::NotRequested);
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_an_affiliation_formed_late_in_a_merger_goes_over_as_well() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let worker = portal.somebody_without_password().await.user;
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let lock = hold(&mut session).await;
    merge(&portal, &json!(world.clinic.id)).await;
    let scheduler = Caller::system(world.tenant, Uuid::new_v4(), None);
    let journal = &portal.service.commands.journal;
    loop {
        let step = ContinueMerge { from: world.clinic.id };
        portal.service.commands.dispatch(&scheduler, None, &step).await.expect("a step");
        let clinic = journal.load::<Organization>(world.tenant, world.clinic.id.0).await;
        let clinic = clinic.expect("it loads").state;
        if clinic.merger().is_some_and(|merger| merger.reached >= MergeStage::People) {
            break;
        }
    }
    affiliate(&portal, &world.clinic, worker).await;
    lock.rollback().await.expect("the lock is gone");
    portal.settle().await;
    let events = portal.events::<Affiliation>(with_biller(&portal, &world.clinic, 0)).await;
    assert!(matches!(events.last(), Some(AffiliationEvent::AffiliationTerminated { .. })));
    let successor = nth(&portal, &world.hospital, 0).await;
    let in_force = successor.in_force(journal.now()).expect("it goes on");
    assert_eq!(workers(in_force), BTreeSet::from([worker]));
    portal.finish().await;
}
