//! Queues for commands on the same stream within one process, so that they follow each other instead
//! of colliding at the append.
//!
//! Invariant: nothing relies on a lane. The wait is bounded and then goes on without; the append's
//! check is the truth.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::cache::StreamKey;

/// Streams share lanes by hash: unrelated ones rarely meet, and nothing has to be tidied up.
const LANES: usize = 4096;
/// Longer than a batch takes; short enough that two commands waiting crosswise get on.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Lanes {
    lanes: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

/// The lanes one unit of work holds.
#[derive(Default)]
pub(crate) struct Held(Vec<(usize, Option<OwnedMutexGuard<()>>)>);

impl Lanes {
    pub(crate) fn new() -> Self {
        let lanes = (0..LANES).map(|_| Arc::default()).collect();
        Self { lanes, hasher: RandomState::new() }
    }

    /// Waits for the stream's turn, unless `held` has it already.
    pub(crate) async fn enter(&self, key: &StreamKey, held: &mut Held) {
        let lane = usize::try_from(self.hasher.hash_one(key) % LANES as u64).unwrap_or_default();
        if held.0.iter().any(|(other, _)| *other == lane) {
            return;
        }
        let turn = Arc::clone(&self.lanes[lane]).lock_owned();
        held.0.push((lane, tokio::time::timeout(PATIENCE, turn).await.ok()));
    }
}
