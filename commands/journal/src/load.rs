//! Reading streams: rows to events, through upcasters and the key ring.
//!
//! Invariant: a stream is read within its tenant; the same id in another tenant reads as empty.

use rollcall_domain::kernel::ids::TenantId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    error::JournalError,
    keys::{Document, KeyRing},
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

/// The events of a stream after `version`, oldest first.
pub(crate) async fn stream(
    pool: &PgPool,
    tenant: TenantId,
    (aggregate_type, id): (&str, Uuid),
    version: i64,
) -> Result<Vec<StoredEvent>, JournalError> {
    sqlx::query_as(
        "SELECT sequence, event_id, event_type, event_version, payload::text AS payload
           FROM es.events
          WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3 AND tenant_id = $4
          ORDER BY sequence",
    )
    .bind(aggregate_type)
    .bind(id.to_string())
    .bind(version)
    .bind(tenant.0)
    .fetch_all(pool)
    .await
    .map_err(JournalError::of)
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
