//! A request for a portal account that anybody may file, and the plan decides (AL-01).
//!
//! Invariant: what the visitor says of themself is sealed under the request's own id: they have no
//! account yet.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::TaxIdRef;
use crate::kernel::ids::{AccountRequestId, InvitationId, OrganizationId, SubjectId, UserId};
use crate::values::{
    Acceptance, EmailAddress, Npi, OrganizationName, PersonName, PhoneNumber, Reason,
};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// Who asks, and for which office.
#[derive(Clone, Debug)]
pub struct AccountWish {
    pub request: AccountRequestId,
    pub organization_name: OrganizationName,
    pub npi: Option<Npi>,
    pub tax_id: Option<TaxIdRef>,
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub email: EmailAddress,
    pub phone: PhoneNumber,
    /// Of the portal's terms, where there are any.
    pub accepted: Option<Acceptance>,
}

/// An event of stream `organizations.account_request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountRequestEvent {
    /// Somebody filed the form; the plan answers by `due_at`.
    AccountRequestSubmitted {
        request: AccountRequestId,
        organization_name: OrganizationName,
        npi: Option<Npi>,
        tax_id: Option<TaxIdRef>,
        requester: Box<Requester>,
        /// The version of the portal's terms that was accepted.
        terms: Option<String>,
        due_at: DateTime<Utc>,
    },
    /// The plan made the account: the person is invited into the organisation.
    AccountRequestFulfilled {
        request: AccountRequestId,
        organization: OrganizationId,
        user: UserId,
        invitation: InvitationId,
    },
    /// The plan declined.
    AccountRequestRejected { request: AccountRequestId, reason: Sealed<Reason> },
}

/// A command to stream `organizations.account_request`.
#[derive(Clone, Debug)]
pub enum AccountRequestCommand {
    Submit(Box<AccountWish>),
    Fulfil { organization: OrganizationId, user: UserId, invitation: InvitationId },
    Reject { reason: Reason },
}

/// Why a request refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountRequestRefusal {
    #[error("No such request exists here. Check the id and try again.")]
    Unknown,
    #[error("Accounts are not requested by a form here. Ask your organization's administrator.")]
    NoForm,
    #[error("This request was decided already.")]
    Decided,
}

impl From<AccountRequestRefusal> for Refusal {
    fn from(refusal: AccountRequestRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            AccountRequestRefusal::Unknown => Self::not_found("requestId"),
            AccountRequestRefusal::NoForm => Self::new(Code::FeatureDisabled, message),
            AccountRequestRefusal::Decided => Self::new(Code::AlreadyDecided, message),
        }
    }
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    pub first_name: Sealed<PersonName>,
    pub last_name: Sealed<PersonName>,
    pub email: Sealed<EmailAddress>,
    pub phone: Sealed<PhoneNumber>,
}

/// A request as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccountRequest {
    /// The id is not in use.
    #[default]
    NotSubmitted,
    Open(Box<Requester>),
    Decided(Box<Requester>),
}

impl AccountRequest {
    /// Who asked, also once it is decided.
    #[must_use]
    pub fn requester(&self) -> Option<&Requester> {
        match self {
            Self::NotSubmitted => None,
            Self::Open(requester) | Self::Decided(requester) => Some(requester),
        }
    }

    /// Who asked, while it is undecided.
    ///
    /// # Errors
    /// NOT_FOUND or ALREADY_DECIDED.
    pub fn open(&self) -> Result<&Requester, AccountRequestRefusal> {
        match self {
            Self::NotSubmitted => Err(AccountRequestRefusal::Unknown),
            Self::Open(requester) => Ok(requester),
            Self::Decided(_) => Err(AccountRequestRefusal::Decided),
        }
    }
}

impl Decider for AccountRequest {
    const TYPE: &'static str = "organizations.account_request";
    type Command = AccountRequestCommand;
    type Event = AccountRequestEvent;
    type Refusal = AccountRequestRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: AccountRequestCommand,
    ) -> Result<Vec<AccountRequestEvent>, AccountRequestRefusal> {
        let request_of = |requester: &Requester| AccountRequestId(requester.email.subject().0);
        match command {
            AccountRequestCommand::Submit(wish) => {
                let days = decision.policy.account_request_days();
                let days = days.ok_or(AccountRequestRefusal::NoForm)?;
                let due_at = decision.policy.time_zone().end_of_business_day(decision.now, days);
                Ok(vec![submitted(*wish, due_at)])
            }
            AccountRequestCommand::Fulfil { organization, user, invitation } => {
                let request = request_of(self.open()?);
                Ok(vec![AccountRequestEvent::AccountRequestFulfilled {
                    request,
                    organization,
                    user,
                    invitation,
                }])
            }
            AccountRequestCommand::Reject { reason } => {
                let request = request_of(self.open()?);
                let reason = Sealed::new(SubjectId(request.0), reason);
                Ok(vec![AccountRequestEvent::AccountRequestRejected { request, reason }])
            }
        }
    }

    fn evolve(&mut self, event: &AccountRequestEvent) {
        match event {
            AccountRequestEvent::AccountRequestSubmitted { requester, .. } => {
                *self = Self::Open(requester.clone());
            }
            AccountRequestEvent::AccountRequestFulfilled { .. }
            | AccountRequestEvent::AccountRequestRejected { .. } => {
                if let Self::Open(requester) = self {
                    *self = Self::Decided(requester.clone());
                }
            }
        }
    }
}

fn submitted(wish: AccountWish, due_at: DateTime<Utc>) -> AccountRequestEvent {
    let subject = SubjectId(wish.request.0);
    AccountRequestEvent::AccountRequestSubmitted {
        request: wish.request,
        organization_name: wish.organization_name,
        npi: wish.npi,
        tax_id: wish.tax_id,
        requester: Box::new(Requester {
            first_name: Sealed::new(subject, wish.first_name),
            last_name: Sealed::new(subject, wish.last_name),
            email: Sealed::new(subject, wish.email),
            phone: Sealed::new(subject, wish.phone),
        }),
        terms: wish.accepted.map(|acceptance| acceptance.version),
        due_at,
    }
}

impl Event for AccountRequestEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AccountRequestSubmitted { .. } => {
                "organizations.account_request.account_request_submitted"
            }
            Self::AccountRequestFulfilled { .. } => {
                "organizations.account_request.account_request_fulfilled"
            }
            Self::AccountRequestRejected { .. } => {
                "organizations.account_request.account_request_rejected"
            }
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::AccountRequestSubmitted { npi, .. } => {
                Facets { npi: npi.as_ref().map(ToString::to_string), ..Facets::default() }
            }
            Self::AccountRequestFulfilled { organization, user, .. } => {
                Facets::default().organization(*organization).subject(*user)
            }
            Self::AccountRequestRejected { .. } => Facets::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{Given, given, id, start};
    use crate::policies::Preset;

    fn wish() -> AccountWish {
        AccountWish {
            request: id(30),
            organization_name: OrganizationName::parse("Redwood Clinic").unwrap(),
            npi: Some(Npi::parse("1234567893").unwrap()),
            tax_id: None,
            first_name: PersonName::parse("Ann").unwrap(),
            last_name: PersonName::parse("Lee").unwrap(),
            email: EmailAddress::parse("ann@clinic.example").unwrap(),
            phone: PhoneNumber::parse("+12025550123").unwrap(),
            accepted: None,
        }
    }

    fn filed() -> AccountRequestEvent {
        // Monday, 2 March, and seven business days later; the clocks go forward between.
        let zone = crate::policies::Policy::from(Preset::Alliance).time_zone();
        let due = zone.end_of_business_day(start(), 7);
        assert_eq!(due.to_rfc3339(), "2026-03-12T07:00:00+00:00");
        submitted(wish(), due)
    }

    fn open() -> Given<AccountRequest> {
        given(&[filed()])
    }

    #[test]
    fn al_01_a_request_is_filed_where_there_is_a_form() {
        let submit = || AccountRequestCommand::Submit(Box::new(wish()));
        given::<AccountRequest>(&[]).under(Preset::Alliance).when(submit()).then(&[filed()]);
        given::<AccountRequest>(&[]).when(submit()).refused(Code::FeatureDisabled);
    }

    #[test]
    fn al_01_a_request_is_decided_once() {
        let fulfil = || AccountRequestCommand::Fulfil {
            organization: id(10),
            user: id(1),
            invitation: id(5),
        };
        let reject =
            || AccountRequestCommand::Reject { reason: Reason::parse("No such office.").unwrap() };
        let fulfilled = AccountRequestEvent::AccountRequestFulfilled {
            request: id(30),
            organization: id(10),
            user: id(1),
            invitation: id(5),
        };
        open().when(fulfil()).then(std::slice::from_ref(&fulfilled));
        let rejected = AccountRequestEvent::AccountRequestRejected {
            request: id(30),
            reason: Sealed::new(id::<SubjectId>(30), Reason::parse("No such office.").unwrap()),
        };
        open().when(reject()).then(std::slice::from_ref(&rejected));
        for decided in [fulfilled, rejected] {
            for again in [fulfil(), reject()] {
                given::<AccountRequest>(&[filed(), decided.clone()])
                    .when(again)
                    .refused(Code::AlreadyDecided);
            }
        }
        given::<AccountRequest>(&[]).when(fulfil()).refused(Code::NotFound);
    }
}
