//! Kills without warning: 64 writers are at work when the service, or PostgreSQL under it, gets
//! SIGKILL, again and again; afterwards the log is held against what the writers were told.
//!
//! Invariant: what was acknowledged is there once, positions have no gap and times never run back,
//! and the projections hold what a rebuild would.
//!
//! `ROLLCALL_KILL_ROUNDS=10 cargo test -p rollcall-api --test kill`; three rounds by default.
//!
//! It has a `main` of its own because it runs itself again as the process of the writers, which is
//! killed as well.

mod evidence;
mod ground;
mod service;
mod writers;

use std::time::{Duration, Instant};

use evidence::Evidence;
use ground::Ground;
use service::Service;
use writers::Writers;

/// A name and what is done for so many rounds.
type Scenario = (&'static str, fn(&Ground, usize));

const SCENARIOS: [Scenario; 2] = [
    ("nothing_acknowledged_is_lost_when_the_service_is_killed", kill_the_service),
    ("nothing_acknowledged_is_lost_when_postgres_is_killed", kill_postgres),
];

fn main() {
    if let Some(folder) = writers::told_to_write() {
        writers::write(&folder);
        return;
    }
    let rounds = std::env::var("ROLLCALL_KILL_ROUNDS")
        .ok()
        .map_or(3, |rounds| rounds.parse().expect("ROLLCALL_KILL_ROUNDS is a number"));
    // As the usual harness: every argument that is no flag is part of a name.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, scenario) in SCENARIOS {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            let begun = Instant::now();
            scenario(&Ground::prepare(), rounds);
            println!("{name}: {rounds} rounds ... ok ({:.1?})", begun.elapsed());
        }
    }
}

/// The writers, which append in a process of their own, and the service, whose PostgreSQL goes down
/// with it, are killed in the same moment.
fn kill_the_service(ground: &Ground, rounds: usize) {
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let service = Service::start(ground);
        let mut writers = Writers::start(ground);
        writers.work_for(pause(round));
        service.kill();
        writers.kill();
        acknowledged.extend(writers.acknowledged());
    }
    let service = Service::start(ground);
    Evidence::gather(ground).confirms(&acknowledged);
    service.stop();
}

/// The service starts its PostgreSQL again; the writers go on by themselves, asking what became of
/// the appends that were cut off.
fn kill_postgres(ground: &Ground, rounds: usize) {
    let service = Service::start(ground);
    let mut writers = Writers::start(ground);
    for round in 0..rounds {
        writers.work_for(pause(round));
        ground.kill_postgres();
    }
    writers.work_for(pause(rounds));
    writers.kill();
    Evidence::gather(ground).confirms(&writers.acknowledged());
    service.stop();
}

/// Kills fall into different moments of the server's life.
fn pause(round: usize) -> Duration {
    Duration::from_millis(400 + 170 * (round as u64 % 5))
}
