//! Delta certification: what of a list needs no new decision, since a signed review kept it and nothing
//! has happened to it from then on (GN-15).
//!
//! Invariant: what cannot be shown to be as it was decided is listed anew; only an outcome that was signed
//! carries anything, and who decided is told however often it is carried on.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AccessReview, AccessReviewEvent, Item, ItemOutcome, Review, ReviewDecision, ReviewStatus,
    Reviewed, ReviewedAccess, Since,
};
use crate::kernel::ids::{AccessReviewId, UserId};
use crate::{Decider, Told};

/// Where somebody decided last that an access stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Certification {
    pub review: AccessReviewId,
    pub by: UserId,
    pub at: DateTime<Utc>,
}

/// Access that a new review does not ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub reviewed: Reviewed,
    pub certified: Certification,
}

/// A line of a review's list that was carried forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedItem {
    /// The number in the list, from 1.
    pub item: u32,
    pub user: UserId,
    pub access: ReviewedAccess,
    pub certified: Certification,
}

/// What was certified, and from where on nothing may have happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    certified: Certification,
    /// The place of the decision; of what was carried, of the review's opening, which looked at what came before.
    since: i64,
}

/// What a signed review left certified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    standing: BTreeMap<Reviewed, Standing>,
}

/// A list, as far as it is to be decided and as far as it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub listed: Vec<Reviewed>,
    pub carried: Vec<Carried>,
}

impl Baseline {
    /// Of the whole history of a review; nothing where it was not signed.
    #[must_use]
    pub fn of(told: &[Told<AccessReviewEvent>]) -> Self {
        let (mut state, mut places) = (AccessReview::default(), BTreeMap::new());
        for fact in told {
            state.evolve(&fact.event);
            if let AccessReviewEvent::ReviewItemDecided(decided) = &fact.event {
                places.insert(decided.item, fact.position);
            }
        }
        let is_signed = |review: &&Review| review.status == ReviewStatus::Completed;
        let (Some(review), Some(opened)) = (state.review().filter(is_signed), told.first()) else {
            return Self::default();
        };
        let standing = |(number, item): (u32, &Item)| {
            let (access, certified) = item.certified(review, number)?;
            let since = places.get(&number).copied().unwrap_or(opened.position);
            Some((Reviewed { user: item.user, access }, Standing { certified, since }))
        };
        Self { standing: review.items().filter_map(standing).collect() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    /// What of a list was certified exactly as it is held now, each with the place from where on its history
    /// matters.
    pub fn matching<'a>(
        &'a self,
        list: &'a [Reviewed],
    ) -> impl Iterator<Item = (&'a Reviewed, i64)> + 'a {
        list.iter().filter_map(|it| Some((it, self.standing.get(it)?.since)))
    }

    /// The list in two: each access stands in one of them, in the list's order.
    #[must_use]
    pub fn split(&self, list: Vec<Reviewed>, history: &Since) -> Split {
        let mut split = Split::default();
        for reviewed in list {
            let standing = self.standing.get(&reviewed).filter(|standing| {
                !history.is_touched(&reviewed, standing.since, standing.certified.at)
            });
            match standing.map(|standing| standing.certified) {
                Some(certified) => split.carried.push(Carried { reviewed, certified }),
                None => split.listed.push(reviewed),
            }
        }
        split
    }
}

impl Item {
    /// What of it was certified when the review was signed, and where.
    fn certified(&self, review: &Review, number: u32) -> Option<(ReviewedAccess, Certification)> {
        match self.outcome(review.gone.contains(&number)) {
            ItemOutcome::CarriedForward => Some((self.access.clone(), self.carried?)),
            ItemOutcome::Kept | ItemOutcome::Changed => {
                let decided = self.decided.as_ref()?;
                // What the policy kept, nobody certified.
                let by = decided.by?;
                let certified = Certification { review: review.review, by, at: decided.at };
                Some((self.access.after(decided.decision)?, certified))
            }
            ItemOutcome::Undecided
            | ItemOutcome::Pending
            | ItemOutcome::Revoked
            | ItemOutcome::Gone => None,
        }
    }
}

impl ReviewedAccess {
    /// What a decision leaves of it.
    fn after(&self, decision: ReviewDecision) -> Option<Self> {
        match (decision, self) {
            (ReviewDecision::Keep, _) => Some(self.clone()),
            (ReviewDecision::Change { role }, Self::Membership { .. }) => {
                Some(Self::Membership { role })
            }
            (ReviewDecision::ChangeLevel { level }, Self::Npi { npi, until, .. }) => {
                Some(Self::Npi { npi: npi.clone(), level, until: *until })
            }
            (
                ReviewDecision::Revoke { .. }
                | ReviewDecision::Change { .. }
                | ReviewDecision::ChangeLevel { .. },
                _,
            ) => None,
        }
    }
}
