//! On what each right rests: the conditions it always needs, and the ways to it, one of which suffices.
//!
//! Invariant: all conditions and one way together are what `ops.effective_access` demands; of ways
//! that exclude each other there the narrower one says so itself.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::right_use::RightKind,
    policies::{Feature, PolicyKey},
};

use super::{
    super::{
        interval::{BY_PARAMETERS, Timeline},
        queries::AccessSource,
    },
    AskedRight, Of,
    expression::Expression::{self as E, All, Any, Has, Names},
    member::Member,
    record::{Clock, Happened, Records, Span},
};

/// What a right rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementKind {
    /// The person's account works.
    AccountActive,
    /// The person is an active member of the organisation.
    MembershipActive,
    /// The organisation is registered and neither suspended nor closed.
    OrganizationActive,
    /// The organisation has a contract, or the portal serves others too (CC-01).
    Contract,
    /// The organisation holds the NPI (GN-04).
    NpiHeld,
    /// The location is there to be used.
    Location,
    /// The organisation is known by the tax id.
    TaxIdHeld,
    /// The feature is on.
    Feature,
    /// A parameter of the policy.
    Policy,
    /// The right was granted.
    Grant,
    /// A level for the NPI was granted, beside the types of correspondence.
    NpiLevel,
    /// Nothing was set for this NPI or location alone, which would count before what is set for all.
    NotOverridden,
    /// The role in the organisation.
    OrganizationRole,
    /// The job role exists and bundles it.
    JobRole,
    /// The affiliation is in force.
    Affiliation,
    /// The provider is open.
    ProviderActive,
}

impl RequirementKind {
    pub const ALL: [Self; 16] = [
        Self::AccountActive,
        Self::MembershipActive,
        Self::OrganizationActive,
        Self::Contract,
        Self::NpiHeld,
        Self::Location,
        Self::TaxIdHeld,
        Self::Feature,
        Self::Policy,
        Self::Grant,
        Self::NpiLevel,
        Self::NotOverridden,
        Self::OrganizationRole,
        Self::JobRole,
        Self::Affiliation,
        Self::ProviderActive,
    ];
}

/// One thing that must be so.
#[derive(Clone, Debug)]
pub struct Requirement {
    pub kind: RequirementKind,
    /// What it is about: a parameter's name, a feature, or the id of a job role or affiliation.
    pub of: Option<String>,
    pub expression: E,
}

/// One way to a right.
#[derive(Clone, Debug)]
pub struct Way {
    pub source: AccessSource,
    /// The job role or affiliation.
    pub of: Option<String>,
    pub requirements: Vec<Requirement>,
}

impl Way {
    pub fn is_met(&self, records: &Records, clock: Clock, at: DateTime<Utc>) -> bool {
        self.requirements.iter().all(|it| it.expression.holds(records, clock, at))
    }
}

/// All that one right of one person rests on.
#[derive(Clone, Debug)]
pub struct Rule {
    pub conditions: Vec<Requirement>,
    pub ways: Vec<Way>,
}

pub(super) const ANY_LEVEL: &[&str] = &["ADMIN", "PROCESSOR"];
pub(super) const ADMIN: &[&str] = &["ADMIN"];

pub(super) fn need(kind: RequirementKind, expression: E) -> Requirement {
    Requirement { kind, of: None, expression }
}

pub(super) fn parameter(key: PolicyKey, word: &'static [&'static str]) -> Requirement {
    let expression = Has(Timeline::Policy(key.name()), word);
    Requirement { kind: RequirementKind::Policy, of: Some(key.name().to_owned()), expression }
}

pub(super) fn implied(word: &'static [&'static str]) -> Requirement {
    parameter(PolicyKey::AdminImplied, word)
}

pub(super) fn way(source: AccessSource, requirements: Vec<Requirement>) -> Way {
    Way { source, of: None, requirements }
}

/// On as somebody said last, else as the parameter lists it.
pub(super) fn feature_on(feature: Feature) -> Requirement {
    let said = Timeline::Policy(feature.policy_name());
    let listed = Timeline::Policy(PolicyKey::PortalFeatures.name());
    let unsaid = Any(vec![Has(said.clone(), &[]).negated(), Has(said.clone(), &[BY_PARAMETERS])]);
    let expression = if feature == Feature::UserManagement {
        All(Vec::new())
    } else {
        let listed = Names(listed, feature.as_str().to_owned());
        Any(vec![Has(said, &["ON"]), All(vec![unsaid, listed])])
    };
    let of = Some(feature.as_str().to_owned());
    Requirement { kind: RequirementKind::Feature, of, expression }
}

impl Rule {
    /// The rule of a right of a person; without an organisation a role for the whole plan.
    pub fn of(
        right: &AskedRight,
        user: UserId,
        organization: Option<OrganizationId>,
        records: &Records,
    ) -> Self {
        let account = need(RequirementKind::AccountActive, Has(Timeline::AccountActive(user), &[]));
        if let Of::PlanRole(role) = right.of() {
            let held = Timeline::PlanRole(user, role.as_str(), organization);
            let grant = need(RequirementKind::Grant, Has(held, &[]));
            let ways = vec![way(AccessSource::PlanRole, vec![grant])];
            return Self { conditions: vec![account], ways };
        }
        // Who asks for another right without an organisation asks about none that exists.
        let organization = organization.unwrap_or_else(|| OrganizationId(uuid::Uuid::nil()));
        let member = Member { user, organization, records };
        let mut rule = match right.kind() {
            RightKind::ViewOrganization => member.views_organization(),
            RightKind::ManageUsers => member.manages_users(),
            RightKind::ViewNpi => member.views_npi(right.npi().unwrap_or_default()),
            RightKind::ManagePin => member.manages_pin(right.npi().unwrap_or_default()),
            RightKind::SubmitTransactions => member.submits(right.npi().unwrap_or_default()),
            RightKind::ReadCorrespondence
            | RightKind::UseFeature
            | RightKind::HoldJobRole
            | RightKind::ViewLocation
            | RightKind::ChooseLocation
            | RightKind::ReadTaxId
            | RightKind::PlanRole => member.of_a_thing(right),
        };
        let mut conditions = vec![account];
        conditions.extend(member.may_act());
        conditions.append(&mut rule.conditions);
        Self { conditions, ways: rule.ways }
    }

    fn expression(&self) -> E {
        let all = |them: &[Requirement]| them.iter().map(|it| it.expression.clone()).collect();
        let ways = self.ways.iter().map(|way| All(all(&way.requirements))).collect();
        let mut parts: Vec<E> = all(&self.conditions);
        parts.push(Any(ways));
        All(parts)
    }

    pub fn holds(&self, records: &Records, clock: Clock, at: DateTime<Utc>) -> bool {
        self.expression().holds(records, clock, at)
    }

    /// The times during which the right is held, in their order.
    pub fn spans(&self, records: &Records, clock: Clock) -> Vec<Span> {
        self.expression().spans(records, clock)
    }

    /// What made the right begin (the last that it still lacked) or end (the first that it lost).
    pub fn turned(
        &self,
        records: &Records,
        clock: Clock,
        at: DateTime<Utc>,
        begins: bool,
    ) -> Option<Happened> {
        let mut changes = BTreeSet::new();
        self.expression().changes(records, clock, at, &mut changes);
        if begins { changes.pop_last() } else { changes.pop_first() }
    }
}
