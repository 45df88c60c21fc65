//! A second reviewer confirms what another decided, before it counts (GN-15).
//!
//! Invariant: whoever confirms did not decide and is not whose access it is; what was confirmed and carried out
//! is not decided otherwise any more.

use super::decide::{Decided, reviewer};
use super::{AccessReviewEvent, AccessReviewRefusal, ConfirmItems, Item, Review};
use crate::Decision;
use crate::organizations::Authority;
use crate::policies::SecondReviewer;

impl Review {
    /// Whether what is decided is only recorded, and carried out by another step.
    #[must_use]
    pub const fn defers(&self) -> bool {
        self.keeps_for_closing() || !self.second_reviewer.is_none()
    }

    /// Whether what somebody decided about an item waits for a second reviewer.
    #[must_use]
    pub fn awaits_second(&self, item: &Item) -> bool {
        let decided = item.decided.as_ref().filter(|decided| decided.by.is_some());
        !self.second_reviewer.is_none() && decided.is_some_and(|it| it.confirmed_by.is_none())
    }

    /// What two people decided and was done is not one's to change.
    pub(super) fn check_final(&self, number: u32, item: &Item) -> Result<(), AccessReviewRefusal> {
        let is_done = item.decided.as_ref().is_some_and(|decided| {
            decided.confirmed_by.is_some()
                && decided.decision.is_to_be_carried_out()
                && decided.is_carried_out()
        });
        if is_done { Err(AccessReviewRefusal::Confirmed(number)) } else { Ok(()) }
    }

    pub(super) fn confirm(&self, decision: &Decision<'_>, wish: ConfirmItems) -> Decided {
        use AccessReviewRefusal as R;
        let ConfirmItems { items, authority, seen } = wish;
        let by = reviewer(decision)?;
        let mut confirmed = Vec::new();
        for (number, item) in self.chosen(&items)? {
            let decided = item.decided.as_ref().filter(|_| self.awaits_second(item));
            let decided = decided.ok_or(R::NotToConfirm(number))?;
            if item.user == by {
                return Err(R::SelfReview(number));
            }
            if decided.by == Some(by) {
                return Err(R::SameReviewer(number));
            }
            if self.second_reviewer == SecondReviewer::Plan && authority != Authority::Plan {
                return Err(R::PlanConfirms(number));
            }
            confirmed.push(AccessReviewEvent::ReviewItemConfirmed {
                organization: self.organization,
                item: number,
                user: item.user,
                right: item.right(),
                decision: decided.decision,
                decided_at: decided.at,
                by,
                confirmed_at: decision.now,
                seen: seen.clone(),
            });
        }
        Ok(confirmed)
    }
}
