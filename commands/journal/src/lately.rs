//! Where the events of a stream are, and which streams something was added to lately.
//!
//! Invariant: of a person or an organisation, by their indexes or the part of the log since a moment.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    kernel::ids::{OrganizationId, TenantId, UserId},
};
use uuid::Uuid;

use crate::{error::JournalError, journal::Journal};

impl Journal {
    /// The positions in the tenant of a stream's events, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn positions_of<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Vec<i64>, JournalError> {
        sqlx::query_scalar(
            "SELECT tenant_position FROM es.events
              WHERE tenant_id = $1 AND aggregate_type = $2 AND aggregate_id = $3
              ORDER BY sequence",
        )
        .bind(tenant.0)
        .bind(A::TYPE)
        .bind(id.to_string())
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// As [`Journal::streams_about`], of any of these people and of those streams that something was added to
    /// since then.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn streams_about_since(
        &self,
        (tenant, aggregate_type): (TenantId, &str),
        subjects: &BTreeSet<UserId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<Uuid>, JournalError> {
        sqlx::query_scalar(
            "SELECT DISTINCT aggregate_id::uuid FROM es.events
              WHERE tenant_id = $1 AND subject_id = ANY($2) AND aggregate_type = $3
                AND recorded_at >= $4
              ORDER BY 1",
        )
        .bind(tenant.0)
        .bind(subjects.iter().map(|user| user.0).collect::<Vec<_>>())
        .bind(aggregate_type)
        .bind(since)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// The streams of a type in which an organisation acted or was acted upon, such as its affiliations, or of
    /// those the ones that something was added to since then. The type has to be one of those that migration
    /// 0314 has indexes of: for another the whole log would be read.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn streams_with<A: Decider>(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Uuid>, JournalError> {
        // By a parameter in its place a plan for any type would not know that the indexes serve it.
        let aggregate_type = A::TYPE;
        let query = format!(
            "SELECT DISTINCT aggregate_id::uuid FROM es.events
              WHERE tenant_id = $1 AND aggregate_type = '{aggregate_type}'
                AND (organization_id = $2 OR subject_organization_id = $2)
                AND ($3::timestamptz IS NULL OR recorded_at >= $3)
              ORDER BY 1"
        );
        sqlx::query_scalar(&query)
            .bind(tenant.0)
            .bind(organization.0)
            .bind(since)
            .fetch_all(&self.0.pool)
            .await
            .map_err(JournalError::of)
    }
}
