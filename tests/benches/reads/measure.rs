//! Latencies and statements of a question.
//!
//! Invariant: answers are checked outside of what is timed.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rollcall_tests::statements::Statements;

use super::question::Question;

/// Asked before what is measured: connections, plans and caches.
const WARM_UP: Duration = Duration::from_millis(300);
/// Answers whose statements are counted.
const COUNTED: usize = 31;

/// What clients saw.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Measured {
    /// # Panics
    /// When nothing was measured.
    pub fn of(time: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let ms = |percent: usize| latencies[latencies.len() * percent / 100].as_secs_f64() * 1e3;
        let per_s = latencies.len() as f64 / time.as_secs_f64();
        Self { per_s, p50_ms: ms(50), p99_ms: ms(99) }
    }

    /// A line of the table; `typename_ms` is what `{ __typename }` takes.
    pub fn print(
        self,
        question: &str,
        clients: usize,
        statements: Option<usize>,
        typename_ms: f64,
    ) {
        let Self { per_s, p50_ms, p99_ms } = self;
        let statements = statements.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let vs_typename = p50_ms / typename_ms;
        println!(
            "read\t{question}\t{clients}\t{per_s:.0}\t{p50_ms:.2}\t{p99_ms:.2}\t{statements}\t{vs_typename:.1}"
        );
    }
}

/// Lets `clients` clients ask again and again.
pub async fn drive(question: &Question, clients: usize, time: Duration) -> Measured {
    run(question, clients, WARM_UP).await;
    let begun = Instant::now();
    let latencies = run(question, clients, time).await;
    Measured::of(begun.elapsed(), latencies)
}

async fn run(question: &Question, clients: usize, time: Duration) -> Vec<Duration> {
    let asked = AtomicUsize::new(0);
    let (asked, begun) = (&asked, Instant::now());
    let each = join_all((0..clients).map(|_| async move {
        let mut latencies = Vec::new();
        while begun.elapsed() < time {
            let sent = Instant::now();
            let answer = question.ask(asked.fetch_add(1, Ordering::Relaxed)).await;
            latencies.push(sent.elapsed());
            question.check(&answer);
        }
        latencies
    }))
    .await;
    each.concat()
}

/// How many statements a request takes: the median, since others have a statement to make at times.
pub async fn statements(question: &Question, statements: &Statements) -> usize {
    let mut counts = Vec::new();
    statements.listen(true);
    for nth in 0..COUNTED {
        let before = statements.heard();
        question.check(&question.ask(nth).await);
        counts.push(statements.heard() - before);
    }
    statements.listen(false);
    counts.sort_unstable();
    counts[COUNTED / 2]
}
