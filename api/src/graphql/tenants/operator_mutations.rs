//! What operators send: the first one's registration, and portals created, stopped and closed.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Access, Command,
    tenants::{
        CloseTenant, CreateTenant, PersonDetails, RegisterFirstOperator, ResumeTenant,
        SuspendTenant,
    },
};
use rollcall_domain::{
    Refusal,
    kernel::ids::TenantId,
    values::{OrganizationName, Password, Reason, Slug},
};
use rollcall_projections::{NAMES, ReadStore, tenancy};

use super::types::{PolicyPreset, Tenant};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::read,
    sending::{MutationMeta, Sent, payload, send},
    vocabulary::field,
};

/// The first operator of this service.
#[derive(Debug, InputObject)]
pub struct RegisterFirstOperatorInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// From the link printed at the first start.
    token: String,
    email: String,
    first_name: String,
    last_name: String,
    /// E.164, e.g. `+12025550123`.
    mobile: String,
    #[graphql(secret)]
    password: String,
}

/// A new portal.
#[derive(Debug, InputObject)]
pub struct CreateTenantInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Short name in addresses and headers.
    slug: String,
    name: String,
    preset: PolicyPreset,
    /// Two or more people who are invited to run the portal.
    administrators: Vec<AdministratorInput>,
}

/// A first administrator of a portal.
#[derive(Debug, InputObject)]
pub struct AdministratorInput {
    email: String,
    first_name: String,
    last_name: String,
    /// E.164.
    mobile: String,
}

/// A portal to stop for the time being.
#[derive(Debug, InputObject)]
pub struct SuspendTenantInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    tenant_id: ID,
    reason: String,
}

/// A portal to end for good.
#[derive(Debug, InputObject)]
pub struct CloseTenantInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    tenant_id: ID,
    reason: String,
}

/// A portal to let run again.
#[derive(Debug, InputObject)]
pub struct ResumeTenantInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    tenant_id: ID,
}

payload! {
    /// What became of the first operator's registration.
    RegisterFirstOperatorPayload {
        /// The operator's account.
        user_id: ID,
    }
}

payload! {
    /// What became of an operator's command; `position` is one of the portal's own journal.
    TenantPayload {
        /// The portal as it is now.
        tenant: Tenant,
    }
}

/// Operators' commands (GN-31).
#[derive(Default)]
pub struct OperatorMutation;

#[Object]
impl OperatorMutation {
    /// Registers the first operator, in the tenant `operations`, with the link printed at the first
    /// start; later operators are invited.
    async fn register_first_operator(
        &self,
        ctx: &Context<'_>,
        input: RegisterFirstOperatorInput,
    ) -> Result<RegisterFirstOperatorPayload> {
        let RegisterFirstOperatorInput {
            meta,
            token,
            email,
            first_name,
            last_name,
            mobile,
            password,
        } = input;
        let command =
            PersonDetails::parse("", &email, &first_name, &last_name, &mobile).map(|person| {
                RegisterFirstOperator { token, person, password: Password::new(password) }
            });
        let sent = send(ctx, meta, command).await?;
        let user_id = sent.output.map(|user| NodeType::User.id(user));
        Ok(RegisterFirstOperatorPayload::of(sent, user_id))
    }

    /// Opens a portal with its rules, its agreement texts and its first administrators, who are
    /// invited by mail.
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        input: CreateTenantInput,
    ) -> Result<TenantPayload> {
        let meta = input.meta.clone();
        let sent = send(ctx, meta, create_tenant(input)).await?;
        let tenant = sent.output.as_ref().map(|created| created.tenant);
        answer(ctx, sent, tenant).await
    }

    /// Stops a portal for the time being: nobody signs in, no command is taken.
    async fn suspend_tenant(
        &self,
        ctx: &Context<'_>,
        input: SuspendTenantInput,
    ) -> Result<TenantPayload> {
        let command = stop(&input.tenant_id, &input.reason)
            .map(|(tenant, reason)| SuspendTenant { tenant, reason });
        change(ctx, input.meta, command).await
    }

    /// Lets a suspended portal run again.
    async fn resume_tenant(
        &self,
        ctx: &Context<'_>,
        input: ResumeTenantInput,
    ) -> Result<TenantPayload> {
        let command = NodeType::Tenant
            .parse(&input.tenant_id, "tenantId")
            .map(|tenant| ResumeTenant { tenant });
        change(ctx, input.meta, command).await
    }

    /// Ends a portal for good; its events stay for auditors.
    async fn close_tenant(
        &self,
        ctx: &Context<'_>,
        input: CloseTenantInput,
    ) -> Result<TenantPayload> {
        let command = stop(&input.tenant_id, &input.reason)
            .map(|(tenant, reason)| CloseTenant { tenant, reason });
        change(ctx, input.meta, command).await
    }
}

fn create_tenant(input: CreateTenantInput) -> Result<CreateTenant, Refusal> {
    let slug = field("slug", Slug::parse(&input.slug))?;
    let name = field("name", OrganizationName::parse(&input.name))?;
    let administrators = input
        .administrators
        .iter()
        .enumerate()
        .map(|(at, person)| {
            let AdministratorInput { email, first_name, last_name, mobile } = person;
            let path = format!("administrators.{at}.");
            PersonDetails::parse(&path, email, first_name, last_name, mobile)
        })
        .collect::<Result<_, _>>()?;
    Ok(CreateTenant { slug, name, preset: input.preset.into(), administrators })
}

fn stop(id: &ID, reason: &str) -> Result<(TenantId, Reason), Refusal> {
    let tenant = NodeType::Tenant.parse(id, "tenantId")?;
    let reason = field("reason", Reason::parse(reason))?;
    Ok((tenant, reason))
}

async fn change<C: Command<Output = TenantId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: Result<C, Refusal>,
) -> Result<TenantPayload> {
    let sent = send(ctx, meta, command).await?;
    let tenant = sent.output;
    answer(ctx, sent, tenant).await
}

/// Reads the portal back from the operators' directory, once its own journal has been taken in.
async fn answer<T>(
    ctx: &Context<'_>,
    sent: Sent<T>,
    tenant: Option<TenantId>,
) -> Result<TenantPayload> {
    let (Some(tenant), Some(position)) = (tenant, sent.position) else {
        return Ok(TenantPayload::of(sent, None));
    };
    if !ctx.look_ahead().field("tenant").exists() {
        return Ok(TenantPayload::of(sent, None));
    }
    let patience = std::time::Duration::from_secs(5);
    let progress = ctx.data::<ReadStore>()?.progress();
    progress.wait(NAMES, tenant, position.0, patience).await.map_err(|error| fault(&error))?;
    let mut reading = read(ctx, Access::Operator, None).await?;
    let rows = tenancy::tenants_by_id(&mut reading.view, &[tenant.0]).await;
    let row = rows.map_err(|error| fault(&error))?.pop();
    Ok(TenantPayload::of(sent, row.map(Tenant::from)))
}
