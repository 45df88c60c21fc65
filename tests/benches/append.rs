//! How fast commands get into the log, next to what the same server does without any of it.
//!
//! `cargo bench -p rollcall-tests --bench append [-- rounds=3 seconds=3 1 16 64 256 16x100]`
//!
//! Three variants take turns on one PostgreSQL with durable settings: `pgbench` inserts single rows
//! into a table with the log's unique indexes; `postgres-es` runs commands through cqrs-es as that
//! crate ships it; `rollcall` runs the same commands through the journal with idempotency and with
//! the guards of a real command. `16x100` are 16 clients on streams of 100 earlier events.
//!
//! Invariant: variants are compared only with their neighbours of the same round, because the
//! machine's speed changes from one minute to the next; the ratios printed are medians of those.

mod append {
    pub mod clients;
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod ground;
    pub mod pgbench;
    pub mod postgres_es;
    pub mod register;
    pub mod report;
    pub mod rollcall;
}

use std::time::Duration;

use append::{
    clients::{Load, Variant},
    ground::Ground,
    pgbench::Pgbench,
    postgres_es::PostgresEs,
    report::Report,
    rollcall::Rollcall,
};

const LOADS: [&str; 5] = ["1", "16", "64", "256", "16x100"];

struct Plan {
    rounds: usize,
    time: Duration,
    loads: Vec<Load>,
}

impl Plan {
    /// # Panics
    /// When an argument is none of the above.
    fn from_arguments() -> Self {
        let mut plan = Self { rounds: 3, time: Duration::from_secs(3), loads: Vec::new() };
        // Cargo says `--bench`.
        for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
            match argument.split_once('=') {
                Some(("rounds", n)) => plan.rounds = n.parse().expect("a number of rounds"),
                Some(("seconds", n)) => {
                    plan.time = Duration::from_secs(n.parse().expect("whole seconds"));
                }
                Some(_) => panic!("{argument} is neither rounds=N nor seconds=N"),
                None => plan.loads.push(argument.parse().expect("clients, or clients x events")),
            }
        }
        if plan.loads.is_empty() {
            plan.loads = LOADS.iter().map(|load| load.parse().expect("a load")).collect();
        }
        plan
    }
}

fn main() {
    let plan = Plan::from_arguments();
    let ground = Ground::prepare();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(&plan, &ground));
    runtime.shutdown_timeout(Duration::from_secs(5));
}

async fn measure(plan: &Plan, ground: &Ground) {
    let variants: [Box<dyn Variant>; 3] = [
        Box::new(Pgbench::prepare(ground).await),
        Box::new(PostgresEs::prepare(ground).await),
        Box::new(Rollcall::prepare(ground).await),
    ];
    for variant in &variants {
        eprintln!("{}: {}", variant.name(), variant.describe());
        // Connections, plans and caches, not measured.
        variant.run("4".parse().expect("a load"), Duration::from_secs(1)).await;
    }
    for load in &plan.loads {
        let mut report = Report::new(variants.iter().map(|variant| variant.name()).collect());
        for round in 0..plan.rounds {
            let mut order: Vec<_> = (0..variants.len()).collect();
            order.rotate_left(round % variants.len());
            for nth in order {
                report.add(nth, variants[nth].run(*load, plan.time).await);
            }
        }
        eprintln!("load average {}", ground.load_average());
        report.print(*load);
    }
}
