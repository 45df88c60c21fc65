//! People and invitations by their ids, under the rights of `user` and `users`.
//!
//! Invariant: of another organisation than the one the session acts for only plan staff see anybody.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{Context, Result};
use rollcall_commands::{
    Access, Caller, Commands,
    permissions::{DIRECTORY_READERS, access_to_user},
    users::invitation::InvitationView,
};
use rollcall_domain::api_keys::Scope;
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use rollcall_projections::user_directory::{UserRow, users_anywhere, users_by_id};
use uuid::Uuid;

use super::{Selected, User, assemble};
use crate::graphql::{
    errors::fault,
    reading::{own_or_plan, read_if_permitted},
    tenants::STAFF_READERS,
    users::invitations::Invitation,
};

/// The people of these ids in the organisation the session acts for; for plan staff, in the one
/// that lists them.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn users(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, User>> {
    let caller = ctx.data::<Caller>()?;
    let (own, others): (Vec<UserId>, Vec<UserId>) =
        ids.iter().map(|id| UserId(*id)).partition(|id| caller.user() == Some(*id));
    let mut found = HashMap::new();
    for asked in [own, others] {
        let Some(first) = asked.first() else { continue };
        let access = caller.organization().map_or(Access::Plan(DIRECTORY_READERS), |acted_for| {
            access_to_user(caller, acted_for, *first)
        });
        found.extend(people(ctx, access, &asked).await?);
    }
    Ok(found)
}

async fn people(ctx: &Context<'_>, access: Access, ids: &[UserId]) -> Result<Vec<(Uuid, User)>> {
    let Some(mut reading) = read_if_permitted(ctx, access.or_key(Scope::ReadDirectory)).await?
    else {
        return Ok(Vec::new());
    };
    let now = ctx.data::<Commands>()?.journal.now();
    let rows: Vec<UserRow> = match reading.authority.organization {
        Some(organization) => users_by_id(&mut reading.view, organization, ids, now)
            .await
            .map(|found| found.into_values().collect()),
        None => users_anywhere(&mut reading.view, ids, now).await,
    }
    .map_err(|error| fault(&error))?;
    let mut by_organization: BTreeMap<Uuid, Vec<UserRow>> = BTreeMap::new();
    for row in rows {
        by_organization.entry(row.organization_id).or_default().push(row);
    }
    let selected = Selected::of(ctx.look_ahead());
    let mut found = Vec::new();
    // What is selected beside the rows is read once an organisation; of the rest nothing is read.
    for (organization, rows) in by_organization {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.person.user_id).collect();
        let organization = OrganizationId(organization);
        let users = assemble(&mut reading.view, organization, rows, selected, now).await;
        found.extend(ids.into_iter().zip(users.map_err(|error| fault(&error))?));
    }
    Ok(found)
}

/// The invitations of these ids, for those who see the invited person in a list: into organisations
/// as in `users`, into plan roles as in `planStaff`.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn invitations(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Invitation>> {
    let caller = ctx.data::<Caller>()?;
    let access = own_or_plan(caller, Access::OrgViewerOrPlan, DIRECTORY_READERS);
    let of_organizations = read_if_permitted(ctx, access.or_key(Scope::ReadDirectory))
        .await?
        .map(|reading| reading.authority.organization);
    let of_plan = read_if_permitted(ctx, Access::Plan(STAFF_READERS).or_key(Scope::ReadDirectory))
        .await?
        .is_some();
    let seen = |view: &InvitationView| match (view.organization, of_organizations) {
        (None, _) => of_plan,
        (Some(_), Some(None)) => true,
        (Some(inviting), Some(Some(own))) => inviting == own,
        (Some(_), None) => false,
    };
    let found = ctx.data::<Commands>()?.invitations(caller.tenant, ids).await;
    let found = found.map_err(|failure| fault(&failure))?;
    let shown = |view: InvitationView| (view.invitation.0, Invitation::from(view));
    Ok(found.into_iter().filter(seen).map(shown).collect())
}
