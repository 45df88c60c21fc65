//! One consistent view of a tenant's read models.
//!
//! Invariant: rows, checkpoints and the versions an authorisation rested on are read in one
//! REPEATABLE READ transaction, as a role that row-level security binds to the tenant.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::TenantId;
use rollcall_journal::{Guard, Progress, upcast::Upcasters};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

/// How long a query waits for the position it asks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The read models, through the query role.
#[derive(Clone)]
pub struct ReadStore {
    pool: PgPool,
    progress: Progress,
    upcasters: Upcasters,
}

/// What a view must satisfy.
pub struct Ask<'a> {
    pub tenant: TenantId,
    /// The projections the view must hold `min_position` in.
    pub projections: &'a [&'a str],
    /// Read-your-writes: the position a mutation answered.
    pub min_position: Option<i64>,
}

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the read models have not reached position {0} yet")]
    Lagging(i64),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl ReadStore {
    /// `pool` serves as the query role; events that an answer tells are read through `upcasters`.
    #[must_use]
    pub fn new(pool: PgPool, progress: Progress, upcasters: Upcasters) -> Self {
        Self { pool, progress, upcasters }
    }

    /// Where each projection stands.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Waits for the position, then opens a view.
    ///
    /// # Errors
    /// [`ReadError::Lagging`] after five seconds, or the database did not answer.
    pub async fn snapshot(&self, ask: Ask<'_>) -> Result<Snapshot, ReadError> {
        if let Some(position) = ask.min_position {
            self.progress
                .wait(ask.projections, ask.tenant, position, PATIENCE)
                .await
                .map_err(|_| ReadError::Lagging(position))?;
        }
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        let mut tx = self.pool.begin_with(begin).await?;
        sqlx::query("SELECT set_config('rollcall.tenant', $1, true)")
            .bind(ask.tenant.to_string())
            .execute(&mut *tx)
            .await?;
        let positions: Vec<(String, i64)> =
            sqlx::query_as("SELECT name, position FROM ops.checkpoints WHERE tenant_id = $1")
                .bind(ask.tenant.0)
                .fetch_all(&mut *tx)
                .await?;
        Ok(Snapshot {
            tx,
            tenant: ask.tenant,
            positions: positions.into_iter().collect(),
            upcasters: self.upcasters.clone(),
            pin: None,
        })
    }
}

/// The place of the log for which all answers hold, whatever happens later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    pub position: i64,
    /// When the event there was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// A consistent view; drop it to let go.
pub struct Snapshot {
    tx: Transaction<'static, Postgres>,
    tenant: TenantId,
    positions: BTreeMap<String, i64>,
    upcasters: Upcasters,
    pin: Option<Pin>,
}

impl Snapshot {
    /// Keeps the answers to a place of the log. Names are then told of nobody and nothing: they are
    /// known as they are today only, and those of people who were erased must not come back.
    pub fn pin(&mut self, pin: Pin) {
        self.pin = Some(pin);
    }

    /// The place that answers are kept to.
    #[must_use]
    pub fn pinned(&self) -> Option<Pin> {
        self.pin
    }

    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// How old payloads are read as today's.
    #[must_use]
    pub fn upcasters(&self) -> &Upcasters {
        &self.upcasters
    }

    /// For queries; every table is already bound to the tenant.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The tenant position that `projection` holds here.
    #[must_use]
    pub fn position_of(&self, projection: &str) -> i64 {
        self.positions.get(projection).copied().unwrap_or(0)
    }

    /// Whether every stream in `guards` still stands where authorisation saw it.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn holds(&mut self, guards: &[Guard]) -> Result<bool, sqlx::Error> {
        let types: Vec<&str> = guards.iter().map(|guard| guard.aggregate_type).collect();
        let ids: Vec<String> = guards.iter().map(|guard| guard.id.to_string()).collect();
        let versions: Vec<i64> = guards.iter().map(|guard| guard.version).collect();
        let moved: bool = sqlx::query_scalar(
            "SELECT EXISTS (
               SELECT 1 FROM unnest($1::text[], $2::text[], $3::bigint[]) g(type, id, version)
               WHERE EXISTS (SELECT 1 FROM es.events e WHERE e.aggregate_type = g.type
                 AND e.aggregate_id = g.id AND e.sequence = g.version + 1))",
        )
        .bind(types)
        .bind(ids)
        .bind(versions)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(!moved)
    }

    /// How old the oldest event is that `position` does not hold yet; zero when there is none.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn lag_ms(&mut self, position: i64, now: DateTime<Utc>) -> Result<i64, sqlx::Error> {
        let waiting: Option<DateTime<Utc>> = sqlx::query_scalar(
            "SELECT recorded_at FROM es.events WHERE tenant_id = $1 AND tenant_position = $2",
        )
        .bind(self.tenant.0)
        .bind(position + 1)
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(waiting.map_or(0, |at| (now - at).num_milliseconds().max(0)))
    }
}
