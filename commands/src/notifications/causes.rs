//! Which notices follow from which event (MC-69).
//!
//! Invariant: every event is decided here by name, so a new one cannot be forgotten.

use rollcall_domain::{
    AnyEvent,
    affiliations::AffiliationEvent,
    kernel::ids::{OrganizationId, UserId},
    notifications::{NotificationType, SubjectKind, SubjectRef},
    organizations::OrganizationEvent,
    permissions::MembershipEvent,
    pins::PinEvent,
    users::{
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
    PerEvent,
    /// However many facts one command caused.
    PerCommand,
}

impl Raise {
    fn new(kind: NotificationType, audience: Audience, subject: (SubjectKind, Uuid)) -> Self {
        Self {
            notification_type: kind,
            audience,
            organization: None,
            subject_ref: SubjectRef { kind: subject.0, id: subject.1, npi: None },
            once: Once::PerEvent,
            step: "",
        }
    }

    fn within(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    fn npi(mut self, npi: &Npi) -> Self {
        self.subject_ref.npi = Some(npi.clone());
        self
    }

    fn once_per_command(mut self) -> Self {
        self.once = Once::PerCommand;
        self
    }
}

/// The notices an event causes.
pub(super) fn raised_by(recorded: &Recorded<AnyEvent>) -> Vec<Raise> {
    match &recorded.event {
        AnyEvent::User(event) => of_account(event),
        AnyEvent::Credential(event) => of_credential(event),
        AnyEvent::Organization(event) => of_organization(event),
        AnyEvent::Membership(event) => of_membership(event, recorded.aggregate_id),
        AnyEvent::Pin(event) => of_pin(event, recorded.aggregate_id),
        AnyEvent::Affiliation(event) => of_affiliation(event, recorded.aggregate_id),
        AnyEvent::Tenant(_)
        | AnyEvent::PlanStaff(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::RegistrationToken(_)
        | AnyEvent::Registration(_)
        | AnyEvent::Invitation(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::Session(_)
        | AnyEvent::Notification(_)
        | AnyEvent::Inbox(_)
        | AnyEvent::Delivery(_)
        | AnyEvent::Denial(_) => Vec::new(),
    }
}

fn of_account(event: &UserEvent) -> Vec<Raise> {
    match event {
        UserEvent::PhoneChanged { user, .. } | UserEvent::EmailChanged { user, .. } => {
            vec![security(*user)]
        }
        UserEvent::UserRegistered { .. }
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
        | E::PasswordChanged { user, .. }
        | E::PasswordExpired { user }
        | E::UserUnlocked { user: Some(user), .. } => vec![security(*user)],
        E::UserLocked { user: Some(user), .. } => {
            let administrators = Raise::new(
                NotificationType::UserActivity,
                Audience::AdministratorsOf(*user),
                (SubjectKind::User, user.0),
            );
            vec![security(*user), administrators]
        }
        E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. }
        | E::PasswordSet { source: PasswordSource::Import, .. }
        | E::PasswordSetupLinkSent { .. }
        | E::PasswordResetRequested { .. }
        | E::TemporaryPasswordIssued { .. }
        | E::LoginFailed { .. }
        | E::LoginSucceeded { .. } => Vec::new(),
    }
}

fn of_organization(event: &OrganizationEvent) -> Vec<Raise> {
    use OrganizationEvent as E;
    match event {
        E::MembershipAdded { organization, user, .. }
        | E::UserDeactivated { organization, user, .. }
        | E::UserReactivated { organization, user } => vec![activity(*organization, *user)],
        E::OrgRoleAssigned { organization, user, .. } => {
            let own = Raise::new(
                NotificationType::PermissionChange,
                Audience::Person(*user),
                (SubjectKind::User, user.0),
            );
            let mut others = activity(*organization, *user);
            others.step = "role";
            vec![own.within(*organization).once_per_command(), others]
        }
        E::OrganizationRegistered { organization, .. }
        | E::OrganizationSuspended { organization, .. }
        | E::OrganizationReopened { organization }
        | E::OrganizationClosed { organization, .. } => {
            let subject = (SubjectKind::Organization, organization.0);
            let audience = Audience::Administrators(*organization);
            let alert = Raise::new(NotificationType::SystemAlert, audience, subject);
            vec![alert.within(*organization)]
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. } => Vec::new(),
    }
}

fn of_membership(event: &MembershipEvent, stream: Uuid) -> Vec<Raise> {
    use MembershipEvent as E;
    match event {
        E::NpiPermissionSet { user, organization, .. }
        | E::NpiPermissionEnded { user, organization, .. }
        | E::CorrespondencePermissionSet { user, organization, .. }
        | E::MembershipPermissionsEnded { user, organization, .. } => {
            let subject = (SubjectKind::Membership, stream);
            let audience = Audience::Person(*user);
            let change = Raise::new(NotificationType::PermissionChange, audience, subject);
            vec![change.within(*organization).once_per_command()]
        }
        E::PermissionsAssigned { .. }
        | E::PermissionsDeferred { .. }
        | E::FormerPermissionsConfirmed { .. } => Vec::new(),
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
        PinEvent::PinIssued { .. } | PinEvent::PinRevealed { .. } => Vec::new(),
    }
}

fn of_affiliation(event: &AffiliationEvent, stream: Uuid) -> Vec<Raise> {
    use AffiliationEvent as E;
    let (kind, told) = match event {
        E::AffiliationRequested { pair, initiator, .. } => {
            (NotificationType::AffiliationRequest, pair.of(initiator.other()))
        }
        E::AffiliationApproved { pair, side, .. }
        | E::AffiliationDenied { pair, side, .. }
        | E::AffiliationTerminated { pair, side, .. } => {
            (NotificationType::AffiliationDecision, pair.of(side.other()))
        }
        E::AffiliationWithdrawn { pair, side, .. } => {
            (NotificationType::AffiliationRequest, pair.of(side.other()))
        }
        E::AffiliationExpired { pair, initiator } => {
            (NotificationType::AffiliationDecision, pair.of(*initiator))
        }
        E::AffiliationAgreementSigned { .. } => return Vec::new(),
    };
    let subject = (SubjectKind::Affiliation, stream);
    vec![Raise::new(kind, Audience::Administrators(told), subject).within(told)]
}

/// To the person: something about their account that only they should have done.
fn security(user: UserId) -> Raise {
    let subject = (SubjectKind::User, user.0);
    Raise::new(NotificationType::AccountSecurity, Audience::Person(user), subject)
}

/// To the other administrators: somebody came, went or changed their role.
fn activity(organization: OrganizationId, user: UserId) -> Raise {
    let audience = Audience::OtherAdministrators(organization, user);
    let subject = (SubjectKind::User, user.0);
    Raise::new(NotificationType::UserActivity, audience, subject).within(organization)
}
