//! Which messages follow from which event (requirements, section 6).
//!
//! Invariant: every event is decided here by name, so a new one cannot be forgotten; what concerns
//! the security of an account is mailed whatever anybody prefers (GN-19).

mod accounts;
mod notices;
mod organizations;

use rollcall_domain::{AnyEvent, kernel::ids::UserId, notifications::NotificationEvent};
use rollcall_journal::{Journal, JournalError, Recorded};

use super::{Addressee, Planned, Template};
use crate::notifications::Audience;

use accounts::{of_account, of_authenticator, of_credential, of_invitation, of_passcode};
pub(crate) use notices::frequencies;
use notices::{of_affiliation, of_inbox, of_notice};
use organizations::{
    of_account_request, of_api_key, of_join_request, of_organization, of_pin, of_token,
};

/// The messages an event causes, each to one recipient.
///
/// # Errors
/// The journal's, where recipients have to be looked up.
pub async fn caused_by(
    journal: &Journal,
    event: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    match &event.event {
        AnyEvent::Invitation(invitation) => Ok(of_invitation(invitation, event)),
        AnyEvent::User(user) => Ok(of_account(user)),
        AnyEvent::Credential(credential) => Ok(of_credential(credential)),
        AnyEvent::Authenticator(authenticator) => Ok(of_authenticator(authenticator)),
        AnyEvent::OneTimePasscode(passcode) => Ok(of_passcode(passcode)),
        AnyEvent::Organization(organization) => of_organization(journal, organization, event).await,
        AnyEvent::AccountRequest(request) => Ok(of_account_request(request)),
        AnyEvent::JoinRequest(request) => Ok(of_join_request(request)),
        AnyEvent::RegistrationToken(token) => of_token(journal, token, event).await,
        AnyEvent::Pin(pin) => of_pin(journal, pin, event).await,
        AnyEvent::Affiliation(affiliation) => of_affiliation(journal, affiliation, event).await,
        AnyEvent::ApiKey(key) => of_api_key(journal, key, event).await,
        AnyEvent::Notification(NotificationEvent::NotificationRaised(notice)) => {
            of_notice(journal, notice, event).await
        }
        AnyEvent::Inbox(inbox) => Ok(of_inbox(inbox)),
        AnyEvent::Tenant(_)
        | AnyEvent::PlanStaff(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::PolicyProposal(_)
        | AnyEvent::ClientGuidance(_)
        | AnyEvent::AuditExport(_)
        | AnyEvent::SodRules(_)
        | AnyEvent::ActivityReviews(_)
        | AnyEvent::AccessReview(_)
        | AnyEvent::ReviewCampaign(_)
        | AnyEvent::ReviewTemplate(_)
        | AnyEvent::ReviewSubstitutes(_)
        | AnyEvent::AuditSinks(_)
        | AnyEvent::JobRole(_)
        | AnyEvent::RightUse(_)
        | AnyEvent::Registration(_)
        | AnyEvent::Membership(_)
        | AnyEvent::SubmitterProfile(_)
        | AnyEvent::Handoff(_)
        | AnyEvent::TrustedIssuers(_)
        | AnyEvent::ExternalIdentities(_)
        | AnyEvent::AccessRequest(_)
        | AnyEvent::MoveRequest(_)
        | AnyEvent::Attestation(_)
        | AnyEvent::Evidence(_)
        | AnyEvent::LegalHolds(_)
        | AnyEvent::Erasure(_)
        | AnyEvent::Workspace(_)
        | AnyEvent::Session(_)
        | AnyEvent::PeopleImport(_)
        | AnyEvent::Delivery(_)
        | AnyEvent::Denial(_) => Ok(Vec::new()),
    }
}

fn to_account(template: Template, user: UserId) -> Planned {
    Planned::email(template, Addressee::Account { user })
}

async fn to_everybody(
    template: Template,
    journal: &Journal,
    audience: &Audience,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    let people = audience.resolve(journal, recorded.tenant, recorded.occurred_at).await?;
    Ok(people.into_iter().map(|user| to_account(template, user)).collect())
}
