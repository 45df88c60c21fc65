//! What is mailed about organisations, their people, tokens, PINs and keys, and to those who ask to
//! join. Invariant: nobody who asks is told which organisations there are.

use rollcall_domain::{
    AnyEvent,
    access_requests::JoinRequestEvent,
    api_keys::ApiKeyEvent,
    kernel::ids::{AccountRequestId, OrganizationId, UserId},
    notifications::Channel,
    organizations::{
        AccountRequestEvent, DeactivationCause, OrgRole, OrganizationEvent, RegistrationToken,
        RegistrationTokenEvent, TokenPhase,
    },
    permissions::Cause,
    pins::PinEvent,
};
use rollcall_journal::{Journal, JournalError, Recorded};

use super::{to_account, to_everybody};
use crate::{
    links::LinkPurpose,
    messages::{Addressee, Planned, Template},
    notifications::Audience,
};

pub(super) async fn of_organization(
    journal: &Journal,
    event: &OrganizationEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    use OrganizationEvent as E;
    let told = |template, user: &UserId, organization: &OrganizationId| {
        to_account(template, *user).organization(Some(*organization))
    };
    let administrators = async |template, organization: &OrganizationId| {
        let audience = Audience::Administrators(*organization);
        let mail = to_everybody(template, journal, &audience, recorded).await?;
        let about = |mail: Planned| mail.organization(Some(*organization));
        Ok::<Vec<Planned>, JournalError>(mail.into_iter().map(about).collect())
    };
    Ok(match event {
        E::OrganizationMergeBegun { organization, into, .. } => {
            let theirs = administrators(Template::MergeBegun, organization).await?;
            let ours = administrators(Template::AbsorptionBegun, into).await?;
            let theirs = theirs.into_iter().map(|mail| mail.counterparty(*into));
            theirs.chain(ours.into_iter().map(|mail| mail.counterparty(*organization))).collect()
        }
        E::OrganizationAbsorbed { organization, from } => {
            let mail = administrators(Template::Absorbed, organization).await?;
            mail.into_iter().map(|mail| mail.counterparty(*from)).collect()
        }
        E::UserDeactivated { organization, user, .. } => {
            vec![told(Template::Deactivated, user, organization)]
        }
        E::UserDeactivationWarned { organization, user, cause, deactivates_at } => {
            let mail = match cause {
                DeactivationCause::NoPermissions => {
                    administrators(Template::DeactivationNear, organization).await?
                }
                DeactivationCause::Dormant => {
                    let mut mail = administrators(Template::DormancyNear, organization).await?;
                    mail.push(told(Template::AccessEndsSoon, user, organization));
                    mail
                }
            };
            mail.into_iter().map(|mail| mail.until(Some(*deactivates_at))).collect()
        }
        E::UserAutoDeactivated { organization, user, cause, .. } => {
            let (to_administrators, to_person) = match cause {
                DeactivationCause::NoPermissions => {
                    (Template::UserDeactivated, Template::DeactivatedUnassigned)
                }
                DeactivationCause::Dormant => {
                    (Template::DormantUserDeactivated, Template::DeactivatedDormant)
                }
            };
            let mut mail = administrators(to_administrators, organization).await?;
            mail.push(told(to_person, user, organization));
            mail
        }
        E::OrgRoleAssigned { organization, new: OrgRole::Admin, cause: Cause::Plan, .. } => {
            administrators(Template::AdminAppointed, organization).await?
        }
        E::AdminRequestSubmitted { organization, .. } => {
            administrators(Template::AdminRequested, organization).await?
        }
        E::AdminRequestDeclined { organization, .. } => {
            administrators(Template::AdminDeclined, organization).await?
        }
        E::PlanEvidenceRecorded { .. } => Vec::new(),
        E::UserReactivated { organization, user, .. } => {
            vec![told(Template::Reactivated, user, organization)]
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::TaxIdLinked { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::MemberMoved { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationClosed { .. } => Vec::new(),
    })
}

pub(super) fn of_account_request(event: &AccountRequestEvent) -> Vec<Planned> {
    use AccountRequestEvent as E;
    let told = |template, request: &AccountRequestId| {
        vec![Planned::email(template, Addressee::AccountRequester { request: *request })]
    };
    match event {
        E::AccountRequestSubmitted { request, .. } => {
            told(Template::AccountRequestReceived, request)
        }
        E::AccountRequestRejected { request, .. } => {
            told(Template::AccountRequestRejected, request)
        }
        // The invitation is the mail that leads to the account.
        E::AccountRequestFulfilled { .. } => Vec::new(),
    }
}

pub(super) fn of_join_request(event: &JoinRequestEvent) -> Vec<Planned> {
    use JoinRequestEvent as E;
    match event {
        E::JoinRequestDenied { request, organization, .. } => {
            let to = Addressee::JoinRequester { request: *request };
            vec![Planned::email(Template::JoinRequestDenied, to).organization(Some(*organization))]
        }
        // A receipt, or word of a request run out, would tell whoever asks which organisations there
        // are; the invitation is the mail that follows a yes.
        E::JoinRequested { .. } | E::JoinRequestApproved { .. } | E::JoinRequestExpired { .. } => {
            Vec::new()
        }
    }
}

pub(super) async fn of_token(
    journal: &Journal,
    event: &RegistrationTokenEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    use RegistrationTokenEvent as E;
    match event {
        E::LetterQueued { token, organization, .. } => {
            let state = journal.load_fresh::<RegistrationToken>(recorded.tenant, token.0).await?;
            let TokenPhase::Issued { expires_at, .. } = state.state.phase() else {
                return Ok(Vec::new());
            };
            let to = Addressee::PayTo { organization: *organization };
            let mut letter = Planned::email(Template::TokenLetter, to)
                .organization(Some(*organization))
                .link(LinkPurpose::Registration, *token, expires_at);
            letter.channel = Channel::Letter;
            Ok(vec![letter])
        }
        E::RegistrationTokenIssued { .. }
        | E::RegistrationTokenRedeemed { .. }
        | E::RegistrationTokenRejected { .. }
        | E::RegistrationTokenExpired { .. }
        | E::RegistrationTokenRevoked { .. }
        | E::LetterReturned { .. }
        | E::LetterOpened { .. } => Ok(Vec::new()),
    }
}

pub(super) async fn of_pin(
    journal: &Journal,
    event: &PinEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    match event {
        PinEvent::PinReset { npi, organization, .. } => {
            let audience = Audience::NpiAdministrators(*organization, npi.clone());
            let mut mail = to_everybody(Template::PinReset, journal, &audience, recorded).await?;
            for mail in &mut mail {
                mail.particulars.organization = Some(*organization);
                mail.particulars.npi = Some(npi.clone());
            }
            Ok(mail)
        }
        PinEvent::PinIssued { .. }
        | PinEvent::PinPropagationPending { .. }
        | PinEvent::PinPropagationCompleted { .. }
        | PinEvent::PinRevealed { .. } => Ok(Vec::new()),
    }
}

pub(super) async fn of_api_key(
    journal: &Journal,
    event: &ApiKeyEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    let (template, organization, by, until) = match event {
        ApiKeyEvent::ApiKeyCreated { organization, by, expires_at, .. } => {
            (Template::ApiKeyCreated, organization, Some(*by), Some(*expires_at))
        }
        ApiKeyEvent::ApiKeyRevoked { organization, by, .. } => {
            (Template::ApiKeyRevoked, organization, *by, None)
        }
    };
    let audience = Audience::other_key_holders(*organization, by);
    let mail = to_everybody(template, journal, &audience, recorded).await?;
    Ok(mail.into_iter().map(|mail| mail.organization(*organization).until(until)).collect())
}
