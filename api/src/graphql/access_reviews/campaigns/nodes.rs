//! Campaigns by their ids, under the rights of `reviewCampaign`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_projections::access_reviews as rows;
use uuid::Uuid;

use super::{super::sight::looking_at_all, shown::show, types::ReviewCampaign};
use crate::graphql::errors::fault;

/// The campaigns of these ids that the reader sees.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn review_campaigns(
    ctx: &Context<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, ReviewCampaign>> {
    let Some(mut looking) = looking_at_all(ctx, None).await? else { return Ok(HashMap::new()) };
    let view = &mut looking.reading.view;
    let found = rows::campaigns_by_id(view, ids).await.map_err(|error| fault(&error))?;
    let ids: Vec<Uuid> = found.iter().map(|row| row.campaign_id).collect();
    let shown = show(ctx, view, found, &[ctx.look_ahead()]).await?;
    Ok(ids.into_iter().zip(shown).map(|(id, (_, campaign))| (id, campaign)).collect())
}
