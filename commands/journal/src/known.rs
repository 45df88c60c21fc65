//! What this process knows about the versions of streams, so that an append need not ask for them.
//!
//! Invariant: each version kept here is the stream's own as of `position`, provided that nobody else
//! has appended since; the database makes sure of that, under the head's lock, before it writes.
//! Whoever does not come back with an answer has forgotten everything, which costs a probe per guard.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{envelope::Guard, request::Request};

/// Beyond this, all is forgotten and learned again.
const MOST_STREAMS: usize = 1 << 16;

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Of the whole log, after this process's last append.
    position: Option<i64>,
    /// By aggregate type and stream.
    versions: HashMap<(&'static str, Uuid), i64>,
}

impl Known {
    pub(crate) fn position(&self) -> Option<i64> {
        self.position
    }

    /// Whether the stream stands at the guard's version.
    pub(crate) fn vouches_for(&self, guard: &Guard) -> bool {
        self.versions.get(&(guard.aggregate_type, guard.id)) == Some(&guard.version)
    }

    /// After an append of `requests` that found the log at `base`: their guards held then.
    pub(crate) fn learn(&mut self, base: i64, requests: &[&Request]) {
        if self.position != Some(base) || self.versions.len() > MOST_STREAMS {
            self.versions.clear();
        }
        let mut position = base;
        for request in requests {
            let guards = request.guards.iter();
            self.versions.extend(guards.map(|g| ((g.aggregate_type, g.id), g.version)));
            let events = request.events.iter();
            self.versions.extend(events.map(|e| ((e.aggregate_type, e.stream), e.sequence)));
            position += request.events.len() as i64;
        }
        self.position = Some(position);
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}
