//! The review aggregate: OPEN → OVERDUE → COMPLETED / CANCELLED. Invariant: the list never changes; an
//! item has one decision, and the newest counts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rpds::RedBlackTreeMapSync;

use super::{
    AccessReviewEvent, AccessReviewRefusal, Attested, Carrying, Delegation, Item, ItemDecision,
    Opener, Pace, PolicyDecision, ReviewExecution, ReviewItemDecision, ReviewResult, ReviewScope,
    ReviewTotals,
};
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::policies::{RevocationMode, SecondReviewer, UndecidedAction};

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

/// When nobody decided any more, and who had it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    pub by: UserId,
    pub at: DateTime<Utc>,
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
    /// How many items the list has, with what was carried forward.
    pub population: u32,
    /// Whether only what changed is to be decided, and the signed review that was compared with.
    pub changed_only: bool,
    pub compared_with: Option<AccessReviewId>,
    /// Of the list.
    pub sha256: String,
    pub opened_by: Opener,
    pub opened_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub grace_until: DateTime<Utc>,
    pub status: ReviewStatus,
    /// When what is decided is carried out.
    pub revocations: RevocationMode,
    pub closing: Option<Closing>,
    /// Whether people are asked to say of their own access whether they need it still.
    pub asks_for_attestation: bool,
    /// Who has to confirm what is decided.
    pub second_reviewer: SecondReviewer,
    /// What becomes of ordinary items that are undecided after the grace, and of those of high risk.
    pub by_policy: (UndecidedAction, UndecidedAction),
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
            decided_by: item.decided.as_ref().and_then(|decided| decided.by),
            certified: item.carried,
            by_policy: item.decided.as_ref().is_some_and(|decided| decided.by.is_none()),
        })
    }

    /// How many items came to what.
    #[must_use]
    pub fn totals(&self, gone: &BTreeSet<u32>) -> ReviewTotals {
        let mut totals = ReviewTotals::default();
        for result in self.results(gone) {
            totals.count(result.outcome, result.by_policy);
        }
        totals
    }

    /// To whom items are delegated.
    #[must_use]
    pub fn delegates(&self) -> BTreeSet<UserId> {
        self.items().filter_map(|(_, item)| Some(item.delegated?.to)).collect()
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.get_mut(&number) {
            change(item);
        }
    }

    /// Whether decisions are only recorded by now.
    #[must_use]
    pub const fn keeps_for_closing(&self) -> bool {
        !self.revocations.is_at_once() && self.closing.is_none()
    }

    fn take_decision(&mut self, decided: &ReviewItemDecision) {
        self.paces.entry(decided.reviewer).or_default().take_in(decided);
        let was_undecided = self.item(decided.item).is_some_and(Item::is_undecided);
        self.undecided -= u32::from(was_undecided);
        let waits = self.defers() && decided.new.is_to_be_carried_out();
        let carrying = if waits {
            let (by_plan, evidence) = (decided.by_plan, decided.evidence.clone());
            Carrying::Waits { by_plan, evidence }
        } else {
            Carrying::Done
        };
        self.change(decided.item, |item| {
            item.decided = Some(ItemDecision {
                decision: decided.new,
                by: Some(decided.reviewer),
                at: decided.decided_at,
                confirmed_by: None,
                reason: decided.reason.clone(),
                carrying,
                done_at: decided.decided_at,
                executed: None,
                remaining: Vec::new(),
            });
        });
    }

    fn take_policy(&mut self, decided: &PolicyDecision) {
        self.undecided -= 1;
        self.change(decided.item, |item| {
            item.decided = Some(ItemDecision {
                decision: decided.new,
                by: None,
                at: decided.decided_at,
                confirmed_by: None,
                reason: None,
                carrying: Carrying::Done,
                done_at: decided.decided_at,
                executed: None,
                remaining: Vec::new(),
            });
        });
    }

    fn take_confirmation(
        &mut self,
        (item, decided_at): (u32, DateTime<Utc>),
        by: UserId,
        at: DateTime<Utc>,
    ) {
        let keeps = self.keeps_for_closing();
        self.change(item, |item| {
            if let Some(decided) = item.decided.as_mut().filter(|it| it.at == decided_at) {
                decided.confirmed_by = Some(by);
                if !keeps {
                    (decided.carrying, decided.done_at) = (Carrying::Done, at);
                }
            }
        });
    }

    fn take_carrying(
        &mut self,
        (item, decided_at): (u32, DateTime<Utc>),
        carrying: Carrying,
        done_at: DateTime<Utc>,
    ) {
        self.change(item, |item| {
            if let Some(decided) = item.decided.as_mut().filter(|it| it.at == decided_at) {
                (decided.carrying, decided.done_at) = (carrying, done_at);
            }
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
                    let item = Item::listed(listed.user, &listed.access, None);
                    self.items.insert_mut(listed.item, item);
                }
            }
            E::ReviewItemsCarriedForward { items, .. } => {
                for carried in items {
                    let certified = Some(carried.certified);
                    let item = Item::listed(carried.user, &carried.access, certified);
                    self.items.insert_mut(carried.item, item);
                    self.undecided -= 1;
                }
            }
            E::ReviewItemDecided(decided) => self.take_decision(decided),
            E::ReviewItemDelegated { item, new, by, .. } => {
                let delegated = new.map(|to| Delegation { to, by: *by });
                self.change(*item, |item| item.delegated = delegated);
            }
            E::ReviewItemConfirmed { item, decided_at, by, confirmed_at, .. } => {
                self.take_confirmation((*item, *decided_at), *by, *confirmed_at);
            }
            E::ReviewItemAttested { item, needed, reason, attested_at, .. } => {
                let (needed, reason, at) = (*needed, reason.clone(), *attested_at);
                self.change(*item, |item| item.attested = Some(Attested { needed, reason, at }));
            }
            E::ReviewDelegationLapsed { item, .. } => {
                self.change(*item, |item| item.delegated = None);
            }
            E::AccessReviewClosing { by, closing_at, .. } => {
                self.closing = Some(Closing { by: *by, at: *closing_at });
            }
            E::ReviewDecisionCarriedOut { item, decided_at, carried_out_at, .. } => {
                self.take_carrying((*item, *decided_at), Carrying::Done, *carried_out_at);
            }
            E::ReviewDecisionNotCarriedOut { item, decided_at, refusal, .. } => {
                let refused = Carrying::Refused(refusal.clone());
                self.take_carrying((*item, *decided_at), refused, *decided_at);
            }
            E::ReviewItemDecidedByPolicy(decided) => self.take_policy(decided),
            E::ReviewItemLeftByPolicy { item, refusal, .. } => {
                self.change(*item, |item| item.left = Some(refusal.clone()));
            }
            E::ReviewRevocationExecuted(done) | E::ReviewChangeExecuted(done) => {
                self.take_execution(done);
            }
            E::HastyReviewSuspected { reviewer, .. } => {
                self.paces.entry(*reviewer).or_default().is_told = true;
            }
            E::AccessReviewReminded { days_left, .. } => self.reminded = Some(*days_left),
            E::AccessReviewOverdue { .. } => self.status = ReviewStatus::Overdue,
            E::AccessReviewEscalated { ordinary, high, .. } => {
                self.is_escalated = true;
                self.by_policy = (*ordinary, *high);
            }
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
            changed_only,
            compared_with,
            revocations,
            asks_for_attestation,
            second_reviewer,
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
            changed_only: *changed_only,
            compared_with: *compared_with,
            sha256: sha256.clone(),
            opened_by: *opened_by,
            opened_at: *opened_at,
            due_at: *due_at,
            grace_until: *grace_until,
            status: ReviewStatus::Open,
            revocations: *revocations,
            closing: None,
            asks_for_attestation: *asks_for_attestation,
            second_reviewer: *second_reviewer,
            by_policy: <_>::default(),
            undecided: *items,
            reminded: None,
            is_escalated: false,
            gone: BTreeSet::new(),
            paces: BTreeMap::new(),
            items: RedBlackTreeMapSync::default(),
        }))
    }
}
