//! The access register: who could do what, when, and as known when (GN-14).
//!
//! Invariant: grants and conditions are kept apart and are never rewritten for each other's sake;
//! what a person may do is their intersection, in `ops.effective_access`; what one right rests on over
//! all time, in `rule`, which is held to it.

mod cause;
mod difference;
mod exposure;
pub(crate) mod facts;
pub(crate) mod interval;
pub(crate) mod ledger;
mod names;
pub(crate) mod projection;
mod queries;
mod rule;
mod simulation;
mod standing;
mod why;

pub use cause::Cause;
pub use difference::{
    AccessChange, Change, ChangeCount, ChangeFilter, CountError, Span, change_counts, changes,
};
pub use exposure::{Exposure, ExposureKey, Times, Window, exposures};
pub use names::{Names, names};
pub use projection::{AccessRegister, NAME};
pub use queries::{
    AccessKey, AccessRight, AccessRow, AccessSource, Moment, Question, count, page, recorded_at,
};
pub use rule::{AskedRight, Of, RequirementKind};
pub use simulation::{
    Conflict, ConflictKey, EndKey, EndingRule, InForce, Reach, SimulatedEnd, Whose,
    conflict_counts, conflicts, end_counts, ends, is_found_by_grants, not_observable,
};
pub use standing::{Standing, standings};
pub use why::{
    Explanation, Finding, FoundWay, Link, LinkKind, explain, is_known, policy_in_force, trail,
};
