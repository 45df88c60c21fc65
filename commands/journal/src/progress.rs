//! How far the subscribers are, for whoever waits for their own writes or watches for lag.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rollcall_domain::kernel::ids::TenantId;
use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

/// How soon the table is asked again where another process leads.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// A handle on the runner's progress, in this process and, through the checkpoints, in any.
#[derive(Clone)]
pub struct Progress {
    pool: PgPool,
    seen: Arc<Seen>,
}

/// Positions that this process has committed or read.
struct Seen {
    positions: Mutex<HashMap<TenantId, HashMap<&'static str, i64>>>,
    changed: watch::Sender<()>,
}

/// The time to wait was over before a projection was there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{projection} stands at {position}, not yet at {at_least}")]
pub struct Lagging {
    pub projection: String,
    pub position: i64,
    pub at_least: i64,
    /// Why it is stalled.
    pub error: Option<String>,
}

/// One subscriber's distance from a tenant's head.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Lag {
    pub projection: String,
    #[sqlx(try_from = "Uuid")]
    pub tenant: TenantId,
    pub position: i64,
    pub head: i64,
    /// `RUNNING` or `STALLED`.
    pub status: String,
    pub error: Option<String>,
}

impl Lag {
    /// Whether it stands still until somebody mends it.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.status == "STALLED"
    }
}

impl Progress {
    pub(crate) fn new(pool: PgPool) -> Self {
        let positions = Mutex::default();
        Self { pool, seen: Arc::new(Seen { positions, changed: watch::Sender::new(()) }) }
    }

    /// Waits until each of `projections` has taken in a tenant's log up to `at_least`; returns at
    /// once where that is so already.
    ///
    /// # Errors
    /// [`Lagging`] names one that is still behind after `timeout`.
    pub async fn wait(
        &self,
        projections: &[&str],
        tenant: TenantId,
        at_least: i64,
        timeout: Duration,
    ) -> Result<(), Lagging> {
        let deadline = Instant::now() + timeout;
        let mut changed = self.seen.changed.subscribe();
        let mut pause = FIRST_PAUSE;
        // Where this process leads it will say so itself, sooner than the table answers.
        let mut is_told = self.has_seen(projections, tenant, 1);
        while !self.has_seen(projections, tenant, at_least) {
            if !std::mem::take(&mut is_told) {
                let Some(lagging) = self.lagging(projections, tenant, at_least).await else {
                    return Ok(());
                };
                if Instant::now() >= deadline {
                    return Err(lagging);
                }
            }
            let ask_again = deadline.min(Instant::now() + pause);
            pause = LONGEST_PAUSE.min(pause * 2);
            let reached = async {
                while !self.has_seen(projections, tenant, at_least) {
                    changed.changed().await.expect("this handle keeps the sender alive");
                }
            };
            // Which of the two came first shows in what has been seen by then.
            let _ = tokio::time::timeout_at(ask_again, reached).await;
        }
        Ok(())
    }

    /// Every subscriber's position in every tenant, with the tenant's head.
    ///
    /// # Errors
    /// The database's.
    pub async fn lag(&self) -> Result<Vec<Lag>, sqlx::Error> {
        sqlx::query_as(
            "SELECT p.name AS projection, h.tenant_id AS tenant, coalesce(c.position, 0) AS position,
                    h.position AS head, coalesce(c.status, 'RUNNING') AS status, c.error
               FROM ops.projections p CROSS JOIN es.tenant_heads h
               LEFT JOIN ops.checkpoints c
                 ON c.name = p.name AND c.version = p.version AND c.tenant_id = h.tenant_id
              ORDER BY p.name, h.tenant_id",
        )
        .fetch_all(&self.pool)
        .await
    }

    pub(crate) fn note(&self, name: &'static str, tenant: TenantId, position: i64) {
        let before = {
            let mut seen = self.seen.positions.lock().unwrap_or_else(PoisonError::into_inner);
            seen.entry(tenant).or_default().insert(name, position)
        };
        if before != Some(position) {
            self.seen.changed.send_replace(());
        }
    }

    /// Forgets what was seen: a server that crashed may have taken commits of projections back.
    pub(crate) fn forget(&self) {
        self.seen.positions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn has_seen(&self, projections: &[&str], tenant: TenantId, at_least: i64) -> bool {
        let seen = self.seen.positions.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = seen.get(&tenant);
        let position = |name: &str| of_tenant.and_then(|seen| seen.get(name)).copied().unwrap_or(0);
        projections.iter().all(|name| position(name) >= at_least)
    }

    /// One that is behind by its checkpoint. Where the table cannot be read all count as behind.
    async fn lagging(
        &self,
        projections: &[&str],
        tenant: TenantId,
        at_least: i64,
    ) -> Option<Lagging> {
        let asked: Result<Option<(String, i64, Option<String>)>, _> = sqlx::query_as(
            "SELECT n.name, coalesce(c.position, 0), c.error
               FROM unnest($1::text[]) n(name)
               LEFT JOIN ops.projections p ON p.name = n.name
               LEFT JOIN ops.checkpoints c
                 ON c.name = p.name AND c.version = p.version AND c.tenant_id = $2
              WHERE coalesce(c.position, 0) < $3 LIMIT 1",
        )
        .bind(projections)
        .bind(tenant.0)
        .bind(at_least)
        .fetch_optional(&self.pool)
        .await;
        let (projection, position, error) = match asked {
            Ok(behind) => behind?,
            Err(error) => (projections.join(", "), 0, Some(error.to_string())),
        };
        Some(Lagging { projection, position, at_least, error })
    }
}
