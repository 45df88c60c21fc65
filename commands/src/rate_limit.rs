//! Durable counters against guessing (GN-03, GN-09): a restart must not give an attacker new tries.
//!
//! Invariant: keys are keyed hashes, so the table tells nobody which addresses or accounts were tried.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Code, Refusal, kernel::ids::TenantId};
use sqlx::PgPool;

use crate::Failure;

/// A limit: at most `tries` within `window`.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What is counted, e.g. `sign_in.address`.
    pub name: &'static str,
    pub tries: i32,
    pub window: TimeDelta,
}

/// `ops.rate_limits`.
#[derive(Clone)]
pub struct RateLimits {
    pool: PgPool,
}

impl RateLimits {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Refuses when the tries are used up, without counting one: for limits on vain tries, which
    /// must hold for the good one after them too.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub async fn check(
        &self,
        tenant: TenantId,
        limit: Limit,
        key: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let until: Option<DateTime<Utc>> = sqlx::query_scalar(
            "SELECT window_ends_at FROM ops.rate_limits
              WHERE tenant_id = $1 AND name = $2 AND key = $3
                AND tries >= $4 AND window_ends_at > $5",
        )
        .bind(tenant.0)
        .bind(limit.name)
        .bind(&key[..])
        .bind(limit.tries)
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        until.map_or(Ok(()), |until| Err(exceeded(until).into()))
    }

    /// Counts one try under `key` and refuses beyond the limit.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the time the window ends, or the database did not answer.
    pub async fn count(
        &self,
        tenant: TenantId,
        limit: Limit,
        key: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let (tries, until): (i32, DateTime<Utc>) = sqlx::query_as(
            "INSERT INTO ops.rate_limits AS r (tenant_id, name, key, tries, window_ends_at)
             VALUES ($1, $2, $3, 1, $5)
             ON CONFLICT (tenant_id, name, key) DO UPDATE SET
               tries = CASE WHEN r.window_ends_at <= $4 THEN 1 ELSE r.tries + 1 END,
               window_ends_at = CASE WHEN r.window_ends_at <= $4 THEN $5 ELSE r.window_ends_at END
             RETURNING tries, window_ends_at",
        )
        .bind(tenant.0)
        .bind(limit.name)
        .bind(&key[..])
        .bind(now)
        .bind(now + limit.window)
        .fetch_one(&self.pool)
        .await?;
        if tries <= limit.tries {
            return Ok(());
        }
        Err(exceeded(until).into())
    }
}

fn exceeded(until: DateTime<Utc>) -> Refusal {
    Refusal::new(Code::RateLimited, "Too many tries. Wait a while, then try again.").retry_at(until)
}
