//! People and invitations by their ids, under the rights of `user` and `users`.
//!
//! Invariant: of another organisation than the one the session acts for only plan staff see anybody.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{Context, Result};
use rollcall_commands::{
    Access, Authority, Caller, Commands,
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
    reading::{own_or_plan, read_if_permitted, within},
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
        let access =
            caller.organization().map_or(Access::PlanWithin(DIRECTORY_READERS), |acted_for| {
                access_to_user(caller, acted_for, *first)
            });
        found.extend(people(ctx, access, &asked).await?);
    }
    Ok(found)
}

/// Who looks others up, and not themself, uses the right that opens the list they are in (GN-16).
pub(super) async fn note_looked_up(
    ctx: &Context<'_>,
    access: Access,
    authority: &Authority,
) -> Result<()> {
    if matches!(access, Access::OrgViewerOrPlan(..)) {
        let (commands, tenant) = (ctx.data::<Commands>()?, ctx.data::<Caller>()?.tenant);
        commands.note_question(tenant, "users", authority, Vec::new()).await;
    }
    Ok(())
}

async fn people(ctx: &Context<'_>, access: Access, ids: &[UserId]) -> Result<Vec<(Uuid, User)>> {
    let Some(mut reading) = read_if_permitted(ctx, access.or_key(Scope::ReadDirectory)).await?
    else {
        return Ok(Vec::new());
    };
    note_looked_up(ctx, access, &reading.authority).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let rows: Vec<UserRow> = match reading.authority.organization {
        Some(organization) => users_by_id(&mut reading.view, organization, ids, now)
            .await
            .map(|found| found.into_values().collect()),
        None => {
            let scope = within(&reading.authority, DIRECTORY_READERS);
            users_anywhere(&mut reading.view, ids, now, scope.as_deref()).await
        }
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
    let of_organizations = match read_if_permitted(ctx, access.or_key(Scope::ReadDirectory)).await?
    {
        Some(reading) => {
            note_looked_up(ctx, access, &reading.authority).await?;
            let scope = reading.authority.plan_scope(DIRECTORY_READERS);
            Some((reading.authority.organization, scope))
        }
        None => None,
    };
    let of_plan = read_if_permitted(ctx, Access::Plan(STAFF_READERS).or_key(Scope::ReadDirectory))
        .await?
        .is_some();
    let seen = |view: &InvitationView| match (view.organization, &of_organizations) {
        (None, _) => of_plan,
        (Some(inviting), Some((None, scope))) => scope.covers(inviting),
        (Some(inviting), Some((Some(own), _))) => inviting == *own,
        (Some(_), None) => false,
    };
    let found = ctx.data::<Commands>()?.invitations(caller.tenant, ids).await;
    let found = found.map_err(|failure| fault(&failure))?;
    let shown = |view: InvitationView| (view.invitation.0, Invitation::from(view));
    Ok(found.into_iter().filter(seen).map(shown).collect())
}
