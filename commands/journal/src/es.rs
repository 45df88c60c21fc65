//! The journal in the vocabulary of cqrs-es 0.5, so that its framework and test tools run on our
//! deciders and our log.
//!
//! Invariant: states are never stored. cqrs-es 0.5 applies events twice in its snapshot and
//! aggregate-store modes, so [`Es`] refuses to be serialised.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use cqrs_es::{
    Aggregate, AggregateContext, AggregateError, DomainEvent, EventEnvelope, EventStore,
    event_sink::EventSink,
};
use rollcall_domain::{Actor, Decider, Decision, Event, Refusal, policies::Policy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use uuid::Uuid;

use crate::{
    clock::Clock,
    envelope::Header,
    error::{CommitError, JournalError},
    journal::{Journal, Loaded},
};

const NO_SNAPSHOTS: &str = "states are not stored: use the event store without snapshots";

/// A decider as a cqrs-es aggregate.
#[derive(Clone, Debug, Default)]
pub struct Es<A>(Arc<A>);

impl<A> Es<A> {
    /// The state itself.
    #[must_use]
    pub fn state(&self) -> &A {
        &self.0
    }
}

/// An event as a cqrs-es domain event; serialises as the event alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "E: Event")]
pub struct Stored<E>(pub E);

/// What a decision may know besides the state.
pub struct EsServices {
    pub clock: Arc<dyn Clock>,
    pub actor: Actor,
    pub policy: Policy,
}

impl<E: Event> DomainEvent for Stored<E> {
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }

    fn event_version(&self) -> String {
        self.0.event_version().to_owned()
    }
}

impl<A: Decider> Aggregate for Es<A>
where
    A::Command: Send,
    A::Refusal: Send,
{
    const TYPE: &'static str = A::TYPE;
    type Command = A::Command;
    type Event = Stored<A::Event>;
    type Error = Refusal;
    type Services = EsServices;

    async fn handle(
        &mut self,
        command: A::Command,
        services: &EsServices,
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        let EsServices { clock, actor, policy } = services;
        let decision = Decision { now: clock.now(), actor: *actor, policy };
        for event in self.0.decide(&decision, command).map_err(Into::into)? {
            sink.write(Stored(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        Arc::make_mut(&mut self.0).evolve(&event.0);
    }
}

impl<A> Serialize for Es<A> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(NO_SNAPSHOTS))
    }
}

impl<'de, A> Deserialize<'de> for Es<A> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom(NO_SNAPSHOTS))
    }
}

/// The log as a cqrs-es event store of one tenant's streams of one type. Every commit is a command
/// of its own, under the header that `headers` makes for it.
pub struct EsStore<A> {
    journal: Journal,
    headers: Box<dyn Fn() -> Header + Send + Sync>,
    aggregate: PhantomData<fn() -> A>,
}

impl<A: Decider> EsStore<A> {
    /// `headers` makes a header with a new command id on each call, always of the same tenant.
    pub fn new(journal: Journal, headers: impl Fn() -> Header + Send + Sync + 'static) -> Self {
        Self { journal, headers: Box::new(headers), aggregate: PhantomData }
    }
}

/// A stream between load and commit.
pub struct EsContext<A> {
    id: Uuid,
    version: i64,
    aggregate: Es<A>,
}

impl<A: Decider> AggregateContext<Es<A>> for EsContext<A>
where
    A::Command: Send,
    A::Refusal: Send,
{
    fn aggregate(&mut self) -> &mut Es<A> {
        &mut self.aggregate
    }
}

impl<A: Decider> EventStore<Es<A>> for EsStore<A>
where
    A::Command: Send,
    A::Refusal: Send,
{
    type AC = EsContext<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<Es<A>>>, AggregateError<Refusal>> {
        let tenant = (self.headers)().tenant;
        let events = self.journal.events::<A>(tenant, parse(aggregate_id)?).await.map_err(error)?;
        Ok(envelopes(aggregate_id, 1, events, |_| HashMap::new()))
    }

    async fn load_aggregate(
        &self,
        aggregate_id: &str,
    ) -> Result<EsContext<A>, AggregateError<Refusal>> {
        let (tenant, id) = ((self.headers)().tenant, parse(aggregate_id)?);
        let Loaded { state, version } = self.journal.load(tenant, id).await.map_err(error)?;
        Ok(EsContext { id, version, aggregate: Es(state) })
    }

    /// The envelopes' metadata are `metadata` and the keys `position` (the tenant's, of the
    /// command's last event), `event_id` and `recorded_at`.
    async fn commit(
        &self,
        events: Vec<Stored<A::Event>>,
        context: EsContext<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<Es<A>>>, AggregateError<Refusal>> {
        let EsContext { id, version, aggregate } = context;
        // The state with the events applied; the work evolves the cached one itself.
        drop(aggregate);
        let mut work = self.journal.begin((self.headers)());
        let events: Vec<_> = events.into_iter().map(|Stored(event)| event).collect();
        work.record::<A>(id, events.clone()).await.map_err(error)?;
        if work.version::<A>(id).is_some_and(|current| current != version) {
            return Err(AggregateError::AggregateConflict);
        }
        let committed = match work.commit(serde_json::Value::Null).await {
            Ok(committed) => committed,
            Err(CommitError::Journal(cause)) => return Err(error(cause)),
            Err(CommitError::Taken(refusal)) => return Err(AggregateError::UserError(refusal)),
            Err(
                CommitError::Duplicate(_) | CommitError::Conflict { .. } | CommitError::Orphaned,
            ) => {
                return Err(AggregateError::AggregateConflict);
            }
        };
        Ok(envelopes(&id.to_string(), version + 1, events, |nth| {
            let mut metadata = metadata.clone();
            metadata.insert("position".to_owned(), committed.position.to_string());
            metadata.insert("event_id".to_owned(), committed.event_ids[nth].to_string());
            metadata.insert("recorded_at".to_owned(), committed.recorded_at.to_rfc3339());
            metadata
        }))
    }
}

fn envelopes<A: Decider>(
    aggregate_id: &str,
    first: i64,
    events: Vec<A::Event>,
    metadata: impl Fn(usize) -> HashMap<String, String>,
) -> Vec<EventEnvelope<Es<A>>>
where
    A::Command: Send,
    A::Refusal: Send,
{
    let first = usize::try_from(first).expect("sequences count from 1");
    let envelope = |(nth, event)| EventEnvelope {
        aggregate_id: aggregate_id.to_owned(),
        sequence: first + nth,
        payload: Stored(event),
        metadata: metadata(nth),
    };
    events.into_iter().enumerate().map(envelope).collect()
}

fn parse(aggregate_id: &str) -> Result<Uuid, AggregateError<Refusal>> {
    aggregate_id.parse().map_err(|error| AggregateError::UnexpectedError(Box::new(error)))
}

fn error(error: JournalError) -> AggregateError<Refusal> {
    match error {
        JournalError::Unavailable(_) | JournalError::Database(_) => {
            AggregateError::DatabaseConnectionError(Box::new(error))
        }
        JournalError::Decode { .. } | JournalError::Encode(_) => {
            AggregateError::DeserializationError(Box::new(error))
        }
        JournalError::Refused(_) | JournalError::Key(_) => {
            AggregateError::UnexpectedError(Box::new(error))
        }
    }
}
