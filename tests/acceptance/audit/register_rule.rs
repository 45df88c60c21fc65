//! The register's answer and the domain's rule agree, whatever happened (property).

mod differences;
mod exposures;
mod operations;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use rollcall_domain::{
    kernel::ids::{MembershipId, UserId},
    organizations::{OrgRole, Organization},
    permissions::{JobRole, JobRoles, Membership, NpiLevel, Right, Situation, Source},
    policies::{Feature, PolicyHistory, Preset},
    values::{CorrespondenceType, Npi},
};
use rollcall_projections::{
    Ask, NAMES,
    access_register::{self, AccessKey, AccessRight, AccessRow, AccessSource, Moment, Question},
};

use self::operations::{Operation, TYPES, apply, operation};
use crate::support::{Portal, World};

/// Every right of every member of the clinic, by which way, and at which level NPIs are seen.
type Rights = BTreeMap<(UserId, Right), (&'static str, Option<&'static str>)>;

/// What the rule said at a moment.
struct Witness {
    moment: Moment,
    rights: Rights,
}

fn types() -> Vec<CorrespondenceType> {
    TYPES.iter().map(|name| CorrespondenceType::parse(name).expect("a valid type")).collect()
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Direct => "DIRECT",
        Source::AllNpis => "ALL_NPIS",
        Source::Role(OrgRole::Admin | OrgRole::Processor | OrgRole::None) => "ROLE",
        Source::JobRole(_) => "JOB_ROLE",
        Source::ImpliedByAdmin => "IMPLIED_BY_ADMIN",
    }
}

/// Of several ways to a right the first of these is told.
const PREFERENCE: [AccessSource; 6] = [
    AccessSource::Role,
    AccessSource::Direct,
    AccessSource::AllNpis,
    AccessSource::JobRole,
    AccessSource::ImpliedByAdmin,
    AccessSource::PlanRole,
];

fn level_name(level: NpiLevel) -> &'static str {
    match level {
        NpiLevel::None => "NONE",
        NpiLevel::Processor => "PROCESSOR",
        NpiLevel::Admin => "ADMIN",
    }
}

/// The domain's rule on the streams as they stand.
async fn by_the_rule(portal: &Portal, world: &World) -> Rights {
    let journal = &portal.service.commands.journal;
    let now = journal.now();
    let organization =
        journal.load::<Organization>(world.tenant, world.clinic.id.0).await.expect("it loads");
    let policies = journal
        .load::<PolicyHistory>(world.tenant, world.tenant.policy_stream())
        .await
        .expect("it loads");
    let (_, policy) = policies.state.at(now);
    let mut rights = Rights::new();
    for (user, _) in organization.state.members() {
        let stream = MembershipId::of(world.tenant, user, world.clinic.id).0;
        let membership = journal.load::<Membership>(world.tenant, stream).await.expect("it loads");
        let mut job_roles = JobRoles::new();
        for role in membership.state.job_roles(now) {
            let loaded = journal.load::<JobRole>(world.tenant, role.0).await.expect("it loads");
            job_roles.insert(role, loaded.state);
        }
        let situation = Situation {
            user,
            account_active: true,
            organization: &organization.state,
            membership: &membership.state,
            policy,
            job_roles: &job_roles,
            types: &types(),
            now,
        };
        for (right, source) in situation.rights() {
            let level = match &right {
                Right::ViewNpi(npi) => Some(level_name(situation.level(npi).0)),
                Right::ManageUsers
                | Right::ViewOrganization
                | Right::ManagePin(_)
                | Right::ReadCorrespondence(..)
                | Right::UseFeature(_)
                | Right::HoldJobRole(_)
                | Right::ViewLocation(_)
                | Right::ChooseLocation(_)
                | Right::ReadTaxId(_) => None,
            };
            rights.insert((user, right), (source_name(source), level));
        }
    }
    rights
}

/// The register's answer in the same form.
async fn by_the_register(portal: &Portal, world: &World, moment: Moment) -> Rights {
    let ask = Ask { tenant: world.tenant, projections: NAMES, min_position: Some(moment.known_at) };
    let mut view = portal.service.reads.snapshot(ask).await.expect("the register catches up");
    let question = Question { organization: Some(world.clinic.id.0), ..Question::default() };
    let rows = access_register::page(&mut view, moment, &question, None, 100_000).await;
    let mut rights = Rights::new();
    for row in rows.expect("the register answers") {
        assert!(row.valid_from <= moment.true_at, "{row:?}");
        assert!(row.valid_to.is_none_or(|end| moment.true_at < end), "{row:?}");
        for right in rights_of(&row) {
            let level = match row.right {
                AccessRight::ViewNpi if row.level == "ADMIN" => Some("ADMIN"),
                AccessRight::ViewNpi => Some("PROCESSOR"),
                AccessRight::ViewOrganization
                | AccessRight::ManageUsers
                | AccessRight::ManagePin
                | AccessRight::ReadCorrespondence
                | AccessRight::UseFeature
                | AccessRight::HoldJobRole
                | AccessRight::ViewLocation
                | AccessRight::ChooseLocation
                | AccessRight::ReadTaxId
                | AccessRight::PlanRole
                | AccessRight::SubmitTransactions => None,
            };
            let told = (row.source.as_str(), level);
            let known = rights.entry((UserId(row.user), right)).or_insert(told);
            let rank = |name: &str| PREFERENCE.iter().position(|source| source.as_str() == name);
            if rank(told.0) < rank(known.0) {
                *known = told;
            }
        }
    }
    rights
}

fn rights_of(row: &AccessRow) -> Vec<Right> {
    let npi = || Npi::parse(row.npi.as_ref().expect("an NPI")).expect("a valid NPI");
    match row.right {
        AccessRight::ViewOrganization => vec![Right::ViewOrganization],
        AccessRight::ManageUsers => vec![Right::ManageUsers],
        AccessRight::ViewNpi => vec![Right::ViewNpi(npi())],
        AccessRight::ManagePin => vec![Right::ManagePin(npi())],
        AccessRight::ReadCorrespondence => {
            let of = row.correspondence_type.as_deref().expect("a type");
            let matching = types().into_iter().filter(|kind| of == "*" || of == kind.as_str());
            matching.map(|kind| Right::ReadCorrespondence(npi(), kind)).collect()
        }
        AccessRight::UseFeature => {
            vec![Right::UseFeature(Feature::parse(&row.level).expect("a feature"))]
        }
        AccessRight::HoldJobRole => vec![Right::HoldJobRole(row.level.parse().expect("an id"))],
        AccessRight::ViewLocation => vec![Right::ViewLocation(row.level.parse().expect("an id"))],
        AccessRight::ChooseLocation => {
            vec![Right::ChooseLocation(row.level.parse().expect("an id"))]
        }
        AccessRight::ReadTaxId => vec![Right::ReadTaxId(row.level.parse().expect("an id"))],
        // Neither is the organisation's own to give; affiliations have tests of their own.
        AccessRight::PlanRole | AccessRight::SubmitTransactions => Vec::new(),
    }
}

#[track_caller]
fn assert_agree(register: &Rights, rule: &Rights, when: &str) {
    let keys: BTreeSet<_> = register.keys().chain(rule.keys()).collect();
    let differences: Vec<_> = keys
        .into_iter()
        .filter(|key| register.get(key) != rule.get(key))
        .map(|key| format!("{key:?}: register {:?}, rule {:?}", register.get(key), rule.get(key)))
        .collect();
    assert!(differences.is_empty(), "{when}:\n{}", differences.join("\n"));
}

/// What tells two rows apart.
fn essence(row: &AccessRow) -> (AccessKey, i64, DateTime<Utc>) {
    (row.key.clone(), row.cause_position, row.valid_from)
}

/// However narrow a question is and however short its pages, its rows are those of the whole tenant
/// that fit it, in the same order.
async fn questions_agree(portal: &Portal, world: &World, moment: Moment) {
    let ask = Ask { tenant: world.tenant, projections: NAMES, min_position: Some(moment.known_at) };
    let mut view = portal.service.reads.snapshot(ask).await.expect("the register catches up");
    let everything = Question::default();
    let whole = access_register::page(&mut view, moment, &everything, None, 100_000).await;
    let whole = whole.expect("the register answers");
    let mut questions = BTreeSet::from([(None, None, None, None)]);
    for row in &whole {
        let (user, of, npi) = (Some(row.user), row.organization, row.npi.clone());
        questions.extend([
            (user, None, None, None),
            (None, of, None, None),
            (None, None, npi.clone(), None),
            (None, of, npi.clone(), Some(row.right.as_str())),
            (user, of, npi, None),
            (None, None, None, Some(row.right.as_str())),
        ]);
    }
    for (user, organization, npi, right) in questions {
        let right = AccessRight::ALL.into_iter().find(|known| Some(known.as_str()) == right);
        let question = Question { user, organization, npi: npi.clone(), right, within: None };
        let fits = |row: &&AccessRow| {
            user.is_none_or(|user| row.user == user)
                && (organization.is_none() || row.organization == organization)
                && (npi.is_none() || row.npi == npi)
                && right.is_none_or(|right| row.right == right)
        };
        let expected: Vec<_> = whole.iter().filter(fits).map(essence).collect();
        let mut found: Vec<(AccessKey, i64, DateTime<Utc>)> = Vec::new();
        loop {
            let after = found.last().map(|(key, ..)| key.clone());
            let page = access_register::page(&mut view, moment, &question, after.as_ref(), 7).await;
            let page = page.expect("the register answers");
            found.extend(page.iter().map(essence));
            if page.len() < 7 {
                break;
            }
        }
        assert_eq!(found, expected, "{question:?} at {moment:?}");
        let count = access_register::count(&mut view, moment, &question).await;
        assert_eq!(count.expect("the register answers"), expected.len() as i64, "{question:?}");
    }
}

async fn check(portal: &Portal, slug: &str, operations: Vec<Operation>) {
    let world = portal.another_tenant(slug, Preset::MediCal).await;
    let journal = &portal.service.commands.journal;
    let mut witnesses = Vec::new();
    let mut back_dated = false;
    for operation in operations {
        back_dated |= operation.is_back_dated();
        // Of two events at one moment only the last one's effect was ever true.
        portal.advance(Duration::from_secs(1));
        apply(portal, &world, &operation).await;
        let known_at = journal.tenant_position(world.tenant).await.expect("a position");
        let moment = Moment { true_at: journal.now(), known_at };
        witnesses.push(Witness { moment, rights: by_the_rule(portal, &world).await });
    }
    let head = witnesses.last().map_or(0, |witness| witness.moment.known_at);
    for Witness { moment, rights } in &witnesses {
        let known_then = by_the_register(portal, &world, *moment).await;
        assert_agree(&known_then, rights, &format!("as known at {}", moment.known_at));
        if !back_dated {
            let known_now = Moment { known_at: head, ..*moment };
            let true_then = by_the_register(portal, &world, known_now).await;
            assert_agree(&true_then, rights, &format!("as true at {}", moment.true_at));
        }
    }
    if let Some(Witness { moment, .. }) = witnesses.last() {
        questions_agree(portal, &world, *moment).await;
    }
}

#[test]
fn gn_14_the_register_agrees_with_the_rule_that_decides_whatever_happened() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let portal = runtime.block_on(Portal::empty());
    let config = Config { cases: 10, failure_persistence: None, ..Config::default() };
    let case = Cell::new(0);
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..20), |operations| {
        case.set(case.get() + 1);
        let slug = format!("case-{}", case.get());
        runtime.block_on(check(&portal, &slug, operations));
        Ok(())
    });
    outcome.expect("the register and the rule agree");
    runtime.block_on(portal.finish());
}
