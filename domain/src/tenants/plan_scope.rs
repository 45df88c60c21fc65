//! For which organisations a plan role counts (GN-31).
//!
//! Invariant: a role without organisations is one for the whole plan; what is no organisation's, such
//! as policies and plan staff, is never inside a narrower scope.

use std::collections::BTreeSet;

use crate::kernel::ids::OrganizationId;

/// The reach of a plan role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlanScope {
    /// The plan with all its organisations.
    #[default]
    Whole,
    /// These organisations and nothing else.
    Organizations(BTreeSet<OrganizationId>),
}

impl PlanScope {
    /// As stored: no organisation stands for the whole plan.
    #[must_use]
    pub fn of(organizations: &BTreeSet<OrganizationId>) -> Self {
        if organizations.is_empty() {
            return Self::Whole;
        }
        Self::Organizations(organizations.clone())
    }

    /// The organisations, none for the whole plan.
    #[must_use]
    pub fn organizations(&self) -> BTreeSet<OrganizationId> {
        match self {
            Self::Whole => BTreeSet::new(),
            Self::Organizations(organizations) => organizations.clone(),
        }
    }

    #[must_use]
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }

    /// Whether an organisation's matters are inside it.
    #[must_use]
    pub fn covers(&self, organization: OrganizationId) -> bool {
        match self {
            Self::Whole => true,
            Self::Organizations(organizations) => organizations.contains(&organization),
        }
    }

    /// What either of the two covers.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Organizations(mut own), Self::Organizations(others)) => {
                own.extend(others);
                Self::Organizations(own)
            }
            (Self::Whole, _) | (_, Self::Whole) => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::id;

    #[test]
    fn a_scope_covers_its_organizations_and_the_whole_plan_all() {
        let (one, other) = (id(1), id(2));
        let narrow = PlanScope::of(&BTreeSet::from([one]));
        assert!(narrow.covers(one) && !narrow.covers(other) && !narrow.is_whole());
        let both = narrow.clone().or(&PlanScope::of(&BTreeSet::from([other])));
        assert!(both.covers(one) && both.covers(other));
        let whole = PlanScope::of(&BTreeSet::new());
        assert!(whole.covers(other) && whole.is_whole());
        assert!(narrow.clone().or(&whole).is_whole() && whole.or(&narrow).is_whole());
    }
}
