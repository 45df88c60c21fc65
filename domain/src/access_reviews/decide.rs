//! How a review begins and how it ends; what lies between is in `deciding` and `watching`.
//!
//! Invariant: opening freezes the list, and nothing is signed of which an item has no outcome.

use std::collections::BTreeSet;

use super::{
    AccessReview, AccessReviewCommand, AccessReviewEvent, AccessReviewRefusal, Changes,
    CompleteReview, ItemOutcome, MOST_ITEMS, NewReview, Opener, Review, ReviewResult, ReviewTotals,
    Split, listing, sha256_of_lines,
};
use crate::kernel::ids::UserId;
use crate::values::Reason;
use crate::{Decider, Decision, Sealed};

pub(super) type Decided = Result<Vec<AccessReviewEvent>, AccessReviewRefusal>;

/// How many items a refusal names.
const NAMED: usize = 10;

/// Whoever acts, who has to be a person.
pub(super) fn reviewer(decision: &Decision<'_>) -> Result<UserId, AccessReviewRefusal> {
    decision.actor.person().ok_or(AccessReviewRefusal::NoPerson)
}

/// Where nothing changed nobody has to review; what the schedule asks for is signed all the same.
fn check_list(
    list: &Split,
    changes: Changes,
    opened_by: Opener,
) -> Result<(), AccessReviewRefusal> {
    use AccessReviewRefusal as R;
    let is_to_be_signed = opened_by == Opener::Scheduled && !list.carried.is_empty();
    if list.listed.is_empty() && !is_to_be_signed {
        let nothing = changes.since().filter(|_| !list.carried.is_empty()).map(R::NothingChanged);
        return Err(nothing.unwrap_or(R::NothingToReview));
    }
    if list.len() > MOST_ITEMS {
        return Err(R::TooManyToReview(MOST_ITEMS));
    }
    if list.all().collect::<BTreeSet<_>>().len() < list.len() {
        return Err(R::ListedTwice);
    }
    Ok(())
}

fn opened(decision: &Decision<'_>, new: NewReview) -> Decided {
    use AccessReviewRefusal as R;
    let NewReview { organization, list, changes, opened_by, due_at, grace_until, .. } = new;
    check_list(&list, changes, opened_by)?;
    if due_at <= decision.now || grace_until < due_at {
        return Err(R::DueTooEarly);
    }
    let compared_with = changes.since();
    let (sha256, parts) = listing::parts(organization, &list, compared_with);
    let opened = AccessReviewEvent::AccessReviewOpened {
        review: new.review,
        organization,
        campaign: new.campaign,
        scope: new.scope,
        as_of: new.as_of,
        items: u32::try_from(list.len()).expect("no more than MOST_ITEMS"),
        sha256,
        opened_by,
        opened_at: decision.now,
        due_at,
        grace_until,
        changed_only: changes != Changes::All,
        compared_with,
        revocations: new.revocations,
        asks_for_attestation: new.asks_for_attestation,
        second_reviewer: new.second_reviewer,
    };
    Ok([opened].into_iter().chain(parts).collect())
}

impl AccessReview {
    fn open(&self, decision: &Decision<'_>, new: NewReview) -> Decided {
        match (self, new.opened_by) {
            (Self::NotOpened, _) => opened(decision, new),
            // The ids are derived: whoever comes second finds the first one's.
            (Self::Opened(_), opener) if opener.is_a_rule() => Ok(Vec::new()),
            (Self::Opened(_), _) => Err(AccessReviewRefusal::Opened),
        }
    }
}

impl Review {
    fn complete(&self, decision: &Decision<'_>, done: CompleteReview) -> Decided {
        use AccessReviewRefusal as R;
        let CompleteReview { attested, signature, gone, joiners } = done;
        let attested_by = reviewer(decision)?;
        if let Some(unknown) = gone.iter().find(|number| self.item(**number).is_none()) {
            return Err(R::ItemUnknown(*unknown));
        }
        let gone: BTreeSet<u32> = gone.into_iter().collect();
        let totals = self.totals(&gone);
        let first = |outcome| self.first_that_are(outcome, &gone);
        let ReviewTotals { undecided, pending, .. } = totals;
        if undecided > 0 {
            return Err(R::Undecided { count: undecided, first: first(ItemOutcome::Undecided) });
        }
        let unconfirmed: Vec<u32> = self
            .items()
            .filter(|(number, item)| self.awaits_second(item) && !gone.contains(number))
            .map(|(number, _)| number)
            .collect();
        if !unconfirmed.is_empty() {
            let count = u32::try_from(unconfirmed.len()).unwrap_or(u32::MAX);
            let first = unconfirmed.into_iter().take(NAMED).collect();
            return Err(R::Unconfirmed { count, first });
        }
        if let Some(closing) = self.close(decision, attested_by) {
            return Ok(vec![closing]);
        }
        if pending > 0 {
            return Err(R::Pending { count: pending, first: first(ItemOutcome::Pending) });
        }
        if !attested {
            return Err(R::NotAttested);
        }
        let is_gone = |result: &ReviewResult| result.outcome == ItemOutcome::Gone;
        Ok(vec![AccessReviewEvent::AccessReviewCompleted {
            organization: self.organization,
            attested_by,
            signature,
            totals,
            gone: self.results(&gone).filter(is_gone).map(|result| result.item).collect(),
            joiners,
            sha256: sha256_of_lines(self.results(&gone)),
            completed_at: decision.now,
        }])
    }

    fn first_that_are(&self, outcome: ItemOutcome, gone: &BTreeSet<u32>) -> Vec<u32> {
        let those = self.results(gone).filter(|result| result.outcome == outcome);
        those.map(|result| result.item).take(NAMED).collect()
    }

    fn cancel(&self, decision: &Decision<'_>, reason: Reason) -> AccessReviewEvent {
        AccessReviewEvent::AccessReviewCancelled {
            organization: self.organization,
            by: decision.actor.person(),
            reason: Sealed::new(self.review, reason),
        }
    }
}

impl Decider for AccessReview {
    const TYPE: &'static str = "access_reviews.access_review";
    type Command = AccessReviewCommand;
    type Event = AccessReviewEvent;
    type Refusal = AccessReviewRefusal;

    fn decide(&self, decision: &Decision<'_>, command: AccessReviewCommand) -> Decided {
        use AccessReviewCommand as C;
        match command {
            C::Open(new) => self.open(decision, *new),
            C::Decide(wish) => self.under_way()?.decide_items(decision, *wish),
            C::Undo(wish) => self.to_undo()?.undo(decision, *wish),
            C::Confirm(wish) => self.under_way()?.confirm(decision, *wish),
            C::Attest(wish) => self.under_way()?.attest(decision, *wish),
            C::Delegate(wish) => self.under_way()?.delegate(decision, *wish),
            C::Lapse { left } => Ok(self.under_way()?.lapse(&left)),
            C::RecordExecution(done) => self.under_way()?.record_execution(done),
            C::RecordCarrying(done) => self.under_way()?.record_carrying(decision, done),
            C::DecideByPolicy(wish) => self.under_way()?.decide_by_policy(decision, wish),
            C::Watch => Ok(self.under_way().map_or_else(|_| Vec::new(), |it| it.watch(decision))),
            C::Complete(done) => self.under_way()?.complete(decision, *done),
            C::Cancel { reason } => Ok(vec![self.under_way()?.cancel(decision, reason)]),
        }
    }

    fn evolve(&mut self, event: &AccessReviewEvent) {
        match self {
            Self::NotOpened => *self = Self::begin(event),
            Self::Opened(review) => review.evolve(event),
        }
    }
}
