//! Connection pools, one per database role.
//!
//! Invariant: no pool serves as superuser, as owner of the log or with BYPASSRLS. Each connection
//! takes its role on connect and is refused unless the role it then has is bound by row-level
//! security and cannot touch events but through `es.append`.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The role that appends and loads streams.
pub const WRITER: &str = "rollcall_writer";
/// The role that runs projections and processes.
pub const RUNNER: &str = "rollcall_runner";
/// The role that builds the proof trees.
pub const SEALER: &str = "rollcall_sealer";
/// The role that answers questions, bound to one tenant per transaction.
pub const QUERY: &str = "rollcall_query";

/// A connection idle for longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the writer's statements do is ask an index for a few keys, however large the log is. Plans are
/// made once, perhaps while the tables are empty, and stay; other ways than the index must not tempt
/// then. To plan a statement of fifty arrays on each call costs more than to run it.
const BY_INDEX: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// Over tables it has not analysed yet PostgreSQL guesses costs too high, and then spends longer on
/// compiling a question than on answering it. What Rollcall asks is short.
const UNCOMPILED: [(&str, &str); 1] = [("jit", "off")];

/// A pool for the journal. Its statements are short; 15 seconds bound even a wait for the head.
///
/// # Errors
/// The server cannot be reached, or the role is missing or too powerful.
pub async fn writer(options: PgConnectOptions, size: u32) -> Result<PgPool, sqlx::Error> {
    pool(options.options(BY_INDEX), size, WRITER, "15s").await
}

/// A pool for projections and processes.
///
/// # Errors
/// As [`writer`].
pub async fn runner(options: PgConnectOptions, size: u32) -> Result<PgPool, sqlx::Error> {
    pool(options, size, RUNNER, "60s").await
}

/// A pool for the sealer.
///
/// # Errors
/// As [`writer`].
pub async fn sealer(options: PgConnectOptions, size: u32) -> Result<PgPool, sqlx::Error> {
    pool(options, size, SEALER, "60s").await
}

/// A pool for questions; a transaction sees the tenant of `SET LOCAL rollcall.tenant` only.
///
/// # Errors
/// As [`writer`].
pub async fn query(options: PgConnectOptions, size: u32) -> Result<PgPool, sqlx::Error> {
    pool(options, size, QUERY, "15s").await
}

async fn pool(
    options: PgConnectOptions,
    size: u32,
    role: &'static str,
    statement_timeout: &'static str,
) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping per use would cost as much as the statement.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(
                async move { Ok(meta.idle_for < TRUSTED_IDLE || connection.ping().await.is_ok()) },
            )
        })
        .after_connect(move |connection, _| {
            Box::pin(take_role(connection, role, statement_timeout))
        })
        .connect_with(options.options(UNCOMPILED))
        .await
}

async fn take_role(
    connection: &mut PgConnection,
    role: &str,
    statement_timeout: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('role', $1, false), set_config('statement_timeout', $2, false)")
        .bind(role)
        .bind(statement_timeout)
        .execute(&mut *connection)
        .await?;
    check_role(connection, role).await
}

/// Refuses a connection whose effective role is not `role` or could get around the rules.
///
/// # Errors
/// [`sqlx::Error::Configuration`] with the reason, or the check's own failure.
pub async fn check_role(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let (effective, powerful, owner): (String, bool, bool) = sqlx::query_as(
        "SELECT current_user::text, r.rolsuper OR r.rolbypassrls,
                EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE n.nspname = 'es' AND c.relname = 'events' AND c.relowner = r.oid)
           FROM pg_roles r WHERE r.rolname = current_user",
    )
    .fetch_one(connection)
    .await?;
    let reason = if effective != role {
        format!("the connection acts as {effective} instead of {role}")
    } else if powerful {
        format!("{role} is superuser or has BYPASSRLS; row-level security would not bind it")
    } else if owner {
        format!("{role} owns es.events; it could change the log")
    } else {
        return Ok(());
    };
    Err(sqlx::Error::Configuration(reason.into()))
}

/// Connections that stay with their user: a pool asks each one that comes back whether it is well,
/// which is a round trip for every use.
pub(crate) struct Kept {
    pool: PgPool,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

impl Kept {
    /// New connections are taken from `pool`, beyond its size, and never go back.
    pub(crate) fn from(pool: PgPool) -> Self {
        Self { pool, idle: Mutex::default() }
    }

    /// A connection kept a moment ago, or a new one.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub(crate) async fn take(&self) -> Result<PgConnection, sqlx::Error> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match kept {
            Some((connection, since)) if since.elapsed() < TRUSTED_IDLE => Ok(connection),
            _ => Ok(self.pool.acquire().await?.detach()),
        }
    }

    /// For the next user; not to be called after a statement that was cut off.
    pub(crate) fn keep(&self, connection: PgConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Instant::now()));
    }
}
