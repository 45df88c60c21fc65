//! Rebuilding a projection from the log beside the running one, without downtime: fill new tables
//! in a schema of their own up to where the running ones are, compare, switch. Or fill them up to an
//! earlier position, to look at.
//!
//! Invariant: readers see the old tables or the new ones, never an unfinished one; and the new ones
//! stand at the very positions at which the old ones stood, so no answer goes back in time.

mod tables;

use std::sync::Arc;

use rollcall_domain::kernel::{EventSet, ids::TenantId};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use crate::{
    checkpoint::{self, Positions},
    reader::{ReadError, Reader},
    subscriber::{Projection, ProjectionError, Subscriber},
};

pub use tables::Difference;

/// Events per transaction.
const BATCH: i64 = 1_000;

/// Why a projection was not rebuilt. The running one is untouched.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{0} events in, the projection failed: {1}")]
    Projection(u64, ProjectionError),
    #[error("{0} is being rebuilt by another process")]
    Underway(&'static str),
}

/// What a rebuild did.
#[derive(Debug)]
pub struct Rebuilt {
    pub events: u64,
    /// Tables whose old rows were not what the events say; none are compared when the version
    /// changed, since different rows are the point then.
    pub differences: Vec<Difference>,
}

/// Rebuilds a projection and switches to the new tables. The old ones are kept in schema
/// `retired_<name>` until the next rebuild. `owner` is the user who migrates: tables are made.
///
/// # Errors
/// See [`RebuildError`]. A reader that holds the tables for more than ten seconds makes the switch
/// fail rather than all other readers wait behind it.
pub async fn rebuild<E: EventSet>(
    owner: &PgConnectOptions,
    reader: &Reader<E>,
    projection: &Arc<dyn Projection<E>>,
) -> Result<Rebuilt, RebuildError> {
    let mut session = PgConnection::connect_with(owner).await?;
    let mut build =
        Build::begin(&mut session, reader, projection, rebuild_schema(projection.name())).await?;
    build.catch_up(&mut session).await?;
    let mut tx = session.begin().await?;
    let same_version = build.finish(&mut tx).await? == Some(projection.version());
    let differences = if same_version { build.compare(&mut tx).await? } else { Vec::new() };
    build.switch(&mut tx).await?;
    tx.commit().await?;
    end(session, projection.name()).await?;
    Ok(Rebuilt { events: build.events, differences })
}

/// Rebuilds a projection beside the running one only to compare the two at the same positions.
///
/// # Errors
/// See [`RebuildError`].
pub async fn verify_rebuild<E: EventSet>(
    owner: &PgConnectOptions,
    reader: &Reader<E>,
    projection: &Arc<dyn Projection<E>>,
) -> Result<Vec<Difference>, RebuildError> {
    let mut session = PgConnection::connect_with(owner).await?;
    let mut build =
        Build::begin(&mut session, reader, projection, rebuild_schema(projection.name())).await?;
    build.catch_up(&mut session).await?;
    let mut tx = session.begin().await?;
    build.finish(&mut tx).await?;
    let differences = build.compare(&mut tx).await?;
    tables::drop_schema(&mut tx, &build.schema).await?;
    tx.commit().await?;
    end(session, projection.name()).await?;
    Ok(differences)
}

/// Fills a projection's tables with what they held when one tenant stood at `position`, in schema
/// `replay_<name>`; they are kept until the next replay. The running ones are not touched. Gives how
/// many events that took.
///
/// # Errors
/// See [`RebuildError`].
pub async fn replay<E: EventSet>(
    owner: &PgConnectOptions,
    reader: &Reader<E>,
    projection: &Arc<dyn Projection<E>>,
    (tenant, position): (TenantId, i64),
) -> Result<u64, RebuildError> {
    let name = projection.name();
    let mut session = PgConnection::connect_with(owner).await?;
    let mut build = Build::begin(&mut session, reader, projection, replay_schema(name)).await?;
    build.fold_up_to(&mut session, (tenant, position)).await?;
    end(session, name).await?;
    Ok(build.events)
}

/// Drops the tables that the last rebuild of `name` retired and those of its last replay. Whoever
/// erases a person calls it: the erasure does not reach these rows.
///
/// # Errors
/// The database's.
pub async fn drop_retired(owner: &PgConnectOptions, name: &str) -> Result<(), sqlx::Error> {
    let mut session = PgConnection::connect_with(owner).await?;
    tables::drop_schema(&mut session, &retired_schema(name)).await?;
    tables::drop_schema(&mut session, &replay_schema(name)).await?;
    session.close().await
}

/// Lets the next rebuild begin: a closed session's lock stays until the server notices.
async fn end(mut session: PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_unlock(hashtextextended('rollcall.rebuild/' || $1, 0))")
        .bind(name)
        .execute(&mut session)
        .await?;
    session.close().await
}

fn rebuild_schema(name: &str) -> String {
    format!("rebuild_{name}")
}

fn retired_schema(name: &str) -> String {
    format!("retired_{name}")
}

/// Where [`replay`] leaves a projection's tables.
#[must_use]
pub fn replay_schema(name: &str) -> String {
    format!("replay_{name}")
}

struct Build<'a, E: EventSet> {
    reader: &'a Reader<E>,
    projection: &'a Arc<dyn Projection<E>>,
    /// Guards against the projection's panics, as in the runner.
    subscriber: Subscriber<E>,
    schema: String,
    positions: Positions,
    events: u64,
}

impl<'a, E: EventSet> Build<'a, E> {
    /// Makes empty tables beside the running ones. Those that `schema` has are dropped.
    async fn begin(
        session: &mut PgConnection,
        reader: &'a Reader<E>,
        projection: &'a Arc<dyn Projection<E>>,
        schema: String,
    ) -> Result<Self, RebuildError> {
        let name = projection.name();
        let alone: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_lock(hashtextextended('rollcall.rebuild/' || $1, 0))",
        )
        .bind(name)
        .fetch_one(&mut *session)
        .await?;
        if !alone {
            return Err(RebuildError::Underway(name));
        }
        let mut tx = session.begin().await?;
        tables::create_alike(&mut tx, projection.tables(), &schema).await?;
        tx.commit().await?;
        let subscriber = Subscriber::Projection(Arc::clone(projection));
        Ok(Self { reader, projection, subscriber, schema, positions: Positions::new(), events: 0 })
    }

    /// Folds what the running projection has taken in, until little is left.
    async fn catch_up(&mut self, session: &mut PgConnection) -> Result<(), RebuildError> {
        loop {
            let (_, targets) = live(session, self.projection.name()).await?;
            let mut folded = 0;
            for up_to in targets {
                folded += self.fold_up_to(session, up_to).await?;
            }
            if folded < BATCH {
                return Ok(());
            }
        }
    }

    /// Takes in a tenant's events up to a position, batch by batch; gives how many it was.
    async fn fold_up_to(
        &mut self,
        session: &mut PgConnection,
        up_to: (TenantId, i64),
    ) -> Result<i64, RebuildError> {
        let mut folded = 0;
        loop {
            let mut tx = session.begin().await?;
            let taken_in = self.fold(&mut tx, up_to).await?;
            tx.commit().await?;
            folded += taken_in;
            if taken_in == 0 {
                return Ok(folded);
            }
        }
    }

    /// Stops the running projection until the transaction ends and folds up to where it stands.
    /// Gives the version of the running tables.
    async fn finish(&mut self, tx: &mut PgConnection) -> Result<Option<i32>, RebuildError> {
        checkpoint::hold(tx, self.projection.name()).await?;
        let (version, targets) = live(tx, self.projection.name()).await?;
        for (tenant, target) in targets {
            while self.fold(tx, (tenant, target)).await? > 0 {}
        }
        Ok(version)
    }

    /// Takes in one batch of a tenant's events up to `target`; gives how many it was.
    async fn fold(
        &mut self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, i64),
    ) -> Result<i64, RebuildError> {
        let position = self.positions.entry(tenant).or_default();
        let limit = BATCH.min(target - *position);
        if limit <= 0 {
            return Ok(0);
        }
        let batch = self.reader.batch(tenant, *position, target, limit).await?;
        if let Some(error) = batch.stopped_by {
            return Err(error.into());
        }
        tables::direct_to(tx, &self.schema).await?;
        let applied = self.subscriber.apply(tx, &batch.events).await;
        applied.map_err(|error| RebuildError::Projection(self.events, error))?;
        let taken_in = batch.events.len();
        *position += taken_in as i64;
        self.events += taken_in as u64;
        Ok(taken_in as i64)
    }

    async fn compare(&self, tx: &mut PgConnection) -> Result<Vec<Difference>, RebuildError> {
        Ok(tables::compare(tx, self.projection.tables(), &self.schema).await?)
    }

    async fn switch(&self, tx: &mut PgConnection) -> Result<(), RebuildError> {
        let (name, version) = (self.projection.name(), self.projection.version());
        let retired = retired_schema(name);
        tables::switch(tx, self.projection.tables(), &self.schema, &retired).await?;
        checkpoint::replace(tx, (name, version), &self.positions).await?;
        Ok(())
    }
}

/// The version that the running tables hold and how far they are.
async fn live(
    connection: &mut PgConnection,
    name: &'static str,
) -> Result<(Option<i32>, Positions), sqlx::Error> {
    let version = sqlx::query_scalar("SELECT version FROM ops.projections WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    let positions = match version {
        Some(version) => checkpoint::positions(connection, &[(name, version)]).await?.remove(0),
        None => Positions::new(),
    };
    Ok((version, positions))
}
