//! Once a tenant's day is over, each use noted on it becomes an event.
//!
//! Invariant: a use is written down once, because a day that is known already says nothing new; its
//! row goes only after that. Earlier days come first, because after a later one they would say
//! nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::future::join_all;
use rollcall_domain::{
    Code,
    kernel::ids::{OrganizationId, TenantId, UserId},
    permissions::right_use::{RightKind, UsedRight},
    values::Npi,
};
use sqlx::{FromRow, PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::RecordRightUse;
use crate::{Caller, Commands, DispatchError, NO_KEY, processes::Pace};

/// How long a use waits that could not be written down.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// How long one waits that nobody can read: until somebody had the time to see why.
const LONG_PAUSE: TimeDelta = TimeDelta::days(1);
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

/// What is written down in one append: a person's uses in an organisation on a day.
type Together = (Uuid, Uuid, Uuid, NaiveDate);

impl RollUp {
    /// Works until `stopping` is true.
    #[must_use]
    pub fn spawn(self, pace: Pace, stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            pace.drive(stopping, "uses of rights could not be looked up", || self.carry_out())
                .await;
        })
    }

    /// Writes some of the earliest day that is due down; `false` when nothing is.
    async fn carry_out(&self) -> Result<bool, sqlx::Error> {
        let now = self.commands.journal.now();
        let mut tx = self.pool.begin().await?;
        // Of one day only, so that no other process takes a later day of a right meanwhile.
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT tenant_id, user_id, organization_id, kind, npi, detail, day
               FROM ops.right_uses
              WHERE due_at <= $1
                AND day = (SELECT min(day) FROM ops.right_uses WHERE due_at <= $1)
              ORDER BY tenant_id, user_id, organization_id LIMIT $2 FOR UPDATE SKIP LOCKED",
        )
        .bind(now)
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let mut together: BTreeMap<Together, Vec<(Row, UsedRight)>> = BTreeMap::new();
        let mut unknown = Vec::new();
        for row in rows {
            match row.right() {
                Some(right) => together.entry(row.together()).or_default().push((row, right)),
                None => unknown.push(row),
            }
        }
        let written = join_all(together.into_iter().map(|(of, uses)| self.write_down(of, uses)));
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (rows, is_done) in written.await {
            if is_done { done.extend(rows) } else { failed.extend(rows) }
        }
        forget(&mut tx, &done).await?;
        put_off(&mut tx, &failed, now + PAUSE).await?;
        if !unknown.is_empty() {
            tracing::error!(rows = ?unknown, "uses of no known shape are put off for a day");
            put_off(&mut tx, &unknown, now + LONG_PAUSE).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether these uses need nothing more.
    async fn write_down(&self, of: Together, uses: Vec<(Row, UsedRight)>) -> (Vec<Row>, bool) {
        let (tenant, user, organization, day) = of;
        let (rows, rights): (Vec<Row>, Vec<UsedRight>) = uses.into_iter().unzip();
        let command = RecordRightUse {
            user: UserId(user),
            organization: (!organization.is_nil()).then_some(OrganizationId(organization)),
            rights,
            day: day.into(),
        };
        let caller = Caller::system(TenantId(tenant), Uuid::now_v7(), None);
        let ids = (command_id(of, &rows), NO_KEY);
        let done = match self.commands.dispatch_as(&caller, ids, &command).await {
            Ok(_) => true,
            Err(DispatchError::Refused(refusal)) if refusal.code != Code::VersionConflict => {
                tracing::debug!(?rows, %refusal, "uses of rights say nothing any more");
                true
            }
            Err(error) => {
                tracing::warn!(?rows, %error, "uses were not written down; it is tried again");
                false
            }
        };
        (rows, done)
    }
}

impl Row {
    fn together(&self) -> Together {
        (self.tenant_id, self.user_id, self.organization_id, self.day)
    }

    /// The right in today's words; `None` where these do not say one.
    fn right(&self) -> Option<UsedRight> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let npi = some(&self.npi).map(|npi| Npi::parse(&npi)).transpose().ok()?;
        Some(UsedRight { kind: RightKind::parse(&self.kind)?, npi, of: some(&self.detail) })
    }
}

/// The same rows are the same command.
fn command_id((tenant, user, organization, day): Together, rows: &[Row]) -> Uuid {
    let word = |row: &Row| format!("{}/{}/{}", row.kind, row.npi, row.detail);
    let mut words: Vec<String> = rows.iter().map(word).collect();
    words.sort_unstable();
    let key = format!("{day}/{user}/{organization}/{}", words.join("/"));
    TenantId(tenant).derive("right_use.roll_up", &key)
}

/// Rows by their keys, as [`named`] binds them.
const NAMED: &str = "unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],
    $6::text[], $7::date[]) named(tenant_id, user_id, organization_id, kind, npi, detail, day)";
/// One of these rights.
const RIGHT: &str = "u.tenant_id = named.tenant_id AND u.user_id = named.user_id
    AND u.organization_id = named.organization_id AND u.kind = named.kind
    AND u.npi = named.npi AND u.detail = named.detail";

type Statement<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn named<'q>(sql: &'q str, rows: &[Row]) -> Statement<'q> {
    fn of<T>(rows: &[Row], value: impl Fn(&Row) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    sqlx::query(sql)
        .bind(of(rows, |row| row.tenant_id))
        .bind(of(rows, |row| row.user_id))
        .bind(of(rows, |row| row.organization_id))
        .bind(of(rows, |row| row.kind.clone()))
        .bind(of(rows, |row| row.npi.clone()))
        .bind(of(rows, |row| row.detail.clone()))
        .bind(of(rows, |row| row.day))
}

async fn forget(tx: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql =
        format!("DELETE FROM ops.right_uses u USING {NAMED} WHERE {RIGHT} AND u.day = named.day");
    named(&sql, rows).execute(tx).await.map(drop)
}

/// Later days of the same rights wait as long, because they come after.
async fn put_off(
    tx: &mut PgConnection,
    rows: &[Row],
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE ops.right_uses u SET due_at = $8 FROM {NAMED}
          WHERE {RIGHT} AND u.day >= named.day AND u.due_at < $8"
    );
    named(&sql, rows).bind(until).execute(tx).await.map(drop)
}
