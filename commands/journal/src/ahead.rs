//! What has been handed in and is not written yet: the states on which the next commands of this
//! process go on, so that commands on one stream chain within a batch.
//!
//! Invariant: whoever relied on a state that was handed in is written after it or not at all.

use std::collections::HashMap;

use tokio::sync::watch;

use crate::{
    cache::{AnyState, Cached, StreamKey},
    envelope::Guard,
    request::Request,
};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Open,
    Written,
    /// Not written, or nobody knows.
    Lost,
}

/// A request's own end of its fate. Dropped while the outcome is open, the request is lost.
#[derive(Debug)]
pub(crate) struct Settling(watch::Sender<Outcome>);

/// The fate of a request, for those who rely on it.
#[derive(Clone, Debug)]
pub(crate) struct Fate(watch::Receiver<Outcome>);

impl Settling {
    pub(crate) fn open() -> (Self, Fate) {
        let (sender, receiver) = watch::channel(Outcome::Open);
        (Self(sender), Fate(receiver))
    }

    /// The first word is final.
    pub(crate) fn settle(&self, written: bool) {
        self.0.send_if_modified(|outcome| {
            let open = *outcome == Outcome::Open;
            if open {
                *outcome = if written { Outcome::Written } else { Outcome::Lost };
            }
            open
        });
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        self.settle(false);
    }
}

impl Fate {
    pub(crate) fn is_lost(&self) -> bool {
        *self.0.borrow() == Outcome::Lost
    }

    /// Waits for the outcome.
    pub(crate) async fn is_written(&self) -> bool {
        let mut receiver = self.0.clone();
        let settled = receiver.wait_for(|outcome| *outcome != Outcome::Open).await;
        settled.is_ok_and(|outcome| *outcome == Outcome::Written)
    }
}

/// A stream's state with the events of a request that was handed in.
#[derive(Clone)]
pub(crate) struct Tip {
    pub state: AnyState,
    pub version: i64,
    pub fate: Fate,
}

/// The last tip of each stream that has one.
#[derive(Default)]
pub(crate) struct Tips(HashMap<StreamKey, Tip>);

impl Tips {
    pub(crate) fn get(&self, key: &StreamKey) -> Option<&Tip> {
        self.0.get(key).filter(|tip| !tip.fate.is_lost())
    }

    /// The first guard of a request whose stream was written past its version by what was handed in.
    pub(crate) fn outrun(&self, request: &Request) -> Option<Guard> {
        let newer = |guard: &&Guard| {
            let tip = self.get(&(request.tenant(), guard.aggregate_type, guard.id));
            tip.is_some_and(|tip| tip.version > guard.version)
        };
        request.guards.iter().find(newer).copied()
    }

    pub(crate) fn put(&mut self, offer: &Offer) {
        for (key, Cached { state, version, .. }) in &offer.streams {
            let (state, fate) = (AnyState::clone(state), offer.fate.clone());
            self.0.insert(*key, Tip { state, version: *version, fate });
        }
    }

    /// Removes the tips that are still this offer's.
    pub(crate) fn remove(&mut self, offer: &Offer) {
        for (key, _) in &offer.streams {
            if self.0.get(key).is_some_and(|tip| tip.fate.0.same_channel(&offer.fate.0)) {
                self.0.remove(key);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The streams that a request writes, as it leaves them.
pub(crate) struct Offer {
    pub streams: Vec<(StreamKey, Cached)>,
    pub fate: Fate,
}
