//! A person of the health plan and the plan roles they hold, each scoped in time (GN-31).
//!
//! Invariant: a role with an end is over at that second, whether or not its ending was written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{PlanRole, PlanRoleEnd, PlanScope, PlanStaffEvent};
use crate::kernel::ids::{InvitationId, TenantId, UserId};
use crate::values::Reason;
use crate::{Code, Decider, Decision, Refusal, Sealed};

/// What may be asked about a person's plan roles. That the tenant keeps its administrators is
/// checked over all plan staff by the caller.
#[derive(Clone, Debug)]
pub enum PlanStaffCommand {
    InvitePlanStaff {
        tenant: TenantId,
        user: UserId,
        invitation: InvitationId,
        roles: BTreeSet<PlanRole>,
        until: Option<DateTime<Utc>>,
        scope: PlanScope,
        reason: Option<Reason>,
    },
    /// The invitation was completed: its roles begin now.
    BeginPlanRoles {
        invitation: InvitationId,
    },
    AssignPlanRole {
        tenant: TenantId,
        user: UserId,
        role: PlanRole,
        /// Begins now if not given.
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
        scope: PlanScope,
        reason: Option<Reason>,
    },
    /// A role held or to come counts for other organisations from now on.
    ScopePlanRole {
        role: PlanRole,
        scope: PlanScope,
        reason: Option<Reason>,
    },
    EndPlanRole {
        role: PlanRole,
        cause: PlanRoleEnd,
        reason: Option<Reason>,
    },
}

/// Why plan roles are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanStaffRefusal {
    #[error("Choose at least one role.")]
    NoRole,
    #[error("The role {} does not exist in this tenant.", .0.as_str())]
    RoleNotHere(PlanRole),
    #[error("The person holds the role {} already.", .0.as_str())]
    AlreadyAssigned(PlanRole),
    #[error("The person does not hold the role {}.", .0.as_str())]
    NotAssigned(PlanRole),
    #[error("The role must begin now or later, and end after it begins.")]
    RangeInvalid,
    #[error("The role ends later; it has not expired yet.")]
    NotExpired(DateTime<Utc>),
    #[error("No such invitation is open for this person.")]
    NotInvited,
    #[error("Nobody gives a role to themself. Ask another plan administrator.")]
    SelfGrant,
    #[error("The role {} counts for the whole plan.", .0.as_str())]
    NotScoped(PlanRole),
    #[error("Name at most {MOST} organizations, or none for the whole plan.")]
    TooMany,
}

/// The most organisations of one scope.
pub const MOST: usize = 500;

impl From<PlanStaffRefusal> for Refusal {
    fn from(refusal: PlanStaffRefusal) -> Self {
        use PlanStaffRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::NoRole => Self::new(Code::FieldRequired, message).at("roles"),
            R::RoleNotHere(_) => Self::new(Code::RoleUnknown, message).at("roles"),
            R::AlreadyAssigned(_) => Self::new(Code::AlreadyAssigned, message).at("roles"),
            R::NotAssigned(_) => Self::new(Code::NotFound, message).at("role"),
            R::RangeInvalid => Self::new(Code::RangeInvalid, message).at("until"),
            R::NotExpired(at) => Self::new(Code::TooEarly, message).retry_at(at),
            R::NotInvited => Self::new(Code::NotInvited, message),
            R::SelfGrant => Self::new(Code::SelfGrant, message),
            R::NotScoped(_) => Self::new(Code::FieldInvalid, message).at("organizationIds"),
            R::TooMany => Self::new(Code::FieldTooLong, message).at("organizationIds"),
        }
    }
}

/// An open invitation into roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStaffInvitation {
    pub invitation: InvitationId,
    pub user: UserId,
    pub roles: BTreeSet<PlanRole>,
    pub until: Option<DateTime<Utc>>,
    pub scope: PlanScope,
}

/// One role held by a person: from `from`, before `until`, within `scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRoleGrant {
    pub user: UserId,
    pub from: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
    pub scope: PlanScope,
}

impl PlanRoleGrant {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The plan roles of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanStaff {
    invitation: Option<PlanStaffInvitation>,
    grants: BTreeMap<PlanRole, PlanRoleGrant>,
}

impl PlanStaff {
    /// The roles in force at `now`, whatever they count for.
    #[must_use]
    pub fn roles_at(&self, now: DateTime<Utc>) -> BTreeSet<PlanRole> {
        self.in_force(now).map(|(role, _)| role).collect()
    }

    /// The roles in force at `now`, each with what it counts for.
    #[must_use]
    pub fn scopes_at(&self, now: DateTime<Utc>) -> BTreeMap<PlanRole, PlanScope> {
        self.in_force(now).map(|(role, grant)| (role, grant.scope.clone())).collect()
    }

    /// The roles in force at `now`, each as it was given.
    pub fn in_force(&self, now: DateTime<Utc>) -> impl Iterator<Item = (PlanRole, &PlanRoleGrant)> {
        let counts = move |grant: &PlanRoleGrant| grant.from <= now && !grant.is_over(now);
        self.grants.iter().filter(move |(_, grant)| counts(grant)).map(|(role, it)| (*role, it))
    }

    /// Every role not yet ended by an event, with its time.
    #[must_use]
    pub fn grants(&self) -> &BTreeMap<PlanRole, PlanRoleGrant> {
        &self.grants
    }

    /// The invitation that was not completed yet.
    #[must_use]
    pub fn invitation(&self) -> Option<&PlanStaffInvitation> {
        self.invitation.as_ref()
    }

    /// A role may be given by somebody else, where it exists, if the person does not hold it.
    fn check_grantable(
        &self,
        decision: &Decision<'_>,
        tenant: TenantId,
        user: UserId,
        role: PlanRole,
    ) -> Result<(), PlanStaffRefusal> {
        if decision.actor.person() == Some(user) {
            return Err(PlanStaffRefusal::SelfGrant);
        }
        if !role.belongs_to(tenant) {
            return Err(PlanStaffRefusal::RoleNotHere(role));
        }
        if self.grants.get(&role).is_some_and(|grant| !grant.is_over(decision.now)) {
            return Err(PlanStaffRefusal::AlreadyAssigned(role));
        }
        Ok(())
    }

    fn scope(
        &self,
        decision: &Decision<'_>,
        role: PlanRole,
        scope: &PlanScope,
        reason: Option<Reason>,
    ) -> Result<Vec<PlanStaffEvent>, PlanStaffRefusal> {
        let grant = self.grants.get(&role).filter(|grant| !grant.is_over(decision.now));
        let grant = grant.ok_or(PlanStaffRefusal::NotAssigned(role))?;
        if decision.actor.person() == Some(grant.user) {
            return Err(PlanStaffRefusal::SelfGrant);
        }
        check_scope(role, scope)?;
        if grant.scope == *scope {
            return Ok(Vec::new());
        }
        Ok(vec![PlanStaffEvent::PlanRoleScoped {
            user: grant.user,
            role,
            old: grant.scope.organizations(),
            new: scope.organizations(),
            effective_at: grant.from.max(decision.now),
            until: grant.until,
            reason: reason.map(|reason| Sealed::new(grant.user, reason)),
        }])
    }

    /// The ending of a former grant that ran out unnoticed, so that the new one follows it.
    fn settle_expired(&self, role: PlanRole) -> Option<PlanStaffEvent> {
        let grant = self.grants.get(&role)?;
        Some(PlanStaffEvent::PlanRoleEnded {
            user: grant.user,
            role,
            cause: PlanRoleEnd::Expired,
            effective_at: grant.until?,
            reason: None,
        })
    }

    fn end(
        &self,
        decision: &Decision<'_>,
        role: PlanRole,
        cause: PlanRoleEnd,
        reason: Option<Reason>,
    ) -> Result<Vec<PlanStaffEvent>, PlanStaffRefusal> {
        let grant = self.grants.get(&role).ok_or(PlanStaffRefusal::NotAssigned(role))?;
        let effective_at = match (cause, grant.until) {
            (PlanRoleEnd::Expired, None) => return Err(PlanStaffRefusal::RangeInvalid),
            (PlanRoleEnd::Expired, Some(until)) if decision.now < until => {
                return Err(PlanStaffRefusal::NotExpired(until));
            }
            (PlanRoleEnd::Expired, Some(until)) => until,
            (PlanRoleEnd::Revoked | PlanRoleEnd::Review | PlanRoleEnd::Tenant, _) => decision.now,
        };
        let reason = reason.map(|reason| Sealed::new(grant.user, reason));
        Ok(vec![PlanStaffEvent::PlanRoleEnded {
            user: grant.user,
            role,
            cause,
            effective_at,
            reason,
        }])
    }
}

/// Operators have no organisations to be kept to.
fn check_scope(role: PlanRole, scope: &PlanScope) -> Result<(), PlanStaffRefusal> {
    match scope {
        PlanScope::Organizations(_) if role == PlanRole::Operator => {
            Err(PlanStaffRefusal::NotScoped(role))
        }
        PlanScope::Organizations(named) if named.len() > MOST => Err(PlanStaffRefusal::TooMany),
        PlanScope::Organizations(_) | PlanScope::Whole => Ok(()),
    }
}

impl Decider for PlanStaff {
    const TYPE: &'static str = "tenants.plan_staff";
    type Command = PlanStaffCommand;
    type Event = PlanStaffEvent;
    type Refusal = PlanStaffRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: PlanStaffCommand,
    ) -> Result<Vec<PlanStaffEvent>, PlanStaffRefusal> {
        let now = decision.now;
        match command {
            PlanStaffCommand::InvitePlanStaff {
                tenant,
                user,
                invitation,
                roles,
                until,
                scope,
                reason,
            } => {
                if roles.is_empty() {
                    return Err(PlanStaffRefusal::NoRole);
                }
                for role in &roles {
                    self.check_grantable(decision, tenant, user, *role)?;
                    check_scope(*role, &scope)?;
                }
                if until.is_some_and(|until| until <= now) {
                    return Err(PlanStaffRefusal::RangeInvalid);
                }
                let reason = reason.map(|reason| Sealed::new(user, reason));
                Ok(vec![PlanStaffEvent::PlanStaffInvited {
                    user,
                    invitation,
                    roles,
                    until,
                    organizations: scope.organizations(),
                    reason,
                }])
            }
            PlanStaffCommand::BeginPlanRoles { invitation } => {
                let open = self
                    .invitation
                    .as_ref()
                    .filter(|open| open.invitation == invitation)
                    .ok_or(PlanStaffRefusal::NotInvited)?;
                if open.until.is_some_and(|until| until <= now) {
                    return Err(PlanStaffRefusal::RangeInvalid);
                }
                let held = self.roles_at(now);
                Ok(open
                    .roles
                    .iter()
                    .filter(|role| !held.contains(role))
                    .flat_map(|role| {
                        let assigned = PlanStaffEvent::PlanRoleAssigned {
                            user: open.user,
                            role: *role,
                            from: now,
                            until: open.until,
                            organizations: open.scope.organizations(),
                            reason: None,
                        };
                        self.settle_expired(*role).into_iter().chain([assigned])
                    })
                    .collect())
            }
            PlanStaffCommand::AssignPlanRole { tenant, user, role, from, until, scope, reason } => {
                self.check_grantable(decision, tenant, user, role)?;
                check_scope(role, &scope)?;
                let from = from.unwrap_or(now);
                if from < now || until.is_some_and(|until| until <= from) {
                    return Err(PlanStaffRefusal::RangeInvalid);
                }
                let reason = reason.map(|reason| Sealed::new(user, reason));
                let organizations = scope.organizations();
                let assigned = PlanStaffEvent::PlanRoleAssigned {
                    user,
                    role,
                    from,
                    until,
                    organizations,
                    reason,
                };
                Ok(self.settle_expired(role).into_iter().chain([assigned]).collect())
            }
            PlanStaffCommand::ScopePlanRole { role, scope, reason } => {
                self.scope(decision, role, &scope, reason)
            }
            PlanStaffCommand::EndPlanRole { role, cause, reason } => {
                self.end(decision, role, cause, reason)
            }
        }
    }

    fn evolve(&mut self, event: &PlanStaffEvent) {
        match event {
            PlanStaffEvent::PlanStaffInvited {
                user,
                invitation,
                roles,
                until,
                organizations,
                ..
            } => {
                self.invitation = Some(PlanStaffInvitation {
                    scope: PlanScope::of(organizations),
                    invitation: *invitation,
                    user: *user,
                    roles: roles.clone(),
                    until: *until,
                });
            }
            PlanStaffEvent::PlanRoleAssigned { user, role, from, until, organizations, .. } => {
                let scope = PlanScope::of(organizations);
                let grant = PlanRoleGrant { user: *user, from: *from, until: *until, scope };
                self.grants.insert(*role, grant);
                if self.invitation.as_ref().is_some_and(|open| open.roles.contains(role)) {
                    self.invitation = self.invitation.take().and_then(|mut open| {
                        open.roles.remove(role);
                        (!open.roles.is_empty()).then_some(open)
                    });
                }
            }
            PlanStaffEvent::PlanRoleScoped { role, new, .. } => {
                if let Some(grant) = self.grants.get_mut(role) {
                    grant.scope = PlanScope::of(new);
                }
            }
            PlanStaffEvent::PlanRoleEnded { role, .. } => {
                self.grants.remove(role);
            }
        }
    }
}

#[cfg(test)]
#[path = "plan_staff_tests.rs"]
mod tests;
