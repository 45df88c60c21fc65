//! `featureMatrix`, `locationMatrix`, `jobRoles`: who was granted what (CC-08, CC-09, CX-12).

use async_graphql::{Context, ID, Object, Result};
use rollcall_commands::{Access, Commands, permissions::DIRECTORY_READERS};
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    permissions::EntitlementKind,
};
use rollcall_projections::{
    Snapshot,
    permission_matrix::{holders, job_roles},
    user_directory::{DirectoryKey, users_by_id},
};

use super::grants::{
    FeatureMatrixConnection, FeatureMatrixRow, Grants, JobRole, LocationMatrixConnection,
    LocationMatrixRow, grants_of_people,
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::read,
    scalars::Position,
    user_directory::{Selected, User, assemble},
};

/// Questions about grants.
#[derive(Default)]
pub struct GrantQuery;

#[Object]
impl GrantQuery {
    /// The active members of an organisation who were granted features or job roles, by name
    /// (CC-08).
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn feature_matrix(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<FeatureMatrixConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let kinds = [EntitlementKind::Feature, EntitlementKind::JobRole];
        let found = matrix(ctx, &organization_id, &kinds, &page, min_position).await?;
        let row = |(key, user, Grants { features, job_roles, .. })| {
            (key, FeatureMatrixRow { user, features, job_roles })
        };
        let rows = found.into_iter().map(row).collect();
        Ok(FeatureMatrixConnection::of(&page, Rows { rows, total: None }))
    }

    /// The active members of an organisation who were granted locations or tax ids, by name
    /// (CX-12, CC-02).
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn location_matrix(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<LocationMatrixConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let kinds = [EntitlementKind::Location, EntitlementKind::TaxId];
        let found = matrix(ctx, &organization_id, &kinds, &page, min_position).await?;
        let row = |(key, user, Grants { locations, tax_ids, .. })| {
            (key, LocationMatrixRow { user, locations, tax_ids })
        };
        let rows = found.into_iter().map(row).collect();
        Ok(LocationMatrixConnection::of(&page, Rows { rows, total: None }))
    }

    /// The job roles that an organisation may assign, by name: its own and those of the whole
    /// portal (CC-09). Without an organisation, for plan staff, those of the whole portal.
    async fn job_roles(
        &self,
        ctx: &Context<'_>,
        organization_id: Option<ID>,
        min_position: Option<Position>,
    ) -> Result<Vec<JobRole>> {
        let organization = organization_id.map(|id| parse(&id)).transpose().map_err(top_level)?;
        let access = organization.map_or(Access::Plan(DIRECTORY_READERS), |id| {
            Access::OrgViewerOrPlan(id, DIRECTORY_READERS)
        });
        let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
        let rows = job_roles(&mut reading.view, organization).await;
        let rows = rows.map_err(|error| fault(&error))?;
        Ok(rows.into_iter().map(JobRole::from).collect())
    }
}

fn parse(organization_id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(organization_id, "organizationId")
}

/// The people who hold grants of these kinds, with all that they were granted.
async fn matrix(
    ctx: &Context<'_>,
    organization_id: &ID,
    kinds: &[EntitlementKind],
    page: &Page<DirectoryKey>,
    min_position: Option<Position>,
) -> Result<Vec<(DirectoryKey, User, Grants)>> {
    let organization = parse(organization_id).map_err(top_level)?;
    let access = Access::OrgViewerOrPlan(organization, DIRECTORY_READERS);
    let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let view: &mut Snapshot = &mut reading.view;
    let look = ctx.look_ahead();
    let answered = async {
        let asked = (page.first + 1, page.after.as_ref());
        let keys = holders(view, organization, kinds, asked, now).await?;
        let ids: Vec<UserId> = keys.iter().map(|(_, _, user)| UserId(*user)).collect();
        let mut people = users_by_id(view, organization, &ids, now).await?;
        let rows = ids.iter().filter_map(|id| people.remove(id)).collect();
        let selected = Selected::of_connection_of_user(&look);
        let users = assemble(view, organization, rows, selected, now).await?;
        let mut grants = grants_of_people(view, organization, &ids, now).await?;
        let rows = keys.into_iter().zip(users).map(|(key, user)| {
            let held = grants.remove(&UserId(key.2)).unwrap_or_default();
            (key, user, held)
        });
        Ok::<_, sqlx::Error>(rows.collect())
    };
    answered.await.map_err(|error| fault(&error))
}
