//! `rollcall import enrolment|people FILE.csv --tenant SLUG`: the plan's files, while the service
//! runs or not.

use std::{path::Path, sync::Arc, time::Instant};

use rollcall_commands::{
    Commands, CommandsConfig, DispatchError,
    imports::people_file,
    organizations::{RowOutcome, RowResult, enrolment_file},
};
use rollcall_domain::{imports::LineOutcome, kernel::ids::TenantId};
use rollcall_journal::{Journal, JournalConfig, SystemClock, pools};

use super::{CliResult, Failed, progress::Progress};
use crate::{config::Config, ground::Database, service::upcasters};

/// Organisations kept in memory while a file is imported.
const CACHED_STATES: usize = 10_000;
/// As the service has; lines of a file are under way together.
const CONNECTIONS: u32 = 16;

pub fn enrolment(file: &Path, slug: &str) -> CliResult {
    let results = run(file, slug, async |commands, tenant, file| {
        enrolment_file::import_file(commands, tenant, file).await
    })?;
    let refused = report(&results);
    if refused == 0 { Ok(()) } else { Err(format!("{refused} lines were refused").into()) }
}

pub fn people(file: &Path, slug: &str) -> CliResult {
    let results = run(file, slug, async |commands, tenant, file| {
        let (begun, mut done, mut progress) = (Instant::now(), 0, None);
        people_file::import_file(commands, tenant, file, |result, total| {
            done += 1;
            let progress = progress.get_or_insert_with(|| Progress::since(begun, total));
            if let Some(refusal) = &result.refusal {
                progress.clear();
                let column = refusal.field.join(".");
                println!("line {}: refused, {column}: {refusal}", result.line);
            }
            progress.show(done);
        })
        .await
    })?;
    let count = |outcome| results.iter().filter(|result| result.outcome == outcome).count();
    let refused = count(LineOutcome::Refused);
    println!(
        "{} lines: {} imported, {} updated, {} unchanged, {refused} refused",
        results.len(),
        count(LineOutcome::Imported),
        count(LineOutcome::Updated),
        count(LineOutcome::Unchanged),
    );
    if refused == 0 { Ok(()) } else { Err(format!("{refused} lines were refused").into()) }
}

/// Imports a file by the service's own commands, on its database.
fn run<T>(
    file: &Path,
    slug: &str,
    import: impl AsyncFnOnce(&Commands, TenantId, &[u8]) -> Result<T, DispatchError>,
) -> Result<T, Failed> {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let imported = runtime.block_on(async {
        let commands = commands(&database).await?;
        import(&commands, TenantId::of_slug(slug), &bytes).await.map_err(|error| match error {
            DispatchError::Refused(refusal) => Failed::from(refusal.message),
            DispatchError::Fault(text) => text.into(),
        })
    });
    database.close()?;
    imported
}

async fn commands(database: &Database) -> Result<Commands, Failed> {
    rollcall_journal::schema::migrate(&database.options).await?;
    let writer = pools::writer(database.options.clone(), CONNECTIONS).await?;
    let config = JournalConfig {
        writer: writer.clone(),
        master: database.master_key()?,
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: CACHED_STATES,
    };
    let journal = Journal::open_with(config, upcasters()).await?;
    Ok(Commands::new(CommandsConfig { journal, ops: writer }))
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
