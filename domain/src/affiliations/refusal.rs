//! Why an affiliation refused. Invariant: each refusal names the field at fault where there is one.

use crate::{Code, Refusal};

/// Why an affiliation refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AffiliationRefusal {
    #[error("An organization cannot be affiliated with itself. Choose another.")]
    WithItself,
    #[error("Affiliations join a submitter and a provider. Choose an organization of that kind.")]
    KindWrong,
    #[error("Choose at least one transaction type.")]
    NoTransactionType,
    #[error("Choose at least one NPI, or all.")]
    NoNpi,
    #[error("These organizations have an affiliation or a pending request already.")]
    Exists,
    #[error("Only the organization that was asked can decide.")]
    NotCounterparty,
    #[error("This request is not pending.")]
    NotPending,
    #[error("This affiliation is not active.")]
    NotActive,
    #[error("Your organization has signed already.")]
    AlreadySigned,
    #[error("Tick the box to confirm that you are eligible to sign.")]
    BoxNotTicked,
    #[error("Enter your first name.")]
    FirstNameRequired,
    #[error("Enter your last name.")]
    LastNameRequired,
    #[error("Choose your role from the list.")]
    RoleUnknown,
    #[error("Confirm this step.")]
    ConfirmationRequired,
    #[error("Choose today or a later day.")]
    EndsInThePast,
}

impl From<AffiliationRefusal> for Refusal {
    fn from(refusal: AffiliationRefusal) -> Self {
        let (code, field) = match refusal {
            AffiliationRefusal::WithItself => (Code::SelfAffiliation, Some("counterpartyId")),
            AffiliationRefusal::KindWrong => (Code::OrgKindWrong, Some("counterpartyId")),
            AffiliationRefusal::NoTransactionType => {
                (Code::FieldRequired, Some("scope.transactionTypes"))
            }
            AffiliationRefusal::NoNpi => (Code::FieldRequired, Some("scope.npis")),
            AffiliationRefusal::Exists => (Code::AffiliationExists, Some("counterpartyId")),
            AffiliationRefusal::NotCounterparty => (Code::NotCounterparty, None),
            AffiliationRefusal::NotPending | AffiliationRefusal::NotActive => {
                (Code::NotPending, None)
            }
            AffiliationRefusal::AlreadySigned => (Code::AlreadySigned, None),
            AffiliationRefusal::BoxNotTicked => (Code::BoxNotTicked, Some("eligibilityConfirmed")),
            AffiliationRefusal::FirstNameRequired => (Code::NameRequired, Some("firstName")),
            AffiliationRefusal::LastNameRequired => (Code::NameRequired, Some("lastName")),
            AffiliationRefusal::RoleUnknown => (Code::RoleUnknown, Some("role")),
            AffiliationRefusal::ConfirmationRequired => {
                (Code::ConfirmationRequired, Some("confirm"))
            }
            AffiliationRefusal::EndsInThePast => (Code::DateInvalid, Some("endsOn")),
        };
        let refused = Self::new(code, refusal.to_string());
        match field {
            Some(field) => refused.at(field),
            None => refused,
        }
    }
}
