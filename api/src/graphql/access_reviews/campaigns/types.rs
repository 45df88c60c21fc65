//! What a campaign looks like.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::access_reviews::campaign::CampaignStatus;

use super::super::types::{
    AccessReviewCounts, AccessReviewFigures, AccessReviewScope, AccessReviewStatus,
};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    paging::connection,
    scalars::{Date, DateTime, Position},
};

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::access_reviews::campaign::CampaignStatus")]
pub enum ReviewCampaignStatus {
    /// Not every organization has its review yet.
    Opening,
    Open,
    /// No review of it is under way any more.
    Completed,
    Cancelled,
}

impl ReviewCampaignStatus {
    /// Of the name in rows.
    pub(super) fn named(word: &str) -> Self {
        use CampaignStatus as S;
        let all = [S::Opening, S::Open, S::Completed, S::Cancelled];
        all.into_iter().find(|status| status.as_str() == word).unwrap_or(S::Opening).into()
    }
}

/// Where an organization of a campaign stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum ReviewCampaignState {
    /// Its review is to be opened.
    Waiting,
    UnderWay,
    Signed,
    Cancelled,
    /// It has no review in this campaign.
    Skipped,
}

impl ReviewCampaignState {
    const ALL: [Self; 5] =
        [Self::Waiting, Self::UnderWay, Self::Signed, Self::Cancelled, Self::Skipped];

    /// The name in rows.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::UnderWay => "UNDER_WAY",
            Self::Signed => "SIGNED",
            Self::Cancelled => "CANCELLED",
            Self::Skipped => "SKIPPED",
        }
    }

    pub(super) fn named(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Waiting)
    }
}

/// Why an organization has no review in a campaign.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum ReviewCampaignSkipReason {
    /// A review of the same people was open there already.
    OpenAlready,
    /// The choice has nobody there.
    NothingToReview,
    /// It is suspended or closed.
    NotActive,
    /// It has more than 100,000 items.
    TooMany,
    /// Only what changed was to be reviewed, and nothing has since the signed review `accessReviewId`.
    NothingChanged,
}

impl ReviewCampaignSkipReason {
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "OPEN_ALREADY" => Some(Self::OpenAlready),
            "NOTHING_TO_REVIEW" => Some(Self::NothingToReview),
            "NOT_ACTIVE" => Some(Self::NotActive),
            "TOO_MANY" => Some(Self::TooMany),
            "NOTHING_CHANGED" => Some(Self::NothingChanged),
            _ => None,
        }
    }
}

/// How many organizations of a campaign stand where.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct ReviewCampaignOrganizationCounts {
    pub total: i32,
    pub waiting: i32,
    pub under_way: i32,
    /// Of those under way.
    pub overdue: i32,
    pub signed: i32,
    pub cancelled: i32,
    pub skipped: i32,
}

/// The same review in many organizations (GN-15). Its organizations are `reviewCampaignOrganizations`.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewCampaign {
    pub id: ID,
    pub name: String,
    pub scope: AccessReviewScope,
    /// Whether only what changed since the last signed review of the same is to be decided.
    pub changed_only: bool,
    pub status: ReviewCampaignStatus,
    /// Of one that its template opened by itself, who made or changed the template last.
    pub opened_by: PersonReference,
    /// The template that it was opened by.
    pub review_template_id: Option<ID>,
    /// The date of the template's recurrence; absent where somebody opened it by hand.
    pub due_on: Option<Date>,
    pub opened_at: DateTime,
    pub due_at: DateTime,
    /// When reviews that nobody signed are escalated.
    pub grace_until: DateTime,
    /// The place in the journal as of which the organizations were read.
    pub as_of_position: Position,
    /// SHA-256 of their ids: each as JSON, with a line feed after it.
    pub sha256: String,
    pub organizations: ReviewCampaignOrganizationCounts,
    /// How many items its reviews have, but for those that were cancelled.
    pub population: i32,
    /// Of these items; who left since and was not written down yet counts as before.
    pub counts: AccessReviewCounts,
    pub figures: AccessReviewFigures,
    /// When it was completed or cancelled.
    pub closed_at: Option<DateTime>,
    /// For `expectedVersion`.
    pub version: i32,
}

connection!(ReviewCampaignConnection, ReviewCampaignEdge, ReviewCampaign);

/// An organization of a campaign.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewCampaignOrganization {
    /// The number in the list, from 1.
    pub number: i32,
    pub organization: OrganizationReference,
    pub state: ReviewCampaignState,
    /// Its review; of one that was skipped the one that was open there already, or the signed one since which nothing
    /// changed.
    pub access_review_id: Option<ID>,
    pub skip_reason: Option<ReviewCampaignSkipReason>,
    /// Of its review.
    pub status: Option<AccessReviewStatus>,
    pub population: Option<i32>,
    pub undecided: Option<i32>,
    pub closed_at: Option<DateTime>,
}

connection!(
    ReviewCampaignOrganizationConnection,
    ReviewCampaignOrganizationEdge,
    ReviewCampaignOrganization
);

/// An organization that a campaign would cover.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewCampaignPreviewOrganization {
    pub organization: OrganizationReference,
    /// How many items its review would have.
    pub items: i32,
    /// A review of the same people that is open there: it would get no other.
    pub open_review_id: Option<ID>,
}

/// What a campaign would have if it were opened now.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewCampaignPreview {
    /// The place in the journal that it is counted at.
    pub as_of_position: Position,
    /// How many organizations it would cover; for `expectedOrganizations`.
    pub organizations: i32,
    /// How many of them would get a review.
    pub reviews: i32,
    /// How many items these would have together; with `changedOnly` as many at most.
    pub items: i32,
    /// How many have nobody to review.
    pub without_items: i32,
    /// In how many a review of the same people is open.
    pub open_already: i32,
    /// The hundred with the most items, the most first.
    pub largest: Vec<ReviewCampaignPreviewOrganization>,
}
