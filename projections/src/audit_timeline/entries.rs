//! An event as the timeline and the log hold it, and as it is told.
//!
//! Invariant: telling needs nothing but what was read before, so it is done wherever there is time.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, AnyEvent,
    kernel::{ActorKind, DecodeError, EventSet},
};
use rollcall_journal::upcast::Upcasters;
use serde_json::value::RawValue;
use sqlx::{Decode, Postgres, Row as _, Type, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{
    Outcome,
    sentences::{Names, Telling, sentence},
};

/// One event, told.
#[derive(Clone, Debug)]
pub struct Entry {
    pub position: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub refused: bool,
    pub actor: Actor,
    pub actor_name: String,
    pub organization: Option<Uuid>,
    pub organization_name: Option<String>,
    pub subject: Option<Uuid>,
    pub subject_name: Option<String>,
    pub subject_organization: Option<Uuid>,
    pub subject_organization_name: Option<String>,
    pub npi: Option<String>,
    pub command: String,
    pub session: Option<Uuid>,
    pub policy_version: i64,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub recorded_at: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub effective_at: DateTime<Utc>,
    /// JSON as it is kept; nothing personal.
    pub before: Option<Box<RawValue>>,
    pub after: Option<Box<RawValue>>,
    /// Where the request came from, as far as [`Sight::of_addresses`](super::Sight) reaches.
    pub client_address: Option<String>,
    pub sentence: String,
    /// The stream's id.
    pub stream: Uuid,
    /// The event itself; what is sealed in it reads as erased.
    pub event: AnyEvent,
}

/// Why entries could not be told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the event at {position} cannot be told: {source}")]
    Unreadable { position: i64, source: DecodeError },
}

/// What the timeline holds of an event.
pub(super) struct Row {
    pub position: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub outcome: String,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub organization_id: Option<Uuid>,
    pub subject_id: Option<Uuid>,
    pub subject_organization_id: Option<Uuid>,
    pub npi: Option<String>,
    pub command: String,
    pub session_id: Option<Uuid>,
    pub policy_version: i64,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub recorded_at: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub effective_at: DateTime<Utc>,
    pub before: Option<Json<Box<RawValue>>>,
    pub after: Option<Json<Box<RawValue>>>,
    pub client_address: Option<String>,
}

/// What the log itself holds of it; what is sealed in it stays sealed here.
pub(super) struct Source {
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub event_version: String,
    pub payload: Json<Box<RawValue>>,
}

/// The columns of a [`Row`] and of a [`Source`], in the order in which they are read.
pub(super) const COLUMNS: &str = "t.position, t.event_id, t.event_type, t.outcome, t.actor_kind,
   t.actor_id, t.organization_id, t.subject_id, t.subject_organization_id, t.npi, t.command,
   t.session_id, t.policy_version, t.correlation_id, t.causation_id, t.recorded_at, t.occurred_at,
   t.effective_at, t.before, t.after, host(t.client_address)";
pub(super) const SOURCE: &str = "e.aggregate_type, e.aggregate_id, e.event_version, e.payload";
pub(super) const ITS_EVENT: &str =
    "JOIN es.events e ON e.tenant_id = t.tenant_id AND e.tenant_position = t.position";
/// The columns of a row, one after the other: by their names each would be looked up in each row.
pub(super) struct Columns<'r>(&'r PgRow, usize);

impl<'r> Columns<'r> {
    pub fn of(row: &'r PgRow) -> Self {
        Self(row, 0)
    }

    pub fn next<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, sqlx::Error> {
        self.1 += 1;
        self.0.try_get(self.1 - 1)
    }

    pub fn row(&mut self) -> Result<Row, sqlx::Error> {
        Ok(Row {
            position: self.next()?,
            event_id: self.next()?,
            event_type: self.next()?,
            outcome: self.next()?,
            actor_kind: self.next()?,
            actor_id: self.next()?,
            organization_id: self.next()?,
            subject_id: self.next()?,
            subject_organization_id: self.next()?,
            npi: self.next()?,
            command: self.next()?,
            session_id: self.next()?,
            policy_version: self.next()?,
            correlation_id: self.next()?,
            causation_id: self.next()?,
            recorded_at: self.next()?,
            occurred_at: self.next()?,
            effective_at: self.next()?,
            before: self.next()?,
            after: self.next()?,
            client_address: self.next()?,
        })
    }

    pub fn source(&mut self) -> Result<Source, sqlx::Error> {
        Ok(Source {
            aggregate_type: self.next()?,
            aggregate_id: self.next()?,
            event_version: self.next()?,
            payload: self.next()?,
        })
    }
}

/// Both, read together.
pub(super) fn both(row: PgRow) -> Result<(Row, Source), sqlx::Error> {
    let mut columns = Columns::of(&row);
    Ok((columns.row()?, columns.source()?))
}

/// Events that were read and have yet to be told, which needs no database.
pub struct Untold {
    pub(super) rows: Vec<(Row, Source)>,
    pub(super) names: Names,
    pub(super) upcasters: Upcasters,
}

impl Untold {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The positions of the first and of the last.
    #[must_use]
    pub fn ends(&self) -> Option<(i64, i64)> {
        Some((self.rows.first()?.0.position, self.rows.last()?.0.position))
    }

    /// The events, told in their order, one after the other.
    pub fn tell(self) -> impl Iterator<Item = Result<Entry, TellError>> {
        let Self { rows, names, upcasters } = self;
        rows.into_iter().map(move |(row, source)| row.told(&source, &names, &upcasters))
    }
}

impl Source {
    fn event(&self, event_type: &str, upcasters: &Upcasters) -> Result<AnyEvent, DecodeError> {
        let (of, payload) = (&self.aggregate_type, self.payload.get());
        if !upcasters.concern(event_type, &self.event_version) {
            return AnyEvent::decode_text(of, event_type, payload);
        }
        let payload = serde_json::from_str(payload)
            .map_err(|source| DecodeError::Payload { event_type: event_type.to_owned(), source })?;
        let payload = upcasters.apply(event_type, &self.event_version, payload);
        AnyEvent::decode(of, event_type, payload)
    }
}

impl Row {
    fn told(
        self,
        source: &Source,
        names: &Names,
        upcasters: &Upcasters,
    ) -> Result<Entry, TellError> {
        let unreadable = |source| TellError::Unreadable { position: self.position, source };
        let kind = ActorKind::parse(&self.actor_kind).unwrap_or(ActorKind::System);
        let actor = Actor { kind, id: self.actor_id };
        let event = source.event(&self.event_type, upcasters).map_err(unreadable)?;
        let telling = Telling { names, actor };
        let person = |id: Option<Uuid>| id.and_then(|id| names.people.get(&id).cloned());
        let organization =
            |id: Option<Uuid>| id.and_then(|id| names.organizations.get(&id).cloned());
        Ok(Entry {
            sentence: sentence(&event, telling),
            actor_name: telling.who(),
            organization_name: organization(self.organization_id),
            subject_name: person(self.subject_id),
            subject_organization_name: organization(self.subject_organization_id),
            position: self.position,
            event_id: self.event_id,
            event_type: self.event_type,
            refused: self.outcome == Outcome::Refused.as_str(),
            actor,
            organization: self.organization_id,
            subject: self.subject_id,
            subject_organization: self.subject_organization_id,
            npi: self.npi,
            command: self.command,
            session: self.session_id,
            policy_version: self.policy_version,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            recorded_at: self.recorded_at,
            occurred_at: self.occurred_at,
            effective_at: self.effective_at,
            before: self.before.map(|side| side.0),
            after: self.after.map(|side| side.0),
            client_address: self.client_address,
            // Ids of streams are UUIDs.
            stream: source.aggregate_id.parse().unwrap_or_default(),
            event,
        })
    }
}
