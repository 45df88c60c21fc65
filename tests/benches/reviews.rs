//! How fast access is reviewed: a campaign of 100,000 items (the most that Okta certifies at once) over two
//! hundred organisations, over HTTP, by a service on a durable PostgreSQL.
//!
//! `cargo bench -p rollcall-tests --bench reviews [-- items=100000 revoked=5000 at_close=1 seconds=3 hold=0]`
//!
//! Members are decided by the domain and appended by the journal, as if they had been invited; the first
//! organisation has `revoked` of them and a thousand more. Every figure stands beside its limit. With
//! `at_close=0` what is revoked is carried out as it is decided, and not when the review is closed. `hold`
//! keeps the server for so many seconds after, for a look at its plans.
//!
//! Invariant: what is measured is what clients get: HTTP, authorisation and all, no answer with
//! errors, no empty page.

mod reviews {
    pub mod campaign;
    pub mod crowd;
    #[path = "../append/ground.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod ground;
    #[path = "../reads/measure.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod measure;
    #[path = "../reads/population.rs"]
    pub mod population;
    #[path = "../reads/portal.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod portal;
    #[path = "../reads/question.rs"]
    pub mod question;
    #[path = "../audit/report.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod report;
    #[path = "../../acceptance/support/seed.rs"]
    #[expect(dead_code, reason = "the acceptance tests need more of it")]
    pub mod seed;
}

use std::time::{Duration, Instant};

use chrono::Utc;
use reviews::{
    campaign, crowd, ground::Ground, population::Population, portal::Portal, report::Report,
};

/// Events of everyday work before the crowd comes.
const EVENTS: i64 = 20_000;

#[derive(Clone, Copy)]
struct Plan {
    items: usize,
    revoked: usize,
    at_close: bool,
    time: Duration,
    hold: Duration,
}

impl Plan {
    /// # Panics
    /// When an argument is none of the above.
    fn from_arguments() -> Self {
        let time = Duration::from_secs(3);
        let hold = Duration::ZERO;
        let mut plan = Self { items: 100_000, revoked: 5_000, at_close: true, time, hold };
        // Cargo says `--bench`.
        for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
            let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
            let number: u32 = value.parse().unwrap_or_else(|_| panic!("{argument}: no number"));
            match name {
                "items" => plan.items = number as usize,
                "revoked" => plan.revoked = number as usize,
                "at_close" => plan.at_close = number == 1,
                "seconds" => plan.time = Duration::from_secs(number.into()),
                "hold" => plan.hold = Duration::from_secs(number.into()),
                _ => panic!(
                    "{argument} is none of items=N, revoked=N, at_close=N, seconds=N, hold=N"
                ),
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
    let database = ground.database("reviews", "").await;
    let mut population = Population::record(&database, EVENTS, Utc::now()).await;
    crowd::join(&database, &mut population, plan.items, plan.revoked + crowd::SPARE).await;
    let portal = Portal::start(database, ground.folder(), population, None).await;
    eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    let mut report = Report::begin("reviews");
    let closing = campaign::Closing { revoked: plan.revoked, is_late: plan.at_close };
    campaign::measure(&mut report, &portal, closing, plan.time).await;
    eprintln!("load average {}", ground.load_average());
    if !plan.hold.is_zero() {
        eprintln!("held: {}", ground.hint("reviews"));
        tokio::time::sleep(plan.hold).await;
    }
    portal.service.stop().await;
}
