//! `GrantLocationAccess`, `RevokeLocationAccess` (CX-12) and `GrantTaxIdAccess`, `RevokeTaxIdAccess`
//! (CC-02).
//!
//! Invariant: who decides about a place is the policy's word: branch locations are the
//! administrator's, sites the plan's (C-21, AL-08); tax ids are always the plan's.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{LocationId, TaxIdId, UserId},
    permissions::{Cause, Entitlement, EntitlementGrant},
    policies::LocationMode,
    tenants::PlanRole,
};

use super::{
    GrantTarget,
    grants::{give, take},
};
use crate::{Access, Command, Context, Failure};

/// Plan staff who decide about sites and tax ids.
pub(crate) const PLACE_STAFF: &[PlanRole] = &[PlanRole::Ps, PlanRole::Pa];

/// Lets a member work for a credentialed location, for good or until a moment.
pub struct GrantLocationAccess {
    pub target: GrantTarget,
    pub location: LocationId,
    pub until: Option<DateTime<Utc>>,
}

/// Takes a location back.
pub struct RevokeLocationAccess {
    pub target: GrantTarget,
    pub location: LocationId,
}

/// Lets a member read what is filed under a tax id of the organisation.
pub struct GrantTaxIdAccess {
    pub target: GrantTarget,
    pub tax_id: TaxIdId,
    pub until: Option<DateTime<Utc>>,
}

/// Takes a tax id back.
pub struct RevokeTaxIdAccess {
    pub target: GrantTarget,
    pub tax_id: TaxIdId,
}

#[async_trait]
impl Command for GrantLocationAccess {
    const NAME: &'static str = "GrantLocationAccess";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.target.organization, PLACE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        require_location_power(cx)?;
        let member = self.target.load(cx).await?;
        let entitlement = Entitlement::Location(self.location);
        let grant = EntitlementGrant { entitlement, until: self.until };
        let cause = cause(cx);
        give(cx, &member, vec![grant], cause).await
    }
}

#[async_trait]
impl Command for RevokeLocationAccess {
    const NAME: &'static str = "RevokeLocationAccess";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.target.organization, PLACE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        let cause = cause(cx);
        take(cx, &member, Entitlement::Location(self.location), cause).await
    }
}

#[async_trait]
impl Command for GrantTaxIdAccess {
    const NAME: &'static str = "GrantTaxIdAccess";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::PlanOf(self.target.organization, PLACE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        let entitlement = Entitlement::TaxId(self.tax_id);
        let grant = EntitlementGrant { entitlement, until: self.until };
        give(cx, &member, vec![grant], Cause::Plan).await
    }
}

#[async_trait]
impl Command for RevokeTaxIdAccess {
    const NAME: &'static str = "RevokeTaxIdAccess";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::PlanOf(self.target.organization, PLACE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        take(cx, &member, Entitlement::TaxId(self.tax_id), Cause::Plan).await
    }
}

fn cause(cx: &Context<'_>) -> Cause {
    if cx.authority.acts_for_plan() { Cause::Plan } else { Cause::Administrator }
}

/// Demands that the caller's side decides about the portal's places.
pub(crate) fn require_location_power(cx: &Context<'_>) -> Result<(), Refusal> {
    match (cx.policy.locations(), cx.authority.acts_for_plan()) {
        (LocationMode::Locations, false) | (LocationMode::Sites, true) => Ok(()),
        (LocationMode::Locations, true) => Err(Refusal::new(
            Code::NotOrgAdmin,
            "An administrator of the organisation decides about its locations.",
        )),
        (LocationMode::Sites, false) => Err(Refusal::new(
            Code::Forbidden,
            "The health plan decides about sites. Send it an access request.",
        )),
        (LocationMode::Off, _) => {
            Err(Refusal::new(Code::FeatureDisabled, "This portal has no locations."))
        }
    }
}
