//! `GrantFeature`, `RevokeFeature`, `AssignJobRole`, `UnassignJobRole`: what a member may use (CC-08,
//! CC-09).
//!
//! Invariant: only what exists and is on is granted, whichever command or request asks for it; both
//! ask here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{JobRoleId, OrganizationId, TaxIdId, UserId},
    permissions::{Cause, Entitlement, EntitlementGrant, JobRole, Membership, MembershipCommand},
    policies::Feature,
};

use super::member::{Member, member};
use crate::{Access, Command, Context, Failure};

/// The member whom a grant is for, as the client saw them.
#[derive(Clone, Copy, Debug)]
pub struct GrantTarget {
    pub organization: OrganizationId,
    pub user: UserId,
    pub expected_version: Option<i64>,
}

impl GrantTarget {
    pub(super) async fn load(&self, cx: &mut Context<'_>) -> Result<Member, Failure> {
        member(cx, self.organization, self.user, self.expected_version).await
    }
}

/// Lets a member use a feature, for good or until a moment (GN-13).
pub struct GrantFeature {
    pub target: GrantTarget,
    pub feature: Feature,
    pub until: Option<DateTime<Utc>>,
}

/// Takes a feature back.
pub struct RevokeFeature {
    pub target: GrantTarget,
    pub feature: Feature,
}

/// Lets a member work in a job role, for good or until a moment.
pub struct AssignJobRole {
    pub target: GrantTarget,
    pub role: JobRoleId,
    pub until: Option<DateTime<Utc>>,
}

/// Takes a job role back.
pub struct UnassignJobRole {
    pub target: GrantTarget,
    pub role: JobRoleId,
}

#[async_trait]
impl Command for GrantFeature {
    const NAME: &'static str = "GrantFeature";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        let entitlement = Entitlement::Feature(self.feature);
        let grant = EntitlementGrant { entitlement, until: self.until };
        give(cx, &member, vec![grant], Cause::Administrator).await
    }
}

#[async_trait]
impl Command for RevokeFeature {
    const NAME: &'static str = "RevokeFeature";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        take(cx, &member, Entitlement::Feature(self.feature), Cause::Administrator).await
    }
}

#[async_trait]
impl Command for AssignJobRole {
    const NAME: &'static str = "AssignJobRole";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        let entitlement = Entitlement::JobRole(self.role);
        let grant = EntitlementGrant { entitlement, until: self.until };
        give(cx, &member, vec![grant], Cause::Administrator).await
    }
}

#[async_trait]
impl Command for UnassignJobRole {
    const NAME: &'static str = "UnassignJobRole";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = self.target.load(cx).await?;
        take(cx, &member, Entitlement::JobRole(self.role), Cause::Administrator).await
    }
}

/// Records grants of what exists, is on and may be granted.
///
/// # Errors
/// `FEATURE_DISABLED`, `FEATURE_COMING_SOON`, `ROLE_UNKNOWN`, `LOCATION_NOT_CREDENTIALED`,
/// `LOCATION_TERMINATED`, `TAX_ID_UNKNOWN`, `SELF_GRANT`, `RANGE_INVALID`, or a fault.
pub(crate) async fn give(
    cx: &mut Context<'_>,
    member: &Member,
    grants: Vec<EntitlementGrant>,
    cause: Cause,
) -> Result<UserId, Failure> {
    for grant in &grants {
        check(cx, member, &grant.entitlement).await?;
    }
    let grant = MembershipCommand::Grant { of: member.key, grants, cause };
    cx.decide::<Membership>(member.stream, grant).await?;
    Ok(member.key.user)
}

pub(crate) async fn take(
    cx: &mut Context<'_>,
    member: &Member,
    entitlement: Entitlement,
    cause: Cause,
) -> Result<UserId, Failure> {
    let entitlements = vec![entitlement];
    let revoke = MembershipCommand::Revoke { of: member.key, entitlements, cause };
    cx.decide::<Membership>(member.stream, revoke).await?;
    Ok(member.key.user)
}

/// Demands that it exists, is on and may be granted here.
pub(crate) async fn check(
    cx: &mut Context<'_>,
    member: &Member,
    entitlement: &Entitlement,
) -> Result<(), Failure> {
    let organization = member.key.organization;
    match entitlement {
        Entitlement::Feature(feature) => Ok(grantable(cx, *feature)?),
        Entitlement::JobRole(role) => {
            require_job_roles(cx)?;
            let role = cx.load::<JobRole>(*role).await?;
            role.assignable_in(organization).map_err(Refusal::from)?;
            Ok(())
        }
        Entitlement::Location(location) => {
            let grantable = member.organization.grantable_location(*location, cx.now);
            grantable.map_err(Refusal::from)?;
            Ok(())
        }
        Entitlement::TaxId(tax_id) => Ok(known_tax_id(member, *tax_id)?),
    }
}

fn grantable(cx: &Context<'_>, feature: Feature) -> Result<(), Refusal> {
    if !cx.policy.feature_grants_enabled() {
        let message = "This portal does not grant features person by person.";
        return Err(Refusal::new(Code::FeatureDisabled, message).at("feature"));
    }
    if !feature.is_granted() {
        let message = "Everybody has this feature while it is on. Choose another one.";
        return Err(Refusal::new(Code::FieldInvalid, message).at("feature"));
    }
    cx.policy.require(feature).map_err(|refusal| refusal.at("feature"))
}

/// Demands that the portal has job roles.
pub(super) fn require_job_roles(cx: &Context<'_>) -> Result<(), Refusal> {
    if cx.policy.job_roles_enabled() && cx.policy.feature_grants_enabled() {
        return Ok(());
    }
    Err(Refusal::new(Code::FeatureDisabled, "This portal has no job roles."))
}

fn known_tax_id(member: &Member, tax_id: TaxIdId) -> Result<(), Refusal> {
    if member.organization.tax_ids().contains_key(&tax_id) {
        return Ok(());
    }
    let message = "The organization does not hold this tax id. Link it first.";
    Err(Refusal::new(Code::TaxIdUnknown, message).at("taxIdId"))
}
