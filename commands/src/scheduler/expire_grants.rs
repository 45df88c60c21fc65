//! `ExpireNpiPermission`, `ExpireGrant`, `ExpirePlanRole`: rights with an end are written down as ended (GN-13,
//! GN-31).
//!
//! Invariant: too early they are refused; the right ended at its end in any case.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{MembershipId, UserId},
    permissions::{
        Entitlement, GrantEnd, Membership, MembershipCommand, NpiScope, membership::MembershipKey,
    },
    tenants::{PlanRole, PlanRoleEnd, PlanStaff, PlanStaffCommand},
};

use crate::{Access, Command, Context, Failure};

/// A temporary NPI permission is over.
pub struct ExpireNpiPermission {
    pub of: MembershipKey,
    pub npi: NpiScope,
}

#[async_trait]
impl Command for ExpireNpiPermission {
    const NAME: &'static str = "ExpireNpiPermission";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let membership = MembershipId::of(cx.tenant(), self.of.user, self.of.organization);
        let end = MembershipCommand::EndNpiPermission {
            of: self.of,
            npi: self.npi.clone(),
            cause: GrantEnd::Expired,
            effective_at: cx.now,
        };
        cx.decide::<Membership>(membership, end).await?;
        Ok(())
    }
}

/// A temporary feature, job role, location or tax id is over.
pub struct ExpireGrant {
    pub of: MembershipKey,
    pub entitlement: Entitlement,
}

#[async_trait]
impl Command for ExpireGrant {
    const NAME: &'static str = "ExpireGrant";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let membership = MembershipId::of(cx.tenant(), self.of.user, self.of.organization);
        let end = MembershipCommand::ExpireGrant { of: self.of, entitlement: self.entitlement };
        cx.decide::<Membership>(membership, end).await?;
        Ok(())
    }
}

/// A plan role's time is over.
pub struct ExpirePlanRole {
    pub user: UserId,
    pub role: PlanRole,
}

#[async_trait]
impl Command for ExpirePlanRole {
    const NAME: &'static str = "ExpirePlanRole";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let end = PlanStaffCommand::EndPlanRole {
            role: self.role,
            cause: PlanRoleEnd::Expired,
            reason: None,
        };
        cx.decide::<PlanStaff>(cx.tenant().plan_staff_stream(self.user), end).await?;
        Ok(())
    }
}
