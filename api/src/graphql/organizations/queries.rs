//! `organization`, `organizations`, `npis`, `registrationTokens`.

use async_graphql::{Context, ID, Lookahead, Object, Result};
use rollcall_commands::{Access, Authority, Commands};
use rollcall_domain::{
    Code, Refusal, api_keys::Scope, kernel::ids::OrganizationId, organizations::OrgRole,
    tenants::PlanRole,
};
use rollcall_projections::{
    Snapshot,
    organizations::{self, NpiSearch, OrganizationRow, OrganizationSearch, TokenFilter, TokenRow},
};
use uuid::Uuid;

use super::types::{
    Belongings, Organization, OrganizationConnection, OrganizationNpi, OrganizationNpiConnection,
    OrganizationStatus, RegistrationToken, RegistrationTokenConnection, RegistrationTokenStatus,
    Sight,
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{read, within},
    scalars::{DateTime, Position},
};

/// Plan staff who see every organisation.
pub(super) const READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps, PlanRole::Au];
/// Plan staff who see the way into organisations.
pub(super) const TOKEN_READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];
/// NPIs shown with their organisation.
const NPIS_SHOWN: i64 = 100;
/// The longest text to search for.
const MAX_SEARCH_CHARS: usize = 200;

/// Questions about organisations.
#[derive(Default)]
pub struct OrganizationsQuery;

#[Object]
impl OrganizationsQuery {
    /// An organisation, for its members and plan staff.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<Organization>> {
        let id = NodeType::Organization.parse(&id, "id").map_err(top_level)?;
        read_organization(ctx, id, min_position, ctx.look_ahead()).await
    }

    /// Every organisation on file, by name, for plan staff; `search` is part of a name or a whole
    /// NPI.
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        search: Option<String>,
        status: Option<OrganizationStatus>,
        #[graphql(
            desc = "Only open ones without an active administrator, for whom the plan appoints \
            one, or only the others (GN-10)."
        )]
        adminless: Option<bool>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<OrganizationConnection> {
        let access = Access::PlanWithin(READERS).or_key(Scope::ReadDirectory);
        let mut reading = read(ctx, access, min_position).await?;
        let page: Page<(String, Uuid)> = Page::new(first, after).map_err(top_level)?;
        let search = OrganizationSearch {
            text: search_text(search).map_err(top_level)?,
            status: status.map(|status| status.stored().to_owned()),
            adminless,
            within: within(&reading.authority, READERS),
            now: ctx.data::<Commands>()?.journal.now(),
        };
        let found = organizations::organizations(
            &mut reading.view,
            &search,
            page.after.as_ref(),
            page.first + 1,
        )
        .await
        .map_err(|error| fault(&error))?;
        let sight = sight(&reading.authority);
        let keys: Vec<_> = found.iter().map(|row| (row.name.to_lowercase(), row.id)).collect();
        let wanted = ctx.look_ahead();
        let wanted = [wanted.field("nodes"), wanted.field("edges").field("node")];
        let now = ctx.data::<Commands>()?.journal.now();
        let nodes = complete((&mut reading.view, now), found, sight, &wanted).await?;
        let rows = keys.into_iter().zip(nodes).collect();
        Ok(OrganizationConnection::of(&page, Rows { rows, total: None }))
    }

    /// The NPIs an organisation holds, by number, for its members and plan staff; `search` is the
    /// beginning of a number or part of a provider's name (MC-13).
    #[graphql(complexity = "2 + first.unwrap_or(25) as usize * child_complexity")]
    async fn npis(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        search: Option<String>,
        #[graphql(desc = "Held at this moment; now if not given.")] as_of: Option<DateTime>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<OrganizationNpiConnection> {
        let id: OrganizationId =
            NodeType::Organization.parse(&organization_id, "organizationId").map_err(top_level)?;
        let mut reading =
            read(ctx, Access::MemberOrPlan(id, READERS).or_key(Scope::ReadDirectory), min_position)
                .await?;
        let page: Page<String> = Page::new(first, after).map_err(top_level)?;
        let now = ctx.data::<Commands>()?.journal.now();
        let search = NpiSearch {
            organization: id.0,
            text: search_text(search).map_err(top_level)?,
            at: as_of.map_or(Ok(now), |at| at.parse("asOf")).map_err(top_level)?,
        };
        let found =
            organizations::npis(&mut reading.view, &search, page.after.as_deref(), page.first + 1)
                .await
                .map_err(|error| fault(&error))?;
        let total = match ctx.look_ahead().field("totalCount").exists() {
            true => Some(
                organizations::count_npis(&mut reading.view, &search)
                    .await
                    .map_err(|error| fault(&error))?,
            ),
            false => None,
        };
        let rows =
            found.into_iter().map(|row| (row.npi.clone(), OrganizationNpi::from(row))).collect();
        Ok(OrganizationNpiConnection::of(&page, Rows { rows, total }))
    }

    /// Registration tokens from the newest to the oldest, for plan staff (MC-03).
    async fn registration_tokens(
        &self,
        ctx: &Context<'_>,
        status: Option<RegistrationTokenStatus>,
        organization_id: Option<ID>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<RegistrationTokenConnection> {
        let mut reading = read(ctx, Access::PlanWithin(TOKEN_READERS), min_position).await?;
        let page: Page<Uuid> = Page::new(first, after).map_err(top_level)?;
        let organization = organization_id
            .map(|id| NodeType::Organization.parse(&id, "organizationId"))
            .transpose()
            .map_err(top_level)?;
        let filter = TokenFilter {
            status: status.map(|status| status.stored().to_owned()),
            organization,
            within: within(&reading.authority, TOKEN_READERS),
        };
        let now = ctx.data::<Commands>()?.journal.now();
        let found = organizations::registration_tokens(
            &mut reading.view,
            &filter,
            now,
            page.after,
            page.first + 1,
        )
        .await
        .map_err(|error| fault(&error))?;
        let authority = &reading.authority;
        let shown = |row: TokenRow| (row.id, RegistrationToken::of(row, authority));
        let rows = found.into_iter().map(shown).collect();
        Ok(RegistrationTokenConnection::of(&page, Rows { rows, total: None }))
    }
}

/// An organisation as its members and plan staff see it; `wanted` is the selection on it.
///
/// # Errors
/// NOT_FOUND for whoever has no part in it, or a fault.
pub async fn read_organization(
    ctx: &Context<'_>,
    id: OrganizationId,
    min_position: Option<Position>,
    wanted: Lookahead<'_>,
) -> Result<Option<Organization>> {
    let mut reading =
        read(ctx, Access::MemberOrPlan(id, READERS).or_key(Scope::ReadDirectory), min_position)
            .await?;
    let rows = organizations::organizations_by_id(&mut reading.view, &[id.0])
        .await
        .map_err(|error| fault(&error))?;
    let sight = sight(&reading.authority);
    let now = ctx.data::<Commands>()?.journal.now();
    Ok(complete((&mut reading.view, now), rows, sight, &[wanted]).await?.pop())
}

pub(super) fn sight(authority: &Authority) -> Sight {
    let plan = authority.acts_for_plan();
    Sight { tax_id: plan || authority.org_role == Some(OrgRole::Admin), address: plan }
}

/// Adds what was selected beside the rows, each by one query for all of them.
pub(super) async fn complete(
    (view, now): (&mut Snapshot, chrono::DateTime<chrono::Utc>),
    rows: Vec<OrganizationRow>,
    sight: Sight,
    wanted: &[Lookahead<'_>],
) -> Result<Vec<Organization>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let wants = |field: &str| wanted.iter().any(|selection| selection.field(field).exists());
    let mut admins = match wants("admins") {
        true => organizations::admins(view, &ids).await.map_err(|error| fault(&error))?,
        false => Default::default(),
    };
    let mut npis = match wants("npis") {
        true => organizations::first_npis(view, &ids, (NPIS_SHOWN, now))
            .await
            .map_err(|error| fault(&error))?,
        false => Default::default(),
    };
    let mut domains = match wants("emailDomains") {
        true => organizations::email_domains(view, &ids).await.map_err(|error| fault(&error))?,
        false => Default::default(),
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let belongings = Belongings {
                admins: admins.remove(&row.id).unwrap_or_default(),
                npis: npis.remove(&row.id).unwrap_or_default(),
                domains: domains.remove(&row.id).unwrap_or_default(),
            };
            Organization::of(row, belongings, sight, now)
        })
        .collect())
}

/// A text to search for; blank is none.
fn search_text(search: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(text) = search.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    if text.chars().count() > MAX_SEARCH_CHARS || text.contains('\0') {
        return Err(
            Refusal::new(Code::FieldInvalid, "Search for a shorter, printable text.").at("search")
        );
    }
    Ok(Some(text))
}
