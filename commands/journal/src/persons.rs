//! What the log knows of a person: for keeping their data, and for erasing it.
//!
//! Invariant: answered by the index of what is about a person, by the index of visitors' first
//! events, and by no other way through the log.

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{SubjectId, TenantId, UserId};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{
    Journal, JournalError,
    load::{self, StoredEvent},
};

impl Journal {
    /// When the newest record about a person was made, beside those of some aggregates and types.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn last_recorded(
        &self,
        (tenant, user): (TenantId, UserId),
        (aggregates, types): (&[&str], &[&str]),
    ) -> Result<Option<DateTime<Utc>>, JournalError> {
        sqlx::query_scalar(
            "SELECT max(recorded_at) FROM es.events
              WHERE tenant_id = $1 AND subject_id = $2
                AND aggregate_type <> ALL ($3) AND event_type <> ALL ($4)",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(aggregates)
        .bind(types)
        .fetch_one(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// The NPIs that stand in events about a person.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn npis_about(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Vec<String>, JournalError> {
        sqlx::query_scalar(
            "SELECT DISTINCT npi FROM es.events
              WHERE tenant_id = $1 AND subject_id = $2 AND npi IS NOT NULL",
        )
        .bind(tenant.0)
        .bind(user.0)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// The affiliations in which a person acted.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn affiliations_by(
        &self,
        tenant: TenantId,
        actor: UserId,
    ) -> Result<Vec<Uuid>, JournalError> {
        sqlx::query_scalar(
            "SELECT DISTINCT aggregate_id::uuid FROM es.events
              WHERE tenant_id = $1 AND actor_id = $2
                AND aggregate_type = 'affiliations.affiliation' ORDER BY 1",
        )
        .bind(tenant.0)
        .bind(actor.0)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// The streams of a kind that people begin before they have an account: registrations, requests for
    /// an account, to join and to move. Of another kind there are none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn streams_of_visitors(
        &self,
        tenant: TenantId,
        kind: &str,
    ) -> Result<Vec<Uuid>, JournalError> {
        sqlx::query_scalar(
            "SELECT aggregate_id::uuid FROM es.events
              WHERE tenant_id = $1 AND aggregate_type = $2 AND sequence = 1
                -- As in the index events_visitors_idx, which is not used otherwise.
                AND aggregate_type IN ('organizations.registration',
                                       'organizations.account_request',
                                       'access_requests.join_request',
                                       'access_requests.move_request')",
        )
        .bind(tenant.0)
        .bind(kind)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// The requests of visitors in events about a person and in some streams: each is the subject of
    /// the address it came from.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn attempts_of(
        &self,
        (tenant, user): (TenantId, UserId),
        streams: &[Uuid],
    ) -> Result<Vec<SubjectId>, JournalError> {
        let attempts: Vec<Uuid> = sqlx::query_scalar(
            "SELECT DISTINCT e.correlation_id
               FROM (SELECT correlation_id, actor_kind FROM es.events
                      WHERE tenant_id = $1 AND subject_id = $2
                     UNION ALL
                     SELECT correlation_id, actor_kind FROM es.events
                      WHERE tenant_id = $1 AND aggregate_id = ANY ($3)) e
               JOIN es.subject_keys k ON k.tenant_id = $1 AND k.subject_id = e.correlation_id
              WHERE e.actor_kind = 'ANONYMOUS' AND k.destroyed_at IS NULL",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(streams.iter().map(Uuid::to_string).collect::<Vec<_>>())
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        Ok(attempts.into_iter().map(SubjectId).collect())
    }

    /// What the vault keeps of these kinds that events about a person name.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn vault_of(
        &self,
        (tenant, user): (TenantId, UserId),
        kinds: &[&str],
    ) -> Result<Vec<(String, Uuid)>, JournalError> {
        sqlx::query_as(
            "SELECT v.kind, v.id FROM es.vault v
              WHERE v.tenant_id = $1 AND v.kind = ANY ($3) AND v.id IN (
                    SELECT m[1]::uuid FROM es.events e,
                           regexp_matches(e.payload::text,
                             '\"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\"',
                             'g') m
                     WHERE e.tenant_id = $1 AND e.subject_id = $2)",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(kinds)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// Every erasure of a person in the whole log, of all tenants and oldest first.
    ///
    /// # Errors
    /// The database does not answer, or an erasure cannot be read.
    pub async fn persons_erased<E: DeserializeOwned>(
        &self,
    ) -> Result<Vec<(TenantId, E)>, JournalError> {
        #[derive(sqlx::FromRow)]
        struct OfTenant {
            tenant_id: Uuid,
            #[sqlx(flatten)]
            event: StoredEvent,
        }
        let rows: Vec<OfTenant> = sqlx::query_as(
            "SELECT tenant_id, sequence, event_id, event_type, event_version,
                    payload::text AS payload
               FROM es.events
              WHERE event_type = 'audit.erasure.person_erased' ORDER BY position",
        )
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        let mut erased = Vec::with_capacity(rows.len());
        for OfTenant { tenant_id, event } in rows {
            let tenant = TenantId(tenant_id);
            let events = load::decode(&self.0.keys, &self.0.upcasters, tenant, &[event]).await?;
            erased.extend(events.into_iter().map(|event| (tenant, event)));
        }
        Ok(erased)
    }
}
