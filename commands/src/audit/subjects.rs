//! Everything that is sealed about a person: under their own id, and under the ids of what they did
//! before they had an account (GN-27).
//!
//! Invariant: what visitors asked for belongs to a person if it led to their account, or names an
//! address that was ever theirs and led to nobody else's: addresses change hands. Whatever cannot be
//! opened any more belongs to nobody.

use std::collections::BTreeSet;

use rollcall_domain::{
    Decider, Event, Sealed,
    access_requests::{JoinRequest, JoinRequestEvent, MoveRequest, MoveRequestEvent, MoveWish},
    kernel::ids::{SubjectId, TenantId, UserId},
    organizations::{
        AccountRequest, AccountRequestEvent,
        registration::{Registration, RegistrationEvent},
    },
    users::{
        invitation::{Invitation, InvitationEvent},
        user::{User, UserEvent},
    },
    values::EmailAddress,
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

/// Streams whose events are opened at a time.
const AT_ONCE: usize = 500;

/// What is sealed about a person.
pub(super) struct Subjects {
    /// The person and their requests, registrations and invitations: streams, all but the first.
    pub named: Vec<SubjectId>,
    /// Single requests of theirs as a visitor.
    pub attempts: Vec<SubjectId>,
    /// Every address that was ever theirs, as keys.
    pub addresses: BTreeSet<String>,
}

/// Finds all of it.
///
/// # Errors
/// The database did not answer, or a stored event cannot be read.
pub(super) async fn subjects_of(
    journal: &Journal,
    tenant: TenantId,
    user: UserId,
) -> Result<Subjects, JournalError> {
    let invitations = journal.streams_about(tenant, user, Invitation::TYPE).await?;
    let addresses = addresses_of(journal, tenant, user, &invitations).await?;
    let whose = Whose { journal, tenant, user, addresses };
    let mut streams: BTreeSet<Uuid> = invitations.into_iter().collect();
    for kind in [Registration::TYPE, AccountRequest::TYPE, JoinRequest::TYPE] {
        streams.extend(journal.streams_about(tenant, user, kind).await?);
    }
    streams.extend(whose.asked_by::<Registration>(of_registration).await?);
    streams.extend(whose.asked_by::<AccountRequest>(of_account_request).await?);
    streams.extend(whose.asked_by::<JoinRequest>(of_join_request).await?);
    // Those about the person as an asker hold somebody else's address.
    streams.extend(whose.named_in::<MoveRequest>(of_move_request, |_| true).await?);
    let streams: Vec<Uuid> = streams.into_iter().collect();
    let attempts = journal.attempts_of((tenant, user), &streams).await?;
    let named = [SubjectId::from(user)].into_iter().chain(streams.into_iter().map(SubjectId));
    Ok(Subjects { named: named.collect(), attempts, addresses: whose.addresses })
}

/// Every address that was ever the person's, as keys.
async fn addresses_of(
    journal: &Journal,
    tenant: TenantId,
    user: UserId,
    invitations: &[Uuid],
) -> Result<BTreeSet<String>, JournalError> {
    let mut addresses = BTreeSet::new();
    let mut add =
        |email: &Sealed<EmailAddress>| addresses.extend(email.get().map(EmailAddress::key));
    for event in journal.events::<User>(tenant, user.0).await? {
        match &event {
            UserEvent::UserRegistered { email, .. } | UserEvent::EmailVerified { email, .. } => {
                add(email);
            }
            UserEvent::EmailChanged { old, new, .. } => {
                add(old);
                add(new);
            }
            UserEvent::UserImported { .. }
            | UserEvent::ProfileUpdated { .. }
            | UserEvent::UserDetailsCorrected { .. }
            | UserEvent::PhoneChanged { .. }
            | UserEvent::EmailVerificationSent { .. }
            | UserEvent::UsernameDisclosed { .. }
            | UserEvent::UserErased { .. }
            | UserEvent::AgreementAccepted { .. }
            | UserEvent::NotificationPreferenceChanged { .. } => {}
        }
    }
    for chunk in invitations.chunks(AT_ONCE) {
        for event in journal.events_of::<Invitation>(tenant, chunk).await?.values().flatten() {
            if let InvitationEvent::UserInvited { email, .. } = event {
                add(email);
            }
        }
    }
    Ok(addresses)
}

/// Whose streams are looked for.
struct Whose<'a> {
    journal: &'a Journal,
    tenant: TenantId,
    user: UserId,
    addresses: BTreeSet<String>,
}

impl Whose<'_> {
    /// The streams of a kind that name one of the addresses as the asker's, but for those that led to
    /// another account: then the address was its owner's.
    async fn asked_by<A: Decider>(
        &self,
        address: fn(&A::Event) -> Option<&Sealed<EmailAddress>>,
    ) -> Result<Vec<Uuid>, JournalError> {
        let no_others = |event: &A::Event| event.facets().subject.is_none_or(|it| it == self.user);
        self.named_in::<A>(address, |events| events.iter().all(no_others)).await
    }

    /// The streams of a kind that name one of the addresses and count.
    async fn named_in<A: Decider>(
        &self,
        address: fn(&A::Event) -> Option<&Sealed<EmailAddress>>,
        counts: impl Fn(&[A::Event]) -> bool,
    ) -> Result<Vec<Uuid>, JournalError> {
        let mut found = Vec::new();
        let all = self.journal.streams_of_visitors(self.tenant, A::TYPE).await?;
        for chunk in all.chunks(AT_ONCE) {
            for (stream, events) in self.journal.events_of::<A>(self.tenant, chunk).await? {
                let named = events.iter().filter_map(address).filter_map(Sealed::get);
                let mut named = named.map(EmailAddress::key);
                if named.any(|key| self.addresses.contains(&key)) && counts(&events) {
                    found.push(stream);
                }
            }
        }
        Ok(found)
    }
}

fn of_registration(event: &RegistrationEvent) -> Option<&Sealed<EmailAddress>> {
    match event {
        RegistrationEvent::OrganizationRegistrationStarted { email, .. } => Some(email),
        RegistrationEvent::AgreementAccepted { .. }
        | RegistrationEvent::RegistrantMismatch { .. }
        | RegistrationEvent::RegistrantVerified { .. }
        | RegistrationEvent::PasscodeVerified { .. }
        | RegistrationEvent::OrganizationRegistrationCompleted { .. } => None,
    }
}

fn of_account_request(event: &AccountRequestEvent) -> Option<&Sealed<EmailAddress>> {
    match event {
        AccountRequestEvent::AccountRequestSubmitted { requester, .. } => Some(&requester.email),
        AccountRequestEvent::AccountRequestFulfilled { .. }
        | AccountRequestEvent::AccountRequestRejected { .. } => None,
    }
}

fn of_join_request(event: &JoinRequestEvent) -> Option<&Sealed<EmailAddress>> {
    match event {
        JoinRequestEvent::JoinRequested { visitor, .. } => Some(&visitor.email),
        JoinRequestEvent::JoinRequestApproved { .. }
        | JoinRequestEvent::JoinRequestDenied { .. }
        | JoinRequestEvent::JoinRequestExpired { .. } => None,
    }
}

/// Of a request by which somebody is to be brought in, whose address it names.
fn of_move_request(event: &MoveRequestEvent) -> Option<&Sealed<EmailAddress>> {
    match event {
        MoveRequestEvent::MoveRequested { wish: MoveWish::Here { email }, .. } => Some(email),
        MoveRequestEvent::MoveRequested { .. }
        | MoveRequestEvent::MoveRequestApproved { .. }
        | MoveRequestEvent::MoveRequestDenied { .. }
        | MoveRequestEvent::MoveRequestWithdrawn { .. }
        | MoveRequestEvent::MoveRequestExpired { .. } => None,
    }
}
