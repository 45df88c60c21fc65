//! What every test needs: a migrated database, journals on it, and a small aggregate.

mod following;
mod ledger;
mod proxy;
mod server;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
pub use following::{Balances, Notary, Running, book_all, entries};
pub use ledger::{Booked, Ledger, LedgerCommand};
pub use proxy::Proxy;
use rollcall_domain::{
    Actor, Code, Decision, Refusal,
    kernel::ids::{TenantId, UserId},
    policies::Policy,
};
use rollcall_journal::{
    Header, Journal, JournalConfig,
    clock::{Clock, InjectedClock, SystemClock},
    pools,
    secrets::MasterKey,
};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use uuid::Uuid;

pub const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
pub const OTHER_TENANT: TenantId = TenantId(Uuid::from_u128(0x7f));

/// A migrated database that only one test uses.
#[derive(Clone)]
pub struct Database {
    name: String,
}

impl Database {
    pub async fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let server = server::get().await;
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        server.clone_template(&name).await;
        Self { name }
    }

    /// As the superuser.
    pub fn superuser(&self) -> PgConnectOptions {
        server::options().database(&self.name)
    }

    /// As the user who migrated and owns the tables, no superuser.
    pub fn owner(&self) -> PgConnectOptions {
        self.superuser().username(server::OWNER)
    }

    /// A proxy before the server, and a journal that works through it, one append at a time.
    pub async fn journal_behind_a_proxy(&self) -> (Journal, Proxy) {
        let proxy = Proxy::before(server::options()).await;
        let options = proxy.options(&self.name, server::OWNER);
        // One connection listens, the other appends.
        let writer = pools::writer(options, 2).await.unwrap();
        (self.journal_on(writer, Arc::new(SystemClock), false).await, proxy)
    }

    pub async fn writer(&self) -> PgPool {
        pools::writer(self.owner(), 8).await.unwrap()
    }

    pub async fn journal(&self) -> Journal {
        self.journal_at(Arc::new(SystemClock), false).await
    }

    pub async fn journal_at(&self, clock: Arc<dyn Clock>, injected_time: bool) -> Journal {
        self.journal_on(self.writer().await, clock, injected_time).await
    }

    async fn journal_on(
        &self,
        writer: PgPool,
        clock: Arc<dyn Clock>,
        injected_time: bool,
    ) -> Journal {
        let master = MasterKey::from_bytes([7; 32]);
        let config = JournalConfig { writer, master, clock, injected_time, cache_states: 1000 };
        Journal::open(config).await.unwrap()
    }

    /// Reads one value as the superuser.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let mut connection = PgConnection::connect_with(&self.superuser()).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.superuser()).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.map(|done| done.rows_affected())
    }
}

/// A header for a command of its own.
pub fn header(tenant: TenantId) -> Header {
    let command_id = Uuid::new_v4();
    Header {
        tenant,
        actor: Actor::user(UserId(Uuid::from_u128(0xac))),
        organization: None,
        session: None,
        client_address: None,
        correlation_id: command_id,
        causation_id: None,
        command_id,
        request_hash: [1; 32],
        policy_version: 3,
        reason: None,
        occurred_at: SystemClock.now(),
        command: "Book",
    }
}

pub fn decision() -> Decision<'static> {
    static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);
    Decision { now: SystemClock.now(), actor: Actor::SYSTEM, policy: &POLICY }
}

pub fn taken() -> Refusal {
    Refusal {
        code: Code::FieldInvalid,
        message: "This name is in use.".to_owned(),
        field: Vec::new(),
        retry_at: None,
        details: Vec::new(),
    }
}

pub fn frozen_clock(at: &str) -> Arc<InjectedClock> {
    Arc::new(InjectedClock::starting_at(at.parse::<DateTime<Utc>>().unwrap()))
}

/// Books one entry on a ledger.
pub async fn book(journal: &Journal, tenant: TenantId, id: Uuid) -> rollcall_journal::Committed {
    let mut work = journal.begin(header(tenant));
    work.record::<Ledger>(id, vec![Booked::entry(1)]).await.unwrap();
    work.commit(serde_json::json!({})).await.unwrap()
}

/// Waits until `met` says so, for at most five seconds.
pub async fn eventually(mut met: impl AsyncFnMut() -> bool) {
    for _ in 0..100 {
        if met().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never happened");
}
