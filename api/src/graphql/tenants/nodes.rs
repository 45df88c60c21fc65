//! Portals and plan staff by their ids, under the rights of `tenants` and `planStaff`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Commands};
use rollcall_projections::tenancy;
use uuid::Uuid;

use super::{
    queries::STAFF_READERS,
    types::{PlanStaff, Tenant},
};
use crate::graphql::{errors::fault, reading::read_if_permitted};

/// The portals of these ids, for operators.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn tenants(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Tenant>> {
    let Some(mut reading) = read_if_permitted(ctx, Access::Operator).await? else {
        return Ok(HashMap::new());
    };
    let found = tenancy::tenants_by_id(&mut reading.view, ids).await;
    let found = found.map_err(|error| fault(&error))?;
    Ok(found.into_iter().map(|row| (row.id, Tenant::from(row))).collect())
}

/// The people of the health plan of these ids, for those who see its list.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn plan_staff(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, PlanStaff>> {
    let Some(mut reading) = read_if_permitted(ctx, Access::Plan(STAFF_READERS)).await? else {
        return Ok(HashMap::new());
    };
    let now = ctx.data::<Commands>()?.journal.now();
    let found = tenancy::plan_staff_by_id(&mut reading.view, ids).await;
    let found = found.map_err(|error| fault(&error))?;
    let shown =
        |(row, roles): (tenancy::PlanStaffRow, _)| (row.user_id, PlanStaff::of(row, roles, now));
    Ok(found.into_iter().map(shown).collect())
}
