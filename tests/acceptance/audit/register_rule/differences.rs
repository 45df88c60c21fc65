//! A difference is one of what the register answers at both moments, whatever happened (property).

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use rollcall_domain::policies::Preset;
use rollcall_projections::{
    Ask, NAMES, Snapshot,
    access_register::{
        self, AccessChange, AccessKey, AccessRight, AccessSource, Change, ChangeFilter, Moment,
        Question, Span,
    },
};

use super::{
    PREFERENCE,
    operations::{Operation, apply, operation},
};
use crate::support::Portal;

/// Person, organisation, NPI, right and what of it; level and way.
type States = BTreeMap<(Uuids, String, String, String), (String, AccessSource)>;
type Uuids = (uuid::Uuid, uuid::Uuid);

/// Whether a right's level says what it is a right to.
fn is_of_a_thing(right: AccessRight) -> bool {
    match right {
        AccessRight::UseFeature
        | AccessRight::HoldJobRole
        | AccessRight::ViewLocation
        | AccessRight::ChooseLocation
        | AccessRight::ReadTaxId
        | AccessRight::PlanRole => true,
        AccessRight::ViewOrganization
        | AccessRight::ManageUsers
        | AccessRight::ViewNpi
        | AccessRight::ManagePin
        | AccessRight::ReadCorrespondence
        | AccessRight::SubmitTransactions => false,
    }
}

fn rank(source: AccessSource) -> usize {
    PREFERENCE.iter().position(|known| *known == source).unwrap_or(PREFERENCE.len())
}

/// What the register answers of the whole tenant.
struct Register {
    view: Snapshot,
    known_at: i64,
    asked: HashMap<DateTime<Utc>, States>,
}

impl Register {
    async fn at(&mut self, true_at: DateTime<Utc>) -> States {
        if let Some(known) = self.asked.get(&true_at) {
            return known.clone();
        }
        let moment = Moment { true_at, known_at: self.known_at };
        let everything = Question::default();
        let rows = access_register::page(&mut self.view, moment, &everything, None, 100_000).await;
        let mut states = States::new();
        for row in rows.expect("the register answers") {
            let AccessKey(user, organization, npi, right, _) = row.key;
            let of = if is_of_a_thing(row.right) {
                row.level.clone()
            } else {
                row.correspondence_type.unwrap_or_default()
            };
            let told = (row.level, row.source);
            let key = ((user, organization), npi, right, of);
            let known = states.entry(key).or_insert_with(|| told.clone());
            if rank(told.1) < rank(known.1) {
                *known = told;
            }
        }
        self.asked.insert(true_at, states.clone());
        states
    }

    async fn differences(
        &mut self,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        question: &Question,
        filter: ChangeFilter,
        at_once: i64,
    ) -> Vec<AccessChange> {
        let span = Span { from, to, known_at: self.known_at };
        let mut found: Vec<AccessChange> = Vec::new();
        loop {
            let after = found.last().map(|change| change.key.clone());
            let page = access_register::changes(
                &mut self.view,
                span,
                (question, filter),
                after.as_ref(),
                at_once,
            );
            let page = page.await.expect("the register answers");
            let is_last = (page.len() as i64) < at_once;
            found.extend(page);
            if is_last {
                return found;
            }
        }
    }
}

fn key(change: &AccessChange) -> (Uuids, String, String, String) {
    let AccessKey(user, organization, npi, right, of) = change.key.clone();
    ((user, organization), npi, right, of)
}

fn essence(change: &AccessChange) -> (AccessKey, Change, DateTime<Utc>, i64) {
    (change.key.clone(), change.change, change.happened_at, change.cause_position)
}

/// The differences are those of the register, and each right is since its moment as it is at the end.
async fn differences_agree(register: &mut Register, (from, to): (DateTime<Utc>, DateTime<Utc>)) {
    let (before, after) = (register.at(from).await, register.at(to).await);
    let none = ChangeFilter::default();
    let whole = register.differences((from, to), &Question::default(), none, 100_000).await;
    let told: BTreeMap<_, _> = whole
        .iter()
        .map(|change| (key(change), (change.before.clone(), change.after.clone())))
        .collect();
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let expected: BTreeMap<_, _> = keys
        .into_iter()
        .map(|key| (key.clone(), (before.get(&key).cloned(), after.get(&key).cloned())))
        .filter(|(_, (before, after))| before != after)
        .collect();
    assert_eq!(told, expected, "from {from} to {to}");
    let between: Vec<_> = register.asked.keys().copied().collect();
    for change in &whole {
        let at = change.happened_at;
        assert!(from < at && at <= to, "from {from} to {to}: {change:?}");
        let kind = match (&change.before, &change.after) {
            (None, _) => Change::Gained,
            (Some(_), None) => Change::Lost,
            (Some(_), Some(_)) => Change::Changed,
        };
        assert_eq!(change.change, kind);
        let key = key(change);
        let just_before = register.at(at - TimeDelta::microseconds(1)).await;
        assert_ne!(just_before.get(&key), change.after.as_ref(), "before {change:?}");
        let since = between.iter().copied().filter(|moment| at < *moment && *moment <= to);
        for moment in since.chain([at]).collect::<Vec<_>>() {
            let then = register.at(moment).await;
            assert_eq!(then.get(&key), change.after.as_ref(), "at {moment}: {change:?}");
        }
    }
    questions_agree(register, (from, to), &whole).await;
}

/// However narrow a question is and however short its pages, its differences are those that fit it.
async fn questions_agree(
    register: &mut Register,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    whole: &[AccessChange],
) {
    let none = ChangeFilter::default();
    let mut questions = vec![(Question::default(), none)];
    for change in [whole.first(), whole.get(whole.len() / 2), whole.last()].into_iter().flatten() {
        let (user, organization) = (Some(change.user), change.organization);
        let (npi, right) = (change.npi.clone(), Some(change.right));
        let of = |user, organization, npi, right| Question {
            user,
            organization,
            npi,
            right,
            within: None,
        };
        let by = ChangeFilter { change: None, cause: Some(change.cause) };
        let kind = ChangeFilter { change: Some(change.change), cause: None };
        questions.extend([
            (of(user, None, None, None), none),
            (of(None, organization, None, None), none),
            (of(None, None, npi.clone(), None), none),
            (of(user, organization, npi, right), none),
            (of(None, None, None, right), by),
            (Question { within: organization.map(|id| vec![id]), ..Question::default() }, kind),
        ]);
    }
    for (question, filter) in questions {
        let fits = |change: &&AccessChange| {
            question.user.is_none_or(|user| change.user == user)
                && (question.organization.is_none() || change.organization == question.organization)
                && (question.npi.is_none() || change.npi == question.npi)
                && question.right.is_none_or(|right| change.right == right)
                && question.within.as_ref().is_none_or(|within| {
                    change.organization.is_some_and(|organization| within.contains(&organization))
                })
                && filter.change.is_none_or(|kind| change.change == kind)
                && filter.cause.is_none_or(|cause| change.cause == cause)
        };
        let expected: Vec<_> = whole.iter().filter(fits).map(essence).collect();
        let found = register.differences((from, to), &question, filter, 7).await;
        let found: Vec<_> = found.iter().map(essence).collect();
        assert_eq!(found, expected, "{question:?} {filter:?} from {from} to {to}");
        let span = Span { from, to, known_at: register.known_at };
        let counts =
            access_register::change_counts(&mut register.view, span, (&question, filter)).await;
        let mut counted: HashMap<_, i64> = HashMap::new();
        for change in whole.iter().filter(fits) {
            *counted.entry((change.change, change.cause)).or_default() += 1;
        }
        let counts = counts.expect("the register answers").into_iter();
        let counts: HashMap<_, _> =
            counts.map(|each| ((each.change, each.cause), each.count)).collect();
        assert_eq!(counts, counted, "{question:?} {filter:?} from {from} to {to}");
    }
}

async fn check(portal: &Portal, slug: &str, operations: Vec<Operation>) {
    let world = portal.another_tenant(slug, Preset::MediCal).await;
    let journal = &portal.service.commands.journal;
    let position = || async { journal.tenant_position(world.tenant).await.expect("a position") };
    let mut moments = vec![(journal.now(), position().await)];
    for operation in operations {
        portal.advance(Duration::from_secs(1));
        apply(portal, &world, &operation).await;
        moments.push((journal.now(), position().await));
    }
    let (first, middle) = (moments[0].0, moments[moments.len() / 2]);
    let (last, head) = *moments.last().expect("at least one moment");
    let later = last + TimeDelta::hours(50);
    let known_then = [(first, middle.0)];
    let known_now = [(first, last), (middle.0, last), (first, later), (last, later)];
    for (known_at, spans) in [(middle.1, &known_then[..]), (head, &known_now[..])] {
        let ask = Ask { tenant: world.tenant, projections: NAMES, min_position: Some(head) };
        let view = portal.service.reads.snapshot(ask).await.expect("the register catches up");
        let mut register = Register { view, known_at, asked: HashMap::new() };
        for (moment, _) in &moments {
            register.at(*moment).await;
        }
        for span in spans {
            differences_agree(&mut register, *span).await;
        }
    }
}

#[test]
fn gn_14_the_difference_agrees_with_the_register_at_both_moments_whatever_happened() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let portal = runtime.block_on(Portal::empty());
    let config = Config { cases: 8, failure_persistence: None, ..Config::default() };
    let case = Cell::new(0);
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..20), |operations| {
        case.set(case.get() + 1);
        let slug = format!("span-{}", case.get());
        runtime.block_on(check(&portal, &slug, operations));
        Ok(())
    });
    outcome.expect("differences and the register agree");
    runtime.block_on(portal.finish());
}
