//! Affiliations by their ids, under the right of `affiliation`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Caller, Commands};
use rollcall_domain::api_keys::Scope;
use rollcall_domain::kernel::ids::AffiliationId;
use rollcall_projections::affiliations::{self as rows, Viewpoint};
use uuid::Uuid;

use super::{
    queries::PLAN,
    show::{needs_papers, show},
    types::Affiliation,
};
use crate::graphql::{
    errors::fault,
    reading::{own_or_plan, read_if_permitted},
};

/// The affiliations of these ids that the organisation acted for, or the plan, sees.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn affiliations(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Affiliation>> {
    let access = own_or_plan(ctx.data::<Caller>()?, Access::OrgAdminOrPlan, PLAN);
    let Some(mut reading) = read_if_permitted(ctx, access.or_key(Scope::ReadDirectory)).await?
    else {
        return Ok(HashMap::new());
    };
    let viewpoint = reading.authority.organization.map_or(Viewpoint::Plan, Viewpoint::Party);
    let now = ctx.data::<Commands>()?.journal.now();
    let found = rows::affiliations_by_id(&mut reading.view, viewpoint, ids, now).await;
    let found = found.map_err(|error| fault(&error))?;
    let ids: Vec<_> = found.iter().map(|view| AffiliationId(view.row.affiliation_id)).collect();
    let shown = show(ctx, found, needs_papers(&ctx.look_ahead())).await?;
    Ok(ids.into_iter().zip(shown).map(|(id, (_, affiliation))| (id.0, affiliation)).collect())
}
