//! Where an item of a review stands: decided, carried out, delegated.
//!
//! Invariant: an item has one decision that counts, and what became of an earlier one says nothing of it.

use chrono::{DateTime, Utc};

use super::{Certification, ItemOutcome, Leftover, ReviewDecision, ReviewedAccess};
use crate::kernel::ids::UserId;
use crate::values::Reason;
use crate::{Refusal, Sealed};

/// How far a decision is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrying {
    /// As it was made, or at the closing.
    Done,
    /// It waits for the closing, or for a second reviewer, with what it is to be carried out by.
    Waits { by_plan: bool, evidence: Option<Sealed<Reason>> },
    /// It could not be.
    Refused(Refusal),
}

/// A decision that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemDecision {
    pub decision: ReviewDecision,
    /// Nobody where the policy did.
    pub by: Option<UserId>,
    pub at: DateTime<Utc>,
    /// The second reviewer, where there is to be one.
    pub confirmed_by: Option<UserId>,
    pub reason: Option<Sealed<Reason>>,
    pub carrying: Carrying,
    /// When it was carried out: when it was made, or at the closing.
    pub done_at: DateTime<Utc>,
    /// When it took effect, and whether that was verified.
    pub executed: Option<(DateTime<Utc>, bool)>,
    /// What the last look found to contradict it.
    pub remaining: Vec<Leftover>,
}

impl ItemDecision {
    /// Whether it was carried out, or nothing has to be.
    #[must_use]
    pub fn is_carried_out(&self) -> bool {
        self.carrying == Carrying::Done
    }

    /// Why it could not be carried out.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match &self.carrying {
            Carrying::Refused(refusal) => Some(refusal),
            Carrying::Done | Carrying::Waits { .. } => None,
        }
    }

    /// Whether it has taken effect for certain.
    #[must_use]
    pub fn has_taken_effect(&self) -> bool {
        self.executed.is_some_and(|(_, verified)| verified)
    }
}

/// Who decides about an item instead of all reviewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delegation {
    pub to: UserId,
    pub by: UserId,
}

/// What somebody says of their own access.
#[derive(Clone, Debug, PartialEq)]
pub struct Attested {
    pub needed: bool,
    pub reason: Option<Sealed<Reason>>,
    pub at: DateTime<Utc>,
}

/// Where an item stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub user: UserId,
    pub access: ReviewedAccess,
    pub decided: Option<ItemDecision>,
    pub delegated: Option<Delegation>,
    /// What its person says of it.
    pub attested: Option<Attested>,
    /// Why the policy could not take it away when nobody decided.
    pub left: Option<Refusal>,
    /// Where it was decided, if nobody has to decide about it here.
    pub carried: Option<Certification>,
}

impl Item {
    pub(super) fn listed(
        user: UserId,
        access: &ReviewedAccess,
        carried: Option<Certification>,
    ) -> Self {
        let (decided, delegated, attested, left) = (None, None, None, None);
        Self { user, access: access.clone(), decided, delegated, attested, left, carried }
    }

    /// Whether a signature waits for somebody to decide, as far as it is not gone.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        self.decided.is_none() && self.carried.is_none()
    }

    /// A person's decision about it, where something is to be given back if it is taken back.
    #[must_use]
    pub fn undoable(&self) -> Option<&ItemDecision> {
        let takes = |decided: &&ItemDecision| decided.decision.is_to_be_carried_out();
        self.decided.as_ref().filter(takes).filter(|decided| decided.by.is_some())
    }

    /// What is done with the access by now, by the decision that counts.
    #[must_use]
    pub fn carried_out(&self) -> Option<&ItemDecision> {
        self.decided.as_ref().filter(|decided| decided.is_carried_out())
    }

    /// What came of it; `gone` where its person is no active member any more, or the right is not held
    /// any more. What the review itself took away or changed is its own doing, whatever came later.
    #[must_use]
    pub fn outcome(&self, gone: bool) -> ItemOutcome {
        use ReviewDecision as D;
        let Some(decided) = &self.decided else {
            return match self.carried {
                _ if gone => ItemOutcome::Gone,
                Some(_) => ItemOutcome::CarriedForward,
                None => ItemOutcome::Undecided,
            };
        };
        match decided.decision {
            D::Revoke { .. } if decided.has_taken_effect() => ItemOutcome::Revoked,
            D::Change { .. } | D::ChangeLevel { .. } if decided.has_taken_effect() => {
                ItemOutcome::Changed
            }
            D::Keep | D::Revoke { .. } | D::Change { .. } | D::ChangeLevel { .. } if gone => {
                ItemOutcome::Gone
            }
            D::Keep => ItemOutcome::Kept,
            D::Revoke { .. } | D::Change { .. } | D::ChangeLevel { .. } => ItemOutcome::Pending,
        }
    }
}
