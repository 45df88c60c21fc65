//! `rollcall serve`: from the environment to a running service and back.

use std::sync::Arc;

use rollcall_commands::tenants::bootstrap;
use rollcall_journal::{InjectedClock, SystemClock};
use tokio::signal::unix::{SignalKind, signal};

use super::CliResult;
use crate::{
    config::Config,
    demo,
    ground::Database,
    service::{Ground, Service, ServiceClock, upcasters},
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
    let is_empty = database.last_recorded().await?.is_none();
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
        clock: clock.clone(),
        upcasters: upcasters(),
    };
    let service = Service::start(ground).await?;
    if let Some(clock) = clock.injected().filter(|_| config.demo) {
        demo(&service, clock, database, is_empty).await?;
    }
    let invitation = bootstrap(&service.commands, &config.public_url).await?;
    println!("Rollcall answers at {}", config.public_url);
    println!("  GraphQL  {}/graphql", config.public_url);
    println!("  health   {}/health/ready", config.public_url);
    if config.dev {
        println!("  mailbox  {}/dev/mailbox", config.public_url);
    }
    if let Some(link) = invitation {
        println!("Nobody operates this service yet. The first operator registers at\n  {link}");
    }
    ended_by_signal().await?;
    println!("Stopping.");
    service.stop().await;
    Ok(())
}

/// Seeds the demonstration into an empty log and shows its sign-ins.
async fn demo(
    service: &Service,
    clock: &Arc<InjectedClock>,
    database: &Database,
    is_empty: bool,
) -> CliResult {
    if is_empty {
        println!("Making two years of demonstration history; this takes about a minute.");
    }
    let content = demo::seed(&service.commands, clock, &database.folder, is_empty).await?;
    service.caught_up().await?;
    service.completed();
    demo::print_sign_ins(&content);
    println!("All sign-ins: {}", database.folder.join(demo::FILE).display());
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
