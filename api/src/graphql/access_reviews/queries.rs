//! `accessReviews`, `accessReview`, `accessReviewItems`, `accessReviewJoiners`.

use async_graphql::{Context, ID, Lookahead, Object, Result};
use rollcall_commands::Commands;
use rollcall_domain::{
    Refusal,
    access_reviews::ReviewStatus,
    kernel::ids::{AccessReviewId, OrganizationId},
};
use rollcall_projections::{
    access_register,
    access_reviews::{self as rows, ItemFilter, ReviewFilter, ReviewView},
};

use super::{
    granted::ReviewedGrant,
    item_types::{
        AccessReviewItemConnection, AccessReviewJoiner, AccessReviewJoinerConnection, ReviewOutcome,
    },
    items::{Asked, page_of},
    shown::{Wanted, show},
    sight::{Looking, looking},
    types::{AccessReview, AccessReviewConnection, AccessReviewStatus},
};
use crate::graphql::{
    audit::PersonReference,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{absent, caller},
    scalars::{DateTime, Position},
    vocabulary::OrgRole,
};

/// Questions about periodic reviews of access.
#[derive(Default)]
pub struct AccessReviewQuery;

#[Object]
impl AccessReviewQuery {
    /// Periodic reviews, newest first (CC-13): of their organisation for its administrators, of the
    /// organisations they are there for for the plan's people, and for members those in which items were
    /// delegated to them.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_reviews(
        &self,
        ctx: &Context<'_>,
        organization_id: Option<ID>,
        status: Option<AccessReviewStatus>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AccessReviewConnection> {
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let organization = organization_id.map(|id| organization(&id)).transpose();
        let organization = organization.map_err(top_level)?;
        let none = || AccessReviewConnection::of(&page, Rows { rows: Vec::new(), total: None });
        let Some(mut looking) = looking(ctx, organization, min_position).await? else {
            return Ok(none());
        };
        let status = status.map(ReviewStatus::from);
        let filter = ReviewFilter { seen: looking.seen.clone(), organization, status };
        let view = &mut looking.reading.view;
        let found = rows::reviews(view, filter, (page.first + 1, page.after)).await;
        let found = found.map_err(|error| fault(&error))?;
        let look = ctx.look_ahead();
        let wanted = Wanted::of(&[look.field("nodes"), look.field("edges").field("node")]);
        let rows = show(ctx, view, found, wanted).await?;
        Ok(AccessReviewConnection::of(&page, Rows { rows, total: None }))
    }

    /// One review, for whom `accessReviews` lists it (CC-13).
    async fn access_review(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<AccessReview>> {
        let Some(id) = absent(NodeType::AccessReview.parse(&id, "id"))? else { return Ok(None) };
        review_of(ctx, id, min_position, &ctx.look_ahead()).await
    }

    /// The list of a review as it was frozen, with what was decided and what helps to decide (CC-13,
    /// GN-16); null for whom the review is not there. Members see the items delegated to them.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_review_items(
        &self,
        ctx: &Context<'_>,
        access_review_id: ID,
        #[graphql(desc = "What came of them.")] outcome: Option<ReviewOutcome>,
        #[graphql(desc = "Only those that the reader was asked to decide.")]
        delegated_to_me: Option<bool>,
        #[graphql(desc = "Only those of this person.")] user_id: Option<ID>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<Option<AccessReviewItemConnection>> {
        let page: Page<i32> = Page::new(first, after).map_err(top_level)?;
        let user = user_id.map(|id| NodeType::User.parse(&id, "userId")).transpose();
        let user = user.map_err(top_level)?;
        let Some((mut looking, review)) = one(ctx, &access_review_id, min_position).await? else {
            return Ok(None);
        };
        let me = caller(ctx)?.user().filter(|_| delegated_to_me == Some(true));
        let filter = ItemFilter {
            delegated_to: looking.delegates.clone().or(me.map(|me| vec![me.0])),
            outcome: outcome.map(Into::into),
            user,
            items: None,
        };
        let asked = Asked { review: &review.row, filter, page };
        page_of(ctx, &mut looking, asked).await.map(Some)
    }

    /// Who became a member after the list was frozen, or which rights came into scope and are not on the
    /// list, in the order in which they came (GN-16); null for
    /// whom the review is not there, and for those who see only items delegated to them.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_review_joiners(
        &self,
        ctx: &Context<'_>,
        access_review_id: ID,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<Option<AccessReviewJoinerConnection>> {
        let page = Page::new(first, after).map_err(top_level)?;
        let Some((mut looking, review)) = one(ctx, &access_review_id, min_position).await? else {
            return Ok(None);
        };
        if looking.delegates.is_some() {
            return Ok(None);
        }
        let (view, now) = (&mut looking.reading.view, ctx.data::<Commands>()?.journal.now());
        let asked = (page.first + 1, page.after.clone());
        let found = rows::joiners(view, &review.row, now, asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let users = found.iter().map(|joiner| joiner.user_id).collect();
        let names = access_register::names(view, users, [].into()).await;
        let names = names.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|joiner| {
            let name = names.people.get(&joiner.user_id).cloned();
            let shown = AccessReviewJoiner {
                user: PersonReference::new(joiner.user_id, name),
                role: role(&joiner.org_role),
                granted: ReviewedGrant::of_joiner(&joiner),
                joined_at: DateTime::from(joiner.joined_at),
            };
            (joiner.key(), shown)
        });
        let rows = Rows { rows: rows.collect(), total: None };
        Ok(Some(AccessReviewJoinerConnection::of(&page, rows)))
    }
}

/// A permission by its stored name.
pub(super) fn role(word: &str) -> OrgRole {
    rollcall_domain::organizations::OrgRole::parse(word).unwrap_or_default().into()
}

fn organization(id: &ID) -> std::result::Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}

/// A review that the reader sees, with their view.
async fn one<'a>(
    ctx: &Context<'a>,
    id: &ID,
    min_position: Option<Position>,
) -> Result<Option<(Looking<'a>, ReviewView)>> {
    let id: Option<AccessReviewId> = absent(NodeType::AccessReview.parse(id, "accessReviewId"))?;
    let Some(id) = id else { return Ok(None) };
    let Some(mut looking) = looking(ctx, None, min_position).await? else { return Ok(None) };
    let seen = looking.seen.clone();
    let found = rows::reviews_by_id(&mut looking.reading.view, seen, &[id.0]).await;
    let found = found.map_err(|error| fault(&error))?;
    Ok(found.into_iter().next().map(|review| (looking, review)))
}

/// One review, if the reader sees it; what a mutation answers too.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub(super) async fn review_of(
    ctx: &Context<'_>,
    id: AccessReviewId,
    min_position: Option<Position>,
    look: &Lookahead<'_>,
) -> Result<Option<AccessReview>> {
    let Some(mut looking) = looking(ctx, None, min_position).await? else { return Ok(None) };
    let (seen, view) = (looking.seen.clone(), &mut looking.reading.view);
    let found = rows::reviews_by_id(view, seen, &[id.0]).await.map_err(|error| fault(&error))?;
    let shown = show(ctx, view, found, Wanted::of(std::slice::from_ref(look))).await?;
    Ok(shown.into_iter().next().map(|(_, review)| review))
}
