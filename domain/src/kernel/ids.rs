//! Typed identifiers. Every id is a UUID; those with a natural key are derived from it (UUIDv5), so
//! that repeating a command finds the same stream instead of making a second one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )+};
}

typed_id! {
    /// A health plan's portal; every row and stream belongs to exactly one.
    TenantId;
    /// A person with an account in one tenant (GN-05: one person, one identity).
    UserId;
    /// A provider or submitter organisation.
    OrganizationId;
    /// One person in one organisation; see [`MembershipId::of`].
    MembershipId;
    /// A signed-in session.
    SessionId;
    /// A key of a machine (GN-28).
    ApiKeyId;
    /// An invitation of one person into one organisation (MC-15).
    InvitationId;
    /// A registration token printed on a letter (MC-03).
    RegistrationTokenId;
    /// A registration of an organisation under way (MC-05).
    RegistrationId;
    /// A one-time passcode challenge (MC-20).
    OtpChallengeId;
    /// A submitter–provider relation (MC-54).
    AffiliationId;
    /// A hand-off to Transaction Services (MC-38).
    HandoffId;
    /// A named bundle of features (CC-09).
    JobRoleId;
    /// A branch or site of an organisation (CX-02).
    LocationId;
    /// One tax id within one organisation (CC-02).
    TaxIdId;
    /// A request for access (CC-11).
    AccessRequestId;
    /// A periodic review of an organisation's access (CC-13).
    AccessReviewId;
    /// Reviews that were opened together (GN-15).
    CampaignId;
    /// The saved choice of a campaign (GN-15).
    ReviewTemplateId;
    /// A proposed change of policy (GN-02).
    PolicyProposalId;
    /// An in-portal notification (MC-69).
    NotificationId;
    /// One message on its way to one recipient (GN-19).
    DeliveryId;
    /// A job that imports existing people (GN-33).
    PeopleImportId;
    /// A part of the audit timeline taken away as a file (GN-26).
    AuditExportId;
    /// A receiver that the audit timeline is pushed to (GN-26).
    AuditSinkId;
    /// A bundle of evidence about the log (GN-35).
    EvidenceId;
    /// A rule of segregation of duties (GN-26).
    SodRuleId;
    /// A review of what people did in the portal (GN-34).
    ActivityReviewId;
    /// A legal matter's claim on records (GN-26).
    LegalHoldId;
    /// A workspace of an auditor, pinned to a place of the log (GN-26).
    AuditWorkspaceId;
    /// A question saved in one.
    WorkspaceQuestionId;
    /// A request for a portal account (AL-01).
    AccountRequestId;
    /// A link sent by email; its token is derived from this id outside the domain (MC-16, MC-21).
    LinkId;
    /// Where the vault keeps a password hash or an encrypted PIN; never the secret itself.
    VaultRef;
    /// Whoever personal data is about: a user, or a registration or attempt that has no account yet.
    /// Destroying the subject's key erases that data.
    SubjectId;
}

impl TenantId {
    /// The tenant in which operators live; it holds no portal (GN-31).
    pub const OPERATIONS: Self = Self(Uuid::from_u128(0x726f_6c6c_6361_5c6c_8f00_0000_0000_0001));

    /// Derives an id inside this tenant from a natural key, e.g. `("pins.pin", npi)`.
    #[must_use]
    pub fn derive(&self, kind: &str, key: &str) -> Uuid {
        Uuid::new_v5(&self.0, format!("{kind}\u{1f}{key}").as_bytes())
    }
}

impl MembershipId {
    /// The one stream for `user` in `organization`, whichever command comes first.
    #[must_use]
    pub fn of(tenant: TenantId, user: UserId, organization: OrganizationId) -> Self {
        Self(tenant.derive("membership", &format!("{user}/{organization}")))
    }
}

impl From<UserId> for SubjectId {
    fn from(id: UserId) -> Self {
        Self(id.0)
    }
}
impl From<InvitationId> for SubjectId {
    fn from(id: InvitationId) -> Self {
        Self(id.0)
    }
}
impl From<ActivityReviewId> for SubjectId {
    fn from(id: ActivityReviewId) -> Self {
        Self(id.0)
    }
}
impl From<AccessReviewId> for SubjectId {
    fn from(id: AccessReviewId) -> Self {
        Self(id.0)
    }
}

impl From<CampaignId> for SubjectId {
    fn from(id: CampaignId) -> Self {
        Self(id.0)
    }
}
impl From<RegistrationId> for SubjectId {
    fn from(id: RegistrationId) -> Self {
        Self(id.0)
    }
}
