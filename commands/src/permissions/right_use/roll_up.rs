//! Once a tenant's day is over, each use noted on it becomes an event.
//!
//! Invariant: a use is written down once, because its command id follows from day, person and right;
//! its row goes only after that.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{
    Code,
    kernel::ids::{OrganizationId, TenantId, UserId},
    permissions::right_use::{RightKind, UsedRight},
    values::Npi,
};
use sqlx::{FromRow, PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::{Noted, RecordRightUse};
use crate::{Caller, Commands, DispatchError, NO_KEY, processes::Pace};

/// How long a use waits that could not be written down.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// How many are taken up at a time.
const BATCH: i64 = 100;

/// Writes down what was used on days that are over.
pub struct RollUp {
    pub commands: Commands,
    /// Connections as the runner role.
    pub pool: PgPool,
}

/// How many uses wait to be written down.
///
/// # Errors
/// The database did not answer.
pub async fn due(pool: &PgPool, now: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM ops.right_uses WHERE due_at <= $1")
        .bind(now)
        .fetch_one(pool)
        .await
}

#[derive(Clone, Debug, FromRow)]
struct Row {
    tenant_id: Uuid,
    user_id: Uuid,
    organization_id: Uuid,
    kind: String,
    npi: String,
    detail: String,
    day: NaiveDate,
}

impl RollUp {
    /// Works until `stopping` is true.
    #[must_use]
    pub fn spawn(self, mut pace: Pace, mut stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            while !*stopping.borrow() {
                match self.carry_out().await {
                    Ok(0) => pace.wait(&mut stopping).await,
                    Ok(_) => pace.hurry(),
                    Err(error) => {
                        tracing::warn!(%error, "uses of rights could not be looked up");
                        pace.slow_down();
                        pace.wait(&mut stopping).await;
                    }
                }
            }
        })
    }

    /// Writes some of what is due down; how many rows were taken up.
    async fn carry_out(&self) -> Result<usize, sqlx::Error> {
        let now = self.commands.journal.now();
        let mut tx = self.pool.begin().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT tenant_id, user_id, organization_id, kind, npi, detail, day
               FROM ops.right_uses WHERE due_at <= $1
              ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        )
        .bind(now)
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            match self.write_down(row).await {
                Ok(()) => done(&mut tx, row).await?,
                Err(DispatchError::Refused(refusal)) if refusal.code != Code::VersionConflict => {
                    tracing::debug!(?row, %refusal, "a use of a right says nothing any more");
                    done(&mut tx, row).await?;
                }
                Err(error) => {
                    tracing::warn!(?row, %error, "a use was not written down; it is tried again");
                    put_off(&mut tx, row, now + PAUSE).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(rows.len())
    }

    async fn write_down(&self, row: &Row) -> Result<(), DispatchError> {
        let command = row
            .command()
            .ok_or_else(|| DispatchError::Fault(format!("a use of no known shape: {row:?}")))?;
        let tenant = TenantId(row.tenant_id);
        let caller = Caller::system(tenant, Uuid::now_v7(), None);
        self.commands.dispatch_as(&caller, (row.command_id(), NO_KEY), &command).await?;
        Ok(())
    }
}

impl Row {
    fn command(&self) -> Option<RecordRightUse> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let npi = some(&self.npi).map(|npi| Npi::parse(&npi)).transpose().ok()?;
        let right = UsedRight { kind: RightKind::parse(&self.kind)?, npi, of: some(&self.detail) };
        let organization = (!self.organization_id.is_nil()).then_some(self.organization_id);
        let used = Noted {
            user: UserId(self.user_id),
            organization: organization.map(OrganizationId),
            right,
        };
        Some(RecordRightUse { used, day: self.day.into() })
    }

    fn command_id(&self) -> Uuid {
        let Self { user_id, organization_id, kind, npi, detail, day, tenant_id } = self;
        let key = format!("{day}/{user_id}/{organization_id}/{kind}/{npi}/{detail}");
        TenantId(*tenant_id).derive("right_use.roll_up", &key)
    }
}

const IT: &str = "tenant_id = $1 AND user_id = $2 AND organization_id = $3 AND kind = $4
   AND npi = $5 AND detail = $6 AND day = $7";

async fn done(tx: &mut PgConnection, row: &Row) -> Result<(), sqlx::Error> {
    let delete = format!("DELETE FROM ops.right_uses WHERE {IT}");
    sqlx::query(&delete)
        .bind(row.tenant_id)
        .bind(row.user_id)
        .bind(row.organization_id)
        .bind(&row.kind)
        .bind(&row.npi)
        .bind(&row.detail)
        .bind(row.day)
        .execute(tx)
        .await
        .map(drop)
}

async fn put_off(tx: &mut PgConnection, row: &Row, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let update = format!("UPDATE ops.right_uses SET due_at = $8 WHERE {IT}");
    sqlx::query(&update)
        .bind(row.tenant_id)
        .bind(row.user_id)
        .bind(row.organization_id)
        .bind(&row.kind)
        .bind(&row.npi)
        .bind(&row.detail)
        .bind(row.day)
        .bind(at)
        .execute(tx)
        .await
        .map(drop)
}
