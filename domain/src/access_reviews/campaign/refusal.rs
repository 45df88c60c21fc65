//! Why a campaign refuses.

use super::{MOST_DAYS_OPEN, MOST_ORGANIZATIONS};
use crate::{Code, Refusal};

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewCampaignRefusal {
    #[error("This campaign was opened already.")]
    Opened,
    #[error("No organization is covered by this choice. Choose others.")]
    NoOrganizations,
    #[error("This choice has more than {MOST_ORGANIZATIONS} organizations. Choose fewer.")]
    TooMany,
    #[error("An organization is chosen twice.")]
    ChosenTwice,
    #[error("Let the reviews be open for 1 to {MOST_DAYS_OPEN} days.")]
    DaysOpen,
    #[error("There is no such campaign. Check the id and try again.")]
    Unknown,
    #[error("This campaign is over; what its reviews found stands.")]
    Closed,
    #[error("A campaign reviews people. Open reviews of rights in one organization at a time.")]
    OfRights,
    #[error("Only a person opens or cancels a campaign.")]
    NoPerson,
}

impl From<ReviewCampaignRefusal> for Refusal {
    fn from(refusal: ReviewCampaignRefusal) -> Self {
        use ReviewCampaignRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Opened => Self::new(Code::DuplicateRequest, message),
            R::NoOrganizations | R::ChosenTwice => {
                Self::new(Code::FieldInvalid, message).at("organizationIds")
            }
            R::TooMany => Self::new(Code::BulkLimit, message).at("organizationIds"),
            R::DaysOpen => Self::new(Code::RangeInvalid, message).at("openDays"),
            R::Unknown => Self::not_found("reviewCampaignId"),
            R::Closed => Self::new(Code::ReviewClosed, message),
            R::OfRights => Self::new(Code::FieldInvalid, message).at("scope"),
            R::NoPerson => Self::new(Code::Forbidden, message),
        }
    }
}
