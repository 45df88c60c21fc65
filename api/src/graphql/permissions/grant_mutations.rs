//! `grantFeature`, `revokeFeature`, `assignJobRole`, `unassignJobRole`, `defineJobRole`,
//! `retireJobRole`, `grantLocationAccess`, `revokeLocationAccess`, `grantTaxIdAccess`,
//! `revokeTaxIdAccess`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime as Instant, Utc};
use rollcall_commands::{
    Access, Command, Entity,
    permissions::{
        AssignJobRole, DIRECTORY_READERS, DefineJobRole, GrantFeature, GrantLocationAccess,
        GrantTarget, GrantTaxIdAccess, RetireJobRole, RevokeFeature, RevokeLocationAccess,
        RevokeTaxIdAccess, UnassignJobRole,
    },
};
use rollcall_domain::{
    Refusal,
    kernel::ids::{JobRoleId, OrganizationId, UserId},
    values::JobRoleName,
};
use rollcall_projections::permission_matrix::job_roles_by_id;

use super::grants::JobRole;
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::read,
    scalars::DateTime,
    sending::{MutationMeta, as_seen, payload, send},
    user_directory::{User, read_back, user_of_input},
    vocabulary::{Feature, field},
};

fn target(
    organization_id: &ID,
    user_id: &ID,
    expected_version: Option<i32>,
) -> Result<GrantTarget, Refusal> {
    let (organization, user) = user_of_input(organization_id, user_id)?;
    let expected_version = expected_version.map(i64::from);
    Ok(GrantTarget { organization, user, expected_version })
}

fn end(until: Option<&DateTime>) -> Result<Option<Instant<Utc>>, Refusal> {
    until.map(|until| until.parse("until")).transpose()
}

/// A feature for a person (CC-08).
#[derive(InputObject)]
pub struct GrantFeatureInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub feature: Feature,
    /// The grant ends here by itself (GN-13).
    pub until: Option<DateTime>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A feature to take back.
#[derive(InputObject)]
pub struct RevokeFeatureInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub feature: Feature,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A job role for a person (CC-09).
#[derive(InputObject)]
pub struct AssignJobRoleInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub job_role_id: ID,
    /// The grant ends here by itself (GN-13).
    pub until: Option<DateTime>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A job role to take back.
#[derive(InputObject)]
pub struct UnassignJobRoleInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub job_role_id: ID,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A location for a person (CX-12).
#[derive(InputObject)]
pub struct GrantLocationAccessInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub location_id: ID,
    /// The grant ends here by itself (GN-13).
    pub until: Option<DateTime>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A location to take back.
#[derive(InputObject)]
pub struct RevokeLocationAccessInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub location_id: ID,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A tax id for a person (CC-02).
#[derive(InputObject)]
pub struct GrantTaxIdAccessInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub tax_id_id: ID,
    /// The grant ends here by itself (GN-13).
    pub until: Option<DateTime>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A tax id to take back.
#[derive(InputObject)]
pub struct RevokeTaxIdAccessInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub tax_id_id: ID,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A job role to make or to change (CC-09).
#[derive(InputObject)]
pub struct DefineJobRoleInput {
    /// Whose it is; absent for a job role of the whole portal, which plan administrators define.
    pub organization_id: Option<ID>,
    /// The job role to change; absent for a new one.
    pub job_role_id: Option<ID>,
    /// No other job role of the same owner has it.
    pub name: String,
    pub features: Vec<Feature>,
    /// The job role's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl DefineJobRoleInput {
    fn command(&self) -> Result<DefineJobRole, Refusal> {
        let role = self.job_role_id.as_ref();
        Ok(DefineJobRole {
            organization: owner(self.organization_id.as_ref())?,
            role: role.map(|id| NodeType::parse_bare(id, "jobRoleId")).transpose()?,
            name: field("name", JobRoleName::parse(&self.name))?,
            features: self.features.iter().map(|feature| (*feature).into()).collect(),
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// A job role to retire for good.
#[derive(InputObject)]
pub struct RetireJobRoleInput {
    /// Whose it is; absent for a job role of the whole portal.
    pub organization_id: Option<ID>,
    pub job_role_id: ID,
    /// The job role's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl RetireJobRoleInput {
    fn command(&self) -> Result<RetireJobRole, Refusal> {
        let organization = owner(self.organization_id.as_ref())?;
        let role = NodeType::parse_bare(&self.job_role_id, "jobRoleId")?;
        Ok(RetireJobRole { organization, role })
    }
}

fn owner(organization: Option<&ID>) -> Result<Option<OrganizationId>, Refusal> {
    organization.map(|id| NodeType::Organization.parse(id, "organizationId")).transpose()
}

payload! {
    /// What became of a grant.
    GrantPayload { user: User }
}
payload! {
    /// What became of a job role.
    JobRolePayload { job_role: JobRole }
}

/// Commands on features, job roles, locations and tax ids of people.
#[derive(Default)]
pub struct GrantMutation;

#[Object]
impl GrantMutation {
    /// Lets a person use a feature (CC-08). Refusals: NOT_ORG_ADMIN, FEATURE_DISABLED,
    /// FEATURE_COMING_SOON, SELF_GRANT, RANGE_INVALID, VERSION_CONFLICT.
    async fn grant_feature(
        &self,
        ctx: &Context<'_>,
        input: GrantFeatureInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let until = end(input.until.as_ref())?;
            Ok(GrantFeature { target, feature: input.feature.into(), until })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Takes a feature back. Refusals: NOT_ORG_ADMIN, VERSION_CONFLICT.
    async fn revoke_feature(
        &self,
        ctx: &Context<'_>,
        input: RevokeFeatureInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            Ok(RevokeFeature { target, feature: input.feature.into() })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Lets a person work in a job role (CC-09). Refusals: NOT_ORG_ADMIN, ROLE_UNKNOWN,
    /// FEATURE_DISABLED, SELF_GRANT, RANGE_INVALID, VERSION_CONFLICT.
    async fn assign_job_role(
        &self,
        ctx: &Context<'_>,
        input: AssignJobRoleInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let role = NodeType::parse_bare(&input.job_role_id, "jobRoleId")?;
            Ok(AssignJobRole { target, role, until: end(input.until.as_ref())? })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Takes a job role back. Refusals: NOT_ORG_ADMIN, VERSION_CONFLICT.
    async fn unassign_job_role(
        &self,
        ctx: &Context<'_>,
        input: UnassignJobRoleInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let role = NodeType::parse_bare(&input.job_role_id, "jobRoleId")?;
            Ok(UnassignJobRole { target, role })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Lets a person work for a location: branch locations are the administrator's to give, sites
    /// the plan's (CX-12, AL-08). Refusals: NOT_ORG_ADMIN, FORBIDDEN, LOCATION_NOT_CREDENTIALED,
    /// LOCATION_TERMINATED, FEATURE_DISABLED, SELF_GRANT, RANGE_INVALID, VERSION_CONFLICT.
    async fn grant_location_access(
        &self,
        ctx: &Context<'_>,
        input: GrantLocationAccessInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let location = NodeType::parse_bare(&input.location_id, "locationId")?;
            Ok(GrantLocationAccess { target, location, until: end(input.until.as_ref())? })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Takes a location back. Refusals: NOT_ORG_ADMIN, VERSION_CONFLICT.
    async fn revoke_location_access(
        &self,
        ctx: &Context<'_>,
        input: RevokeLocationAccessInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let location = NodeType::parse_bare(&input.location_id, "locationId")?;
            Ok(RevokeLocationAccess { target, location })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Lets a person read what is filed under a tax id of their organisation, for plan staff
    /// (CC-02). Refusals: FORBIDDEN, TAX_ID_UNKNOWN, RANGE_INVALID, VERSION_CONFLICT.
    async fn grant_tax_id_access(
        &self,
        ctx: &Context<'_>,
        input: GrantTaxIdAccessInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let tax_id = NodeType::parse_bare(&input.tax_id_id, "taxIdId")?;
            Ok(GrantTaxIdAccess { target, tax_id, until: end(input.until.as_ref())? })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Takes a tax id back, for plan staff. Refusals: FORBIDDEN, VERSION_CONFLICT.
    async fn revoke_tax_id_access(
        &self,
        ctx: &Context<'_>,
        input: RevokeTaxIdAccessInput,
    ) -> Result<GrantPayload> {
        let command = || {
            let target = target(&input.organization_id, &input.user_id, input.expected_version)?;
            let tax_id = NodeType::parse_bare(&input.tax_id_id, "taxIdId")?;
            Ok(RevokeTaxIdAccess { target, tax_id })
        };
        change(ctx, input.meta.clone(), &input.organization_id, command()).await
    }

    /// Makes a job role or changes one (CC-09): for administrators of an organisation their own,
    /// for plan administrators those of the whole portal. Refusals: NOT_ORG_ADMIN, FORBIDDEN,
    /// ROLE_UNKNOWN, NAME_INVALID, FIELD_REQUIRED, FEATURE_DISABLED, SELF_GRANT, VERSION_CONFLICT.
    async fn define_job_role(
        &self,
        ctx: &Context<'_>,
        input: DefineJobRoleInput,
    ) -> Result<JobRolePayload> {
        let (owner, command) = (owner(input.organization_id.as_ref()), input.command());
        role_changed(ctx, input.meta, owner, command).await
    }

    /// Retires a job role for good: nobody holds anything by it any more (CC-09). Refusals:
    /// NOT_ORG_ADMIN, FORBIDDEN, ROLE_UNKNOWN.
    async fn retire_job_role(
        &self,
        ctx: &Context<'_>,
        input: RetireJobRoleInput,
    ) -> Result<JobRolePayload> {
        let owner = owner(input.organization_id.as_ref());
        let command =
            as_seen(input.command(), input.expected_version, |it| Entity::JobRole(it.role));
        role_changed(ctx, input.meta, owner, command).await
    }
}

async fn change<C: Command<Output = UserId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    organization_id: &ID,
    command: Result<C, Refusal>,
) -> Result<GrantPayload> {
    let sent = send(ctx, meta, command).await?;
    let user = read_back(ctx, organization_id, &sent).await?;
    Ok(GrantPayload::of(sent, user))
}

async fn role_changed<C: Command<Output = JobRoleId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    owner: Result<Option<OrganizationId>, Refusal>,
    command: Result<C, Refusal>,
) -> Result<JobRolePayload> {
    let sent = send(ctx, meta, command).await?;
    let (Some(role), Ok(owner), true) =
        (sent.output, owner, ctx.look_ahead().field("jobRole").exists())
    else {
        return Ok(JobRolePayload::of(sent, None));
    };
    let access = owner.map_or(Access::Plan(DIRECTORY_READERS), |id| {
        Access::OrgViewerOrPlan(id, DIRECTORY_READERS)
    });
    let mut reading = read(ctx, access, sent.position).await?;
    let found = job_roles_by_id(&mut reading.view, &[role.0]).await;
    let found = found.map_err(|error| fault(&error))?.pop();
    Ok(JobRolePayload::of(sent, found.map(JobRole::from)))
}
