//! Subcommands. Invariant: none but `serve` listens, and `schema` needs no database.

mod doctor;
mod import;
mod log;
mod migrate;
mod progress;
mod rebuild;
mod serve;
mod verify;

use chrono::{DateTime, FixedOffset};
use clap::{Args, Parser, Subcommand};

/// What a subcommand can fail with: anything that says what to do.
pub type CliResult = Result<(), Failed>;
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The access ledger of healthcare provider portals.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version)]
pub struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Clone, Copy, Debug, Default)]
struct ServeArgs {
    /// Seed two demo tenants into an empty database and open the development aids.
    #[arg(long)]
    demo: bool,
    /// Open the development aids: the mailbox and the clock under /dev.
    #[arg(long)]
    dev: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service (the default).
    Serve(ServeArgs),
    /// Bring the database's schema up to date and end.
    Migrate,
    /// Print the GraphQL schema.
    Schema,
    /// Build a projection's tables anew from the events, beside the running ones, and switch.
    Rebuild {
        /// Its name; all of them when none is given.
        projection: Option<String>,
    },
    /// Fill a projection's tables as they were at an earlier position or time of a portal, in a
    /// schema of their own, to look at with SQL. The running tables are not touched.
    Replay {
        /// Its name; all of them when none is given.
        projection: Option<String>,
        /// The portal's short name.
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        moment: Moment,
    },
    /// Import a file of the health plan.
    #[command(subcommand)]
    Import(Import),
    /// Hold every stored event against the proof tree and what was signed, and name what was altered.
    CheckLog {
        /// The portal's short name; all portals when none is given.
        #[arg(long)]
        tenant: Option<String>,
        /// A checkpoint somebody kept (a file), which the log must continue.
        #[arg(long, requires = "tenant")]
        since: Option<std::path::PathBuf>,
    },
    /// Check an evidence bundle, without network and database. Exit code 0: good; 10 bad proof, 11 bad
    /// signature, 12 missing in range, 13 bad opening, 14 report does not follow, 20 malformed,
    /// 30 good, but NOT EVIDENCE.
    Verify {
        /// The bundle (a ZIP archive).
        bundle: std::path::PathBuf,
        /// The logs you trust (TOML): [[log]] with origin and keys, which did not come with a bundle.
        #[arg(long)]
        policy: std::path::PathBuf,
        /// A checkpoint you kept from before.
        #[arg(long)]
        since: Option<std::path::PathBuf>,
    },
    /// Begin a new key for signing checkpoints; the one before signs beside it for a while.
    RotateLogKey {
        /// For how many days both sign.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=365))]
        overlap_days: u16,
    },
    /// Look at the installation and say what to do about what is not well.
    Doctor,
}

/// When to replay to: a position or a time.
#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
struct Moment {
    /// A position of the portal, as `auditEvents` and payloads show it.
    #[arg(long)]
    position: Option<i64>,
    /// A time (RFC 3339, like 2026-06-30T23:59:59-07:00): what was on record then.
    #[arg(long)]
    at: Option<DateTime<FixedOffset>>,
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Organisations and their NPIs; the same file twice changes nothing.
    Enrolment {
        /// CSV with a header; see the README for its columns.
        file: std::path::PathBuf,
        /// The portal's short name.
        #[arg(long)]
        tenant: String,
    },
    /// Existing people with their rights; interrupted and repeated, it imports nobody twice.
    People {
        /// CSV with a header; see the README for its columns.
        file: std::path::PathBuf,
        /// The portal's short name.
        #[arg(long)]
        tenant: String,
    },
}

/// Runs what the command line says.
///
/// # Errors
/// In one sentence, what went wrong and what to do.
pub fn run(cli: Cli) -> CliResult {
    match cli.command {
        None => serve::run(cli.serve.demo, cli.serve.dev),
        Some(Command::Serve(args)) => {
            serve::run(args.demo || cli.serve.demo, args.dev || cli.serve.dev)
        }
        Some(Command::Migrate) => migrate::run(),
        Some(Command::Rebuild { projection }) => rebuild::run(projection.as_deref()),
        Some(Command::Replay { projection, tenant, moment }) => {
            rebuild::replay(projection.as_deref(), &tenant, moment)
        }
        Some(Command::Import(Import::Enrolment { file, tenant })) => {
            import::enrolment(&file, &tenant)
        }
        Some(Command::Import(Import::People { file, tenant })) => import::people(&file, &tenant),
        Some(Command::CheckLog { tenant, since }) => {
            log::check(tenant.as_deref(), since.as_deref())
        }
        Some(Command::Verify { bundle, policy, since }) => {
            verify::run(&bundle, &policy, since.as_deref())
        }
        Some(Command::RotateLogKey { overlap_days }) => log::rotate(overlap_days),
        Some(Command::Doctor) => doctor::run(),
        Some(Command::Schema) => {
            print!("{}", crate::graphql::sdl());
            Ok(())
        }
    }
}
