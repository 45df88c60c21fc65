//! The review aggregate: OPEN → OVERDUE → COMPLETED / CANCELLED. Invariant: the list never changes; an
//! item has one decision, and the newest counts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rpds::RedBlackTreeMapSync;

use super::{
    AccessReviewEvent, AccessReviewRefusal, ItemOutcome, Leftover, Opener, Pace, ReviewDecision,
    ReviewExecution, ReviewItemDecision, ReviewResult, ReviewScope, ReviewTotals, ReviewedAccess,
};
use crate::Sealed;
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::values::Reason;

/// Where a review stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewStatus {
    Open,
    /// Due, and not signed; it can still be.
    Overdue,
    Completed,
    Cancelled,
}

impl ReviewStatus {
    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Overdue => "OVERDUE",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// A decision that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemDecision {
    pub decision: ReviewDecision,
    pub by: UserId,
    pub at: DateTime<Utc>,
    pub reason: Option<Sealed<Reason>>,
    /// When it took effect, and whether that was verified.
    pub executed: Option<(DateTime<Utc>, bool)>,
    /// What the last look found to contradict it.
    pub remaining: Vec<Leftover>,
}

impl ItemDecision {
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

/// Where an item stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub user: UserId,
    pub access: ReviewedAccess,
    pub decided: Option<ItemDecision>,
    pub delegated: Option<Delegation>,
}

impl Item {
    /// The decision about it, where something is to be given back if it is taken back.
    #[must_use]
    pub fn undoable(&self) -> Option<&ItemDecision> {
        self.decided.as_ref().filter(|decided| decided.decision.is_to_be_carried_out())
    }

    /// What came of it; `gone` where its person is no active member any more, or the right is not held
    /// any more. What the review itself took away or changed is its own doing, whatever came later.
    #[must_use]
    pub fn outcome(&self, gone: bool) -> ItemOutcome {
        use ReviewDecision as D;
        let Some(decided) = &self.decided else {
            return if gone { ItemOutcome::Gone } else { ItemOutcome::Undecided };
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

/// A review that was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    pub review: AccessReviewId,
    pub organization: OrganizationId,
    pub campaign: Option<CampaignId>,
    pub scope: ReviewScope,
    /// The tenant's position as of which the list was read.
    pub as_of: i64,
    /// How many items the list has.
    pub population: u32,
    /// Of the list.
    pub sha256: String,
    pub opened_by: Opener,
    pub opened_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub grace_until: DateTime<Utc>,
    pub status: ReviewStatus,
    /// How many items nobody decided about.
    pub undecided: u32,
    /// The fewest days before it is due of which the reviewers were reminded.
    pub reminded: Option<u32>,
    pub is_escalated: bool,
    /// Which were gone when it was signed.
    pub gone: BTreeSet<u32>,
    /// How quickly each reviewer decides.
    pub(super) paces: BTreeMap<UserId, Pace>,
    items: RedBlackTreeMapSync<u32, Item>,
}

impl Review {
    /// The item of this number.
    #[must_use]
    pub fn item(&self, number: u32) -> Option<&Item> {
        self.items.get(&number)
    }

    /// All items with their numbers, in order.
    pub fn items(&self) -> impl Iterator<Item = (u32, &Item)> {
        self.items.iter().map(|(number, item)| (*number, item))
    }

    /// The results, in the order of the list; `gone` are the items that [`Item::outcome`] calls so,
    /// those of [`Review::gone`] once it is signed.
    pub fn results<'a>(
        &'a self,
        gone: &'a BTreeSet<u32>,
    ) -> impl Iterator<Item = ReviewResult> + 'a {
        self.items().map(|(number, item)| ReviewResult {
            item: number,
            user: item.user,
            access: item.access.clone(),
            outcome: item.outcome(gone.contains(&number)),
            decision: item.decided.as_ref().map(|decided| decided.decision),
            decided_by: item.decided.as_ref().map(|decided| decided.by),
        })
    }

    /// How many items came to what.
    #[must_use]
    pub fn totals(&self, gone: &BTreeSet<u32>) -> ReviewTotals {
        let mut totals = ReviewTotals::default();
        for result in self.results(gone) {
            totals.count(result.outcome);
        }
        totals
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.get_mut(&number) {
            change(item);
        }
    }

    fn take_decision(&mut self, decided: &ReviewItemDecision) {
        self.paces.entry(decided.reviewer).or_default().take_in(decided);
        self.undecided -= u32::from(decided.old.is_none());
        self.change(decided.item, |item| {
            item.decided = Some(ItemDecision {
                decision: decided.new,
                by: decided.reviewer,
                at: decided.decided_at,
                reason: decided.reason.clone(),
                executed: None,
                remaining: Vec::new(),
            });
        });
    }

    fn take_execution(&mut self, done: &ReviewExecution) {
        self.change(done.item, |item| {
            let current = item.decided.as_mut().filter(|decided| decided.at == done.decided_at);
            if let Some(decided) = current {
                decided.executed = Some((done.executed_at, done.verified));
                decided.remaining.clone_from(&done.remaining);
            }
        });
    }

    pub(super) fn evolve(&mut self, event: &AccessReviewEvent) {
        use AccessReviewEvent as E;
        match event {
            // Taken in where it begins.
            E::AccessReviewOpened { .. } => {}
            E::ReviewItemsListed { items, .. } => {
                for listed in items {
                    self.items.insert_mut(
                        listed.item,
                        Item {
                            user: listed.user,
                            access: listed.access.clone(),
                            decided: None,
                            delegated: None,
                        },
                    );
                }
            }
            E::ReviewItemDecided(decided) => self.take_decision(decided),
            E::ReviewItemDelegated { item, new, by, .. } => {
                let delegated = new.map(|to| Delegation { to, by: *by });
                self.change(*item, |item| item.delegated = delegated);
            }
            E::ReviewRevocationExecuted(done) | E::ReviewChangeExecuted(done) => {
                self.take_execution(done);
            }
            E::HastyReviewSuspected { reviewer, .. } => {
                self.paces.entry(*reviewer).or_default().is_told = true;
            }
            E::AccessReviewReminded { days_left, .. } => self.reminded = Some(*days_left),
            E::AccessReviewOverdue { .. } => self.status = ReviewStatus::Overdue,
            E::AccessReviewEscalated { .. } => self.is_escalated = true,
            E::AccessReviewCompleted { gone, .. } => {
                self.gone = gone.iter().copied().collect();
                self.status = ReviewStatus::Completed;
            }
            E::AccessReviewCancelled { .. } => self.status = ReviewStatus::Cancelled,
        }
    }
}

/// A review.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AccessReview {
    /// The id is not in use.
    #[default]
    NotOpened,
    Opened(Box<Review>),
}

impl AccessReview {
    /// The review, unless the id is not in use.
    #[must_use]
    pub fn review(&self) -> Option<&Review> {
        match self {
            Self::NotOpened => None,
            Self::Opened(review) => Some(review),
        }
    }

    /// The review, if it is neither signed nor cancelled.
    ///
    /// # Errors
    /// `NOT_FOUND` or `REVIEW_CLOSED`.
    pub fn under_way(&self) -> Result<&Review, AccessReviewRefusal> {
        let review = self.review().ok_or(AccessReviewRefusal::Unknown)?;
        match review.status {
            ReviewStatus::Open | ReviewStatus::Overdue => Ok(review),
            ReviewStatus::Completed | ReviewStatus::Cancelled => Err(AccessReviewRefusal::Closed),
        }
    }

    /// The review, if what was decided in it can be taken back.
    ///
    /// # Errors
    /// `NOT_FOUND` or `REVIEW_CLOSED`, with what to do instead.
    pub fn to_undo(&self) -> Result<&Review, AccessReviewRefusal> {
        use AccessReviewRefusal as R;
        let instead = |refusal| if refusal == R::Closed { R::ClosedToUndo } else { refusal };
        self.under_way().map_err(instead)
    }

    pub(super) fn begin(event: &AccessReviewEvent) -> Self {
        let AccessReviewEvent::AccessReviewOpened {
            review,
            organization,
            campaign,
            scope,
            as_of,
            items,
            sha256,
            opened_by,
            opened_at,
            due_at,
            grace_until,
        } = event
        else {
            return Self::NotOpened;
        };
        Self::Opened(Box::new(Review {
            review: *review,
            organization: *organization,
            campaign: *campaign,
            scope: scope.clone(),
            as_of: *as_of,
            population: *items,
            sha256: sha256.clone(),
            opened_by: *opened_by,
            opened_at: *opened_at,
            due_at: *due_at,
            grace_until: *grace_until,
            status: ReviewStatus::Open,
            undecided: *items,
            reminded: None,
            is_escalated: false,
            gone: BTreeSet::new(),
            paces: BTreeMap::new(),
            items: RedBlackTreeMapSync::default(),
        }))
    }
}
