//! `DefineJobRole`, `RetireJobRole`: named bundles of features (CC-09).
//!
//! Invariant: an organisation's names are its own, and nobody adds to a role they hold themself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    Code, Decider, Refusal,
    kernel::ids::{JobRoleId, OrganizationId},
    permissions::{Entitlement, JobRole, JobRoleCommand, JobRoleRefusal, Membership},
    policies::Feature,
    tenants::PlanRole,
    values::JobRoleName,
};
use uuid::Uuid;

use super::grants::require_job_roles;
use crate::{Access, Command, Context, Failure};

/// The reservation kind of names.
const NAME: &str = "job_role";

fn access(organization: Option<OrganizationId>) -> Access {
    organization.map_or(Access::Plan(&[PlanRole::Pa]), Access::OrgAdmin)
}

/// Makes a job role, or changes one.
pub struct DefineJobRole {
    /// Whose role it is; `None` for one of the whole portal, which plan administrators define.
    pub organization: Option<OrganizationId>,
    /// The role to change; `None` for a new one.
    pub role: Option<JobRoleId>,
    pub name: JobRoleName,
    pub features: BTreeSet<Feature>,
    pub expected_version: Option<i64>,
}

/// Retires a job role for good; those who have it hold nothing by it any more.
pub struct RetireJobRole {
    pub organization: Option<OrganizationId>,
    pub role: JobRoleId,
}

#[async_trait]
impl Command for DefineJobRole {
    const NAME: &'static str = "DefineJobRole";
    type Output = JobRoleId;

    fn access(&self) -> Access {
        access(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<JobRoleId, Failure> {
        require_job_roles(cx)?;
        for feature in &self.features {
            cx.policy.require(*feature).map_err(|refusal| refusal.at("features"))?;
        }
        let role = self.role.unwrap_or_else(|| JobRoleId(Uuid::now_v7()));
        cx.expect_version::<JobRole>(role, self.expected_version).await?;
        let former = match self.role {
            Some(_) => Some(owned(cx, role, self.organization).await?),
            None => None,
        };
        if former.as_ref() != Some(&self.name.key()) {
            let taken = "Another job role has this name. Choose another one.";
            let taken = Refusal::new(Code::NameInvalid, taken).at("name");
            cx.work.reserve(NAME, &self.name_key(&self.name.key()), role.0, taken);
            if let Some(former) = former {
                cx.work.release(NAME, &self.name_key(&former), role.0);
            }
        }
        let define = JobRoleCommand::DefineJobRole {
            role,
            organization: self.organization,
            name: self.name.clone(),
            features: self.features.clone(),
            is_own: holds(cx, role).await?,
        };
        cx.decide::<JobRole>(role, define).await?;
        Ok(role)
    }
}

impl DefineJobRole {
    fn name_key(&self, name: &str) -> String {
        name_key(self.organization, name)
    }
}

#[async_trait]
impl Command for RetireJobRole {
    const NAME: &'static str = "RetireJobRole";
    type Output = JobRoleId;

    fn access(&self) -> Access {
        access(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<JobRoleId, Failure> {
        let name = owned(cx, self.role, self.organization).await?;
        cx.decide::<JobRole>(self.role, JobRoleCommand::RetireJobRole).await?;
        cx.work.release(NAME, &name_key(self.organization, &name), self.role.0);
        Ok(self.role)
    }
}

fn name_key(organization: Option<OrganizationId>, name: &str) -> String {
    organization.map_or_else(|| format!("*/{name}"), |owner| format!("{owner}/{name}"))
}

/// The key of the role's name, if the role is this owner's; one of others does not exist.
async fn owned(
    cx: &mut Context<'_>,
    role: JobRoleId,
    organization: Option<OrganizationId>,
) -> Result<String, Failure> {
    let state = cx.load::<JobRole>(role).await?;
    let bundle = state.bundle().filter(|bundle| bundle.organization == organization);
    let name = bundle.map(|bundle| bundle.name.key());
    Ok(name.ok_or_else(|| Refusal::from(JobRoleRefusal::Unknown))?)
}

/// Whether the caller is assigned the role anywhere.
async fn holds(cx: &mut Context<'_>, role: JobRoleId) -> Result<bool, Failure> {
    let (tenant, user) = (cx.tenant(), cx.person()?);
    for stream in cx.journal().streams_about(tenant, user, Membership::TYPE).await? {
        let membership = cx.load::<Membership>(stream).await?;
        if membership.holds(&Entitlement::JobRole(role), cx.now) {
            return Ok(true);
        }
    }
    Ok(false)
}
