//! `InvitePlanStaff`, `AssignPlanRole`, `ScopePlanRole`, `EndPlanRole`: who of the health plan holds
//! which role, for what and until when (GN-31).
//!
//! Invariant: no command takes a tenant's last administrators away: the streams of all plan staff are
//! read, and their versions are checked at the append.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Decider, Refusal,
    kernel::ids::{InvitationId, OrganizationId, TenantId, UserId},
    organizations::Organization,
    tenants::{MOST, PlanRole, PlanRoleEnd, PlanScope, PlanStaff, PlanStaffCommand, Tenant},
    users::user::User,
    values::{EmailAddress, PersonName, PhoneNumber, Reason},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Access, Command, Context, Failure,
    users::invitation::{self, NewPerson},
};

/// Plan administrators, and operators for their own kind in the operations tenant.
const ADMINISTRATORS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Operator];

/// A person as whoever invites them describes them.
#[derive(Clone, Debug)]
pub struct PersonDetails {
    pub email: EmailAddress,
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub mobile: PhoneNumber,
}

impl PersonDetails {
    /// Parses what was typed; `at` is the input's path, ending in a dot or empty.
    ///
    /// # Errors
    /// The first field at fault.
    pub fn parse(
        at: &str,
        email: &str,
        first_name: &str,
        last_name: &str,
        mobile: &str,
    ) -> Result<Self, Refusal> {
        let field = |name: &str| format!("{at}{name}");
        Ok(Self {
            email: EmailAddress::parse(email)
                .map_err(|invalid| Refusal::from(invalid).at(&field("email")))?,
            first_name: PersonName::parse(first_name)
                .map_err(|invalid| Refusal::from(invalid).at(&field("firstName")))?,
            last_name: PersonName::parse(last_name)
                .map_err(|invalid| Refusal::from(invalid).at(&field("lastName")))?,
            mobile: PhoneNumber::parse(mobile)
                .map_err(|invalid| Refusal::from(invalid).at(&field("mobile")))?,
        })
    }
}

/// Invites a person into plan roles, which begin when the invitation is completed.
pub struct InvitePlanStaff {
    pub person: PersonDetails,
    pub roles: BTreeSet<PlanRole>,
    /// The roles end here by themselves.
    pub until: Option<DateTime<Utc>>,
    /// The organisations they count for; none for the whole plan.
    pub organizations: BTreeSet<OrganizationId>,
    pub reason: Reason,
}

/// Who was invited, and by which invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InvitedPlanStaff {
    pub user: UserId,
    pub invitation: InvitationId,
}

#[async_trait]
impl Command for InvitePlanStaff {
    const NAME: &'static str = "InvitePlanStaff";
    type Output = InvitedPlanStaff;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitedPlanStaff, Failure> {
        let scope = existing(cx, &self.organizations).await?;
        let terms = Terms { until: self.until, scope, reason: Some(self.reason.clone()) };
        invite(cx, &self.person, self.roles.clone(), terms).await
    }
}

/// Gives a person who has an account a plan role, now or from a later moment.
pub struct AssignPlanRole {
    pub user: UserId,
    pub role: PlanRole,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// The organisations it counts for; none for the whole plan.
    pub organizations: BTreeSet<OrganizationId>,
    pub reason: Reason,
}

#[async_trait]
impl Command for AssignPlanRole {
    const NAME: &'static str = "AssignPlanRole";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        if cx.load::<User>(self.user).await?.profile().is_none() {
            return Err(Refusal::not_found("userId").into());
        }
        let tenant = cx.tenant();
        let assign = PlanStaffCommand::AssignPlanRole {
            tenant,
            user: self.user,
            role: self.role,
            from: self.from,
            until: self.until,
            scope: existing(cx, &self.organizations).await?,
            reason: Some(self.reason.clone()),
        };
        cx.decide::<PlanStaff>(tenant.plan_staff_stream(self.user), assign).await?;
        Ok(self.user)
    }
}

/// Lets a plan role count for other organisations than before.
pub struct ScopePlanRole {
    pub user: UserId,
    pub role: PlanRole,
    /// None for the whole plan.
    pub organizations: BTreeSet<OrganizationId>,
    pub reason: Reason,
}

#[async_trait]
impl Command for ScopePlanRole {
    const NAME: &'static str = "ScopePlanRole";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let tenant = cx.tenant();
        let scope = PlanStaffCommand::ScopePlanRole {
            role: self.role,
            scope: existing(cx, &self.organizations).await?,
            reason: Some(self.reason.clone()),
        };
        cx.decide::<PlanStaff>(tenant.plan_staff_stream(self.user), scope).await?;
        if ADMINISTRATORS.contains(&self.role) {
            require_administrators(cx, tenant, self.role).await?;
        }
        Ok(self.user)
    }
}

/// A scope of organisations that are on file. None of them is guarded: what is on file stays there.
async fn existing(
    cx: &Context<'_>,
    organizations: &BTreeSet<OrganizationId>,
) -> Result<PlanScope, Failure> {
    // Too many are refused as such.
    if (1..=MOST).contains(&organizations.len()) {
        let ids: Vec<Uuid> = organizations.iter().map(|id| id.0).collect();
        let on_file = cx.journal().begun(cx.tenant(), Organization::TYPE, &ids).await?;
        if on_file.len() < ids.len() {
            return Err(Refusal::not_found("organizationIds").into());
        }
    }
    Ok(PlanScope::of(organizations))
}

/// Takes a plan role back.
pub struct EndPlanRole {
    pub user: UserId,
    pub role: PlanRole,
    pub reason: Reason,
}

#[async_trait]
impl Command for EndPlanRole {
    const NAME: &'static str = "EndPlanRole";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let why = (PlanRoleEnd::Revoked, Some(self.reason.clone()));
        end_plan_role(cx, (self.user, self.role), why).await?;
        Ok(self.user)
    }
}

/// Takes a plan role back for a cause, where enough administrators remain.
pub(crate) async fn end_plan_role(
    cx: &mut Context<'_>,
    (user, role): (UserId, PlanRole),
    (cause, reason): (PlanRoleEnd, Option<Reason>),
) -> Result<(), Failure> {
    let tenant = cx.tenant();
    let end = PlanStaffCommand::EndPlanRole { role, cause, reason };
    cx.decide::<PlanStaff>(tenant.plan_staff_stream(user), end).await?;
    if ADMINISTRATORS.contains(&role) {
        require_administrators(cx, tenant, role).await?;
    }
    Ok(())
}

/// After what was decided, enough people must still hold the administrators' role.
async fn require_administrators(
    cx: &mut Context<'_>,
    tenant: TenantId,
    role: PlanRole,
) -> Result<(), Failure> {
    let required = cx
        .load::<Tenant>(tenant.0)
        .await?
        .profile()
        .map_or(1, |profile| usize::from(profile.administrators_required));
    let mut left = 0;
    let streams = cx.journal().streams_of(tenant, PlanStaff::TYPE).await?;
    for staff in cx.load_all::<PlanStaff>(&streams).await? {
        // One who is kept to some organisations administers no portal.
        let scopes = staff.scopes_at(cx.now);
        left += usize::from(scopes.get(&role).is_some_and(PlanScope::is_whole));
    }
    if left >= required {
        return Ok(());
    }
    let message = format!("At least {required} must remain. Appoint another one first.");
    Err(Refusal::new(Code::LastAdmin, message).at("role").into())
}

/// On what terms somebody is invited into roles.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub until: Option<DateTime<Utc>>,
    pub scope: PlanScope,
    pub reason: Option<Reason>,
}

/// Records the invitation of a person into roles, and reserves their address and their link.
pub(super) async fn invite(
    cx: &mut Context<'_>,
    person: &PersonDetails,
    roles: BTreeSet<PlanRole>,
    Terms { until, scope, reason }: Terms,
) -> Result<InvitedPlanStaff, Failure> {
    let tenant = cx.tenant();
    let user = invitation::person_of(cx, &person.email).await?;
    let id = InvitationId(Uuid::now_v7());
    let staff = PlanStaffCommand::InvitePlanStaff {
        tenant,
        user,
        invitation: id,
        roles,
        until,
        scope,
        reason,
    };
    cx.decide::<PlanStaff>(tenant.plan_staff_stream(user), staff).await?;
    let PersonDetails { email, first_name, last_name, mobile } = person.clone();
    let person = NewPerson { email, first_name, last_name, mobile, business_phone: None };
    invitation::send(cx, id, user, None, person).await?;
    Ok(InvitedPlanStaff { user, invitation: id })
}
