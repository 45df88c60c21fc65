//! How fast history is questioned, sealed and given away: 10 million events and a million intervals
//! of the access register in one tenant, over HTTP, by a service on a durable PostgreSQL.
//!
//! `cargo bench -p rollcall-tests --bench audit [-- events=10000000 intervals=1000000 seconds=3 hold=0]`
//!
//! A hundred thousand events are decided by the domain and appended by the journal; they then follow
//! again and again, for other organisations and people, some of which have most of it (`multiply.sql`).
//! Every figure stands beside its limit or its peer of the same run. `hold` keeps the server for so
//! many seconds after, for a look at its plans.
//!
//! Invariant: what is measured is what clients get: HTTP, authorisation and all, no answer with
//! errors, no empty page.

mod audit {
    pub mod exports;
    pub mod fill;
    #[path = "../append/ground.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod ground;
    #[path = "../reads/measure.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod measure;
    #[path = "../reads/population.rs"]
    pub mod population;
    #[path = "../reads/portal.rs"]
    pub mod portal;
    pub mod proofs;
    #[path = "../reads/question.rs"]
    pub mod question;
    pub mod questions;
    pub mod report;
    #[path = "../../acceptance/support/seed.rs"]
    #[expect(dead_code, reason = "the acceptance tests need more of it")]
    pub mod seed;
}

use std::time::{Duration, Instant};

use audit::{exports, fill, ground::Ground, portal::Portal, proofs, questions, report::Report};

#[derive(Clone, Copy)]
struct Plan {
    events: i64,
    intervals: i64,
    time: Duration,
    hold: Duration,
}

impl Plan {
    /// # Panics
    /// When an argument is none of the above.
    fn from_arguments() -> Self {
        let time = Duration::from_secs(3);
        let mut plan =
            Self { events: 10_000_000, intervals: 1_000_000, time, hold: Duration::ZERO };
        // Cargo says `--bench`.
        for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
            let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
            let number: u32 = value.parse().unwrap_or_else(|_| panic!("{argument}: no number"));
            match name {
                "events" => plan.events = number.into(),
                "intervals" => plan.intervals = number.into(),
                "seconds" => plan.time = Duration::from_secs(number.into()),
                "hold" => plan.hold = Duration::from_secs(number.into()),
                _ => panic!("{argument} is none of events=N, intervals=N, seconds=N and hold=N"),
            }
        }
        plan
    }
}

fn main() {
    let plan = Plan::from_arguments();
    let ground = Ground::prepare();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(plan, &ground));
    runtime.shutdown_timeout(Duration::from_secs(5));
}

async fn measure(plan: Plan, ground: &Ground) {
    let begun = Instant::now();
    let database = ground.database("audit", "").await;
    let years = fill::fill(&database, ground.folder(), plan.events, plan.intervals).await;
    eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());

    let mut report = Report::begin("audit");
    proofs::sealing(&mut report, &database, ground.folder(), &years.population, plan.time).await;
    let folder = ground.folder();
    let portal = Portal::start(database.clone(), folder, years.population.clone(), None).await;
    questions::measure(&mut report, (&portal, &database), &years, plan.time).await;
    proofs::bundles(&mut report, &portal, plan.time).await;
    exports::measure(&mut report, &portal, &database).await;
    eprintln!("load average {}", ground.load_average());
    if !plan.hold.is_zero() {
        eprintln!("held: {}", ground.hint("audit"));
        tokio::time::sleep(plan.hold).await;
    }
    portal.service.stop().await;
}
