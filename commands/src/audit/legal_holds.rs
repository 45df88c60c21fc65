//! `PlaceLegalHold`, `ReleaseLegalHold`, and who may know of holds: auditors, and the plan
//! administrators whom `NameRecordsOfficer` names (GN-26).
//!
//! Invariant: whoever may not know of holds places none, releases none, and is told neither which there
//! are nor how many; that there is one they learn where it stands against an erasure.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    audit::{Erasure, ErasureRefusal, HoldScope, LegalHolds, LegalHoldsCommand},
    kernel::ids::{LegalHoldId, UserId},
    organizations::Organization,
    tenants::{PlanRole, PlanStaff},
    values::{ContentLine, Reason},
};
use uuid::Uuid;

use crate::{
    Access, Command, Context, Failure,
    authorization::{forbidden, knows_of_holds},
};

/// Who may come to know of holds: auditors always, administrators by name.
pub const HOLD_KEEPERS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa];

/// Claims records for a legal matter.
pub struct PlaceLegalHold {
    pub scope: HoldScope,
    /// The matter's name or reference.
    pub matter: ContentLine,
    pub reason: Reason,
}

/// Ends a claim.
pub struct ReleaseLegalHold {
    pub hold: LegalHoldId,
    pub reason: Reason,
}

/// Lets a plan administrator know of holds.
pub struct NameRecordsOfficer {
    pub user: UserId,
}

/// And no more.
pub struct RelieveRecordsOfficer {
    pub user: UserId,
}

async fn required(cx: &mut Context<'_>) -> Result<UserId, Failure> {
    let holds = cx.load::<LegalHolds>(cx.tenant().legal_holds_stream()).await?;
    if knows_of_holds(&cx.authority, &holds) { Ok(cx.person()?) } else { Err(forbidden().into()) }
}

#[async_trait]
impl Command for PlaceLegalHold {
    const NAME: &'static str = "PlaceLegalHold";
    type Output = LegalHoldId;

    fn access(&self) -> Access {
        Access::Plan(HOLD_KEEPERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LegalHoldId, Failure> {
        let by = required(cx).await?;
        check_scope(cx, &self.scope).await?;
        let hold = LegalHoldId(Uuid::now_v7());
        let place = LegalHoldsCommand::Place {
            tenant: cx.tenant(),
            hold,
            scope: self.scope.clone(),
            matter: self.matter.clone(),
            by,
            reason: self.reason.clone(),
        };
        cx.decide::<LegalHolds>(cx.tenant().legal_holds_stream(), place).await?;
        Ok(hold)
    }
}

/// A hold on nobody would be found out too late, and of one on a person who was erased not even the words
/// would be left. An NPI may be held that is yet to come.
async fn check_scope(cx: &mut Context<'_>, scope: &HoldScope) -> Result<(), Failure> {
    let known = match scope {
        HoldScope::Person { user } => {
            let erasure = cx.load::<Erasure>(cx.tenant().erasure_stream(*user)).await?;
            if *erasure == Erasure::Erased {
                return Err(Refusal::from(ErasureRefusal::AlreadyErased).into());
            }
            let known = cx.journal().last_recorded((cx.tenant(), *user), (&[], &[])).await?;
            known.is_some().then_some(()).ok_or("userId")
        }
        HoldScope::Organization { organization } => {
            let organization = cx.load::<Organization>(*organization).await?;
            organization.record().map(drop).ok_or("organizationId")
        }
        HoldScope::Npi { .. } | HoldScope::Tenant => Ok(()),
    };
    Ok(known.map_err(Refusal::not_found)?)
}

#[async_trait]
impl Command for ReleaseLegalHold {
    const NAME: &'static str = "ReleaseLegalHold";
    type Output = LegalHoldId;

    fn access(&self) -> Access {
        Access::Plan(HOLD_KEEPERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LegalHoldId, Failure> {
        let by = required(cx).await?;
        let (tenant, hold, reason) = (cx.tenant(), self.hold, self.reason.clone());
        let release = LegalHoldsCommand::Release { tenant, hold, by, reason };
        cx.decide::<LegalHolds>(tenant.legal_holds_stream(), release).await?;
        Ok(hold)
    }
}

#[async_trait]
impl Command for NameRecordsOfficer {
    const NAME: &'static str = "NameRecordsOfficer";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(&[PlanRole::Pa])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let (tenant, user, by) = (cx.tenant(), self.user, cx.person()?);
        let staff = cx.load::<PlanStaff>(tenant.plan_staff_stream(user)).await?;
        if !staff.roles_at(cx.now).contains(&PlanRole::Pa) {
            return Err(Refusal::not_found("userId").into());
        }
        let name = LegalHoldsCommand::NameOfficer { user, by };
        cx.decide::<LegalHolds>(tenant.legal_holds_stream(), name).await?;
        Ok(user)
    }
}

#[async_trait]
impl Command for RelieveRecordsOfficer {
    const NAME: &'static str = "RelieveRecordsOfficer";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(&[PlanRole::Pa])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let relieve = LegalHoldsCommand::RelieveOfficer { user: self.user, by: cx.person()? };
        cx.decide::<LegalHolds>(cx.tenant().legal_holds_stream(), relieve).await?;
        Ok(self.user)
    }
}
