//! Questions about rights, answered from the streams by the domain's rule (GN-13).
//!
//! Invariant: nothing here is cached longer than a stream stands still, so an answer is as new as
//! the journal.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Decider, Refusal,
    kernel::ids::{MembershipId, OrganizationId, TenantId, UserId},
    organizations::Organization,
    permissions::{
        JobRole, JobRoles, Membership, Right, Situation, Source, correspondence_types::offered_keys,
    },
    policies::{ImpliedRight, PolicyHistory},
    tenants::PlanRole,
    users::credential::Credential,
    values::Npi,
};
use rollcall_journal::Journal;
use uuid::Uuid;

use crate::{Access, Caller, Failure};

/// Plan staff who may look at an organisation's people and their rights.
pub const DIRECTORY_READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps, PlanRole::Au];

/// What reading about `user` demands: everybody may read about themself; about others only those
/// who see organisation-wide lists (MC-29, MC-47).
#[must_use]
pub fn access_to_user(caller: &Caller, organization: OrganizationId, user: UserId) -> Access {
    if caller.user() == Some(user) {
        Access::MemberOrPlan(organization, DIRECTORY_READERS)
    } else {
        Access::OrgViewerOrPlan(organization, DIRECTORY_READERS)
    }
}

/// Whom a question about rights is about.
#[derive(Clone, Copy, Debug)]
pub struct RightsQuestion {
    pub tenant: TenantId,
    pub organization: OrganizationId,
    pub user: UserId,
    pub now: DateTime<Utc>,
}

/// Every right in force with its reason, and the job roles that reasons name.
pub type Answer = (BTreeMap<Right, Source>, JobRoles);

/// Every right in force, each with its reason.
///
/// # Errors
/// `NOT_FOUND` where the person has no part in the organisation, or a fault.
pub async fn effective_rights(
    journal: &Journal,
    question: RightsQuestion,
) -> Result<Answer, Failure> {
    let RightsQuestion { tenant, organization: id, user, now } = question;
    let organization = fresh::<Organization>(journal, tenant, id.0).await?;
    if organization.member(user).is_none() {
        return Err(Refusal::not_found("userId").into());
    }
    let stream = MembershipId::of(tenant, user, id).0;
    let membership = fresh::<Membership>(journal, tenant, stream).await?;
    let credential = fresh::<Credential>(journal, tenant, tenant.credential_stream(user)).await?;
    let policies = fresh::<PolicyHistory>(journal, tenant, tenant.policy_stream()).await?;
    let job_roles = job_roles_of(journal, tenant, &membership, now).await?;
    let types: Vec<_> = offered_keys().into_iter().collect();
    let situation = Situation {
        user,
        account_active: credential.has_password(),
        organization: &organization,
        membership: &membership,
        policy: policies.at(now).1,
        job_roles: &job_roles,
        types: &types,
        now,
    };
    let rights = situation.rights();
    Ok((rights, job_roles))
}

/// The job roles that a member is assigned.
///
/// # Errors
/// The journal's.
pub async fn job_roles_of(
    journal: &Journal,
    tenant: TenantId,
    membership: &Membership,
    now: DateTime<Utc>,
) -> Result<JobRoles, Failure> {
    let mut roles = JobRoles::new();
    for role in membership.job_roles(now) {
        roles.insert(role, fresh::<JobRole>(journal, tenant, role.0).await?);
    }
    Ok(roles)
}

/// Whether the policy gives administrators every NPI, asked about an NPI that the organisation
/// holds (C-07).
///
/// # Errors
/// `ORG_NOT_ACTIVE`, `NPI_NOT_IN_ORG`, or a fault.
pub async fn admins_have_npi(
    journal: &Journal,
    (tenant, id): (TenantId, OrganizationId),
    npi: &Npi,
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    let organization = fresh::<Organization>(journal, tenant, id.0).await?;
    if !organization.is_active() {
        let message = "The organization is not open, so nobody has access.";
        return Err(Refusal::new(Code::OrgNotActive, message).into());
    }
    if !organization.holds_npi(npi, now) {
        let message = "The organization does not hold this NPI. Check the number.";
        return Err(Refusal::new(Code::NpiNotInOrg, message).at("npi").into());
    }
    let policies = fresh::<PolicyHistory>(journal, tenant, tenant.policy_stream()).await?;
    Ok(policies.at(now).1.admin_implies(ImpliedRight::AllNpis))
}

async fn fresh<A: Decider>(
    journal: &Journal,
    tenant: TenantId,
    id: Uuid,
) -> Result<Arc<A>, Failure> {
    Ok(journal.load_fresh::<A>(tenant, id).await?.state)
}
