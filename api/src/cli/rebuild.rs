//! `rollcall rebuild` and `rollcall replay`: projections from the events, up to now or up to a
//! moment, while the service runs or not.

use std::sync::Arc;

use rollcall_domain::{AnyEvent, kernel::ids::TenantId};
use rollcall_journal::{Projection, Reader, keys::KeyRing, pools, rebuild};

use super::{CliResult, Failed, Moment};
use crate::{config::Config, ground::Database, service::upcasters};

pub fn run(name: Option<&str>) -> CliResult {
    let chosen = choose(name)?;
    on_database(async |database| rebuild_all(database, chosen).await)
}

pub fn replay(name: Option<&str>, slug: &str, moment: Moment) -> CliResult {
    let chosen = choose(name)?;
    on_database(async |database| replay_all(database, chosen, slug, moment).await)
}

fn on_database(work: impl AsyncFnOnce(&Database) -> CliResult) -> CliResult {
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let outcome = runtime.block_on(work(&database));
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

async fn reader(database: &Database) -> Result<Reader<AnyEvent>, Failed> {
    rollcall_journal::schema::migrate(&database.options).await?;
    let pool = pools::runner(database.options.clone(), 4).await?;
    let keys = KeyRing::new(&database.master_key()?, pool.clone());
    Ok(Reader::new(pool, keys).with_upcasters(upcasters()))
}

async fn rebuild_all(
    database: &Database,
    projections: Vec<Arc<dyn Projection<AnyEvent>>>,
) -> CliResult {
    let reader = reader(database).await?;
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

async fn replay_all(
    database: &Database,
    projections: Vec<Arc<dyn Projection<AnyEvent>>>,
    slug: &str,
    moment: Moment,
) -> CliResult {
    let reader = reader(database).await?;
    let tenant = TenantId::of_slug(slug);
    let position = position(&reader, (tenant, slug), moment).await?;
    for projection in projections {
        let up_to = (tenant, position);
        let events = rebuild::replay(&database.options, &reader, &projection, up_to).await?;
        let schema = rebuild::replay_schema(projection.name());
        println!("{}: {events} events, in schema {schema}", projection.name());
    }
    Ok(())
}

/// The position to replay to; one that the portal has had.
async fn position(
    reader: &Reader<AnyEvent>,
    (tenant, slug): (TenantId, &str),
    moment: Moment,
) -> Result<i64, Failed> {
    let heads = reader.heads().await?;
    let head = heads.into_iter().find(|(each, _)| *each == tenant).map(|(_, head)| head);
    let head = head.ok_or_else(|| format!("there is no portal {slug} with anything on record"))?;
    let found = match moment.at {
        Some(at) => reader.position_at(tenant, at.to_utc()).await?,
        None => moment.position.filter(|position| (1..=head).contains(position)),
    };
    Ok(found.ok_or_else(|| {
        format!("nothing was on record then: the positions of {slug} are 1 to {head}")
    })?)
}
