//! Exposure tells at every moment what the rule said then, whatever happened (property).

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use rollcall_domain::{
    kernel::ids::UserId,
    permissions::{Right, right_use::UsedRight},
    policies::Preset,
};
use rollcall_projections::{
    Ask, NAMES,
    access_register::{self, AskedRight, Moment, Question, Times, Window},
};

use super::{
    Rights, Witness, by_the_register, by_the_rule,
    operations::{Operation, apply, operation},
};
use crate::support::{Portal, World};

/// When each person was entitled to a right, and when it was enforced.
type Exposed = BTreeMap<UserId, (Times, Times)>;

fn asked(right: &Right) -> AskedRight {
    let UsedRight { kind, npi, of } = UsedRight::of_right(right);
    AskedRight::parse(kind, npi.as_ref(), of.as_deref()).expect("a right of the register")
}

fn covers(times: &Times, at: DateTime<Utc>) -> bool {
    times.iter().any(|(from, until)| *from <= at && until.is_none_or(|end| at < end))
}

async fn exposed(portal: &Portal, world: &World, right: &AskedRight, head: i64) -> Exposed {
    let ask = Ask { tenant: world.tenant, projections: NAMES, min_position: Some(head) };
    let mut view = portal.service.reads.snapshot(ask).await.expect("the register catches up");
    // The last event may be recorded microseconds after the moment at which the clock stands.
    let recorded = access_register::recorded_at(&mut view, head).await.expect("the log answers");
    let now = portal.service.commands.journal.now().max(recorded.expect("an event"));
    let window = Window { from: None, to: None, known_at: head, now };
    let question = Question { organization: Some(world.clinic.id.0), ..Question::default() };
    let mut exposed = Exposed::new();
    let mut after = None;
    loop {
        let page =
            access_register::exposures(&mut view, window, (right, &question), after.as_ref(), 3);
        let page = page.await.expect("the register answers");
        for exposure in &page {
            let of_user = exposed.entry(UserId(exposure.user)).or_default();
            of_user.0.extend(exposure.entitled.iter().copied());
            of_user.1.extend(exposure.enforced.iter().copied());
            // What began it is known; what has no end yet ended by nothing.
            let ends = exposure.entitled.last().or(exposure.enforced.last());
            let ended = ends.is_some_and(|(_, until)| until.is_some());
            assert!(exposure.began.is_some(), "{exposure:?}");
            assert_eq!(exposure.ended.is_some(), ended, "{exposure:?}");
        }
        let Some(last) = page.last().filter(|_| page.len() == 3) else { break };
        after = Some(last.key.clone());
    }
    exposed
}

#[track_caller]
fn assert_tells(
    exposed: &Exposed,
    enforced: bool,
    rights: &Rights,
    right: &Right,
    at: DateTime<Utc>,
) {
    let people: BTreeSet<UserId> =
        rights.keys().map(|(user, _)| *user).chain(exposed.keys().copied()).collect();
    for user in people {
        let times = exposed.get(&user).map(|times| if enforced { &times.1 } else { &times.0 });
        let told = times.is_some_and(|times| covers(times, at));
        let held = rights.contains_key(&(user, right.clone()));
        let clock = if enforced { "enforced" } else { "entitled" };
        assert_eq!(told, held, "{right:?} of {user} {clock} at {at}: {times:?}");
    }
}

async fn check(portal: &Portal, slug: &str, operations: Vec<Operation>) {
    let world = portal.another_tenant(slug, Preset::MediCal).await;
    let journal = &portal.service.commands.journal;
    let mut witnesses = Vec::new();
    for operation in operations {
        portal.advance(Duration::from_secs(1));
        apply(portal, &world, &operation).await;
        let known_at = journal.tenant_position(world.tenant).await.expect("a position");
        let moment = Moment { true_at: journal.now(), known_at };
        witnesses.push(Witness { moment, rights: by_the_rule(portal, &world).await });
    }
    let Some(Witness { moment: last, .. }) = witnesses.last() else { return };
    let head = last.known_at;
    let mut true_then: Vec<(DateTime<Utc>, Rights)> = Vec::new();
    let middle = witnesses[witnesses.len() / 2].moment.true_at;
    for true_at in [middle, last.true_at, last.true_at + TimeDelta::hours(50)] {
        let moment = Moment { true_at, known_at: head };
        true_then.push((true_at, by_the_register(portal, &world, moment).await));
    }
    let rights: BTreeSet<Right> = witnesses
        .iter()
        .map(|witness| &witness.rights)
        .chain(true_then.iter().map(|(_, rights)| rights))
        .flat_map(|rights| rights.keys().map(|(_, right)| right.clone()))
        .collect();
    for right in rights {
        let exposed = exposed(portal, &world, &asked(&right), head).await;
        for Witness { moment, rights } in &witnesses {
            // Recorded times are microseconds apart where the clock stands still, and it does so for
            // a second; what an operation did is enforced a little after the clock's moment.
            let recorded = moment.true_at + TimeDelta::milliseconds(1);
            assert_tells(&exposed, true, rights, &right, recorded);
        }
        for (at, rights) in &true_then {
            assert_tells(&exposed, false, rights, &right, *at);
        }
    }
}

#[test]
fn gn_14_exposure_tells_what_the_rule_said_at_every_moment_whatever_happened() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let portal = runtime.block_on(Portal::empty());
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let case = Cell::new(0);
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..20), |operations| {
        case.set(case.get() + 1);
        let slug = format!("exposure-{}", case.get());
        runtime.block_on(check(&portal, &slug, operations));
        Ok(())
    });
    outcome.expect("exposure and the rule agree");
    runtime.block_on(portal.finish());
}
