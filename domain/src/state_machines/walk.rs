//! The walk: random commands by random people at random times, each held against the table.
//!
//! Invariant: a walk that did not see every state meet every command proves nothing and fails.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::kernel::scenario::{id, start};
use crate::policies::{Policy, Preset};
use crate::{Actor, Code, Decider, Decision, Refusal};

/// Who acts. The subject is the person whom the machine is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Subject,
    Other,
    Plan,
    Operator,
    System,
    Visitor,
}

impl Who {
    const ALL: [Self; 6] =
        [Self::Subject, Self::Other, Self::Plan, Self::Operator, Self::System, Self::Visitor];

    fn actor(self) -> Actor {
        match self {
            Self::Subject => Actor::user(id(1)),
            Self::Other => Actor::user(id(2)),
            Self::Plan => Actor::plan_staff(id(3)),
            Self::Operator => Actor::operator(id(4)),
            Self::System => Actor::SYSTEM,
            Self::Visitor => Actor::ANONYMOUS,
        }
    }
}

/// What the table says about a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer<S> {
    /// Accepted and written down; then it stands there.
    To(S),
    /// Accepted; whether or not something is written down, it stands where it stood.
    Stays,
    /// Accepted, and there is nothing to write down.
    Nothing,
    Refused(Code),
}

/// A machine: the table with what it needs to know of time, and how the aggregate shows its state.
pub(super) trait Machine: Default {
    type Aggregate: Decider<Event: Debug, Refusal: Debug>;
    type State: Copy + Ord + Debug;
    type Input: Copy + Ord + Debug + 'static;

    /// What may be asked; what should come often stands in it more than once.
    const INPUTS: &'static [Self::Input];
    /// The arrows of section 4, by the names of [`Machine::name`].
    const ARROWS: &'static [(&'static str, &'static str)];
    /// The length of the longest walk.
    const STEPS: usize = 40;

    fn states() -> Vec<Self::State>;
    /// The state's name in section 4.
    fn name(state: Self::State) -> &'static str;
    /// The table.
    fn table(state: Self::State, input: Self::Input, who: Who) -> Answer<Self::State>;

    fn policy() -> Policy {
        Policy::from(Preset::MediCal)
    }
    /// What happened before the walk begins.
    fn history() -> Vec<<Self::Aggregate as Decider>::Event> {
        Vec::new()
    }
    /// Where the table's own book-keeping says that it stands at `now`.
    fn state(&self, now: DateTime<Utc>) -> Self::State;
    /// The moments at which time alone changes something.
    fn limits(&self) -> Vec<DateTime<Utc>>;
    fn command(
        &self,
        input: Self::Input,
        now: DateTime<Utc>,
    ) -> <Self::Aggregate as Decider>::Command;
    /// Takes down that a command led to `state`.
    fn went(&mut self, input: Self::Input, state: Self::State, now: DateTime<Utc>);
    /// Where the aggregate says that it stands, `last` being the newest event.
    fn shown(
        aggregate: &Self::Aggregate,
        last: Option<&<Self::Aggregate as Decider>::Event>,
        now: DateTime<Utc>,
    ) -> Self::State;
    /// The part of a state that an aggregate shows.
    fn visible(state: Self::State) -> Self::State {
        state
    }
}

/// How long somebody waits before they act.
#[derive(Clone, Copy, Debug)]
enum Wait {
    No,
    Seconds(i64),
    /// Until so many seconds from the n-th limit ahead.
    Limit(usize, i64),
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        12 => Just(Wait::No),
        2 => (1..100_000_i64).prop_map(Wait::Seconds),
        2 => (0..4_usize, -1..=0_i64).prop_map(|(nth, by)| Wait::Limit(nth, by)),
    ]
}

/// What somebody asks for.
#[derive(Clone, Copy, Debug)]
enum Choice<I> {
    Any(I),
    /// The n-th of what leads elsewhere from here: so walks come far before they come to an end.
    Onward(usize),
}

impl<I: Copy + Debug> Choice<I> {
    fn of<M: Machine<Input = I>>(self, state: M::State, who: Who) -> I {
        let leads_on =
            |input: &&I| matches!(M::table(state, **input, who), Answer::To(to) if to != state);
        match self {
            Self::Any(input) => input,
            Self::Onward(nth) => {
                let onward: Vec<_> = M::INPUTS.iter().filter(leads_on).collect();
                onward.get(nth % onward.len().max(1)).map_or(M::INPUTS[0], |input| **input)
            }
        }
    }
}

type Step<I> = (Wait, Who, Choice<I>);

fn step<I: Copy + Debug + 'static>(inputs: &'static [I]) -> impl Strategy<Value = Step<I>> {
    let choice = prop_oneof![
        2 => prop::sample::select(inputs).prop_map(Choice::Any),
        1 => (0..60_usize).prop_map(Choice::Onward),
    ];
    (wait(), prop::sample::select(&Who::ALL[..]), choice)
}

/// A line of a table.
type Line<M> = (<M as Machine>::State, <M as Machine>::Input, Answer<<M as Machine>::State>);

/// What the walks have seen.
struct Seen<M: Machine> {
    met: BTreeSet<Line<M>>,
    arrows: BTreeSet<(&'static str, &'static str)>,
}

impl<M: Machine> Seen<M> {
    /// Every line of the table was tried and every arrow of section 4 was gone, and no other.
    #[track_caller]
    fn assert_everything(&self) {
        for state in M::states() {
            for (input, who) in M::INPUTS.iter().flat_map(|it| Who::ALL.map(|who| (*it, who))) {
                let answer = M::table(state, input, who);
                let met = self.met.contains(&(state, input, answer));
                assert!(met, "no walk came to {state:?} {input:?} by {who:?}: {answer:?}");
            }
        }
        assert_eq!(self.arrows, M::ARROWS.iter().copied().collect(), "the arrows gone");
    }
}

/// Thousands of walks, the same ones each time: what they come to see does not depend on luck.
#[track_caller]
pub(super) fn walks<M: Machine>() {
    let seen = RefCell::new(Seen::<M> { met: BTreeSet::new(), arrows: BTreeSet::new() });
    let config = Config { cases: 6_000, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(step(M::INPUTS), 1..=M::STEPS);
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let walked = TestRunner::new_with_rng(config, rng)
        .run(&steps, |steps| walk::<M>(&steps, &mut seen.borrow_mut()));
    match walked {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}, on the way {steps:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
    seen.into_inner().assert_everything();
}

fn walk<M: Machine>(steps: &[Step<M::Input>], seen: &mut Seen<M>) -> Result<(), TestCaseError> {
    let (mut now, policy) = (start(), M::policy());
    let (mut machine, mut aggregate, mut last) = (M::default(), M::Aggregate::default(), None);
    for event in M::history() {
        aggregate.evolve(&event);
        last = Some(event);
    }
    for (wait, who, choice) in steps.iter().copied() {
        now = now.max(moment(&machine, wait, now));
        let from = machine.state(now);
        let input = choice.of::<M>(from, who);
        let shown = M::shown(&aggregate, last.as_ref(), now);
        prop_assert_eq!(shown, M::visible(from), "before {:?} at {}", input, now);

        let answer = M::table(from, input, who);
        seen.met.insert((from, input, answer));
        let decision = Decision { now, actor: who.actor(), policy: &policy };
        let decided = aggregate.decide(&decision, machine.command(input, now));
        let at = format!("{from:?} {input:?} by {who:?} at {now}");
        let events = judged(answer, decided.map_err(Into::into))
            .map_err(|wrong| TestCaseError::fail(format!("{at}: {wrong}")))?;
        let mut stood = M::name(M::shown(&aggregate, last.as_ref(), now));
        for event in events {
            aggregate.evolve(&event);
            last = Some(event);
            let stands = M::name(M::shown(&aggregate, last.as_ref(), now));
            if stands != stood {
                seen.arrows.insert((stood, stands));
            }
            stood = stands;
        }
        if let Answer::To(to) = answer {
            machine.went(input, to, now);
        }
        let shown = M::shown(&aggregate, last.as_ref(), now);
        prop_assert_eq!(shown, M::visible(machine.state(now)), "after {}", at);
    }
    Ok(())
}

/// The events, if what was decided is what the table says.
fn judged<S: Debug, E: Debug>(
    answer: Answer<S>,
    decided: Result<Vec<E>, Refusal>,
) -> Result<Vec<E>, String> {
    match (answer, decided) {
        (Answer::Refused(code), Err(refusal)) if refusal.code == code => Ok(Vec::new()),
        (Answer::To(_), Ok(events)) if !events.is_empty() => Ok(events),
        (Answer::Nothing, Ok(events)) if events.is_empty() => Ok(events),
        (Answer::Stays, Ok(events)) => Ok(events),
        (answer, decided) => Err(format!("should be {answer:?}, is {decided:?}")),
    }
}

fn moment<M: Machine>(machine: &M, wait: Wait, now: DateTime<Utc>) -> DateTime<Utc> {
    match wait {
        Wait::No => now,
        Wait::Seconds(seconds) => now + TimeDelta::seconds(seconds),
        Wait::Limit(nth, by) => {
            let ahead = machine.limits().into_iter().filter(|limit| *limit > now);
            let ahead: Vec<_> = ahead.collect::<BTreeSet<_>>().into_iter().collect();
            let limit = (!ahead.is_empty()).then(|| ahead[nth % ahead.len()]);
            limit.map_or(now, |limit| limit + TimeDelta::seconds(by))
        }
    }
}
