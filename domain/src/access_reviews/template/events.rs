//! What happens to a template. Invariant: whatever is opened by it stands in the append of that opening.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::TemplateTerms;
use crate::kernel::ids::{CampaignId, ReviewTemplateId, UserId};
use crate::values::CalendarDate;
use crate::{Event, Facets};

/// Why nothing was opened on a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TemplateSkip {
    /// No organisation was covered that day.
    NoOrganizations,
    /// More than a campaign may cover.
    TooMany,
}

impl TemplateSkip {
    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoOrganizations => "NO_ORGANIZATIONS",
            Self::TooMany => "TOO_MANY",
        }
    }
}

/// A fact about a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReviewTemplateEvent {
    /// Somebody saved the choice of a campaign (GN-15).
    ReviewTemplateCreated {
        template: ReviewTemplateId,
        terms: Box<TemplateTerms>,
        by: UserId,
        created_at: DateTime<Utc>,
    },
    /// It says this from now on.
    ReviewTemplateChanged { terms: Box<TemplateTerms>, by: UserId, changed_at: DateTime<Utc> },
    /// A campaign was opened by it, in the same append.
    ReviewTemplateOpened {
        campaign: CampaignId,
        /// The date of its recurrence; none where somebody opened it by hand.
        due_on: Option<CalendarDate>,
        opened_at: DateTime<Utc>,
    },
    /// A date of its recurrence had nothing to open.
    ReviewTemplateSkipped { due_on: CalendarDate, reason: TemplateSkip },
    /// Nothing is opened by it any more.
    ReviewTemplateRetired { by: UserId, retired_at: DateTime<Utc> },
}

impl Event for ReviewTemplateEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ReviewTemplateCreated { .. } => {
                "access_reviews.review_template.review_template_created"
            }
            Self::ReviewTemplateChanged { .. } => {
                "access_reviews.review_template.review_template_changed"
            }
            Self::ReviewTemplateOpened { .. } => {
                "access_reviews.review_template.review_template_opened"
            }
            Self::ReviewTemplateSkipped { .. } => {
                "access_reviews.review_template.review_template_skipped"
            }
            Self::ReviewTemplateRetired { .. } => {
                "access_reviews.review_template.review_template_retired"
            }
        }
    }

    fn facets(&self) -> Facets {
        Facets::default()
    }
}
