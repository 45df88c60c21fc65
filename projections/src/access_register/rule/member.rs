//! What each right rests on where a person is a member.
//!
//! Invariant: a way that counts only where a narrower one is absent demands that itself.

use rollcall_domain::{
    kernel::ids::{AffiliationId, OrganizationId, UserId},
    permissions::{Entitlement, right_use::RightKind},
    policies::{Feature, PolicyKey},
};

use super::{
    super::{interval::Timeline, queries::AccessSource},
    AskedRight, Of,
    expression::Expression::{self as E, All, Any, Has, HasNot, Names},
    record::Records,
    requirements::{
        ADMIN, ANY_LEVEL, Requirement, RequirementKind, Rule, Way, feature_on, implied, need,
        parameter, way,
    },
};

/// A person in an organisation.
pub(super) struct Member<'a> {
    pub user: UserId,
    pub organization: OrganizationId,
    pub records: &'a Records,
}

impl Member<'_> {
    pub fn may_act(&self) -> [Requirement; 3] {
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

    pub fn views_organization(&self) -> Rule {
        let ways = vec![way(AccessSource::Role, vec![self.role(ANY_LEVEL)])];
        Rule { conditions: Vec::new(), ways }
    }

    pub fn manages_users(&self) -> Rule {
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

    pub fn views_npi(&self, npi: &str) -> Rule {
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
    pub fn manages_pin(&self, npi: &str) -> Rule {
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

    pub fn of_a_thing(&self, right: &AskedRight) -> Rule {
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

    pub fn submits(&self, npi: &str) -> Rule {
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
