//! When each key was last used. Not events, as for sessions: a request per event would drown the
//! journal (invariant 1 names the exception).

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{ApiKeyId, TenantId};
use sqlx::PgPool;

/// `ops.api_key_activity`.
#[derive(Clone)]
pub struct ApiKeyActivity {
    pool: PgPool,
}

impl ApiKeyActivity {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Notes a use at `now`; one of the last minute is exact enough, so that a busy machine writes
    /// once a minute.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn touch(
        &self,
        tenant: TenantId,
        key: ApiKeyId,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO ops.api_key_activity AS known (tenant_id, key_id, last_used_at)
             VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, key_id) DO UPDATE SET last_used_at = excluded.last_used_at
              WHERE known.last_used_at <= excluded.last_used_at - interval '1 minute'",
        )
        .bind(tenant.0)
        .bind(key.0)
        .bind(now)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
