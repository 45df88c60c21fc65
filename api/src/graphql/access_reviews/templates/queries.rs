//! `reviewTemplates`, `reviewTemplate`.

use async_graphql::{Context, ID, Object, Result};
use rollcall_domain::kernel::ids::ReviewTemplateId;
use rollcall_projections::access_reviews as rows;

use super::{
    super::sight::looking_at_all,
    nodes::show,
    types::{ReviewTemplate, ReviewTemplateConnection},
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::absent,
    scalars::Position,
};

/// Questions about templates of campaigns.
#[derive(Default)]
pub struct ReviewTemplateQuery;

#[Object]
impl ReviewTemplateQuery {
    /// Templates of campaigns of access reviews, newest first (GN-15), for the plan's people who are there for
    /// all of its organizations.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn review_templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Retired ones as well.")] with_retired: Option<bool>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<ReviewTemplateConnection> {
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let Some(mut looking) = looking_at_all(ctx, min_position).await? else {
            return Ok(ReviewTemplateConnection::of(&page, Rows { rows: Vec::new(), total: None }));
        };
        let view = &mut looking.reading.view;
        let asked = (page.first + 1, page.after);
        let found = rows::templates(view, with_retired == Some(true), asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = show(ctx, view, &found).await?;
        Ok(ReviewTemplateConnection::of(&page, Rows { rows, total: None }))
    }

    /// One template, for whom `reviewTemplates` lists it (GN-15).
    async fn review_template(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<ReviewTemplate>> {
        let Some(id) = absent(NodeType::ReviewTemplate.parse(&id, "id"))? else { return Ok(None) };
        template_of(ctx, id, min_position).await
    }
}

/// One template, if the reader sees it; what a mutation answers too.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub(super) async fn template_of(
    ctx: &Context<'_>,
    id: ReviewTemplateId,
    min_position: Option<Position>,
) -> Result<Option<ReviewTemplate>> {
    let Some(mut looking) = looking_at_all(ctx, min_position).await? else { return Ok(None) };
    let view = &mut looking.reading.view;
    let found = rows::templates_by_id(view, &[id.0]).await.map_err(|error| fault(&error))?;
    Ok(show(ctx, view, &found).await?.into_iter().next().map(|(_, template)| template))
}
