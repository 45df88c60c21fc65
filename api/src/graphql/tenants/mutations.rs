//! What plan administrators send about the health plan's people.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Access, Commands, Entity,
    tenants::{AssignPlanRole, EndPlanRole, InvitePlanStaff, PersonDetails, ScopePlanRole},
};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, UserId},
    values::Reason,
};
use rollcall_projections::tenancy;

use super::{
    queries::STAFF_READERS,
    types::{PlanRole, PlanStaff},
};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::read,
    scalars::DateTime,
    sending::{MutationMeta, Sent, as_seen, payload, send},
    vocabulary::field,
};

/// A person to invite into plan roles.
#[derive(Debug, InputObject)]
pub struct InvitePlanStaffInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    email: String,
    first_name: String,
    last_name: String,
    /// E.164.
    mobile: String,
    roles: Vec<PlanRole>,
    /// The roles end at this second by themselves.
    until: Option<DateTime>,
    /// The organisations that the roles count for; none for the whole plan.
    #[graphql(default)]
    organization_ids: Vec<ID>,
    reason: String,
}

/// A role to give to a person who has an account.
#[derive(Debug, InputObject)]
pub struct AssignPlanRoleInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    user_id: ID,
    role: PlanRole,
    /// Now if not given.
    from: Option<DateTime>,
    until: Option<DateTime>,
    /// The organisations that the role counts for; none for the whole plan.
    #[graphql(default)]
    organization_ids: Vec<ID>,
    reason: String,
    /// The person's `version` as seen.
    expected_version: Option<i32>,
}

/// What a role is to count for from now on.
#[derive(Debug, InputObject)]
pub struct ScopePlanRoleInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    user_id: ID,
    role: PlanRole,
    /// None for the whole plan.
    organization_ids: Vec<ID>,
    reason: String,
    /// The person's `version` as seen.
    expected_version: Option<i32>,
}

/// A role to take back.
#[derive(Debug, InputObject)]
pub struct EndPlanRoleInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    user_id: ID,
    role: PlanRole,
    reason: String,
    /// The person's `version` as seen.
    expected_version: Option<i32>,
}

payload! {
    /// What became of a command about plan staff.
    PlanStaffPayload {
        /// The person as they stand now.
        plan_staff: PlanStaff,
    }
}

/// Commands about the health plan's people (GN-31).
#[derive(Default)]
pub struct PlanStaffMutation;

#[Object]
impl PlanStaffMutation {
    /// Invites a person into plan roles, which begin when the invitation is completed.
    async fn invite_plan_staff(
        &self,
        ctx: &Context<'_>,
        input: InvitePlanStaffInput,
    ) -> Result<PlanStaffPayload> {
        let meta = input.meta.clone();
        let sent = send(ctx, meta, invite(input)).await?;
        let user = sent.output.as_ref().map(|invited| invited.user);
        answer(ctx, sent, user).await
    }

    /// Gives a plan role to a person who has an account.
    async fn assign_plan_role(
        &self,
        ctx: &Context<'_>,
        input: AssignPlanRoleInput,
    ) -> Result<PlanStaffPayload> {
        let meta = input.meta.clone();
        let version = input.expected_version;
        let command = as_seen(assign(input), version, |it| Entity::PlanStaff(it.user));
        let sent = send(ctx, meta, command).await?;
        let user = sent.output;
        answer(ctx, sent, user).await
    }

    /// Lets a plan role count for these organisations only, or for the whole plan again. What is no
    /// organisation's, such as policies and plan staff, is outside of every narrower scope; a live
    /// portal keeps at least two administrators for the whole plan. Refusals: NOT_FOUND, SELF_GRANT,
    /// LAST_ADMIN.
    async fn scope_plan_role(
        &self,
        ctx: &Context<'_>,
        input: ScopePlanRoleInput,
    ) -> Result<PlanStaffPayload> {
        let meta = input.meta.clone();
        let version = input.expected_version;
        let command = as_seen(scope(input), version, |it| Entity::PlanStaff(it.user));
        let sent = send(ctx, meta, command).await?;
        let user = sent.output;
        answer(ctx, sent, user).await
    }

    /// Takes a plan role back; a live portal keeps at least two administrators.
    async fn end_plan_role(
        &self,
        ctx: &Context<'_>,
        input: EndPlanRoleInput,
    ) -> Result<PlanStaffPayload> {
        let meta = input.meta.clone();
        let version = input.expected_version;
        let command = as_seen(end(input), version, |it| Entity::PlanStaff(it.user));
        let sent = send(ctx, meta, command).await?;
        let user = sent.output;
        answer(ctx, sent, user).await
    }
}

fn invite(input: InvitePlanStaffInput) -> Result<InvitePlanStaff, Refusal> {
    let InvitePlanStaffInput {
        email,
        first_name,
        last_name,
        mobile,
        roles,
        until,
        organization_ids,
        reason,
        ..
    } = input;
    Ok(InvitePlanStaff {
        person: PersonDetails::parse("", &email, &first_name, &last_name, &mobile)?,
        roles: roles.into_iter().map(Into::into).collect(),
        until: until.map(|at| at.parse("until")).transpose()?,
        organizations: organizations(&organization_ids)?,
        reason: field("reason", Reason::parse(&reason))?,
    })
}

fn assign(input: AssignPlanRoleInput) -> Result<AssignPlanRole, Refusal> {
    Ok(AssignPlanRole {
        user: NodeType::User.parse(&input.user_id, "userId")?,
        role: input.role.into(),
        from: input.from.map(|at| at.parse("from")).transpose()?,
        until: input.until.map(|at| at.parse("until")).transpose()?,
        organizations: organizations(&input.organization_ids)?,
        reason: field("reason", Reason::parse(&input.reason))?,
    })
}

fn scope(input: ScopePlanRoleInput) -> Result<ScopePlanRole, Refusal> {
    Ok(ScopePlanRole {
        user: NodeType::User.parse(&input.user_id, "userId")?,
        role: input.role.into(),
        organizations: organizations(&input.organization_ids)?,
        reason: field("reason", Reason::parse(&input.reason))?,
    })
}

fn organizations(ids: &[ID]) -> Result<BTreeSet<OrganizationId>, Refusal> {
    ids.iter().map(|id| NodeType::Organization.parse(id, "organizationIds")).collect()
}

fn end(input: EndPlanRoleInput) -> Result<EndPlanRole, Refusal> {
    Ok(EndPlanRole {
        user: NodeType::User.parse(&input.user_id, "userId")?,
        role: input.role.into(),
        reason: field("reason", Reason::parse(&input.reason))?,
    })
}

async fn answer<T>(
    ctx: &Context<'_>,
    sent: Sent<T>,
    user: Option<UserId>,
) -> Result<PlanStaffPayload> {
    let Some(user) = user.filter(|_| ctx.look_ahead().field("planStaff").exists()) else {
        return Ok(PlanStaffPayload::of(sent, None));
    };
    let mut reading = read(ctx, Access::Plan(STAFF_READERS), sent.position).await?;
    let found = tenancy::plan_staff_by_id(&mut reading.view, &[user.0]).await;
    let found = found.map_err(|error| fault(&error))?.pop();
    let now = ctx.data::<Commands>()?.journal.now();
    let staff = found.map(|(row, roles)| PlanStaff::of(row, roles, now));
    Ok(PlanStaffPayload::of(sent, staff))
}
