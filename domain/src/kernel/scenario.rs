//! Given these events, when this command comes, then exactly those events follow, or that refusal.
//!
//! Invariant: `then` compares the whole list, and the state a command meets was built from events
//! only, never by hand; every event also survives serialisation and is named after its aggregate.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Actor, Decider, Decision, golden};
use crate::Event;
use crate::policies::{Policy, Preset};
use crate::refusal::{Code, Refusal};

/// The moment at which scenarios begin unless they say otherwise: 2 March 2026, 17:00 UTC.
pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_470_800, 0).expect("a valid timestamp")
}

/// `seconds` after [`start`].
pub fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// The `n`-th id of a test, of any typed id.
pub fn id<I: From<Uuid>>(n: u128) -> I {
    I::from(Uuid::from_u128(n))
}

/// A stream with a history, at a moment, with somebody about to act.
pub struct Given<A> {
    state: A,
    now: DateTime<Utc>,
    actor: Actor,
    policy: Policy,
}

/// A stream in which these events have happened.
#[track_caller]
pub fn given<A: Decider>(events: &[A::Event]) -> Given<A> {
    let mut state = A::default();
    for event in events {
        assert_storable::<A>(event);
        state.evolve(event);
    }
    Given { state, now: start(), actor: Actor::SYSTEM, policy: Policy::from(Preset::MediCal) }
}

impl<A: Decider> Given<A> {
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.now = now;
        self
    }

    pub fn by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// Under another policy than Medi-Cal's.
    pub fn under(mut self, policy: impl Into<Policy>) -> Self {
        self.policy = policy.into();
        self
    }

    /// The state that the events so far add up to.
    pub fn state(self) -> A {
        self.state
    }

    pub fn when(self, command: A::Command) -> Outcome<A> {
        let decision = Decision { now: self.now, actor: self.actor, policy: &self.policy };
        let result = self.state.decide(&decision, command).map_err(Into::into);
        Outcome { state: self.state, result }
    }
}

/// What came of a command.
pub struct Outcome<A: Decider> {
    state: A,
    result: Result<Vec<A::Event>, Refusal>,
}

impl<A: Decider> Outcome<A> {
    /// Asserts the whole list of events and returns the state they lead to.
    #[track_caller]
    pub fn then(mut self, expected: &[A::Event]) -> A {
        let events = self.result.expect("the command should be accepted");
        assert_eq!(events, expected);
        for event in &events {
            assert_storable::<A>(event);
            self.state.evolve(event);
        }
        self.state
    }

    /// The events, where a test needs to look inside them.
    #[track_caller]
    pub fn events(&self) -> &[A::Event] {
        self.result.as_ref().expect("the command should be accepted")
    }

    /// Asserts the refusal's code and returns the refusal.
    #[track_caller]
    pub fn refused(self, code: Code) -> Refusal {
        let refusal = self.result.expect_err("the command should be refused");
        assert_eq!(refusal.code, code);
        refusal
    }
}

#[track_caller]
fn assert_storable<A: Decider>(event: &A::Event) {
    let json = serde_json::to_value(event).expect("an event serialises");
    let loaded: A::Event = serde_json::from_value(json).expect("a stored event loads");
    assert_eq!(&loaded, event);
    let fact = event.event_type().strip_prefix(A::TYPE).and_then(|rest| rest.strip_prefix('.'));
    assert!(fact.is_some(), "{} is not an event of {}", event.event_type(), A::TYPE);
    golden::assert_kept::<A>(event);
}
