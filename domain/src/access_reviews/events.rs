//! What happens to a review. Invariant: every fact names the organisation, and one about an item the
//! person whose access it is, so that it stands in that person's own history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    CarriedItem, Leftover, Opener, Recommendation, ReviewDecision, ReviewItem, ReviewScope,
    ReviewTotals, ReviewedAccess, Risk, Seen,
};
use crate::audit::ReviewSignature;
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::policies::{OverdueAction, RevocationMode, SecondReviewer, UndecidedAction};
use crate::values::Reason;
use crate::{Event, Facets, Refusal, Sealed};

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
    /// Who was away, where the reviewer decided in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_of: Option<UserId>,
    /// Where it waits for the review's closing: whether it was made for the plan, and what plan staff
    /// had to show for it (CC-07).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_plan: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Sealed<Reason>>,
}

/// What the policy decided about an item because nobody did in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDecision {
    pub organization: OrganizationId,
    pub item: u32,
    pub user: UserId,
    /// The right on the list; none where the item is the membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<ReviewedAccess>,
    /// By which the policy told it from others.
    pub risk: Risk,
    pub new: ReviewDecision,
    pub decided_at: DateTime<Utc>,
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
        /// How many the list has, with what is carried forward.
        items: u32,
        /// Of the whole list, as [`super::sha256_of_lines`] has it.
        sha256: String,
        opened_by: Opener,
        opened_at: DateTime<Utc>,
        due_at: DateTime<Utc>,
        grace_until: DateTime<Utc>,
        /// Whether only what changed since the last signed review is to be decided.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        changed_only: bool,
        /// That review, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compared_with: Option<AccessReviewId>,
        /// When what is decided is carried out, whatever the policy says later.
        #[serde(default, skip_serializing_if = "RevocationMode::is_at_once")]
        revocations: RevocationMode,
        /// Whether people are asked to say of their own access whether they need it still.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        asks_for_attestation: bool,
        /// Who has to confirm what is decided.
        #[serde(default, skip_serializing_if = "SecondReviewer::is_none")]
        second_reviewer: SecondReviewer,
    },
    /// A part of the list, frozen (GN-15).
    ReviewItemsListed {
        organization: OrganizationId,
        /// The number of the first one.
        first: u32,
        items: Vec<ReviewItem>,
    },
    /// A part of the list that nobody has to decide about: certified by a signed review and unchanged since
    /// (GN-15).
    ReviewItemsCarriedForward {
        organization: OrganizationId,
        /// The signed review that is carried on.
        from: AccessReviewId,
        /// The number of the first one.
        first: u32,
        items: Vec<CarriedItem>,
    },
    /// A reviewer decided about an item (CC-13).
    ReviewItemDecided(Box<ReviewItemDecision>),
    /// A second reviewer confirmed what another decided, so that it counts (GN-15).
    ReviewItemConfirmed {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<ReviewedAccess>,
        decision: ReviewDecision,
        /// Which decision about the item.
        decided_at: DateTime<Utc>,
        by: UserId,
        confirmed_at: DateTime<Utc>,
        seen: Seen,
    },
    /// Somebody said of their own access whether they need it still (GN-15).
    ReviewItemAttested {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<ReviewedAccess>,
        needed: bool,
        reason: Option<Sealed<Reason>>,
        attested_at: DateTime<Utc>,
    },
    /// Somebody else decides about an item, or no longer (GN-15).
    ReviewItemDelegated {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        old: Option<UserId>,
        new: Option<UserId>,
        by: UserId,
        reason: Sealed<Reason>,
        /// Who was chosen and is away, where `new` reviews in their place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_place_of: Option<UserId>,
    },
    /// Whoever was to decide about an item is no active member any more: it is all reviewers' again (GN-15).
    ReviewDelegationLapsed {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        delegate: UserId,
    },
    /// Nobody decides any more, and what was decided is carried out from now on (GN-15).
    AccessReviewClosing {
        organization: OrganizationId,
        by: UserId,
        /// How many decisions waited for that.
        to_carry_out: u32,
        closing_at: DateTime<Utc>,
    },
    /// A decision that waited for the closing was carried out; whether that is so, is looked up yet.
    ReviewDecisionCarriedOut {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<ReviewedAccess>,
        decided_at: DateTime<Utc>,
        carried_out_at: DateTime<Utc>,
    },
    /// A decision that waited for the closing could not be carried out, and is to be made anew.
    ReviewDecisionNotCarriedOut {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<ReviewedAccess>,
        decided_at: DateTime<Utc>,
        refusal: Refusal,
    },
    /// Nobody decided about an item until the grace was over, so the policy did (GN-15).
    ReviewItemDecidedByPolicy(PolicyDecision),
    /// The policy would have taken access away that nobody decided about, and could not.
    ReviewItemLeftByPolicy {
        organization: OrganizationId,
        item: u32,
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<ReviewedAccess>,
        risk: Risk,
        refusal: Refusal,
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
    AccessReviewEscalated {
        organization: OrganizationId,
        undecided: u32,
        action: OverdueAction,
        /// What becomes of ordinary items that are undecided, and of those of high risk.
        #[serde(default, skip_serializing_if = "UndecidedAction::is_escalate")]
        ordinary: UndecidedAction,
        #[serde(default, skip_serializing_if = "UndecidedAction::is_escalate")]
        high: UndecidedAction,
    },
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
            | Self::ReviewItemsCarriedForward { organization, .. }
            | Self::HastyReviewSuspected { organization, .. }
            | Self::AccessReviewReminded { organization, .. }
            | Self::AccessReviewOverdue { organization, .. }
            | Self::AccessReviewEscalated { organization, .. }
            | Self::AccessReviewCompleted { organization, .. }
            | Self::AccessReviewClosing { organization, .. }
            | Self::AccessReviewCancelled { organization, .. } => (*organization, None),
            Self::ReviewItemDecided(decided) => (decided.organization, Some(decided.user)),
            Self::ReviewItemDecidedByPolicy(decided) => (decided.organization, Some(decided.user)),
            Self::ReviewItemDelegated { organization, user, .. }
            | Self::ReviewItemConfirmed { organization, user, .. }
            | Self::ReviewItemAttested { organization, user, .. }
            | Self::ReviewDelegationLapsed { organization, user, .. }
            | Self::ReviewDecisionCarriedOut { organization, user, .. }
            | Self::ReviewDecisionNotCarriedOut { organization, user, .. }
            | Self::ReviewItemLeftByPolicy { organization, user, .. } => {
                (*organization, Some(*user))
            }
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
            Self::ReviewItemsCarriedForward { .. } => {
                "access_reviews.access_review.review_items_carried_forward"
            }
            Self::ReviewItemDecided(_) => "access_reviews.access_review.review_item_decided",
            Self::ReviewItemDelegated { .. } => {
                "access_reviews.access_review.review_item_delegated"
            }
            Self::ReviewItemConfirmed { .. } => {
                "access_reviews.access_review.review_item_confirmed"
            }
            Self::ReviewItemAttested { .. } => "access_reviews.access_review.review_item_attested",
            Self::ReviewDelegationLapsed { .. } => {
                "access_reviews.access_review.review_delegation_lapsed"
            }
            Self::AccessReviewClosing { .. } => {
                "access_reviews.access_review.access_review_closing"
            }
            Self::ReviewDecisionCarriedOut { .. } => {
                "access_reviews.access_review.review_decision_carried_out"
            }
            Self::ReviewDecisionNotCarriedOut { .. } => {
                "access_reviews.access_review.review_decision_not_carried_out"
            }
            Self::ReviewItemDecidedByPolicy(_) => {
                "access_reviews.access_review.review_item_decided_by_policy"
            }
            Self::ReviewItemLeftByPolicy { .. } => {
                "access_reviews.access_review.review_item_left_by_policy"
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
