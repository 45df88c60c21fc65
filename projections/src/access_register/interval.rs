//! One bitemporal row: true from when to when, held to be so from which position to which.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{
        AffiliationId, JobRoleId, LocationId, MembershipId, OrganizationId, TaxIdId, TenantId,
        UserId,
    },
    permissions::{Entitlement, EntitlementKind},
    policies::Feature,
    tenants::PlanRole,
    values::Npi,
};
use rollcall_domain::{permissions::NpiScope, policies::PolicyKey};
use uuid::Uuid;

use super::Cause;

/// Which timeline a row belongs to; a timeline has at most one value at any moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timeline {
    OrgRole(UserId, OrganizationId),
    NpiLevel(UserId, OrganizationId, Scope),
    Correspondence(UserId, OrganizationId, Scope),
    /// A feature, job role, location or tax id.
    Entitlement(UserId, OrganizationId, Entitlement),
    /// Of the whole plan, or for one organisation in the role's scope.
    PlanRole(UserId, &'static str, Option<OrganizationId>),
    AccountActive(UserId),
    MembershipActive(UserId, OrganizationId),
    OrganizationActive(OrganizationId),
    /// The organisation has a contract with the plan (CC-01).
    Contracted(OrganizationId),
    NpiHeld(OrganizationId, String),
    /// An affiliation in force, with its submitter; the value names the provider.
    Affiliation(AffiliationId, OrganizationId),
    /// A person of the submitter works for an NPI of the provider (GN-18).
    Submission(UserId, OrganizationId, Scope, AffiliationId),
    /// What a location is like: `CREDENTIALED`, `TERMINATED`.
    Location(OrganizationId, LocationId),
    TaxIdHeld(OrganizationId, TaxIdId),
    /// What a job role bundles.
    JobRole(JobRoleId),
    Policy(&'static str),
}

/// One NPI, or `*`, as stored.
pub(crate) type Scope = String;

/// The policies that decide about access.
pub(crate) const POLICIES: [PolicyKey; 8] = [
    PolicyKey::AdminImplied,
    PolicyKey::ContractedOnly,
    PolicyKey::PinsEnabled,
    PolicyKey::PinsRoles,
    PolicyKey::PortalFeatures,
    PolicyKey::FeatureGrantsEnabled,
    PolicyKey::JobRolesEnabled,
    PolicyKey::LocationsMode,
];

/// The word of a feature that its parameters decide about again.
pub(crate) const BY_PARAMETERS: &str = "DEFAULT";

impl Timeline {
    pub fn npi_level(user: UserId, organization: OrganizationId, scope: &NpiScope) -> Self {
        Self::NpiLevel(user, organization, scope.to_string())
    }

    pub fn correspondence(user: UserId, organization: OrganizationId, scope: &NpiScope) -> Self {
        Self::Correspondence(user, organization, scope.to_string())
    }

    /// A timeline for each organisation that the role counts for, or one for the whole plan.
    pub fn plan_roles(
        user: UserId,
        role: PlanRole,
        organizations: &BTreeSet<OrganizationId>,
    ) -> BTreeSet<Self> {
        let of = |organization| Self::PlanRole(user, role.as_str(), organization);
        if organizations.is_empty() {
            return BTreeSet::from([of(None)]);
        }
        organizations.iter().map(|organization| of(Some(*organization))).collect()
    }

    /// Whether it is one of this role's.
    pub fn is_plan_role(&self, user: UserId, role: PlanRole) -> bool {
        matches!(self, Self::PlanRole(of, name, _) if *of == user && *name == role.as_str())
    }

    pub fn npi_held(organization: OrganizationId, npi: &Npi) -> Self {
        Self::NpiHeld(organization, npi.to_string())
    }

    /// The stored kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OrgRole(..) => "ORG_ROLE",
            Self::NpiLevel(..) => "NPI_LEVEL",
            Self::Correspondence(..) => "CORRESPONDENCE",
            Self::Entitlement(_, _, entitlement) => entitlement.kind().as_str(),
            Self::PlanRole(..) => "PLAN_ROLE",
            Self::AccountActive(_) => "ACCOUNT_ACTIVE",
            Self::MembershipActive(..) => "MEMBERSHIP_ACTIVE",
            Self::OrganizationActive(_) => "ORGANIZATION_ACTIVE",
            Self::Contracted(_) => "CONTRACTED",
            Self::NpiHeld(..) => "NPI_HELD",
            Self::Affiliation(..) => "AFFILIATION",
            Self::Submission(..) => "SUBMISSION",
            Self::Location(..) => "LOCATION_STATE",
            Self::TaxIdHeld(..) => "TAX_ID_HELD",
            Self::JobRole(_) => "JOB_ROLE_BUNDLE",
            Self::Policy(_) => "POLICY",
        }
    }

    /// Under whose id its rows are found.
    pub fn holder(&self, tenant: TenantId) -> Uuid {
        match self {
            Self::OrgRole(user, organization)
            | Self::NpiLevel(user, organization, _)
            | Self::Correspondence(user, organization, _)
            | Self::Entitlement(user, organization, _)
            | Self::MembershipActive(user, organization) => {
                MembershipId::of(tenant, *user, *organization).0
            }
            Self::PlanRole(user, ..) | Self::AccountActive(user) => user.0,
            Self::OrganizationActive(organization)
            | Self::Contracted(organization)
            | Self::NpiHeld(organization, _)
            | Self::Location(organization, _)
            | Self::TaxIdHeld(organization, _) => organization.0,
            Self::JobRole(role) => role.0,
            Self::Affiliation(affiliation, _) | Self::Submission(.., affiliation) => affiliation.0,
            Self::Policy(_) => tenant.0,
        }
    }

    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::OrgRole(user, _)
            | Self::NpiLevel(user, ..)
            | Self::Correspondence(user, ..)
            | Self::Entitlement(user, ..)
            | Self::MembershipActive(user, _)
            | Self::PlanRole(user, ..)
            | Self::Submission(user, ..)
            | Self::AccountActive(user) => Some(*user),
            Self::OrganizationActive(_)
            | Self::Contracted(_)
            | Self::NpiHeld(..)
            | Self::Location(..)
            | Self::TaxIdHeld(..)
            | Self::JobRole(_)
            | Self::Affiliation(..)
            | Self::Policy(_) => None,
        }
    }

    pub fn organization(&self) -> Option<OrganizationId> {
        match self {
            Self::OrgRole(_, organization)
            | Self::NpiLevel(_, organization, _)
            | Self::Correspondence(_, organization, _)
            | Self::Entitlement(_, organization, _)
            | Self::MembershipActive(_, organization)
            | Self::OrganizationActive(organization)
            | Self::Contracted(organization)
            | Self::Affiliation(_, organization)
            | Self::Submission(_, organization, ..)
            | Self::NpiHeld(organization, _)
            | Self::Location(organization, _)
            | Self::TaxIdHeld(organization, _) => Some(*organization),
            Self::PlanRole(_, _, organization) => *organization,
            Self::AccountActive(_) | Self::JobRole(_) | Self::Policy(_) => None,
        }
    }

    pub fn npi(&self) -> Option<&str> {
        match self {
            Self::NpiLevel(_, _, npi)
            | Self::Correspondence(_, _, npi)
            | Self::Submission(_, _, npi, _)
            | Self::NpiHeld(_, npi) => Some(npi),
            Self::OrgRole(..)
            | Self::Entitlement(..)
            | Self::MembershipActive(..)
            | Self::PlanRole(..)
            | Self::AccountActive(_)
            | Self::OrganizationActive(_)
            | Self::Contracted(_)
            | Self::Affiliation(..)
            | Self::Location(..)
            | Self::TaxIdHeld(..)
            | Self::JobRole(_)
            | Self::Policy(_) => None,
        }
    }

    pub fn name(&self) -> Option<String> {
        match self {
            Self::PlanRole(_, name, _) | Self::Policy(name) => Some((*name).to_owned()),
            Self::Entitlement(_, _, entitlement) => Some(entitlement.key()),
            Self::Location(_, location) => Some(location.to_string()),
            Self::TaxIdHeld(_, tax_id) => Some(tax_id.to_string()),
            Self::OrgRole(..)
            | Self::NpiLevel(..)
            | Self::Correspondence(..)
            | Self::MembershipActive(..)
            | Self::AccountActive(_)
            | Self::OrganizationActive(_)
            | Self::Contracted(_)
            | Self::Affiliation(..)
            | Self::Submission(..)
            | Self::NpiHeld(..)
            | Self::JobRole(_) => None,
        }
    }

    /// The timeline a stored row belongs to; `None` for a row no version of this writes.
    pub fn stored(
        (kind, holder): (&str, Uuid),
        user: Option<Uuid>,
        organization: Option<Uuid>,
        npi: Option<String>,
        name: Option<&str>,
    ) -> Option<Self> {
        let user = user.map(UserId);
        let organization = organization.map(OrganizationId);
        if let Some(granted) = EntitlementKind::parse(kind) {
            let entitlement = Entitlement::parse(granted, name?)?;
            return Some(Self::Entitlement(user?, organization?, entitlement));
        }
        Some(match kind {
            "ORG_ROLE" => Self::OrgRole(user?, organization?),
            "NPI_LEVEL" => Self::NpiLevel(user?, organization?, npi?),
            "CORRESPONDENCE" => Self::Correspondence(user?, organization?, npi?),
            "PLAN_ROLE" => Self::PlanRole(user?, PlanRole::parse(name?)?.as_str(), organization),
            "ACCOUNT_ACTIVE" => Self::AccountActive(user?),
            "MEMBERSHIP_ACTIVE" => Self::MembershipActive(user?, organization?),
            "ORGANIZATION_ACTIVE" => Self::OrganizationActive(organization?),
            "CONTRACTED" => Self::Contracted(organization?),
            "NPI_HELD" => Self::NpiHeld(organization?, npi?),
            "AFFILIATION" => Self::Affiliation(holder.into(), organization?),
            "SUBMISSION" => Self::Submission(user?, organization?, npi?, holder.into()),
            "LOCATION_STATE" => Self::Location(organization?, name?.parse().ok()?),
            "TAX_ID_HELD" => Self::TaxIdHeld(organization?, name?.parse().ok()?),
            "JOB_ROLE_BUNDLE" => Self::JobRole(JobRoleId(holder)),
            "POLICY" => {
                let features = Feature::ALL.iter().map(|feature| feature.policy_name());
                let mut names = POLICIES.iter().map(|key| key.name()).chain(features);
                Self::Policy(names.find(|key| Some(*key) == name)?)
            }
            _ => return None,
        })
    }
}

/// A row of a timeline, as it is held until another event says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interval {
    /// The position of the event that made the row, and which of its rows.
    pub known_from: i64,
    pub ordinal: i16,
    pub known_from_at: DateTime<Utc>,
    pub value: Vec<String>,
    pub valid_from: DateTime<Utc>,
    /// The end of the last moment that counts; far away where there is none.
    pub valid_to: DateTime<Utc>,
    pub cause: Cause,
    pub cause_position: i64,
    /// What set its end, if an event did; a time it was given for stands in the event that gave it.
    pub end: Option<End>,
}

/// The event that set an end, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub position: i64,
    pub cause: Cause,
}
