//! What the service does by itself: processes that react to events and tasks that carry out what is
//! due. Invariant: each may be killed at any moment and acts no second time when it comes back.

mod pace;

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_domain::{AnyEvent, kernel::ids::TenantId};
use rollcall_journal::{Process, Reader};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

pub use pace::Pace;

use crate::{
    Commands,
    access_reviews::{Coverage, Register},
    audit::{ErasureLedger, ErasuresProcess, Keeper, sinks::SinksProcess},
    messages::Renderer,
    notifications::{DigestsProcess, NotificationsProcess},
    outbox::{self, DeadLetter, InHand, OutboxProcess, Sender},
    permissions::right_use::{self, RollUp},
    post::{Mailbox, PostOffice},
    scheduler::{self, ScheduleProcess, Scheduler},
};

/// What the futures give, in their order; a good many are under way at a time.
///
/// # Errors
/// The first one's; those under way are given up.
pub(crate) async fn side_by_side<T, E>(
    futures: Vec<impl Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    stream::iter(futures).buffered(AT_ONCE).try_collect().await
}

/// Every process's name.
pub const NAMES: &[&str] =
    &["outbox", "notifications", "digests", "schedule", "erasure_leftovers", "audit_sinks"];

/// Events of a batch that a process looks things up for, or sends commands for, at the same time.
const AT_ONCE: usize = 64;

/// Messages that are handed over at the same time.
const SENDERS: usize = 2;

/// What the background work needs.
pub struct BackgroundConfig {
    pub commands: Commands,
    /// Connections as the runner role, for `ops` tables.
    pub pool: PgPool,
    pub reader: Reader<AnyEvent>,
    /// The beginning of every link, without a slash at its end.
    pub public_url: String,
    pub post: PostOffice,
    pub ledger: ErasureLedger,
    /// What reviews of access ask whether it agrees with what was decided.
    pub register: Arc<dyn Register>,
    /// What templates of campaigns ask which organisations there are.
    pub coverage: Arc<dyn Coverage>,
}

/// The background work of one service process. Clones are the same.
#[derive(Clone)]
pub struct Background(Arc<Parts>);

struct Parts {
    commands: Commands,
    pool: PgPool,
    renderer: Renderer,
    post: PostOffice,
    ledger: ErasureLedger,
    register: Arc<dyn Register>,
    coverage: Arc<dyn Coverage>,
    call: watch::Sender<()>,
}

impl Background {
    #[must_use]
    pub fn new(config: BackgroundConfig) -> Self {
        let BackgroundConfig { commands, pool, reader, public_url, post, ledger, .. } = config;
        let (register, coverage) = (config.register, config.coverage);
        let renderer = Renderer::new(commands.journal.clone(), reader, &public_url);
        let call = watch::Sender::new(());
        Self(Arc::new(Parts { commands, pool, renderer, post, ledger, register, coverage, call }))
    }

    /// The processes, for the runner that carries events to them.
    #[must_use]
    pub fn processes(&self) -> Vec<Arc<dyn Process<AnyEvent>>> {
        let commands = &self.0.commands;
        vec![
            Arc::new(OutboxProcess::new(commands.journal.clone())),
            Arc::new(NotificationsProcess::new(commands.clone())),
            Arc::new(DigestsProcess::new(commands.journal.clone())),
            Arc::new(ScheduleProcess::new(commands.journal.clone())),
            Arc::new(ErasuresProcess),
            Arc::new(SinksProcess),
        ]
    }

    /// Starts the tasks; they end soon after `stopping` is true.
    #[must_use]
    pub fn spawn(&self, stopping: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let Parts { commands, pool, renderer, post, ledger, register, coverage, .. } = &*self.0;
        let sender = Sender {
            commands: commands.clone(),
            pool: pool.clone(),
            renderer: renderer.clone(),
            post: post.clone(),
            in_hand: InHand::default(),
        };
        let scheduler = Scheduler {
            commands: commands.clone(),
            pool: pool.clone(),
            register: register.clone(),
            coverage: coverage.clone(),
        };
        let roll_up = RollUp { commands: commands.clone(), pool: pool.clone() };
        let keeper = Keeper {
            commands: commands.clone(),
            pool: pool.clone(),
            mailbox: post.mailbox().clone(),
            ledger: ledger.clone(),
        };
        let mut tasks = vec![
            keeper.spawn(stopping.clone()),
            scheduler.spawn(self.pace(), stopping.clone()),
            roll_up.spawn(self.pace(), stopping.clone()),
        ];
        tasks.extend((0..SENDERS).map(|_| sender.clone().spawn(self.pace(), stopping.clone())));
        tasks
    }

    /// Has everything that is due looked at now; called when the clock was moved.
    pub fn wake(&self) {
        self.0.call.send_replace(());
    }

    /// What was put into the local mailbox.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        self.0.post.mailbox()
    }

    /// Whether nothing is due; what processes have yet to take in shows in their lag.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn is_idle(&self) -> Result<bool, sqlx::Error> {
        let Parts { commands, pool, .. } = &*self.0;
        let now = commands.journal.now();
        Ok(outbox::due(pool, now).await? == 0
            && scheduler::due(pool, now).await? == 0
            && right_use::due(pool, now).await? == 0)
    }

    /// A tenant's messages that nobody took, for operators.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn dead_letters(&self, tenant: TenantId) -> Result<Vec<DeadLetter>, sqlx::Error> {
        outbox::dead_letters(&self.0.pool, tenant).await
    }

    /// The rhythm of one more task beside these.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace::new(self.0.call.subscribe(), self.0.commands.journal.appended())
    }
}
