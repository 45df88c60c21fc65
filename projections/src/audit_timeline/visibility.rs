//! Who sees which event (GN-26): one table, role × event type.
//!
//! Invariant: every event has exactly one audience; auditors see all of them, plan administrators all
//! but legal holds unless they are named for those, everybody else only what their audience and their
//! part in the event allow.

use rollcall_domain::{
    AnyEvent,
    api_keys::ApiKeyEvent,
    audit::LegalHoldsEvent,
    kernel::ids::{OrganizationId, UserId},
    organizations::{
        OrganizationEvent, registration::RegistrationEvent,
        registration_token::RegistrationTokenEvent,
    },
    permissions::{JobRoleEvent, right_use::RightUseEvent},
    users::{credential::CredentialEvent, one_time_passcode::OneTimePasscodeEvent},
};
use uuid::Uuid;

/// Whose business an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// An organisation's people and their rights there: its administrators, plan support, and the
    /// people concerned.
    Organization,
    /// A person's own account: plan support and the person.
    Person,
    /// The plan's own affairs, such as policy and plan roles: of others only the people concerned.
    Plan,
    /// How messages went out: plan support, beside the plan's administrators and auditors.
    Operations,
    /// Failed attempts and why they failed, and what was taken away of the records: plan administrators and
    /// auditors alone, since it tells what exists, what nearly worked and what is looked into.
    Security,
    /// Legal holds: auditors, and the plan administrators who are named to know of them.
    Confidential,
}

impl Audience {
    pub const ALL: [Self; 6] = [
        Self::Organization,
        Self::Person,
        Self::Plan,
        Self::Operations,
        Self::Security,
        Self::Confidential,
    ];

    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "ORGANIZATION",
            Self::Person => "PERSON",
            Self::Plan => "PLAN",
            Self::Operations => "OPERATIONS",
            Self::Security => "SECURITY",
            Self::Confidential => "CONFIDENTIAL",
        }
    }

    /// The audience of an event.
    #[must_use]
    pub fn of(event: &AnyEvent) -> Self {
        match event {
            AnyEvent::Tenant(_)
            | AnyEvent::PlanStaff(_)
            | AnyEvent::Policy(_)
            | AnyEvent::Agreement(_)
            | AnyEvent::TrustedIssuers(_)
            | AnyEvent::PolicyProposal(_)
            | AnyEvent::ClientGuidance(_)
            | AnyEvent::PeopleImport(_)
            | AnyEvent::ReviewCampaign(_)
            | AnyEvent::ReviewTemplate(_) => Self::Plan,
            AnyEvent::Organization(event) => of_organization(event),
            AnyEvent::RegistrationToken(event) => of_token(event),
            AnyEvent::JobRole(event) => of_job_role(event),
            AnyEvent::Registration(event) => of_registration(event),
            AnyEvent::Membership(_)
            | AnyEvent::AccessRequest(_)
            | AnyEvent::JoinRequest(_)
            | AnyEvent::MoveRequest(_)
            | AnyEvent::AccessReview(_)
            | AnyEvent::ReviewSubstitutes(_)
            | AnyEvent::Invitation(_)
            | AnyEvent::Attestation(_)
            | AnyEvent::Pin(_)
            | AnyEvent::SubmitterProfile(_)
            | AnyEvent::Handoff(_)
            | AnyEvent::Affiliation(_)
            | AnyEvent::AccountRequest(_) => Self::Organization,
            AnyEvent::ApiKey(event) => of_api_key(event),
            AnyEvent::RightUse(RightUseEvent::RightUsed { organization: Some(_), .. }) => {
                Self::Organization
            }
            AnyEvent::RightUse(RightUseEvent::RightUsed { organization: None, .. }) => Self::Plan,
            AnyEvent::User(_)
            | AnyEvent::Authenticator(_)
            | AnyEvent::ExternalIdentities(_)
            | AnyEvent::Session(_)
            | AnyEvent::Inbox(_) => Self::Person,
            AnyEvent::Credential(event) => of_credential(event),
            AnyEvent::OneTimePasscode(event) => of_passcode(event),
            AnyEvent::Notification(_) | AnyEvent::Delivery(_) => Self::Operations,
            AnyEvent::Denial(_)
            | AnyEvent::Evidence(_)
            | AnyEvent::AuditExport(_)
            | AnyEvent::SodRules(_)
            | AnyEvent::ActivityReviews(_)
            | AnyEvent::Erasure(_)
            | AnyEvent::AuditSinks(_)
            | AnyEvent::Workspace(_) => Self::Security,
            AnyEvent::LegalHolds(event) => of_holds(event),
        }
    }
}

fn of_organization(event: &OrganizationEvent) -> Audience {
    use OrganizationEvent as E;
    match event {
        // The contract is between the plan and the organisation, but its file is the plan's.
        E::OrganizationEnrolled { .. } | E::EnrolmentUpdated { .. } => Audience::Plan,
        E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::UserAutoDeactivated { .. }
        | E::UserReactivated { .. }
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
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => Audience::Organization,
    }
}

fn of_job_role(event: &JobRoleEvent) -> Audience {
    match event {
        JobRoleEvent::JobRoleDefined { organization: Some(_), .. }
        | JobRoleEvent::JobRoleRetired { organization: Some(_), .. } => Audience::Organization,
        // Of the whole portal.
        JobRoleEvent::JobRoleDefined { organization: None, .. }
        | JobRoleEvent::JobRoleRetired { organization: None, .. } => Audience::Plan,
    }
}

fn of_api_key(event: &ApiKeyEvent) -> Audience {
    match event {
        ApiKeyEvent::ApiKeyCreated { organization: Some(_), .. }
        | ApiKeyEvent::ApiKeyRevoked { organization: Some(_), .. } => Audience::Organization,
        ApiKeyEvent::ApiKeyCreated { organization: None, .. }
        | ApiKeyEvent::ApiKeyRevoked { organization: None, .. } => Audience::Plan,
    }
}

fn of_token(event: &RegistrationTokenEvent) -> Audience {
    use RegistrationTokenEvent as E;
    match event {
        E::RegistrationTokenIssued { .. }
        | E::LetterQueued { .. }
        | E::RegistrationTokenExpired { .. }
        | E::RegistrationTokenRevoked { .. }
        | E::LetterReturned { .. }
        | E::LetterOpened { .. } => Audience::Operations,
        E::RegistrationTokenRedeemed { .. } => Audience::Organization,
        E::RegistrationTokenRejected { .. } => Audience::Security,
    }
}

fn of_registration(event: &RegistrationEvent) -> Audience {
    use RegistrationEvent as E;
    match event {
        E::OrganizationRegistrationStarted { .. }
        | E::AgreementAccepted { .. }
        | E::RegistrantVerified { .. }
        | E::PasscodeVerified { .. }
        | E::OrganizationRegistrationCompleted { .. } => Audience::Organization,
        E::RegistrantMismatch { .. } => Audience::Security,
    }
}

fn of_credential(event: &CredentialEvent) -> Audience {
    use CredentialEvent as E;
    match event {
        E::PasswordSetupLinkSent { .. }
        | E::PasswordResetRequested { .. }
        | E::PasswordSet { .. }
        | E::PasswordReset { .. }
        | E::PasswordChanged { .. }
        | E::PasswordExpiryWarned { .. }
        | E::PasswordExpired { .. }
        | E::TemporaryPasswordIssued { .. }
        | E::PasswordResetByAdmin { .. }
        | E::LoginChallenged { .. }
        | E::LoginSucceeded { .. }
        | E::UserLocked { user: Some(_), .. }
        | E::UserUnlocked { user: Some(_), .. } => Audience::Person,
        // An identifier nobody has must not be told from one that somebody has.
        E::LoginFailed { .. }
        | E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. } => Audience::Security,
    }
}

fn of_holds(event: &LegalHoldsEvent) -> Audience {
    match event {
        LegalHoldsEvent::LegalHoldPlaced { .. } | LegalHoldsEvent::LegalHoldReleased { .. } => {
            Audience::Confidential
        }
        LegalHoldsEvent::RecordsOfficerNamed { .. }
        | LegalHoldsEvent::RecordsOfficerRelieved { .. } => Audience::Security,
    }
}

fn of_passcode(event: &OneTimePasscodeEvent) -> Audience {
    use OneTimePasscodeEvent as E;
    match event {
        E::OtpSent { .. }
        | E::OtpChallenged { .. }
        | E::OtpVerified { .. }
        | E::OtpConsumed { .. } => Audience::Person,
        E::OtpFailed { .. } => Audience::Security,
    }
}

/// Who asks for events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// A compliance auditor (AU).
    Auditor,
    /// A plan administrator (PA).
    PlanAdministrator,
    /// A plan administrator who is named to know of legal holds.
    RecordsOfficer,
    /// Plan support staff (PS).
    PlanSupport,
    /// An administrator of an organisation (OA), who is a person as well.
    OrgAdmin { organization: OrganizationId, user: UserId },
    /// A machine by the key of an organisation; it has no part of its own in anything (GN-28).
    OrganizationKey(OrganizationId),
    /// Any signed-in person (US).
    Person(UserId),
}

/// What of a tenant's events a viewer may see: each audience in whole, for an organisation, or for
/// a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    pub whole: Vec<Audience>,
    /// Of these organisations each.
    pub of_organizations: Vec<(Vec<OrganizationId>, Vec<Audience>)>,
    pub of_person: Option<(UserId, Vec<Audience>)>,
}

impl Sight {
    /// The parts of it that show where requests came from: those that show failed attempts.
    #[must_use]
    pub fn of_addresses(&self) -> Self {
        let shows = |audiences: &[Audience]| audiences.contains(&Audience::Security);
        let whole = if shows(&self.whole) { self.whole.clone() } else { Vec::new() };
        let of_organizations = self.of_organizations.iter().filter(|(_, of)| shows(of));
        Self { whole, of_organizations: of_organizations.cloned().collect(), of_person: None }
    }

    /// Whether it shows where any request came from.
    #[must_use]
    pub fn shows_addresses(&self) -> bool {
        self.of_addresses() != Self::default()
    }

    /// Whether it has a part in whole, or of one of these organisations.
    pub(super) fn reaches(&self, organizations: [Option<Uuid>; 2]) -> bool {
        let mut named = organizations.into_iter().flatten().map(OrganizationId);
        let is_in = |id| self.of_organizations.iter().any(|(these, _)| these.contains(&id));
        !self.whole.is_empty() || named.any(is_in)
    }

    /// What either of the two shows.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.whole.extend(
            other.whole.into_iter().filter(|a| !self.whole.contains(a)).collect::<Vec<_>>(),
        );
        self.of_organizations.extend(other.of_organizations);
        self.of_person = self.of_person.or(other.of_person);
        self
    }
}

impl Viewer {
    /// The rows of the table that are this viewer's.
    #[must_use]
    pub fn sight(self) -> Sight {
        use Audience as A;
        let own = |user| Some((user, vec![A::Organization, A::Person, A::Plan]));
        match self {
            Self::Auditor | Self::RecordsOfficer => {
                Sight { whole: A::ALL.to_vec(), ..Sight::default() }
            }
            Self::PlanAdministrator => {
                let whole = A::ALL.into_iter().filter(|audience| *audience != A::Confidential);
                Sight { whole: whole.collect(), ..Sight::default() }
            }
            Self::PlanSupport => {
                Sight { whole: vec![A::Organization, A::Person, A::Operations], ..Sight::default() }
            }
            Self::OrgAdmin { organization, user } => Sight {
                of_organizations: vec![(vec![organization], vec![A::Organization])],
                of_person: own(user),
                ..Sight::default()
            },
            Self::OrganizationKey(organization) => Sight {
                of_organizations: vec![(vec![organization], vec![A::Organization])],
                ..Sight::default()
            },
            Self::Person(user) => Sight { of_person: own(user), ..Sight::default() },
        }
    }

    /// The same, kept to some organisations, and what is the viewer's own (GN-31).
    #[must_use]
    pub fn sight_within(self, organizations: &[OrganizationId], user: UserId) -> Sight {
        let of_these = (organizations.to_vec(), self.sight().whole);
        Sight { of_organizations: vec![of_these], ..Self::Person(user).sight() }
    }
}
