//! Carries events to their subscribers: one task per process, batches of one tenant's events, rows
//! and checkpoint in one transaction.
//!
//! Invariant: nothing is skipped. What cannot be taken in, read or found stalls that subscriber in
//! that tenant, loudly, until it can; every other subscriber and tenant goes on.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rollcall_domain::kernel::{EventSet, ids::TenantId};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    checkpoint::{self, Positions, Step},
    envelope::Recorded,
    keys::KeyError,
    leader::Leadership,
    progress::Progress,
    reader::{Batch, ReadError, Reader},
    retry::Retries,
    subscriber::{self, Process, Projection, ProjectionError, Subscriber},
    wake::Wake,
};

/// Events per transaction.
const BATCH: i64 = 1_000;
/// The longest time between two looks at the log.
const POLL: Duration = Duration::from_secs(1);

/// Runs projections and processes.
pub struct Runner<E: EventSet> {
    pool: PgPool,
    reader: Reader<E>,
    subscribers: Vec<Subscriber<E>>,
    appended: Option<watch::Receiver<i64>>,
    leadership: Leadership,
    retries: Retries,
    progress: Progress,
}

/// A tenant's batches during one pass, by the position they begin after: subscribers that stand at
/// the same position share what was read and opened.
type Batches<E> = HashMap<i64, Arc<Batch<E>>>;

impl<E: EventSet> Runner<E> {
    /// `pool` has the runner's role and room for three connections at least.
    #[must_use]
    pub fn new(pool: PgPool, reader: Reader<E>, projections: Vec<Arc<dyn Projection<E>>>) -> Self {
        Self {
            progress: Progress::new(pool.clone()),
            pool,
            reader,
            subscribers: projections.into_iter().map(Subscriber::Projection).collect(),
            appended: None,
            leadership: Leadership::default(),
            retries: Retries::default(),
        }
    }

    /// Runs processes as well.
    #[must_use]
    pub fn with_processes(mut self, processes: Vec<Arc<dyn Process<E>>>) -> Self {
        self.subscribers.extend(processes.into_iter().map(Subscriber::Process));
        self
    }

    /// Wakes on this process's own appends without the way through the database.
    #[must_use]
    pub fn woken_by(mut self, appended: watch::Receiver<i64>) -> Self {
        self.appended = Some(appended);
        self
    }

    /// How far it is; valid before, while and after it runs.
    #[must_use]
    pub fn handle(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until `shutdown` is true or its sender is gone. What is under way then is rolled back.
    pub fn spawn(mut self, mut shutdown: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => {}
                () = self.run() => {}
            }
        })
    }

    async fn run(&mut self) {
        let wake = Wake::new(self.pool.clone(), self.appended.take());
        loop {
            match self.pass().await {
                Ok(true) => {}
                Ok(false) => wake.wait(self.retries.next_within(POLL)).await,
                Err(error) => {
                    tracing::warn!(%error, "the log cannot be followed for now");
                    self.leadership.resign();
                    self.progress.forget();
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Offers each led subscriber one batch of each tenant; `true` if any took something in.
    async fn pass(&mut self) -> Result<bool, ReadError> {
        let led = self.led().await?;
        let subscriptions: Vec<_> =
            led.iter().map(|&index| self.subscribers[index].subscription()).collect();
        // Before the heads: a sound checkpoint is then never beyond them.
        let mut connection = self.pool.acquire().await?;
        let positions = checkpoint::positions(&mut connection, &subscriptions).await?;
        drop(connection);

        let mut moved = false;
        for (tenant, head) in self.reader.heads().await? {
            let mut batches = Batches::new();
            for (&index, positions) in led.iter().zip(&positions) {
                moved |= self.follow(index, (tenant, head), positions, &mut batches).await?;
            }
        }
        Ok(moved)
    }

    /// The subscribers that this process leads and whose tables hold the version it knows.
    async fn led(&mut self) -> Result<Vec<usize>, sqlx::Error> {
        let subscriptions: Vec<_> = self.subscribers.iter().map(Subscriber::subscription).collect();
        let names: Vec<_> = subscriptions.iter().map(|(name, _)| *name).collect();
        let held = self.leadership.renew(&self.pool, &names).await?;
        let mut connection = self.pool.acquire().await?;
        let live = checkpoint::live_versions(&mut connection, &subscriptions).await?;
        let mut led = Vec::new();
        for (index, (name, version)) in subscriptions.into_iter().enumerate() {
            if !held.contains(name) {
                continue;
            }
            if live.get(name) == Some(&version) {
                self.retries.succeeded((name, None));
                led.push(index);
            } else if self.retries.is_due((name, None)) {
                self.retries.failed((name, None));
                tracing::error!(
                    projection = name,
                    version,
                    live = live.get(name),
                    "the tables hold another version of the projection: it waits for a rebuild"
                );
            }
        }
        Ok(led)
    }

    /// Lets a subscriber take in what follows its checkpoint in a tenant, a batch at most.
    async fn follow(
        &mut self,
        index: usize,
        (tenant, head): (TenantId, i64),
        positions: &Positions,
        batches: &mut Batches<E>,
    ) -> Result<bool, ReadError> {
        let subscription = self.subscribers[index].subscription();
        let (name, from) = (subscription.0, positions.get(&tenant).copied().unwrap_or(0));
        self.progress.note(name, tenant, from);
        let step = Step { subscription, tenant, from, to: from };
        if from == head || !self.retries.is_due((name, Some(tenant))) {
            return Ok(false);
        }
        if from > head {
            let error = ReadError::Gap { expected: from, found: None, head };
            self.stall(step, &error.to_string()).await?;
            return Ok(false);
        }
        let batch = match batches.get(&from) {
            Some(batch) => Arc::clone(batch),
            None => match self.reader.batch(tenant, from, head, BATCH).await {
                Ok(batch) => Arc::clone(batches.entry(from).or_insert(Arc::new(batch))),
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    self.stall(step, &error.to_string()).await?;
                    return Ok(false);
                }
            },
        };
        let reached = self.feed(index, step, &batch.events).await?;
        match &batch.stopped_by {
            Some(error) if reached == from + batch.events.len() as i64 => {
                self.stall(Step { from: reached, ..step }, &error.to_string()).await?;
            }
            Some(_) | None => {}
        }
        Ok(reached > from)
    }

    /// Applies events in as few transactions as they allow: where a batch fails, halves of it are
    /// tried until the one event at fault is found. Gives the position reached.
    async fn feed(
        &mut self,
        index: usize,
        step: Step,
        events: &[Recorded<E>],
    ) -> Result<i64, sqlx::Error> {
        let key = (step.subscription.0, Some(step.tenant));
        let mut rest = events;
        let mut size = rest.len();
        let mut from = step.from;
        while let Some(last) = rest[..size.min(rest.len())].last() {
            let (batch, after) = rest.split_at(size.min(rest.len()));
            let step = Step { from, to: last.tenant_position, ..step };
            match apply(&self.pool, &self.subscribers[index], step, batch).await {
                Ok(true) => {
                    self.retries.succeeded(key);
                    self.progress.note(key.0, step.tenant, step.to);
                    (from, rest) = (step.to, after);
                }
                // Another process is at it; the next pass reads where it is.
                Ok(false) => break,
                Err(error) if error.is_passing() => {
                    tracing::warn!(subscriber = key.0, tenant = %step.tenant, %error, "tried again");
                    self.retries.failed(key);
                    break;
                }
                Err(_) if batch.len() > 1 => size = batch.len() / 2,
                Err(error) => {
                    let at = format!(
                        "event {} ({}) at {}: {error}",
                        last.event_id, last.event_type, last.tenant_position
                    );
                    self.stall(step, &at).await?;
                    break;
                }
            }
        }
        Ok(from)
    }

    async fn stall(&mut self, step: Step, error: &str) -> Result<(), sqlx::Error> {
        let (subscriber, version) = step.subscription;
        tracing::error!(
            subscriber, version, tenant = %step.tenant, position = step.from, error,
            "a subscriber is stalled in a tenant; nothing is skipped, it is tried again"
        );
        self.retries.failed((subscriber, Some(step.tenant)));
        checkpoint::stall(&self.pool, step, error).await
    }
}

/// One transaction: the checkpoint's step and the rows. `false` if the step was not ours to take.
async fn apply<E: EventSet>(
    pool: &PgPool,
    subscriber: &Subscriber<E>,
    step: Step,
    batch: &[Recorded<E>],
) -> Result<bool, ProjectionError> {
    let mut tx = pool.begin().await?;
    checkpoint::enter(&mut tx, step.subscription.0, subscriber.setting()).await?;
    if !checkpoint::advance(&mut tx, step).await? {
        return Ok(false);
    }
    subscriber.apply(&mut tx, batch).await?;
    tx.commit().await?;
    Ok(true)
}

impl ReadError {
    /// Whether it says nothing about the log or the tenant, only about the connection.
    fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) | Self::Key(KeyError::Database(error)) => {
                subscriber::is_passing(error)
            }
            Self::Key(KeyError::Seal(_) | KeyError::Unreadable(_))
            | Self::Gap { .. }
            | Self::Unreadable { .. } => false,
        }
    }
}
