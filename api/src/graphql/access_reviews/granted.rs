//! A single right as a line of a review tells it. Invariant: it is named as requests and permissions name
//! it, so that whoever reads the list can find it there.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::{api_keys::Scope, permissions as domain, policies, tenants};
use rollcall_projections::access_reviews::{ItemView, Joiner};
use uuid::Uuid;

use crate::graphql::{
    api_keys::ApiKeyScope,
    ids::NodeType,
    scalars::{DateTime, NpiScalar},
    vocabulary::{Feature, NpiLevel, PlanRole},
};

/// What a line of a review's list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReviewedKind {
    /// Belonging to the organization, with the organization-wide permission.
    Membership,
    /// A level for an NPI.
    NpiLevel,
    /// A type of correspondence for an NPI.
    Correspondence,
    Feature,
    JobRole,
    Location,
    TaxId,
    /// Transactions for an NPI of a provider that the organization is affiliated with.
    Submission,
    /// A key by which machines of the organization ask and command; its person made it.
    ApiKey,
    /// A role of one of the health plan's own people.
    PlanRole,
}

impl ReviewedKind {
    /// Of the name in rows.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "NPI_LEVEL" => Self::NpiLevel,
            "CORRESPONDENCE" => Self::Correspondence,
            "FEATURE" => Self::Feature,
            "JOB_ROLE" => Self::JobRole,
            "LOCATION" => Self::Location,
            "TAX_ID" => Self::TaxId,
            "SUBMISSION" => Self::Submission,
            "API_KEY" => Self::ApiKey,
            "PLAN_ROLE" => Self::PlanRole,
            _ => Self::Membership,
        }
    }
}

/// A single right, granted to somebody.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewedGrant {
    pub kind: ReviewedKind,
    /// Of SUBMISSION, NPI_LEVEL and CORRESPONDENCE; `*` for all NPIs that have no entry of their own.
    pub npi: Option<NpiScalar>,
    /// Whose NPI it is.
    pub provider_name: Option<String>,
    /// Of NPI_LEVEL.
    pub level: Option<NpiLevel>,
    /// Of CORRESPONDENCE; `*` for all types.
    pub correspondence_type: Option<String>,
    pub feature: Option<Feature>,
    /// Of a job role, location, tax id or key.
    pub thing_id: Option<ID>,
    /// What the feature, job role, location, tax id or key is called.
    pub name: Option<String>,
    /// Of API_KEY, what it may be used for.
    pub scopes: Option<Vec<ApiKeyScope>>,
    pub plan_role: Option<PlanRole>,
    /// Of PLAN_ROLE, the organizations it counts for, by their ids; none for the whole plan.
    pub organization_ids: Option<Vec<ID>>,
    /// It ends here by itself.
    pub until: Option<DateTime>,
}

/// A right by its words in rows.
struct Words<'a> {
    kind: &'a str,
    npi: Option<&'a String>,
    name: Option<&'a String>,
    level: Option<&'a String>,
    until: Option<chrono::DateTime<chrono::Utc>>,
    provider_name: Option<&'a String>,
    thing: Option<&'a String>,
    key_scopes: Option<&'a Vec<String>>,
    organizations: &'a [Uuid],
}

impl Words<'_> {
    fn grant(&self) -> Option<ReviewedGrant> {
        let kind = ReviewedKind::named(self.kind);
        let name = |of: &[ReviewedKind]| self.name.filter(|_| of.contains(&kind));
        let feature = name(&[ReviewedKind::Feature]).and_then(|it| policies::Feature::parse(it));
        let ids = [ReviewedKind::JobRole, ReviewedKind::Location, ReviewedKind::TaxId];
        let key = name(&[ReviewedKind::ApiKey]).and_then(|id| Uuid::parse_str(id).ok());
        let plan_role = name(&[ReviewedKind::PlanRole]);
        let plan_role = plan_role.and_then(|it| tenants::PlanRole::parse(it));
        let organization_ids = plan_role
            .map(|_| self.organizations.iter().map(|id| NodeType::Organization.id(*id)).collect());
        let label = feature.map(|feature| feature.label().to_owned());
        (kind != ReviewedKind::Membership).then(|| ReviewedGrant {
            kind,
            npi: self.npi.cloned().map(NpiScalar),
            provider_name: self.provider_name.cloned(),
            level: self.level.and_then(|it| level(it)),
            correspondence_type: name(&[ReviewedKind::Correspondence]).cloned(),
            feature: feature.map(Into::into),
            thing_id: name(&ids).map(ID::from).or_else(|| Some(NodeType::ApiKey.id(key?))),
            name: label.or_else(|| self.thing.cloned()),
            scopes: self.key_scopes.map(|words| {
                words.iter().filter_map(|word| Scope::parse(word)).map(Into::into).collect()
            }),
            plan_role: plan_role.map(Into::into),
            organization_ids,
            until: self.until.map(DateTime::from),
        })
    }
}

/// A level by its stored name.
pub(super) fn level(word: &str) -> Option<NpiLevel> {
    domain::NpiLevel::parse(word).map(Into::into)
}

impl ReviewedGrant {
    /// The right of an item as it was listed; `None` for a membership.
    pub(super) fn of_item(item: &ItemView) -> Option<Self> {
        let words = Words {
            kind: &item.row.kind,
            npi: item.row.npi.as_ref(),
            name: item.row.name.as_ref(),
            level: item.row.level.as_ref(),
            until: item.row.until,
            provider_name: item.provider_name.as_ref(),
            thing: item.thing.as_ref(),
            key_scopes: item.key_scopes.as_ref(),
            organizations: &item.listed_organizations,
        };
        words.grant()
    }

    /// The right that came into scope; `None` where it is a member.
    pub(super) fn of_joiner(joiner: &Joiner) -> Option<Self> {
        let words = Words {
            kind: &joiner.kind,
            npi: joiner.npi.as_ref(),
            name: joiner.name.as_ref(),
            level: joiner.level.as_ref(),
            until: joiner.until,
            provider_name: joiner.provider_name.as_ref(),
            thing: joiner.thing.as_ref(),
            key_scopes: joiner.key_scopes.as_ref(),
            organizations: &joiner.organizations,
        };
        words.grant()
    }
}
