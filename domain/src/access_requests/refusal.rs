//! Why a request for access is refused, or a wish about one.

use crate::{Code, Refusal};

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRequestRefusal {
    #[error("Name at least one thing you need, twenty at most, and each once.")]
    Items,
    #[error("The access must end later than now.")]
    UntilPast,
    #[error("There is no such request. Check the id and try again.")]
    Unknown,
    #[error("This request was decided already, taken back or ran out.")]
    AlreadyDecided,
    #[error(
        "Nobody decides about their own request. Ask another administrator or the health plan."
    )]
    SelfApproval,
    #[error("This request waits for the health plan.")]
    PlanDecides,
    #[error("This request waits for an administrator of the organization.")]
    AdministratorDecides,
    #[error("Name two different organizations, the one left and the one joined.")]
    MovesNowhere,
}

impl From<AccessRequestRefusal> for Refusal {
    fn from(refusal: AccessRequestRefusal) -> Self {
        use AccessRequestRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Items => Self::new(Code::FieldRequired, message).at("items"),
            R::UntilPast => Self::new(Code::RangeInvalid, message).at("until"),
            R::Unknown => Self::not_found("accessRequestId"),
            R::AlreadyDecided => Self::new(Code::AlreadyDecided, message),
            R::SelfApproval => Self::new(Code::SelfApproval, message),
            R::PlanDecides => Self::new(Code::Forbidden, message),
            R::MovesNowhere => Self::new(Code::FieldInvalid, message).at("move"),
            R::AdministratorDecides => Self::new(Code::NotOrgAdmin, message),
        }
    }
}
