//! A job role: a named bundle of features, of one organisation or of the whole portal (CC-09).
//!
//! Invariant: whoever is assigned the role holds what it bundles now; a retired role bundles nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{JobRoleId, OrganizationId};
use crate::policies::Feature;
use crate::values::JobRoleName;
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// A fact about a job role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobRoleEvent {
    /// From now on the role has this name and bundles exactly these features.
    JobRoleDefined {
        role: JobRoleId,
        /// `None`: every organisation of the portal may assign it.
        organization: Option<OrganizationId>,
        name: JobRoleName,
        features: BTreeSet<Feature>,
    },
    /// The role is assigned no more, and those who have it hold nothing by it.
    JobRoleRetired { role: JobRoleId, organization: Option<OrganizationId> },
}

impl Event for JobRoleEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::JobRoleDefined { .. } => "permissions.job_role.job_role_defined",
            Self::JobRoleRetired { .. } => "permissions.job_role.job_role_retired",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::JobRoleDefined { organization, .. }
            | Self::JobRoleRetired { organization, .. } => {
                Facets { organization: *organization, ..Facets::default() }
            }
        }
    }
}

/// What may be asked of a job role.
#[derive(Clone, Debug)]
pub enum JobRoleCommand {
    /// Makes it, or changes name and features.
    DefineJobRole {
        role: JobRoleId,
        organization: Option<OrganizationId>,
        name: JobRoleName,
        features: BTreeSet<Feature>,
        /// Whether whoever asks holds the role: nobody adds to their own rights (GN-13).
        is_own: bool,
    },
    RetireJobRole,
}

/// Why a job role refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobRoleRefusal {
    #[error("There is no such job role. Choose one of the list.")]
    Unknown,
    #[error("Choose at least one feature.")]
    NoFeature,
    #[error("The feature {0} is not granted to people one by one.")]
    NotGranted(Feature),
    #[error("Nobody raises their own permissions. Ask another administrator.")]
    SelfGrant,
}

impl From<JobRoleRefusal> for Refusal {
    fn from(refusal: JobRoleRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            JobRoleRefusal::Unknown => Self::new(Code::RoleUnknown, message).at("jobRoleId"),
            JobRoleRefusal::NoFeature => Self::new(Code::FieldRequired, message).at("features"),
            JobRoleRefusal::NotGranted(_) => Self::new(Code::FieldInvalid, message).at("features"),
            JobRoleRefusal::SelfGrant => Self::new(Code::SelfGrant, message).at("features"),
        }
    }
}

/// Where a job role stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JobRole {
    #[default]
    NotDefined,
    Defined(Bundle),
    Retired,
}

/// What a role is called and bundles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    pub role: JobRoleId,
    pub organization: Option<OrganizationId>,
    pub name: JobRoleName,
    pub features: BTreeSet<Feature>,
}

impl JobRole {
    /// What it bundles now.
    #[must_use]
    pub fn bundle(&self) -> Option<&Bundle> {
        match self {
            Self::Defined(bundle) => Some(bundle),
            Self::NotDefined | Self::Retired => None,
        }
    }

    /// The bundle, if people of this organisation may be assigned the role.
    ///
    /// # Errors
    /// `ROLE_UNKNOWN`, also for a role of another organisation.
    pub fn assignable_in(&self, organization: OrganizationId) -> Result<&Bundle, JobRoleRefusal> {
        self.bundle()
            .filter(|bundle| bundle.organization.is_none_or(|owner| owner == organization))
            .ok_or(JobRoleRefusal::Unknown)
    }
}

impl Decider for JobRole {
    const TYPE: &'static str = "permissions.job_role";
    type Command = JobRoleCommand;
    type Event = JobRoleEvent;
    type Refusal = JobRoleRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: JobRoleCommand,
    ) -> Result<Vec<JobRoleEvent>, JobRoleRefusal> {
        match (self, command) {
            (
                Self::NotDefined | Self::Defined(_),
                JobRoleCommand::DefineJobRole { role, organization, name, features, is_own },
            ) => {
                if let Some(feature) = features.iter().find(|feature| !feature.is_granted()) {
                    return Err(JobRoleRefusal::NotGranted(*feature));
                }
                if features.is_empty() {
                    return Err(JobRoleRefusal::NoFeature);
                }
                let new = Bundle { role, organization, name, features };
                match self.bundle() {
                    Some(old) if *old == new => return Ok(Vec::new()),
                    Some(old) if is_own && !new.features.is_subset(&old.features) => {
                        return Err(JobRoleRefusal::SelfGrant);
                    }
                    Some(_) | None => {}
                }
                let Bundle { role, organization, name, features } = new;
                Ok(vec![JobRoleEvent::JobRoleDefined { role, organization, name, features }])
            }
            (Self::Defined(Bundle { role, organization, .. }), JobRoleCommand::RetireJobRole) => {
                let (role, organization) = (*role, *organization);
                Ok(vec![JobRoleEvent::JobRoleRetired { role, organization }])
            }
            (Self::Retired, JobRoleCommand::DefineJobRole { .. })
            | (Self::NotDefined | Self::Retired, JobRoleCommand::RetireJobRole) => {
                Err(JobRoleRefusal::Unknown)
            }
        }
    }

    fn evolve(&mut self, event: &JobRoleEvent) {
        match event {
            JobRoleEvent::JobRoleDefined { role, organization, name, features } => {
                *self = Self::Defined(Bundle {
                    role: *role,
                    organization: *organization,
                    name: name.clone(),
                    features: features.clone(),
                });
            }
            JobRoleEvent::JobRoleRetired { .. } => *self = Self::Retired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id};

    fn define(features: &[Feature], is_own: bool) -> JobRoleCommand {
        JobRoleCommand::DefineJobRole {
            role: id(1),
            organization: Some(id(2)),
            name: JobRoleName::parse("Front desk").unwrap(),
            features: features.iter().copied().collect(),
            is_own,
        }
    }

    fn defined(features: &[Feature]) -> JobRoleEvent {
        JobRoleEvent::JobRoleDefined {
            role: id(1),
            organization: Some(id(2)),
            name: JobRoleName::parse("Front desk").unwrap(),
            features: features.iter().copied().collect(),
        }
    }

    #[test]
    fn a_role_is_defined_changed_and_retired_for_good() {
        let desk = [Feature::Eligibility];
        let more = [Feature::Eligibility, Feature::Claims];
        given::<JobRole>(&[]).when(define(&desk, false)).then(&[defined(&desk)]);
        given::<JobRole>(&[defined(&desk)]).when(define(&more, false)).then(&[defined(&more)]);
        given::<JobRole>(&[defined(&desk)]).when(define(&desk, true)).then(&[]);
        let retired = JobRoleEvent::JobRoleRetired { role: id(1), organization: Some(id(2)) };
        let state = given::<JobRole>(&[defined(&desk)])
            .when(JobRoleCommand::RetireJobRole)
            .then(std::slice::from_ref(&retired));
        assert!(state.assignable_in(id(2)).is_err());
        given::<JobRole>(&[defined(&desk), retired])
            .when(define(&more, false))
            .refused(Code::RoleUnknown);
    }

    #[test]
    fn nobody_adds_features_to_a_role_they_hold() {
        let both = [Feature::Eligibility, Feature::Claims];
        let one = [Feature::Eligibility];
        given::<JobRole>(&[defined(&one)]).when(define(&both, true)).refused(Code::SelfGrant);
        given::<JobRole>(&[defined(&both)]).when(define(&one, true)).then(&[defined(&one)]);
    }

    #[test]
    fn a_role_bundles_features_that_people_are_granted() {
        given::<JobRole>(&[]).when(define(&[], false)).refused(Code::FieldRequired);
        given::<JobRole>(&[]).when(define(&[Feature::Pins], false)).refused(Code::FieldInvalid);
    }

    #[test]
    fn a_role_of_an_organization_is_unknown_in_others() {
        let state = given::<JobRole>(&[defined(&[Feature::Claims])]).state();
        assert!(state.assignable_in(id(2)).is_ok());
        assert_eq!(state.assignable_in(id(3)), Err(JobRoleRefusal::Unknown));
    }
}
