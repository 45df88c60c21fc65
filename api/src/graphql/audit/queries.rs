//! `auditEvents`. Invariant: three statements a page, one more for `totalCount` where it is asked.

use async_graphql::{Context, Object, Result};
use rollcall_domain::{Code, Refusal, api_keys::Scope};
use rollcall_projections::audit_timeline::{self, PageRequest};

use super::{
    input::{AuditEventFilter, AuditEventOrder, may_ask, organization_of},
    types::{AuditEvent, AuditEventConnection},
    viewer,
};
use crate::graphql::{
    errors::{fault, top_level},
    paging::{Page, Rows},
    scalars::Position,
};

/// What happened.
#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What happened in the tenant, newest first unless ordered otherwise (GN-26). Auditors and
    /// plan administrators see everything, plan support what it works with, administrators of an
    /// organisation its own events, everybody the events they had a part in.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditEventFilter>,
        order_by: Option<AuditEventOrder>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
        #[graphql(desc = "As known then: nothing after this position.")] as_of_position: Option<
            Position,
        >,
    ) -> Result<AuditEventConnection> {
        let mut filter = filter.unwrap_or_default().parse().map_err(top_level)?;
        filter.up_to = as_of_position.map(|position| position.0);
        let page = Page::<i64>::new(first, after).map_err(top_level)?;
        let (looking, mut reading) =
            viewer::reading(ctx, organization_of(&filter), Scope::ReadAudit, min_position).await?;
        let sight = looking.sight;
        let view = &mut reading.view;
        may_ask(&filter, &sight, view.pinned().is_some()).map_err(top_level)?;
        if let Some(pin) = view.pinned() {
            let up_to = filter.up_to.unwrap_or(pin.position);
            filter.up_to = Some(up_to.min(pin.position));
            if !filter.words.is_empty() {
                let message = "Leave `text` out here: words are looked for among today's names.";
                let refusal = Refusal::new(Code::FieldInvalid, message).at("filter.text");
                return Err(top_level(refusal));
            }
        }
        let request = PageRequest {
            order: AuditEventOrder::of(order_by),
            after: page.after,
            limit: page.first + 1,
        };
        let entries = audit_timeline::page(view, &sight, &filter, request)
            .await
            .map_err(|error| fault(&error))?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            let count = audit_timeline::count(view, &sight, &filter).await;
            Some(count.map_err(|error| fault(&error))?)
        } else {
            None
        };
        let rows =
            entries.into_iter().map(|entry| (entry.position, AuditEvent::from(entry))).collect();
        Ok(AuditEventConnection::of(&page, Rows { rows, total }))
    }
}
