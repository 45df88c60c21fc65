//! Why nobody reviews in somebody's place.

use super::MOST_DAYS_AWAY;
use crate::{Code, Refusal};

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewSubstitutesRefusal {
    #[error("Choose somebody else to review in your place.")]
    Oneself,
    #[error("Let the time end after it begins, and later than now.")]
    EndsTooEarly,
    #[error("Choose a time of at most {MOST_DAYS_AWAY} days.")]
    TooLong,
    #[error("Nobody reviews in your place.")]
    NotAway,
    #[error("Only a person has somebody review in their place.")]
    NoPerson,
}

impl From<ReviewSubstitutesRefusal> for Refusal {
    fn from(refusal: ReviewSubstitutesRefusal) -> Self {
        use ReviewSubstitutesRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Oneself => Self::new(Code::FieldInvalid, message).at("substituteId"),
            R::EndsTooEarly | R::TooLong => Self::new(Code::RangeInvalid, message).at("until"),
            R::NotAway => Self::new(Code::NotPending, message),
            R::NoPerson => Self::new(Code::Forbidden, message),
        }
    }
}
