//! The kinds of rights, each with the operations by which it is used (GN-16).
//!
//! Invariant: an operation that is named here notes the use, and none notes one that is not named. A
//! list that two rights open notes the one that opened it.

use serde::{Deserialize, Serialize};

/// A kind of right, by the access register's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RightKind {
    ViewOrganization,
    ManageUsers,
    ViewNpi,
    ManagePin,
    ReadCorrespondence,
    UseFeature,
    HoldJobRole,
    ViewLocation,
    ChooseLocation,
    ReadTaxId,
    PlanRole,
    SubmitTransactions,
}

/// By what it shows that a right is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// By these commands and questions, by their names.
    By(&'static [&'static str]),
    /// By whatever is asked or commanded in the role.
    ByEverythingInTheRole,
    /// By nothing in the portal; an external system may report it.
    Elsewhere,
}

impl RightKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::ViewOrganization,
        Self::ManageUsers,
        Self::ViewNpi,
        Self::ManagePin,
        Self::ReadCorrespondence,
        Self::UseFeature,
        Self::HoldJobRole,
        Self::ViewLocation,
        Self::ChooseLocation,
        Self::ReadTaxId,
        Self::PlanRole,
        Self::SubmitTransactions,
    ];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ViewOrganization => "VIEW_ORGANIZATION",
            Self::ManageUsers => "MANAGE_USERS",
            Self::ViewNpi => "VIEW_NPI",
            Self::ManagePin => "MANAGE_PIN",
            Self::ReadCorrespondence => "READ_CORRESPONDENCE",
            Self::UseFeature => "USE_FEATURE",
            Self::HoldJobRole => "HOLD_JOB_ROLE",
            Self::ViewLocation => "VIEW_LOCATION",
            Self::ChooseLocation => "CHOOSE_LOCATION",
            Self::ReadTaxId => "READ_TAX_ID",
            Self::PlanRole => "PLAN_ROLE",
            Self::SubmitTransactions => "SUBMIT_TRANSACTIONS",
        }
    }

    /// Reads a stored word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What uses it.
    #[must_use]
    pub const fn observed(self) -> Observed {
        match self {
            Self::ViewOrganization => Observed::By(&[
                "users",
                "emailDomains",
                "npiAccess",
                "featureMatrix",
                "locationMatrix",
            ]),
            Self::ManageUsers => Observed::By(&[
                // Of those who do not see the organisation's lists by their role.
                "users",
                "emailDomains",
                "npiAccess",
                "featureMatrix",
                "locationMatrix",
                "InviteUser",
                "ReissueInvitation",
                "CancelInvitation",
                "DeactivateUser",
                "CancelUserDeactivation",
                "ReactivateUser",
                "AssignOrgRole",
                "RequestAdditionalAdmin",
                "CorrectUserDetails",
                "ChangeUserEmail",
                "AdminResetPassword",
                "UnlockUser",
                "RemoveEmailDomain",
                "SetNpiPermissions",
                "QuickAssignNpis",
                "SetCorrespondencePermissions",
                "DeferPermissions",
                "FinishPermissionWizard",
                "GrantFeature",
                "RevokeFeature",
                "AssignJobRole",
                "UnassignJobRole",
                "GrantLocationAccess",
                "RevokeLocationAccess",
                "GrantTaxIdAccess",
                "RevokeTaxIdAccess",
                "DecideAccessRequest",
                // Deciding in a review is also for whom it was delegated to, who manages nobody.
                "OpenReview",
                "CompleteReview",
                "CancelReview",
                // By an administrator who asks for somebody to come; others ask for themselves.
                "RequestMove",
            ]),
            Self::ViewNpi => {
                Observed::By(&["pins", "pin", "transactionOptions", "StartTransactionHandoff"])
            }
            Self::ManagePin => Observed::By(&["RevealPin", "ResetPin"]),
            Self::SubmitTransactions => {
                Observed::By(&["transactionOptions", "StartTransactionHandoff"])
            }
            Self::PlanRole => Observed::ByEverythingInTheRole,
            // What they open is another system's, or comes later.
            Self::ReadCorrespondence
            | Self::UseFeature
            | Self::HoldJobRole
            | Self::ViewLocation
            | Self::ChooseLocation
            | Self::ReadTaxId => Observed::Elsewhere,
        }
    }

    /// Whether an operation is one of those that use it.
    #[must_use]
    pub fn is_used_by(self, operation: &str) -> bool {
        match self.observed() {
            Observed::By(operations) => operations.contains(&operation),
            Observed::ByEverythingInTheRole => true,
            Observed::Elsewhere => false,
        }
    }

    /// The right in an organisation of which an operation's name alone tells that it is used there;
    /// `views` says whether whoever acts sees the organisation's lists by their role (MC-47). What
    /// else is used the operation itself says.
    #[must_use]
    pub fn told_by(operation: &str, views: bool) -> Option<Self> {
        let rights = [(Self::ViewOrganization, views), (Self::ManageUsers, true)];
        let used = |(kind, held): &(Self, bool)| *held && kind.is_used_by(operation);
        rights.into_iter().find(used).map(|(kind, _)| kind).filter(|_| operation != "RequestMove")
    }

    /// Whether the portal itself would notice a use.
    #[must_use]
    pub fn is_observable(self) -> bool {
        self.observed() != Observed::Elsewhere
    }
}
