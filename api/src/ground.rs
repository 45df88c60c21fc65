//! The database and the key a process stands on: managed or external, found or made.
//!
//! Invariant: the master key lies outside the database; whoever has only one of them reads no
//! personal data.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_journal::{InjectedClock, MasterKey};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::runtime::Runtime;

use crate::{
    config::Config,
    postgres::{
        DataFolder, External, ManagedError, ManagedPostgres, Mode, Profile, Situation, Strictness,
        attach,
    },
};

/// The name of the managed server's database.
const DATABASE: &str = "rollcall";
/// How far back the history of the demonstration begins.
const DEMO_DAYS: i64 = 2 * 365;

/// A server to work on, and the folder with everything kept outside it.
pub struct Database {
    /// As the user that migrates.
    pub options: PgConnectOptions,
    pub folder: PathBuf,
    managed: Option<ManagedPostgres>,
}

/// Anything that keeps a process from having a database.
pub type OpenError = Box<dyn std::error::Error + Send + Sync>;

impl Database {
    /// Starts the managed server or reaches the external one. Called outside the runtime, because
    /// starting a server blocks.
    ///
    /// # Errors
    /// In one sentence, what is missing and what to do.
    pub fn open(config: &Config, runtime: &Runtime) -> Result<Self, OpenError> {
        let mode = Mode::choose(Situation {
            database_url: config.database_url.as_deref(),
            production: config.production,
            allow_managed: config.allow_managed,
        })?;
        let working = std::env::current_dir()?;
        let folder = DataFolder::resolve(config.data_dir.as_deref(), &working)?.path;
        match mode {
            Mode::External(url) => {
                let strictness = Strictness { dev: config.dev, production: config.production };
                let external = runtime.block_on(External::check(&url, strictness))?;
                Ok(Self { options: external.options, folder, managed: None })
            }
            Mode::Managed => {
                let server = ManagedPostgres::start_on_own_thread(&folder, Profile::Durable)?;
                eprintln!(
                    "PostgreSQL {} of Rollcall's own in {}; look inside with: {}",
                    server.version(),
                    server.data_dir().display(),
                    server.psql_hint()
                );
                runtime.block_on(server.ensure_database(DATABASE))?;
                let options = server.connect_options(DATABASE);
                Ok(Self { options, folder, managed: Some(server) })
            }
        }
    }

    /// Like [`Self::open`], for commands beside a service that may be running: its managed server
    /// is used as it is, and stays.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_beside(config: &Config, runtime: &Runtime) -> Result<Self, OpenError> {
        if config.database_url.is_none() {
            let working = std::env::current_dir()?;
            let folder = DataFolder::resolve(config.data_dir.as_deref(), &working)?.path;
            if let Some(options) = attach::running(&folder, DATABASE) {
                return Ok(Self { options, folder, managed: None });
            }
        }
        Self::open(config, runtime)
    }

    /// The key in the data folder, made at first use.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn master_key(&self) -> std::io::Result<MasterKey> {
        MasterKey::load_or_create(&self.folder.join("master.key"))
    }

    /// The clock of a development log. On an empty one that is to be seeded it stands still two
    /// years back; else it ticks from now, or from the last event when the log is ahead.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn development_clock(
        &self,
        to_be_seeded: bool,
    ) -> Result<InjectedClock, sqlx::Error> {
        let now = Utc::now();
        let last = self.last_recorded().await?;
        if last.is_none() && to_be_seeded {
            return Ok(InjectedClock::starting_at(now - TimeDelta::days(DEMO_DAYS)));
        }
        let clock = InjectedClock::starting_at(last.map_or(now, |last| last.max(now)));
        clock.run();
        Ok(clock)
    }

    /// When the last event was recorded; `None` on an empty or unmigrated database.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn last_recorded(&self) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let migrated: bool = sqlx::query_scalar("SELECT to_regclass('es.head') IS NOT NULL")
            .fetch_one(&mut connection)
            .await?;
        if !migrated {
            return Ok(None);
        }
        sqlx::query_scalar("SELECT max(recorded_at) FROM es.events")
            .fetch_one(&mut connection)
            .await
    }

    /// Stops the managed server.
    ///
    /// # Errors
    /// It did not stop.
    pub fn close(self) -> Result<(), ManagedError> {
        match self.managed {
            Some(mut server) => server.stop(),
            None => Ok(()),
        }
    }
}
