//! What may be asked of an organisation, and why it refuses.
//!
//! Invariant: whether the caller is administrator or plan staff was decided before a command comes
//! here; what the organisation itself forbids is refused here whoever asks.

use chrono::{DateTime, Utc};

use super::{MergeCommand, PlaceCommand};
use crate::kernel::ids::{InvitationId, OrganizationId, RegistrationId, UserId};
use crate::organizations::{
    Authority, ContractStatus, EnrolmentSource, InvitationEnd, MembershipOrigin, OrgRole,
    OrganizationKinds, PostalAddress, TaxIdRef,
};
use crate::permissions::Cause;
use crate::values::{
    CalendarDate, EmailAddress, Npi, OrganizationName, ProviderCommunity, ProviderType, Reason, Zip,
};
use crate::{Code, Refusal};

/// What the plan's file says about an organisation (GN-32).
#[derive(Clone, Debug)]
pub struct Enrolment {
    pub organization: OrganizationId,
    pub name: OrganizationName,
    pub kinds: OrganizationKinds,
    pub tax_id: TaxIdRef,
    pub pay_to_address: Option<PostalAddress>,
    pub pay_to_zip: Option<Zip>,
    pub contact_email: EmailAddress,
    pub contract_status: ContractStatus,
    pub source: Option<EnrolmentSource>,
}

/// A wish to change an organisation.
#[derive(Clone, Debug)]
pub enum OrganizationCommand {
    /// Enrols, or records what differs; the same file twice changes nothing (GN-32).
    RecordEnrolment(Box<Enrolment>),
    SetContractStatus {
        status: ContractStatus,
        from: DateTime<Utc>,
    },
    SetOrganizationKinds {
        kinds: OrganizationKinds,
    },
    /// That no other organisation holds the NPI is reserved at the append.
    AttachNpi {
        npi: Npi,
        name: OrganizationName,
        provider_type: ProviderType,
        community: ProviderCommunity,
        effective_at: DateTime<Utc>,
    },
    DetachNpi {
        npi: Npi,
        effective_at: DateTime<Utc>,
        reason: Option<Reason>,
    },
    /// The holding ends later, and goes to another organisation if one is named (GN-04).
    PlanNpiEnd {
        npi: Npi,
        to: Option<OrganizationId>,
        effective_at: DateTime<Utc>,
        reason: Option<Reason>,
    },
    /// The end planned does not come.
    CancelNpiEnd {
        npi: Npi,
    },
    /// The moment of a planned end has come; too early, it is no error.
    CarryOutNpiEnd {
        npi: Npi,
    },
    /// The organisation to which a planned end sends the NPI refuses it.
    FailNpiMove {
        npi: Npi,
        to: OrganizationId,
        code: Code,
    },
    /// About one person, or the domains of all.
    Roster(RosterCommand),
    /// About locations and tax ids.
    Place(PlaceCommand),
    /// About being merged into another organisation, or taking one in.
    Merge(MergeCommand),
    SuspendOrganization {
        reason: Reason,
    },
    ReopenOrganization,
    CloseOrganization {
        reason: Reason,
    },
}

/// A wish to change who belongs to an organisation.
#[derive(Clone, Debug)]
pub enum RosterCommand {
    /// Opens the organisation with its registrant as administrator (MC-08, MC-10).
    RegisterOrganization {
        registration: RegistrationId,
        user: UserId,
        email_domain: String,
        /// The registrant is signed in and sees the organisation after the next sign-in (MC-11).
        signed_in: bool,
        /// `Registration` for a new person, `Token` for one who has an account.
        by: MembershipOrigin,
    },
    InviteMember {
        user: UserId,
        invitation: InvitationId,
        email_domain: String,
    },
    /// The invitation was completed.
    JoinByInvitation {
        user: UserId,
        invitation: InvitationId,
        signed_in: bool,
    },
    /// Plan staff attach a person who has an account (CC-03).
    AttachUser {
        user: UserId,
        email_domain: String,
        role: OrgRole,
    },
    /// The plan opens an organisation on file for the first person it makes an account for (AL-01).
    OpenByPlan,
    /// A member of another portal's organisation is taken over, or rises to the role they had there;
    /// the first one opens an organisation that nobody has registered (GN-33).
    ImportMember {
        user: UserId,
        email_domain: String,
        role: OrgRole,
    },
    EndMemberInvitation {
        user: UserId,
        invitation: InvitationId,
        cause: InvitationEnd,
    },
    /// Also for invited people, whose role waits for them.
    AssignOrgRole {
        user: UserId,
        role: OrgRole,
        cause: Cause,
        authority: Authority,
    },
    /// At once; with a later `left_on`, at the end of that day (GN-04).
    DeactivateUser {
        user: UserId,
        confirmed: bool,
        reason: Option<Reason>,
        left_on: Option<CalendarDate>,
        authority: Authority,
    },
    /// The end that a later `left_on` planned does not come (GN-04).
    CancelMembershipEnd {
        user: UserId,
    },
    /// The moment of a planned end has come; too early, it is no error.
    CarryOutMembershipEnd {
        user: UserId,
    },
    /// What shows that the plan had to step in (CC-07).
    RecordPlanEvidence {
        user: UserId,
        evidence: Reason,
    },
    /// An administrator asks the plan for a further one (CX-05).
    RequestAdmin {
        user: UserId,
        reason: Reason,
    },
    DeclineAdminRequest {
        user: UserId,
        reason: Reason,
    },
    ReactivateUser {
        user: UserId,
        confirmed: bool,
        /// The former permissions were listed and confirmed, or taken away (GN-12).
        permissions_reviewed: bool,
    },
    /// The scheduler looks whether somebody waits too long for a first permission; the membership's
    /// own stream has none (MC-32).
    WatchUnassigned {
        user: UserId,
    },
    /// The scheduler looks whether somebody has not signed in for too long; when they last did, their
    /// account knows (MC-32).
    WatchDormant {
        user: UserId,
        seen: Option<DateTime<Utc>>,
    },
    ChangeMemberEmailDomain {
        user: UserId,
        email_domain: String,
    },
    RemoveEmailDomain {
        domain: String,
    },
}

impl From<RosterCommand> for OrganizationCommand {
    fn from(command: RosterCommand) -> Self {
        Self::Roster(command)
    }
}

impl From<MergeCommand> for OrganizationCommand {
    fn from(command: MergeCommand) -> Self {
        Self::Merge(command)
    }
}

impl From<PlaceCommand> for OrganizationCommand {
    fn from(command: PlaceCommand) -> Self {
        Self::Place(command)
    }
}

/// Why an organisation refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationRefusal {
    #[error("No such organization exists here. Check the id and try again.")]
    Unknown,
    #[error("The organization is not open. Contact the health plan.")]
    NotActive,
    #[error("The organization is closed for good.")]
    Closed,
    #[error("The organization is being merged with another one. Wait until that is done.")]
    Merging,
    #[error("An organization is not merged into itself. Choose another one.")]
    MergeIntoItself,
    #[error("The organization is being merged into another one, or was.")]
    MergedElsewhere,
    #[error("No such merger is under way, or something is left of it.")]
    NotMerging,
    #[error("An end of NPI {0} is planned. Cancel it first, or wait for it.")]
    MergeWithPlannedEnd(Npi),
    #[error("The organization is not suspended.")]
    NotSuspended,
    #[error("The organization is registered already. Ask its administrator to invite you.")]
    AlreadyRegistered,
    #[error("The organization has no contract with the health plan. Contact the health plan.")]
    NotContracted { contact_page: Option<String> },
    #[error("Choose at least one kind: provider, submitter or both.")]
    NoKind,
    #[error("The organization holds this NPI already.")]
    NpiAttached,
    #[error("The organization does not hold this NPI.")]
    NpiNotInOrg,
    #[error("The NPI's holding must end after it began.")]
    NpiRange,
    #[error("A person with this email address belongs to the organization already.")]
    EmailTakenInOrg,
    #[error("This person is no member of the organization.")]
    NotAMember,
    #[error("No such invitation is open.")]
    NotInvited,
    #[error("Nobody raises their own permissions. Ask another administrator.")]
    SelfGrant,
    #[error("This is the last active administrator. Appoint another one first.")]
    LastAdmin,
    #[error("Confirm that the user is to be deactivated.")]
    ConfirmDeactivation,
    #[error("Confirm that the user is to be active again.")]
    ConfirmReactivation,
    #[error("The user was inactive for long. Confirm or remove the former permissions first.")]
    ConfirmPermissions,
    #[error("This was requested already. The health plan will decide on it.")]
    AdminRequested,
    #[error("The user is an administrator already.")]
    AdminAlready,
    #[error("Nobody asked for this, or it is decided already.")]
    AdminNotRequested,
    #[error("The user is deactivated already.")]
    AlreadyInactive,
    #[error("The user is not deactivated.")]
    NotInactive,
    #[error("An end is planned already. Cancel it first.")]
    EndPlanned,
    #[error("No end is planned.")]
    NoEndPlanned,
    #[error("Active users have addresses of this domain. Deactivate or change them first.")]
    DomainInUse(Vec<UserId>),
    #[error("The organization has no such email domain.")]
    DomainUnknown,
    #[error("This portal has no locations.")]
    NoLocations,
    #[error("The organization has no such location. Choose one of its list.")]
    LocationUnknown,
    #[error("The organization has a location of this name. Choose another name.")]
    LocationNameTaken,
    #[error("The location is not credentialed. Ask the health plan.")]
    LocationNotCredentialed,
    #[error("The contract for this location has ended. Choose another one.")]
    LocationTerminated,
}

impl From<OrganizationRefusal> for Refusal {
    fn from(refusal: OrganizationRefusal) -> Self {
        use OrganizationRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Unknown => Self::not_found("organizationId"),
            R::NotActive | R::Closed | R::Merging => Self::new(Code::OrgNotActive, message),
            R::MergeIntoItself => Self::new(Code::FieldInvalid, message).at("intoOrganizationId"),
            R::MergedElsewhere => Self::new(Code::AlreadyDecided, message).at("fromOrganizationId"),
            R::NotMerging => Self::new(Code::NotPending, message),
            R::MergeWithPlannedEnd(_) => {
                Self::new(Code::AlreadyDecided, message).at("fromOrganizationId")
            }
            R::NotSuspended => Self::new(Code::NotInactive, message),
            R::AlreadyRegistered => Self::new(Code::OrgAlreadyRegistered, message),
            R::NotContracted { contact_page } => {
                Self::new(Code::NotContracted, message).details(contact_page)
            }
            R::NoKind => Self::new(Code::FieldRequired, message).at("kinds"),
            R::NpiAttached => Self::new(Code::NpiAttached, message).at("npi"),
            R::NpiNotInOrg => Self::new(Code::NpiNotInOrg, message).at("npi"),
            R::NpiRange => Self::new(Code::RangeInvalid, message).at("effectiveAt"),
            R::EmailTakenInOrg => Self::new(Code::EmailTakenInOrg, message).at("email"),
            R::NotAMember => Self::new(Code::NotFound, message).at("userId"),
            R::NotInvited => Self::new(Code::NotInvited, message),
            R::SelfGrant => Self::new(Code::SelfGrant, message).at("role"),
            R::LastAdmin => Self::new(Code::LastAdmin, message),
            R::ConfirmDeactivation | R::ConfirmReactivation => {
                Self::new(Code::ConfirmationRequired, message).at("confirm")
            }
            R::ConfirmPermissions => {
                Self::new(Code::ConfirmationRequired, message).at("confirmPermissions")
            }
            R::AdminRequested => Self::new(Code::DuplicateRequest, message).at("userId"),
            R::AdminAlready => Self::new(Code::AlreadyDecided, message).at("userId"),
            R::AdminNotRequested => Self::new(Code::NotPending, message).at("userId"),
            R::AlreadyInactive => Self::new(Code::AlreadyInactive, message),
            R::NotInactive => Self::new(Code::NotInactive, message),
            R::EndPlanned => Self::new(Code::AlreadyDecided, message),
            R::NoEndPlanned => Self::new(Code::NotPending, message),
            R::DomainInUse(users) => Self::new(Code::DomainInUse, message)
                .at("domain")
                .details(users.iter().map(ToString::to_string)),
            R::NoLocations => Self::new(Code::FeatureDisabled, message),
            R::LocationUnknown => Self::new(Code::NotFound, message).at("locationId"),
            R::LocationNameTaken => Self::new(Code::NameInvalid, message).at("name"),
            R::LocationNotCredentialed => {
                Self::new(Code::LocationNotCredentialed, message).at("locationId")
            }
            R::LocationTerminated => Self::new(Code::LocationTerminated, message).at("locationId"),
            R::DomainUnknown => Self::new(Code::NotFound, message).at("domain"),
        }
    }
}
