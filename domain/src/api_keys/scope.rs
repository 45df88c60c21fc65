//! What a key may be used for. Invariant: stored words never change.

use serde::{Deserialize, Serialize};

/// A part of what administrators may do, given to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    /// Read organisations, people, their roles and permissions.
    ReadDirectory,
    /// Read the access register.
    ReadAccess,
    /// Read and follow the audit timeline.
    ReadAudit,
    /// Invite, deactivate and reactivate people; they can be read with it too.
    ManageUsers,
    /// Report which rights people used in an external system.
    ReportRightUse,
}

impl Scope {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::ReadDirectory,
        Self::ReadAccess,
        Self::ReadAudit,
        Self::ManageUsers,
        Self::ReportRightUse,
    ];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadDirectory => "READ_DIRECTORY",
            Self::ReadAccess => "READ_ACCESS",
            Self::ReadAudit => "READ_AUDIT",
            Self::ManageUsers => "MANAGE_USERS",
            Self::ReportRightUse => "REPORT_RIGHT_USE",
        }
    }

    /// Reads a stored word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Whether it changes something, and does not only read.
    #[must_use]
    pub const fn writes(self) -> bool {
        match self {
            Self::ReadDirectory | Self::ReadAccess | Self::ReadAudit => false,
            Self::ManageUsers | Self::ReportRightUse => true,
        }
    }

    /// Whether it lets do what `demanded` does: who manages people sees them (MC-29).
    #[must_use]
    pub const fn covers(self, demanded: Self) -> bool {
        match (self, demanded) {
            (Self::ReadDirectory | Self::ManageUsers, Self::ReadDirectory)
            | (Self::ReadAccess, Self::ReadAccess)
            | (Self::ReadAudit, Self::ReadAudit)
            | (Self::ManageUsers, Self::ManageUsers)
            | (Self::ReportRightUse, Self::ReportRightUse) => true,
            (
                Self::ReadDirectory
                | Self::ReadAccess
                | Self::ReadAudit
                | Self::ManageUsers
                | Self::ReportRightUse,
                _,
            ) => false,
        }
    }
}
