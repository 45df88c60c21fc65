//! Which notices follow from which event (MC-69).
//!
//! Invariant: every event is decided here by name, so a new one cannot be forgotten.

use rollcall_domain::{
    AnyEvent, Code,
    access_requests::{AccessRequestEvent, JoinRequestEvent, MoveRequestEvent},
    access_reviews::{AccessReviewEvent, substitutes::ReviewSubstitutesEvent},
    affiliations::AffiliationEvent,
    api_keys::ApiKeyEvent,
    audit::{ActivityReviewsEvent, AuditSinksEvent, PauseCause},
    kernel::ids::{AccessReviewId, OrganizationId, TenantId, UserId},
    notifications::{Happening, NotificationType, SubjectKind, SubjectRef},
    organizations::{DeactivationCause, MembershipOrigin, OrganizationEvent},
    permissions::{Cause, MembershipEvent},
    pins::PinEvent,
    users::{
        authenticator::AuthenticatorEvent,
        credential::{CredentialEvent, PasswordSource},
        user::UserEvent,
    },
    values::Npi,
};
use rollcall_journal::Recorded;
use uuid::Uuid;

use super::Audience;

/// A notice to be raised.
#[derive(Clone, Debug)]
pub(super) struct Raise {
    pub notification_type: NotificationType,
    pub audience: Audience,
    pub organization: Option<OrganizationId>,
    pub subject_ref: SubjectRef,
    pub once: Once,
    /// Tells notices of the same type and event apart.
    pub step: &'static str,
}

/// How notices of one type and audience are kept from piling up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Once {
    /// One per event.
    Event,
    /// One however many facts one command caused.
    Command,
    /// One however many facts one command caused about one subject.
    Subject,
    /// One for the stream, whatever happens there later.
    Stream,
}

impl Raise {
    fn new(kind: NotificationType, audience: Audience, subject: (SubjectKind, Uuid)) -> Self {
        Self {
            notification_type: kind,
            audience,
            organization: None,
            subject_ref: SubjectRef {
                kind: subject.0,
                id: subject.1,
                npi: None,
                happening: None,
                counterparty: None,
            },
            once: Once::Event,
            step: "",
        }
    }

    fn within(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Tells of another organisation than the reader's.
    fn counterparty(mut self, organization: OrganizationId) -> Self {
        self.subject_ref.counterparty = Some(organization);
        self
    }

    fn npi(mut self, npi: &Npi) -> Self {
        self.subject_ref.npi = Some(npi.clone());
        self
    }

    fn because(mut self, happening: Happening) -> Self {
        self.subject_ref.happening = Some(happening);
        self
    }

    fn once_per_command(mut self) -> Self {
        self.once = Once::Command;
        self
    }
}

/// The notices an event causes.
pub(super) fn raised_by(recorded: &Recorded<AnyEvent>) -> Vec<Raise> {
    match &recorded.event {
        AnyEvent::User(event) => of_account(event),
        AnyEvent::Credential(event) => of_credential(event),
        AnyEvent::Authenticator(event) => of_authenticator(event),
        AnyEvent::Organization(event) => of_organization(event),
        AnyEvent::Membership(event) => of_membership(event, recorded.aggregate_id),
        AnyEvent::AccessRequest(event) => of_access_request(event, recorded.aggregate_id),
        AnyEvent::JoinRequest(event) => of_join_request(event, recorded.aggregate_id),
        AnyEvent::MoveRequest(event) => of_move_request(event, recorded.aggregate_id),
        AnyEvent::Pin(event) => of_pin(event, recorded.aggregate_id),
        AnyEvent::Affiliation(event) => of_affiliation(event, recorded.aggregate_id),
        AnyEvent::ApiKey(event) => vec![of_api_key(event)],
        AnyEvent::ActivityReviews(event) => of_activity_review(event, recorded.aggregate_id),
        AnyEvent::AccessReview(event) => {
            of_access_review(event, (recorded.tenant, recorded.aggregate_id))
        }
        AnyEvent::ReviewSubstitutes(event) => of_substitutes(event),
        AnyEvent::AuditSinks(event) => of_sinks(event),
        AnyEvent::Tenant(_)
        | AnyEvent::ReviewCampaign(_)
        | AnyEvent::ReviewTemplate(_)
        | AnyEvent::PlanStaff(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::PolicyProposal(_)
        | AnyEvent::ClientGuidance(_)
        | AnyEvent::AuditExport(_)
        | AnyEvent::SodRules(_)
        | AnyEvent::JobRole(_)
        | AnyEvent::RightUse(_)
        | AnyEvent::RegistrationToken(_)
        | AnyEvent::Registration(_)
        | AnyEvent::Invitation(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::SubmitterProfile(_)
        | AnyEvent::Handoff(_)
        | AnyEvent::TrustedIssuers(_)
        | AnyEvent::ExternalIdentities(_)
        | AnyEvent::Session(_)
        | AnyEvent::Attestation(_)
        | AnyEvent::Evidence(_)
        | AnyEvent::LegalHolds(_)
        | AnyEvent::Erasure(_)
        | AnyEvent::Workspace(_)
        | AnyEvent::Notification(_)
        | AnyEvent::Inbox(_)
        | AnyEvent::PeopleImport(_)
        | AnyEvent::AccountRequest(_)
        | AnyEvent::Delivery(_)
        | AnyEvent::Denial(_) => Vec::new(),
    }
}

fn of_account(event: &UserEvent) -> Vec<Raise> {
    match event {
        UserEvent::PhoneChanged { user, .. } => vec![security(*user, Happening::PhoneChanged)],
        UserEvent::EmailChanged { user, .. } => vec![security(*user, Happening::EmailChanged)],
        UserEvent::UsernameDisclosed { user } => {
            vec![security(*user, Happening::UsernameDisclosed)]
        }
        UserEvent::UserRegistered { .. }
        | UserEvent::UserErased { .. }
        | UserEvent::UserImported { .. }
        | UserEvent::ProfileUpdated { .. }
        | UserEvent::UserDetailsCorrected { .. }
        | UserEvent::EmailVerificationSent { .. }
        | UserEvent::EmailVerified { .. }
        | UserEvent::AgreementAccepted { .. }
        | UserEvent::NotificationPreferenceChanged { .. } => Vec::new(),
    }
}

fn of_credential(event: &CredentialEvent) -> Vec<Raise> {
    use CredentialEvent as E;
    match event {
        E::PasswordSet { user, source: PasswordSource::Setup, .. }
        | E::PasswordReset { user, .. }
        | E::PasswordChanged { user, .. } => vec![security(*user, Happening::PasswordChanged)],
        E::PasswordExpiryWarned { user, .. } => {
            vec![security(*user, Happening::PasswordExpiring)]
        }
        E::PasswordExpired { user } => vec![security(*user, Happening::PasswordExpired)],
        E::PasswordResetByAdmin { user, .. } => vec![security(*user, Happening::PasswordReset)],
        E::UserUnlocked { user: Some(user), .. } => vec![security(*user, Happening::Unlocked)],
        E::UserLocked { user: Some(user), .. } => {
            let administrators = Raise::new(
                NotificationType::UserActivity,
                Audience::AdministratorsOf(*user),
                (SubjectKind::User, user.0),
            );
            vec![security(*user, Happening::Locked), administrators.because(Happening::Locked)]
        }
        E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. }
        | E::PasswordSet { source: PasswordSource::Import, .. }
        | E::PasswordSetupLinkSent { .. }
        | E::PasswordResetRequested { .. }
        | E::TemporaryPasswordIssued { .. }
        | E::LoginFailed { .. }
        | E::LoginChallenged { .. }
        | E::LoginSucceeded { .. } => Vec::new(),
    }
}

fn of_authenticator(event: &AuthenticatorEvent) -> Vec<Raise> {
    use AuthenticatorEvent as E;
    match event {
        E::TotpEnrolled { user, .. } => vec![security(*user, Happening::AuthenticatorAdded)],
        E::TotpRemoved { user } => vec![security(*user, Happening::AuthenticatorRemoved)],
        E::RecoveryCodeUsed { user, .. } => vec![security(*user, Happening::RecoveryCodeUsed)],
        E::TotpEnrolmentStarted { .. }
        | E::TotpAccepted { .. }
        | E::RecoveryCodesRenewed { .. } => Vec::new(),
    }
}

fn of_organization(event: &OrganizationEvent) -> Vec<Raise> {
    use OrganizationEvent as E;
    match event {
        E::MemberInvited { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::Invited)]
        }
        // The administrators are told of the merger as a whole.
        E::MembershipAdded { by: MembershipOrigin::Merge, .. }
        | E::OrgRoleAssigned { cause: Cause::Merge, .. } => Vec::new(),
        E::MembershipAdded { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::Joined)]
        }
        E::AdminRequestSubmitted { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::AdminRequested)]
        }
        E::AdminRequestDeclined { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::AdminDeclined)]
        }
        E::PlanEvidenceRecorded { .. } => Vec::new(),
        E::UserDeactivationWarned { organization, user, cause, .. } => {
            let happening = match cause {
                DeactivationCause::NoPermissions => Happening::DeactivationNear,
                DeactivationCause::Dormant => Happening::DormancyNear,
            };
            vec![activity(*organization, *user, happening)]
        }
        E::OrganizationMergeBegun { organization, into, .. } => {
            let mut successor = alert(*into, Happening::MergeBegun).counterparty(*organization);
            successor.step = "successor";
            successor.subject_ref.happening = Some(Happening::AbsorptionBegun);
            vec![alert(*organization, Happening::MergeBegun).counterparty(*into), successor]
        }
        E::OrganizationAbsorbed { organization, from } => {
            vec![alert(*organization, Happening::Absorbed).counterparty(*from)]
        }
        E::MemberMoved { organization, user, into, .. } => {
            let (audience, subject) = (Audience::Person(*user), (SubjectKind::User, user.0));
            let moved = Raise::new(NotificationType::PermissionChange, audience, subject);
            vec![moved.within(*into).counterparty(*organization).because(Happening::Moved)]
        }
        E::NpiMoveFailed { organization, npi, .. } => {
            let subject = (SubjectKind::Organization, organization.0);
            let audience = Audience::PlanSupport(*organization);
            let failed = Raise::new(NotificationType::SystemAlert, audience, subject);
            // Plan staff act for no organisation; to them it is the other side.
            vec![failed.counterparty(*organization).npi(npi).because(Happening::MoveFailed)]
        }
        E::MembershipEndPlanned { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::EndPlanned)]
        }
        E::MembershipEndCancelled { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::EndCancelled)]
        }
        E::UserDeactivated { organization, user, .. }
        | E::UserAutoDeactivated { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::Deactivated)]
        }
        E::UserReactivated { organization, user, .. } => {
            vec![activity(*organization, *user, Happening::Reactivated)]
        }
        E::OrgRoleAssigned { organization, user, .. } => {
            let own = Raise::new(
                NotificationType::PermissionChange,
                Audience::Person(*user),
                (SubjectKind::User, user.0),
            );
            let own = own.within(*organization).because(Happening::RoleChanged);
            let mut others = activity(*organization, *user, Happening::RoleChanged);
            others.step = "role";
            vec![own.once_per_command(), others]
        }
        E::OrganizationRegistered { organization, .. } => {
            vec![alert(*organization, Happening::Registered)]
        }
        E::OrganizationSuspended { organization, .. } => {
            vec![alert(*organization, Happening::Suspended)]
        }
        E::OrganizationReopened { organization } => vec![alert(*organization, Happening::Reopened)],
        E::OrganizationClosed { organization, .. } => {
            vec![alert(*organization, Happening::Closed)]
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::MemberInvitationEnded { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::TaxIdLinked { .. } => Vec::new(),
    }
}

fn of_membership(event: &MembershipEvent, stream: Uuid) -> Vec<Raise> {
    use MembershipEvent as E;
    if event.cause() == Some(Cause::Merge) {
        // Whoever goes over with an organisation is told so, once.
        return Vec::new();
    }
    match event {
        E::NpiPermissionSet { user, organization, .. }
        | E::NpiPermissionEnded { user, organization, .. }
        | E::CorrespondencePermissionSet { user, organization, .. }
        | E::FeatureGranted { user, organization, .. }
        | E::FeatureRevoked { user, organization, .. }
        | E::JobRoleAssigned { user, organization, .. }
        | E::JobRoleUnassigned { user, organization, .. }
        | E::LocationAccessGranted { user, organization, .. }
        | E::LocationAccessRevoked { user, organization, .. }
        | E::TaxIdAccessGranted { user, organization, .. }
        | E::TaxIdAccessRevoked { user, organization, .. }
        | E::GrantExpired { user, organization, .. } => {
            let subject = (SubjectKind::Membership, stream);
            let audience = Audience::Person(*user);
            let change = Raise::new(NotificationType::PermissionChange, audience, subject);
            let mut others = activity(*organization, *user, Happening::PermissionsChanged);
            others.step = "permissions";
            others.once = Once::Subject;
            vec![change.within(*organization).once_per_command(), others]
        }
        // The administrators are told that the person was deactivated.
        E::MembershipPermissionsEnded { user, organization, .. } => {
            let (audience, subject) = (Audience::Person(*user), (SubjectKind::Membership, stream));
            let change = Raise::new(NotificationType::PermissionChange, audience, subject);
            vec![change.within(*organization).once_per_command()]
        }
        E::PermissionsAssigned { .. }
        | E::PermissionsDeferred { .. }
        | E::FormerPermissionsConfirmed { .. } => Vec::new(),
    }
}

fn of_access_request(event: &AccessRequestEvent, stream: Uuid) -> Vec<Raise> {
    use AccessRequestEvent as E;
    let (user, organization) = event.parties();
    let (audience, happening) = match event {
        E::AccessRequested { .. } => {
            (Audience::OtherAdministrators(organization, user), Happening::Requested)
        }
        E::AccessRequestRouted { .. } => (Audience::PlanSupport(organization), Happening::Routed),
        E::AccessRequestApproved { .. } => (Audience::Person(user), Happening::Approved),
        E::AccessRequestDenied { .. } => (Audience::Person(user), Happening::Denied),
        E::AccessRequestExpired { .. } => (Audience::Person(user), Happening::Expired),
        E::AccessRequestWithdrawn { .. } => {
            (Audience::OtherAdministrators(organization, user), Happening::Withdrawn)
        }
    };
    let subject = (SubjectKind::AccessRequest, stream);
    let notice = Raise::new(NotificationType::AccessRequest, audience, subject).because(happening);
    // Plan staff act for no organisation; to them it is the other side.
    vec![match event {
        E::AccessRequestRouted { .. } => notice.counterparty(organization),
        E::AccessRequested { .. }
        | E::AccessRequestApproved { .. }
        | E::AccessRequestDenied { .. }
        | E::AccessRequestExpired { .. }
        | E::AccessRequestWithdrawn { .. } => notice.within(organization),
    }]
}

fn of_join_request(event: &JoinRequestEvent, stream: Uuid) -> Vec<Raise> {
    use JoinRequestEvent as E;
    let organization = event.organization();
    let subject = (SubjectKind::AccessRequest, stream);
    let notice = |audience, happening| {
        Raise::new(NotificationType::AccessRequest, audience, subject).because(happening)
    };
    match event {
        E::JoinRequested { routed: None, .. } => {
            let administrators = Audience::Administrators(organization);
            vec![notice(administrators, Happening::Requested).within(organization)]
        }
        E::JoinRequested { routed: Some(_), .. } => {
            vec![
                notice(Audience::PlanSupport(organization), Happening::Routed)
                    .counterparty(organization),
            ]
        }
        // Whoever asked has no account to be told in; the other administrators hear of the invitation.
        E::JoinRequestApproved { .. }
        | E::JoinRequestDenied { .. }
        | E::JoinRequestExpired { .. } => Vec::new(),
    }
}

fn of_move_request(event: &MoveRequestEvent, stream: Uuid) -> Vec<Raise> {
    use MoveRequestEvent as E;
    let (user, organization) = event.parties();
    let subject = (SubjectKind::AccessRequest, stream);
    let notice = |audience, happening| {
        Raise::new(NotificationType::AccessRequest, audience, subject).because(happening)
    };
    let own = |happening| vec![notice(Audience::Person(user), happening).within(organization)];
    match event {
        E::MoveRequested { .. } => {
            vec![
                notice(Audience::PlanSupport(organization), Happening::Routed)
                    .counterparty(organization),
            ]
        }
        // Both organisations and the person hear of the end and the beginning themselves.
        E::MoveRequestApproved { .. } => own(Happening::Approved),
        E::MoveRequestDenied { .. } => own(Happening::Denied),
        E::MoveRequestExpired { .. } => own(Happening::Expired),
        E::MoveRequestWithdrawn { .. } => Vec::new(),
    }
}

fn of_activity_review(event: &ActivityReviewsEvent, stream: Uuid) -> Vec<Raise> {
    match event {
        ActivityReviewsEvent::ActivityReviewOverdue { .. } => {
            let subject = (SubjectKind::Review, stream);
            let due = Raise::new(NotificationType::ReviewDue, Audience::Auditors, subject);
            vec![due.because(Happening::ActivityReviewOverdue)]
        }
        ActivityReviewsEvent::ActivityReviewCompleted(_) => Vec::new(),
    }
}

/// To those who administer the organisation under review, whoever decides about an item in their place,
/// those who are asked about their own access, whoever closed it, and the plan where nobody signed in time
/// (CC-13, GN-15). Whose access it is, the roster tells. Of the plan's own people, the plan's administrators.
fn of_access_review(event: &AccessReviewEvent, (tenant, stream): (TenantId, Uuid)) -> Vec<Raise> {
    use AccessReviewEvent as E;
    let (organization, _) = event.parties();
    let is_plans = organization == tenant.plan_itself();
    let notice = |audience, happening| {
        let subject = (SubjectKind::Review, stream);
        Raise::new(NotificationType::ReviewDue, audience, subject).because(happening)
    };
    let own = |raise: Raise| if is_plans { raise } else { raise.within(organization) };
    let administrators = |happening| {
        let of_organization = Audience::Administrators(organization);
        own(notice(
            if is_plans { Audience::PlanAdministrators } else { of_organization },
            happening,
        ))
    };
    // Plan staff act for no organisation; to them it is the other side.
    let plan = |happening| match is_plans {
        true => notice(Audience::PlanAdministrators, happening),
        false => notice(Audience::PlanSupport(organization), happening).counterparty(organization),
    };
    match event {
        E::AccessReviewOpened { .. } => vec![administrators(Happening::ReviewOpened)],
        E::AccessReviewReminded { .. } => vec![administrators(Happening::ReviewReminded)],
        E::AccessReviewOverdue { .. } => vec![administrators(Happening::ReviewOverdue)],
        E::AccessReviewEscalated { .. } => {
            let mut plan = plan(Happening::ReviewUnsigned);
            plan.step = "plan";
            let to_others = (!is_plans).then(|| administrators(Happening::ReviewEscalated));
            to_others.into_iter().chain([plan]).collect()
        }
        // Whoever may be one of the reviewers is not told; the plan looks into it.
        E::HastyReviewSuspected { reviewer, .. } if is_plans => {
            vec![notice(Audience::OtherPlanAdministrators(*reviewer), Happening::ReviewHasty)]
        }
        E::HastyReviewSuspected { .. } => vec![plan(Happening::ReviewHasty)],
        E::AccessReviewCompleted { .. } => vec![administrators(Happening::ReviewCompleted)],
        E::ReviewItemDelegated { new: Some(to), .. } => {
            let delegate = notice(Audience::Person(*to), Happening::ReviewDelegated);
            vec![delegate.within(organization).once_per_command()]
        }
        // What is gone already needs nobody.
        E::ReviewDecisionNotCarriedOut { refusal, .. }
        | E::ReviewItemLeftByPolicy { refusal, .. }
            if refusal.code == Code::AlreadyInactive =>
        {
            Vec::new()
        }
        E::ReviewDecisionNotCarriedOut { .. } => {
            vec![administrators(Happening::ReviewNotCarriedOut).once_per_command()]
        }
        E::ReviewItemLeftByPolicy { .. } => {
            vec![plan(Happening::ReviewLeft).once_per_command()]
        }
        E::ReviewDelegationLapsed { .. } => {
            vec![administrators(Happening::ReviewFellBack).once_per_command()]
        }
        E::ReviewItemsListed { items, .. } => {
            let people = items.iter().map(|item| item.user).collect();
            let asked = Audience::AskedToAttest(AccessReviewId(stream), people);
            vec![notice(asked, Happening::ReviewAsksToAttest).within(organization)]
        }
        E::ReviewRevocationExecuted(done) | E::ReviewChangeExecuted(done) if done.verified => {
            let signer = Audience::Signer(AccessReviewId(stream));
            let mut ready = own(notice(signer, Happening::ReviewReadyToSign));
            (ready.once, ready.step) = (Once::Stream, "sign");
            vec![ready]
        }
        E::ReviewItemDelegated { new: None, .. }
        | E::ReviewItemConfirmed { .. }
        | E::ReviewItemAttested { .. }
        | E::AccessReviewClosing { .. }
        | E::ReviewDecisionCarriedOut { .. }
        | E::ReviewItemDecidedByPolicy(_)
        | E::ReviewItemsCarriedForward { .. }
        | E::ReviewItemDecided(_)
        | E::ReviewRevocationExecuted(_)
        | E::ReviewChangeExecuted(_)
        | E::AccessReviewCancelled { .. } => Vec::new(),
    }
}

/// To whoever reviews in somebody's place from now on, or later (GN-15).
fn of_substitutes(event: &ReviewSubstitutesEvent) -> Vec<Raise> {
    match event {
        ReviewSubstitutesEvent::ReviewSubstituteNamed { organization, substitute, .. } => {
            let subject = (SubjectKind::Organization, organization.0);
            let (kind, audience) = (NotificationType::ReviewDue, Audience::Person(*substitute));
            let notice = Raise::new(kind, audience, subject).because(Happening::ReviewStandsIn);
            vec![notice.within(*organization)]
        }
        ReviewSubstitutesEvent::ReviewSubstitutionEnded { .. } => Vec::new(),
    }
}

/// To the plan's administrators: a receiver of audit events is gone or dead (GN-26).
fn of_sinks(event: &AuditSinksEvent) -> Vec<Raise> {
    use AuditSinksEvent as E;
    match event {
        E::AuditSinkPaused { sink, cause: PauseCause::Gone | PauseCause::Unreachable, .. } => {
            let (kind, audience) = (NotificationType::SystemAlert, Audience::PlanAdministrators);
            let notice = Raise::new(kind, audience, (SubjectKind::AuditSink, sink.0));
            vec![notice.because(Happening::SinkStopped)]
        }
        E::AuditSinkPaused { cause: PauseCause::Administrator, .. }
        | E::AuditSinkCreated { .. }
        | E::AuditSinkSecretRotated { .. }
        | E::AuditSinkResumed { .. }
        | E::AuditSinkDeleted { .. }
        | E::AuditSinkDelivered { .. } => Vec::new(),
    }
}

fn of_api_key(event: &ApiKeyEvent) -> Raise {
    let (key, organization, by, happening) = match event {
        ApiKeyEvent::ApiKeyCreated { key, organization, by, .. } => {
            (key, organization, Some(*by), Happening::ApiKeyCreated)
        }
        ApiKeyEvent::ApiKeyRevoked { key, organization, by, .. } => {
            (key, organization, *by, Happening::ApiKeyRevoked)
        }
    };
    let audience = Audience::other_key_holders(*organization, by);
    let notice =
        Raise::new(NotificationType::AccountSecurity, audience, (SubjectKind::ApiKey, key.0));
    let notice = notice.because(happening);
    match organization {
        Some(organization) => notice.within(*organization),
        None => notice,
    }
}

fn of_pin(event: &PinEvent, stream: Uuid) -> Vec<Raise> {
    match event {
        PinEvent::PinReset { npi, organization, .. } => {
            let audience = Audience::NpiAdministrators(*organization, npi.clone());
            let reset =
                Raise::new(NotificationType::PinReset, audience, (SubjectKind::Pin, stream));
            vec![reset.within(*organization).npi(npi)]
        }
        PinEvent::PinIssued { .. }
        | PinEvent::PinPropagationPending { .. }
        | PinEvent::PinPropagationCompleted { .. }
        | PinEvent::PinRevealed { .. } => Vec::new(),
    }
}

fn of_affiliation(event: &AffiliationEvent, stream: Uuid) -> Vec<Raise> {
    use AffiliationEvent as E;
    use NotificationType::{AffiliationDecision, AffiliationRequest};
    // What happened, and the side that did it, so that the other one is told.
    let (kind, happening, pair, acted) = match event {
        E::AffiliationRequested { pair, initiator, .. } => {
            (AffiliationRequest, Happening::Requested, pair, *initiator)
        }
        E::AffiliationWithdrawn { pair, side, .. } => {
            (AffiliationRequest, Happening::Withdrawn, pair, *side)
        }
        E::AffiliationApproved { pair, side, .. } => {
            (AffiliationDecision, Happening::Approved, pair, *side)
        }
        E::AffiliationDenied { pair, side, .. } => {
            (AffiliationDecision, Happening::Denied, pair, *side)
        }
        E::AffiliationTerminated { pair, side, .. } => {
            (AffiliationDecision, Happening::Terminated, pair, *side)
        }
        E::AffiliationTakenOver { pair, side, .. } => {
            (AffiliationDecision, Happening::Absorbed, pair, *side)
        }
        E::AffiliationTerminationCancelled { pair, side, .. } => {
            (AffiliationDecision, Happening::EndCancelled, pair, *side)
        }
        E::AffiliationExpired { pair, initiator } => {
            (AffiliationDecision, Happening::Expired, pair, initiator.other())
        }
        E::AffiliationAgreementSigned { .. } | E::AffiliationRenewed { .. } => return Vec::new(),
        E::AffiliationNpisAssigned { pair, user, .. } => {
            let audience = Audience::Person(*user);
            let subject = (SubjectKind::Affiliation, stream);
            let change = Raise::new(NotificationType::PermissionChange, audience, subject);
            return vec![change.within(pair.submitter).once_per_command()];
        }
    };
    let (told, other) = (pair.of(acted.other()), pair.of(acted));
    let subject = (SubjectKind::Affiliation, stream);
    let mut notice = Raise::new(kind, Audience::WholeOrganization(told), subject);
    notice.subject_ref.counterparty = Some(other);
    vec![notice.within(told).because(happening)]
}

/// To the person: something about their account that only they should have done.
fn security(user: UserId, happening: Happening) -> Raise {
    let subject = (SubjectKind::User, user.0);
    let notice = Raise::new(NotificationType::AccountSecurity, Audience::Person(user), subject);
    notice.because(happening)
}

/// To the other administrators: somebody came, went or has other rights than before (MC-66).
fn activity(organization: OrganizationId, user: UserId, happening: Happening) -> Raise {
    let audience = Audience::OtherAdministrators(organization, user);
    let subject = (SubjectKind::User, user.0);
    let notice = Raise::new(NotificationType::UserActivity, audience, subject);
    notice.within(organization).because(happening)
}

/// To all who see what is the organisation's: it was opened, stopped or ended (MC-47).
fn alert(organization: OrganizationId, happening: Happening) -> Raise {
    let subject = (SubjectKind::Organization, organization.0);
    let audience = Audience::WholeOrganization(organization);
    let notice = Raise::new(NotificationType::SystemAlert, audience, subject);
    notice.within(organization).because(happening)
}
