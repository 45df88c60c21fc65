//! How quickly a reviewer decides in a review, and whether anybody can have read what they kept (GN-15).
//!
//! Invariant: it follows from the moments of decisions alone, as the figures of a review do: what is decided
//! at once is one moment, and the time before it, within a sitting, went into all of its items.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ReviewDecision, ReviewItemDecision};
use crate::policies::ReviewPolicy;

/// Two decisions of a reviewer that lie further apart were not made in one sitting.
pub const SITTING: TimeDelta = TimeDelta::minutes(30);
/// Who keeps so many of a hundred keeps almost everything.
pub const HASTY_KEPT_PERCENT: u32 = 95;
/// What is decided at once and is more than a page was not all shown.
const PAGE: u32 = 100;

/// Of one reviewer in one review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    pub decided: u32,
    pub kept: u32,
    /// The last moment, and how many items were decided at it.
    last: Option<(DateTime<Utc>, u32)>,
    /// Whether it is known how long that moment took.
    is_timed: bool,
    /// How many items it is known of, and how long they took together.
    timed: u32,
    took: TimeDelta,
    /// Whether somebody was told.
    pub(super) is_told: bool,
}

impl Pace {
    pub(super) fn take_in(&mut self, decided: &ReviewItemDecision) {
        // Who takes decisions back looked at what they were, not at the items.
        if decided.undoes.is_some() {
            return;
        }
        self.decided += 1;
        self.kept += u32::from(decided.new == ReviewDecision::Keep);
        let at = decided.decided_at;
        match self.last {
            Some((last, items)) if last == at => {
                self.last = Some((at, items + 1));
                self.timed += u32::from(self.is_timed || items >= PAGE);
            }
            last => {
                let took = last.map(|(last, _)| at - last).filter(|took| *took <= SITTING);
                self.is_timed = took.is_some();
                self.timed += u32::from(self.is_timed);
                self.took += took.unwrap_or_default();
                self.last = Some((at, 1));
            }
        }
    }

    /// What an item takes on average, in milliseconds, where that is too little for so much that is kept,
    /// and nobody was told.
    pub(super) fn is_hasty(&self, policy: &ReviewPolicy) -> Option<i64> {
        let ms_per_item = self.took.num_milliseconds() / i64::from(self.timed.max(1));
        let is_much = self.timed >= policy.hasty_items;
        let is_kept =
            u64::from(self.kept) * 100 >= u64::from(self.decided) * u64::from(HASTY_KEPT_PERCENT);
        let is_quick = ms_per_item < i64::from(policy.hasty_seconds) * 1_000;
        (is_much && is_kept && is_quick && !self.is_told).then_some(ms_per_item)
    }
}
