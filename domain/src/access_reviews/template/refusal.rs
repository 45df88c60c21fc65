//! Why a template refuses.

use super::{MOST_DATES, MOST_DAYS_BETWEEN, MOST_NAMED};
use crate::access_reviews::campaign::MOST_DAYS_OPEN;
use crate::{Code, Refusal};

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewTemplateRefusal {
    #[error("This template was made already.")]
    Created,
    #[error("There is no such template. Check the id and try again.")]
    Unknown,
    #[error("This template was retired. Make a new one.")]
    Retired,
    #[error("Only a person makes, changes or retires a template.")]
    NoPerson,
    #[error("Let the reviews be open for 1 to {MOST_DAYS_OPEN} days.")]
    DaysOpen,
    #[error("Choose every 1 to {MOST_DAYS_BETWEEN} days, or 1 to {MOST_DATES} dates of the year.")]
    Recurrence,
    #[error("Name 1 to {MOST_NAMED} organizations, each once, or none to cover all of them.")]
    Organizations,
}

impl From<ReviewTemplateRefusal> for Refusal {
    fn from(refusal: ReviewTemplateRefusal) -> Self {
        use ReviewTemplateRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Created => Self::new(Code::DuplicateRequest, message),
            R::Unknown => Self::not_found("reviewTemplateId"),
            R::Retired => Self::new(Code::AlreadyInactive, message).at("reviewTemplateId"),
            R::NoPerson => Self::new(Code::Forbidden, message),
            R::DaysOpen => Self::new(Code::RangeInvalid, message).at("openDays"),
            R::Recurrence => Self::new(Code::RangeInvalid, message).at("recurrence"),
            R::Organizations => Self::new(Code::FieldInvalid, message).at("organizationIds"),
        }
    }
}
