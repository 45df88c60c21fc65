//! Loaded states, within a bound.
//!
//! Invariant: a stale entry costs a retry, never a wrong decision, because an append re-checks the
//! versions its decision relied on. Two generations approximate least-recently-used at the price of
//! two hash maps: what is used moves to the young one; when that is full, the old one is dropped.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_domain::kernel::ids::TenantId;
use uuid::Uuid;

/// A stream: tenant, aggregate type and id.
pub(crate) type StreamKey = (TenantId, &'static str, Uuid);

pub(crate) type AnyState = Arc<dyn Any + Send + Sync>;

/// A state and the version of the stream it stands for.
#[derive(Clone)]
pub(crate) struct Cached {
    pub state: AnyState,
    pub version: i64,
    /// Whether the stream is known to have moved on: the state is good to go on from.
    pub outdated: bool,
}

pub(crate) struct Cache {
    generations: Mutex<Generations>,
    half: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<StreamKey, Cached>,
    old: HashMap<StreamKey, Cached>,
    clearings: u64,
}

/// A moment in the cache's life; what was read before a clearing does not come back after it.
#[derive(Clone, Copy)]
pub(crate) struct Moment(u64);

impl Cache {
    /// Holds at most `capacity` states.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { generations: Mutex::default(), half: (capacity / 2).max(1) }
    }

    pub(crate) fn get(&self, key: &StreamKey) -> Option<Cached> {
        let mut generations = self.lock();
        if let Some(cached) = generations.young.get(key) {
            return Some(cached.clone());
        }
        let cached = generations.old.remove(key)?;
        self.insert(&mut generations, *key, cached.clone());
        Some(cached)
    }

    /// To be asked before reading what is then [`Cache::put`].
    pub(crate) fn moment(&self) -> Moment {
        Moment(self.lock().clearings)
    }

    /// Keeps a state, unless a newer one of the stream is kept already or the cache was cleared
    /// since `read_from`: the state may hold what was erased then.
    pub(crate) fn put(&self, key: StreamKey, cached: Cached, read_from: Moment) {
        let mut generations = self.lock();
        if generations.clearings != read_from.0 {
            return;
        }
        let known = generations.young.get(&key).or_else(|| generations.old.get(&key));
        if known.is_none_or(|known| known.version <= cached.version) {
            generations.old.remove(&key);
            self.insert(&mut generations, key, cached);
        }
    }

    /// Notes that a stream has moved on from what is kept of it.
    pub(crate) fn outdate(&self, key: &StreamKey) {
        let mut generations = self.lock();
        let Generations { young, old, .. } = &mut *generations;
        if let Some(cached) = young.get_mut(key).or_else(|| old.get_mut(key)) {
            cached.outdated = true;
        }
    }

    pub(crate) fn clear(&self) {
        let mut generations = self.lock();
        let clearings = generations.clearings + 1;
        *generations = Generations { clearings, ..Generations::default() };
    }

    fn insert(&self, generations: &mut Generations, key: StreamKey, cached: Cached) {
        if generations.young.len() >= self.half && !generations.young.contains_key(&key) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(key, cached);
    }

    // Every method leaves the maps consistent before it can panic.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u128) -> StreamKey {
        (TenantId(Uuid::nil()), "x.y", Uuid::from_u128(n))
    }

    fn cached(version: i64) -> Cached {
        Cached { state: Arc::new(()), version, outdated: false }
    }

    fn version(cache: &Cache, n: u128) -> Option<i64> {
        cache.get(&key(n)).map(|cached| cached.version)
    }

    #[test]
    fn keeps_what_is_used_and_stays_within_its_bound() {
        let cache = Cache::new(4);
        for n in 0..100 {
            cache.put(key(n), cached(1), cache.moment());
            assert_eq!(version(&cache, 0), Some(1), "used in each round");
        }
        let held = (0..100).filter(|n| version(&cache, *n).is_some()).count();
        assert!((2..=4).contains(&held), "{held}");
    }

    #[test]
    fn never_goes_back_to_an_older_version() {
        let cache = Cache::new(4);
        cache.put(key(1), cached(5), cache.moment());
        cache.put(key(1), cached(3), cache.moment());
        assert_eq!(version(&cache, 1), Some(5));
    }

    #[test]
    fn an_outdated_state_is_kept_until_a_current_one_comes() {
        let cache = Cache::new(4);
        let outdated = |cache: &Cache| cache.get(&key(1)).map(|cached| cached.outdated);
        cache.put(key(1), cached(5), cache.moment());
        cache.outdate(&key(1));
        assert_eq!((version(&cache, 1), outdated(&cache)), (Some(5), Some(true)));
        cache.put(key(1), cached(5), cache.moment());
        assert_eq!((version(&cache, 1), outdated(&cache)), (Some(5), Some(false)));
    }

    #[test]
    fn what_was_read_before_a_clearing_does_not_come_back() {
        let cache = Cache::new(4);
        let before = cache.moment();
        cache.put(key(1), cached(1), before);
        cache.clear();
        assert_eq!(version(&cache, 1), None);
        cache.put(key(1), cached(1), before);
        assert_eq!(version(&cache, 1), None);
        cache.put(key(1), cached(1), cache.moment());
        assert_eq!(version(&cache, 1), Some(1));
    }
}
