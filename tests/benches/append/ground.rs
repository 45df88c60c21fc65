//! A PostgreSQL of the benchmark's own, durable as in service, with a database per variant.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rollcall_api::postgres::{ManagedPostgres, Profile};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

pub struct Ground {
    server: ManagedPostgres,
    folder: Folder,
}

/// Removed when dropped, which is after the server has stopped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays behind: {error}", self.0.display());
        }
    }
}

impl Ground {
    /// Starts the server in the temporary folder, which must lie on a disk for the figures to mean
    /// anything.
    ///
    /// # Panics
    /// When there is no server to be had.
    pub fn prepare() -> Self {
        let folder = std::env::temp_dir().join(format!("rollcall-bench-{}", std::process::id()));
        let server = ManagedPostgres::start_on_own_thread(&folder, Profile::Durable)
            .unwrap_or_else(|error| panic!("no server: {error}"));
        eprintln!("PostgreSQL {} in {}", server.version(), folder.display());
        Self { server, folder: Folder(folder) }
    }

    /// A program that came with the server.
    pub fn tool(&self, name: &str) -> Option<PathBuf> {
        self.server.tool(name)
    }

    /// A folder for whatever a variant writes itself.
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Makes an empty database and runs `script` in it.
    pub async fn database(&self, name: &str, script: &str) -> PgConnectOptions {
        self.server.ensure_database(name).await.expect("the database is made");
        let options = self.server.connect_options(name);
        let mut session = PgConnection::connect_with(&options).await.expect("the server answers");
        session.execute(script).await.expect("the script runs");
        session.close().await.expect("the session ends");
        options
    }

    /// How to look into a database from outside.
    pub fn hint(&self, database: &str) -> String {
        format!("{} (database {database})", self.server.psql_hint())
    }

    /// Of the last minute: what else the machine was doing.
    pub fn load_average(&self) -> String {
        let all = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        all.split_whitespace().next().unwrap_or("unknown").to_owned()
    }
}
