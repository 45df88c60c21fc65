//! The kinds of ends. Invariant: which parameters of the policy move one is said here by name.

use rollcall_domain::policies::{PolicyEvent, PolicyKey};

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An invitation's link (MC-16).
    Invitation,
    /// A registration token (MC-04).
    RegistrationToken,
    /// A request for an affiliation (GN-18).
    AffiliationRequest,
    /// A request for access (CC-11).
    AccessRequest,
    /// An account's lock (CX-08).
    Lock,
    /// A temporary NPI permission (GN-13); `detail` is the NPI.
    NpiPermission,
    /// A plan role with an end (GN-31); `detail` is the role.
    PlanRole,
    /// A temporary feature, job role, location or tax id (GN-13); `detail` is the grant.
    Grant,
    /// The time until a person's next digest (MC-65); `detail` is the frequency.
    Digest,
    /// A password's age, looked at again and again (CC-04).
    PasswordAge,
    /// A member who waits for a first permission (MC-32); `detail` is the person.
    Unassigned,
    /// A member who does not sign in (MC-32); `detail` is the person.
    Dormant,
    /// The next line of an import of people (GN-33).
    PeopleImport,
    /// The end of an NPI's holding, planned ahead (GN-04); `detail` is the NPI.
    NpiEnd,
    /// The end of a membership, planned ahead (GN-04); `detail` is the person.
    MembershipEnd,
    /// The next step of a merger (GN-03).
    OrganizationMerge,
    /// The longest time for which dependent files lag behind a PIN (GN-17); `detail` is the version.
    PinPropagation,
    /// The next review of activity, looked at again and again (GN-34).
    ActivityReview,
    /// An organisation's next review of access, looked at again and again (CC-13).
    ReviewOpening,
    /// The next portion of a campaign of reviews (GN-15).
    ReviewCampaign,
    /// The next date of a template of campaigns (GN-15).
    ReviewTemplate,
    /// A review's next reminder, and whether it is too late (CC-13).
    AccessReview,
    /// Whether what a review decided is so (GN-15); `detail` is the portion of its items.
    ReviewExecution,
    /// A change after which access may be reviewed at once (GN-15); `detail` is a
    /// [`super::changes::ChangeDetail`].
    ReviewedChange,
    /// The next portion of what a review has carried out at its closing, or its policy decides (GN-15).
    ReviewClosing,
}

impl Kind {
    const ALL: [Self; 25] = [
        Self::Invitation,
        Self::RegistrationToken,
        Self::AffiliationRequest,
        Self::AccessRequest,
        Self::Lock,
        Self::NpiPermission,
        Self::PlanRole,
        Self::Grant,
        Self::Digest,
        Self::PasswordAge,
        Self::Unassigned,
        Self::Dormant,
        Self::PeopleImport,
        Self::NpiEnd,
        Self::MembershipEnd,
        Self::OrganizationMerge,
        Self::PinPropagation,
        Self::ActivityReview,
        Self::ReviewOpening,
        Self::ReviewCampaign,
        Self::ReviewTemplate,
        Self::AccessReview,
        Self::ReviewExecution,
        Self::ReviewedChange,
        Self::ReviewClosing,
    ];

    /// The parameters that decide when it is looked at again.
    const fn parameters(self) -> &'static [PolicyKey] {
        match self {
            Self::PasswordAge => {
                &[PolicyKey::PasswordMaxAgeDays, PolicyKey::PasswordWarnDays, PolicyKey::TimeZone]
            }
            Self::Unassigned => &[
                PolicyKey::UnassignedDeactivateDays,
                PolicyKey::UnassignedWarnDays,
                PolicyKey::TimeZone,
            ],
            Self::Dormant => &[
                PolicyKey::DormantDeactivateDays,
                PolicyKey::UnassignedWarnDays,
                PolicyKey::TimeZone,
            ],
            Self::ActivityReview => {
                &[PolicyKey::ActivityReviewDays, PolicyKey::ActivityReviewGraceDays]
            }
            Self::ReviewOpening => &[PolicyKey::ReviewCadenceDays, PolicyKey::TimeZone],
            Self::ReviewTemplate => &[PolicyKey::TimeZone],
            Self::AccessReview => &[PolicyKey::ReviewRemindDays, PolicyKey::TimeZone],
            Self::Invitation
            | Self::RegistrationToken
            | Self::AffiliationRequest
            | Self::Lock
            | Self::NpiPermission
            | Self::AccessRequest
            | Self::PlanRole
            | Self::Grant
            | Self::Digest
            | Self::PeopleImport
            | Self::NpiEnd
            | Self::MembershipEnd
            | Self::OrganizationMerge
            | Self::PinPropagation
            | Self::ReviewCampaign
            | Self::ReviewExecution
            | Self::ReviewedChange
            | Self::ReviewClosing => &[],
        }
    }

    /// What may come at another time by a change of the policy.
    pub fn moved_by(change: &PolicyEvent) -> Vec<Self> {
        let is_moved = |kind: &Self| match change {
            PolicyEvent::PresetApplied { .. } => !kind.parameters().is_empty(),
            PolicyEvent::PolicyChanged { key, .. } => kind.parameters().contains(key),
            PolicyEvent::FeatureAvailabilityChanged { .. } => false,
        };
        Self::ALL.into_iter().filter(is_moved).collect()
    }

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::RegistrationToken => "REGISTRATION_TOKEN",
            Self::AffiliationRequest => "AFFILIATION_REQUEST",
            Self::AccessRequest => "ACCESS_REQUEST",
            Self::Lock => "LOCK",
            Self::NpiPermission => "NPI_PERMISSION",
            Self::PlanRole => "PLAN_ROLE",
            Self::Grant => "GRANT",
            Self::Digest => "DIGEST",
            Self::PasswordAge => "PASSWORD_AGE",
            Self::Unassigned => "UNASSIGNED",
            Self::Dormant => "DORMANT",
            Self::PeopleImport => "PEOPLE_IMPORT",
            Self::NpiEnd => "NPI_END",
            Self::MembershipEnd => "MEMBERSHIP_END",
            Self::OrganizationMerge => "ORGANIZATION_MERGE",
            Self::PinPropagation => "PIN_PROPAGATION",
            Self::ActivityReview => "ACTIVITY_REVIEW",
            Self::ReviewOpening => "REVIEW_OPENING",
            Self::ReviewCampaign => "REVIEW_CAMPAIGN",
            Self::ReviewTemplate => "REVIEW_TEMPLATE",
            Self::AccessReview => "ACCESS_REVIEW",
            Self::ReviewExecution => "REVIEW_EXECUTION",
            Self::ReviewedChange => "REVIEWED_CHANGE",
            Self::ReviewClosing => "REVIEW_CLOSING",
        }
    }

    /// Reads a stored name back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
