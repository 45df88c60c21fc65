//! Group commit without a hand-over: the caller that finds no batch in flight runs it itself; those
//! who arrive meanwhile form the next one. A lone request pays for nothing, many share a commit:
//! after a batch of several, the next one leaves when those just answered have come back, or do not.
//!
//! Requests stand in the queue in the order in which they go on from each other's states (`ahead.rs`),
//! and a batch is the beginning of the queue, so that a stream is written by many of one batch.
//!
//! Invariant: every request gets an answer, and one that says "appended" only when it is. A caller
//! that goes away, or a connection that breaks, leaves a batch whose outcome is unknown; it is then
//! looked up by command id before anything is sent again.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::{
    ahead::{Offer, Tip, Tips},
    batch::{self, Appended, Verdict},
    cache::StreamKey,
    clock::Clock,
    error::{JournalError, connection_lost},
    known::Known,
    lanes,
    pools::Kept,
    request::{Request, Touches},
};

/// Most requests of one batch.
const MOST_REQUESTS: usize = 512;
/// Most bytes of one batch, roughly; a single larger request goes alone.
const MOST_BYTES: usize = 1 << 20;
/// How often a batch with an unknown outcome is looked up and sent again.
const ROUNDS: usize = 3;
const PAUSE: Duration = Duration::from_millis(100);
/// Most turns of the scheduler, and most without a newcomer, that a batch waits for company.
const TURNS: usize = 16;
const IDLE_TURNS: usize = 3;

type Answer = Result<Verdict, JournalError>;

#[derive(Clone)]
pub(crate) struct Appender(Arc<Inner>);

struct Inner {
    /// Batches follow each other: always on the same connection they find its caches warm.
    connections: Kept,
    /// Where times come from, if not from the database.
    clock: Option<Arc<dyn Clock>>,
    epoch: Mutex<Uuid>,
    known: Mutex<Known>,
    queue: Mutex<Queue>,
    /// The last position this process appended or heard of.
    appended: watch::Sender<i64>,
    /// The last position this process appended, to be told to others.
    own: watch::Sender<i64>,
}

#[derive(Default)]
struct Queue {
    running: bool,
    waiting: VecDeque<Pending>,
    /// What those waiting, and those in flight, leave.
    tips: Tips,
}

struct Pending {
    request: Request,
    touches: Touches,
    answer: oneshot::Sender<Answer>,
}

impl Appender {
    pub(crate) fn new(
        pool: PgPool,
        clock: Option<Arc<dyn Clock>>,
        epoch: Uuid,
        appended: watch::Sender<i64>,
        own: watch::Sender<i64>,
    ) -> Self {
        let (known, queue) = (Mutex::default(), Mutex::default());
        let (connections, epoch) = (Kept::from(pool), Mutex::new(epoch));
        Self(Arc::new(Inner { connections, clock, epoch, known, queue, appended, own }))
    }

    /// Appends one request, together with whichever others are waiting. Once it stands in the queue,
    /// others may go on from what it leaves, until that is withdrawn, and its turns are over.
    pub(crate) async fn submit(
        &self,
        request: Request,
        offer: &Offer,
        turns: lanes::Held,
    ) -> Answer {
        let (answer, answered) = oneshot::channel();
        let touches = request.touches();
        let leads = {
            let mut queue = lock(&self.0.queue);
            if let Some(guard) = queue.tips.outrun(&request) {
                return Ok(Verdict::Outrun(guard));
            }
            queue.tips.put(offer);
            queue.waiting.push_back(Pending { request, touches, answer });
            !std::mem::replace(&mut queue.running, true)
        };
        drop(turns);
        if leads && let Some(flight) = Flight::next(&self.0) {
            let answered = flight.run().await;
            Flight::run_rest(&self.0, answered);
        }
        let gone = || JournalError::Unavailable("the append was abandoned".to_owned());
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// What was handed in last of a stream.
    pub(crate) fn tip(&self, key: &StreamKey) -> Option<Tip> {
        lock(&self.0.queue).tips.get(key).cloned()
    }

    pub(crate) fn withdraw(&self, offer: &Offer) {
        lock(&self.0.queue).tips.remove(offer);
    }

    /// Withdraws all offers.
    pub(crate) fn forget(&self) {
        lock(&self.0.queue).tips.clear();
    }
}

/// A batch on its way. Dropped before it is answered (its caller went away, or a panic), it sees to
/// it that its requests are answered and those waiting behind it are not forgotten.
struct Flight {
    inner: Arc<Inner>,
    batch: Vec<Pending>,
}

impl Flight {
    /// The next batch; `None`, and nobody runs any more, if nothing waits.
    fn next(inner: &Arc<Inner>) -> Option<Self> {
        let batch = lock(&inner.queue).take();
        (!batch.is_empty()).then(|| Self { inner: Arc::clone(inner), batch })
    }

    /// Gives how many requests it was.
    async fn run(mut self) -> usize {
        let answers = self.inner.append(&requests(&self.batch)).await;
        let count = answers.len();
        self.deliver(answers);
        count
    }

    async fn recover(mut self) {
        let answers = self.inner.settle(&requests(&self.batch)).await;
        self.deliver(answers);
    }

    fn deliver(&mut self, answers: Vec<Answer>) {
        for (pending, answer) in std::mem::take(&mut self.batch).into_iter().zip(answers) {
            // Whoever went away does not need the answer.
            let _ = pending.answer.send(answer);
        }
    }

    /// Goes on with what has arrived since a batch of `answered`, so that its leader can answer its
    /// own caller.
    fn run_rest(inner: &Arc<Inner>, answered: usize) {
        let next = if answered <= 1 { Self::next(inner) } else { None };
        if answered > 1 || next.is_some() {
            tokio::spawn(Self::run_on(Arc::clone(inner), next, answered));
        }
    }

    /// Runs batches as long as there are any. Where the next one is ready, it leaves before those of
    /// the last one hear of their success, so that the database does not wait for this process.
    async fn run_on(inner: Arc<Inner>, mut next: Option<Self>, mut answered: usize) {
        let mut landed: Option<(Self, Vec<Answer>)> = None;
        loop {
            if next.is_none() {
                if let Some((mut flight, answers)) = landed.take() {
                    flight.deliver(answers);
                }
                inner.gather(answered).await;
                next = Self::next(&inner);
            }
            let Some(flight) = next.take() else { return };
            let batch = requests(&flight.batch);
            let (answers, ()) = tokio::join!(inner.append(&batch), async {
                if let Some((mut flight, answers)) = landed.take() {
                    flight.deliver(answers);
                }
            });
            answered = answers.len();
            landed = Some((flight, answers));
            if inner.has_company(answered) {
                next = Self::next(&inner);
            }
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // The process is going down; the callers are gone with the runtime.
            return;
        };
        // After a panic the same batch would panic again: its callers get an error instead.
        let panicked = std::thread::panicking();
        let inner = Arc::clone(&self.inner);
        let batch = std::mem::take(&mut self.batch);
        runtime.spawn(async move {
            // Made a flight again only here: a runtime that is shutting down drops this future
            // without polling it, and dropping a flight there would spawn without end.
            if panicked {
                drop(batch);
            } else {
                Self { inner: Arc::clone(&inner), batch }.recover().await;
            }
            Self::run_rest(&inner, 1);
        });
    }
}

fn requests(batch: &[Pending]) -> Vec<&Request> {
    batch.iter().map(|pending| &pending.request).collect()
}

impl Queue {
    /// Takes the requests that can be judged together, in order of arrival: up to one that touches a
    /// key, reservation or secret that an earlier one writes, or the other way round.
    fn take(&mut self) -> Vec<Pending> {
        let mut batch = Vec::new();
        let (mut written, mut read) = (HashSet::<u64>::new(), HashSet::<u64>::new());
        let mut bytes = 0;
        while let Some(pending) = self.waiting.front() {
            let Touches { writes, reads } = &pending.touches;
            let size = pending.request.size();
            let full = batch.len() >= MOST_REQUESTS || (bytes > 0 && bytes + size > MOST_BYTES);
            let collides = writes.iter().any(|w| written.contains(w) || read.contains(w))
                || reads.iter().any(|r| written.contains(r));
            if full || collides {
                break;
            }
            written.extend(writes);
            read.extend(reads);
            bytes += size;
            batch.extend(self.waiting.pop_front());
        }
        self.running = !batch.is_empty();
        batch
    }
}

impl Inner {
    /// Whether as many wait as a batch of `answered` and those beside it make on either side: then
    /// one half is decided on while the other is written.
    fn has_company(&self, answered: usize) -> bool {
        lock(&self.queue).waiting.len() >= answered.max(1)
    }

    /// Lets those who were just answered come back with their next command, as long as they keep
    /// coming: the first of them would otherwise get a commit to itself and make all others wait
    /// for it. There is no timer; where nothing comes, this takes microseconds.
    async fn gather(&self, answered: usize) {
        let waiting = || lock(&self.queue).waiting.len();
        let mut last = waiting();
        let expected = last + answered;
        let mut idle = 0;
        for _ in 0..TURNS {
            if last * 2 >= expected || idle >= IDLE_TURNS {
                return;
            }
            tokio::task::yield_now().await;
            let now = waiting();
            idle = if now > last { 0 } else { idle + 1 };
            last = now;
        }
    }

    async fn append(&self, requests: &[&Request]) -> Vec<Answer> {
        settled(requests, self.send(requests).await)
    }

    async fn send(&self, requests: &[&Request]) -> Vec<Answer> {
        let mut connection = match self.connections.take().await {
            Ok(connection) => connection,
            // Nothing was sent.
            Err(error) => return all(requests, &error),
        };
        match self.call(&mut connection, requests).await {
            Ok(verdicts) => {
                self.connections.keep(connection);
                verdicts.into_iter().map(Ok).collect()
            }
            Err(error) if connection_lost(&error) || lost_a_race(&error) => {
                drop(connection);
                tracing::warn!(%error, requests = requests.len(), "an append was cut off");
                self.look_up(requests).await
            }
            Err(error) if requests.len() > 1 && bad_data(&error) => {
                // One request spoils the batch; the others must not suffer for it.
                let mut answers = Vec::with_capacity(requests.len());
                for request in requests {
                    let answer = self.call(&mut connection, &[request]).await;
                    answers.extend(match answer {
                        Ok(verdicts) => verdicts.into_iter().map(Ok).collect(),
                        Err(error) => all(&[request], &error),
                    });
                }
                answers
            }
            Err(error) => all(requests, &error),
        }
    }

    async fn call(
        &self,
        connection: &mut sqlx::PgConnection,
        requests: &[&Request],
    ) -> Result<Vec<Verdict>, sqlx::Error> {
        let epoch = *lock(&self.epoch);
        let now = self.clock.as_ref().map(|clock| clock.now());
        let mut known = std::mem::take(&mut *lock(&self.known));
        let verdicts = batch::append(connection, epoch, now, &mut known, requests).await?;
        *lock(&self.known) = known;
        let last = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Appended(appended) => Some(appended.global),
            Verdict::Restored(current) => {
                *lock(&self.epoch) = *current;
                None
            }
            Verdict::Duplicate
            | Verdict::Conflict(_)
            | Verdict::Outrun(_)
            | Verdict::Orphaned
            | Verdict::KeyChanged
            | Verdict::Taken(_) => None,
        });
        if let Some(last) = last.max() {
            announce(&self.appended, last);
            self.own.send_replace(last);
        }
        Ok(verdicts)
    }

    /// Finds out what became of requests that were perhaps sent, and sends those that were not
    async fn settle(&self, requests: &[&Request]) -> Vec<Answer> {
        settled(requests, self.look_up(requests).await)
    }

    /// Finds out what became of requests that were perhaps sent, and sends those that were not
    /// committed again. Sending twice is harmless: the command id lets only one through.
    async fn look_up(&self, requests: &[&Request]) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = requests.iter().map(|_| None).collect();
        for round in 0..ROUNDS {
            tokio::time::sleep(PAUSE * u32::try_from(round).unwrap_or_default()).await;
            let open: Vec<_> = (0..requests.len()).filter(|n| answers[*n].is_none()).collect();
            match self.look_up_once(&open.iter().map(|n| requests[*n]).collect::<Vec<_>>()).await {
                Ok(settled) => {
                    for (n, verdict) in open.into_iter().zip(settled) {
                        answers[n] = Some(Ok(verdict));
                    }
                    break;
                }
                Err(error) if connection_lost(&error) || lost_a_race(&error) => {
                    tracing::warn!(%error, round, "the outcome of an append is still unknown");
                }
                Err(error) => return all(requests, &error),
            }
        }
        let unknown =
            || Err(JournalError::Unavailable("the outcome of the append is unknown".to_owned()));
        answers.into_iter().map(|answer| answer.unwrap_or_else(unknown)).collect()
    }

    async fn look_up_once(&self, requests: &[&Request]) -> Result<Vec<Verdict>, sqlx::Error> {
        let mut connection = self.connections.take().await?;
        let tenants: Vec<_> = requests.iter().map(|request| request.tenant).collect();
        let commands: Vec<_> = requests.iter().map(|request| request.command).collect();
        let rows = sqlx::query(
            "SELECT tenant_id, command_id, attempt, position, global_position, recorded_at
               FROM es.outcomes($1, $2)",
        )
        .bind(tenants)
        .bind(commands)
        .fetch_all(&mut connection)
        .await?;
        let mut verdicts: Vec<Option<Verdict>> = requests.iter().map(|_| None).collect();
        for row in rows {
            let (tenant, command): (Uuid, Uuid) = (row.get(0), row.get(1));
            let attempt: Uuid = row.get(2);
            let recorded_at: DateTime<Utc> = row.get(5);
            let appended = Appended { position: row.get(3), global: row.get(4), recorded_at };
            for (request, verdict) in requests.iter().zip(&mut verdicts) {
                if (request.tenant, request.command) == (tenant, command) {
                    let own = request.attempt == attempt;
                    *verdict =
                        Some(if own { Verdict::Appended(appended) } else { Verdict::Duplicate });
                    request.settling.settle(own);
                }
            }
        }
        let open: Vec<_> = (0..requests.len()).filter(|n| verdicts[*n].is_none()).collect();
        if !open.is_empty() {
            let again: Vec<_> = open.iter().map(|n| requests[*n]).collect();
            for (n, verdict) in open.into_iter().zip(self.call(&mut connection, &again).await?) {
                verdicts[n] = Some(verdict);
            }
        }
        self.connections.keep(connection);
        Ok(verdicts.into_iter().flatten().collect())
    }
}

/// Raises the announced position; announcements may come out of order.
pub(crate) fn announce(appended: &watch::Sender<i64>, position: i64) {
    appended.send_if_modified(|last| {
        let newer = position > *last;
        *last = position.max(*last);
        newer
    });
}

/// Lets those that rely on the requests know what became of them, before the next batch is taken.
fn settled(requests: &[&Request], answers: Vec<Answer>) -> Vec<Answer> {
    for (request, answer) in requests.iter().zip(&answers) {
        request.settling.settle(matches!(answer, Ok(Verdict::Appended(_))));
    }
    answers
}

/// The same error for each request.
fn all(requests: &[&Request], error: &sqlx::Error) -> Vec<Answer> {
    let error = JournalError::for_each(error);
    requests.iter().map(|_| Err(error())).collect()
}

fn bad_data(error: &sqlx::Error) -> bool {
    class_of(error).is_some_and(|class| class == "22" || class == "23")
}

/// Deadlock or serialization failure: rolled back, and may well work the next time.
fn lost_a_race(error: &sqlx::Error) -> bool {
    class_of(error).is_some_and(|class| class == "40")
}

fn class_of(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    code.get(..2).map(str::to_owned)
}

// What the locks guard is consistent between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
