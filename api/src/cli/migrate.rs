//! `rollcall migrate`.

use super::CliResult;
use crate::{config::Config, ground::Database};

pub fn run() -> CliResult {
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    runtime.block_on(rollcall_journal::schema::migrate(&database.options))?;
    println!("The schema is up to date.");
    database.close()?;
    Ok(())
}
