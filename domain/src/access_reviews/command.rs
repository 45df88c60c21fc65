//! What may be asked of a review.
//!
//! Invariant: who may review was decided before a command comes here; what the roster says comes in
//! with the command, and whoever acts is the reviewer.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Leftover, Opener, Recommendation, ReviewDecision, ReviewScope, Risk, Seen, Split};
use crate::Refusal;
use crate::audit::ReviewSignature;
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::organizations::Authority;
use crate::policies::{RevocationMode, SecondReviewer};
use crate::values::Reason;

/// A review to open.
#[derive(Clone, Debug)]
pub struct NewReview {
    pub review: AccessReviewId,
    pub organization: OrganizationId,
    pub campaign: Option<CampaignId>,
    pub scope: ReviewScope,
    /// The tenant's position as of which `list` was read.
    pub as_of: i64,
    /// What is to be decided, and what is carried forward after it, each in the order of a list; each access
    /// once.
    pub list: Split,
    /// Whether only what changed is to be decided, and since which signed review, if there is one.
    pub changes: Changes,
    pub opened_by: Opener,
    pub due_at: DateTime<Utc>,
    /// When it is escalated; not before `due_at`.
    pub grace_until: DateTime<Utc>,
    /// When what is decided is carried out.
    pub revocations: RevocationMode,
    /// Whether people are asked to say of their own access whether they need it still.
    pub asks_for_attestation: bool,
    /// Who has to confirm what is decided.
    pub second_reviewer: SecondReviewer,
}

/// Somebody who is away, and in whose place another one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandsInFor {
    pub user: UserId,
    /// Whether in their place all items are decided that are not delegated; else those delegated to them.
    pub administers: bool,
}

/// Whether a review is about all that its choice covers, or about what changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Changes {
    #[default]
    All,
    /// What changed since the last signed review of the same; everything, where there is none.
    Only { since: Option<AccessReviewId> },
}

impl Changes {
    /// The review that was compared with.
    #[must_use]
    pub const fn since(self) -> Option<AccessReviewId> {
        match self {
            Self::All => None,
            Self::Only { since } => since,
        }
    }
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
    /// In whose place whoever decides may, where they may not by themself.
    pub stands_in_for: Vec<StandsInFor>,
    pub seen: Seen,
    /// What plan staff have to show where it is carried out later (CC-07).
    pub evidence: Option<Reason>,
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

/// Decisions to be confirmed by a second reviewer.
#[derive(Clone, Debug)]
pub struct ConfirmItems {
    pub items: Vec<u32>,
    pub authority: Authority,
    pub seen: Seen,
}

/// What somebody says of their own access.
#[derive(Clone, Debug)]
pub struct AttestItems {
    pub items: Vec<u32>,
    pub needed: bool,
    /// Required where it is not.
    pub reason: Option<Reason>,
}

/// Items to be decided by somebody else.
#[derive(Clone, Debug)]
pub struct DelegateItems {
    pub items: Vec<u32>,
    /// None takes them back.
    pub to: Option<UserId>,
    /// Who reviews in that person's place at present: the items are theirs, but for their own.
    pub substitute: Option<UserId>,
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

/// What came of carrying a decision out that waited for the closing.
#[derive(Clone, Debug)]
pub struct RecordCarrying {
    pub item: u32,
    /// Which decision about the item.
    pub decided_at: DateTime<Utc>,
    /// Why it could not be.
    pub refusal: Option<Refusal>,
}

/// The policy decides about an item that nobody decided about until the grace was over.
#[derive(Clone, Debug)]
pub struct DecideByPolicy {
    pub item: u32,
    pub risk: Risk,
    /// Why what the policy says could not be carried out.
    pub refusal: Option<Refusal>,
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
    /// By somebody else than who decided.
    Confirm(Box<ConfirmItems>),
    /// Saying otherwise takes the former word's place.
    Attest(Box<AttestItems>),
    Delegate(Box<DelegateItems>),
    /// Delegates are no active members any more; that nothing was delegated to them is no error.
    Lapse {
        left: BTreeSet<UserId>,
    },
    RecordExecution(RecordExecution),
    RecordCarrying(RecordCarrying),
    DecideByPolicy(DecideByPolicy),
    /// The scheduler looks whether it is time for a reminder, or too late; nothing due is no error.
    Watch,
    /// Where decisions wait for the closing, it begins, and the review is signed later.
    Complete(Box<CompleteReview>),
    Cancel {
        reason: Reason,
    },
}
