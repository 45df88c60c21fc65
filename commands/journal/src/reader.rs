//! Reading the log in a tenant's order, personal data opened.
//!
//! Invariant: what a batch gives is contiguous. A position is never passed over: a gap, or fewer
//! events than the head promises, is an error, and so is an event that this version cannot read.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::{
    Actor, ActorKind, EventSet,
    ids::{OrganizationId, SubjectId, TenantId, UserId},
};
use serde_json::Value;
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use crate::{
    envelope::Recorded,
    keys::{KeyError, KeyRing, Opener},
    seal::{self, Part},
    upcast::Upcasters,
};

/// Why events could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the log could not be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The log itself is damaged or the server gives an old state of it.
    #[error("expected the event at {expected} (the head is at {head}), found {found:?}")]
    Gap { expected: i64, found: Option<i64>, head: i64 },
    #[error("event {event_id} ({event_type}) at {tenant_position} cannot be read: {reason}")]
    Unreadable { tenant_position: i64, event_id: Uuid, event_type: String, reason: String },
}

/// Reads events of the set `E`.
#[derive(Clone)]
pub struct Reader<E> {
    pool: PgPool,
    keys: KeyRing,
    upcasters: Upcasters,
    events: PhantomData<fn() -> E>,
}

/// Contiguous events of one tenant, as far as they could be read, and what stopped them.
pub(crate) struct Batch<E> {
    pub events: Vec<Recorded<E>>,
    pub stopped_by: Option<ReadError>,
}

impl<E: EventSet> Reader<E> {
    /// `pool` must be allowed to read the events of all tenants (the runner's role).
    #[must_use]
    pub fn new(pool: PgPool, keys: KeyRing) -> Self {
        Self { pool, keys, upcasters: Upcasters::default(), events: PhantomData }
    }

    /// Reads old payloads as today's.
    #[must_use]
    pub fn with_upcasters(mut self, upcasters: Upcasters) -> Self {
        self.upcasters = upcasters;
        self
    }

    /// Up to `limit` events of a tenant after a tenant position, in order.
    ///
    /// # Errors
    /// See [`ReadError`]; where only a later event is at fault, the events before it are given and
    /// the error comes with the next call.
    pub async fn tenant_after(
        &self,
        tenant: TenantId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Recorded<E>>, ReadError> {
        let head = sqlx::query_scalar("SELECT position FROM es.tenant_heads WHERE tenant_id = $1")
            .bind(tenant.0)
            .fetch_optional(&self.pool)
            .await?
            .unwrap_or(0);
        let Batch { events, stopped_by } = self.batch(tenant, after, head, limit).await?;
        match stopped_by {
            Some(error) if events.is_empty() => Err(error),
            Some(_) | None => Ok(events),
        }
    }

    /// Every tenant's last position.
    ///
    /// # Errors
    /// The database's.
    pub async fn heads(&self) -> Result<Vec<(TenantId, i64)>, ReadError> {
        let heads: Vec<(Uuid, i64)> =
            sqlx::query_as("SELECT tenant_id, position FROM es.tenant_heads ORDER BY tenant_id")
                .fetch_all(&self.pool)
                .await?;
        Ok(heads.into_iter().map(|(tenant, head)| (TenantId(tenant), head)).collect())
    }

    /// The last position a tenant had at a moment, by the times at which events were recorded; none
    /// before its records began.
    ///
    /// # Errors
    /// The database's.
    pub async fn position_at(
        &self,
        tenant: TenantId,
        at: DateTime<Utc>,
    ) -> Result<Option<i64>, ReadError> {
        // Positions follow the times, so the first one found from the end is the last one.
        let position = sqlx::query_scalar(
            "SELECT tenant_position FROM es.events WHERE tenant_id = $1 AND recorded_at <= $2
              ORDER BY tenant_position DESC LIMIT 1",
        )
        .bind(tenant.0)
        .bind(at)
        .fetch_optional(&self.pool)
        .await?;
        Ok(position)
    }

    /// The events after `after` up to `head`, which was read before: all of them must be there.
    pub(crate) async fn batch(
        &self,
        tenant: TenantId,
        after: i64,
        head: i64,
        limit: i64,
    ) -> Result<Batch<E>, ReadError> {
        let mut rows: Vec<Row> = sqlx::query_as(
            "SELECT position, tenant_id, tenant_position, aggregate_type, aggregate_id, sequence,
                    event_id, event_type, event_version, payload, metadata, actor_kind, actor_id,
                    organization_id, subject_id, subject_organization_id, npi, correlation_id,
                    causation_id, command_id, recorded_at, occurred_at, effective_at
               FROM es.events WHERE tenant_id = $1 AND tenant_position > $2
              ORDER BY tenant_position LIMIT $3",
        )
        .bind(tenant.0)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let positions = rows.iter().map(|row| row.tenant_position);
        let (sound, gap) = contiguous(after, head, limit, positions);
        rows.truncate(sound);

        let opener =
            self.keys.opener(tenant, rows.iter().flat_map(Row::subjects).collect()).await?;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            match row.decode(&opener, &self.upcasters) {
                Ok(event) => events.push(event),
                Err(error) => return Ok(Batch { events, stopped_by: Some(error) }),
            }
        }
        Ok(Batch { events, stopped_by: gap })
    }
}

/// How many of `positions` follow `after` without a gap, and the gap if there is one. Events beyond
/// `head` may be there: they were appended after it was read.
fn contiguous(
    after: i64,
    head: i64,
    limit: i64,
    positions: impl Iterator<Item = i64>,
) -> (usize, Option<ReadError>) {
    let mut expected = after + 1;
    let mut sound = 0;
    for found in positions {
        if found != expected {
            return (sound, Some(ReadError::Gap { expected, found: Some(found), head }));
        }
        expected += 1;
        sound += 1;
    }
    let promised = head.min(after.saturating_add(limit));
    let missing = (expected <= promised).then_some(ReadError::Gap { expected, found: None, head });
    (sound, missing)
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    tenant_id: Uuid,
    tenant_position: i64,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_id: Uuid,
    event_type: String,
    event_version: String,
    payload: Json<Value>,
    metadata: Json<Value>,
    actor_kind: String,
    actor_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    subject_id: Option<Uuid>,
    subject_organization_id: Option<Uuid>,
    npi: Option<String>,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    command_id: Uuid,
    recorded_at: DateTime<Utc>,
    occurred_at: DateTime<Utc>,
    effective_at: DateTime<Utc>,
}

impl Row {
    fn subjects(&self) -> Vec<SubjectId> {
        let mut subjects = seal::subjects(&self.payload);
        subjects.extend(seal::subjects(&self.metadata));
        subjects
    }

    fn decode<E: EventSet>(
        self,
        opener: &Opener,
        upcasters: &Upcasters,
    ) -> Result<Recorded<E>, ReadError> {
        let (tenant_position, event_id) = (self.tenant_position, self.event_id);
        let event_type = self.event_type.clone();
        self.try_decode(opener, upcasters).map_err(|error| ReadError::Unreadable {
            tenant_position,
            event_id,
            event_type,
            reason: error.to_string(),
        })
    }

    fn try_decode<E: EventSet>(
        mut self,
        opener: &Opener,
        upcasters: &Upcasters,
    ) -> Result<Recorded<E>, Box<dyn std::error::Error>> {
        opener.open(Part::Payload, self.event_id, &mut self.payload)?;
        opener.open(Part::Metadata, self.event_id, &mut self.metadata)?;
        let payload = upcasters.apply(&self.event_type, &self.event_version, self.payload.0);
        let kind = ActorKind::parse(&self.actor_kind)
            .ok_or_else(|| format!("unknown kind of actor {}", self.actor_kind))?;
        Ok(Recorded {
            position: self.position,
            tenant: TenantId(self.tenant_id),
            tenant_position: self.tenant_position,
            aggregate_id: self.aggregate_id.parse()?,
            sequence: self.sequence,
            event_id: self.event_id,
            event: E::decode(&self.aggregate_type, &self.event_type, payload)?,
            metadata: serde_json::from_value(self.metadata.0)?,
            actor: Actor { kind, id: self.actor_id },
            organization: self.organization_id.map(OrganizationId),
            subject: self.subject_id.map(UserId),
            subject_organization: self.subject_organization_id.map(OrganizationId),
            npi: self.npi,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            command_id: self.command_id,
            recorded_at: self.recorded_at,
            occurred_at: self.occurred_at,
            effective_at: self.effective_at,
            aggregate_type: self.aggregate_type,
            event_type: self.event_type,
            event_version: self.event_version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: i64, limit: i64, positions: &[i64]) -> (usize, Option<(i64, Option<i64>)>) {
        let (sound, gap) = contiguous(4, head, limit, positions.iter().copied());
        let gap = gap.map(|error| match error {
            ReadError::Gap { expected, found, .. } => (expected, found),
            ReadError::Database(_) | ReadError::Key(_) | ReadError::Unreadable { .. } => {
                panic!("{error}")
            }
        });
        (sound, gap)
    }

    #[test]
    fn all_that_the_head_promises_must_be_there() {
        assert_eq!(check(7, 10, &[5, 6, 7]), (3, None));
        assert_eq!(check(7, 10, &[5, 6]), (2, Some((7, None))));
        assert_eq!(check(7, 10, &[]), (0, Some((5, None))));
        assert_eq!(check(4, 10, &[]), (0, None));
    }

    #[test]
    fn a_gap_ends_the_batch_before_it() {
        assert_eq!(check(8, 10, &[5, 7, 8]), (1, Some((6, Some(7)))));
        assert_eq!(check(8, 10, &[6]), (0, Some((5, Some(6)))));
    }

    #[test]
    fn a_full_batch_owes_no_more_and_newer_events_are_welcome() {
        assert_eq!(check(100, 2, &[5, 6]), (2, None));
        assert_eq!(check(5, 10, &[5, 6, 7]), (3, None));
    }
}
