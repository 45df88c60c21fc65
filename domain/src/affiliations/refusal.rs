//! Why an affiliation refused. Invariant: each refusal names the field at fault where there is one.

use chrono::{DateTime, Utc};

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
    #[error("This request was denied not long ago. Ask again later.")]
    DeniedRecently { retry_at: DateTime<Utc> },
    #[error("Only the organization that was asked can decide.")]
    NotCounterparty,
    #[error("This request is not pending.")]
    NotPending,
    #[error("This affiliation is not active.")]
    NotActive,
    #[error("No end of this affiliation is to come.")]
    NotEnding,
    #[error("Only the organization that ended the affiliation lets it go on.")]
    NotTerminating,
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
    #[error("Only the submitter assigns its own people.")]
    NotSubmitter,
    #[error("Choose NPIs that the affiliation covers and the provider holds.")]
    NpiNotInScope,
    #[error("Nobody gives NPIs to themselves. Ask another administrator.")]
    SelfGrant,
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
            AffiliationRefusal::DeniedRecently { .. } => (Code::TooEarly, Some("counterpartyId")),
            AffiliationRefusal::NotCounterparty => (Code::NotCounterparty, None),
            AffiliationRefusal::NotPending
            | AffiliationRefusal::NotActive
            | AffiliationRefusal::NotEnding => (Code::NotPending, None),
            AffiliationRefusal::NotTerminating => (Code::NotCounterparty, None),
            AffiliationRefusal::AlreadySigned => (Code::AlreadySigned, None),
            AffiliationRefusal::BoxNotTicked => {
                (Code::BoxNotTicked, Some("signature.eligibilityConfirmed"))
            }
            AffiliationRefusal::FirstNameRequired => {
                (Code::NameRequired, Some("signature.firstName"))
            }
            AffiliationRefusal::LastNameRequired => {
                (Code::NameRequired, Some("signature.lastName"))
            }
            AffiliationRefusal::RoleUnknown => (Code::RoleUnknown, Some("signature.role")),
            AffiliationRefusal::ConfirmationRequired => {
                (Code::ConfirmationRequired, Some("confirm"))
            }
            AffiliationRefusal::EndsInThePast => (Code::DateInvalid, Some("endsOn")),
            AffiliationRefusal::NotSubmitter => (Code::NotCounterparty, None),
            AffiliationRefusal::NpiNotInScope => (Code::NpiNotInOrg, Some("npis")),
            AffiliationRefusal::SelfGrant => (Code::SelfGrant, Some("userId")),
        };
        let mut refused = Self::new(code, refusal.to_string());
        if let Some(field) = field {
            refused = refused.at(field);
        }
        match refusal {
            AffiliationRefusal::DeniedRecently { retry_at } => refused.retry_at(retry_at),
            AffiliationRefusal::WithItself
            | AffiliationRefusal::KindWrong
            | AffiliationRefusal::NoTransactionType
            | AffiliationRefusal::NoNpi
            | AffiliationRefusal::Exists
            | AffiliationRefusal::NotCounterparty
            | AffiliationRefusal::NotPending
            | AffiliationRefusal::NotActive
            | AffiliationRefusal::NotEnding
            | AffiliationRefusal::NotTerminating
            | AffiliationRefusal::AlreadySigned
            | AffiliationRefusal::BoxNotTicked
            | AffiliationRefusal::FirstNameRequired
            | AffiliationRefusal::LastNameRequired
            | AffiliationRefusal::RoleUnknown
            | AffiliationRefusal::ConfirmationRequired
            | AffiliationRefusal::EndsInThePast
            | AffiliationRefusal::NotSubmitter
            | AffiliationRefusal::NpiNotInScope
            | AffiliationRefusal::SelfGrant => refused,
        }
    }
}
