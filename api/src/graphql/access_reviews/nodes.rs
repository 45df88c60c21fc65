//! Reviews by their ids, under the rights of `accessReview`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_projections::access_reviews as rows;
use uuid::Uuid;

use super::{
    shown::{Wanted, show},
    sight::looking,
    types::AccessReview,
};
use crate::graphql::errors::fault;

/// The reviews of these ids that the reader sees.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn access_reviews(
    ctx: &Context<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, AccessReview>> {
    let Some(mut looking) = looking(ctx, None, None).await? else { return Ok(HashMap::new()) };
    let (seen, view) = (looking.seen.clone(), &mut looking.reading.view);
    let found = rows::reviews_by_id(view, seen, ids).await.map_err(|error| fault(&error))?;
    let ids: Vec<Uuid> = found.iter().map(|review| review.row.review_id).collect();
    let shown = show(ctx, view, found, Wanted::of(&[ctx.look_ahead()])).await?;
    Ok(ids.into_iter().zip(shown).map(|(id, (_, review))| (id, review)).collect())
}
