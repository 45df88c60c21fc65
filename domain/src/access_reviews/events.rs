//! What happens to a review. Invariant: every fact names the organisation, and one about an item the
//! person whose access it is, so that it stands in that person's own history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Leftover, Opener, Recommendation, ReviewDecision, ReviewItem, ReviewScope, ReviewTotals,
    ReviewedAccess, Seen,
};
use crate::audit::ReviewSignature;
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::policies::OverdueAction;
use crate::values::Reason;
use crate::{Event, Facets, Sealed};

/// A decision as it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewItemDecision {
    pub organization: OrganizationId,
    pub item: u32,
    pub user: UserId,
    /// The right on the list; none where the item is the membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<ReviewedAccess>,
    pub reviewer: UserId,
    /// The decision whose place it takes.
    pub old: Option<ReviewDecision>,
    pub new: ReviewDecision,
    pub reason: Option<Sealed<Reason>>,
    pub decided_at: DateTime<Utc>,
    pub seen: Seen,
    pub recommendation: Option<Recommendation>,
    /// The decision that it takes back, where it was made for nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<UndoneDecision>,
}

/// A decision that was taken back; what it was stands beside as the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoneDecision {
    pub reviewer: UserId,
    pub decided_at: DateTime<Utc>,
}

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewExecution {
    pub organization: OrganizationId,
    pub item: u32,
    pub user: UserId,
    /// The right on the list; none where the item is the membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<ReviewedAccess>,
    pub decided_at: DateTime<Utc>,
    pub executed_at: DateTime<Utc>,
    /// Whether the access was looked up afterwards and found to be as decided.
    pub verified: bool,
    /// Seconds from the decision to its effect.
    pub delay_s: i64,
    /// What the look found that contradicts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remaining: Vec<Leftover>,
}

/// A fact about a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccessReviewEvent {
    /// A review began; its list follows in the same append (CC-13).
    AccessReviewOpened {
        review: AccessReviewId,
        organization: OrganizationId,
        #[serde(default)]
        campaign: Option<CampaignId>,
        scope: ReviewScope,
        /// The tenant's position as of which the list was read.
        as_of: i64,
        items: u32,
        /// Of the whole list, as [`super::sha256_of_lines`] has it.
        sha256: String,
        opened_by: Opener,
        opened_at: DateTime<Utc>,
        due_at: DateTime<Utc>,
        grace_until: DateTime<Utc>,
    },
    /// A part of the list, frozen (GN-15).
    ReviewItemsListed {
        organization: OrganizationId,
        /// The number of the first one.
        first: u32,
        items: Vec<ReviewItem>,
    },
    /// A reviewer decided about an item (CC-13).
    ReviewItemDecided(Box<ReviewItemDecision>),
    /// Somebody else decides about an item, or no longer (GN-15).
    ReviewItemDelegated {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        old: Option<UserId>,
        new: Option<UserId>,
        by: UserId,
        reason: Sealed<Reason>,
    },
    /// Access was taken away as decided (GN-15).
    ReviewRevocationExecuted(ReviewExecution),
    /// Access was changed as decided (GN-15).
    ReviewChangeExecuted(ReviewExecution),
    /// A reviewer keeps almost everything, quicker than anybody reads (GN-15).
    HastyReviewSuspected {
        organization: OrganizationId,
        reviewer: UserId,
        /// What they decided about in this review so far, and how much of it they kept.
        decided: u32,
        kept: u32,
        /// What they took for an item on average, within sittings.
        ms_per_item: i64,
    },
    /// The reviewers were reminded so many days before it is due.
    AccessReviewReminded { organization: OrganizationId, days_left: u32, undecided: u32 },
    /// Nobody signed in time.
    AccessReviewOverdue { organization: OrganizationId, undecided: u32 },
    /// Nor in the time after that (GN-15).
    AccessReviewEscalated { organization: OrganizationId, undecided: u32, action: OverdueAction },
    /// A reviewer signed that the list is right (CC-13).
    AccessReviewCompleted {
        organization: OrganizationId,
        attested_by: UserId,
        signature: ReviewSignature,
        totals: ReviewTotals,
        /// The items whose person left, or whose right ended, for another reason.
        gone: Vec<u32>,
        /// How many members, or rights of members, came since the list was frozen.
        joiners: u32,
        /// Of all results, as [`super::sha256_of_lines`] has it.
        sha256: String,
        completed_at: DateTime<Utc>,
    },
    /// It ended without a result.
    AccessReviewCancelled {
        organization: OrganizationId,
        /// None where nobody did but a rule.
        by: Option<UserId>,
        reason: Sealed<Reason>,
    },
}

impl AccessReviewEvent {
    /// The organisation under review, and whose access a fact about an item is about.
    #[must_use]
    pub fn parties(&self) -> (OrganizationId, Option<UserId>) {
        match self {
            Self::AccessReviewOpened { organization, .. }
            | Self::ReviewItemsListed { organization, .. }
            | Self::HastyReviewSuspected { organization, .. }
            | Self::AccessReviewReminded { organization, .. }
            | Self::AccessReviewOverdue { organization, .. }
            | Self::AccessReviewEscalated { organization, .. }
            | Self::AccessReviewCompleted { organization, .. }
            | Self::AccessReviewCancelled { organization, .. } => (*organization, None),
            Self::ReviewItemDecided(decided) => (decided.organization, Some(decided.user)),
            Self::ReviewItemDelegated { organization, user, .. } => (*organization, Some(*user)),
            Self::ReviewRevocationExecuted(done) | Self::ReviewChangeExecuted(done) => {
                (done.organization, Some(done.user))
            }
        }
    }
}

impl Event for AccessReviewEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AccessReviewOpened { .. } => "access_reviews.access_review.access_review_opened",
            Self::ReviewItemsListed { .. } => "access_reviews.access_review.review_items_listed",
            Self::ReviewItemDecided(_) => "access_reviews.access_review.review_item_decided",
            Self::ReviewItemDelegated { .. } => {
                "access_reviews.access_review.review_item_delegated"
            }
            Self::ReviewRevocationExecuted(_) => {
                "access_reviews.access_review.review_revocation_executed"
            }
            Self::ReviewChangeExecuted(_) => "access_reviews.access_review.review_change_executed",
            Self::HastyReviewSuspected { .. } => {
                "access_reviews.access_review.hasty_review_suspected"
            }
            Self::AccessReviewReminded { .. } => {
                "access_reviews.access_review.access_review_reminded"
            }
            Self::AccessReviewOverdue { .. } => {
                "access_reviews.access_review.access_review_overdue"
            }
            Self::AccessReviewEscalated { .. } => {
                "access_reviews.access_review.access_review_escalated"
            }
            Self::AccessReviewCompleted { .. } => {
                "access_reviews.access_review.access_review_completed"
            }
            Self::AccessReviewCancelled { .. } => {
                "access_reviews.access_review.access_review_cancelled"
            }
        }
    }

    fn facets(&self) -> Facets {
        let (organization, subject) = self.parties();
        Facets { subject, ..Facets::default().organization(organization) }
    }
}
