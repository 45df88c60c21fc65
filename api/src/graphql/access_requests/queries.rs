//! `accessRequests`, `accessRequest`, `planQueue`.

use async_graphql::{Context, Enum, ID, Lookahead, Object, Result};
use chrono::TimeDelta;
use rollcall_commands::{Access, Caller, Commands};
use rollcall_domain::{
    Refusal,
    kernel::ids::{AccessRequestId, OrganizationId},
    organizations::OrgRole,
    tenants::PlanRole,
};
use rollcall_projections::access_requests::{self as rows, RequestFilter, RequestStatus, Seen};

use super::{
    show::{needs_texts, show},
    types::{AccessRequest, AccessRequestConnection, AccessRequestKind, AccessRequestStatus},
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{Reading, absent, read, within},
    scalars::Position,
};

/// Plan staff who see every request.
pub(super) const PLAN: &[PlanRole] = &[PlanRole::Ps, PlanRole::Pa, PlanRole::Au];

/// Which requests of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AccessRequestView {
    /// One's own.
    Mine,
    /// Those that wait for an administrator and are not one's own.
    ToDecide,
    /// All of the organisation.
    All,
}

/// Questions about requests for access.
#[derive(Default)]
pub struct AccessRequestQuery;

#[Object]
impl AccessRequestQuery {
    /// An organisation's requests, newest first: by default one's own; the others for its
    /// administrators and plan staff (CC-11).
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_requests(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        view: Option<AccessRequestView>,
        status: Option<AccessRequestStatus>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AccessRequestConnection> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let view = view.unwrap_or(AccessRequestView::Mine);
        let access = match view {
            AccessRequestView::Mine => Access::Member(organization),
            AccessRequestView::ToDecide | AccessRequestView::All => {
                Access::OrgAdminOrPlan(organization, PLAN)
            }
        };
        let reading = read(ctx, access, min_position).await?;
        let user = reading.authority.person().map_err(top_level)?;
        let to_decide = view == AccessRequestView::ToDecide;
        let filter = RequestFilter {
            seen: match view {
                AccessRequestView::Mine => Seen::Own(organization, user),
                AccessRequestView::ToDecide | AccessRequestView::All => {
                    Seen::Organization(organization)
                }
            },
            status: match to_decide {
                true => Some(RequestStatus::Open),
                false => status.map(Into::into),
            },
            kind: None,
            not_of: to_decide.then_some(user),
            before: None,
            oldest_first: false,
        };
        list(ctx, reading, filter, page).await
    }

    /// One request, for who asks, the organisation's administrators and plan staff.
    async fn access_request(
        &self,
        ctx: &Context<'_>,
        id: ID,
        organization_id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<AccessRequest>> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let Some(id) = absent(NodeType::AccessRequest.parse(&id, "id"))? else {
            return Ok(None);
        };
        request_of(ctx, organization, id, min_position, &ctx.look_ahead()).await
    }

    /// Requests that wait for the health plan, oldest first, for plan staff (AL-08).
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn plan_queue(
        &self,
        ctx: &Context<'_>,
        kind: Option<AccessRequestKind>,
        #[graphql(desc = "Only those made at least so many days ago.")] days_old: Option<i32>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AccessRequestConnection> {
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let reading = read(ctx, Access::PlanWithin(PLAN), min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let days = |days: i32| now - TimeDelta::days(i64::from(days.clamp(0, 10_000)));
        let filter = RequestFilter {
            seen: Seen::Plan(within(&reading.authority, PLAN)),
            status: Some(RequestStatus::Routed),
            kind: kind.map(Into::into),
            not_of: None,
            before: days_old.map(days),
            oldest_first: true,
        };
        list(ctx, reading, filter, page).await
    }
}

fn organization(id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}

async fn list(
    ctx: &Context<'_>,
    mut reading: Reading<'_>,
    filter: RequestFilter,
    page: Page<i64>,
) -> Result<AccessRequestConnection> {
    let now = ctx.data::<Commands>()?.journal.now();
    let asked = (page.first + 1, page.after);
    let found = rows::access_requests(&mut reading.view, filter, asked, now).await;
    let found = found.map_err(|error| fault(&error))?;
    let look = ctx.look_ahead();
    let with_texts =
        needs_texts(&look.field("nodes")) || needs_texts(&look.field("edges").field("node"));
    let rows = show(ctx, found, with_texts).await?;
    Ok(AccessRequestConnection::of(&page, Rows { rows, total: None }))
}

/// One request, if the reader sees it: whoever may not see all of the organisation sees their own.
///
/// # Errors
/// As [`read`].
pub(super) async fn request_of(
    ctx: &Context<'_>,
    organization: OrganizationId,
    id: AccessRequestId,
    min_position: Option<Position>,
    look: &Lookahead<'_>,
) -> Result<Option<AccessRequest>> {
    let mut reading = read(ctx, Access::MemberOrPlan(organization, PLAN), min_position).await?;
    let user = reading.authority.person().map_err(top_level)?;
    let sees_all =
        reading.authority.acts_for_plan() || reading.authority.org_role == Some(OrgRole::Admin);
    let seen = match sees_all {
        true => Seen::Organization(organization),
        false => Seen::Own(organization, user),
    };
    let now = ctx.data::<Commands>()?.journal.now();
    let found = rows::access_requests_by_id(&mut reading.view, seen, &[id.0], now).await;
    let found = found.map_err(|error| fault(&error))?;
    let shown = show(ctx, found, needs_texts(look)).await?;
    Ok(shown.into_iter().next().map(|(_, request)| request))
}

/// Whose requests a reader of single objects sees.
pub(super) fn own_sight(caller: &Caller, reading: &Reading<'_>) -> Option<Seen> {
    let (authority, user) = (&reading.authority, caller.user()?);
    if authority.acts_for_plan() {
        return Some(Seen::Plan(within(authority, PLAN)));
    }
    let organization = authority.organization?;
    Some(match authority.org_role {
        Some(OrgRole::Admin) => Seen::Organization(organization),
        Some(OrgRole::Processor | OrgRole::None) | None => Seen::Own(organization, user),
    })
}
