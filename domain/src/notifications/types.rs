//! What notices are about and how often mail follows (MC-64, MC-65, MC-69).
//! Invariant: stored names never change.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    /// The person's password, telephone or address was changed, or the account locked.
    AccountSecurity,
    /// An access review waits.
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

/// What a notice leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubjectKind {
    User,
    Organization,
    Membership,
    Pin,
    Affiliation,
    Document,
    Review,
    Report,
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
            Self::Document => "DOCUMENT",
            Self::Review => "REVIEW",
            Self::Report => "REPORT",
        }
    }
}

/// A reference to what a notice is about; what is said of it is rendered when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRef {
    pub kind: SubjectKind,
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
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
    }
}
