//! The rights of a member that a review is about, as the streams that decide hold them.
//!
//! Invariant: a right is listed while it is held, and what has its place now is read from the same
//! stream by the same rule.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{ReviewScope, ReviewedAccess};
use crate::kernel::ids::AffiliationId;
use crate::permissions::{
    CorrespondenceScope, Entitlement, JobRoles, Membership, NpiLevel, NpiScope,
};
use crate::policies::Feature;
use crate::values::Npi;

/// The NPIs of providers for which somebody works, with the affiliations in force by which they do.
pub type Submissions = BTreeSet<(AffiliationId, Npi)>;

/// What a member has.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    pub membership: &'a Membership,
    pub submissions: &'a Submissions,
    pub now: DateTime<Utc>,
}

/// What a member was granted, with what the job roles bundle.
#[derive(Clone, Copy, Debug)]
pub struct Granted<'a> {
    pub holding: Holding<'a>,
    pub job_roles: &'a JobRoles,
}

/// The rights in scope, in the order of a list; none where the scope is memberships.
#[must_use]
pub fn rights_in_scope(scope: &ReviewScope, granted: Granted<'_>) -> Vec<ReviewedAccess> {
    let mut rights = granted.holding.rights();
    rights.retain(|right| granted.is_in_scope(scope, right));
    rights.sort_unstable();
    rights
}

impl Holding<'_> {
    fn rights(self) -> Vec<ReviewedAccess> {
        let Self { membership, submissions, .. } = self;
        let levels = membership.entries().map(|(npi, grant)| ReviewedAccess::Npi {
            npi: npi.clone(),
            level: grant.level,
            until: grant.until,
        });
        let types = membership.correspondence_entries().flat_map(|(npi, types)| {
            let of = |types: &CorrespondenceScope| (npi.clone(), types.clone());
            types.iter().map(of).collect::<Vec<_>>()
        });
        let types = types.map(|(npi, types)| ReviewedAccess::Correspondence { npi, types });
        let grants = membership
            .entitlements()
            .map(|grant| ReviewedAccess::Grant { grant: grant.entitlement, until: grant.until });
        let submissions = submissions.iter().map(|(affiliation, npi)| ReviewedAccess::Submission {
            affiliation: *affiliation,
            npi: npi.clone(),
        });
        let all = levels.chain(types).chain(grants).chain(submissions);
        all.filter(|right| right.is_held(self)).collect()
    }
}

impl Granted<'_> {
    fn is_in_scope(self, scope: &ReviewScope, right: &ReviewedAccess) -> bool {
        use ReviewScope as S;
        use ReviewedAccess as A;
        match (scope, right) {
            // No member holds a key or a role of the plan as one.
            (S::Roster | S::Administrators | S::Dormant { .. } | S::ApiKeys | S::PlanStaff, _)
            | (_, A::Membership { .. } | A::ApiKey { .. } | A::PlanRole { .. }) => false,
            (S::Rights | S::People { .. }, _)
            | (S::Npi { npi: None }, A::Npi { .. } | A::Correspondence { .. }) => true,
            (S::Npi { npi: Some(one) }, A::Npi { npi, .. }) => {
                let Holding { membership, now, .. } = self.holding;
                let deciding = membership.deciding_entry(one, now);
                deciding.is_some_and(|(scope, _)| scope == *npi)
            }
            (S::Npi { npi: Some(one) }, A::Correspondence { npi, .. }) => self.reads_by(one, npi),
            (S::Feature { feature }, A::Grant { grant, .. }) => self.gives(*feature, grant),
            (S::JobRole { role }, A::Grant { grant: Entitlement::JobRole(held), .. }) => {
                role.is_none_or(|role| role == *held)
            }
            (S::Location { location }, A::Grant { grant: Entitlement::Location(held), .. }) => {
                location.is_none_or(|location| location == *held)
            }
            (S::Affiliations { affiliation }, A::Submission { affiliation: of, .. }) => {
                affiliation.is_none_or(|one| one == *of)
            }
            (S::Npi { .. }, A::Submission { .. } | A::Grant { .. })
            | (
                S::Feature { .. } | S::JobRole { .. } | S::Location { .. },
                A::Npi { .. } | A::Correspondence { .. } | A::Submission { .. },
            )
            | (
                S::Location { .. },
                A::Grant {
                    grant: Entitlement::Feature(_) | Entitlement::JobRole(_) | Entitlement::TaxId(_),
                    ..
                },
            )
            | (
                S::Affiliations { .. },
                A::Npi { .. } | A::Correspondence { .. } | A::Grant { .. },
            )
            | (
                S::JobRole { .. },
                A::Grant {
                    grant:
                        Entitlement::Feature(_) | Entitlement::Location(_) | Entitlement::TaxId(_),
                    ..
                },
            ) => false,
        }
    }

    /// Whether the types set for this scope are those that count for the NPI.
    fn reads_by(self, one: &Npi, scope: &NpiScope) -> bool {
        match scope {
            NpiScope::One(npi) => npi == one,
            NpiScope::All => !self.holding.membership.has_own_correspondence(one),
        }
    }

    fn gives(self, feature: Option<Feature>, grant: &Entitlement) -> bool {
        match grant {
            Entitlement::Feature(held) => feature.is_none_or(|feature| feature == *held),
            Entitlement::JobRole(role) => {
                let bundle = self.job_roles.get(role).and_then(|role| role.bundle());
                bundle.is_some_and(|bundle| {
                    feature.is_none_or(|feature| bundle.features.contains(&feature))
                })
            }
            Entitlement::Location(_) | Entitlement::TaxId(_) => false,
        }
    }
}

impl ReviewedAccess {
    /// What a member holds in the place of this right, at whichever level and until whenever; nothing
    /// where it ended, and nothing for a membership, which the roster knows, and for a key or a role of the
    /// plan, which have streams of their own.
    #[must_use]
    pub fn held_now(&self, holding: Holding<'_>) -> Option<Self> {
        let Holding { membership, submissions, now } = holding;
        match self {
            Self::Membership { .. } | Self::ApiKey { .. } | Self::PlanRole { .. } => None,
            Self::Npi { npi, .. } => {
                let held = membership.entry(npi, now)?;
                let (npi, level, until) = (npi.clone(), held.level, held.until);
                (level > NpiLevel::None).then_some(Self::Npi { npi, level, until })
            }
            Self::Correspondence { npi, types } => {
                membership.may_read(npi, types, now).then(|| self.clone())
            }
            Self::Submission { affiliation, npi } => {
                submissions.contains(&(*affiliation, npi.clone())).then(|| self.clone())
            }
            Self::Grant { grant, .. } => {
                let held = membership.grant_of(grant, now)?;
                Some(Self::Grant { grant: *grant, until: held.until })
            }
        }
    }

    /// Whether a member holds it, at whichever level.
    #[must_use]
    pub fn is_held(&self, holding: Holding<'_>) -> bool {
        self.held_now(holding).is_some()
    }
}
