//! Access that is reviewed: a membership, a single right, a machine's key, or a role of the plan's own people.
//!
//! Invariant: a person has a thing once, so it is the same item at whichever level and until whenever; the stored
//! names never change.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api_keys::{Grant, Scope};
use crate::kernel::ids::{AffiliationId, ApiKeyId, OrganizationId, UserId};
use crate::organizations::OrgRole;
use crate::permissions::{CorrespondenceScope, Entitlement, NpiLevel, NpiScope};
use crate::tenants::{PlanRole, PlanRoleGrant};
use crate::values::{ApiKeyName, Npi};

/// The access that an item is about. A right is named as requests for access name it
/// ([`crate::access_requests::RequestItem`]), and is what one command takes back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewedAccess {
    /// Belonging to the organisation, with the organisation-wide permission at that time.
    Membership { role: OrgRole },
    /// A level for an NPI, or for all that have none of their own.
    Npi {
        npi: NpiScope,
        level: NpiLevel,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// One type of correspondence, or all, for an NPI or for all.
    Correspondence { npi: NpiScope, types: CorrespondenceScope },
    /// Transactions for an NPI of a provider that the organisation is affiliated with.
    Submission { affiliation: AffiliationId, npi: Npi },
    /// A feature, job role, location or tax id.
    Grant {
        grant: Entitlement,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// A machine's key, of which its person was told the text when they made it; it works on when they
    /// leave (GN-28).
    ApiKey { key: ApiKeyId, name: ApiKeyName, scopes: BTreeSet<Scope>, until: DateTime<Utc> },
    /// A role of one of the plan's own people (GN-31).
    PlanRole {
        role: PlanRole,
        /// The organisations it counts for; none for the whole plan.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        organizations: BTreeSet<OrganizationId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
}

impl ReviewedAccess {
    /// The organisation-wide permission, where it is a membership.
    #[must_use]
    pub const fn role(&self) -> Option<OrgRole> {
        match self {
            Self::Membership { role } => Some(*role),
            Self::Npi { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::Grant { .. }
            | Self::ApiKey { .. }
            | Self::PlanRole { .. } => None,
        }
    }

    /// The key, where it is one.
    #[must_use]
    pub const fn key(&self) -> Option<ApiKeyId> {
        match self {
            Self::ApiKey { key, .. } => Some(*key),
            Self::Membership { .. }
            | Self::Npi { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::Grant { .. }
            | Self::PlanRole { .. } => None,
        }
    }

    /// The role, where it is one of the plan's own people.
    #[must_use]
    pub const fn plan_role(&self) -> Option<PlanRole> {
        match self {
            Self::PlanRole { role, .. } => Some(*role),
            Self::Membership { .. }
            | Self::Npi { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::Grant { .. }
            | Self::ApiKey { .. } => None,
        }
    }

    /// Whether somebody has it as a member of an organisation, and not when they left it.
    #[must_use]
    pub const fn is_of_member(&self) -> bool {
        match self {
            Self::Membership { .. }
            | Self::Npi { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::Grant { .. } => true,
            Self::ApiKey { .. } | Self::PlanRole { .. } => false,
        }
    }

    /// Whether it is a single right, not the membership.
    #[must_use]
    pub const fn is_right(&self) -> bool {
        self.role().is_none()
    }

    /// When it ends by itself (GN-13).
    #[must_use]
    pub const fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Npi { until, .. } | Self::Grant { until, .. } | Self::PlanRole { until, .. } => {
                *until
            }
            Self::ApiKey { until, .. } => Some(*until),
            Self::Membership { .. } | Self::Correspondence { .. } | Self::Submission { .. } => None,
        }
    }

    /// The same whenever it ends: what two people have both, and what is decided at once.
    #[must_use]
    pub fn without_end(&self) -> Self {
        match self.clone() {
            Self::Npi { npi, level, .. } => Self::Npi { npi, level, until: None },
            Self::Grant { grant, .. } => Self::Grant { grant, until: None },
            Self::PlanRole { role, organizations, .. } => {
                Self::PlanRole { role, organizations, until: None }
            }
            other @ (Self::Membership { .. }
            | Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::ApiKey { .. }) => other,
        }
    }

    /// What it is about, at whichever level or for whichever organisations: a person has it once.
    #[must_use]
    pub fn thing(&self) -> Self {
        match self.without_end() {
            Self::Membership { .. } => Self::Membership { role: OrgRole::None },
            Self::Npi { npi, .. } => Self::Npi { npi, level: NpiLevel::None, until: None },
            Self::PlanRole { role, .. } => {
                Self::PlanRole { role, organizations: BTreeSet::new(), until: None }
            }
            other @ (Self::Correspondence { .. }
            | Self::Submission { .. }
            | Self::Grant { .. }
            | Self::ApiKey { .. }) => other,
        }
    }
}

/// Somebody's access, to be reviewed; in the order of a list: by person, then kind, then thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reviewed {
    pub user: UserId,
    pub access: ReviewedAccess,
}

impl Reviewed {
    /// A key, of whom made it.
    #[must_use]
    pub fn of_key(grant: &Grant) -> Self {
        let Grant { key, name, scopes, expires_at, .. } = grant.clone();
        Self {
            user: grant.by,
            access: ReviewedAccess::ApiKey { key, name, scopes, until: expires_at },
        }
    }

    /// A role of one of the plan's people, as it is held.
    #[must_use]
    pub fn of_plan_role(role: PlanRole, grant: &PlanRoleGrant) -> Self {
        let (organizations, until) = (grant.scope.organizations(), grant.until);
        Self { user: grant.user, access: ReviewedAccess::PlanRole { role, organizations, until } }
    }
}
