//! Carries events to their subscribers: one task per process, batches of one tenant's events, rows
//! and checkpoint in one transaction.
//!
//! Invariant: nothing is skipped. What cannot be taken in, read or found stalls that subscriber in
//! that tenant, loudly, until it can; every other subscriber and tenant goes on.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
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
/// The longest time between two looks at the log, and between two at who leads.
const POLL: Duration = Duration::from_secs(1);
/// Subscribers of one tenant that take in events at the same time.
const AT_ONCE: usize = 4;

/// Runs projections and processes.
pub struct Runner<E: EventSet> {
    pool: PgPool,
    reader: Reader<E>,
    subscribers: Vec<Subscriber<E>>,
    appended: Option<watch::Receiver<i64>>,
    leadership: Leadership,
    /// The subscribers that were led at a moment; good for [`POLL`], since a checkpoint moves only
    /// from where it was read and with the tables' version.
    led: Option<(Instant, Vec<usize>)>,
    retries: Retries,
    progress: Progress,
}

/// What a subscriber has to take in.
struct Task<E> {
    index: usize,
    /// From its checkpoint to the end of the batch.
    step: Step,
    batch: Arc<Batch<E>>,
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
            led: None,
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
    ///
    /// # Panics
    /// If two subscribers have one name: they would share a checkpoint, and each would miss what the
    /// other took in.
    pub fn spawn(mut self, mut shutdown: watch::Receiver<bool>) -> JoinHandle<()> {
        let mut names = HashSet::new();
        for (name, _) in self.subscribers.iter().map(Subscriber::subscription) {
            assert!(names.insert(name), "two subscribers are called {name}");
        }
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
                    self.led = None;
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
            let mut tasks = Vec::new();
            for (&index, positions) in led.iter().zip(&positions) {
                tasks.extend(self.task(index, (tenant, head), positions, &mut batches).await?);
            }
            moved |= self.follow(tenant, tasks).await?;
        }
        Ok(moved)
    }

    /// As [`Self::look_who_leads`], looked at once in a while.
    async fn led(&mut self) -> Result<Vec<usize>, sqlx::Error> {
        match &self.led {
            Some((at, led)) if at.elapsed() < POLL => Ok(led.clone()),
            Some(_) | None => {
                let led = self.look_who_leads().await?;
                self.led = Some((Instant::now(), led.clone()));
                Ok(led)
            }
        }
    }

    /// The subscribers that this process leads and whose tables hold the version it knows.
    async fn look_who_leads(&mut self) -> Result<Vec<usize>, sqlx::Error> {
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

    /// What follows a subscriber's checkpoint in a tenant, a batch at most.
    async fn task(
        &mut self,
        index: usize,
        (tenant, head): (TenantId, i64),
        positions: &Positions,
        batches: &mut Batches<E>,
    ) -> Result<Option<Task<E>>, ReadError> {
        let subscription = self.subscribers[index].subscription();
        let (name, from) = (subscription.0, positions.get(&tenant).copied().unwrap_or(0));
        self.progress.note(name, tenant, from);
        let step = Step { subscription, tenant, from, to: from };
        if from == head || !self.retries.is_due((name, Some(tenant))) {
            return Ok(None);
        }
        if from > head {
            let error = ReadError::Gap { expected: from, found: None, head };
            self.stall(step, &error.to_string()).await?;
            return Ok(None);
        }
        let batch = match batches.get(&from) {
            Some(batch) => Arc::clone(batch),
            None => match self.reader.batch(tenant, from, head, BATCH).await {
                Ok(batch) => Arc::clone(batches.entry(from).or_insert(Arc::new(batch))),
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    self.stall(step, &error.to_string()).await?;
                    return Ok(None);
                }
            },
        };
        let step = Step { to: from + batch.events.len() as i64, ..step };
        Ok(Some(Task { index, step, batch }))
    }

    /// Lets each subscriber take in its task: all together those that have nothing to write, some at
    /// the same time the others. `true` if any moved on.
    async fn follow(&mut self, tenant: TenantId, tasks: Vec<Task<E>>) -> Result<bool, ReadError> {
        let (passing, tasks): (Vec<_>, Vec<_>) =
            tasks.into_iter().partition(|task| self.is_passed_over(task));
        let mut moved = self.pass_over(tenant, &passing).await?;
        let (pool, subscribers, progress) = (&self.pool, &self.subscribers, &self.progress);
        let applied: Vec<_> = stream::iter(tasks)
            .map(|task| async move {
                let Task { index, step, batch } = &task;
                let applied = apply(pool, &subscribers[*index], *step, &batch.events).await;
                if let Ok(true) = applied {
                    // Whoever waits for this one need not wait for the others.
                    progress.note(step.subscription.0, step.tenant, step.to);
                }
                (task, applied)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (Task { index, step, batch }, applied) in applied {
            let reached = self.feed(index, step, &batch.events, applied).await?;
            match &batch.stopped_by {
                Some(error) if reached == step.to => {
                    self.stall(Step { from: reached, ..step }, &error.to_string()).await?;
                }
                Some(_) | None => {}
            }
            moved |= reached > step.from;
        }
        Ok(moved)
    }

    /// Whether nothing in a task is for its subscriber. One that has no checkpoint yet gets it in a
    /// transaction of its own.
    fn is_passed_over(&self, Task { index, step, batch }: &Task<E>) -> bool {
        let reads = |recorded: &Recorded<E>| self.subscribers[*index].reads(&recorded.event);
        step.from > 0 && batch.stopped_by.is_none() && !batch.events.iter().any(reads)
    }

    async fn pass_over(
        &mut self,
        tenant: TenantId,
        passing: &[Task<E>],
    ) -> Result<bool, sqlx::Error> {
        if passing.is_empty() {
            return Ok(false);
        }
        let steps: Vec<_> = passing.iter().map(|task| task.step).collect();
        let moved = checkpoint::pass_over(&self.pool, tenant, &steps).await?;
        for Step { subscription: (name, _), to, .. } in steps {
            if moved.contains(name) {
                self.retries.succeeded((name, Some(tenant)));
                self.progress.note(name, tenant, to);
            }
        }
        Ok(!moved.is_empty())
    }

    /// Goes on from what became of all `events` at once: where they failed, halves of them are tried
    /// until the one event at fault is found. Gives the position reached.
    async fn feed(
        &mut self,
        index: usize,
        step: Step,
        events: &[Recorded<E>],
        applied: Result<bool, ProjectionError>,
    ) -> Result<i64, sqlx::Error> {
        let mut applied = Some(applied);
        let key = (step.subscription.0, Some(step.tenant));
        let mut rest = events;
        let mut size = rest.len();
        let mut from = step.from;
        while let Some(last) = rest[..size.min(rest.len())].last() {
            let (batch, after) = rest.split_at(size.min(rest.len()));
            let step = Step { from, to: last.tenant_position, ..step };
            let applied = match applied.take() {
                Some(applied) => applied,
                None => apply(&self.pool, &self.subscribers[index], step, batch).await,
            };
            match applied {
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
    if batch.is_empty() {
        return Ok(false);
    }
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
