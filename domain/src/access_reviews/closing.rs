//! What is carried out at a review's closing, and what the policy decides after its grace (GN-15).
//!
//! Invariant: each is recorded once, in the append of what it does; nobody signs before it, and what
//! could not be done is left to somebody with the reason.

use super::decide::Decided;
use super::{
    AccessReviewEvent, AccessReviewRefusal, Carrying, DecideByPolicy, Item, ItemDecision,
    ItemOutcome, PolicyDecision, RecordCarrying, Review, ReviewDecision, Risk,
};
use crate::kernel::ids::UserId;
use crate::policies::UndecidedAction;
use crate::{Code, Decision};

impl Review {
    /// The items whose decision is to be carried out now that the review closes, in order.
    pub fn to_carry_out(&self) -> impl Iterator<Item = (u32, &Item)> {
        let comes = |item: &Item| item.waits() && !self.awaits_second(item);
        self.items().filter(move |(_, item)| self.closing.is_some() && comes(item))
    }

    /// Who closed it, once all that was decided is carried out and verified, or was over already: nothing
    /// but the signature is missing.
    #[must_use]
    pub fn ready_for(&self) -> Option<UserId> {
        let closing = self.closing?;
        let is_over = |decided: &ItemDecision| {
            decided.refusal().is_some_and(|refusal| refusal.code == Code::AlreadyInactive)
        };
        let is_pending = |item: &Item| {
            let is_over = item.decided.as_ref().is_some_and(is_over);
            item.outcome(false) == ItemOutcome::Pending && !is_over
        };
        (!self.items().any(|(_, item)| is_pending(item))).then_some(closing.by)
    }

    /// The items about which the policy may have to decide, in order.
    pub fn left_to_policy(&self) -> impl Iterator<Item = (u32, &Item)> {
        let (ordinary, high) = self.by_policy;
        let decides = !ordinary.is_escalate() || !high.is_escalate();
        let undecided = |item: &Item| item.is_undecided() && item.left.is_none();
        self.items().filter(move |(_, item)| decides && undecided(item))
    }

    /// What the policy has become of an item of this risk that nobody decided about.
    #[must_use]
    pub const fn policy_for(&self, risk: Risk) -> UndecidedAction {
        match risk {
            Risk::Ordinary => self.by_policy.0,
            Risk::High => self.by_policy.1,
        }
    }

    /// Whether the policy decided about some of the list.
    #[must_use]
    pub fn is_beside_policy(&self) -> bool {
        let by_policy = |item: &Item| item.decided.as_ref().is_some_and(|it| it.by.is_none());
        self.items().any(|(_, item)| by_policy(item))
    }

    /// The closing begins, where something waits for it.
    pub(super) fn close(&self, decision: &Decision<'_>, by: UserId) -> Option<AccessReviewEvent> {
        if !self.keeps_for_closing() {
            return None;
        }
        let waiting = self.items().filter(|(_, item)| item.waits()).count();
        let to_carry_out = u32::try_from(waiting).unwrap_or(u32::MAX);
        (to_carry_out > 0).then_some(AccessReviewEvent::AccessReviewClosing {
            organization: self.organization,
            by,
            to_carry_out,
            closing_at: decision.now,
        })
    }

    /// While a review closes, only what cannot go on without a decision is decided.
    pub(super) fn check_closing(
        &self,
        number: u32,
        item: &Item,
    ) -> Result<(), AccessReviewRefusal> {
        if self.closing.is_none() || item.is_stuck() {
            return Ok(());
        }
        Err(AccessReviewRefusal::Closing(number))
    }

    pub(super) fn record_carrying(&self, decision: &Decision<'_>, done: RecordCarrying) -> Decided {
        let RecordCarrying { item: number, decided_at, refusal } = done;
        let not_pending = AccessReviewRefusal::NotPending(number);
        let item = self.item(number).ok_or(AccessReviewRefusal::ItemUnknown(number))?;
        let decided = item.decided.as_ref().filter(|decided| decided.at == decided_at);
        if decided.is_none() || !item.waits() || self.closing.is_none() {
            return Err(not_pending);
        }
        let (organization, user, right) = (self.organization, item.user, item.right());
        Ok(vec![match refusal {
            None => AccessReviewEvent::ReviewDecisionCarriedOut {
                organization,
                item: number,
                user,
                right,
                decided_at,
                carried_out_at: decision.now,
            },
            Some(refusal) => AccessReviewEvent::ReviewDecisionNotCarriedOut {
                organization,
                item: number,
                user,
                right,
                decided_at,
                refusal,
            },
        }])
    }

    pub(super) fn decide_by_policy(
        &self,
        decision: &Decision<'_>,
        wish: DecideByPolicy,
    ) -> Decided {
        let DecideByPolicy { item: number, risk, refusal } = wish;
        let item = self.item(number).ok_or(AccessReviewRefusal::ItemUnknown(number))?;
        let (organization, user, right) = (self.organization, item.user, item.right());
        let new = match (self.policy_for(risk), &item.decided, &item.left) {
            (UndecidedAction::Keep, None, None) => ReviewDecision::Keep,
            (UndecidedAction::Revoke, None, None) => ReviewDecision::Revoke { left_on: None },
            (UndecidedAction::Escalate, ..) | (_, Some(_), _) | (_, _, Some(_)) => {
                return Err(AccessReviewRefusal::NotPending(number));
            }
        };
        Ok(vec![match refusal {
            None => AccessReviewEvent::ReviewItemDecidedByPolicy(PolicyDecision {
                organization,
                item: number,
                user,
                right,
                risk,
                new,
                decided_at: decision.now,
            }),
            Some(refusal) => AccessReviewEvent::ReviewItemLeftByPolicy {
                organization,
                item: number,
                user,
                right,
                risk,
                refusal,
            },
        }])
    }
}

impl Item {
    /// Whether its decision waits for the closing.
    pub(super) fn waits(&self) -> bool {
        let waits = |carrying: &Carrying| matches!(carrying, Carrying::Waits { .. });
        self.decided.as_ref().is_some_and(|decided| waits(&decided.carrying))
    }

    /// Whether nothing becomes of it unless somebody decides: nobody did, or what was decided could not be
    /// carried out, or a look found something left of it.
    fn is_stuck(&self) -> bool {
        let Some(decided) = &self.decided else { return true };
        let is_left = decided.executed.is_some_and(|(_, verified)| !verified);
        decided.refusal().is_some() || is_left
    }
}
