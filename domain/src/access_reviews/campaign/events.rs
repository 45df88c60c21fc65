//! What happens to a campaign. Invariant: which organisations it covers follows its opening in the same
//! append, and never changes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ReviewScope;
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, ReviewTemplateId, UserId};
use crate::values::{CalendarDate, ContentLine, Reason};
use crate::{Event, Facets, Sealed};

/// How the review of an organisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewEnd {
    Signed,
    Cancelled,
}

/// Why an organisation has no review in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SkipReason {
    /// A review of the same people was open already.
    OpenAlready { review: AccessReviewId },
    /// The choice has nobody there.
    NothingToReview,
    /// It is suspended or closed.
    NotActive,
    /// The choice has more items than a review holds.
    TooMany,
    /// Only what changed was to be reviewed, and nothing has since this signed review.
    NothingChanged { since: AccessReviewId },
}

/// The template that a campaign was opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTemplate {
    pub template: ReviewTemplateId,
    /// The date of its recurrence; none where somebody opened it by hand.
    pub due_on: Option<CalendarDate>,
}

/// How the organisations of a campaign came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTotals {
    pub organizations: u32,
    pub signed: u32,
    pub cancelled: u32,
    pub skipped: u32,
}

/// A fact about a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReviewCampaignEvent {
    /// A campaign began (GN-15).
    ReviewCampaignOpened {
        campaign: CampaignId,
        name: ContentLine,
        scope: ReviewScope,
        /// The tenant's position as of which the organisations were read.
        as_of: i64,
        organizations: u32,
        /// Of their ids, as [`crate::access_reviews::sha256_of_lines`] has it.
        sha256: String,
        opened_by: UserId,
        opened_at: DateTime<Utc>,
        due_at: DateTime<Utc>,
        grace_until: DateTime<Utc>,
        /// Whether only what changed since the last signed review of the same is to be decided there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        changed_only: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<FromTemplate>,
    },
    /// A part of the organisations that it covers, frozen.
    CampaignOrganizationsListed {
        /// The number of the first one, from 1.
        first: u32,
        organizations: Vec<OrganizationId>,
    },
    /// The review of an organisation was opened, in the same append.
    CampaignReviewOpened { organization: OrganizationId, review: AccessReviewId, items: u32 },
    /// An organisation has no review in it.
    CampaignOrganizationSkipped { organization: OrganizationId, reason: SkipReason },
    /// The review of an organisation was signed or cancelled, in the same append.
    CampaignReviewClosed { organization: OrganizationId, review: AccessReviewId, end: ReviewEnd },
    /// Nothing of it is under way any more.
    ReviewCampaignCompleted { totals: CampaignTotals, completed_at: DateTime<Utc> },
    /// It was called off; reviews that were signed stand.
    ReviewCampaignCancelled { by: UserId, reason: Sealed<Reason> },
}

impl Event for ReviewCampaignEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ReviewCampaignOpened { .. } => {
                "access_reviews.review_campaign.review_campaign_opened"
            }
            Self::CampaignOrganizationsListed { .. } => {
                "access_reviews.review_campaign.campaign_organizations_listed"
            }
            Self::CampaignReviewOpened { .. } => {
                "access_reviews.review_campaign.campaign_review_opened"
            }
            Self::CampaignOrganizationSkipped { .. } => {
                "access_reviews.review_campaign.campaign_organization_skipped"
            }
            Self::CampaignReviewClosed { .. } => {
                "access_reviews.review_campaign.campaign_review_closed"
            }
            Self::ReviewCampaignCompleted { .. } => {
                "access_reviews.review_campaign.review_campaign_completed"
            }
            Self::ReviewCampaignCancelled { .. } => {
                "access_reviews.review_campaign.review_campaign_cancelled"
            }
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::CampaignReviewOpened { organization, .. }
            | Self::CampaignOrganizationSkipped { organization, .. }
            | Self::CampaignReviewClosed { organization, .. } => {
                Facets::default().organization(*organization)
            }
            Self::ReviewCampaignOpened { .. }
            | Self::CampaignOrganizationsListed { .. }
            | Self::ReviewCampaignCompleted { .. }
            | Self::ReviewCampaignCancelled { .. } => Facets::default(),
        }
    }
}
