//! What notices are about and how often mail follows (MC-64, MC-65, MC-69).
//! Invariant: stored names never change.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::ids::OrganizationId;
use crate::values::Npi;

/// The types of notices (MC-69).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationType {
    /// Somebody asks for access.
    AccessRequest,
    /// Correspondence arrived.
    NewCorrespondence,
    /// An organisation asks for an affiliation.
    AffiliationRequest,
    /// An affiliation was approved, denied or ended.
    AffiliationDecision,
    /// A PIN was reset.
    PinReset,
    /// The person's permissions were changed.
    PermissionChange,
    /// A user of the organisation was added, deactivated or reactivated.
    UserActivity,
    /// The person's password, telephone or address was changed, or the account locked; or a machine
    /// may act for the organisation from now on or no more.
    AccountSecurity,
    /// A review waits, or is overdue.
    ReviewDue,
    /// A report was released.
    ReportReleased,
    /// The portal itself has something to say.
    SystemAlert,
}

impl NotificationType {
    /// All types, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::AccessRequest,
        Self::NewCorrespondence,
        Self::AffiliationRequest,
        Self::AffiliationDecision,
        Self::PinReset,
        Self::PermissionChange,
        Self::UserActivity,
        Self::AccountSecurity,
        Self::ReviewDue,
        Self::ReportReleased,
        Self::SystemAlert,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessRequest => "ACCESS_REQUEST",
            Self::NewCorrespondence => "NEW_CORRESPONDENCE",
            Self::AffiliationRequest => "AFFILIATION_REQUEST",
            Self::AffiliationDecision => "AFFILIATION_DECISION",
            Self::PinReset => "PIN_RESET",
            Self::PermissionChange => "PERMISSION_CHANGE",
            Self::UserActivity => "USER_ACTIVITY",
            Self::AccountSecurity => "ACCOUNT_SECURITY",
            Self::ReviewDue => "REVIEW_DUE",
            Self::ReportReleased => "REPORT_RELEASED",
            Self::SystemAlert => "SYSTEM_ALERT",
        }
    }

    /// Reads a stored name back; `None` is TYPE_UNKNOWN.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether mail always follows, at once (GN-19, MC-53).
    #[must_use]
    pub const fn is_security(self) -> bool {
        matches!(self, Self::AccountSecurity | Self::PinReset)
    }

    /// Whether mail follows at once until the person says otherwise, whatever the portal's default:
    /// the other side of an affiliation waits (MC-58), so does who asks for access (CC-11), and a review
    /// has its day (GN-34).
    #[must_use]
    pub const fn is_mailed_unless_declined(self) -> bool {
        matches!(
            self,
            Self::AccessRequest
                | Self::AffiliationRequest
                | Self::AffiliationDecision
                | Self::ReviewDue
        )
    }

    /// Whether only organisation administrators may subscribe (MC-66).
    #[must_use]
    pub const fn is_admin_only(self) -> bool {
        matches!(self, Self::UserActivity)
    }
}

/// How often mail follows notices of a type (MC-65, GN-19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Frequency {
    /// With each notice.
    Immediate,
    /// One digest a day.
    Daily,
    /// One digest a week.
    Weekly,
    /// Never.
    Off,
}

impl Frequency {
    /// The list to choose from.
    pub const ALL: [Self; 4] = [Self::Immediate, Self::Daily, Self::Weekly, Self::Off];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "IMMEDIATE",
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Off => "OFF",
        }
    }

    /// Reads a name of the list; `None` is FREQUENCY_UNKNOWN.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.as_str() == name)
    }
}

/// What a notice leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubjectKind {
    User,
    Organization,
    Membership,
    Pin,
    Affiliation,
    AccessRequest,
    Document,
    Review,
    Report,
    ApiKey,
    AuditSink,
}

impl SubjectKind {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Organization => "ORGANIZATION",
            Self::Membership => "MEMBERSHIP",
            Self::Pin => "PIN",
            Self::Affiliation => "AFFILIATION",
            Self::AccessRequest => "ACCESS_REQUEST",
            Self::Document => "DOCUMENT",
            Self::Review => "REVIEW",
            Self::Report => "REPORT",
            Self::ApiKey => "API_KEY",
            Self::AuditSink => "AUDIT_SINK",
        }
    }
}

/// What happened to the subject of a notice; a notice's type says to what kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Happening {
    Requested,
    Routed,
    Withdrawn,
    Approved,
    Denied,
    Expired,
    Terminated,
    Invited,
    Joined,
    AdminRequested,
    AdminDeclined,
    DeactivationNear,
    DormancyNear,
    Deactivated,
    Reactivated,
    RoleChanged,
    PermissionsChanged,
    Locked,
    Unlocked,
    PasswordChanged,
    PasswordExpiring,
    PasswordExpired,
    PasswordReset,
    PhoneChanged,
    EmailChanged,
    UsernameDisclosed,
    AuthenticatorAdded,
    AuthenticatorRemoved,
    RecoveryCodeUsed,
    Registered,
    Suspended,
    Reopened,
    Closed,
    MoveFailed,
    EndPlanned,
    EndCancelled,
    MergeBegun,
    AbsorptionBegun,
    Absorbed,
    Moved,
    ApiKeyCreated,
    ApiKeyRevoked,
    ActivityReviewOverdue,
    SinkStopped,
    ReviewOpened,
    ReviewReminded,
    ReviewOverdue,
    ReviewEscalated,
    ReviewHasty,
    ReviewUnsigned,
    ReviewCompleted,
    ReviewDelegated,
    ReviewNotCarriedOut,
    ReviewLeft,
    ReviewFellBack,
    ReviewStandsIn,
    ReviewAsksToAttest,
    ReviewReadyToSign,
}

impl Happening {
    /// Everything that can happen.
    pub const ALL: [Self; 58] = [
        Self::Requested,
        Self::Routed,
        Self::Withdrawn,
        Self::Approved,
        Self::Denied,
        Self::Expired,
        Self::Terminated,
        Self::Invited,
        Self::Joined,
        Self::AdminRequested,
        Self::AdminDeclined,
        Self::DeactivationNear,
        Self::DormancyNear,
        Self::Deactivated,
        Self::Reactivated,
        Self::RoleChanged,
        Self::PermissionsChanged,
        Self::Locked,
        Self::Unlocked,
        Self::PasswordChanged,
        Self::PasswordExpiring,
        Self::PasswordExpired,
        Self::PasswordReset,
        Self::PhoneChanged,
        Self::EmailChanged,
        Self::UsernameDisclosed,
        Self::AuthenticatorAdded,
        Self::AuthenticatorRemoved,
        Self::RecoveryCodeUsed,
        Self::Registered,
        Self::Suspended,
        Self::Reopened,
        Self::Closed,
        Self::MoveFailed,
        Self::EndPlanned,
        Self::EndCancelled,
        Self::MergeBegun,
        Self::AbsorptionBegun,
        Self::Absorbed,
        Self::Moved,
        Self::ApiKeyCreated,
        Self::ApiKeyRevoked,
        Self::ActivityReviewOverdue,
        Self::SinkStopped,
        Self::ReviewOpened,
        Self::ReviewReminded,
        Self::ReviewOverdue,
        Self::ReviewEscalated,
        Self::ReviewHasty,
        Self::ReviewUnsigned,
        Self::ReviewCompleted,
        Self::ReviewDelegated,
        Self::ReviewNotCarriedOut,
        Self::ReviewLeft,
        Self::ReviewFellBack,
        Self::ReviewStandsIn,
        Self::ReviewAsksToAttest,
        Self::ReviewReadyToSign,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Routed => "ROUTED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::Expired => "EXPIRED",
            Self::Terminated => "TERMINATED",
            Self::Invited => "INVITED",
            Self::Joined => "JOINED",
            Self::AdminRequested => "ADMIN_REQUESTED",
            Self::AdminDeclined => "ADMIN_DECLINED",
            Self::DeactivationNear => "DEACTIVATION_NEAR",
            Self::DormancyNear => "DORMANCY_NEAR",
            Self::Deactivated => "DEACTIVATED",
            Self::Reactivated => "REACTIVATED",
            Self::RoleChanged => "ROLE_CHANGED",
            Self::PermissionsChanged => "PERMISSIONS_CHANGED",
            Self::Locked => "LOCKED",
            Self::Unlocked => "UNLOCKED",
            Self::PasswordChanged => "PASSWORD_CHANGED",
            Self::PasswordExpiring => "PASSWORD_EXPIRING",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::PasswordReset => "PASSWORD_RESET",
            Self::PhoneChanged => "PHONE_CHANGED",
            Self::EmailChanged => "EMAIL_CHANGED",
            Self::UsernameDisclosed => "USERNAME_DISCLOSED",
            Self::AuthenticatorAdded => "AUTHENTICATOR_ADDED",
            Self::AuthenticatorRemoved => "AUTHENTICATOR_REMOVED",
            Self::RecoveryCodeUsed => "RECOVERY_CODE_USED",
            Self::Registered => "REGISTERED",
            Self::Suspended => "SUSPENDED",
            Self::Reopened => "REOPENED",
            Self::Closed => "CLOSED",
            Self::MoveFailed => "MOVE_FAILED",
            Self::EndPlanned => "END_PLANNED",
            Self::EndCancelled => "END_CANCELLED",
            Self::MergeBegun => "MERGE_BEGUN",
            Self::AbsorptionBegun => "ABSORPTION_BEGUN",
            Self::Absorbed => "ABSORBED",
            Self::Moved => "MOVED",
            Self::ApiKeyCreated => "API_KEY_CREATED",
            Self::ApiKeyRevoked => "API_KEY_REVOKED",
            Self::ActivityReviewOverdue => "ACTIVITY_REVIEW_OVERDUE",
            Self::SinkStopped => "SINK_STOPPED",
            Self::ReviewOpened => "REVIEW_OPENED",
            Self::ReviewReminded => "REVIEW_REMINDED",
            Self::ReviewOverdue => "REVIEW_OVERDUE",
            Self::ReviewEscalated => "REVIEW_ESCALATED",
            Self::ReviewHasty => "REVIEW_HASTY",
            Self::ReviewUnsigned => "REVIEW_UNSIGNED",
            Self::ReviewCompleted => "REVIEW_COMPLETED",
            Self::ReviewDelegated => "REVIEW_DELEGATED",
            Self::ReviewNotCarriedOut => "REVIEW_NOT_CARRIED_OUT",
            Self::ReviewLeft => "REVIEW_LEFT",
            Self::ReviewFellBack => "REVIEW_FELL_BACK",
            Self::ReviewStandsIn => "REVIEW_STANDS_IN",
            Self::ReviewAsksToAttest => "REVIEW_ASKS_TO_ATTEST",
            Self::ReviewReadyToSign => "REVIEW_READY_TO_SIGN",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|happening| happening.as_str() == name)
    }
}

/// A reference to what a notice is about; what is said of it is rendered when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRef {
    pub kind: SubjectKind,
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
    /// What happened to it, where the type alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happening: Option<Happening>,
    /// The other organisation of an affiliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<OrganizationId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_stored_under_its_name_and_reads_back() {
        for kind in NotificationType::ALL {
            assert_eq!(serde_json::to_value(kind).expect("json"), kind.as_str());
            assert_eq!(NotificationType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(NotificationType::parse("WEATHER"), None);
        for happening in Happening::ALL {
            assert_eq!(serde_json::to_value(happening).expect("json"), happening.as_str());
            assert_eq!(Happening::parse(happening.as_str()), Some(happening));
        }
        for frequency in Frequency::ALL {
            assert_eq!(serde_json::to_value(frequency).expect("json"), frequency.as_str());
            assert_eq!(Frequency::parse(frequency.as_str()), Some(frequency));
        }
        assert_eq!(Frequency::parse("HOURLY"), None);
    }
}
