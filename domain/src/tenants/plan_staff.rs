//! A person of the health plan and the plan roles they hold, each scoped in time (GN-31).
//!
//! Invariant: a role with an end is over at that second, whether or not its ending was written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::PlanRole;
use crate::kernel::ids::{InvitationId, TenantId, UserId};
use crate::values::Reason;
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// Why a plan role ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanRoleEnd {
    /// Somebody took it back.
    Revoked,
    /// Its time was over.
    Expired,
    /// The tenant was closed.
    Tenant,
}

/// What happened to a person's plan roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlanStaffEvent {
    /// A plan administrator (or an operator, for the first ones) invited a person into roles.
    PlanStaffInvited {
        user: UserId,
        invitation: InvitationId,
        roles: BTreeSet<PlanRole>,
        until: Option<DateTime<Utc>>,
        reason: Option<Sealed<Reason>>,
    },
    /// The person holds a role from `from` and before `until`.
    PlanRoleAssigned {
        user: UserId,
        role: PlanRole,
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        reason: Option<Sealed<Reason>>,
    },
    /// The person no longer holds a role.
    PlanRoleEnded {
        user: UserId,
        role: PlanRole,
        cause: PlanRoleEnd,
        effective_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
}

impl Event for PlanStaffEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PlanStaffInvited { .. } => "tenants.plan_staff.plan_staff_invited",
            Self::PlanRoleAssigned { .. } => "tenants.plan_staff.plan_role_assigned",
            Self::PlanRoleEnded { .. } => "tenants.plan_staff.plan_role_ended",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::PlanStaffInvited { user, .. } => Facets::default().subject(*user),
            Self::PlanRoleAssigned { user, from, .. } => {
                Facets::default().subject(*user).effective_at(*from)
            }
            Self::PlanRoleEnded { user, effective_at, .. } => {
                Facets::default().subject(*user).effective_at(*effective_at)
            }
        }
    }
}

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
}

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
}

/// One role held by a person: from `from`, before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanRoleGrant {
    pub user: UserId,
    pub from: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
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
    /// The roles in force at `now`.
    #[must_use]
    pub fn roles_at(&self, now: DateTime<Utc>) -> BTreeSet<PlanRole> {
        self.grants
            .iter()
            .filter(|(_, grant)| grant.from <= now && !grant.is_over(now))
            .map(|(role, _)| *role)
            .collect()
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
            (PlanRoleEnd::Revoked | PlanRoleEnd::Tenant, _) => decision.now,
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
                reason,
            } => {
                if roles.is_empty() {
                    return Err(PlanStaffRefusal::NoRole);
                }
                for role in &roles {
                    self.check_grantable(decision, tenant, user, *role)?;
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
                            reason: None,
                        };
                        self.settle_expired(*role).into_iter().chain([assigned])
                    })
                    .collect())
            }
            PlanStaffCommand::AssignPlanRole { tenant, user, role, from, until, reason } => {
                self.check_grantable(decision, tenant, user, role)?;
                let from = from.unwrap_or(now);
                if from < now || until.is_some_and(|until| until <= from) {
                    return Err(PlanStaffRefusal::RangeInvalid);
                }
                let reason = reason.map(|reason| Sealed::new(user, reason));
                let assigned = PlanStaffEvent::PlanRoleAssigned { user, role, from, until, reason };
                Ok(self.settle_expired(role).into_iter().chain([assigned]).collect())
            }
            PlanStaffCommand::EndPlanRole { role, cause, reason } => {
                self.end(decision, role, cause, reason)
            }
        }
    }

    fn evolve(&mut self, event: &PlanStaffEvent) {
        match event {
            PlanStaffEvent::PlanStaffInvited { user, invitation, roles, until, .. } => {
                self.invitation = Some(PlanStaffInvitation {
                    invitation: *invitation,
                    user: *user,
                    roles: roles.clone(),
                    until: *until,
                });
            }
            PlanStaffEvent::PlanRoleAssigned { user, role, from, until, .. } => {
                let grant = PlanRoleGrant { user: *user, from: *from, until: *until };
                self.grants.insert(*role, grant);
                if self.invitation.as_ref().is_some_and(|open| open.roles.contains(role)) {
                    self.invitation = self.invitation.take().and_then(|mut open| {
                        open.roles.remove(role);
                        (!open.roles.is_empty()).then_some(open)
                    });
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
