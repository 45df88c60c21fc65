//! Facts with their places: what a stream said, and what several said after a place.
//!
//! Invariant: what is read here was committed; whoever decides on it guards the streams that it is about.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider, Told,
    kernel::ids::{OrganizationId, TenantId},
};
use uuid::Uuid;

use crate::{
    error::JournalError,
    journal::Journal,
    load::{self, StoredEvent},
};

/// Which streams of one type, and the place in the tenant after which.
#[derive(Clone, Debug)]
pub struct After {
    pub tenant: TenantId,
    pub ids: Vec<Uuid>,
    pub position: i64,
}

/// The most reviews that [`Journal::signed_reviews`] finds.
const MOST_SIGNED: i64 = 2_000;

#[derive(sqlx::FromRow)]
struct Row {
    stream: Uuid,
    position: i64,
    occurred_at: DateTime<Utc>,
    #[sqlx(flatten)]
    event: StoredEvent,
}

impl Journal {
    /// All facts of a stream, oldest first.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn told<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Vec<Told<A::Event>>, JournalError> {
        let after = After { tenant, ids: vec![id], position: 0 };
        Ok(self.told_after::<A>(after).await?.remove(&id).unwrap_or_default())
    }

    /// The facts of several streams after a place, each stream's oldest first, by two queries however many
    /// there are; a stream without any is missing.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn told_after<A: Decider>(
        &self,
        After { tenant, ids, position }: After,
    ) -> Result<BTreeMap<Uuid, Vec<Told<A::Event>>>, JournalError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT aggregate_id::uuid AS stream, tenant_position AS position, occurred_at, sequence,
                    event_id, event_type, event_version, payload::text AS payload
               FROM es.events
              WHERE aggregate_type = $1 AND aggregate_id = ANY($2) AND tenant_id = $3
                AND tenant_position > $4
              ORDER BY aggregate_id, sequence",
        )
        .bind(A::TYPE)
        .bind(ids.iter().map(Uuid::to_string).collect::<Vec<_>>())
        .bind(tenant.0)
        .bind(position)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        let (places, stored): (Vec<_>, Vec<StoredEvent>) = rows
            .into_iter()
            .map(|row| ((row.stream, row.position, row.occurred_at), row.event))
            .unzip();
        let events: Vec<A::Event> =
            load::decode(&self.0.keys, &self.0.upcasters, tenant, &stored).await?;
        let mut found: BTreeMap<Uuid, Vec<Told<A::Event>>> = BTreeMap::new();
        for ((stream, position, occurred_at), event) in places.into_iter().zip(events) {
            found.entry(stream).or_default().push(Told { position, occurred_at, event });
        }
        Ok(found)
    }

    /// The streams of an organisation in which an access review was signed, the newest first, each with the
    /// place of its first fact; the newest two thousand.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn signed_reviews(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
    ) -> Result<Vec<(Uuid, i64)>, JournalError> {
        // The type stands in the statement itself, so that its partial index is found.
        sqlx::query_as(
            "SELECT s.aggregate_id::uuid, b.tenant_position
               FROM es.events s
               JOIN es.events b ON b.aggregate_id = s.aggregate_id
                    AND b.aggregate_type = s.aggregate_type AND b.sequence = 1
                    AND b.tenant_id = s.tenant_id
              WHERE s.event_type = 'access_reviews.access_review.access_review_completed'
                AND s.tenant_id = $1 AND s.subject_organization_id = $2
              ORDER BY s.tenant_position DESC LIMIT $3",
        )
        .bind(tenant.0)
        .bind(organization.0)
        .bind(MOST_SIGNED)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }
}
