//! When each session was last used. Not events: a request per click would drown the journal
//! (invariant 1 names the exception). Durable, so that idle limits hold across processes.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::kernel::ids::{SessionId, TenantId};
use sqlx::PgPool;

/// Writes are skipped while the stored time is this young: one write a second and session.
const RESOLUTION: TimeDelta = TimeDelta::seconds(1);

/// `ops.session_activity`.
#[derive(Clone)]
pub struct SessionActivity {
    pool: PgPool,
}

impl SessionActivity {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The last time the session was used, `None` before its first request.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn last_seen(
        &self,
        tenant: TenantId,
        session: SessionId,
    ) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT last_seen_at FROM ops.session_activity WHERE tenant_id = $1 AND session_id = $2",
        )
        .bind(tenant.0)
        .bind(session.0)
        .fetch_optional(&self.pool)
        .await
    }

    /// Notes a use at `now`; `before` is what [`Self::last_seen`] answered.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn touch(
        &self,
        tenant: TenantId,
        session: SessionId,
        before: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        if before.is_some_and(|before| now - before < RESOLUTION) {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO ops.session_activity (tenant_id, session_id, last_seen_at) VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, session_id)
             DO UPDATE SET last_seen_at = greatest(session_activity.last_seen_at, excluded.last_seen_at)",
        )
        .bind(tenant.0)
        .bind(session.0)
        .bind(now)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
