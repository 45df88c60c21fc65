//! Reaching the managed server of a Rollcall that is running, for commands beside it.
//!
//! Invariant: only looks; it never starts, stops or repairs a server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{cluster::SUPERUSER, layout::Layout};

/// Lines of `postmaster.pid`, counted from 0 (PostgreSQL, `miscadmin.h`).
const PORT_LINE: usize = 3;
const SOCKET_LINE: usize = 4;
const STATUS_LINE: usize = 7;

/// How to connect to `database` on the server running under the data folder, if one says it is
/// ready there.
#[must_use]
pub fn running(root: &Path, database: &str) -> Option<PgConnectOptions> {
    let text = fs::read_to_string(Layout::under(root).pid_file()).ok()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if *lines.get(STATUS_LINE)? != "ready" {
        return None;
    }
    let socket = PathBuf::from(lines.get(SOCKET_LINE)?);
    Some(
        PgConnectOptions::new_without_pgpass()
            .socket(socket)
            .port(lines.get(PORT_LINE)?.parse().ok()?)
            .ssl_mode(PgSslMode::Disable)
            .username(SUPERUSER)
            .database(database),
    )
}
