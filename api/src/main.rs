//! The command line. Invariant: exit code 0 means done; every failure says in one sentence what to do.

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
};

use clap::Parser;
use rollcall_api::cli::{self, Cli};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("ROLLCALL_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,rollcall=info,rollcall_api=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .init();
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rollcall: {error}");
            ExitCode::FAILURE
        }
    }
}
