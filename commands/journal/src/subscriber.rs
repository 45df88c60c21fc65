//! Who follows the log: projections keep read tables, processes react.
//!
//! Invariant: both see each tenant's events one after the other, each exactly once in effect, since
//! what they write commits together with their checkpoint.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures_util::FutureExt;
use rollcall_domain::kernel::EventSet;
use sqlx::PgConnection;

use crate::{
    checkpoint::{Setting, Subscription},
    envelope::Recorded,
    error::JournalError,
};

/// Why events were not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What a process looked up could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The event contradicts what was seen before.
    #[error("{0}")]
    Contradiction(String),
}

impl ProjectionError {
    /// Whether the same events may well be taken in when tried again, so that nothing is said
    /// against them.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) => is_passing(error),
            Self::Journal(error) => error.is_passing(),
            Self::Contradiction(_) => false,
        }
    }
}

/// Whether a database error says nothing about the statement: the connection failed, the server is
/// stopping, or another transaction was in the way.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    // 40: serialization and deadlock; 53: resources; 55P03: lock timeout; 57: cancelled or stopping.
    let passing = ["08", "40", "53", "55P03", "57"];
    match error.as_database_error() {
        Some(error) => {
            let code = error.code().unwrap_or_default();
            passing.iter().any(|class| code.starts_with(class))
        }
        None => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        ),
    }
}

/// Keeps tables that can be rebuilt from events at any time.
#[async_trait]
pub trait Projection<E: EventSet>: Send + Sync + 'static {
    /// Its name in checkpoints; never changed.
    fn name(&self) -> &'static str;

    /// Raised when the same events are to give other rows; takes a rebuild.
    fn version(&self) -> i32;

    /// Its tables, all of them, without schema: those of `read`, or of the schema a rebuild fills.
    /// No other projection writes them, and views over them would not survive a rebuild.
    fn tables(&self) -> &'static [&'static str];

    /// Whether an event can change its rows; it is given no others. Where nothing of a batch is for
    /// it, its checkpoint moves on without a transaction of its own.
    fn reads(&self, event: &E) -> bool;

    /// Takes in those of consecutive events of one tenant that it reads, one at least. Names tables
    /// without schema: `search_path` holds the one to write to and nothing else.
    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<E>],
    ) -> Result<(), ProjectionError>;
}

/// Reacts to each event once: writes outbox rows, due times, work to do. Never rebuilt. A command
/// that follows from an event takes its id from (process, event, step), so that it happens once too.
#[async_trait]
pub trait Process<E: EventSet>: Send + Sync + 'static {
    /// Its name in checkpoints; never changed.
    fn name(&self) -> &'static str;

    /// Takes in consecutive events of one tenant, one at least. `search_path` is `ops`.
    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<E>],
    ) -> Result<(), ProjectionError>;
}

/// Either, as the runner sees it.
pub(crate) enum Subscriber<E: EventSet> {
    Projection(Arc<dyn Projection<E>>),
    Process(Arc<dyn Process<E>>),
}

impl<E: EventSet> Subscriber<E> {
    fn name(&self) -> &'static str {
        match self {
            Self::Projection(projection) => projection.name(),
            Self::Process(process) => process.name(),
        }
    }

    fn version(&self) -> i32 {
        match self {
            Self::Projection(projection) => projection.version(),
            Self::Process(_) => 1,
        }
    }

    /// How its transactions run. What a process has written may be acted on at once, so it must not
    /// be taken back.
    pub(crate) fn setting(&self) -> Setting {
        match self {
            Self::Projection(_) => Setting { schema: "read", durable: false },
            Self::Process(_) => Setting { schema: "ops", durable: true },
        }
    }

    pub(crate) fn subscription(&self) -> Subscription {
        (self.name(), self.version())
    }

    /// Whether an event is for it.
    pub(crate) fn reads(&self, event: &E) -> bool {
        match self {
            Self::Projection(projection) => projection.reads(event),
            Self::Process(_) => true,
        }
    }

    /// Takes events in; a panic is an error like any other, or it would stop everybody's runner.
    pub(crate) async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<E>],
    ) -> Result<(), ProjectionError> {
        let applied = async {
            match self {
                Self::Projection(projection) => {
                    let batch: Vec<_> =
                        batch.iter().filter(|recorded| projection.reads(&recorded.event)).collect();
                    if batch.is_empty() { Ok(()) } else { projection.apply(tx, &batch).await }
                }
                Self::Process(process) => process.react(tx, batch).await,
            }
        };
        AssertUnwindSafe(applied).catch_unwind().await.unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("without a message");
            Err(ProjectionError::Contradiction(format!("panicked: {message}")))
        })
    }
}
