//! Clients that send one command after the other, and what they saw.

use std::{
    fmt,
    num::ParseIntError,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::future::join_all;
use uuid::Uuid;

/// Commands a fresh stream gets before its client goes on to the next.
pub const COMMANDS_PER_STREAM: usize = 5;
/// Streams with earlier events that each client goes round.
const STREAMS_PER_CLIENT: usize = 12;

/// What is measured.
#[async_trait]
pub trait Variant {
    fn name(&self) -> &'static str;

    /// In a few words, for whoever reads the figures.
    fn describe(&self) -> String;

    async fn run(&self, load: Load, time: Duration) -> Measured;
}

/// How many clients at once, on streams of how many earlier events.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub clients: usize,
    pub prior: usize,
}

impl FromStr for Load {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (clients, prior) = text.split_once('x').unwrap_or((text, "0"));
        Ok(Self { clients: clients.parse()?, prior: prior.parse()? })
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prior {
            0 => write!(f, "{}", self.clients),
            prior => write!(f, "{}x{prior}", self.clients),
        }
    }
}

impl Load {
    /// Ids for the streams to be filled beforehand; none where there are no earlier events.
    pub fn streams(self) -> Vec<Uuid> {
        let count = if self.prior == 0 { 0 } else { self.clients * STREAMS_PER_CLIENT };
        (0..count).map(|_| Uuid::new_v4()).collect()
    }
}

/// What the clients of one run saw together.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub per_s: f64,
    pub p99_ms: f64,
}

impl Measured {
    /// # Panics
    /// When nothing was done.
    pub fn of(count: usize, time: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let p99 = latencies[latencies.len() * 99 / 100];
        Self { per_s: count as f64 / time.as_secs_f64(), p99_ms: p99.as_secs_f64() * 1e3 }
    }
}

/// One command of one client.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub client: usize,
    /// How many this client has sent before.
    pub nth: usize,
    pub stream: Uuid,
}

/// Lets `load.clients` clients send `command` again and again: on `streams`, each its own in turn, or
/// on fresh ones where there are none.
pub async fn drive<F, C>(load: Load, time: Duration, streams: Vec<Uuid>, command: F) -> Measured
where
    F: Fn(Sent) -> C + Send + Sync + 'static,
    C: Future<Output = ()> + Send,
{
    let command = Arc::new(command);
    let start = Instant::now();
    let clients = (0..load.clients).map(|client| {
        let command = Arc::clone(&command);
        let own: Vec<_> = streams.chunks(STREAMS_PER_CLIENT).nth(client).unwrap_or(&[]).to_vec();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            let mut fresh = Uuid::nil();
            while start.elapsed() < time {
                let nth = latencies.len();
                if nth % COMMANDS_PER_STREAM == 0 {
                    fresh = Uuid::new_v4();
                }
                let stream = own.get(nth % STREAMS_PER_CLIENT).copied().unwrap_or(fresh);
                let begun = Instant::now();
                command(Sent { client, nth, stream }).await;
                latencies.push(begun.elapsed());
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for of_client in join_all(clients).await {
        latencies.extend(of_client.expect("a client ends well"));
    }
    Measured::of(latencies.len(), start.elapsed(), latencies)
}
