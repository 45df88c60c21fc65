//! Questions to the timeline: pages by filter and sight, single entries, counts.
//!
//! Invariant: a page costs three statements however long it is, one more where words are looked for,
//! and shows no event outside the viewer's sight.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, AnyEvent,
    kernel::{ActorKind, DecodeError, EventSet},
};
use rollcall_journal::upcast::Upcasters;
use serde_json::value::RawValue;
use sqlx::{FromRow, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    Filter, Outcome, Sight,
    filter::restrict,
    names,
    sentences::{Names, Telling, sentence},
    text,
};
use crate::Snapshot;

/// In which order positions follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    NewestFirst,
    OldestFirst,
}

/// A keyset page: up to `limit` entries beyond position `after`.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    pub order: Order,
    pub after: Option<i64>,
    pub limit: i64,
}

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

#[derive(FromRow)]
struct Row {
    position: i64,
    event_id: Uuid,
    event_type: String,
    outcome: String,
    actor_kind: String,
    actor_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    subject_id: Option<Uuid>,
    subject_organization_id: Option<Uuid>,
    npi: Option<String>,
    command: String,
    session_id: Option<Uuid>,
    policy_version: i64,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    recorded_at: DateTime<Utc>,
    occurred_at: DateTime<Utc>,
    effective_at: DateTime<Utc>,
    before: Option<Json<Box<RawValue>>>,
    after: Option<Json<Box<RawValue>>>,
    aggregate_type: String,
    aggregate_id: String,
    event_version: String,
    payload: Json<Box<RawValue>>,
}

/// The payload comes from the log itself; what is sealed in it stays sealed here.
const COLUMNS: &str = "t.position, t.event_id, t.event_type, t.outcome, t.actor_kind,
   t.actor_id, t.organization_id, t.subject_id, t.subject_organization_id, t.npi, t.command,
   t.session_id, t.policy_version, t.correlation_id, t.causation_id, t.recorded_at, t.occurred_at,
   t.effective_at, t.before, t.after, e.aggregate_type, e.aggregate_id, e.event_version,
   e.payload";
const ITS_EVENT: &str =
    "JOIN es.events e ON e.tenant_id = t.tenant_id AND e.tenant_position = t.position";

/// Entries to be picked by what follows `WHERE t.tenant_id = `.
fn entries() -> QueryBuilder<'static, Postgres> {
    QueryBuilder::new(format!(
        "SELECT {COLUMNS} FROM read.audit_timeline t {ITS_EVENT} WHERE t.tenant_id = "
    ))
}

/// Events that were read and have yet to be told, which needs no database.
pub struct Untold {
    rows: Vec<Row>,
    names: Names,
    upcasters: Upcasters,
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
        Some((self.rows.first()?.position, self.rows.last()?.position))
    }

    /// The events, told in their order, one after the other.
    pub fn tell(self) -> impl Iterator<Item = Result<Entry, TellError>> {
        let Self { rows, names, upcasters } = self;
        rows.into_iter().map(move |row| row.told(&names, &upcasters))
    }
}

/// One page, `limit` entries at most.
///
/// # Errors
/// See [`TellError`].
pub async fn page(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
    request: PageRequest,
) -> Result<Vec<Entry>, TellError> {
    untold_page(view, sight, filter, request).await?.tell().collect()
}

/// One page, to be told elsewhere.
///
/// # Errors
/// The database's.
pub async fn untold_page(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
    request: PageRequest,
) -> Result<Untold, sqlx::Error> {
    let words = text::meanings(view, &filter.words).await?;
    // The page first, then its events: joined before, the log is read from its end to a deep page.
    let mut query = QueryBuilder::new(format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM read.audit_timeline t WHERE t.tenant_id = "
    ));
    restrict(&mut query, view.tenant().0, sight, filter, &words);
    if let Some(after) = request.after {
        let beyond = match request.order {
            Order::NewestFirst => " AND t.position < ",
            Order::OldestFirst => " AND t.position > ",
        };
        query.push(beyond).push_bind(after);
    }
    let order = match request.order {
        Order::NewestFirst => "ORDER BY t.position DESC",
        Order::OldestFirst => "ORDER BY t.position",
    };
    query.push(format_args!(" {order} LIMIT ")).push_bind(request.limit);
    query.push(format_args!(") t {ITS_EVENT} {order}"));
    let rows = query.build_query_as().fetch_all(view.connection()).await?;
    untold(view, rows).await
}

/// The positions of all that fits, oldest first; eight bytes of memory for each.
///
/// # Errors
/// The database's.
pub async fn positions(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
) -> Result<Vec<i64>, sqlx::Error> {
    let words = text::meanings(view, &filter.words).await?;
    let mut query =
        QueryBuilder::new("SELECT t.position FROM read.audit_timeline t WHERE t.tenant_id = ");
    restrict(&mut query, view.tenant().0, sight, filter, &words);
    query.push(" ORDER BY t.position");
    query.build_query_scalar().fetch_all(view.connection()).await
}

/// How many entries there are in all.
///
/// # Errors
/// The database's.
pub async fn count(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
) -> Result<i64, sqlx::Error> {
    let words = text::meanings(view, &filter.words).await?;
    let mut query =
        QueryBuilder::new("SELECT count(*) FROM read.audit_timeline t WHERE t.tenant_id = ");
    restrict(&mut query, view.tenant().0, sight, filter, &words);
    query.build_query_scalar().fetch_one(view.connection()).await
}

/// Entries by their events' ids, as far as they are in sight.
///
/// # Errors
/// See [`TellError`].
pub async fn by_event_ids(
    view: &mut Snapshot,
    sight: &Sight,
    event_ids: &[Uuid],
) -> Result<Vec<Entry>, TellError> {
    let mut query = entries();
    restrict(&mut query, view.tenant().0, sight, &Filter::default(), &[]);
    query.push(" AND t.event_id = ANY (").push_bind(event_ids.to_vec()).push(")");
    let rows = query.build_query_as().fetch_all(view.connection()).await?;
    untold(view, rows).await?.tell().collect()
}

/// Entries by position, as far as they are in sight.
///
/// # Errors
/// See [`TellError`].
pub async fn told_at(
    view: &mut Snapshot,
    sight: &Sight,
    positions: &[i64],
) -> Result<Vec<Entry>, TellError> {
    let mut query = entries();
    restrict(&mut query, view.tenant().0, sight, &Filter::default(), &[]);
    query.push(" AND t.position = ANY (").push_bind(positions.to_vec()).push(")");
    let rows = query.build_query_as().fetch_all(view.connection()).await?;
    untold(view, rows).await?.tell().collect()
}

async fn untold(view: &mut Snapshot, rows: Vec<Row>) -> Result<Untold, sqlx::Error> {
    let mut ids = HashSet::new();
    for row in &rows {
        names::mentioned(row.payload.get(), &mut ids);
        let around =
            [row.actor_id, row.subject_id, row.organization_id, row.subject_organization_id];
        ids.extend(around.into_iter().flatten());
    }
    let names = names::read(view, &ids).await?;
    Ok(Untold { rows, names, upcasters: view.upcasters().clone() })
}

impl Row {
    fn event(&self, upcasters: &Upcasters) -> Result<AnyEvent, DecodeError> {
        let (of, name, payload) = (&self.aggregate_type, &self.event_type, self.payload.get());
        if !upcasters.concern(name, &self.event_version) {
            return AnyEvent::decode_text(of, name, payload);
        }
        let payload = serde_json::from_str(payload);
        let payload =
            payload.map_err(|source| DecodeError::Payload { event_type: name.clone(), source })?;
        AnyEvent::decode(of, name, upcasters.apply(name, &self.event_version, payload))
    }

    fn told(self, names: &Names, upcasters: &Upcasters) -> Result<Entry, TellError> {
        let unreadable = |source| TellError::Unreadable { position: self.position, source };
        let kind = ActorKind::parse(&self.actor_kind).unwrap_or(ActorKind::System);
        let actor = Actor { kind, id: self.actor_id };
        let event = self.event(upcasters).map_err(unreadable)?;
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
            // Ids of streams are UUIDs (design, section 3).
            stream: self.aggregate_id.parse().unwrap_or_default(),
            event,
        })
    }
}
