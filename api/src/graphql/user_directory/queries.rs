//! `users`, `user`, `emailDomains` (MC-14, MC-29).

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use rollcall_commands::{
    Access, Caller, Commands,
    permissions::{DIRECTORY_READERS, access_to_user},
};
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
};
use rollcall_projections::user_directory::{
    DirectoryKey, Listing, UserFilter, count_users, list_users,
};

use super::{
    loading::{Selected, assemble, domains, one},
    nodes::note_looked_up,
    types::{EmailDomain, User, UserConnection, UserStatus},
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{absent, policy, read},
    scalars::Position,
};

/// Questions about an organisation's people.
#[derive(Default)]
pub struct UserDirectoryQuery;

#[Object]
impl UserDirectoryQuery {
    /// The organisation's people by name (MC-29). Without `status`, everybody but those who never
    /// joined.
    async fn users(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        #[graphql(desc = "Part of a name, email address or user name.")] search: Option<String>,
        status: Option<UserStatus>,
        #[graphql(desc = "Domain of the email address.")] domain: Option<String>,
        #[graphql(desc = "Only those without, or only those with any permission (MC-44).")]
        unassigned: Option<bool>,
        #[graphql(desc = "Only those whose account is locked, or only the others (AL-06).")]
        locked: Option<bool>,
        #[graphql(
            desc = "Only those whom the portal will soon deactivate, or only the others: nobody \
            has given them a permission (MC-32)."
        )]
        at_risk: Option<bool>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<UserConnection> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let page = Page::<DirectoryKey>::new(first, after).map_err(top_level)?;
        let access = Access::OrgViewerOrPlan(organization, DIRECTORY_READERS);
        let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let status = status.map(Into::into);
        let waiting_since = match at_risk {
            Some(at_risk) => Some((risk(ctx, now).await?, at_risk)),
            None => None,
        };
        let filter = UserFilter { search, status, domain, unassigned, locked, waiting_since };
        let listing = Listing { organization, filter, now };
        let view = &mut reading.view;
        let found = list_users(view, &listing, page.first, page.after.as_ref())
            .await
            .map_err(|error| fault(&error))?;
        let (keys, rows): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let selected = Selected::of_connection(&ctx.look_ahead());
        let users = assemble(view, organization, rows, selected, now)
            .await
            .map_err(|error| fault(&error))?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            Some(count_users(view, &listing).await.map_err(|error| fault(&error))?)
        } else {
            None
        };
        let rows = keys.into_iter().zip(users).collect();
        Ok(UserConnection::of(&page, Rows { rows, total }))
    }

    /// One person of an organisation: information, status, permissions and history. Everybody may
    /// ask about themself.
    async fn user(
        &self,
        ctx: &Context<'_>,
        id: ID,
        organization_id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<User>> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let Some(user) = absent(NodeType::User.parse::<UserId>(&id, "id"))? else {
            return Ok(None);
        };
        let access = access_to_user(ctx.data::<Caller>()?, organization, user);
        let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
        note_looked_up(ctx, access, &reading.authority).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        one(&mut reading.view, organization, user, Selected::of(ctx.look_ahead()), now).await
    }

    /// The email domains of the organisation's people (MC-14).
    async fn email_domains(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        min_position: Option<Position>,
    ) -> Result<Vec<EmailDomain>> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let access = Access::OrgViewerOrPlan(organization, DIRECTORY_READERS);
        let mut reading = read(ctx, access.or_key(Scope::ReadDirectory), min_position).await?;
        domains(&mut reading.view, organization).await
    }
}

/// Who has waited for a first permission since then or longer is at risk; where nobody is, a time
/// before all others.
async fn risk(ctx: &Context<'_>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    Ok(policy(ctx).await?.unassigned_at_risk(now).unwrap_or(DateTime::UNIX_EPOCH))
}

fn organization(id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}
