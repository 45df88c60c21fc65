//! On what each right rests: the conditions it always needs, and the ways to it, one of which suffices.
//!
//! Invariant: all conditions and one way together are what `ops.effective_access` demands; of ways
//! that exclude each other there the narrower one says so itself.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{AffiliationId, OrganizationId, UserId},
    permissions::{Entitlement, right_use::RightKind},
    policies::{Feature, PolicyKey},
};

use super::{
    super::{
        interval::{BY_PARAMETERS, Timeline},
        queries::AccessSource,
    },
    AskedRight, Of,
    expression::Expression::{self as E, All, Any, Has, HasNot, Names},
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

const ANY_LEVEL: &[&str] = &["ADMIN", "PROCESSOR"];
const ADMIN: &[&str] = &["ADMIN"];

fn need(kind: RequirementKind, expression: E) -> Requirement {
    Requirement { kind, of: None, expression }
}

fn parameter(key: PolicyKey, word: &'static [&'static str]) -> Requirement {
    let expression = Has(Timeline::Policy(key.name()), word);
    Requirement { kind: RequirementKind::Policy, of: Some(key.name().to_owned()), expression }
}

fn implied(word: &'static [&'static str]) -> Requirement {
    parameter(PolicyKey::AdminImplied, word)
}

fn way(source: AccessSource, requirements: Vec<Requirement>) -> Way {
    Way { source, of: None, requirements }
}

/// On as somebody said last, else as the parameter lists it.
fn feature_on(feature: Feature) -> Requirement {
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

/// A person in an organisation.
struct Member<'a> {
    user: UserId,
    organization: OrganizationId,
    records: &'a Records,
}

impl Member<'_> {
    fn may_act(&self) -> [Requirement; 3] {
        let contracted_only = Timeline::Policy(PolicyKey::ContractedOnly.name());
        let contract = Any(vec![
            Has(Timeline::Contracted(self.organization), &[]),
            Has(contracted_only, &["true"]).negated(),
        ]);
        let member = Timeline::MembershipActive(self.user, self.organization);
        [
            need(RequirementKind::MembershipActive, Has(member, &[])),
            need(RequirementKind::OrganizationActive, self.open(self.organization)),
            need(RequirementKind::Contract, contract),
        ]
    }

    fn open(&self, organization: OrganizationId) -> E {
        Has(Timeline::OrganizationActive(organization), &[])
    }

    fn role(&self, words: &'static [&'static str]) -> Requirement {
        let role = Timeline::OrgRole(self.user, self.organization);
        need(RequirementKind::OrganizationRole, Has(role, words))
    }

    /// An administrator to whom the policy gives it.
    fn implied_by_admin(&self, word: &'static [&'static str]) -> Way {
        way(AccessSource::ImpliedByAdmin, vec![self.role(ADMIN), implied(word)])
    }

    fn level(&self, npi: &str, words: &'static [&'static str]) -> E {
        Has(Timeline::NpiLevel(self.user, self.organization, npi.to_owned()), words)
    }

    fn granted(&self, entitlement: Entitlement) -> E {
        Has(Timeline::Entitlement(self.user, self.organization, entitlement), &[])
    }

    fn npi_held(&self, npi: &str) -> Requirement {
        let held = Timeline::NpiHeld(self.organization, npi.to_owned());
        need(RequirementKind::NpiHeld, Has(held, &[]))
    }

    fn views_organization(&self) -> Rule {
        let ways = vec![way(AccessSource::Role, vec![self.role(ANY_LEVEL)])];
        Rule { conditions: Vec::new(), ways }
    }

    fn manages_users(&self) -> Rule {
        let per_user = || parameter(PolicyKey::FeatureGrantsEnabled, &["true"]);
        let mut ways =
            vec![way(AccessSource::Role, vec![self.role(ADMIN), implied(&["USER_MANAGEMENT"])])];
        for mut granted in self.grants_of(Feature::UserManagement) {
            granted.requirements.push(per_user());
            ways.push(granted);
        }
        Rule { conditions: Vec::new(), ways }
    }

    /// A feature granted, or bundled by a job role.
    fn grants_of(&self, feature: Feature) -> Vec<Way> {
        let granted = self.granted(Entitlement::Feature(feature));
        let mut ways = vec![way(AccessSource::Direct, vec![need(RequirementKind::Grant, granted)])];
        for timeline in self.records.timelines() {
            let Timeline::Entitlement(user, organization, Entitlement::JobRole(role)) = timeline
            else {
                continue;
            };
            if (*user, *organization) != (self.user, self.organization) {
                continue;
            }
            let bundle = Names(Timeline::JobRole(*role), feature.as_str().to_owned());
            let of = Some(role.to_string());
            let bundled =
                Requirement { kind: RequirementKind::JobRole, of: of.clone(), expression: bundle };
            let grant = need(RequirementKind::Grant, self.granted(Entitlement::JobRole(*role)));
            let enabled = parameter(PolicyKey::JobRolesEnabled, &["true"]);
            let requirements = vec![grant, bundled, enabled];
            ways.push(Way { source: AccessSource::JobRole, of, requirements });
        }
        ways
    }

    fn views_npi(&self, npi: &str) -> Rule {
        let direct = need(RequirementKind::Grant, self.level(npi, ANY_LEVEL));
        let for_all = need(RequirementKind::Grant, self.level("*", ANY_LEVEL));
        let not_own = need(RequirementKind::NotOverridden, self.level(npi, &[]).negated());
        let ways = vec![
            way(AccessSource::Direct, vec![direct]),
            way(AccessSource::AllNpis, vec![for_all, not_own]),
            self.implied_by_admin(&["ALL_NPIS"]),
        ];
        Rule { conditions: vec![self.npi_held(npi)], ways }
    }

    /// As whoever sees the NPI, where the policy gives PINs to the level at which they see it.
    fn manages_pin(&self, npi: &str) -> Rule {
        let mut rule = self.views_npi(npi);
        let pins = Timeline::Policy(PolicyKey::PinsEnabled.name());
        let switched = Timeline::Policy(Feature::Pins.policy_name());
        let on = All(vec![Has(pins, &["true"]), Has(switched, &["OFF", "COMING_SOON"]).negated()]);
        let of = Some(Feature::Pins.as_str().to_owned());
        rule.conditions.push(Requirement { kind: RequirementKind::Feature, of, expression: on });
        let role = |word| parameter(PolicyKey::PinsRoles, word).expression;
        let all_npis = All(self
            .implied_by_admin(&["ALL_NPIS"])
            .requirements
            .into_iter()
            .map(|it| it.expression)
            .collect());
        let at_level = |scope: &str| {
            let admin = Any(vec![self.level(scope, ADMIN), all_npis.clone()]);
            Any(vec![
                All(vec![admin.clone(), role(&["NPI_ADMIN"])]),
                All(vec![admin.negated(), role(&["NPI_PROCESSOR"])]),
            ])
        };
        for (way, expression) in
            rule.ways.iter_mut().zip([at_level(npi), at_level("*"), role(&["NPI_ADMIN"])])
        {
            let of = Some(PolicyKey::PinsRoles.name().to_owned());
            way.requirements.push(Requirement { kind: RequirementKind::Policy, of, expression });
        }
        rule
    }

    fn of_a_thing(&self, right: &AskedRight) -> Rule {
        match right.of() {
            Of::Correspondence(kind) => self.reads(right.npi().unwrap_or_default(), kind),
            Of::Feature(feature) => self.uses(*feature),
            Of::JobRole(role) => {
                let bundle = Has(Timeline::JobRole(*role), &[]);
                let conditions = vec![
                    parameter(PolicyKey::FeatureGrantsEnabled, &["true"]),
                    parameter(PolicyKey::JobRolesEnabled, &["true"]),
                    need(RequirementKind::JobRole, bundle),
                ];
                self.granted_only(conditions, Entitlement::JobRole(*role))
            }
            Of::Location(location) => {
                let state = Timeline::Location(self.organization, *location);
                let open = if right.kind() == RightKind::ChooseLocation {
                    All(vec![Has(state.clone(), &["CREDENTIALED"]), HasNot(state, "TERMINATED")])
                } else {
                    Has(state, &["CREDENTIALED", "TERMINATED"])
                };
                let mode = Timeline::Policy(PolicyKey::LocationsMode.name());
                let of = Some(PolicyKey::LocationsMode.name().to_owned());
                let expression = HasNot(mode, "OFF");
                let conditions = vec![
                    Requirement { kind: RequirementKind::Policy, of, expression },
                    need(RequirementKind::Location, open),
                ];
                let entitlement = Entitlement::Location(*location);
                let mut rule = self.granted_only(conditions, entitlement);
                let mut by_role = self.implied_by_admin(&["LOCATIONS"]);
                let not_own = self.granted(entitlement).negated();
                by_role.requirements.push(need(RequirementKind::NotOverridden, not_own));
                rule.ways.push(by_role);
                rule
            }
            Of::TaxId(tax_id) => {
                let held = Has(Timeline::TaxIdHeld(self.organization, *tax_id), &[]);
                let conditions = vec![need(RequirementKind::TaxIdHeld, held)];
                self.granted_only(conditions, Entitlement::TaxId(*tax_id))
            }
            Of::Nothing | Of::PlanRole(_) => Rule { conditions: Vec::new(), ways: Vec::new() },
        }
    }

    fn granted_only(&self, conditions: Vec<Requirement>, entitlement: Entitlement) -> Rule {
        let grant = need(RequirementKind::Grant, self.granted(entitlement));
        Rule { conditions, ways: vec![way(AccessSource::Direct, vec![grant])] }
    }

    fn uses(&self, feature: Feature) -> Rule {
        let conditions =
            vec![parameter(PolicyKey::FeatureGrantsEnabled, &["true"]), feature_on(feature)];
        let mut ways = self.grants_of(feature);
        if feature == Feature::UserManagement {
            ways.push(self.implied_by_admin(&["USER_MANAGEMENT"]));
        }
        Rule { conditions, ways }
    }

    fn reads(&self, npi: &str, kind: &str) -> Rule {
        let types =
            |scope: &str| Timeline::Correspondence(self.user, self.organization, scope.to_owned());
        let includes = |scope: &str| {
            let every = Has(types(scope), &["*"]);
            Any(vec![Names(types(scope), kind.to_owned()), every])
        };
        // Types granted count only with a level granted.
        let level = Any(vec![
            self.level(npi, ANY_LEVEL),
            All(vec![self.level("*", ANY_LEVEL), self.level(npi, &[]).negated()]),
        ]);
        let seen = Any(vec![
            level.clone(),
            All(vec![self.role(ADMIN).expression, implied(&["ALL_NPIS"]).expression]),
        ]);
        let by_level = || need(RequirementKind::NpiLevel, level.clone());
        let not_own = need(RequirementKind::NotOverridden, Has(types(npi), &[]).negated());
        let mut by_role = self.implied_by_admin(&["ALL_CORRESPONDENCE"]);
        by_role.requirements.push(need(RequirementKind::NpiLevel, seen));
        let ways = vec![
            way(
                AccessSource::Direct,
                vec![need(RequirementKind::Grant, includes(npi)), by_level()],
            ),
            way(
                AccessSource::AllNpis,
                vec![need(RequirementKind::Grant, includes("*")), not_own, by_level()],
            ),
            by_role,
        ];
        Rule { conditions: vec![self.npi_held(npi), feature_on(Feature::Correspondence)], ways }
    }

    fn submits(&self, npi: &str) -> Rule {
        let mut ways = Vec::new();
        for timeline in self.records.timelines() {
            let Timeline::Submission(user, organization, of, affiliation) = timeline else {
                continue;
            };
            if (*user, *organization, of.as_str()) == (self.user, self.organization, npi) {
                ways.push(self.affiliated(timeline, *affiliation, npi));
            }
        }
        Rule { conditions: Vec::new(), ways }
    }

    fn affiliated(&self, submission: &Timeline, affiliation: AffiliationId, npi: &str) -> Way {
        let in_force = Timeline::Affiliation(affiliation, self.organization);
        let provider = self.records.values(&in_force).find_map(|value| value.first()?.parse().ok());
        let provider = provider.unwrap_or_else(|| OrganizationId(uuid::Uuid::nil()));
        let of = Some(affiliation.to_string());
        let held = Timeline::NpiHeld(provider, npi.to_owned());
        let requirements = vec![
            need(RequirementKind::Grant, Has(submission.clone(), &[])),
            Requirement {
                kind: RequirementKind::Affiliation,
                of: of.clone(),
                expression: Has(in_force, &[]),
            },
            need(RequirementKind::ProviderActive, self.open(provider)),
            need(RequirementKind::NpiHeld, Has(held, &[])),
        ];
        Way { source: AccessSource::Affiliation, of, requirements }
    }
}
