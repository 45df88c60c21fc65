//! Subscribers to ledgers, and runners for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rollcall_domain::kernel::{DecodeError, EventSet, ids::TenantId};
use rollcall_journal::{
    Journal, Process, Progress, Projection, ProjectionError, Reader, Recorded, Runner, pools,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::{Booked, Database, Ledger, header};

impl EventSet for Booked {
    fn decode(_: &str, event_type: &str, payload: Value) -> Result<Self, DecodeError> {
        serde_json::from_value(payload)
            .map_err(|source| DecodeError::Payload { event_type: event_type.to_owned(), source })
    }
}

/// Sums up each ledger. Adding twice shows; so does adding in the wrong order.
pub struct Balances {
    pub version: i32,
    pub skips_notes: AtomicBool,
    pub refuses_notes: AtomicBool,
    pub panics_at_notes: AtomicBool,
    pub pause: Duration,
    pub batches: AtomicU64,
}

impl Balances {
    pub fn new() -> Self {
        Self {
            version: 1,
            skips_notes: AtomicBool::new(false),
            refuses_notes: AtomicBool::new(false),
            panics_at_notes: AtomicBool::new(false),
            pause: Duration::ZERO,
            batches: AtomicU64::new(0),
        }
    }

    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Projection<Booked> for Balances {
    fn name(&self) -> &'static str {
        "balances"
    }

    fn version(&self) -> i32 {
        self.version
    }

    fn tables(&self) -> &'static [&'static str] {
        &["balances"]
    }

    fn reads(&self, event: &Booked) -> bool {
        match event {
            Booked::Entry { .. } => true,
            Booked::Note { .. } => !self.skips_notes.load(Ordering::SeqCst),
        }
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<Booked>],
    ) -> Result<(), ProjectionError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        for recorded in batch {
            let amount = match &recorded.event {
                Booked::Entry { amount } => *amount,
                Booked::Note { .. } if self.refuses_notes.load(Ordering::SeqCst) => {
                    return Err(ProjectionError::Contradiction("a note".to_owned()));
                }
                Booked::Note { .. } if self.panics_at_notes.load(Ordering::SeqCst) => {
                    panic!("cannot take notes")
                }
                Booked::Note { .. } => 0,
            };
            sqlx::query(
                "INSERT INTO balances AS b (tenant_id, ledger_id, balance, events, history)
                 VALUES ($1, $2, $3, 1, $3::text)
                 ON CONFLICT (tenant_id, ledger_id) DO UPDATE
                    SET balance = b.balance + excluded.balance, events = b.events + 1,
                        history = right(b.history || ',' || excluded.history, 50)",
            )
            .bind(recorded.tenant.0)
            .bind(recorded.aggregate_id)
            .bind(amount * i64::from(self.version))
            .execute(&mut *tx)
            .await?;
        }
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}

/// Notes each event once; made to fail after it has written.
#[derive(Default)]
pub struct Notary {
    pub fails: AtomicBool,
}

#[async_trait]
impl Process<Booked> for Notary {
    fn name(&self) -> &'static str {
        "notary"
    }

    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<Booked>],
    ) -> Result<(), ProjectionError> {
        for event in batch {
            sqlx::query("INSERT INTO notarised (tenant_id, event_id) VALUES ($1, $2)")
                .bind(event.tenant.0)
                .bind(event.event_id)
                .execute(&mut *tx)
                .await?;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(ProjectionError::Contradiction("out of ink".to_owned()));
        }
        Ok(())
    }
}

/// A running runner; [`Running::kill`] ends it as a crash would.
pub struct Running {
    pub progress: Progress,
    pub task: JoinHandle<()>,
    pub shutdown: watch::Sender<bool>,
}

impl Running {
    pub fn start(runner: Runner<Booked>) -> Self {
        let (shutdown, stopped) = watch::channel(false);
        let progress = runner.handle();
        Self { progress, task: runner.spawn(stopped), shutdown }
    }

    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub async fn reaches(&self, name: &str, tenant: TenantId, position: i64) {
        self.progress.wait(&[name], tenant, position, Duration::from_secs(10)).await.unwrap();
    }
}

impl Database {
    pub async fn runner_pool(&self) -> PgPool {
        pools::runner(self.owner(), 6).await.unwrap()
    }

    /// The subscribers' tables, made by the owner as a migration would.
    pub async fn make_tables(&self) {
        use sqlx::{Connection, Executor};
        let mut owner = PgConnection::connect_with(&self.owner()).await.unwrap();
        owner
            .execute(
                "CREATE TABLE read.balances (
                   tenant_id uuid, ledger_id uuid, balance bigint NOT NULL, events bigint NOT NULL,
                   history text NOT NULL, CONSTRAINT balances_key PRIMARY KEY (tenant_id, ledger_id));
                 CREATE INDEX balances_by_size ON read.balances (tenant_id, balance) WHERE balance > 0;
                 SELECT ops.secure_tenant_table('read.balances');
                 CREATE TABLE ops.notarised (tenant_id uuid, event_id uuid);
                 SELECT ops.secure_tenant_table('ops.notarised');",
            )
            .await
            .unwrap();
    }

    pub async fn reader(&self, journal: &Journal) -> Reader<Booked> {
        Reader::new(self.runner_pool().await, journal.keys().clone())
    }

    pub async fn runner(&self, journal: &Journal, balances: &Arc<Balances>) -> Runner<Booked> {
        let reader = self.reader(journal).await;
        Runner::new(self.runner_pool().await, reader, vec![Arc::clone(balances) as _])
    }

    /// Balance and number of events over all ledgers.
    pub async fn totals(&self) -> (i64, i64) {
        let sums = "SELECT coalesce(sum(balance), 0)::bigint FROM read.balances";
        let counts = "SELECT coalesce(sum(events), 0)::bigint FROM read.balances";
        (self.value(sums).await, self.value(counts).await)
    }
}

/// Books many events at once on one ledger.
pub async fn book_all(journal: &Journal, tenant: TenantId, ledger: u128, events: Vec<Booked>) {
    let mut work = journal.begin(header(tenant));
    work.record::<Ledger>(Uuid::from_u128(ledger), events).await.unwrap();
    work.commit(json!({})).await.unwrap();
}

pub fn entries(count: usize) -> Vec<Booked> {
    vec![Booked::entry(1); count]
}
