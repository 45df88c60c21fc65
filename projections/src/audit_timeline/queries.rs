//! Questions to the timeline: pages by filter and sight, single entries, counts.
//!
//! Invariant: a page costs four statements however long it is, one more where words are looked for and
//! where it is longer than questions may be, and shows no event outside the viewer's sight.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, AnyEvent,
    kernel::{ActorKind, DecodeError, EventSet},
};
use rollcall_journal::upcast::Upcasters;
use serde_json::value::RawValue;
use sqlx::{Decode, Postgres, QueryBuilder, Row as _, Type, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{
    Filter, Outcome, Sight,
    filter::{By, Search, Side},
    names::{self, KnownNames},
    sentences::{Names, Telling, sentence},
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

/// What the timeline holds of an event.
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
}

/// What the log itself holds of it; what is sealed in it stays sealed here.
struct Source {
    aggregate_type: String,
    aggregate_id: String,
    event_version: String,
    payload: Json<Box<RawValue>>,
}

/// The columns of a [`Row`] and of a [`Source`], in the order in which they are read.
const COLUMNS: &str = "t.position, t.event_id, t.event_type, t.outcome, t.actor_kind,
   t.actor_id, t.organization_id, t.subject_id, t.subject_organization_id, t.npi, t.command,
   t.session_id, t.policy_version, t.correlation_id, t.causation_id, t.recorded_at, t.occurred_at,
   t.effective_at, t.before, t.after";
const SOURCE: &str = "e.aggregate_type, e.aggregate_id, e.event_version, e.payload";
const ITS_EVENT: &str =
    "JOIN es.events e ON e.tenant_id = t.tenant_id AND e.tenant_position = t.position";
/// From so many entries on, what the log holds of them is read by itself, in one stretch where they
/// lie close together: to look up each costs as much as all else.
const MANY: i64 = 500;

/// The columns of a row, one after the other: by their names each would be looked up in each row.
struct Columns<'r>(&'r PgRow, usize);

impl<'r> Columns<'r> {
    fn next<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, sqlx::Error> {
        self.1 += 1;
        self.0.try_get(self.1 - 1)
    }

    fn row(&mut self) -> Result<Row, sqlx::Error> {
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
        })
    }

    fn source(&mut self) -> Result<Source, sqlx::Error> {
        Ok(Source {
            aggregate_type: self.next()?,
            aggregate_id: self.next()?,
            event_version: self.next()?,
            payload: self.next()?,
        })
    }
}

/// Both, read together.
fn both(row: PgRow) -> Result<(Row, Source), sqlx::Error> {
    let mut columns = Columns(&row, 0);
    Ok((columns.row()?, columns.source()?))
}

/// Entries in sight, to be picked by what is demanded next.
async fn entries(
    view: &mut Snapshot,
    sight: &Sight,
) -> Result<QueryBuilder<'static, Postgres>, sqlx::Error> {
    let mut query = QueryBuilder::new(format!(
        "SELECT {COLUMNS}, {SOURCE} FROM read.audit_timeline t {ITS_EVENT} WHERE t.tenant_id = "
    ));
    let (tenant, all) = (view.tenant().0, Filter::default());
    let search = Search::of(view, &all).await?;
    search.demand(&mut query, (tenant, sight), (Side::Either, By::Any));
    Ok(query)
}

/// Events that were read and have yet to be told, which needs no database.
pub struct Untold {
    rows: Vec<(Row, Source)>,
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
        Some((self.rows.first()?.0.position, self.rows.last()?.0.position))
    }

    /// The events, told in their order, one after the other.
    pub fn tell(self) -> impl Iterator<Item = Result<Entry, TellError>> {
        let Self { rows, names, upcasters } = self;
        rows.into_iter().map(move |(row, source)| row.told(&source, &names, &upcasters))
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
    let mut known = KnownNames::default();
    untold_page(view, sight, filter, request, &mut known).await?.tell().collect()
}

/// One page, to be told elsewhere. What `known` holds is not looked up again.
///
/// # Errors
/// The database's.
pub async fn untold_page(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
    request: PageRequest,
    known: &mut KnownNames,
) -> Result<Untold, sqlx::Error> {
    let search = Search::of(view, filter).await?;
    let of = (view.tenant().0, sight);
    let order = order(request.order);
    let rows = if request.limit > MANY {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM "));
        pick(&mut query, of, &search, request);
        query.push(format_args!(" ORDER BY {order}"));
        let read = |row: PgRow| Columns(&row, 0).row();
        let rows = query.build().try_map(read).fetch_all(view.connection()).await?;
        with_sources(view, rows).await?
    } else {
        // The page first, then its events: joined before, the log is read from its end to a deep page.
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS}, {SOURCE} FROM "));
        pick(&mut query, of, &search, request);
        query.push(format_args!(" {ITS_EVENT} ORDER BY {order}"));
        query.build().try_map(both).fetch_all(view.connection()).await?
    };
    untold(view, rows, known).await
}

/// The rows, with what the log holds of each.
async fn with_sources(
    view: &mut Snapshot,
    rows: Vec<Row>,
) -> Result<Vec<(Row, Source)>, sqlx::Error> {
    let positions = rows.iter().map(|row| row.position);
    let (Some(first), Some(last)) = (positions.clone().min(), positions.clone().max()) else {
        return Ok(Vec::new());
    };
    let mut query = QueryBuilder::new(format!(
        "SELECT {SOURCE}, e.tenant_position FROM es.events e WHERE e.tenant_id = "
    ));
    query.push_bind(view.tenant().0);
    if last - first < 2 * rows.len() as i64 {
        query.push(" AND e.tenant_position BETWEEN ").push_bind(first);
        query.push(" AND ").push_bind(last);
    } else {
        let positions: Vec<i64> = positions.collect();
        query.push(" AND e.tenant_position = ANY (").push_bind(positions).push(")");
    }
    let read = |row: PgRow| {
        let mut columns = Columns(&row, 0);
        let source = columns.source()?;
        Ok((columns.next::<i64>()?, source))
    };
    let sources = query.build().try_map(read).fetch_all(view.connection()).await?;
    let mut sources: HashMap<i64, Source> = sources.into_iter().collect();
    let with = rows.into_iter().map(|row| {
        // A row without its event is no row of the timeline, as a join would have it.
        let source = sources.remove(&row.position);
        source.map(|source| (row, source))
    });
    Ok(with.flatten().collect())
}

const fn order(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => "t.position DESC",
        Order::OldestFirst => "t.position",
    }
}

/// The rows of a page, as `t`.
fn pick(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    request: PageRequest,
) {
    if search.is_of_one() || search.facets.is_some() {
        query.push("(SELECT t.* FROM (");
        find(query, of, search, request);
        query.push(") p JOIN read.audit_timeline t ON t.position = p.position AND t.tenant_id = ");
        query.push_bind(of.0).push(") t");
    } else {
        query.push("(SELECT * ");
        some(query, of, search, (Side::Either, By::Any), request);
        query.push(") t");
    }
}

/// The first of those demanded, of one side and by facets so.
fn some(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    how: (Side, By),
    request: PageRequest,
) {
    query.push("FROM read.audit_timeline t WHERE t.tenant_id = ");
    search.demand(query, of, how);
    if let Some(after) = request.after {
        let beyond = match request.order {
            Order::NewestFirst => " AND t.position < ",
            Order::OldestFirst => " AND t.position > ",
        };
        query.push(beyond).push_bind(after);
    }
    query.push(format_args!(" ORDER BY {} LIMIT ", order(request.order)));
    query.push_bind(request.limit);
}

/// The positions of a page. Where something finds them in order, that is read as far as the page
/// goes: either side of an organisation, what is somebody's, each facet.
fn find(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    request: PageRequest,
) {
    let one = |query: &mut QueryBuilder<'_, Postgres>, side, by| {
        query.push("(SELECT t.position ");
        some(query, of, search, (side, by), request);
        query.push(")");
    };
    query.push("SELECT t.position FROM (");
    if search.is_of_an_organization() {
        one(query, Side::Acting, By::Aside);
        query.push(" UNION ");
        one(query, Side::Concerned, By::Aside);
    } else if let Some(facets) = search.facets.as_ref().filter(|_| !search.is_of_one()) {
        query.push("SELECT t.position FROM unnest(").push_bind(facets.clone());
        query.push(") f(facet) CROSS JOIN LATERAL ");
        one(query, Side::Either, By::Each);
        query.push(" t");
    } else {
        one(query, Side::Either, By::Aside);
    }
    query.push(format_args!(") t ORDER BY {} LIMIT ", order(request.order)));
    query.push_bind(request.limit);
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
    let search = Search::of(view, filter).await?;
    let mut query =
        QueryBuilder::new("SELECT t.position FROM read.audit_timeline t WHERE t.tenant_id = ");
    search.demand(&mut query, (view.tenant().0, sight), (Side::Either, By::Any));
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
    let search = Search::of(view, filter).await?;
    let mut query =
        QueryBuilder::new("SELECT count(*) FROM read.audit_timeline t WHERE t.tenant_id = ");
    search.demand(&mut query, (view.tenant().0, sight), (Side::Either, By::Any));
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
    let mut query = entries(view, sight).await?;
    query.push(" AND t.event_id = ANY (").push_bind(event_ids.to_vec()).push(")");
    let rows = query.build().try_map(both).fetch_all(view.connection()).await?;
    untold(view, rows, &mut KnownNames::default()).await?.tell().collect()
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
    let mut query = entries(view, sight).await?;
    query.push(" AND t.position = ANY (").push_bind(positions.to_vec()).push(")");
    let rows = query.build().try_map(both).fetch_all(view.connection()).await?;
    untold(view, rows, &mut KnownNames::default()).await?.tell().collect()
}

async fn untold(
    view: &mut Snapshot,
    rows: Vec<(Row, Source)>,
    known: &mut KnownNames,
) -> Result<Untold, sqlx::Error> {
    let mut ids = HashSet::new();
    for (row, source) in &rows {
        names::mentioned(source.payload.get(), &mut ids);
        let around =
            [row.actor_id, row.subject_id, row.organization_id, row.subject_organization_id];
        ids.extend(around.into_iter().flatten());
    }
    let names = known.of(view, &ids).await?;
    Ok(Untold { rows, names, upcasters: view.upcasters().clone() })
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
            // Ids of streams are UUIDs (design, section 3).
            stream: source.aggregate_id.parse().unwrap_or_default(),
            event,
        })
    }
}
