//! The whole service as one object: journal, projections, processes and HTTP, started and stopped
//! together. The binary and the acceptance tests start the same thing.
//!
//! Invariant: nothing is served before the database is migrated and the roles are checked.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rollcall_commands::{
    Commands, CommandsConfig,
    audit::{
        ErasureLedger, LedgerError,
        sinks::{SinkClient, Targets},
    },
    post::{PostOffice, SmtpConfigError, SmtpRelay, TelephoneConfigError, TelephoneProvider},
    processes::{Background, BackgroundConfig},
    transactions,
};
use rollcall_domain::AnyEvent;
use rollcall_journal::{
    Clock, InjectedClock, Journal, JournalConfig, Lagging, MasterKey, Progress, Reader, Runner,
    pools, schema, secrets::Secrets, upcast::Upcasters,
};
use rollcall_projections::{
    ReadStore,
    proof::{NOT_EVIDENCE, Sealer, SealerConfig, Signer},
};
use sqlx::postgres::PgConnectOptions;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    config::Config,
    coverage::CoverageOfViews,
    dev, documents,
    gateway::ServiceGateway,
    graphql,
    http::{self, HttpLimits},
    link_pages,
    register::RegisterOfViews,
    routes,
    sinks::{self, SinkSender},
    witness::witnesses,
};

/// Loaded states kept for commands.
const CACHED_STATES: usize = 100_000;

/// Every step from an old version of an event to today's, for whatever reads the log: states,
/// projections, sentences and rebuilds. No event has changed its shape yet.
#[must_use]
pub fn upcasters() -> Upcasters {
    Upcasters::default()
}

/// What the service stands on.
pub struct Ground {
    pub config: Config,
    /// The server, as the user that migrates.
    pub database: PgConnectOptions,
    /// Where everything is that is kept outside the database.
    pub folder: PathBuf,
    pub master_key: MasterKey,
    pub clock: ServiceClock,
    /// How events of old versions are read; [`upcasters`] but for tests.
    pub upcasters: Upcasters,
}

/// Which clock drives everything.
#[derive(Clone)]
pub enum ServiceClock {
    /// The machine's.
    System(Arc<dyn Clock>),
    /// One that development and tests move; recorded times follow it.
    Injected(Arc<InjectedClock>),
}

impl ServiceClock {
    fn as_clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::System(clock) => Arc::clone(clock),
            Self::Injected(clock) => Arc::<InjectedClock>::clone(clock),
        }
    }

    /// The clock that can be moved, if this is one.
    #[must_use]
    pub fn injected(&self) -> Option<&Arc<InjectedClock>> {
        match self {
            Self::System(_) => None,
            Self::Injected(clock) => Some(clock),
        }
    }
}

/// The signer's folder in the data folder: its keys' generations and what it signed.
pub const LOG_FOLDER: &str = "log";

/// What the names of logs begin with: the host by which the service is known, unless its clock can
/// be set (GN-35).
#[must_use]
pub fn origins(config: &Config, injected_time: bool) -> String {
    if injected_time {
        return NOT_EVIDENCE.to_owned();
    }
    let url = &config.public_url;
    url.split_once("://").map_or(url.as_str(), |(_, host)| host).to_owned()
}

/// A running service.
pub struct Service {
    pub address: SocketAddr,
    pub commands: Commands,
    pub reads: ReadStore,
    pub progress: Progress,
    /// Outbox, processes and scheduler.
    pub background: Background,
    complete: Arc<AtomicBool>,
    shutdown: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Service {
    /// Migrates, starts everything and listens.
    ///
    /// # Errors
    /// What could not be started, in words for whoever starts it.
    pub async fn start(ground: Ground) -> Result<Self, StartError> {
        let Ground { config, database, folder, master_key, clock, upcasters } = ground;
        schema::migrate(&database).await?;
        let writer = pools::writer(database.clone(), 16).await?;
        let runner = pools::runner(database.clone(), 12).await?;
        let query = pools::query(database.clone(), 16).await?;
        let secrets = Arc::new(Secrets::new(&master_key));
        let config_of_journal = JournalConfig {
            writer: writer.clone(),
            master: master_key,
            clock: clock.as_clock(),
            injected_time: clock.injected().is_some(),
            cache_states: CACHED_STATES,
        };
        let journal = Journal::open_with(config_of_journal, upcasters).await?;
        // One key ring for everybody, so that nobody opens what another was told is erased.
        let keys = journal.keys().clone();
        let commands = Commands::new(CommandsConfig { journal: journal.clone(), ops: writer });
        let ledger = ErasureLedger::of(&folder);
        ledger.repeat(&commands).await?;
        let (shutdown, stopping) = watch::channel(false);
        let reader: Reader<AnyEvent> = journal.reader(runner.clone());
        let projections = Runner::new(runner.clone(), reader.clone(), rollcall_projections::all())
            .woken_by(journal.appended());
        let progress = projections.handle();
        let reads = ReadStore::new(query, progress.clone(), journal.upcasters().clone());
        let smtp = config.smtp.as_ref().map(SmtpRelay::new).transpose()?;
        let telephone = config.telephone.as_ref().map(TelephoneProvider::new).transpose()?;
        let background = Background::new(BackgroundConfig {
            commands: commands.clone(),
            pool: runner.clone(),
            reader: reader.clone(),
            public_url: config.public_url.clone(),
            post: PostOffice::open(&folder.join("mailbox"), smtp, telephone)
                .map_err(StartError::Mailbox)?,
            ledger,
            register: Arc::new(RegisterOfViews(reads.clone())),
            coverage: Arc::new(CoverageOfViews(reads.clone())),
        });
        // Apart from the projections: a process may send commands, and no reader waits for it.
        let processes = Runner::new(runner.clone(), reader.clone(), Vec::new())
            .with_processes(background.processes())
            .woken_by(journal.appended());
        let pool_of_runner = runner.clone();
        let signer = Signer::new(secrets, folder.join(LOG_FOLDER));
        let sealer = Sealer::new(SealerConfig {
            pool: pools::sealer(database.clone(), 2).await?,
            signer: signer.clone(),
            clock: clock.as_clock(),
            origins: origins(&config, clock.injected().is_some()),
            appended: journal.appended(),
            witnesses: witnesses(&config.witnesses).map_err(StartError::Client)?,
        });
        let troubles = sealer.troubles();
        let mut tasks = vec![
            projections.spawn(stopping.clone()),
            processes.spawn(stopping.clone()),
            sealer.spawn(stopping.clone()),
        ];
        tasks.extend(background.spawn(&stopping));
        let targets =
            if clock.injected().is_some() { Targets::PublicAndLoopback } else { Targets::Public };
        let sender = SinkSender {
            commands: commands.clone(),
            reads: reads.clone(),
            pool: pool_of_runner,
            client: SinkClient::new(targets).map_err(StartError::Client)?,
        };
        let senders =
            (0..sinks::SENDERS).map(|_| sender.clone().spawn(background.pace(), stopping.clone()));
        tasks.extend(senders);

        let complete = Arc::new(AtomicBool::new(!config.demo));
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| StartError::Listen(config.listen, error))?;
        let address = listener.local_addr().map_err(|e| StartError::Listen(config.listen, e))?;
        let gateway = ServiceGateway::new(
            graphql::schema(),
            commands.clone(),
            reads.clone(),
            &config,
            signer,
        );
        let files = documents::Parts {
            gateway: gateway.clone(),
            commands: commands.clone(),
            reads: reads.clone(),
            public_url: config.public_url.clone().into(),
            keys,
            folder: folder.as_path().into(),
        };
        let parts = routes::Parts {
            reads: reads.clone(),
            troubles,
            complete: Arc::clone(&complete),
            key_set: transactions::key_set(journal.secrets()).into(),
        };
        let limits = HttpLimits {
            trusted_documents: config.trusted_documents.clone(),
            ..HttpLimits::default()
        };
        let mut app = http::router(gateway, limits)
            .merge(routes::router(parts))
            .merge(link_pages::router())
            .merge(documents::router(files));
        if let Some(clock) = clock.injected().filter(|_| config.dev) {
            let aids = dev::Parts { background: background.clone(), clock: Arc::clone(clock) };
            app = app.merge(dev::router(aids));
        }
        tasks.push(tokio::spawn(serve(listener, app, stopping)));
        Ok(Self { address, commands, reads, progress, background, complete, shutdown, tasks })
    }

    /// Waits until every projection holds everything recorded so far, a minute at most.
    ///
    /// # Errors
    /// Which projection was not there in time.
    pub async fn caught_up(&self) -> Result<(), Lagging> {
        let patience = std::time::Duration::from_secs(60);
        let lags = self.progress.lag().await.unwrap_or_default();
        let mut heads: Vec<_> = lags.iter().map(|lag| (lag.tenant, lag.head)).collect();
        heads.sort_unstable();
        heads.dedup();
        for (tenant, head) in heads {
            self.progress.wait(rollcall_projections::NAMES, tenant, head, patience).await?;
        }
        Ok(())
    }

    /// Says that what the service was started with is there: from now on it is ready.
    pub fn completed(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// Stops taking requests, lets those under way finish, and stops the runners.
    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the service did not end well");
            }
        }
    }
}

async fn serve(listener: TcpListener, app: axum::Router, mut stopping: watch::Receiver<bool>) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stop = async move {
        // An error means the sender is gone, which is a reason to stop as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the HTTP server ended");
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {0}: {1}. Choose another address with ROLLCALL_LISTEN.")]
    Listen(SocketAddr, std::io::Error),
    #[error("the mailbox in the data folder cannot be used: {0}")]
    Mailbox(io::Error),
    #[error("nothing can be sent over HTTP: {0}")]
    Client(reqwest::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Smtp(#[from] SmtpConfigError),
    #[error(transparent)]
    Telephone(#[from] TelephoneConfigError),
    #[error(transparent)]
    Schema(#[from] schema::SchemaError),
    #[error(transparent)]
    Journal(#[from] rollcall_journal::JournalError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
