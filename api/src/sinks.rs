//! Pushes the audit timeline to the plan's receivers (GN-26): says where a batch ends, sends it, and
//! goes on once it was taken.
//!
//! Invariant: a receiver gets what an administrator of the plan would see of its filter, so nothing of
//! legal holds, every event at least once and in the order of positions; whatever is cut off is done
//! again under the same id.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_commands::{
    Caller, Command, Commands, DispatchError, NO_KEY,
    audit::sinks::{
        Batch, Claimed, RecordAuditSinkDelivered, SinkClient, Step, StopAuditSink, Turn, Verdict,
        claim, put_off,
    },
    processes::Pace,
};
use rollcall_domain::{
    audit::{AuditSink, AuditSinks, ExportFormat, PauseCause, SinkFormat},
    kernel::ids::{AuditSinkId, TenantId},
};
use rollcall_journal::JournalError;
use rollcall_projections::{
    Ask, ReadError, ReadStore,
    audit_timeline::{self, Filter, KnownNames, Order, PageRequest, Untold, Viewer},
};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use crate::{
    documents::{RowError, lines},
    graphql::audit::filter_from,
};

/// Events of a batch, and bytes of it, unless one event alone is longer.
const MOST_EVENTS: i64 = 500;
const MOST_BYTES: usize = 1024 * 1024;
/// After so long without an answer a receiver counts as dead.
const DEAD_AFTER: TimeDelta = TimeDelta::days(5);
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(2);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);
/// Before a receiver that is gone, or cannot be worked on, is looked at again.
const LATER: TimeDelta = TimeDelta::minutes(1);

/// Sends what waits.
#[derive(Clone)]
pub struct SinkSender {
    pub commands: Commands,
    pub reads: ReadStore,
    /// Connections as the runner role.
    pub pool: PgPool,
    pub client: SinkClient,
}

/// Why a receiver stays where it is for now, without counting as a try.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Row(#[from] RowError),
    #[error(transparent)]
    Record(#[from] DispatchError),
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

impl SinkSender {
    /// Sends until `stopping` is true; what is being sent then is finished first.
    #[must_use]
    pub fn spawn(self, pace: Pace, stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            pace.drive(stopping, "a sink could not be worked on; it is tried again", || {
                self.step()
            })
            .await;
        })
    }

    /// One step for one receiver; `false` when none waits.
    async fn step(&self) -> Result<bool, Trouble> {
        let now = self.commands.journal.now();
        let Some(turn) = claim(&self.pool, now).await? else { return Ok(false) };
        let claimed = turn.claimed;
        let done = self.work_on(turn, now).await;
        if done.is_err() {
            // Its transaction is gone. Where this fails too it comes first once more, and no harm is done.
            let _ = put_off(&self.pool, claimed, now + LATER).await;
        }
        done
    }

    async fn work_on(&self, turn: Turn, now: DateTime<Utc>) -> Result<bool, Trouble> {
        let Claimed { tenant, sink: id, step, .. } = turn.claimed;
        match step {
            Step::RollUp => return self.roll_up(turn, now).await.map(|()| true),
            Step::Drop => return Ok(turn.dropped().await.map(|()| true)?),
            Step::Plan | Step::Send { .. } => {}
        }
        let stream = tenant.audit_sinks_stream();
        let sinks = self.commands.journal.load_fresh::<AuditSinks>(tenant, stream).await?.state;
        let Some(sink) = sinks.get(id).ok().filter(|sink| sink.paused.is_none()) else {
            // What ended it has yet to be taken in by the process.
            return Ok(turn.held(now + LATER).await.map(|()| true)?);
        };
        match step {
            Step::Plan => self.plan(turn, sink, now).await,
            Step::Send { to } => self.send(turn, (sink, to), now).await.map(|()| true),
            Step::RollUp | Step::Drop => Ok(true),
        }
    }

    /// Says where the next batch ends, or that there is nothing for the filter so far.
    async fn plan(
        &self,
        turn: Turn,
        sink: &AuditSink,
        now: DateTime<Utc>,
    ) -> Result<bool, Trouble> {
        let cursor = turn.claimed.cursor;
        let Some(filter) = filter_of(sink, None) else {
            // Its words were erased: without them it would get more.
            return self.stop(turn, PauseCause::Unreachable, "its filter was erased").await;
        };
        let (read, known) = self.read(turn.claimed.tenant, &filter, cursor).await?;
        if known <= cursor {
            return Ok(false);
        }
        let is_all = (read.len() as i64) < MOST_EVENTS;
        match self.fitting(turn.claimed.tenant, sink.format, read).await? {
            None => turn.passed(known, now).await?,
            // What follows and is not of the filter is passed with it.
            Some((last, all_fit)) => {
                turn.planned(if is_all && all_fit { known } else { last }).await?
            }
        }
        Ok(true)
    }

    /// The position of the last event that fits, and whether all do.
    async fn fitting(
        &self,
        tenant: TenantId,
        format: SinkFormat,
        read: Untold,
    ) -> Result<Option<(i64, bool)>, Trouble> {
        let fitting = tokio::task::spawn_blocking(move || {
            let mut bytes = 0;
            let mut last = None;
            for entry in read.tell() {
                let position = entry.as_ref().map_or(0, |entry| entry.position);
                bytes += lines(written(format), tenant, [entry].into_iter())?.len();
                if bytes > MOST_BYTES && last.is_some() {
                    return Ok::<_, RowError>(last.map(|last| (last, false)));
                }
                last = Some(position);
            }
            Ok(last.map(|last| (last, true)))
        });
        Ok(fitting.await??)
    }

    async fn read(
        &self,
        tenant: TenantId,
        filter: &Filter,
        after: i64,
    ) -> Result<(Untold, i64), Trouble> {
        let ask = Ask { tenant, projections: &[], min_position: None };
        let mut view = self.reads.snapshot(ask).await?;
        let known = view.position_of(audit_timeline::NAME);
        let request =
            PageRequest { order: Order::OldestFirst, after: Some(after), limit: MOST_EVENTS };
        let sight = Viewer::PlanAdministrator.sight();
        let mut names = KnownNames::default();
        let read =
            audit_timeline::untold_page(&mut view, &sight, filter, request, &mut names).await?;
        Ok((read, known))
    }

    async fn send(
        &self,
        turn: Turn,
        (sink, to): (&AuditSink, i64),
        now: DateTime<Utc>,
    ) -> Result<(), Trouble> {
        let Claimed { tenant, sink: id, cursor, .. } = turn.claimed;
        let Some(filter) = filter_of(sink, Some(to)) else {
            return self
                .stop(turn, PauseCause::Unreachable, "its filter was erased")
                .await
                .map(drop);
        };
        let (read, known) = self.read(tenant, &filter, cursor).await?;
        if known < to {
            // The timeline is being built anew: what was planned is not all there yet.
            return Ok(turn.held(now + LATER).await?);
        }
        if read.len() as i64 == MOST_EVENTS
            && let Some((_, last)) = read.ends().filter(|(_, last)| *last < to)
        {
            // More is found than when it was planned, as words meet today's names.
            return Ok(turn.planned(last).await?);
        }
        let (events, format) = (read.len(), written(sink.format));
        let body = tokio::task::spawn_blocking(move || lines(format, tenant, read.tell()));
        let batch = Batch { sink: id, after: cursor, to, body: body.await?? };
        match self.client.deliver(&self.commands.journal, tenant, sink, batch).await? {
            Verdict::Taken => turn.taken(to, events, now).await?,
            Verdict::Gone(said) => {
                self.stop(turn, PauseCause::Gone, &said).await?;
            }
            Verdict::Failed(why) => self.failed(turn, &why, now).await?,
        }
        Ok(())
    }

    async fn failed(&self, turn: Turn, why: &str, now: DateTime<Utc>) -> Result<(), Trouble> {
        let Claimed { sink, attempts, failing_since, .. } = turn.claimed;
        tracing::warn!(%sink, attempts, why, "a sink took nothing");
        if failing_since.is_some_and(|since| since + DEAD_AFTER <= now) {
            return self.stop(turn, PauseCause::Unreachable, why).await.map(drop);
        }
        turn.failed(why, now, now + wait_after(attempts, chance())).await?;
        Ok(())
    }

    /// Puts on record that nothing is delivered any more, which the process then takes in.
    async fn stop(&self, turn: Turn, cause: PauseCause, why: &str) -> Result<bool, Trouble> {
        let Claimed { tenant, sink, cursor, .. } = turn.claimed;
        let now = self.commands.journal.now();
        let stop = StopAuditSink { sink, cause };
        // Once for this place and try: resumed, it may be stopped there again.
        let step = format!("stop/{cursor}/{}", now.timestamp_micros());
        self.dispatch(tenant, sink, &step, &stop).await?;
        turn.failed(why, now, now + LATER).await?;
        Ok(true)
    }

    async fn roll_up(&self, turn: Turn, now: DateTime<Utc>) -> Result<(), Trouble> {
        let Claimed { tenant, sink, unrecorded, .. } = turn.claimed;
        let record = RecordAuditSinkDelivered { sink, delivered: unrecorded };
        let step = format!("delivered/{}", unrecorded.after_position);
        // Where this was cut off before, what was written down then is taken off.
        let delivered = self.dispatch(tenant, sink, &step, &record).await?;
        turn.recorded(delivered, now).await?;
        Ok(())
    }

    async fn dispatch<C: Command>(
        &self,
        tenant: TenantId,
        sink: AuditSinkId,
        step: &str,
        command: &C,
    ) -> Result<C::Output, DispatchError> {
        let id = Uuid::new_v5(&sink.0, step.as_bytes());
        let caller = Caller::system(tenant, id, None);
        Ok(self.commands.dispatch_as(&caller, (id, NO_KEY), command).await?.output)
    }
}

const fn written(format: SinkFormat) -> ExportFormat {
    match format {
        SinkFormat::JsonLines => ExportFormat::JsonLines,
        SinkFormat::Ocsf => ExportFormat::Ocsf,
    }
}

/// What a sink's filter lets through; `None` where its words were erased.
fn filter_of(sink: &AuditSink, up_to: Option<i64>) -> Option<Filter> {
    let words = match &sink.words {
        Some(words) => words.get()?.clone(),
        None => Vec::new(),
    };
    Some(Filter { up_to, ..filter_from(sink.filter.clone(), words) })
}

/// How long to wait after so many tries: doubled each time up to an hour, and by chance up to half of it
/// shorter, so that receivers that failed together do not come back together.
fn wait_after(attempts: u32, chance: u8) -> TimeDelta {
    let doubled = FIRST_WAIT * 2_i32.pow(attempts.min(11));
    let wait = doubled.min(LONGEST_WAIT);
    wait - wait / 512 * i32::from(chance)
}

fn chance() -> u8 {
    let mut byte = [0];
    // Without randomness all wait alike, which is no reason to fail.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

/// How many receivers are served at the same time.
pub const SENDERS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gn_26_waits_double_up_to_an_hour_and_differ_by_chance() {
        assert_eq!(wait_after(0, 0), TimeDelta::seconds(2));
        assert_eq!(wait_after(1, 0), TimeDelta::seconds(4));
        assert_eq!(wait_after(10, 0), TimeDelta::seconds(2_048));
        for attempts in [11, 12, 1_000] {
            assert_eq!(wait_after(attempts, 0), LONGEST_WAIT);
        }
        let shortest = wait_after(11, 255);
        assert!(TimeDelta::minutes(30) <= shortest && shortest < TimeDelta::minutes(31));
    }
}
