//! What machines' keys may do: nothing that no scope was named for, nothing outside their scopes, and
//! nothing an administrator of their owner could not (GN-28).
//!
//! Invariant: a demand is closed to keys until it names a scope, so a new command or question cannot
//! be open to them by oversight.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, Code, Refusal,
    api_keys::{ApiKey, ApiKeyRefusal, Scope},
    kernel::ids::{ApiKeyId, OrganizationId},
    organizations::OrgRole,
    policies::PolicyHistory,
    tenants::PlanRole,
};

use super::{Access, Authority, Sources, forbidden, not_signed_in, open_organization};
use crate::Failure;

/// An access, and what of it a machine's key may have (GN-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    pub(super) access: Access,
    key: KeyUse,
}

/// What a demand lets keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyUse {
    /// Nothing: it is for people.
    Nothing,
    /// What any visitor may.
    AsVisitor,
    /// With a scope that covers this one.
    Within(Scope),
}

impl From<Access> for Demand {
    /// Keys are refused whatever nobody named a scope for.
    fn from(access: Access) -> Self {
        Self { access, key: KeyUse::Nothing }
    }
}

impl Access {
    /// A key of the owner named, or of the plan, has it too, within a scope.
    #[must_use]
    pub fn or_key(self, scope: Scope) -> Demand {
        Demand { access: self, key: KeyUse::Within(scope) }
    }
}

impl Demand {
    /// What visitors may read, keys may.
    #[must_use]
    pub fn of_read(self) -> Self {
        match (self.access, self.key) {
            (Access::Public, KeyUse::Nothing) => Self { key: KeyUse::AsVisitor, ..self },
            (_, KeyUse::Nothing | KeyUse::AsVisitor | KeyUse::Within(_)) => self,
        }
    }
}

/// What a machine's key may do: nothing outside its scopes, and nothing an administrator of its
/// owner could not (GN-28).
pub(super) async fn by_key(
    sources: &mut Sources<'_>,
    id: ApiKeyId,
    demand: Demand,
    now: DateTime<Utc>,
) -> Result<Authority, Failure> {
    let key = sources.load::<ApiKey>(id.0).await?;
    let grant = key.usable(now).map_err(key_refused)?;
    let policies = sources.load::<PolicyHistory>(sources.tenant.policy_stream()).await?;
    if policies.at(now).1.api_key_max_days().is_none() {
        return Err(Refusal::from(ApiKeyRefusal::NotOffered).into());
    }
    let mut authority = Authority::of(Actor::api_key(id));
    if let Some(organization) = grant.organization {
        open_organization(sources, organization, now).await?;
        authority.organization = Some(organization);
        authority.org_role = Some(OrgRole::Admin);
    } else {
        authority.plan_roles = BTreeSet::from([PlanRole::Pa]);
    }
    let within = match demand.key {
        KeyUse::Nothing => false,
        KeyUse::AsVisitor => true,
        KeyUse::Within(scope) => grant.covers(scope),
    };
    if within { authority.holding(demand.access) } else { Err(out_of_scope().into()) }
}

impl Authority {
    /// As administrator of one owner, be it an organisation or the plan, has an access.
    fn holding(self, access: Access) -> Result<Self, Failure> {
        let own = |of: OrganizationId| self.organization == Some(of);
        let plan = |roles: &[PlanRole]| roles.iter().any(|role| self.plan_roles.contains(role));
        let unknown = || Refusal::not_found("organizationId");
        let (held, otherwise) = match access {
            // Whoever is known, within the scope that was named for it.
            Access::Public | Access::SignedIn => (true, forbidden()),
            // A person's own account and session, and what no scope is of.
            Access::OwnSession | Access::Operator | Access::System => (false, forbidden()),
            Access::Plan(roles) => (plan(roles), forbidden()),
            Access::Member(of) | Access::OrgAdmin(of) | Access::UserManager(of) => {
                (own(of), unknown())
            }
            Access::UserManagerOrPlan(of, roles)
            | Access::OrgAdminOrPlan(of, roles)
            | Access::MemberOrPlan(of, roles)
            | Access::OrgViewerOrPlan(of, roles) => (own(of) || plan(roles), unknown()),
        };
        if held { Ok(self) } else { Err(otherwise.into()) }
    }
}

/// A key that is none, or works no longer; who presents one that is none is simply nobody.
pub(crate) fn key_refused(refusal: ApiKeyRefusal) -> Refusal {
    match refusal {
        ApiKeyRefusal::Unknown => not_signed_in(),
        other @ (ApiKeyRefusal::NotOffered
        | ApiKeyRefusal::NoScope
        | ApiKeyRefusal::EndOutOfRange { .. }
        | ApiKeyRefusal::Revoked
        | ApiKeyRefusal::Expired
        | ApiKeyRefusal::Over
        | ApiKeyRefusal::Exists) => other.into(),
    }
}

/// A key whose scopes do not cover what is asked.
#[must_use]
pub fn out_of_scope() -> Refusal {
    let message = "This key's scopes do not cover this. Create one with the scope it takes.";
    Refusal::new(Code::Forbidden, message)
}
