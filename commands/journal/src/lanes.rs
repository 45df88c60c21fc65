//! Queues for commands on the same stream within one process, so that they follow each other instead
//! of colliding at the append.
//!
//! Invariant: nothing relies on a lane. Whoever waits goes on without once nothing moves in it; the
//! append's check is the truth.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rollcall_domain::kernel::ids::TenantId;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

/// Streams share lanes by hash: unrelated ones rarely meet, and nothing has to be tidied up.
const LANES: usize = 4096;
/// How many lanes one unit of work queues in: those of the streams that it reads first. One that reads
/// hundreds of streams would meet others in lanes that they share by chance, and wait crosswise.
const MOST: usize = 16;
/// How long a lane may stand still: longer than a batch takes; short enough that two commands waiting
/// crosswise get on.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    hasher: RandomState,
}

#[derive(Default)]
struct Lane {
    turn: Arc<Mutex<()>>,
    /// How many turns there were.
    turns: AtomicU64,
}

/// The lanes one unit of work holds.
#[derive(Default)]
pub(crate) struct Held(Vec<(usize, Option<OwnedMutexGuard<()>>)>);

impl Lanes {
    pub(crate) fn new() -> Self {
        let lanes = (0..LANES).map(|_| Lane::default()).collect();
        Self { lanes, hasher: RandomState::new() }
    }

    /// Waits for the stream's turn, unless `held` has it already, or has enough.
    pub(crate) async fn enter(&self, stream: (TenantId, &str, Uuid), held: &mut Held) {
        if held.0.len() >= MOST {
            return;
        }
        let nth = usize::try_from(self.hasher.hash_one(stream) % LANES as u64).unwrap_or_default();
        if held.0.iter().all(|(other, _)| *other != nth) {
            held.0.push((nth, self.lanes[nth].enter().await));
        }
    }
}

impl Lane {
    async fn enter(&self) -> Option<OwnedMutexGuard<()>> {
        let mut turn = std::pin::pin!(Arc::clone(&self.turn).lock_owned());
        loop {
            let before = self.turns.load(Ordering::Relaxed);
            if let Ok(turn) = tokio::time::timeout(PATIENCE, turn.as_mut()).await {
                self.turns.fetch_add(1, Ordering::Relaxed);
                return Some(turn);
            }
            if self.turns.load(Ordering::Relaxed) == before {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_unit_of_work_queues_for_the_streams_that_it_reads_first() {
        let (lanes, tenant) = (Lanes::new(), TenantId::of_slug("lanes"));
        let mut held = Held::default();
        for n in 0..1_000 {
            lanes.enter((tenant, "test", Uuid::from_u128(n)), &mut held).await;
        }
        assert_eq!(held.0.len(), MOST);
        assert!(held.0.iter().all(|(_, turn)| turn.is_some()), "nobody else is there");
    }
}
