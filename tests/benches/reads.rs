//! How fast questions are answered over HTTP by a service with 100,000 events in one tenant.
//!
//! `cargo bench -p rollcall-tests --bench reads [-- events=100000 seconds=2 hold=0 1 16]`
//!
//! The events are decided by the domain and appended by the journal: organisations, people, grants,
//! sign-ins and PIN resets over some weeks. Then the service starts, projects them and is asked by
//! signed-in clients, each question with other people and NPIs every time. `{ __typename }` is what
//! HTTP, authentication and GraphQL cost alone; every question is compared with it. `hold` keeps the
//! server for so many seconds after, for a look at its plans.
//!
//! Invariant: what is measured is what clients get: HTTP, authorisation and all, no answer with
//! errors, no empty page.

mod reads {
    #[path = "../append/ground.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod ground;
    pub mod measure;
    pub mod population;
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod portal;
    pub mod question;
    pub mod questions;
    #[path = "../../acceptance/support/seed.rs"]
    #[expect(dead_code, reason = "the acceptance tests need more of it")]
    pub mod seed;
    pub mod writes;
}

use std::time::{Duration, Instant};

use chrono::Utc;
use reads::{ground::Ground, measure, population::Population, portal::Portal, questions, writes};
use rollcall_tests::statements::Statements;

struct Plan {
    events: i64,
    time: Duration,
    hold: Duration,
    clients: Vec<usize>,
}

impl Plan {
    /// # Panics
    /// When an argument is none of the above.
    fn from_arguments() -> Self {
        let time = Duration::from_secs(2);
        let mut plan = Self { events: 100_000, time, hold: Duration::ZERO, clients: Vec::new() };
        // Cargo says `--bench`.
        for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
            let seconds =
                |n: &str| Duration::from_secs(n.parse().expect("a number of whole seconds"));
            match argument.split_once('=') {
                Some(("events", n)) => plan.events = n.parse().expect("a number of events"),
                Some(("seconds", n)) => plan.time = seconds(n),
                Some(("hold", n)) => plan.hold = seconds(n),
                Some(_) => panic!("{argument} is none of events=N, seconds=N and hold=N"),
                None => plan.clients.push(argument.parse().expect("a number of clients")),
            }
        }
        if plan.clients.is_empty() {
            plan.clients = vec![1, 16];
        }
        plan
    }
}

fn main() {
    let plan = Plan::from_arguments();
    let statements = Statements::listening_everywhere();
    let ground = Ground::prepare();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(&plan, &ground, &statements));
    runtime.shutdown_timeout(Duration::from_secs(5));
}

async fn measure(plan: &Plan, ground: &Ground, statements: &Statements) {
    let begun = Instant::now();
    let database = ground.database("reads", "").await;
    let population = Population::record(&database, plan.events, Utc::now()).await;
    eprintln!("{} events in {:.1} s", population.events, begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let portal = Portal::start(database, ground.folder(), population, None).await;
    eprintln!("projected in {:.1} s", begun.elapsed().as_secs_f64());

    println!("read\tquestion\tclients\tper_s\tp50_ms\tp99_ms\tstatements\tvs_typename");
    let questions = questions::all(&portal).await;
    let mut alone = None;
    for &clients in &plan.clients {
        let mut typename = None;
        for question in &questions {
            let counted = measure::statements(question, statements).await;
            let measured = measure::drive(question, clients, plan.time).await;
            let baseline = *typename.get_or_insert(measured.p50_ms);
            measured.print(question.name, clients, Some(counted), baseline);
        }
        alone = alone.or(typename);
        eprintln!("load average {}", ground.load_average());
    }
    writes::measure(&portal, plan.time * 2, alone.unwrap_or(f64::NAN)).await;
    if !plan.hold.is_zero() {
        eprintln!("held: {}", ground.hint("reads"));
        tokio::time::sleep(plan.hold).await;
    }
    portal.service.stop().await;
}
