//! A decider: pure functions from state and command to events, and from event to state.

use chrono::{DateTime, Utc};

use super::{Actor, Event};
use crate::{Refusal, policies::Policy};

/// What a decision may know besides the state it decides on.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The injected clock's time, UTC.
    pub now: DateTime<Utc>,
    pub actor: Actor,
    /// The tenant's policy in force at `now`.
    pub policy: &'a Policy,
}

/// An aggregate: the state of one stream and its rules.
///
/// `decide` never mutates, `evolve` never refuses, neither does IO. Creating state is `Default`:
/// the stream that has no event yet.
pub trait Decider: Default + Clone + Send + Sync + 'static {
    /// The stored aggregate type `<context>.<aggregate>`; the first two parts of its events' names.
    const TYPE: &'static str;
    type Command;
    type Event: Event;
    type Refusal: Into<Refusal>;

    /// The events that follow from `command`, or why not.
    ///
    /// # Errors
    /// The aggregate's typed refusal; nothing has changed then.
    fn decide(
        &self,
        decision: &Decision<'_>,
        command: Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Takes a fact in. Total over the events: a fact that happened is never refused.
    fn evolve(&mut self, event: &Self::Event);
}
