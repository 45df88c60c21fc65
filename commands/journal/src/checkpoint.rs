//! Checkpoints: how far a subscriber has come in each tenant's log.
//!
//! Invariant: a checkpoint moves only by compare-and-set inside the transaction that writes the
//! subscriber's rows, and only while the tables hold the subscriber's version. So a runner that
//! wrongly believes itself the leader changes nothing.

use std::collections::{HashMap, HashSet};

use rollcall_domain::kernel::ids::TenantId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A subscriber's name and the version of its rows.
pub(crate) type Subscription = (&'static str, i32);

/// Positions by tenant; a tenant that is not in it stands at 0.
pub(crate) type Positions = HashMap<TenantId, i64>;

/// The step a transaction takes: from the position the runner read to the last event it applies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub subscription: Subscription,
    pub tenant: TenantId,
    pub from: i64,
    pub to: i64,
}

/// Which version the tables of each subscriber hold. A subscriber that is new becomes known, its
/// tables being empty.
pub(crate) async fn live_versions(
    connection: &mut PgConnection,
    subscriptions: &[Subscription],
) -> Result<HashMap<String, i32>, sqlx::Error> {
    let live = versions(connection).await?;
    let (names, versions_known): (Vec<&str>, Vec<i32>) =
        subscriptions.iter().copied().filter(|(name, _)| !live.contains_key(*name)).unzip();
    if names.is_empty() {
        return Ok(live);
    }
    sqlx::query(
        "INSERT INTO ops.projections (name, version) SELECT * FROM unnest($1::text[], $2::integer[])
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&names)
    .bind(&versions_known)
    .execute(&mut *connection)
    .await?;
    versions(connection).await
}

async fn versions(connection: &mut PgConnection) -> Result<HashMap<String, i32>, sqlx::Error> {
    let rows: Vec<(String, i32)> =
        sqlx::query_as("SELECT name, version FROM ops.projections").fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

/// The positions of each of `subscriptions`, in their order.
pub(crate) async fn positions(
    connection: &mut PgConnection,
    subscriptions: &[Subscription],
) -> Result<Vec<Positions>, sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) = subscriptions.iter().copied().unzip();
    let rows: Vec<(i64, Uuid, i64)> = sqlx::query_as(
        "SELECT s.nth, c.tenant_id, c.position
           FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY s(name, version, nth)
           JOIN ops.checkpoints c ON c.name = s.name AND c.version = s.version",
    )
    .bind(&names)
    .bind(&versions)
    .fetch_all(connection)
    .await?;
    let mut positions = vec![Positions::new(); subscriptions.len()];
    for (nth, tenant, position) in rows {
        positions[nth as usize - 1].insert(TenantId(tenant), position);
    }
    Ok(positions)
}

/// Moves the checkpoint; `false` if somebody else has moved it, or the tables hold another version.
pub(crate) async fn advance(tx: &mut PgConnection, step: Step) -> Result<bool, sqlx::Error> {
    let (name, version) = step.subscription;
    let statement = if step.from == 0 {
        "INSERT INTO ops.checkpoints AS c (name, version, tenant_id, position)
         SELECT name, version, $3, $5 FROM ops.projections
          WHERE name = $1 AND version = $2 AND $4::bigint = 0
         ON CONFLICT (name, version, tenant_id) DO UPDATE
            SET position = excluded.position, status = 'RUNNING', error = NULL,
                updated_at = clock_timestamp()
          WHERE c.position = 0"
    } else {
        "UPDATE ops.checkpoints c
            SET position = $5, status = 'RUNNING', error = NULL, updated_at = clock_timestamp()
           FROM ops.projections p
          WHERE c.name = $1 AND c.version = $2 AND c.tenant_id = $3 AND c.position = $4
            AND p.name = c.name AND p.version = c.version"
    };
    let moved = sqlx::query(statement)
        .bind(name)
        .bind(version)
        .bind(step.tenant.0)
        .bind(step.from)
        .bind(step.to)
        .execute(tx)
        .await?;
    Ok(moved.rows_affected() == 1)
}

/// Moves the checkpoints of subscribers that have no rows to write, in one statement, and gives the
/// names of those moved. It need not wait for the disk: what is taken back is passed over again. Nor
/// need it wait for a rebuild, having nothing to write to the tables that one switches.
pub(crate) async fn pass_over(
    pool: &PgPool,
    tenant: TenantId,
    steps: &[Step],
) -> Result<HashSet<String>, sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) =
        steps.iter().map(|step| step.subscription).unzip();
    let (from, to): (Vec<i64>, Vec<i64>) = steps.iter().map(|step| (step.from, step.to)).unzip();
    let moved: Vec<String> = sqlx::query_scalar(
        "UPDATE ops.checkpoints c
            SET position = s.upto, status = 'RUNNING', error = NULL, updated_at = clock_timestamp()
           FROM (SELECT set_config('synchronous_commit', 'off', true) AS waits) commit,
                unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[]) s(name, version, since, upto)
           JOIN ops.projections p ON p.name = s.name AND p.version = s.version
          WHERE c.name = s.name AND c.version = s.version AND c.tenant_id = $1
            AND c.position = s.since AND commit.waits = 'off'
      RETURNING c.name",
    )
    .bind(tenant.0)
    .bind(&names)
    .bind(&versions)
    .bind(&from)
    .bind(&to)
    .fetch_all(pool)
    .await?;
    Ok(moved.into_iter().collect())
}

/// Notes why a subscription does not go on in a tenant, unless it has gone on meanwhile.
pub(crate) async fn stall(pool: &PgPool, step: Step, error: &str) -> Result<(), sqlx::Error> {
    let (name, version) = step.subscription;
    sqlx::query(
        "INSERT INTO ops.checkpoints AS c (name, version, tenant_id, position, status, error)
         VALUES ($1, $2, $3, $4, 'STALLED', $5)
         ON CONFLICT (name, version, tenant_id) DO UPDATE
            SET status = 'STALLED', error = excluded.error, updated_at = clock_timestamp()
          WHERE c.position = excluded.position",
    )
    .bind(name)
    .bind(version)
    .bind(step.tenant.0)
    .bind(step.from)
    .bind(error)
    .execute(pool)
    .await?;
    Ok(())
}

/// How a subscriber's transaction runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Where unqualified table names lead.
    pub schema: &'static str,
    /// Whether a commit waits for the disk. What can be folded again need not: a crash of the server
    /// takes rows and checkpoint back together, never one without the other.
    pub durable: bool,
}

/// Begins a subscriber's transaction, and keeps a rebuild from switching tables until it ends.
pub(crate) async fn enter(
    tx: &mut PgConnection,
    name: &str,
    setting: Setting,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('search_path', $2, true), set_config('synchronous_commit', $3, true),
                pg_advisory_xact_lock_shared(hashtextextended('rollcall.rows/' || $1, 0))",
    )
    .bind(name)
    .bind(setting.schema)
    .bind(if setting.durable { "on" } else { "off" })
    .execute(tx)
    .await?;
    Ok(())
}

/// Waits until no transaction of the subscriber is under way, and lets none begin before this one
/// ends.
pub(crate) async fn hold(tx: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('rollcall.rows/' || $1, 0))")
        .bind(name)
        .execute(tx)
        .await?;
    Ok(())
}

/// Puts a rebuilt version in the place of whatever a projection had.
pub(crate) async fn replace(
    tx: &mut PgConnection,
    (name, version): Subscription,
    positions: &Positions,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ops.projections (name, version) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version",
    )
    .bind(name)
    .bind(version)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM ops.checkpoints WHERE name = $1").bind(name).execute(&mut *tx).await?;
    let (tenants, positions): (Vec<Uuid>, Vec<i64>) =
        positions.iter().map(|(tenant, position)| (tenant.0, *position)).unzip();
    sqlx::query(
        "INSERT INTO ops.checkpoints (name, version, tenant_id, position)
         SELECT $1, $2, * FROM unnest($3::uuid[], $4::bigint[])",
    )
    .bind(name)
    .bind(version)
    .bind(&tenants)
    .bind(&positions)
    .execute(tx)
    .await?;
    Ok(())
}
