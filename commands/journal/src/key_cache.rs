//! A bounded memory of unwrapped keys. What has not been asked for is dropped first; nothing stays
//! longer than a minute.

use std::{
    collections::HashMap,
    mem,
    time::{Duration, Instant},
};

use rollcall_domain::kernel::ids::{SubjectId, TenantId};

use crate::{crypto::Key, keys::Versions};

/// How long a key may be used after it was read, and so how late an erasure by another process is
/// noticed at most.
const LIFETIME: Duration = Duration::from_secs(60);

type Owner = (TenantId, SubjectId);

/// Two generations: entries asked for move to the young one; when it is full it becomes the old one
/// and the previous old one is dropped.
pub(crate) struct KeyCache {
    young: HashMap<Owner, Entry>,
    old: HashMap<Owner, Entry>,
    half: usize,
    tenants: HashMap<TenantId, Key>,
    forgotten: u64,
}

struct Entry {
    versions: Versions,
    read_at: Instant,
}

impl KeyCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (capacity / 2).max(1),
            tenants: HashMap::new(),
            forgotten: 0,
        }
    }

    pub(crate) fn get(&mut self, owner: Owner) -> Option<Versions> {
        let entry = self.young.remove(&owner).or_else(|| self.old.remove(&owner))?;
        if entry.read_at.elapsed() > LIFETIME {
            return None;
        }
        let versions = entry.versions.clone();
        self.insert(owner, entry);
        Some(versions)
    }

    pub(crate) fn put(&mut self, owner: Owner, versions: Versions) {
        self.old.remove(&owner);
        self.insert(owner, Entry { versions, read_at: Instant::now() });
    }

    pub(crate) fn forget(&mut self, owner: Owner) {
        self.forgotten += 1;
        self.young.remove(&owner);
        self.old.remove(&owner);
    }

    /// How many times something was forgotten; tells whether an answer is older than a `forget`.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(crate) fn tenant(&self, tenant: TenantId) -> Option<Key> {
        self.tenants.get(&tenant).cloned()
    }

    pub(crate) fn put_tenant(&mut self, tenant: TenantId, key: Key) {
        self.tenants.insert(tenant, key);
    }

    fn insert(&mut self, owner: Owner, entry: Entry) {
        if self.young.len() >= self.half && !self.young.contains_key(&owner) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(owner, entry);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{crypto, seal::SubjectKey};

    fn owner(n: u128) -> Owner {
        (TenantId(Uuid::from_u128(1)), SubjectId(Uuid::from_u128(n)))
    }

    fn versions() -> Versions {
        vec![(1, Some(SubjectKey { version: 1, key: crypto::random_key() }))]
    }

    #[test]
    fn stays_within_its_capacity_and_keeps_what_is_asked_for() {
        let mut cache = KeyCache::new(10);
        for n in 0..100 {
            cache.put(owner(n), versions());
            assert!(cache.get(owner(0)).is_some(), "asked for all the time, gone at {n}");
            assert!(cache.young.len() + cache.old.len() <= 10);
        }
        assert!(cache.get(owner(50)).is_none());
    }

    #[test]
    fn forgets_at_once_and_says_so() {
        let mut cache = KeyCache::new(10);
        cache.put(owner(1), versions());
        let before = cache.forgotten();
        cache.forget(owner(1));
        assert!(cache.get(owner(1)).is_none());
        assert_ne!(cache.forgotten(), before);
    }

    #[test]
    fn drops_what_is_older_than_its_lifetime() {
        let mut cache = KeyCache::new(10);
        let read_at = Instant::now().checked_sub(LIFETIME + Duration::from_secs(1)).unwrap();
        cache.insert(owner(1), Entry { versions: versions(), read_at });
        assert!(cache.get(owner(1)).is_none());
    }
}
