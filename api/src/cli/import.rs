//! `rollcall import enrolment FILE.csv --tenant SLUG`: the plan's file, while the service runs or not.

use std::{path::Path, sync::Arc};

use rollcall_commands::{
    Commands, CommandsConfig, DispatchError,
    organizations::{RowOutcome, RowResult, enrolment_file},
};
use rollcall_domain::kernel::ids::TenantId;
use rollcall_journal::{Journal, JournalConfig, SystemClock, pools};

use super::CliResult;
use crate::{config::Config, ground::Database, service::upcasters};

/// Organisations kept in memory while a file is imported.
const CACHED_STATES: usize = 10_000;

pub fn enrolment(file: &Path, slug: &str) -> CliResult {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let imported = runtime.block_on(import(&database, slug, &bytes));
    database.close()?;
    let results = imported?;
    let refused = report(&results);
    if refused == 0 { Ok(()) } else { Err(format!("{refused} lines were refused").into()) }
}

async fn import(
    database: &Database,
    slug: &str,
    file: &[u8],
) -> Result<Vec<RowResult>, Box<dyn std::error::Error + Send + Sync>> {
    rollcall_journal::schema::migrate(&database.options).await?;
    let writer = pools::writer(database.options.clone(), 4).await?;
    let config = JournalConfig {
        writer: writer.clone(),
        master: database.master_key()?,
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: CACHED_STATES,
    };
    let journal = Journal::open_with(config, upcasters()).await?;
    let commands = Commands::new(CommandsConfig { journal, ops: writer });
    let tenant = TenantId::of_slug(slug);
    enrolment_file::import_file(&commands, tenant, file).await.map_err(|error| match error {
        DispatchError::Refused(refusal) => refusal.message.into(),
        DispatchError::Fault(text) => text.into(),
    })
}

/// Prints what became of each line; answers how many were refused.
fn report(results: &[RowResult]) -> usize {
    for result in results {
        match &result.refusal {
            None => println!("line {}: {}", result.line, outcome(result.outcome)),
            Some(refusal) => {
                println!("line {}: refused, {}: {refusal}", result.line, refusal.field.join("."));
            }
        }
    }
    results.iter().filter(|result| result.refusal.is_some()).count()
}

fn outcome(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Enrolled => "enrolled",
        RowOutcome::Updated => "updated",
        RowOutcome::Unchanged => "unchanged",
        RowOutcome::Refused => "refused",
    }
}
