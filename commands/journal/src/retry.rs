//! When to try again what failed: soon at first, then ever more rarely.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rollcall_domain::kernel::ids::TenantId;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(60);

/// A subscriber in a tenant, or as a whole.
pub(crate) type Key = (&'static str, Option<TenantId>);

/// What failed and has not succeeded since.
#[derive(Default)]
pub(crate) struct Retries(HashMap<Key, Retry>);

struct Retry {
    due: Instant,
    delay: Duration,
}

impl Retries {
    pub(crate) fn is_due(&self, key: Key) -> bool {
        self.0.get(&key).is_none_or(|retry| retry.due <= Instant::now())
    }

    pub(crate) fn failed(&mut self, key: Key) {
        let delay = self.0.get(&key).map_or(FIRST, |retry| LONGEST.min(retry.delay * 2));
        self.0.insert(key, Retry { due: Instant::now() + delay, delay });
    }

    pub(crate) fn succeeded(&mut self, key: Key) {
        self.0.remove(&key);
    }

    /// How long until the next one falls due, `limit` at most. What is due already was tried just now
    /// or is nobody's concern any more; it must not make the caller spin.
    pub(crate) fn next_within(&self, limit: Duration) -> Duration {
        let now = Instant::now();
        let waits = self.0.values().filter_map(|retry| retry.due.checked_duration_since(now));
        waits.filter(|wait| !wait.is_zero()).min().unwrap_or(limit).min(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = ("register", None);

    #[test]
    fn waits_longer_after_each_failure_up_to_a_minute() {
        let mut retries = Retries::default();
        assert!(retries.is_due(KEY));
        let delays: Vec<_> = (0..12)
            .map(|_| {
                retries.failed(KEY);
                assert!(!retries.is_due(KEY));
                retries.0[&KEY].delay
            })
            .collect();
        assert_eq!(delays[..3], [FIRST, FIRST * 2, FIRST * 4]);
        assert_eq!(delays.last(), Some(&LONGEST));
    }

    #[test]
    fn a_success_wipes_the_slate() {
        let mut retries = Retries::default();
        retries.failed(KEY);
        assert!(retries.next_within(LONGEST) <= FIRST);
        retries.succeeded(KEY);
        assert!(retries.is_due(KEY));
        assert_eq!(retries.next_within(LONGEST), LONGEST);
    }

    #[test]
    fn what_is_due_already_is_not_waited_for() {
        let mut retries = Retries::default();
        retries.0.insert(KEY, Retry { due: Instant::now(), delay: FIRST });
        assert!(retries.is_due(KEY));
        assert_eq!(retries.next_within(LONGEST), LONGEST);
    }
}
