//! What people say of their own access: whether they need it still (GN-15).
//!
//! Invariant: it is a statement, and decides nothing; whoever decides sees it, and is somebody else.

use super::decide::{Decided, reviewer};
use super::{AccessReviewEvent, AccessReviewRefusal, AttestItems, Review};
use crate::{Decision, Sealed};

impl Review {
    pub(super) fn attest(&self, decision: &Decision<'_>, wish: AttestItems) -> Decided {
        use AccessReviewRefusal as R;
        let AttestItems { items, needed, reason } = wish;
        let by = reviewer(decision)?;
        if !self.asks_for_attestation {
            return Err(R::NotAsked);
        }
        let chosen = self.chosen(&items)?;
        if !needed && reason.is_none() {
            return Err(R::ReasonRequired);
        }
        for (number, item) in &chosen {
            if item.user != by {
                return Err(R::NotOwn(*number));
            }
            self.check_closing(*number, item)?;
        }
        let reason = reason.map(|reason| Sealed::new(by, reason));
        let is_said = |it: &super::Attested| it.needed == needed && it.reason == reason;
        let differing =
            chosen.into_iter().filter(|(_, item)| !item.attested.as_ref().is_some_and(is_said));
        let said = differing.map(|(number, item)| AccessReviewEvent::ReviewItemAttested {
            organization: self.organization,
            item: number,
            user: by,
            right: item.right(),
            needed,
            reason: reason.clone(),
            attested_at: decision.now,
        });
        Ok(said.collect())
    }
}
