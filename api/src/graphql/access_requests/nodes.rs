//! Requests by their ids, under the rights of `accessRequest`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Caller, Commands};
use rollcall_projections::access_requests as rows;
use uuid::Uuid;

use super::{
    queries::{PLAN, own_sight},
    show::{needs_texts, show},
    types::AccessRequest,
};
use crate::graphql::{
    errors::fault,
    reading::{own_or_plan, read_if_permitted},
};

/// The requests of these ids that the reader sees.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn access_requests(
    ctx: &Context<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, AccessRequest>> {
    let caller = ctx.data::<Caller>()?;
    let access = own_or_plan(caller, Access::MemberOrPlan, PLAN);
    let Some(mut reading) = read_if_permitted(ctx, access).await? else {
        return Ok(HashMap::new());
    };
    let Some(seen) = own_sight(caller, &reading) else { return Ok(HashMap::new()) };
    let now = ctx.data::<Commands>()?.journal.now();
    let found = rows::access_requests_by_id(&mut reading.view, seen, ids, now).await;
    let found = found.map_err(|error| fault(&error))?;
    let ids: Vec<Uuid> = found.iter().map(|view| view.row.request_id).collect();
    let shown = show(ctx, found, needs_texts(&ctx.look_ahead())).await?;
    Ok(ids.into_iter().zip(shown).map(|(id, (_, request))| (id, request)).collect())
}
