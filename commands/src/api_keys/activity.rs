//! When each key was last used. Not events, as for sessions: a request per event would drown the
//! journal (invariant 1 names the exception).

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::kernel::ids::{ApiKeyId, TenantId};
use sqlx::PgPool;

/// How exact a last use is told: within it a key's next use is looked at and not written.
const RESOLUTION: TimeDelta = TimeDelta::minutes(1);

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
    /// once a minute. The rest of the time it reads: an upsert that changes nothing would still lock
    /// the row, and a lock is a durable write.
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
             SELECT $1, $2, $3
              WHERE NOT EXISTS (SELECT FROM ops.api_key_activity
                                 WHERE tenant_id = $1 AND key_id = $2 AND last_used_at > $4)
             ON CONFLICT (tenant_id, key_id) DO UPDATE SET last_used_at = excluded.last_used_at
              WHERE known.last_used_at <= $4",
        )
        .bind(tenant.0)
        .bind(key.0)
        .bind(now)
        .bind(now - RESOLUTION)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
