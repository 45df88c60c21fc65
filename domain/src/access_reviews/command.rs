//! What may be asked of a review.
//!
//! Invariant: who may review was decided before a command comes here; what the roster says comes in
//! with the command, and whoever acts is the reviewer.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Leftover, Opener, Recommendation, ReviewDecision, ReviewScope, Reviewed, Seen};
use crate::audit::ReviewSignature;
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::organizations::Authority;
use crate::values::Reason;

/// A review to open.
#[derive(Clone, Debug)]
pub struct NewReview {
    pub review: AccessReviewId,
    pub organization: OrganizationId,
    pub campaign: Option<CampaignId>,
    pub scope: ReviewScope,
    /// The tenant's position as of which `reviewed` was read.
    pub as_of: i64,
    /// In the order of the list; each access once.
    pub reviewed: Vec<Reviewed>,
    pub opened_by: Opener,
    pub due_at: DateTime<Utc>,
    /// When it is escalated; not before `due_at`.
    pub grace_until: DateTime<Utc>,
}

/// A decision about items of the list.
#[derive(Clone, Debug)]
pub struct DecideItems {
    /// By their numbers.
    pub items: Vec<u32>,
    pub decision: ReviewDecision,
    /// Needed to take access away or change it.
    pub reason: Option<Reason>,
    pub authority: Authority,
    pub seen: Seen,
    /// By the numbers of the items, where there was one.
    pub recommendations: BTreeMap<u32, Recommendation>,
}

/// A decision to take back: what it took away or changed comes back, as if it had been kept.
#[derive(Clone, Debug)]
pub struct UndoDecision {
    pub item: u32,
    /// Which decision about the item.
    pub decided_at: DateTime<Utc>,
    pub reason: Reason,
    pub authority: Authority,
    pub seen: Seen,
}

/// Items to be decided by somebody else.
#[derive(Clone, Debug)]
pub struct DelegateItems {
    pub items: Vec<u32>,
    /// None takes them back.
    pub to: Option<UserId>,
    pub reason: Reason,
    pub authority: Authority,
}

/// What became of a decision to take access away or to change it.
#[derive(Clone, Debug)]
pub struct RecordExecution {
    pub item: u32,
    /// Which decision about the item.
    pub decided_at: DateTime<Utc>,
    pub executed_at: DateTime<Utc>,
    /// Whether the access was looked up afterwards and found to be as decided.
    pub verified: bool,
    /// What was found to contradict it; nothing where it is verified.
    pub remaining: Vec<Leftover>,
}

/// The end of a review.
#[derive(Clone, Debug)]
pub struct CompleteReview {
    pub attested: bool,
    pub signature: ReviewSignature,
    /// Items whose person is no active member any more, or whose right is not held any more.
    pub gone: Vec<u32>,
    /// How many members, or rights of members, are in scope and not on the list.
    pub joiners: u32,
}

/// A wish about a review.
#[derive(Clone, Debug)]
pub enum AccessReviewCommand {
    /// One that the schedule opened already is no error.
    Open(Box<NewReview>),
    /// Deciding otherwise takes the former decision's place; once that has taken effect, only keeping does.
    Decide(Box<DecideItems>),
    /// Where another decision counts by now, or nothing could be given back, it is refused.
    Undo(Box<UndoDecision>),
    Delegate(Box<DelegateItems>),
    RecordExecution(RecordExecution),
    /// The scheduler looks whether it is time for a reminder, or too late; nothing due is no error.
    Watch,
    Complete(Box<CompleteReview>),
    Cancel {
        reason: Reason,
    },
}
