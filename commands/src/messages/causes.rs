//! Which messages follow from which event (requirements, section 6).
//!
//! Invariant: every event is decided here by name, so a new one cannot be forgotten; what concerns
//! the security of an account is mailed whatever anybody prefers (GN-19).

use rollcall_domain::{
    AnyEvent,
    access_requests::JoinRequestEvent,
    affiliations::AffiliationEvent,
    api_keys::ApiKeyEvent,
    kernel::ids::{AccountRequestId, OrganizationId, UserId},
    notifications::{
        Channel, Frequency, InboxEvent, Notice, NotificationEvent, NotificationType, Preference,
    },
    organizations::{
        AccountRequestEvent, DeactivationCause, OrgRole, OrganizationEvent, RegistrationToken,
        RegistrationTokenEvent, TokenPhase,
    },
    permissions::Cause,
    pins::PinEvent,
    policies::PolicyHistory,
    users::{
        authenticator::AuthenticatorEvent,
        credential::{CredentialEvent, PasswordSource, ResetMethod},
        invitation::InvitationEvent,
        one_time_passcode::OneTimePasscodeEvent,
        user::{User, UserEvent},
    },
    values::CodeChannel,
};
use rollcall_journal::{Journal, JournalError, Recorded};

use super::{Addressee, Passcode, Planned, Template};
use crate::{links::LinkPurpose, notifications::Audience};

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
        | AnyEvent::Session(_)
        | AnyEvent::PeopleImport(_)
        | AnyEvent::Delivery(_)
        | AnyEvent::Denial(_) => Ok(Vec::new()),
    }
}

fn of_invitation(event: &InvitationEvent, recorded: &Recorded<AnyEvent>) -> Vec<Planned> {
    use InvitationEvent as E;
    match event {
        E::UserInvited {
            invitation,
            user,
            organization,
            link_id,
            expires_at,
            existing_account,
            ..
        } => {
            let template =
                if *existing_account { Template::InvitationToMember } else { Template::Invitation };
            let to = Addressee::Invitee { invitation: *invitation, user: *user };
            let mail = Planned::email(template, to).organization(*organization);
            vec![mail.link(LinkPurpose::Invitation, *link_id, *expires_at)]
        }
        E::InvitationReissued { user, organization, link_id, expires_at, .. } => {
            let to = Addressee::Invitee { invitation: recorded.aggregate_id.into(), user: *user };
            let mail = Planned::email(Template::InvitationReissued, to).organization(*organization);
            vec![mail.link(LinkPurpose::Invitation, *link_id, *expires_at)]
        }
        E::InvitedDetailsCorrected { .. }
        | E::InvitationOpened { .. }
        | E::AgreementAccepted { .. }
        | E::InviteeDetailsSubmitted { .. }
        | E::PasscodeVerified { .. }
        | E::InvitationCompleted { .. }
        | E::InvitationExpired { .. }
        | E::InvitationCancelled { .. } => Vec::new(),
    }
}

fn of_account(event: &UserEvent) -> Vec<Planned> {
    match event {
        UserEvent::PhoneChanged { user, .. } => vec![to_account(Template::PhoneChanged, *user)],
        UserEvent::UsernameDisclosed { user } => {
            vec![to_account(Template::UsernameDisclosed, *user)]
        }
        UserEvent::EmailChanged { user, .. } => {
            let both =
                [Addressee::FormerAddress { user: *user }, Addressee::NewAddress { user: *user }];
            both.map(|to| Planned::email(Template::EmailChanged, to)).into()
        }
        UserEvent::EmailVerificationSent { user, link_id, expires_at } => {
            let mail = to_account(Template::VerifyEmail, *user);
            vec![mail.link(LinkPurpose::VerifyEmail, *link_id, *expires_at)]
        }
        UserEvent::UserRegistered { .. }
        | UserEvent::UserImported { .. }
        | UserEvent::ProfileUpdated { .. }
        | UserEvent::UserDetailsCorrected { .. }
        | UserEvent::EmailVerified { .. }
        | UserEvent::AgreementAccepted { .. }
        | UserEvent::NotificationPreferenceChanged { .. } => Vec::new(),
    }
}

fn of_credential(event: &CredentialEvent) -> Vec<Planned> {
    use CredentialEvent as E;
    match event {
        E::PasswordSetupLinkSent { user, link_id, expires_at } => {
            let mail = to_account(Template::SetPassword, *user);
            vec![mail.link(LinkPurpose::SetPassword, *link_id, *expires_at)]
        }
        E::PasswordResetRequested { user, link_id, method, expires_at } => {
            let template = match method {
                ResetMethod::SelfService | ResetMethod::Temporary => Template::ResetLink,
                ResetMethod::Admin => Template::ResetByAdmin,
            };
            let mail = to_account(template, *user);
            vec![mail.link(LinkPurpose::ResetPassword, *link_id, *expires_at)]
        }
        E::TemporaryPasswordIssued { user, hash_ref, expires_at, by } => {
            let template = match by {
                None => Template::TemporaryPassword,
                Some(_) => Template::TemporaryPasswordByAdmin,
            };
            let mut mail = to_account(template, *user).until(Some(*expires_at));
            mail.particulars.temporary_password = Some(hash_ref.0);
            vec![mail]
        }
        E::PasswordSet { user, source: PasswordSource::Setup, .. }
        | E::PasswordReset { user, .. }
        | E::PasswordChanged { user, .. } => vec![to_account(Template::PasswordChanged, *user)],
        E::PasswordExpiryWarned { user, expires_at, .. } => {
            vec![to_account(Template::PasswordExpiring, *user).until(Some(*expires_at))]
        }
        E::PasswordExpired { user } => vec![to_account(Template::PasswordExpired, *user)],
        E::UserLocked { user: Some(user), until } => {
            vec![to_account(Template::AccountLocked, *user).until(*until)]
        }
        E::UserUnlocked { user: Some(user), .. } => {
            vec![to_account(Template::AccountUnlocked, *user)]
        }
        // Nobody is behind a shadow credential, and a person who is imported knows their password.
        E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. }
        | E::PasswordSet { source: PasswordSource::Import, .. }
        // The link or the temporary password tells of it.
        | E::PasswordResetByAdmin { .. }
        | E::LoginFailed { .. }
        | E::LoginChallenged { .. }
        | E::LoginSucceeded { .. } => Vec::new(),
    }
}

fn of_authenticator(event: &AuthenticatorEvent) -> Vec<Planned> {
    use AuthenticatorEvent as E;
    match event {
        E::TotpEnrolled { user, .. } => vec![to_account(Template::AuthenticatorAdded, *user)],
        E::TotpRemoved { user } => vec![to_account(Template::AuthenticatorRemoved, *user)],
        E::RecoveryCodeUsed { user, .. } => vec![to_account(Template::RecoveryCodeUsed, *user)],
        E::TotpEnrolmentStarted { .. }
        | E::TotpAccepted { .. }
        | E::RecoveryCodesRenewed { .. } => Vec::new(),
    }
}

fn of_passcode(event: &OneTimePasscodeEvent) -> Vec<Planned> {
    use OneTimePasscodeEvent as E;
    match event {
        E::OtpSent { challenge, owner, channel, digits, sent_length, expires_at, .. } => {
            let channel = match channel {
                CodeChannel::Sms => Channel::Sms,
                CodeChannel::Voice => Channel::Voice,
            };
            let to = Addressee::Telephone { owner: *owner };
            let mut message = Planned::email(Template::Passcode, to).until(Some(*expires_at));
            message.channel = channel;
            message.particulars.passcode = Some(Passcode {
                challenge: challenge.0,
                sent_length: *sent_length,
                digits: *digits,
            });
            vec![message]
        }
        // The authenticator app shows its code without being asked.
        E::OtpChallenged { .. }
        | E::OtpFailed { .. }
        | E::OtpVerified { .. }
        | E::OtpConsumed { .. } => Vec::new(),
    }
}

async fn of_organization(
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

fn of_account_request(event: &AccountRequestEvent) -> Vec<Planned> {
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

fn of_join_request(event: &JoinRequestEvent) -> Vec<Planned> {
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

async fn of_token(
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

async fn of_pin(
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

async fn of_api_key(
    journal: &Journal,
    event: &ApiKeyEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    let (template, organization, by, until) = match event {
        ApiKeyEvent::ApiKeyCreated { organization, by, expires_at, .. } => {
            (Template::ApiKeyCreated, organization, by, Some(*expires_at))
        }
        ApiKeyEvent::ApiKeyRevoked { organization, by, .. } => {
            (Template::ApiKeyRevoked, organization, by, None)
        }
    };
    let audience = Audience::other_key_holders(*organization, *by);
    let mail = to_everybody(template, journal, &audience, recorded).await?;
    Ok(mail.into_iter().map(|mail| mail.organization(*organization).until(until)).collect())
}

async fn of_affiliation(
    journal: &Journal,
    event: &AffiliationEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    use AffiliationEvent as E;
    // Who acted, and so who did not and has to be told.
    let decision = NotificationType::AffiliationDecision;
    let request = NotificationType::AffiliationRequest;
    let (template, kind, pair, acted) = match event {
        E::AffiliationRequested { pair, initiator, .. } => {
            (Template::AffiliationRequested, request, pair, *initiator)
        }
        E::AffiliationApproved { pair, side, .. } => {
            (Template::AffiliationApproved, decision, pair, *side)
        }
        E::AffiliationDenied { pair, side, .. } => {
            (Template::AffiliationDenied, decision, pair, *side)
        }
        E::AffiliationWithdrawn { pair, side, .. } => {
            (Template::AffiliationWithdrawn, request, pair, *side)
        }
        E::AffiliationExpired { pair, initiator } => {
            (Template::AffiliationExpired, decision, pair, initiator.other())
        }
        E::AffiliationTerminated { pair, side, .. } => {
            (Template::AffiliationTerminated, decision, pair, *side)
        }
        E::AffiliationTakenOver { pair, side, .. } => {
            (Template::AffiliationTakenOver, decision, pair, *side)
        }
        E::AffiliationTerminationCancelled { pair, side, .. } => {
            (Template::AffiliationGoesOn, decision, pair, *side)
        }
        E::AffiliationAgreementSigned { .. }
        | E::AffiliationRenewed { .. }
        | E::AffiliationNpisAssigned { .. } => return Ok(Vec::new()),
    };
    let (told, other) = (pair.of(acted.other()), pair.of(acted));
    let audience = Audience::Administrators(told);
    let people = audience.resolve(journal, recorded.tenant, recorded.occurred_at).await?;
    let at_once = frequencies(journal, people, kind, recorded).await?;
    let at_once = at_once.into_iter().filter(|(_, frequency)| *frequency == Frequency::Immediate);
    let mail = at_once
        .map(|(user, _)| to_account(template, user).organization(Some(told)).counterparty(other));
    Ok(mail.collect())
}

/// Mail that follows a notice for those who chose so (MC-64); what is mailed anyway is not repeated.
async fn of_notice(
    journal: &Journal,
    notice: &Notice,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    if is_mailed_anyway(notice.notification_type) {
        return Ok(Vec::new());
    }
    let people = notice.audience.iter().copied();
    let chosen = frequencies(journal, people, notice.notification_type, recorded).await?;
    let at_once = chosen.into_iter().filter(|(_, frequency)| *frequency == Frequency::Immediate);
    let mail = at_once.map(|(user, _)| {
        let mut planned = to_account(Template::Notice, user);
        planned.particulars.notice = Some(notice.notification_type);
        planned.particulars.organization = notice.organization;
        planned
    });
    Ok(mail.collect())
}

/// How often mail follows notices of a type for each of these people, by a few queries however many
/// they are; never for somebody without an account.
pub(crate) async fn frequencies(
    journal: &Journal,
    people: impl IntoIterator<Item = UserId>,
    kind: NotificationType,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<(UserId, Frequency)>, JournalError> {
    let tenant = recorded.tenant;
    let policies = journal.load_fresh::<PolicyHistory>(tenant, tenant.policy_stream()).await?.state;
    let (_, policy) = policies.at(recorded.occurred_at);
    let people: Vec<_> = people.into_iter().collect();
    let ids: Vec<_> = people.iter().map(|user| user.0).collect();
    let accounts = journal.load_all::<User>(tenant, &ids).await?;
    let frequency = |user: &UserId| match accounts.get(&user.0).and_then(User::profile) {
        None => Frequency::Off,
        Some(profile) => {
            let own = profile.preferences.get(&kind).copied();
            Preference::in_force(kind, own, policy).0.mail()
        }
    };
    Ok(people.iter().map(|user| (*user, frequency(user))).collect())
}

fn of_inbox(event: &InboxEvent) -> Vec<Planned> {
    match event {
        InboxEvent::DigestSent { user, notifications, .. } => {
            let mut mail = to_account(Template::Digest, *user);
            mail.particulars.digest = notifications.clone();
            vec![mail]
        }
        InboxEvent::NotificationRead { .. } => Vec::new(),
    }
}

/// Whether the event behind such a notice causes mail of its own.
fn is_mailed_anyway(kind: NotificationType) -> bool {
    match kind {
        NotificationType::AffiliationRequest
        | NotificationType::AffiliationDecision
        | NotificationType::PinReset
        | NotificationType::AccountSecurity => true,
        NotificationType::AccessRequest
        | NotificationType::NewCorrespondence
        | NotificationType::PermissionChange
        | NotificationType::UserActivity
        | NotificationType::ReviewDue
        | NotificationType::ReportReleased
        | NotificationType::SystemAlert => false,
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
