//! `ops.audit_sinks`. Invariant: who works on a receiver holds its lock, so two processes never deliver
//! to one at once; a crash lets go of it. Where a batch ends stands in the row before the batch is sent.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    audit::Delivered,
    kernel::ids::{AuditSinkId, TenantId},
};
use sqlx::{FromRow, PgConnection, Postgres, Transaction};
use uuid::Uuid;

/// What left is written down at most so often.
const ROLLED_UP_AFTER: TimeDelta = TimeDelta::hours(24);

/// What is to be done for a receiver next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write down what it took.
    RollUp,
    /// Let go of its row.
    Drop,
    /// Say where the next batch ends.
    Plan,
    /// Send the batch that ends here.
    Send { to: i64 },
}

/// A receiver's row, claimed.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    pub tenant: TenantId,
    pub sink: AuditSinkId,
    /// Everything up to here was taken.
    pub cursor: i64,
    /// Tries of the batch before this one.
    pub attempts: u32,
    pub failing_since: Option<DateTime<Utc>>,
    /// What it took and is not on record yet.
    pub unrecorded: Delivered,
    pub step: Step,
}

/// A claimed receiver and the transaction that holds it.
pub struct Turn {
    pub claimed: Claimed,
    tx: Transaction<'static, Postgres>,
}

#[derive(FromRow)]
struct Row {
    tenant_id: Uuid,
    sink_id: Uuid,
    status: String,
    cursor: i64,
    batch_to: Option<i64>,
    attempts: i32,
    failing_since: Option<DateTime<Utc>>,
    recorded_to: i64,
    recorded_at: DateTime<Utc>,
    events: i64,
    batches: i64,
}

impl Row {
    fn step(&self, now: DateTime<Utc>) -> Step {
        let is_active = self.status == "ACTIVE";
        if self.batches > 0 && (!is_active || self.recorded_at + ROLLED_UP_AFTER <= now) {
            return Step::RollUp;
        }
        if self.status == "DELETED" {
            return Step::Drop;
        }
        self.batch_to.map_or(Step::Plan, |to| Step::Send { to })
    }

    fn claimed(self, now: DateTime<Utc>) -> Claimed {
        let step = self.step(now);
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        Claimed {
            tenant: TenantId(self.tenant_id),
            sink: AuditSinkId(self.sink_id),
            cursor: self.cursor,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            failing_since: self.failing_since,
            unrecorded: Delivered {
                after_position: self.recorded_to,
                to_position: self.cursor,
                events: count(self.events),
                batches: count(self.batches),
            },
            step,
        }
    }
}

pub(super) async fn insert(
    tx: &mut PgConnection,
    (tenant, sink): (TenantId, AuditSinkId),
    after_position: i64,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ops.audit_sinks
           (tenant_id, sink_id, status, cursor, next_attempt_at, recorded_to, recorded_at)
         VALUES ($1, $2, 'ACTIVE', $3, $4, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(sink.0)
    .bind(after_position)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_status(
    tx: &mut PgConnection,
    (tenant, sink): (TenantId, AuditSinkId),
    status: &str,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.audit_sinks
            SET status = $3, next_attempt_at = $4, attempts = 0, failing_since = NULL
          WHERE tenant_id = $1 AND sink_id = $2",
    )
    .bind(tenant.0)
    .bind(sink.0)
    .bind(status)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// The receivers for which something is to be done, `$1` being now.
const WAITING: &str = "(s.status = 'ACTIVE' AND s.next_attempt_at <= $1
     AND (s.batch_to IS NOT NULL OR s.cursor < (
       SELECT max(c.position) FROM ops.checkpoints c
        WHERE c.tenant_id = s.tenant_id AND c.name = 'audit_timeline')))
  OR (s.batches > 0 AND (s.status <> 'ACTIVE' OR s.recorded_at <= $2))
  OR s.status = 'DELETED'";
/// Of those that wait longest so many are looked at in one turn.
const LOOKED_AT: i64 = 20;

/// Claims the receiver that has waited longest for something, if there is one that nobody works on.
///
/// # Errors
/// The database did not answer.
pub async fn claim(pool: &sqlx::PgPool, now: DateTime<Utc>) -> Result<Option<Turn>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let waiting = format!(
        "SELECT s.tenant_id, s.sink_id FROM ops.audit_sinks s WHERE {WAITING}
          ORDER BY s.next_attempt_at LIMIT $3"
    );
    let ids: Vec<(Uuid, Uuid)> = sqlx::query_as(&waiting)
        .bind(now)
        .bind(now - ROLLED_UP_AFTER)
        .bind(LOOKED_AT)
        .fetch_all(&mut *tx)
        .await?;
    for (tenant, sink) in ids {
        // No lock of the row: whoever pauses it need not wait for the delivery.
        let claim = "SELECT pg_try_advisory_xact_lock(hashtextextended('audit_sink/' || $1, 0))";
        let claimed: bool =
            sqlx::query_scalar(claim).bind(sink.to_string()).fetch_one(&mut *tx).await?;
        if !claimed {
            continue;
        }
        // As it stands now: whoever had it before may have moved it.
        let read = format!(
            "SELECT s.tenant_id, s.sink_id, s.status, s.cursor, s.batch_to, s.attempts,
                    s.failing_since, s.recorded_to, s.recorded_at, s.events, s.batches
               FROM ops.audit_sinks s WHERE s.tenant_id = $3 AND s.sink_id = $4 AND ({WAITING})"
        );
        let row: Option<Row> = sqlx::query_as(&read)
            .bind(now)
            .bind(now - ROLLED_UP_AFTER)
            .bind(tenant)
            .bind(sink)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = row {
            return Ok(Some(Turn { claimed: row.claimed(now), tx }));
        }
    }
    Ok(None)
}

/// Leaves a receiver alone until then whose turn broke off, so that the others are not behind it; one
/// that waits longer already goes on waiting.
///
/// # Errors
/// The database did not answer.
pub async fn put_off(
    pool: &sqlx::PgPool,
    Claimed { tenant, sink, .. }: Claimed,
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.audit_sinks SET next_attempt_at = $3
          WHERE tenant_id = $1 AND sink_id = $2 AND next_attempt_at < $3",
    )
    .bind(tenant.0)
    .bind(sink.0)
    .bind(until)
    .execute(pool)
    .await?;
    Ok(())
}

impl Turn {
    /// The next batch ends here.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn planned(self, to: i64) -> Result<(), sqlx::Error> {
        let set = "UPDATE ops.audit_sinks SET batch_to = $3 WHERE tenant_id = $1 AND sink_id = $2";
        self.update(sqlx::query(set), |query| query.bind(to)).await
    }

    /// There was nothing for it up to here; others that wait are looked at first.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn passed(self, to: i64, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let set = "UPDATE ops.audit_sinks SET cursor = $3, next_attempt_at = $4
             WHERE tenant_id = $1 AND sink_id = $2";
        self.update(sqlx::query(set), |query| query.bind(to).bind(now)).await
    }

    /// It took so many events, up to here.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn taken(
        self,
        to: i64,
        events: usize,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let set = "UPDATE ops.audit_sinks
               SET cursor = $3, batch_to = NULL, attempts = 0, failing_since = NULL,
                   last_error = NULL, last_delivery_at = $5, next_attempt_at = $5,
                   events = events + $4, batches = batches + 1
             WHERE tenant_id = $1 AND sink_id = $2";
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        self.update(sqlx::query(set), |query| query.bind(to).bind(events).bind(now)).await
    }

    /// It did not; it is tried again then.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn failed(
        self,
        why: &str,
        now: DateTime<Utc>,
        again_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let set = "UPDATE ops.audit_sinks
               SET attempts = attempts + 1, failing_since = coalesce(failing_since, $4),
                   last_error = $3, next_attempt_at = $5
             WHERE tenant_id = $1 AND sink_id = $2";
        self.update(sqlx::query(set), |query| query.bind(why).bind(now).bind(again_at)).await
    }

    /// It is left alone until then, which counts as no try.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn held(self, until: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let set = "UPDATE ops.audit_sinks SET next_attempt_at = $3
             WHERE tenant_id = $1 AND sink_id = $2";
        self.update(sqlx::query(set), |query| query.bind(until)).await
    }

    /// What it took is on record.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn recorded(
        self,
        delivered: Delivered,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let set = "UPDATE ops.audit_sinks
               SET recorded_to = $3, recorded_at = $6, events = events - $4,
                   batches = batches - $5
             WHERE tenant_id = $1 AND sink_id = $2";
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let (events, batches) = (count(delivered.events), count(delivered.batches));
        let to = delivered.to_position;
        self.update(sqlx::query(set), |query| query.bind(to).bind(events).bind(batches).bind(now))
            .await
    }

    /// Its row is not needed any more.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn dropped(self) -> Result<(), sqlx::Error> {
        let set = "DELETE FROM ops.audit_sinks WHERE tenant_id = $1 AND sink_id = $2";
        self.update(sqlx::query(set), |query| query).await
    }

    async fn update<'q>(
        mut self,
        query: Statement<'q>,
        bind: impl FnOnce(Statement<'q>) -> Statement<'q>,
    ) -> Result<(), sqlx::Error> {
        let Claimed { tenant, sink, .. } = self.claimed;
        bind(query.bind(tenant.0).bind(sink.0)).execute(&mut *self.tx).await?;
        self.tx.commit().await
    }
}

type Statement<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// How a receiver stands.
#[derive(Clone, Debug, FromRow)]
pub struct Standing {
    #[sqlx(try_from = "Uuid", rename = "sink_id")]
    pub sink: AuditSinkId,
    pub cursor: i64,
    pub last_delivery_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    /// Absent while nothing has failed.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// How a tenant's receivers stand; `connection` is bound to the tenant.
///
/// # Errors
/// The database did not answer.
pub async fn standings(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<Standing>, sqlx::Error> {
    sqlx::query_as(
        "SELECT sink_id, cursor, last_delivery_at, last_error,
                CASE WHEN failing_since IS NOT NULL THEN next_attempt_at END AS next_attempt_at
           FROM ops.audit_sinks WHERE tenant_id = $1 AND status <> 'DELETED'",
    )
    .bind(tenant.0)
    .fetch_all(connection)
    .await
}
