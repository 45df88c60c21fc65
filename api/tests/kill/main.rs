//! Kills without warning: 64 clients send mutations to the real service when it, or PostgreSQL under
//! it, gets SIGKILL, again and again; afterwards the log, the read tables and a mail server are held
//! against what the clients were told.
//!
//! Invariant: every command that was acknowledged is there once, also where its outcome was unknown
//! and it was sent again; positions have no gap and times never run back; projections hold what a
//! rebuild would; every mail arrives, and one that repeats has the same Message-ID.
//!
//! `ROLLCALL_KILL_ROUNDS=10 cargo test -p rollcall-api --test kill`; four rounds by default, ten in CI.
//!
//! It has a `main` of its own so that one scenario follows the other: each needs the whole machine.

mod asking;
mod closing;
mod evidence;
mod ground;
mod import;
mod mail;
mod portals;
mod reviews;
#[path = "../../../tests/acceptance/support/seed.rs"]
#[expect(dead_code, reason = "shared with the acceptance tests, which need more of it")]
mod seed;
mod service;
mod sink;
mod writers;

use std::time::{Duration, Instant};

use evidence::Evidence;
use ground::Ground;
use service::Service;
use sink::Sink;
use writers::Writers;

/// Both took 128 s on two busy cores; CI kills ten times each.
const ROUNDS: usize = 4;

/// A name and what is done for so many rounds.
type Scenario = (&'static str, fn(&Ground, usize));

const SCENARIOS: [Scenario; 5] = [
    ("nothing_acknowledged_is_lost_when_the_service_is_killed", kill_the_service),
    ("nothing_acknowledged_is_lost_when_postgres_is_killed", kill_postgres),
    ("gn_33_an_import_that_is_killed_imports_nobody_twice", import::kill_the_import),
    (
        "gn_15_reviews_of_a_service_that_is_killed_are_opened_and_carried_out_once",
        reviews::kill_the_reviews,
    ),
    ("gn_15_a_closing_that_is_killed_takes_away_once", closing::kill_the_closing),
];

fn main() {
    let rounds = std::env::var("ROLLCALL_KILL_ROUNDS")
        .ok()
        .map_or(ROUNDS, |rounds| rounds.parse().expect("ROLLCALL_KILL_ROUNDS is a number"));
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

/// The service's PostgreSQL goes down with it; the next start recovers both.
fn kill_the_service(ground: &Ground, rounds: usize) {
    let sink = Sink::open();
    let mut service = Service::start(ground, &sink);
    let writers = Writers::start(ground);
    for round in 0..rounds {
        writers.work_for(pause(round));
        let cut = Cut::begin(&sink, round);
        service.kill();
        cut.end();
        service = Service::start(ground, &sink);
    }
    writers.work_for(pause(rounds));
    let told = writers.finish();
    Evidence::gather(ground).confirms(&told, &sink, (rounds, mail::AT_ONCE));
    service.stop();
}

/// The service goes on and starts its PostgreSQL again.
fn kill_postgres(ground: &Ground, rounds: usize) {
    let sink = Sink::open();
    let service = Service::start(ground, &sink);
    let writers = Writers::start(ground);
    for round in 0..rounds {
        writers.work_for(pause(round));
        let cut = Cut::begin(&sink, round);
        ground.kill_postgres();
        cut.end();
    }
    writers.work_for(pause(rounds));
    let told = writers.finish();
    Evidence::gather(ground).confirms(&told, &sink, (rounds, 0));
    service.stop();
}

/// In every other round the kill hits while a mail was taken and not yet acknowledged.
struct Cut<'a>(Option<&'a Sink>);

impl<'a> Cut<'a> {
    fn begin(sink: &'a Sink, round: usize) -> Self {
        let held = round.is_multiple_of(2).then_some(sink);
        held.inspect(|sink| sink.hold());
        Self(held)
    }

    fn end(self) {
        self.0.inspect(|sink| sink.release());
    }
}

/// Kills fall into different moments of the server's life.
fn pause(round: usize) -> Duration {
    Duration::from_millis(100 + 110 * (round as u64 % 5))
}
