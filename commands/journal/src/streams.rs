//! Which streams there are: for rules over several streams of one kind.
//!
//! Invariant: what is listed here was committed; whoever decides on it loads each stream, so that the
//! append checks again where each one stands.

use std::collections::HashSet;

use rollcall_domain::kernel::ids::TenantId;
use sqlx::Row;
use uuid::Uuid;

use crate::{Journal, JournalError};

impl Journal {
    /// Every stream of one kind in a tenant, such as all plan staff. For kinds of few streams.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn streams_of(
        &self,
        tenant: TenantId,
        aggregate_type: &str,
    ) -> Result<Vec<Uuid>, JournalError> {
        self.stream_ids(
            sqlx::query(
                "SELECT aggregate_id FROM es.events
                  WHERE tenant_id = $1 AND aggregate_type = $2 AND sequence = 1
                  ORDER BY tenant_position",
            )
            .bind(tenant.0)
            .bind(aggregate_type),
        )
        .await
    }

    /// Which of these streams of one kind have begun.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begun(
        &self,
        tenant: TenantId,
        aggregate_type: &str,
        ids: &[Uuid],
    ) -> Result<HashSet<Uuid>, JournalError> {
        let begun = self.stream_ids(
            sqlx::query(
                "SELECT aggregate_id FROM es.events
                  WHERE aggregate_type = $2 AND aggregate_id = ANY($3) AND sequence = 1
                    AND tenant_id = $1",
            )
            .bind(tenant.0)
            .bind(aggregate_type)
            .bind(ids.iter().map(Uuid::to_string).collect::<Vec<_>>()),
        );
        Ok(begun.await?.into_iter().collect())
    }

    /// The streams of one kind in which an event about `npi` stands.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn streams_about_npi(
        &self,
        tenant: TenantId,
        npi: &str,
        aggregate_type: &str,
    ) -> Result<Vec<Uuid>, JournalError> {
        self.stream_ids(
            sqlx::query(
                "SELECT DISTINCT aggregate_id FROM es.events
                  WHERE tenant_id = $1 AND npi = $2 AND aggregate_type = $3",
            )
            .bind(tenant.0)
            .bind(npi)
            .bind(aggregate_type),
        )
        .await
    }

    async fn stream_ids(
        &self,
        query: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<Vec<Uuid>, JournalError> {
        let rows = query.fetch_all(&self.0.pool).await.map_err(JournalError::of)?;
        // Stream ids are UUIDs stored as text, as postgres-es reads them.
        let id = |row: &sqlx::postgres::PgRow| row.get::<String, _>(0).parse().ok();
        Ok(rows.iter().filter_map(id).collect())
    }
}
