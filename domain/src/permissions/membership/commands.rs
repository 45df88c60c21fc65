//! What may be asked about a membership's permissions, and why it is refused.
//!
//! Invariant: what the organisation holds and the tenant knows comes in with the command; the
//! caller guards the streams it read them from.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::kernel::ids::{OrganizationId, UserId};
use crate::permissions::{
    Cause, CorrespondenceScope, Entitlement, EntitlementGrant, GrantEnd, NpiLevel, NpiScope,
    PermissionsEnd, WizardStep,
};
use crate::values::{CorrespondenceType, Npi};
use crate::{Code, Refusal};

/// Whose permissions, where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MembershipKey {
    pub user: UserId,
    pub organization: OrganizationId,
}

/// The level wished for one NPI, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpiChange {
    pub npi: NpiScope,
    pub level: NpiLevel,
    /// The level ends here by itself (GN-13); `None` for a lasting one.
    pub until: Option<DateTime<Utc>>,
}

/// A wish to change permissions.
#[derive(Clone, Debug)]
pub enum MembershipCommand {
    /// MC-39; also "Quick Assign to All NPIs", with one change per NPI (MC-42).
    SetNpiPermissions {
        of: MembershipKey,
        changes: Vec<NpiChange>,
        /// The NPIs the organisation holds now.
        held: BTreeSet<Npi>,
        cause: Cause,
    },
    /// Adds and removes types for each of the NPIs (MC-45, MC-46).
    SetCorrespondencePermissions {
        of: MembershipKey,
        npis: Vec<NpiScope>,
        add: BTreeSet<CorrespondenceScope>,
        remove: BTreeSet<CorrespondenceScope>,
        /// The types the tenant knows.
        known: BTreeSet<CorrespondenceType>,
        cause: Cause,
    },
    /// Features, job roles, locations and tax ids that the caller found to exist (CC-08, CC-09,
    /// CX-12, CC-02).
    Grant {
        of: MembershipKey,
        grants: Vec<EntitlementGrant>,
        cause: Cause,
    },
    /// Takes them back; what is not held is no fact.
    Revoke {
        of: MembershipKey,
        entitlements: Vec<Entitlement>,
        cause: Cause,
    },
    /// The scheduler writes down that one is over.
    ExpireGrant {
        of: MembershipKey,
        entitlement: Entitlement,
    },
    FinishPermissionWizard {
        of: MembershipKey,
        steps: BTreeSet<WizardStep>,
    },
    DeferPermissions {
        of: MembershipKey,
    },
    /// The scheduler, or whoever detached the NPI, writes down that an entry is over.
    EndNpiPermission {
        of: MembershipKey,
        npi: NpiScope,
        cause: GrantEnd,
        /// When the NPI left the organisation; for an expiry the entry's own end counts.
        effective_at: DateTime<Utc>,
    },
    ConfirmFormerPermissions {
        of: MembershipKey,
    },
    EndMembershipPermissions {
        of: MembershipKey,
        cause: PermissionsEnd,
    },
}

impl MembershipCommand {
    /// What a registrant gets: all NPIs and all correspondence, those to come included (MC-08).
    #[must_use]
    pub fn grant_everything(of: MembershipKey) -> [Self; 2] {
        let change = NpiChange { npi: NpiScope::All, level: NpiLevel::Admin, until: None };
        [
            Self::SetNpiPermissions {
                of,
                changes: vec![change],
                held: BTreeSet::new(),
                cause: Cause::Registration,
            },
            Self::SetCorrespondencePermissions {
                of,
                npis: vec![NpiScope::All],
                add: BTreeSet::from([CorrespondenceScope::All]),
                remove: BTreeSet::new(),
                known: BTreeSet::new(),
                cause: Cause::Registration,
            },
        ]
    }
}

/// Why permissions are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipRefusal {
    #[error("Choose at least one NPI and its level.")]
    NoChange,
    #[error("Choose at least one NPI.")]
    NoNpi,
    #[error("The NPI {npi} stands in the list twice.")]
    NpiTwice { at: usize, npi: NpiScope },
    #[error("The organization does not hold the NPI {npi}.")]
    NpiNotInOrg { at: usize, npi: NpiScope },
    #[error("The user is not assigned to the NPI {npi}. Give an NPI permission first.")]
    NpiNotAssigned { at: usize, npi: NpiScope },
    #[error("The permission must end later than now.")]
    UntilPast { at: usize },
    #[error("Choose at least one to give or take.")]
    NothingChosen,
    #[error("The grant must end later than now.")]
    GrantUntilPast,
    #[error("Choose at least one correspondence type to add or to remove, not both at once.")]
    TypesUnclear,
    #[error("There is no correspondence type {0}.")]
    TypeUnknown(CorrespondenceType),
    #[error("Nobody raises their own permissions. Ask another administrator.")]
    SelfGrant,
    #[error("Assign NPI permissions before you finish, or skip for now.")]
    NpiStepRequired,
    #[error("There is no such permission that could end.")]
    NothingToEnd,
    #[error("The permission ends later; it has not expired yet.")]
    NotExpired(DateTime<Utc>),
}

impl From<MembershipRefusal> for Refusal {
    fn from(refusal: MembershipRefusal) -> Self {
        use MembershipRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::NoChange => Self::new(Code::FieldRequired, message).at("permissions"),
            R::NoNpi => Self::new(Code::FieldRequired, message).at("npis"),
            R::NpiTwice { at, .. } => {
                Self::new(Code::FieldInvalid, message).at(&format!("permissions.{at}.npi"))
            }
            R::NpiNotInOrg { at, .. } => {
                Self::new(Code::NpiNotInOrg, message).at(&format!("permissions.{at}.npi"))
            }
            R::NpiNotAssigned { at, .. } => {
                Self::new(Code::NpiNotAssigned, message).at(&format!("npis.{at}"))
            }
            R::UntilPast { at } => {
                Self::new(Code::RangeInvalid, message).at(&format!("permissions.{at}.until"))
            }
            R::NothingChosen => Self::new(Code::FieldRequired, message),
            R::GrantUntilPast => Self::new(Code::RangeInvalid, message).at("until"),
            R::TypesUnclear => Self::new(Code::FieldRequired, message).at("types"),
            R::TypeUnknown(_) => Self::new(Code::TypeUnknown, message).at("types"),
            R::SelfGrant => Self::new(Code::SelfGrant, message),
            R::NpiStepRequired => Self::new(Code::NpiStepRequired, message).at("steps"),
            R::NothingToEnd => Self::new(Code::NotFound, message).at("npi"),
            R::NotExpired(at) => Self::new(Code::TooEarly, message).retry_at(at),
        }
    }
}
