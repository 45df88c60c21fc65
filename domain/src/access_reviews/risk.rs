//! How much harm an access can do, as far as the portal knows: by it the policy tells items apart that
//! nobody decided about in time (GN-15).
//!
//! Invariant: it follows from the item and from what job roles bundle, never from who the person is.

use serde::{Deserialize, Serialize};

use super::ReviewedAccess;
use crate::organizations::OrgRole;
use crate::permissions::{Entitlement, JobRoles, NpiLevel};
use crate::policies::Feature;
use crate::tenants::PlanRole;

/// A tier of risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Risk {
    Ordinary,
    /// Administering the organisation, seeing PINs and tax documents of an NPI, and managing users; a
    /// machine's key that does not only read; of the plan's own roles those that administer, support people or read
    /// the whole log.
    High,
}

impl ReviewedAccess {
    /// The tier of this access; a job role is what it bundles.
    #[must_use]
    pub fn risk(&self, job_roles: &JobRoles) -> Risk {
        let manages = |feature: &Feature| *feature == Feature::UserManagement;
        let is_high = match self {
            Self::Membership { role } => *role == OrgRole::Admin,
            Self::Npi { level, .. } => *level == NpiLevel::Admin,
            Self::Correspondence { .. } | Self::Submission { .. } => false,
            Self::Grant { grant: Entitlement::Feature(feature), .. } => manages(feature),
            Self::Grant { grant: Entitlement::JobRole(role), .. } => {
                let bundle = job_roles.get(role).and_then(|role| role.bundle());
                bundle.is_some_and(|bundle| bundle.features.iter().any(manages))
            }
            Self::Grant { grant: Entitlement::Location(_) | Entitlement::TaxId(_), .. } => false,
            Self::ApiKey { scopes, .. } => scopes.iter().any(|scope| scope.writes()),
            Self::PlanRole { role, .. } => match role {
                PlanRole::Operator | PlanRole::Pa | PlanRole::Ps | PlanRole::Au => true,
                PlanRole::Qi | PlanRole::Ce => false,
            },
        };
        if is_high { Risk::High } else { Risk::Ordinary }
    }
}
