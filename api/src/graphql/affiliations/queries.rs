//! Questions about affiliations. Invariant: an organisation sees its own, the plan all of them.

use async_graphql::{Context, ID, Lookahead, Object, Result};
use rollcall_commands::{Access, Commands};
use rollcall_domain::{
    affiliations::{Side, SignerRole},
    api_keys::Scope,
    kernel::ids::{AffiliationId, OrganizationId},
    policies::Feature,
    tenants::PlanRole,
    values::TransactionType,
};
use rollcall_projections::affiliations::{
    self as rows, AffiliationFilter, DirectoryFilter, Viewpoint,
};

use super::{
    show::{needs_papers, show},
    types::{
        Affiliation, AffiliationConnection, AffiliationStatus, SignerRoleOption,
        SubmitterConnection, SubmitterListing, SubmitterProfile,
    },
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{Reading, absent, read, require},
    scalars::Position,
    vocabulary::field,
};

/// Plan staff to whom relationships are disclosed (GN-18).
pub(super) const PLAN: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps, PlanRole::Au];

/// Questions about affiliations.
#[derive(Default)]
pub struct AffiliationQuery;

#[Object]
impl AffiliationQuery {
    /// An organisation's affiliations, newest request first; without an organisation, for plan
    /// staff, all of the tenant's (MC-54, GN-18).
    async fn affiliations(
        &self,
        ctx: &Context<'_>,
        organization_id: Option<ID>,
        status: Option<AffiliationStatus>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AffiliationConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let viewpoint = viewpoint(organization_id.as_ref())?;
        let filter = AffiliationFilter {
            status: status.map(Into::into),
            ..AffiliationFilter::all(viewpoint)
        };
        list(ctx, filter, page, min_position).await
    }

    /// One affiliation of an organisation; without an organisation, for plan staff.
    async fn affiliation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        organization_id: Option<ID>,
        min_position: Option<Position>,
    ) -> Result<Option<Affiliation>> {
        let viewpoint = viewpoint(organization_id.as_ref())?;
        let Some(id) = absent(NodeType::Affiliation.parse(&id, "id"))? else { return Ok(None) };
        let with_papers = needs_papers(&ctx.look_ahead());
        affiliation_of(ctx, viewpoint, id, (min_position, with_papers)).await
    }

    /// Requests that the organisation is to decide, whichever side it stands on (MC-59).
    async fn pending_affiliations(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AffiliationConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let viewpoint = viewpoint(Some(&organization_id))?;
        let filter = AffiliationFilter { to_decide: true, ..AffiliationFilter::all(viewpoint) };
        list(ctx, filter, page, min_position).await
    }

    /// A submitter's Provider Network: its affiliations with providers (MC-56).
    async fn provider_network(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        status: Option<AffiliationStatus>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AffiliationConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let filter = AffiliationFilter {
            side: Some(Side::Submitter),
            status: status.map(Into::into),
            ..AffiliationFilter::all(viewpoint(Some(&organization_id))?)
        };
        list(ctx, filter, page, min_position).await
    }

    /// The Submitter Directory: open submitters, by name (MC-61). Who hides is listed to those
    /// affiliated with it only (MC-62).
    async fn submitter_directory(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        #[graphql(desc = "Part of a submitter's name.")] search: Option<String>,
        #[graphql(name = "type", desc = "A code such as `837P`: only who offers it.")] kind: Option<
            String,
        >,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<SubmitterConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let viewer: OrganizationId =
            NodeType::Organization.parse(&organization_id, "organizationId").map_err(top_level)?;
        let kind = kind
            .map(|code| field("type", TransactionType::parse(&code)))
            .transpose()
            .map_err(top_level)?;
        let mut reading =
            read(ctx, Access::Member(viewer).or_key(Scope::ReadDirectory), min_position).await?;
        require(ctx, Feature::Affiliations).await?;
        let filter = DirectoryFilter {
            viewer,
            search: search.as_deref().filter(|text| !text.trim().is_empty()),
            transaction_type: kind.map(TransactionType::code),
            now: ctx.data::<Commands>()?.journal.now(),
        };
        let asked = (page.first + 1, page.after.as_ref());
        let view = &mut reading.view;
        let found = rows::submitters(view, &filter, asked).await.map_err(|error| fault(&error))?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            let count = rows::count_submitters(view, &filter).await;
            Some(count.map_err(|error| fault(&error))?)
        } else {
            None
        };
        let ids: Vec<_> = found.iter().map(|submitter| submitter.id).collect();
        let types = rows::submitter_types(view, &ids).await;
        let mut types = types.map_err(|error| fault(&error))?;
        let listed = found.into_iter().map(|submitter| {
            let offered = types.remove(&submitter.id).unwrap_or_default();
            let listing = SubmitterListing {
                organization_id: NodeType::Organization.id(submitter.id),
                name: submitter.name,
                transaction_types: offered.into_iter().map(Into::into).collect(),
            };
            ((submitter.sort_name, submitter.id), listing)
        });
        Ok(SubmitterConnection::of(&page, Rows { rows: listed.collect(), total }))
    }

    /// A submitter's own directory profile, for its members and the plan (MC-61 to MC-63).
    async fn submitter_profile(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        min_position: Option<Position>,
    ) -> Result<SubmitterProfile> {
        let id = NodeType::Organization.parse(&organization_id, "organizationId");
        profile_of(ctx, id.map_err(top_level)?, min_position).await
    }

    /// The roles from which a signer of an affiliation agreement chooses (MC-57).
    async fn affiliation_signer_roles(&self) -> Vec<SignerRoleOption> {
        SignerRole::ALL.into_iter().map(Into::into).collect()
    }
}

/// A submitter's profile, for its members and the plan.
///
/// # Errors
/// As [`read`].
pub(super) async fn profile_of(
    ctx: &Context<'_>,
    organization: OrganizationId,
    min_position: Option<Position>,
) -> Result<SubmitterProfile> {
    let mut reading = read(
        ctx,
        Access::MemberOrPlan(organization, PLAN).or_key(Scope::ReadDirectory),
        min_position,
    )
    .await?;
    let view = &mut reading.view;
    let visible = rows::is_listed(view, organization).await.map_err(|error| fault(&error))?;
    let types = rows::submitter_types(view, &[organization.0]).await;
    let types = types.map_err(|error| fault(&error))?.remove(&organization.0).unwrap_or_default();
    Ok(SubmitterProfile {
        organization_id: NodeType::Organization.id(organization),
        visible,
        types: types.into_iter().map(Into::into).collect(),
    })
}

fn viewpoint(organization: Option<&ID>) -> Result<Viewpoint> {
    let Some(id) = organization else { return Ok(Viewpoint::Plan) };
    NodeType::Organization.parse(id, "organizationId").map(Viewpoint::Party).map_err(top_level)
}

const fn access(viewpoint: Viewpoint) -> Access {
    match viewpoint {
        Viewpoint::Party(organization) => Access::OrgAdmin(organization),
        Viewpoint::Plan => Access::Plan(PLAN),
    }
}

/// An organisation's people read affiliations while the portal has them on; the plan always does,
/// since they tell who had access.
async fn open<'a>(
    ctx: &Context<'a>,
    viewpoint: Viewpoint,
    min_position: Option<Position>,
) -> Result<Reading<'a>> {
    let reading = read(ctx, access(viewpoint).or_key(Scope::ReadDirectory), min_position).await?;
    match viewpoint {
        Viewpoint::Party(_) => require(ctx, Feature::Affiliations).await?,
        Viewpoint::Plan => {}
    }
    Ok(reading)
}

async fn list(
    ctx: &Context<'_>,
    filter: AffiliationFilter,
    page: Page<i64>,
    min_position: Option<Position>,
) -> Result<AffiliationConnection> {
    let mut reading = open(ctx, filter.viewpoint, min_position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let asked = (page.first + 1, page.after);
    let found = rows::affiliations(&mut reading.view, filter, asked, now)
        .await
        .map_err(|error| fault(&error))?;
    let look: Lookahead<'_> = ctx.look_ahead();
    let total = if look.field("totalCount").exists() {
        let count = rows::count_affiliations(&mut reading.view, filter, now).await;
        Some(count.map_err(|error| fault(&error))?)
    } else {
        None
    };
    let with_papers =
        needs_papers(&look.field("nodes")) || needs_papers(&look.field("edges").field("node"));
    let rows = show(ctx, found, with_papers).await?;
    Ok(AffiliationConnection::of(&page, Rows { rows, total }))
}

/// One affiliation, if the viewer sees it.
///
/// # Errors
/// As [`read`].
pub(super) async fn affiliation_of(
    ctx: &Context<'_>,
    viewpoint: Viewpoint,
    id: AffiliationId,
    (min_position, with_papers): (Option<Position>, bool),
) -> Result<Option<Affiliation>> {
    let mut reading = open(ctx, viewpoint, min_position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let found = rows::affiliations_by_id(&mut reading.view, viewpoint, &[id.0], now)
        .await
        .map_err(|error| fault(&error))?;
    let shown = show(ctx, found, with_papers).await?;
    Ok(shown.into_iter().next().map(|(_, affiliation)| affiliation))
}
