//! `rollcall rebuild`: projections from the events, while the service runs or not.

use std::sync::Arc;

use rollcall_domain::AnyEvent;
use rollcall_journal::{Projection, Reader, keys::KeyRing, pools, rebuild};

use super::CliResult;
use crate::{config::Config, ground::Database, service::upcasters};

pub fn run(name: Option<&str>) -> CliResult {
    let chosen = choose(name)?;
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let outcome = runtime.block_on(rebuild_all(&database, chosen));
    database.close()?;
    outcome
}

fn choose(name: Option<&str>) -> Result<Vec<Arc<dyn Projection<AnyEvent>>>, String> {
    let all = rollcall_projections::all();
    let Some(name) = name else { return Ok(all) };
    let names: Vec<&str> = all.iter().map(|projection| projection.name()).collect();
    let unknown = format!("there is no projection {name}; there are: {}", names.join(", "));
    let chosen: Vec<_> = all.into_iter().filter(|each| each.name() == name).collect();
    if chosen.is_empty() { Err(unknown) } else { Ok(chosen) }
}

async fn rebuild_all(
    database: &Database,
    projections: Vec<Arc<dyn Projection<AnyEvent>>>,
) -> CliResult {
    rollcall_journal::schema::migrate(&database.options).await?;
    let pool = pools::runner(database.options.clone(), 4).await?;
    let keys = KeyRing::new(&database.master_key()?, pool.clone());
    let reader: Reader<AnyEvent> = Reader::new(pool, keys).with_upcasters(upcasters());
    for projection in projections {
        let rebuilt = rebuild::rebuild(&database.options, &reader, &projection).await?;
        println!("{}: {} events", projection.name(), rebuilt.events);
        for difference in rebuilt.differences {
            println!(
                "  {} differed: {} rows before, {} now",
                difference.table, difference.live_rows, difference.rebuilt_rows
            );
        }
    }
    Ok(())
}
