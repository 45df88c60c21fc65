//! What reviewers do with items: decide, delegate, and see that what was decided took effect.
//!
//! Invariant: nobody decides about themself or chooses who does, and what has taken effect is only
//! taken back.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Decided, reviewer};
use super::{
    AccessReviewEvent, AccessReviewRefusal, DECIDED_AT_ONCE, DecideItems, DelegateItems,
    Delegation, Item, ItemDecision, REVOKED_AT_ONCE, RecordExecution, Review, ReviewDecision,
    ReviewExecution, ReviewItemDecision, ReviewedAccess, UndoDecision, UndoneDecision,
};
use crate::kernel::ids::UserId;
use crate::organizations::Authority;
use crate::values::Reason;
use crate::{Decision, Sealed};

/// An item that was chosen, by its number.
pub(super) type Chosen<'a> = (u32, &'a Item);

impl Review {
    pub(super) fn decide_items(&self, decision: &Decision<'_>, wish: DecideItems) -> Decided {
        use AccessReviewRefusal as R;
        let by = reviewer(decision)?;
        let chosen = self.chosen(&wish.items)?;
        check_bulk(&chosen, wish.decision)?;
        if wish.decision.is_to_be_carried_out() && wish.reason.is_none() {
            return Err(R::ReasonRequired);
        }
        self.check_last_day(decision, wish.decision)?;
        for (number, item) in &chosen {
            item.in_place_of((*number, by), &wish)?;
            self.check_closing(*number, item)?;
            if !item.is_decided_so(wish.decision, wish.reason.as_ref()) {
                self.check_final(*number, item)?;
                item.check_revoked_key(*number)?;
            }
            item.check_decision(*number, wish.decision, wish.reason.as_ref())?;
        }
        let differing = chosen
            .into_iter()
            .filter(|(_, item)| !item.is_decided_so(wish.decision, wish.reason.as_ref()));
        let decided = differing.map(|chosen| self.decided(decision, by, chosen, &wish));
        Ok(self.with_pace(decision, by, decided.collect()))
    }

    pub(super) fn undo(&self, decision: &Decision<'_>, wish: UndoDecision) -> Decided {
        use AccessReviewRefusal as R;
        let UndoDecision { item: number, decided_at, reason, authority, seen } = wish;
        let by = reviewer(decision)?;
        let item = self.item(number).ok_or(R::ItemUnknown(number))?;
        item.check_reviewer(number, by, authority)?;
        self.check_closing(number, item)?;
        self.check_final(number, item)?;
        item.check_revoked_key(number)?;
        if item.decided.as_ref().is_some_and(|decided| decided.by.is_none()) {
            return Err(R::PolicyDecided(number));
        }
        let undone = item.undoable().filter(|undone| undone.at == decided_at);
        let (undone, reviewer) =
            undone.and_then(|it| Some((it, it.by?))).ok_or(R::NothingToUndo(number))?;
        let keep = DecideItems {
            items: vec![number],
            decision: ReviewDecision::Keep,
            reason: Some(reason),
            authority,
            stands_in_for: Vec::new(),
            seen,
            evidence: None,
            recommendations: BTreeMap::new(),
        };
        Ok(vec![AccessReviewEvent::ReviewItemDecided(Box::new(ReviewItemDecision {
            undoes: Some(UndoneDecision { reviewer, decided_at: undone.at }),
            ..self.decided(decision, by, (number, item), &keep)
        }))])
    }

    /// What was decided, and with it that it was decided hastily, once for a reviewer.
    fn with_pace(
        &self,
        decision: &Decision<'_>,
        by: UserId,
        decided: Vec<ReviewItemDecision>,
    ) -> Vec<AccessReviewEvent> {
        let mut pace = self.paces.get(&by).copied().unwrap_or_default();
        decided.iter().for_each(|decided| pace.take_in(decided));
        let suspected = pace.is_hasty(&decision.policy.review()).filter(|_| !decided.is_empty());
        let suspected = suspected.map(|ms_per_item| AccessReviewEvent::HastyReviewSuspected {
            organization: self.organization,
            reviewer: by,
            decided: pace.decided,
            kept: pace.kept,
            ms_per_item,
        });
        let decided = decided.into_iter();
        let decided = decided.map(|it| AccessReviewEvent::ReviewItemDecided(Box::new(it)));
        decided.chain(suspected).collect()
    }

    fn decided(
        &self,
        decision: &Decision<'_>,
        by: UserId,
        (number, item): Chosen<'_>,
        wish: &DecideItems,
    ) -> ReviewItemDecision {
        let waits = self.defers() && wish.decision.is_to_be_carried_out();
        let evidence = wish.evidence.as_ref().filter(|_| waits);
        ReviewItemDecision {
            organization: self.organization,
            item: number,
            user: item.user,
            right: item.right(),
            reviewer: by,
            old: item.decided.as_ref().map(|former| former.decision),
            new: wish.decision,
            reason: item.sealed(wish.reason.as_ref()),
            decided_at: decision.now,
            seen: wish.seen.clone(),
            recommendation: wish.recommendations.get(&number).cloned(),
            undoes: None,
            in_place_of: item.in_place_of((number, by), wish).ok().flatten(),
            by_plan: waits && wish.authority == Authority::Plan,
            evidence: item.sealed(evidence),
        }
    }

    /// Each of these items once, in the order of the list.
    pub(super) fn chosen(&self, numbers: &[u32]) -> Result<Vec<Chosen<'_>>, AccessReviewRefusal> {
        use AccessReviewRefusal as R;
        let numbers: BTreeSet<u32> = numbers.iter().copied().collect();
        if numbers.is_empty() {
            return Err(R::NoItems);
        }
        if numbers.len() > DECIDED_AT_ONCE {
            return Err(R::TooMany(DECIDED_AT_ONCE));
        }
        let found = |number| Ok((number, self.item(number).ok_or(R::ItemUnknown(number))?));
        numbers.into_iter().map(found).collect()
    }

    /// A review cannot be signed before its revocations took effect, so none reaches beyond its time.
    fn check_last_day(
        &self,
        decision: &Decision<'_>,
        new: ReviewDecision,
    ) -> Result<(), AccessReviewRefusal> {
        let zone = decision.policy.time_zone();
        let latest = zone.local_date(self.due_at.max(decision.now));
        match new {
            ReviewDecision::Revoke { left_on: Some(day) } if day.date() > latest => {
                Err(AccessReviewRefusal::LeavesTooLate)
            }
            ReviewDecision::Revoke { .. }
            | ReviewDecision::Keep
            | ReviewDecision::Change { .. }
            | ReviewDecision::ChangeLevel { .. } => Ok(()),
        }
    }

    pub(super) fn delegate(&self, decision: &Decision<'_>, wish: DelegateItems) -> Decided {
        let DelegateItems { items, to, substitute, reason, authority } = wish;
        let by = reviewer(decision)?;
        let chosen = self.chosen(&items)?;
        for (number, item) in &chosen {
            self.check_closing(*number, item)?;
            item.check_delegation(*number, (by, to), authority)?;
        }
        let delegated = |item: &Item| item.delegated.map(|delegation| delegation.to);
        // Whoever is away and nobody may stand in for has it themself.
        let stands_in = |item: &Item| substitute.filter(|it| *it != item.user && *it != by);
        let new = |item: &Item| stands_in(item).or(to);
        let differing = chosen.into_iter().filter(|(_, item)| delegated(item) != new(item));
        let events = differing.map(|(number, item)| AccessReviewEvent::ReviewItemDelegated {
            organization: self.organization,
            item: number,
            user: item.user,
            old: delegated(item),
            new: new(item),
            by,
            reason: Sealed::new(item.user, reason.clone()),
            in_place_of: stands_in(item).and(to),
        });
        Ok(events.collect())
    }

    /// The first of the items that were delegated to whoever left.
    pub(super) fn lapse(&self, left: &BTreeSet<UserId>) -> Vec<AccessReviewEvent> {
        let lapsed = self.items().filter_map(|(number, item)| {
            let Delegation { to, .. } = item.delegated.filter(|it| left.contains(&it.to))?;
            Some(AccessReviewEvent::ReviewDelegationLapsed {
                organization: self.organization,
                item: number,
                user: item.user,
                delegate: to,
            })
        });
        lapsed.take(DECIDED_AT_ONCE).collect()
    }

    pub(super) fn record_execution(&self, done: RecordExecution) -> Decided {
        use AccessReviewRefusal as R;
        let RecordExecution { item: number, decided_at, executed_at, verified, remaining } = done;
        let verified = verified && remaining.is_empty();
        let item = self.item(number).ok_or(R::ItemUnknown(number))?;
        let current = item.decided.as_ref().filter(|decided| decided.at == decided_at);
        let current = current.filter(|decided| decided.is_carried_out());
        let decided = current.ok_or(R::NotPending(number))?;
        let is_known =
            decided.executed == Some((executed_at, verified)) && decided.remaining == remaining;
        if decided.has_taken_effect() || is_known {
            return Ok(Vec::new());
        }
        let execution = ReviewExecution {
            organization: self.organization,
            item: number,
            user: item.user,
            right: item.right(),
            decided_at,
            executed_at,
            verified,
            delay_s: (executed_at - decided_at).num_seconds().max(0),
            remaining,
        };
        match decided.decision {
            ReviewDecision::Keep => Err(R::NotPending(number)),
            ReviewDecision::Revoke { .. } => {
                Ok(vec![AccessReviewEvent::ReviewRevocationExecuted(execution)])
            }
            ReviewDecision::Change { .. } | ReviewDecision::ChangeLevel { .. } => {
                Ok(vec![AccessReviewEvent::ReviewChangeExecuted(execution)])
            }
        }
    }
}

/// What is taken away or changed by the hundred is one and the same access, so that a slip of the
/// hand stays small.
fn check_bulk(chosen: &[Chosen<'_>], new: ReviewDecision) -> Result<(), AccessReviewRefusal> {
    use AccessReviewRefusal as R;
    if !new.is_to_be_carried_out() {
        return Ok(());
    }
    if chosen.len() > REVOKED_AT_ONCE {
        return Err(R::TooMany(REVOKED_AT_ONCE));
    }
    let same = |a: &Item, b: &Item| a.access.without_end() == b.access.without_end();
    let is_one = chosen.windows(2).all(|pair| same(pair[0].1, pair[1].1));
    if is_one { Ok(()) } else { Err(R::NotIdentical) }
}

impl Item {
    pub(super) fn right(&self) -> Option<ReviewedAccess> {
        self.access.is_right().then(|| self.access.clone())
    }

    fn sealed(&self, reason: Option<&Reason>) -> Option<Sealed<Reason>> {
        reason.map(|reason| Sealed::new(self.user, reason.clone()))
    }

    /// What could not be carried out is decided anew, by the same words as well; so is what the policy
    /// decided, which is nobody's.
    pub(super) fn is_decided_so(&self, new: ReviewDecision, reason: Option<&Reason>) -> bool {
        let reason = self.sealed(reason);
        let is_so = |it: &ItemDecision| it.decision == new && it.reason == reason;
        let stands = |it: &ItemDecision| it.refusal().is_none() && it.by.is_some();
        self.decided.as_ref().is_some_and(|it| is_so(it) && stands(it))
    }

    /// In whose place whoever decides does, if they may; nobody where they may by themself.
    fn in_place_of(
        &self,
        (number, by): (u32, UserId),
        wish: &DecideItems,
    ) -> Result<Option<UserId>, AccessReviewRefusal> {
        let checked = self.check_reviewer(number, by, wish.authority);
        if self.user == by || wish.authority == Authority::Plan {
            return checked.map(|()| None);
        }
        let mut away = wish.stands_in_for.iter();
        if let Some(Delegation { to, .. }) = self.delegated {
            let stands_in = to != by && away.any(|it| it.user == to);
            return if stands_in { Ok(Some(to)) } else { checked.map(|()| None) };
        }
        let mut administrators = away.filter(|it| it.administers).peekable();
        if administrators.peek().is_none() {
            return checked.map(|()| None);
        }
        // What somebody who is away may not decide, nobody does in their place.
        let other = administrators.find(|it| it.user != self.user);
        let other = other.ok_or(AccessReviewRefusal::OwnOfAbsent(number))?;
        Ok(Some(other.user))
    }

    fn check_reviewer(
        &self,
        number: u32,
        by: UserId,
        authority: Authority,
    ) -> Result<(), AccessReviewRefusal> {
        if self.user == by {
            return Err(AccessReviewRefusal::SelfReview(number));
        }
        match (self.delegated, authority) {
            (Some(Delegation { to, .. }), Authority::Organization) if to != by => {
                Err(AccessReviewRefusal::Delegated { item: number, to })
            }
            (None | Some(_), Authority::Organization | Authority::Plan) => Ok(()),
        }
    }

    /// The delegate passes an item on, and who delegated it takes it back; nobody sends their own to
    /// somebody of their choice.
    fn check_delegation(
        &self,
        number: u32,
        (by, to): (UserId, Option<UserId>),
        authority: Authority,
    ) -> Result<(), AccessReviewRefusal> {
        let is_own = self.delegated.is_some_and(|delegation| delegation.by == by);
        if !is_own || self.user == by {
            self.check_reviewer(number, by, authority)?;
        }
        if to == Some(self.user) {
            return Err(AccessReviewRefusal::SelfDelegate(number));
        }
        Ok(())
    }
}
