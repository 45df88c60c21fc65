//! The words organisations are described with.
//!
//! Invariant: the serialised names are stored in events and never change.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::PostalAddress;
use crate::Sealed;
use crate::values::{EmailAddress, OrganizationName, TaxIdKind, Zip};

/// What an organisation does in the portal; each kind gives its own tab (MC-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganizationKind {
    /// Treats patients and bills under its NPIs.
    Provider,
    /// Submits for providers it is affiliated with.
    Submitter,
}

/// Provider, submitter or both; never empty.
pub type OrganizationKinds = BTreeSet<OrganizationKind>;

/// Whether the plan has a contract with the organisation (CC-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractStatus {
    Contracted,
    NotContracted,
    Terminated,
}

/// A person's organisation-wide permission (MC-47), from least to most.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrgRole {
    /// Only what other permissions give.
    #[default]
    None,
    /// Sees organisation-wide notifications and lists, changes nothing.
    Processor,
    /// Adds, removes and modifies users.
    Admin,
}

impl OrgRole {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Processor => "PROCESSOR",
            Self::Admin => "ADMIN",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Processor, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// What is kept of a tax id in clear: its kind and last four digits (MC-07).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxIdRef {
    pub kind: TaxIdKind,
    pub last4: String,
}

/// The line of the plan's file an enrolment came from (GN-32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentSource {
    /// SHA-256 of the file, in hex.
    pub file_sha256: String,
    /// Counted from 1, the header included.
    pub line: u32,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    pub old: T,
    pub new: T,
}

impl<T: Clone + PartialEq> Change<T> {
    /// The change from `old` to `new`, if there is one.
    pub(super) fn between(old: &T, new: &T) -> Option<Self> {
        (old != new).then(|| Self { old: old.clone(), new: new.clone() })
    }
}

/// What a plan's file says differently from before; what is the same is absent (GN-32).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentChanges {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Change<OrganizationName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<Change<TaxIdRef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_to_address: Option<Change<Option<PostalAddress>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_to_zip: Option<Change<Option<Zip>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<Change<Sealed<EmailAddress>>>,
}

/// How a person came into an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MembershipOrigin {
    /// Registered the organisation and got an account with it (MC-08).
    Registration,
    /// Had an account and added the organisation by its token (MC-10, MC-11).
    Token,
    /// Completed an invitation (MC-19).
    Invitation,
    /// Attached by plan staff (CC-03).
    Plan,
    /// Taken over from another portal (GN-33).
    Import,
    /// Came with an organisation that was merged into this one (GN-03).
    Merge,
}

/// What of an organisation goes over into the one it is merged into (GN-03); the rest ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergePart {
    /// Active members, with what they may do for what goes over.
    People,
    Npis,
    TaxIds,
    Locations,
    EmailDomains,
    /// Those in force.
    Affiliations,
}

impl MergePart {
    /// Everything there is.
    pub const ALL: [Self; 6] = [
        Self::People,
        Self::Npis,
        Self::TaxIds,
        Self::Locations,
        Self::EmailDomains,
        Self::Affiliations,
    ];
}

/// The steps of a merger, in their order (GN-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergeStage {
    /// The successor holds the NPIs as well.
    Npis,
    /// Tax ids, locations and email domains.
    Places,
    /// The successor's affiliations begin.
    Affiliations,
    /// One by one, each in one append.
    People,
    /// What was pending ends.
    Requests,
    /// The former organisation holds no NPI any more.
    Handover,
    /// Its affiliations end.
    Ends,
}

impl MergeStage {
    /// Every step, in its order.
    pub const ALL: [Self; 7] = [
        Self::Npis,
        Self::Places,
        Self::Affiliations,
        Self::People,
        Self::Requests,
        Self::Handover,
        Self::Ends,
    ];
}

/// Whether people who come with a merger keep their organisation-wide role. It would open the whole
/// successor to them, so the plan decides and nothing stands in for its word (GN-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergedRoles {
    Keep,
    Drop,
}

/// Why a member was deactivated by a rule and not by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeactivationCause {
    /// Nobody ever gave them a permission (MC-32).
    NoPermissions,
    /// They have not signed in for as long as the policy says (MC-32).
    Dormant,
}

/// Why an invitation ended without a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InvitationEnd {
    Expired,
    Cancelled,
}

/// By whose authority a member is demoted or deactivated. Only the plan may leave an organisation
/// without an administrator (GN-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The organisation's own administrators, or a rule that runs on their behalf.
    Organization,
    /// Plan staff.
    Plan,
}
