//! Reading streams: rows to events, through upcasters and the key ring.
//!
//! Streams that are wanted while a query is under way are read together by the next one, as those are
//! appended together that arrive while a batch is: under load it is a query for a dozen commands.
//!
//! Invariant: a stream is read within its tenant; the same id in another tenant reads as empty.

use std::sync::Arc;

use rollcall_domain::kernel::ids::TenantId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

use crate::{
    error::JournalError,
    keys::{Document, KeyRing},
    pools::Kept,
    seal::Part,
    upcast::Upcasters,
};

/// How a sealed value looks in a stored document; without it there is nothing to open.
pub(crate) const MARK: &str = "\"$sealed\"";

#[derive(sqlx::FromRow)]
pub(crate) struct StoredEvent {
    pub sequence: i64,
    event_id: Uuid,
    event_type: String,
    event_version: String,
    payload: String,
}

/// Most streams of one query.
const MOST_STREAMS: usize = 256;
/// Queries under way at once; more would take the streams from each other that belong together.
const QUERIES: usize = 2;

type Answer = Result<Vec<StoredEvent>, JournalError>;

/// Reads single streams.
pub(crate) struct Loader {
    connections: Arc<Kept>,
    turns: Arc<Semaphore>,
    wanted: mpsc::UnboundedSender<Wanted>,
}

/// The events of a stream after `version`.
#[derive(Clone, Copy)]
struct Rest {
    tenant: TenantId,
    aggregate_type: &'static str,
    id: Uuid,
    version: i64,
}

/// What somebody waits for.
struct Wanted {
    rest: Rest,
    answer: oneshot::Sender<Answer>,
}

impl Loader {
    pub(crate) fn new(pool: PgPool) -> Self {
        let turns = Arc::new(Semaphore::new(QUERIES));
        let (wanted, asked) = mpsc::unbounded_channel();
        let connections = Arc::new(Kept::from(pool));
        tokio::spawn(read_together(Arc::clone(&connections), Arc::clone(&turns), asked));
        Self { connections, turns, wanted }
    }

    /// The events of a stream after `version`, oldest first.
    pub(crate) async fn stream(
        &self,
        tenant: TenantId,
        (aggregate_type, id): (&'static str, Uuid),
        version: i64,
    ) -> Answer {
        let rest = Rest { tenant, aggregate_type, id, version };
        // Whoever finds a turn free reads alone and pays for no hand-over.
        if let Ok(_turn) = self.turns.try_acquire() {
            let streams = read(&self.connections, &[rest]).await.map_err(JournalError::of)?;
            return Ok(streams.into_iter().flatten().collect());
        }
        let (answer, answered) = oneshot::channel();
        // Fails only when the runtime is going down, as does the answer.
        let _ = self.wanted.send(Wanted { rest, answer });
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// As [`Loader::stream`], of several streams of one type, each with the version it is known to, by
    /// one query for every 256 of them.
    pub(crate) async fn streams(
        &self,
        tenant: TenantId,
        aggregate_type: &'static str,
        known: &[(Uuid, i64)],
    ) -> Result<Vec<Vec<StoredEvent>>, JournalError> {
        let rest = |&(id, version)| Rest { tenant, aggregate_type, id, version };
        let rests: Vec<Rest> = known.iter().map(rest).collect();
        let mut streams = Vec::with_capacity(rests.len());
        for some in rests.chunks(MOST_STREAMS) {
            let _turn = self.turns.acquire().await.map_err(|_| stopping())?;
            streams.extend(read(&self.connections, some).await.map_err(JournalError::of)?);
        }
        Ok(streams)
    }
}

fn stopping() -> JournalError {
    JournalError::Unavailable("the service is stopping".to_owned())
}

/// Ends with its loader.
async fn read_together(
    connections: Arc<Kept>,
    turns: Arc<Semaphore>,
    mut asked: mpsc::UnboundedReceiver<Wanted>,
) {
    while let Some(first) = asked.recv().await {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        let mut wanted = vec![first];
        while wanted.len() < MOST_STREAMS
            && let Ok(next) = asked.try_recv()
        {
            wanted.push(next);
        }
        let connections = Arc::clone(&connections);
        tokio::spawn(async move {
            let rests: Vec<Rest> = wanted.iter().map(|wanted| wanted.rest).collect();
            let streams = read(&connections, &rests).await;
            drop(turn);
            // Whoever went away does not need the answer.
            match streams {
                Ok(streams) => {
                    for (Wanted { answer, .. }, events) in wanted.into_iter().zip(streams) {
                        let _ = answer.send(Ok(events));
                    }
                }
                Err(error) => {
                    let error = JournalError::for_each(&error);
                    for Wanted { answer, .. } in wanted {
                        let _ = answer.send(Err(error()));
                    }
                }
            }
        });
    }
}

/// The events of each of the streams, oldest first.
async fn read(connections: &Kept, rests: &[Rest]) -> Result<Vec<Vec<StoredEvent>>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct OfWanted {
        nth: i64,
        #[sqlx(flatten)]
        event: StoredEvent,
    }
    let mut connection = connections.take().await?;
    // With an ORDER BY the inner query stays what it is: a probe of the index per stream.
    let rows: Vec<OfWanted> = sqlx::query_as(
        "SELECT w.nth, e.*
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
                  WITH ORDINALITY w(tenant, type, stream, version, nth)
          CROSS JOIN LATERAL (
                SELECT sequence, event_id, event_type, event_version, payload::text AS payload
                  FROM es.events
                 WHERE aggregate_type = w.type AND aggregate_id = w.stream
                   AND sequence > w.version AND tenant_id = w.tenant
                 ORDER BY sequence) e",
    )
    .bind(rests.iter().map(|rest| rest.tenant.0).collect::<Vec<_>>())
    .bind(rests.iter().map(|rest| rest.aggregate_type).collect::<Vec<_>>())
    .bind(rests.iter().map(|rest| rest.id.to_string()).collect::<Vec<_>>())
    .bind(rests.iter().map(|rest| rest.version).collect::<Vec<_>>())
    .fetch_all(&mut connection)
    .await?;
    connections.keep(connection);
    let mut streams: Vec<_> = rests.iter().map(|_| Vec::new()).collect();
    for OfWanted { nth, event } in rows {
        let nth = usize::try_from(nth - 1).expect("ordinals count from 1");
        streams[nth].push(event);
    }
    Ok(streams)
}

/// The events of several streams of one type, each stream's oldest first.
pub(crate) async fn streams(
    pool: &PgPool,
    tenant: TenantId,
    aggregate_type: &str,
    ids: &[Uuid],
) -> Result<(Vec<Uuid>, Vec<StoredEvent>), JournalError> {
    #[derive(sqlx::FromRow)]
    struct OfStream {
        stream: Uuid,
        #[sqlx(flatten)]
        event: StoredEvent,
    }
    let rows: Vec<OfStream> = sqlx::query_as(
        "SELECT aggregate_id::uuid AS stream, sequence, event_id, event_type, event_version,
                payload::text AS payload
           FROM es.events
          WHERE aggregate_type = $1 AND aggregate_id = ANY($2) AND tenant_id = $3
          ORDER BY aggregate_id, sequence",
    )
    .bind(aggregate_type)
    .bind(ids.iter().map(Uuid::to_string).collect::<Vec<_>>())
    .bind(tenant.0)
    .fetch_all(pool)
    .await
    .map_err(JournalError::of)?;
    Ok(rows.into_iter().map(|row| (row.stream, row.event)).unzip())
}

/// The events of one type of aggregate at these positions of the tenant, in order.
pub(crate) async fn at(
    pool: &PgPool,
    tenant: TenantId,
    aggregate_type: &str,
    positions: &[i64],
) -> Result<(Vec<i64>, Vec<StoredEvent>), JournalError> {
    #[derive(sqlx::FromRow)]
    struct AtPosition {
        position: i64,
        #[sqlx(flatten)]
        event: StoredEvent,
    }
    let rows: Vec<AtPosition> = sqlx::query_as(
        "SELECT tenant_position AS position, sequence, event_id, event_type, event_version,
                payload::text AS payload
           FROM es.events
          WHERE tenant_id = $1 AND tenant_position = ANY($2) AND aggregate_type = $3
          ORDER BY tenant_position",
    )
    .bind(tenant.0)
    .bind(positions.to_vec())
    .bind(aggregate_type)
    .fetch_all(pool)
    .await
    .map_err(JournalError::of)?;
    Ok(rows.into_iter().map(|row| (row.position, row.event)).unzip())
}

/// Opens and decodes events of one type, with one look at the keys for all of them.
pub(crate) async fn decode<E: DeserializeOwned>(
    keys: &KeyRing,
    upcasters: &Upcasters,
    tenant: TenantId,
    stored: &[StoredEvent],
) -> Result<Vec<E>, JournalError> {
    let mut documents = Vec::with_capacity(stored.len());
    for event in stored {
        // Straight to the typed event where nothing has to be changed in between.
        let old = upcasters.concern(&event.event_type, &event.event_version);
        documents.push(if old || event.payload.contains(MARK) {
            Some(serde_json::from_str(&event.payload).map_err(event.unreadable())?)
        } else {
            None
        });
    }
    let sealed = stored.iter().zip(&mut documents).filter_map(|(event, document)| {
        let (event_id, part) = (event.event_id, Part::Payload);
        document.as_mut().map(|value: &mut Value| Document { event_id, part, value })
    });
    let sealed: Vec<_> = sealed.collect();
    if !sealed.is_empty() {
        keys.open_all(tenant, sealed).await?;
    }
    let typed = |(event, document): (&StoredEvent, Option<Value>)| match document {
        // After opening: a field's place in the stored payload is part of how it is sealed.
        Some(payload) => {
            let payload = upcasters.apply(&event.event_type, &event.event_version, payload);
            serde_json::from_value(payload).map_err(event.unreadable())
        }
        None => serde_json::from_str(&event.payload).map_err(event.unreadable()),
    };
    stored.iter().zip(documents).map(typed).collect()
}

impl StoredEvent {
    fn unreadable(&self) -> impl FnOnce(serde_json::Error) -> JournalError + use<> {
        let (event_id, event_type) = (self.event_id, self.event_type.clone());
        move |source| JournalError::Decode { event_id, event_type, source }
    }
}
