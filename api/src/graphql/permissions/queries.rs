//! `permissionMatrix`, `effectivePermissions`, `npiAccess`, `correspondenceTypes`.

use async_graphql::{Context, ID, Object, Result};
use rollcall_commands::{
    Access, Caller, Commands, Failure,
    permissions::{
        DIRECTORY_READERS, RightsQuestion, access_to_user, admins_have_npi, effective_rights,
    },
};
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    permissions::correspondence_types::OFFERED,
    values::Npi,
};
use rollcall_projections::{
    permission_matrix::{
        AccessKey, NpiQuestion, count_access, grants_of, held_npis, list_access, matrix_rows,
    },
    user_directory::users_by_id,
};

use super::{
    last_use::LastUse,
    rights::{EffectivePermissions, EffectiveRight, NpiAccess, NpiAccessConnection},
    types::{CorrespondenceType, PermissionMatrix},
};
use crate::graphql::{
    access_register::UsesOfPerson,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::read,
    scalars::{NpiScalar, Position},
    user_directory::{Selected, User, assemble, user_of_input},
    vocabulary::field,
};

/// Questions about permissions.
#[derive(Default)]
pub struct PermissionQuery;

#[Object]
impl PermissionQuery {
    /// What a person was granted, per NPI of the organisation (MC-39, MC-45). Everybody may ask
    /// about themself.
    async fn permission_matrix(
        &self,
        ctx: &Context<'_>,
        user_id: ID,
        organization_id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<PermissionMatrix>> {
        let (organization, user) = user_of_input(&organization_id, &user_id).map_err(top_level)?;
        let access = access_to_user(ctx.data::<Caller>()?, organization, user);
        let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let view = &mut reading.view;
        let ids = [user];
        let found = async {
            let mut users = users_by_id(view, organization, &ids, now).await?;
            let npis = held_npis(view, organization, now).await?;
            let mut grants = grants_of(view, organization, &ids, now).await?;
            Ok::<_, sqlx::Error>((users.remove(&user), npis, grants.remove(&user)))
        };
        let (row, npis, grants) = found.await.map_err(|error| fault(&error))?;
        let rows = matrix_rows(&npis, &grants.unwrap_or_default());
        Ok(row.map(|row| PermissionMatrix::of(&User::of(row), rows)))
    }

    /// What a person may do in the organisation now, and why (GN-13). Everybody may ask about
    /// themself.
    async fn effective_permissions(
        &self,
        ctx: &Context<'_>,
        user_id: ID,
        organization_id: ID,
        #[graphql(desc = "Only rights about this NPI.")] npi: Option<NpiScalar>,
        min_position: Option<Position>,
    ) -> Result<EffectivePermissions> {
        let (organization, user) = user_of_input(&organization_id, &user_id).map_err(top_level)?;
        let npi = npi.map(|npi| parse_npi(&npi)).transpose().map_err(top_level)?;
        let caller = ctx.data::<Caller>()?;
        let tenant = caller.tenant;
        let access = access_to_user(caller, organization, user).or_key(Scope::ReadDirectory);
        let mut reading = read(ctx, access, min_position).await?;
        let journal = &ctx.data::<Commands>()?.journal;
        let question = RightsQuestion { tenant, organization, user, now: journal.now() };
        let (rights, job_roles) = effective_rights(journal, question).await.map_err(refused)?;
        let wanted = |right_npi: Option<&Npi>| npi.is_none() || right_npi == npi.as_ref();
        let uses = if ctx.look_ahead().field("rights").field("lastUse").exists() {
            Some(UsesOfPerson::read(ctx, &mut reading.view, (organization, user)).await?)
        } else {
            None
        };
        let last = |right| uses.as_ref().map_or(LastUse::UNKNOWN, |uses| uses.last(right));
        let shown = rights.iter().filter(|(right, _)| wanted(right.npi()));
        let shown = shown
            .map(|(right, source)| EffectiveRight::of(right, *source, &job_roles, last(right)));
        Ok(EffectivePermissions {
            user_id: NodeType::User.id(user),
            organization_id: NodeType::Organization.id(organization),
            rights: shown.collect(),
        })
    }

    /// Who has access to an NPI of the organisation now, and why (MC-39).
    async fn npi_access(
        &self,
        ctx: &Context<'_>,
        npi: NpiScalar,
        organization_id: ID,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<NpiAccessConnection> {
        let parsed = NodeType::Organization.parse(&organization_id, "organizationId");
        let organization: OrganizationId = parsed.map_err(top_level)?;
        let npi = parse_npi(&npi).map_err(top_level)?;
        let page = Page::<AccessKey>::new(first, after).map_err(top_level)?;
        let access = Access::OrgViewerOrPlan(organization, DIRECTORY_READERS);
        let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
        let journal = &ctx.data::<Commands>()?.journal;
        let (tenant, now) = (ctx.data::<Caller>()?.tenant, journal.now());
        let admins_have_all =
            admins_have_npi(journal, (tenant, organization), &npi, now).await.map_err(refused)?;
        let npi = npi.to_string();
        let question = NpiQuestion { organization, npi, admins_have_all, now };
        let view = &mut reading.view;
        let look = ctx.look_ahead();
        let answered = async {
            let found = list_access(view, &question, page.first, page.after.as_ref()).await?;
            let ids: Vec<UserId> = found.iter().map(|(_, row)| row.user).collect();
            let mut people = users_by_id(view, organization, &ids, now).await?;
            let rows = ids.iter().filter_map(|id| people.remove(id)).collect();
            let selected = Selected::of_connection_of_user(&look);
            let users = assemble(view, organization, rows, selected, now).await?;
            let nodes = found.into_iter().zip(users);
            let rows = nodes.map(|((key, row), user)| (key, NpiAccess::of(row, user)));
            let rows = rows.collect();
            let total = match look.field("totalCount").exists() {
                true => Some(count_access(view, &question).await?),
                false => None,
            };
            Ok::<_, sqlx::Error>(Rows { rows, total })
        };
        let found = answered.await.map_err(|error| fault(&error))?;
        Ok(NpiAccessConnection::of(&page, found))
    }

    /// The types of correspondence that can be granted (MC-45).
    async fn correspondence_types(&self, ctx: &Context<'_>) -> Result<Vec<CorrespondenceType>> {
        read(ctx, Access::SignedIn.or_key(Scope::ReadDirectory), None).await?;
        Ok(OFFERED.iter().map(CorrespondenceType::from).collect())
    }
}

fn parse_npi(npi: &NpiScalar) -> Result<Npi, Refusal> {
    field("npi", Npi::parse(&npi.0))
}

fn refused(failure: Failure) -> async_graphql::Error {
    match failure {
        Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal) => top_level(refusal),
        Failure::Journal(error) => fault(&error),
        Failure::Database(error) => fault(&error),
    }
}
