//! Effective rights by the intervals alone: who held what at a moment, and over a time.
//!
//! Invariant: this is `ops.effective_access` said once more, for those who have the events and no
//! database; acceptance tests hold the one to the other, as a property test holds that one to the
//! domain's rule.

mod npis;
mod policy;
mod spans;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{AffiliationId, JobRoleId, MembershipId, OrganizationId, UserId},
    permissions::{Entitlement, right_use::RightKind},
    policies::{Feature, PolicyKey},
};
use uuid::Uuid;

use self::policy::Rules;
pub(crate) use self::spans::{HeldSpan, spans};
use super::held::Held;
use crate::access_register::{
    AccessSource,
    interval::{Interval, Timeline},
};

/// Which right: in which organisation, about which NPI, and what of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RightKey {
    pub organization: Option<OrganizationId>,
    /// Empty where it is about none.
    pub npi: String,
    pub kind: RightKind,
    /// The type of correspondence, the feature, or the id of what it is a right to.
    pub of: String,
}

/// How it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    pub level: String,
    pub source: AccessSource,
    pub span: Span,
}

/// The time for which all that something rests on holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Span {
    pub fn of(row: &Interval) -> Self {
        Self { from: row.valid_from, to: row.valid_to }
    }

    pub fn and(self, row: &Interval) -> Self {
        self.within(Self::of(row))
    }

    pub fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

pub(crate) type Rights = BTreeMap<RightKey, Holding>;

/// What a person holds at a moment; about one NPI only, where one is named.
pub(crate) fn rights(
    held: &Held,
    user: UserId,
    moment: DateTime<Utc>,
    npi: Option<&str>,
) -> Rights {
    let mut look =
        Look { held, user, moment, npi, rules: Rules::at(held, moment), rights: Rights::new() };
    let Some(account) = held.at(&Timeline::AccountActive(user), moment) else {
        return look.rights;
    };
    if npi.is_none() {
        look.plan_roles(account);
    }
    for member in look.members(account) {
        look.npis(&member);
        look.submissions(&member);
        if npi.is_none() {
            look.organization(&member);
            look.features(&member);
            look.locations(&member);
            look.tax_ids(&member);
        }
    }
    look.rights
}

/// Whether the portal serves an organisation at a moment, with the contract that it has or without.
pub(crate) fn is_served(held: &Held, organization: OrganizationId, moment: DateTime<Utc>) -> bool {
    let only = held.at(&Timeline::Policy(PolicyKey::ContractedOnly.name()), moment);
    policy::serves(only, held.at(&Timeline::Contracted(organization), moment)).is_some()
}

/// A person who may act in an organisation.
struct Member<'a> {
    organization: OrganizationId,
    holder: Uuid,
    span: Span,
    role: Option<(&'a str, &'a Interval)>,
}

impl Member<'_> {
    fn is_admin(&self) -> bool {
        self.role.is_some_and(|(role, _)| role == "ADMIN")
    }
}

struct Look<'a> {
    held: &'a Held,
    user: UserId,
    moment: DateTime<Utc>,
    npi: Option<&'a str>,
    rules: Rules<'a>,
    rights: Rights,
}

impl<'a> Look<'a> {
    fn at(&self, timeline: &Timeline) -> Option<&'a Interval> {
        self.held.at(timeline, self.moment)
    }

    /// Of several ways to a right the most specific one is told, then the first level by name.
    fn add(&mut self, key: RightKey, holding: Holding) {
        let rank = |holding: &Holding| {
            let order = [
                AccessSource::Role,
                AccessSource::Direct,
                AccessSource::AllNpis,
                AccessSource::JobRole,
                AccessSource::ImpliedByAdmin,
                AccessSource::PlanRole,
                AccessSource::Affiliation,
            ];
            order.iter().position(|source| *source == holding.source)
        };
        match self.rights.get(&key) {
            Some(told) if (rank(told), &told.level) <= (rank(&holding), &holding.level) => {}
            Some(_) | None => {
                self.rights.insert(key, holding);
            }
        }
    }

    fn right(
        &mut self,
        member: &Member<'_>,
        (kind, of): (RightKind, &str),
        (level, source, span): (&str, AccessSource, Span),
    ) {
        let organization = Some(member.organization);
        let key = RightKey { organization, npi: String::new(), kind, of: of.to_owned() };
        self.add(key, Holding { level: level.to_owned(), source, span });
    }

    fn plan_roles(&mut self, account: &Interval) {
        for (role, organization, row) in self.held.plan_roles(self.user, self.moment) {
            let (kind, of) = (RightKind::PlanRole, role.to_owned());
            let key = RightKey { organization, npi: String::new(), kind, of };
            let span = Span::of(row).and(account);
            let holding = Holding { level: role.to_owned(), source: AccessSource::PlanRole, span };
            self.add(key, holding);
        }
    }

    /// The organisations in which the person may act.
    fn members(&self, account: &Interval) -> Vec<Member<'a>> {
        let mut members = Vec::new();
        for (organization, membership) in self.held.memberships(self.user, self.moment) {
            let Some(open) = self.at(&Timeline::OrganizationActive(organization)) else { continue };
            let contract = self.at(&Timeline::Contracted(organization));
            let Some(served) = self.rules.serves(contract) else { continue };
            members.push(Member {
                organization,
                holder: MembershipId::of(self.held.tenant, self.user, organization).0,
                span: Span::of(membership).and(account).and(open).within(served),
                role: self.held.org_role(self.user, organization, self.moment),
            });
        }
        members
    }

    fn organization(&mut self, member: &Member<'_>) {
        let Some((role, row)) = member.role else { return };
        let (span, source) = (member.span.and(row), AccessSource::Role);
        self.right(member, (RightKind::ViewOrganization, ""), (role, source, span));
        if let (true, Some(implied)) = (member.is_admin(), self.rules.manages_users) {
            let holding = (role, source, span.and(implied));
            self.right(member, (RightKind::ManageUsers, ""), holding);
        }
    }

    fn features(&mut self, member: &Member<'_>) {
        let Some(granted) = self.rules.grants_features else { return };
        let held = self.held;
        let base = member.span.and(granted);
        let mut uses = Vec::new();
        for timeline in held.of_holder(member.holder) {
            let Timeline::Entitlement(_, _, entitlement) = timeline else { continue };
            let Some(grant) = self.at(timeline) else { continue };
            match entitlement {
                Entitlement::Feature(feature) => {
                    if let Some(on) = self.rules.feature(feature.as_str()) {
                        let span = base.and(grant).within(on);
                        uses.push((feature.as_str().to_owned(), AccessSource::Direct, span));
                    }
                }
                Entitlement::JobRole(role) => {
                    self.job_role(member, (*role, base.and(grant)), &mut uses);
                }
                Entitlement::Location(_) | Entitlement::TaxId(_) => {}
            }
        }
        if let (Some((_, row)), Some(implied)) =
            (member.role.filter(|_| member.is_admin()), self.rules.manages_users)
        {
            let span = base.and(row).and(implied);
            let word = Feature::UserManagement.as_str().to_owned();
            uses.push((word, AccessSource::ImpliedByAdmin, span));
        }
        let told = member.role.map_or("NONE", |(role, _)| role).to_owned();
        let by_role = member.is_admin() && self.rules.manages_users.is_some();
        for (feature, source, span) in uses {
            self.right(member, (RightKind::UseFeature, &feature), (&feature, source, span));
            if feature == Feature::UserManagement.as_str() && !by_role {
                self.right(member, (RightKind::ManageUsers, ""), (&told, source, span));
            }
        }
    }

    fn job_role(
        &mut self,
        member: &Member<'_>,
        (role, base): (JobRoleId, Span),
        uses: &mut Vec<(String, AccessSource, Span)>,
    ) {
        let Some(enabled) = self.rules.job_roles else { return };
        let Some(bundle) = self.at(&Timeline::JobRole(role)) else { return };
        let span = base.and(enabled).and(bundle);
        let id = role.to_string();
        self.right(member, (RightKind::HoldJobRole, &id), (&id, AccessSource::Direct, span));
        for feature in &bundle.value {
            if let Some(on) = self.rules.feature(feature) {
                uses.push((feature.clone(), AccessSource::JobRole, span.within(on)));
            }
        }
    }

    fn locations(&mut self, member: &Member<'_>) {
        let Some(mode) = self.rules.locations else { return };
        let held = self.held;
        for timeline in held.of_holder(member.organization.0) {
            let Timeline::Location(_, location) = timeline else { continue };
            let Some(state) = self.at(timeline) else { continue };
            if state.value.is_empty() {
                continue;
            }
            let base = member.span.and(state).and(mode);
            let entitlement = Entitlement::Location(*location);
            let grant = Timeline::Entitlement(self.user, member.organization, entitlement);
            let (source, span) = match (self.at(&grant), member.role, self.rules.all_locations) {
                (Some(grant), ..) => (AccessSource::Direct, base.and(grant)),
                (None, Some(("ADMIN", row)), Some(implied)) => {
                    (AccessSource::ImpliedByAdmin, base.and(row).and(implied))
                }
                (None, ..) => continue,
            };
            let id = location.to_string();
            self.right(member, (RightKind::ViewLocation, &id), (&id, source, span));
            if !state.value.iter().any(|word| word == "TERMINATED") {
                self.right(member, (RightKind::ChooseLocation, &id), (&id, source, span));
            }
        }
    }

    fn tax_ids(&mut self, member: &Member<'_>) {
        let held = self.held;
        for timeline in held.of_holder(member.holder) {
            let Timeline::Entitlement(_, _, Entitlement::TaxId(tax_id)) = timeline else {
                continue;
            };
            let filed = self.at(&Timeline::TaxIdHeld(member.organization, *tax_id));
            let (Some(grant), Some(filed)) = (self.at(timeline), filed) else { continue };
            let (id, span) = (tax_id.to_string(), member.span.and(grant).and(filed));
            self.right(member, (RightKind::ReadTaxId, &id), (&id, AccessSource::Direct, span));
        }
    }

    /// A submitter's people submit for an NPI while the affiliation is in force, the provider is open
    /// and holds the NPI (GN-18).
    fn submissions(&mut self, member: &Member<'_>) {
        let held = self.held;
        for timeline in held.of_person(self.user) {
            let Timeline::Submission(_, submitter, npi, affiliation) = timeline else { continue };
            if *submitter != member.organization || self.npi.is_some_and(|asked| asked != npi) {
                continue;
            }
            let Some(row) = self.at(timeline) else { continue };
            let Some(span) = self.for_provider(*affiliation, *submitter, npi) else { continue };
            let key = RightKey {
                organization: Some(*submitter),
                npi: npi.clone(),
                kind: RightKind::SubmitTransactions,
                of: String::new(),
            };
            let span = member.span.and(row).within(span);
            let level = "SUBMITTER".to_owned();
            self.add(key, Holding { level, source: AccessSource::Affiliation, span });
        }
    }

    fn for_provider(
        &self,
        affiliation: AffiliationId,
        submitter: OrganizationId,
        npi: &str,
    ) -> Option<Span> {
        let in_force = self.at(&Timeline::Affiliation(affiliation, submitter))?;
        let provider = OrganizationId(in_force.value.first()?.parse().ok()?);
        let open = self.at(&Timeline::OrganizationActive(provider))?;
        let holds = self.at(&Timeline::NpiHeld(provider, npi.to_owned()))?;
        Some(Span::of(in_force).and(open).and(holds))
    }
}
