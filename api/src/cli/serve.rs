//! `rollcall serve`: from the environment to a running service and back.

use std::sync::Arc;

use rollcall_journal::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use super::CliResult;
use crate::{
    config::Config,
    ground::Database,
    service::{Ground, Service, ServiceClock},
};

pub fn run(demo: bool, dev: bool) -> CliResult {
    let config = Config::from_env(demo, dev)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open(&config, &runtime)?;
    let outcome = runtime.block_on(serve(config, &database));
    // The server goes last: everything that could still write to it has ended.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    database.close()?;
    outcome
}

async fn serve(config: Config, database: &Database) -> CliResult {
    let clock = if config.dev {
        ServiceClock::Injected(Arc::new(database.development_clock(config.demo).await?))
    } else {
        ServiceClock::System(Arc::new(SystemClock))
    };
    let ground = Ground {
        master_key: database.master_key()?,
        database: database.options.clone(),
        folder: database.folder.clone(),
        config: config.clone(),
        clock,
    };
    let service = Service::start(ground).await?;
    println!("Rollcall answers at {}", config.public_url);
    println!("  GraphQL  {}/graphql", config.public_url);
    println!("  health   {}/health/ready", config.public_url);
    ended_by_signal().await?;
    println!("Stopping.");
    service.stop().await;
    Ok(())
}

async fn ended_by_signal() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
