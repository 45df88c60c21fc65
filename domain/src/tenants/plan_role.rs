//! The roles of the health plan's own people.
//!
//! Invariant: the stored names never change, and operators are never roles of a portal.

use serde::{Deserialize, Serialize};

use crate::kernel::ids::TenantId;

/// A right of kind PLAN_ROLE (GN-31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanRole {
    /// Runs the service; lives in the operations tenant and sees no tenant's data.
    Operator,
    /// Plan administrator.
    Pa,
    /// Plan support staff.
    Ps,
    /// Quality team.
    Qi,
    /// Content editor.
    Ce,
    /// Compliance auditor.
    Au,
}

impl PlanRole {
    pub const ALL: [Self; 6] = [Self::Operator, Self::Pa, Self::Ps, Self::Qi, Self::Ce, Self::Au];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "OPERATOR",
            Self::Pa => "PA",
            Self::Ps => "PS",
            Self::Qi => "QI",
            Self::Ce => "CE",
            Self::Au => "AU",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Operators live in the operations tenant, and nobody else does.
    #[must_use]
    pub fn belongs_to(self, tenant: TenantId) -> bool {
        (self == Self::Operator) == (tenant == TenantId::OPERATIONS)
    }
}
