//! What a rule would have done, had it been in force (GN-14, GN-16): grants that it would have ended, and
//! rights held together that it would have forbidden.
//!
//! Invariant: asking changes nothing, and what nobody observed is never called unused.

mod ends;
mod together;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use ends::{EndKey, EndingRule, SimulatedEnd, end_counts, ends, not_observable};
pub use together::{Conflict, ConflictKey, conflict_counts, conflicts, is_found_by_grants};

/// The time in which the rule is taken to have been in force, as known at a position.
#[derive(Clone, Copy, Debug)]
pub struct InForce {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub known_at: i64,
    /// Now, or when the position was recorded.
    pub now: DateTime<Utc>,
}

/// Whose rights.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    pub organization: Option<Uuid>,
    /// Only in these organisations, for plan staff kept to them (GN-31).
    pub within: Option<Vec<Uuid>>,
}

/// How much a rule would have reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub people: i64,
    pub organizations: i64,
    pub rights: i64,
    /// Whether all were looked at.
    pub complete: bool,
}
