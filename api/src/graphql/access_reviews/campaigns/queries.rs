//! `reviewCampaigns`, `reviewCampaign`, `reviewCampaignOrganizations`, `reviewCampaignPreview`.

use async_graphql::Object;
use async_graphql::{Context, ID, Lookahead, Result};
use rollcall_domain::{access_reviews::campaign::CampaignStatus, kernel::ids::CampaignId};
use rollcall_projections::access_reviews::{
    self as rows, CampaignFilter, OrganizationFilter, PreviewRow,
};

use super::{
    super::sight::looking_at_all,
    choice::{ReviewCampaignChoice, covered},
    shown::{organization, show},
    types::{
        ReviewCampaign, ReviewCampaignConnection, ReviewCampaignOrganizationConnection,
        ReviewCampaignPreview, ReviewCampaignPreviewOrganization, ReviewCampaignState,
        ReviewCampaignStatus,
    },
};
use crate::graphql::{
    audit::OrganizationReference,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::absent,
    scalars::Position,
};

/// How many organisations a preview names.
const NAMED: usize = 100;

/// Questions about campaigns of reviews.
#[derive(Default)]
pub struct ReviewCampaignQuery;

#[Object]
impl ReviewCampaignQuery {
    /// Campaigns of access reviews, newest first (GN-15), for the plan's people who are there for all of
    /// its organizations.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn review_campaigns(
        &self,
        ctx: &Context<'_>,
        status: Option<ReviewCampaignStatus>,
        #[graphql(desc = "Only those that this template opened.")] review_template_id: Option<ID>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<ReviewCampaignConnection> {
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let template = review_template_id
            .map(|id| NodeType::ReviewTemplate.parse(&id, "reviewTemplateId"))
            .transpose()
            .map_err(top_level)?;
        let Some(mut looking) = looking_at_all(ctx, min_position).await? else {
            return Ok(ReviewCampaignConnection::of(&page, Rows { rows: Vec::new(), total: None }));
        };
        let view = &mut looking.reading.view;
        let filter = CampaignFilter { status: status.map(CampaignStatus::from), template };
        let found = rows::campaigns(view, filter, (page.first + 1, page.after)).await;
        let found = found.map_err(|error| fault(&error))?;
        let look = ctx.look_ahead();
        let looks = [look.field("nodes"), look.field("edges").field("node")];
        let rows = show(ctx, view, found, &looks).await?;
        Ok(ReviewCampaignConnection::of(&page, Rows { rows, total: None }))
    }

    /// One campaign, for whom `reviewCampaigns` lists it (GN-15).
    async fn review_campaign(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<ReviewCampaign>> {
        let Some(id) = absent(NodeType::ReviewCampaign.parse(&id, "id"))? else { return Ok(None) };
        campaign_of(ctx, id, min_position, &ctx.look_ahead()).await
    }

    /// The organizations of a campaign in the order of its list, with where each stands (GN-15); null for
    /// whom the campaign is not there.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn review_campaign_organizations(
        &self,
        ctx: &Context<'_>,
        review_campaign_id: ID,
        state: Option<ReviewCampaignState>,
        #[graphql(desc = "Only those whose review is overdue.")] overdue: Option<bool>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<Option<ReviewCampaignOrganizationConnection>> {
        let page: Page<i32> = Page::new(first, after).map_err(top_level)?;
        let id = absent(NodeType::ReviewCampaign.parse(&review_campaign_id, "reviewCampaignId"))?;
        let Some(id): Option<CampaignId> = id else { return Ok(None) };
        let Some(mut looking) = looking_at_all(ctx, min_position).await? else { return Ok(None) };
        let view = &mut looking.reading.view;
        let known = rows::campaigns_by_id(view, &[id.0]).await.map_err(|error| fault(&error))?;
        if known.is_empty() {
            return Ok(None);
        }
        let filter = OrganizationFilter {
            state: state.map(ReviewCampaignState::as_str),
            overdue: overdue == Some(true),
        };
        let asked = (page.first + 1, page.after);
        let found = rows::campaign_organizations(view, id, filter, asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(organization).collect();
        Ok(Some(ReviewCampaignOrganizationConnection::of(&page, Rows { rows, total: None })))
    }

    /// What a campaign would have if it were opened now (GN-15); null for whom `reviewCampaigns` is empty.
    /// Refusals: FIELD_REQUIRED, NOT_FOUND (an organization that is not registered, or suspended).
    async fn review_campaign_preview(
        &self,
        ctx: &Context<'_>,
        choice: Option<ReviewCampaignChoice>,
        min_position: Option<Position>,
    ) -> Result<Option<ReviewCampaignPreview>> {
        let Some(mut looking) = looking_at_all(ctx, min_position).await? else { return Ok(None) };
        let view = &mut looking.reading.view;
        let rows = covered(ctx, view, &choice.unwrap_or_default()).await?.map_err(top_level)?;
        let position = view.position_of(rows::NAME);
        Ok(Some(preview(rows, position)))
    }
}

fn preview(mut rows: Vec<PreviewRow>, position: i64) -> ReviewCampaignPreview {
    let small = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let items = |row: &PreviewRow| i32::try_from(row.items).unwrap_or(i32::MAX);
    let count = |is: fn(&PreviewRow) -> bool| small(rows.iter().filter(|row| is(row)).count());
    let reviewed = |row: &&PreviewRow| row.items > 0 && row.open_review.is_none();
    let mut shown = ReviewCampaignPreview {
        as_of_position: Position(position),
        organizations: small(rows.len()),
        reviews: small(rows.iter().filter(reviewed).count()),
        items: rows.iter().filter(reviewed).map(items).sum(),
        without_items: count(|row| row.items == 0 && row.open_review.is_none()),
        open_already: count(|row| row.open_review.is_some()),
        largest: Vec::new(),
    };
    rows.sort_by_key(|row| std::cmp::Reverse(row.items));
    rows.truncate(NAMED);
    shown.largest = rows
        .into_iter()
        .map(|row| ReviewCampaignPreviewOrganization {
            items: items(&row),
            organization: OrganizationReference::new(
                row.organization_id,
                Some(row.organization_name),
            ),
            open_review_id: row.open_review.map(|review| NodeType::AccessReview.id(review)),
        })
        .collect();
    shown
}

/// One campaign, if the reader sees it; what a mutation answers too.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn campaign_of(
    ctx: &Context<'_>,
    id: CampaignId,
    min_position: Option<Position>,
    look: &Lookahead<'_>,
) -> Result<Option<ReviewCampaign>> {
    let Some(mut looking) = looking_at_all(ctx, min_position).await? else { return Ok(None) };
    let view = &mut looking.reading.view;
    let found = rows::campaigns_by_id(view, &[id.0]).await.map_err(|error| fault(&error))?;
    let shown = show(ctx, view, found, std::slice::from_ref(look)).await?;
    Ok(shown.into_iter().next().map(|(_, campaign)| campaign))
}
