//! `portal`, `tenants`, `planStaff`.

use async_graphql::{Context, Object, Result};
use rollcall_commands::{Access, Commands};
use rollcall_domain::tenants::PlanRole;
use rollcall_projections::tenancy;
use uuid::Uuid;

use super::types::{PlanStaff, PlanStaffConnection, Portal, Tenant, TenantConnection};
use crate::graphql::{
    errors::{fault, top_level},
    paging::{Page, Rows},
    reading::read,
    scalars::Position,
};

/// Who sees the health plan's people.
pub(in crate::graphql) const STAFF_READERS: &[PlanRole] =
    &[PlanRole::Pa, PlanRole::Au, PlanRole::Operator];

/// Questions about portals and plan staff.
#[derive(Default)]
pub struct TenantsQuery;

#[Object]
impl TenantsQuery {
    /// The portal that is visited: what anybody may know before signing in.
    async fn portal(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Option<Portal>> {
        let mut reading = read(ctx, Access::Public, min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let row = tenancy::portal(&mut reading.view).await.map_err(|error| fault(&error))?;
        let history =
            tenancy::policy_history(&mut reading.view).await.map_err(|error| fault(&error))?;
        let guidance =
            tenancy::client_guidance(&mut reading.view).await.map_err(|error| fault(&error))?;
        let (version, policy) = history.at(now);
        Ok(row.map(|row| Portal::of(row, guidance, (version, policy))))
    }

    /// Every portal of this service, for operators (GN-31).
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<TenantConnection> {
        let mut reading = read(ctx, Access::Operator, min_position).await?;
        let page: Page<String> = Page::new(first, after).map_err(top_level)?;
        let found = tenancy::tenants(&mut reading.view, page.after.as_deref(), page.first + 1)
            .await
            .map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.slug.clone(), Tenant::from(row))).collect();
        Ok(TenantConnection::of(&page, Rows { rows, total: None }))
    }

    /// The health plan's people with the roles they hold or are invited to (GN-31).
    async fn plan_staff(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<PlanStaffConnection> {
        let mut reading = read(ctx, Access::Plan(STAFF_READERS), min_position).await?;
        let page: Page<Uuid> = Page::new(first, after).map_err(top_level)?;
        let found = tenancy::plan_staff(&mut reading.view, page.after, page.first + 1)
            .await
            .map_err(|error| fault(&error))?;
        let now = ctx.data::<Commands>()?.journal.now();
        let rows = found
            .into_iter()
            .map(|(row, roles)| (row.user_id, PlanStaff::of(row, roles, now)))
            .collect();
        Ok(PlanStaffConnection::of(&page, Rows { rows, total: None }))
    }
}
