//! `ownReviewItems`, `attestOwnAccess`: what people are asked of their own access (GN-15).
//!
//! Invariant: nobody sees here what is decided about them, nor anybody else's access.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{Access, Commands, access_reviews::AttestOwnAccess};
use rollcall_domain::{Refusal, kernel::ids::AccessReviewId, values::Reason};
use rollcall_projections::access_reviews::{ItemFilter, ItemView, Seen, items, reviews_by_id};

use super::{
    granted::{ReviewedGrant, ReviewedKind},
    mutations::{numbers, organization, review},
    queries::role,
};
use crate::graphql::{
    audit::viewer,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{absent, read_if_permitted},
    scalars::DateTime,
    sending::{MutationMeta, payload, send},
    vocabulary::{OrgRole, field},
};

/// One's own access on the list of a review, of which one is asked whether it is needed still.
#[derive(Clone, Debug, SimpleObject)]
pub struct OwnReviewItem {
    /// The number in the list, from 1.
    pub item: i32,
    pub kind: ReviewedKind,
    /// Of a membership, the organization-wide permission when the list was frozen.
    pub role: Option<OrgRole>,
    /// The right as it was when the list was frozen; absent for a membership.
    pub granted: Option<ReviewedGrant>,
    /// What was said; absent while nothing was.
    pub needed: Option<bool>,
    pub attested_at: Option<DateTime>,
}

connection!(OwnReviewItemConnection, OwnReviewItemEdge, OwnReviewItem);

fn own(item: ItemView) -> (i32, OwnReviewItem) {
    let shown = OwnReviewItem {
        item: item.row.item,
        kind: ReviewedKind::named(&item.row.kind),
        role: item.row.org_role.as_deref().map(role),
        granted: ReviewedGrant::of_item(&item),
        needed: item.row.needed,
        attested_at: item.row.attested_at.map(DateTime::from),
    };
    (item.row.item, shown)
}

/// Questions about one's own access under review.
#[derive(Default)]
pub struct OwnReviewQuery;

#[Object]
impl OwnReviewQuery {
    /// The caller's own access on the list of an open review that asks people about theirs (GN-15), in the order
    /// of the list; null where there is none.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn own_review_items(
        &self,
        ctx: &Context<'_>,
        access_review_id: ID,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<OwnReviewItemConnection>> {
        let page: Page<i32> = Page::new(first, after).map_err(top_level)?;
        let id: Option<AccessReviewId> =
            absent(NodeType::AccessReview.parse(&access_review_id, "accessReviewId"))?;
        let caller = viewer::caller(ctx)?;
        let (Some(id), Some(of), Some(user)) = (id, caller.organization(), caller.user()) else {
            return Ok(None);
        };
        let Some(mut reading) = read_if_permitted(ctx, Access::Member(of)).await? else {
            return Ok(None);
        };
        let (view, now) = (&mut reading.view, ctx.data::<Commands>()?.journal.now());
        let found = reviews_by_id(view, Seen::Organizations(vec![of.0]), &[id.0]).await;
        let found = found.map_err(|error| fault(&error))?.into_iter().next();
        let asks = |row: &rollcall_projections::access_reviews::AccessReviewRow| {
            row.self_attestation && row.closed_at.is_none()
        };
        let Some(review) = found.filter(|review| asks(&review.row)) else { return Ok(None) };
        let filter = ItemFilter { user: Some(user), ..ItemFilter::default() };
        let found = items(view, &review.row, (&filter, now), (page.first + 1, page.after)).await;
        let rows = found.map_err(|error| fault(&error))?.into_iter().map(own).collect();
        Ok(Some(OwnReviewItemConnection::of(&page, Rows { rows, total: None })))
    }
}

/// What somebody says of their own access.
#[derive(Debug, InputObject)]
pub struct AttestOwnAccessInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    access_review_id: ID,
    /// Own ones, by their numbers: 1 to 1,000.
    items: Vec<i32>,
    /// Whether they are needed still.
    needed: bool,
    /// Required where they are not.
    reason: Option<String>,
}

impl AttestOwnAccessInput {
    fn command(&self) -> std::result::Result<AttestOwnAccess, Refusal> {
        let reason = self.reason.as_deref().map(Reason::parse).transpose();
        Ok(AttestOwnAccess {
            organization: organization(&self.organization_id)?,
            review: review(&self.access_review_id)?,
            items: numbers(&self.items),
            needed: self.needed,
            reason: field("reason", reason)?,
        })
    }
}

payload! {
    /// Whether it was said.
    AttestOwnAccessPayload { is_attested: bool }
}

/// Commands on one's own access under review.
#[derive(Default)]
pub struct OwnReviewMutation;

#[Object]
impl OwnReviewMutation {
    /// Says of one's own access in a review that asks for it whether it is needed still (GN-15), for members. It is
    /// a statement and decides nothing: whoever reviews sees it and decides. Saying otherwise takes the former
    /// word's place. Refusals: FORBIDDEN (somebody else's item), NOT_PENDING (the review does not ask),
    /// REASON_REQUIRED, REVIEW_CLOSED, NOT_FOUND, FIELD_REQUIRED, BULK_LIMIT.
    async fn attest_own_access(
        &self,
        ctx: &Context<'_>,
        input: AttestOwnAccessInput,
    ) -> Result<AttestOwnAccessPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let is_attested = sent.output.map(|_| true);
        Ok(AttestOwnAccessPayload::of(sent, is_attested))
    }
}
