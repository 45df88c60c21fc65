//! Why a managed server did not start or stop, each reason with what to do about it.
//!
//! Invariant: every message can be shown to the person at the terminal as it is; none contains a
//! secret.

use std::io;
use std::path::{Path, PathBuf};

use super::wheel::WheelError;

/// The ways out when no usable PostgreSQL binaries are found.
pub const HOW_TO_GET_POSTGRES: &str = "\
Do one of these and start again:
  apt install postgresql            (Debian, Ubuntu)
  brew install postgresql@17        (macOS)
  ROLLCALL_PG_BIN=/path/to/bin      the folder that holds `initdb` and `postgres`, version 15 or newer
  DATABASE_URL=postgres://user@host:5432/database   a server you already have";

/// What can go wrong with a managed server.
#[derive(Debug, thiserror::Error)]
pub enum ManagedError {
    /// Another process holds the lock of the data folder.
    #[error(
        "the data folder {root} is in use by another Rollcall (process {holder}); stop that one \
         first, or give this one its own folder with ROLLCALL_DATA_DIR"
    )]
    InUse {
        /// The data folder both want.
        root: PathBuf,
        /// Process id as the holder wrote it, or `unknown`.
        holder: String,
    },

    /// The data belongs to a major version for which there are no binaries here.
    #[error(
        "the data in {data} was written by PostgreSQL {major}, and there are no binaries of that \
         major version here (found: {found}). Nothing was changed. Install PostgreSQL {major}, or \
         point ROLLCALL_PG_BIN at its bin folder; to move to another major version, dump the data \
         with that version's pg_dump and load it into a server named by DATABASE_URL"
    )]
    ForeignMajor {
        /// The cluster's data directory.
        data: PathBuf,
        /// Major version read from its `PG_VERSION`.
        major: String,
        /// The versions that were found, for the reader.
        found: String,
    },

    /// The place for the cluster holds something else.
    #[error(
        "{data} is not empty and not a PostgreSQL cluster (it has no PG_VERSION); move it away, or \
         choose another folder with ROLLCALL_DATA_DIR"
    )]
    NotACluster {
        /// The directory in the way.
        data: PathBuf,
    },

    /// `ROLLCALL_PG_BIN` does not lead to usable binaries.
    #[error(
        "ROLLCALL_PG_BIN={bin} does not hold usable PostgreSQL binaries: {reason}. It must be a \
         folder with `initdb` and `postgres` of version 15 or newer"
    )]
    BadBin {
        /// The folder that was given.
        bin: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// Nothing installed, and the wheel could not be used either.
    #[error(
        "no suitable PostgreSQL was found (15 or newer; for existing data its own major \
         version), and {source}.\n{HOW_TO_GET_POSTGRES}"
    )]
    NoBinaries {
        /// Why the wheel did not help.
        source: WheelError,
    },

    /// Root has nobody to hand the server to.
    #[error(
        "PostgreSQL refuses to run as root, and this system has neither a `postgres` nor a \
         `nobody` account to run it as; start Rollcall as an ordinary user, or set DATABASE_URL"
    )]
    NoAccount,

    /// The user id has no passwd entry; `initdb` needs one.
    #[error(
        "user id {uid} has no passwd entry, which PostgreSQL's initdb needs; run Rollcall as a \
         user that has one, or set DATABASE_URL"
    )]
    NamelessUser {
        /// The user id.
        uid: u32,
    },

    /// The cluster belongs to a different user.
    #[error(
        "the cluster in {data} belongs to user id {owner}, but Rollcall runs as user id {uid}; run \
         it as the owner, or choose another folder with ROLLCALL_DATA_DIR"
    )]
    ForeignOwner {
        /// The cluster's data directory.
        data: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        uid: u32,
    },

    /// The account that runs the server cannot get to its files.
    #[error(
        "the account `{account}`, which runs PostgreSQL, cannot reach {path}; choose a folder that \
         it can enter with ROLLCALL_DATA_DIR"
    )]
    OutOfReach {
        /// Account name.
        account: String,
        /// The path it cannot enter.
        path: PathBuf,
    },

    /// `initdb` ended badly.
    #[error("initdb could not create the cluster ({status}):\n{output}")]
    Initdb {
        /// Exit status, for the reader.
        status: String,
        /// What it printed.
        output: String,
    },

    /// The server ended while starting.
    #[error("PostgreSQL ended while starting ({status}); the end of {log}:\n{tail}")]
    EndedEarly {
        /// Exit status, for the reader.
        status: String,
        /// Log file.
        log: PathBuf,
        /// Its last lines from this start.
        tail: String,
    },

    /// The old server's lock file did not go away.
    #[error(
        "the lock file {pid_file} still stands after {attempts} attempts, so an earlier server may \
         still be running on this cluster. If none is (for instance after a container was \
         restarted and its process ids were reused), remove that file and start again"
    )]
    StillLocked {
        /// `postmaster.pid` of the cluster.
        pid_file: PathBuf,
        /// How often it was tried.
        attempts: u32,
    },

    /// The server runs but never reported readiness.
    #[error("PostgreSQL was not ready after {seconds} s; see {log}")]
    NotReady {
        /// How long it was given.
        seconds: u64,
        /// Log file.
        log: PathBuf,
    },

    /// The server did not end, neither fast nor at once.
    #[error("PostgreSQL (process {pid}) did not stop; see {log}")]
    NotStopped {
        /// Its process id.
        pid: u32,
        /// Log file.
        log: PathBuf,
    },

    /// A statement to the managed server failed.
    #[error("the managed PostgreSQL refused a statement: {0}")]
    Statement(#[from] sqlx::Error),

    /// The file system or process table refused something.
    #[error("{doing} {path} failed: {source}")]
    Io {
        /// What was attempted, as in "creating".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Turns an [`io::Error`] into [`ManagedError::Io`] with its context.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ManagedError {
    move |source| ManagedError::Io { doing, path: path.to_path_buf(), source }
}
