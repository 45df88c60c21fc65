//! To whom a message goes. Invariant: a reference; the address is looked up on the write side when
//! the message is rendered, so that a corrected address is used and an erased one is not.

use rollcall_domain::{
    AnyEvent,
    access_requests::JoinRequest,
    kernel::ids::{
        AccessRequestId, AccountRequestId, InvitationId, OrganizationId, SubjectId, UserId,
    },
    notifications::Recipient,
    organizations::{AccountRequest, Organization, PostalAddress},
    users::{
        invitation::Invitation,
        one_time_passcode::{OneTimePasscodeEvent, OtpOwner},
        user::{User, UserEvent},
    },
};
use rollcall_journal::{Journal, JournalError, Recorded};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use rollcall_domain::kernel::ids::TenantId;

/// A reference to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Addressee {
    /// The address of an account as it stands when the message leaves.
    Account { user: UserId },
    /// The address an administrator invited.
    Invitee { invitation: InvitationId, user: UserId },
    /// The address that the event says was replaced.
    FormerAddress { user: UserId },
    /// The address that the event says is new.
    NewAddress { user: UserId },
    /// The telephone that the event names.
    Telephone { owner: OtpOwner },
    /// The pay-to address the plan has on file.
    PayTo { organization: OrganizationId },
    /// Who asked for an account (AL-01).
    AccountRequester { request: AccountRequestId },
    /// Who asked to join an organisation without an account (CC-11).
    JoinRequester { request: AccessRequestId },
}

/// An address, looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Email(String),
    /// E.164.
    Telephone(String),
    Postal {
        name: String,
        address: PostalAddress,
    },
}

impl Address {
    /// The address in one line.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Email(address) | Self::Telephone(address) => address.clone(),
            Self::Postal { name, address } => {
                let lines = envelope(name, address);
                lines.join(", ")
            }
        }
    }
}

/// The lines of an envelope.
#[must_use]
pub fn envelope(name: &str, address: &PostalAddress) -> Vec<String> {
    let city = format!("{}, {} {}", address.city, address.state, address.zip.as_str());
    let mut lines = vec![name.to_owned(), address.line1.clone()];
    lines.extend(address.line2.clone());
    lines.push(city);
    lines
}

impl Addressee {
    /// As deliveries name recipients.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        let (user, subject, invitation) = match *self {
            Self::Account { user } | Self::FormerAddress { user } | Self::NewAddress { user } => {
                (Some(user), user.into(), None)
            }
            Self::Invitee { user, invitation } => (Some(user), user.into(), Some(invitation)),
            Self::Telephone { owner } => (owner.user(), owner.subject(), None),
            Self::PayTo { organization } => (None, SubjectId(organization.0), None),
            Self::AccountRequester { request } => (None, SubjectId(request.0), None),
            Self::JoinRequester { request } => (None, SubjectId(request.0), None),
        };
        let former_address = matches!(self, Self::FormerAddress { .. });
        Recipient { user, subject, invitation, former_address }
    }

    /// A name within one event's messages, for their ids.
    #[must_use]
    pub fn key(&self) -> String {
        let name = |kind: &str, id: Uuid| format!("{kind}/{id}");
        match self {
            Self::Account { user } => name("account", user.0),
            Self::Invitee { invitation, .. } => name("invitee", invitation.0),
            Self::FormerAddress { user } => name("former_address", user.0),
            Self::NewAddress { user } => name("new_address", user.0),
            Self::Telephone { owner } => name("telephone", owner.subject().0),
            Self::PayTo { organization } => name("pay_to", organization.0),
            Self::AccountRequester { request } => name("account_requester", request.0),
            Self::JoinRequester { request } => name("join_requester", request.0),
        }
    }

    /// Whether the address stands in the event itself.
    #[must_use]
    pub fn is_in_the_event(&self) -> bool {
        match self {
            Self::FormerAddress { .. } | Self::NewAddress { .. } | Self::Telephone { .. } => true,
            Self::Account { .. }
            | Self::Invitee { .. }
            | Self::PayTo { .. }
            | Self::AccountRequester { .. }
            | Self::JoinRequester { .. } => false,
        }
    }

    /// The address on the write side; `None` where there is none, or it was erased.
    ///
    /// # Errors
    /// The journal's.
    pub async fn look_up(
        &self,
        journal: &Journal,
        tenant: TenantId,
    ) -> Result<Option<Address>, JournalError> {
        match *self {
            Self::Account { user } => {
                let account = journal.load_fresh::<User>(tenant, user.0).await?.state;
                let email = account.profile().and_then(|profile| profile.email.get());
                Ok(email.map(|email| Address::Email(email.as_str().to_owned())))
            }
            Self::Invitee { invitation, .. } => {
                let state = journal.load_fresh::<Invitation>(tenant, invitation.0).await?.state;
                let email = state.invited().and_then(|invited| invited.email.get());
                Ok(email.map(|email| Address::Email(email.as_str().to_owned())))
            }
            Self::PayTo { organization } => {
                let state = journal.load_fresh::<Organization>(tenant, organization.0).await?.state;
                Ok(state.record().and_then(|record| {
                    let address = record.pay_to_address.clone()?;
                    Some(Address::Postal { name: record.name.as_str().to_owned(), address })
                }))
            }
            Self::AccountRequester { request } => {
                let state = journal.load_fresh::<AccountRequest>(tenant, request.0).await?.state;
                let email = state.requester().and_then(|asked| asked.email.get());
                Ok(email.map(|email| Address::Email(email.as_str().to_owned())))
            }
            Self::JoinRequester { request } => {
                let state = journal.load_fresh::<JoinRequest>(tenant, request.0).await?.state;
                let email = state.joining().and_then(|joining| joining.visitor.email.get());
                Ok(email.map(|email| Address::Email(email.as_str().to_owned())))
            }
            Self::FormerAddress { .. } | Self::NewAddress { .. } | Self::Telephone { .. } => {
                Ok(None)
            }
        }
    }

    /// The address in the event; `None` where the event names none, or it was erased.
    #[must_use]
    pub fn read(&self, event: &Recorded<AnyEvent>) -> Option<Address> {
        match (self, &event.event) {
            (
                Self::FormerAddress { .. },
                AnyEvent::User(UserEvent::EmailChanged { old: email, .. }),
            )
            | (
                Self::NewAddress { .. },
                AnyEvent::User(UserEvent::EmailChanged { new: email, .. }),
            ) => email.get().map(|email| Address::Email(email.as_str().to_owned())),
            (
                Self::Telephone { .. },
                AnyEvent::OneTimePasscode(OneTimePasscodeEvent::OtpSent { to, .. }),
            ) => to.get().map(|phone| Address::Telephone(phone.e164().to_owned())),
            (
                Self::Account { .. }
                | Self::Invitee { .. }
                | Self::FormerAddress { .. }
                | Self::NewAddress { .. }
                | Self::Telephone { .. }
                | Self::PayTo { .. }
                | Self::AccountRequester { .. }
                | Self::JoinRequester { .. },
                _,
            ) => None,
        }
    }
}
