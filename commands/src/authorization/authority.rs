//! What authorisation established about a caller. Invariant: made by authorisation alone; it says what
//! was demanded and found, never what else the caller might do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rollcall_domain::{
    Actor, Refusal,
    kernel::ids::{ApiKeyId, OrganizationId, SessionId, UserId},
    organizations::OrgRole,
    permissions::Membership,
    tenants::{PlanRole, PlanScope},
};

use super::not_signed_in;

/// What authorisation established about the caller.
#[derive(Clone, Debug)]
pub struct Authority {
    pub actor: Actor,
    pub user: Option<UserId>,
    /// The machine's key, where no person asks.
    pub key: Option<ApiKeyId>,
    pub session: Option<SessionId>,
    /// The organisation acted for, when the access names one and the caller is a member.
    pub organization: Option<OrganizationId>,
    /// The caller's role there.
    pub org_role: Option<OrgRole>,
    /// The caller's rights there.
    pub membership: Option<Arc<Membership>>,
    /// The caller's plan roles that count here, when the access asked for them, with their scopes.
    pub plan_roles: BTreeMap<PlanRole, PlanScope>,
    /// Those of them that it asked for: in these the caller acts.
    pub acting_roles: BTreeSet<PlanRole>,
    /// Whether the caller is an administrator of the whole plan who is named to know of legal holds,
    /// where the access lets auditors in (GN-26).
    pub is_records_officer: bool,
}

impl Authority {
    pub(super) fn of(actor: Actor) -> Self {
        Self {
            actor,
            user: actor.person(),
            key: actor.key(),
            session: None,
            organization: None,
            org_role: None,
            membership: None,
            plan_roles: BTreeMap::new(),
            acting_roles: BTreeSet::new(),
            is_records_officer: false,
        }
    }

    /// By what a decision is carried out later: that of an organisation's administrators or of the plan.
    /// Whether whoever decided might was found out when they did; the actor is whoever has it done.
    pub(crate) fn of_decision(actor: Actor, by_plan: bool) -> Self {
        let service = Self::of(actor);
        if by_plan {
            let plan_roles = [(PlanRole::Ps, PlanScope::Whole)].into();
            return Self { plan_roles, ..service };
        }
        Self { org_role: Some(OrgRole::Admin), ..service }
    }

    /// Whether the caller acts as plan staff rather than for an organisation.
    #[must_use]
    pub fn acts_for_plan(&self) -> bool {
        !self.plan_roles.is_empty()
    }

    /// For what one of these roles lets the caller act.
    #[must_use]
    pub fn plan_scope(&self, roles: &[PlanRole]) -> PlanScope {
        let none = PlanScope::Organizations(BTreeSet::new());
        let held = roles.iter().filter_map(|role| self.plan_roles.get(role));
        held.fold(none, |scope, held| scope.or(held))
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// `NOT_SIGNED_IN`.
    pub fn person(&self) -> Result<UserId, Refusal> {
        self.user.ok_or_else(not_signed_in)
    }
}
