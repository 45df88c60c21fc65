//! Organisations, registration tokens and registrations by their ids, under the rights of
//! `organization`, `registrationTokens` and `registration`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Caller, Commands};
use rollcall_domain::api_keys::Scope;
use rollcall_projections::organizations::{self, TokenRow};
use uuid::Uuid;

use super::{
    queries::{READERS, TOKEN_READERS, complete, sight},
    registrations::Registration,
    types::{Organization, RegistrationToken},
};
use crate::graphql::{
    errors::fault,
    reading::{own_or_plan, read_if_permitted},
    visiting::Visit,
};

/// The organisations of these ids, for plan staff; members see the one their session acts for.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn organizations(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Organization>> {
    let access = own_or_plan(ctx.data::<Caller>()?, Access::MemberOrPlan, READERS);
    let access = access.or_key(Scope::ReadDirectory);
    let Some(mut reading) = read_if_permitted(ctx, access).await? else {
        return Ok(HashMap::new());
    };
    let own = reading.authority.organization;
    let seen = |id: &&Uuid| reading.authority.acts_for_plan() || own.is_some_and(|o| o.0 == **id);
    let ids: Vec<Uuid> = ids.iter().filter(seen).copied().collect();
    let sight = sight(&reading.authority);
    let rows = organizations::organizations_by_id(&mut reading.view, &ids).await;
    let rows = rows.map_err(|error| fault(&error))?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let now = ctx.data::<Commands>()?.journal.now();
    let found = complete((&mut reading.view, now), rows, sight, &[ctx.look_ahead()]).await?;
    Ok(ids.into_iter().zip(found).collect())
}

/// The registration tokens of these ids, for plan staff.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn registration_tokens(
    ctx: &Context<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, RegistrationToken>> {
    let Some(mut reading) = read_if_permitted(ctx, Access::Plan(TOKEN_READERS)).await? else {
        return Ok(HashMap::new());
    };
    let now = ctx.data::<Commands>()?.journal.now();
    let found = organizations::registration_tokens_by_id(&mut reading.view, ids, now).await;
    let found = found.map_err(|error| fault(&error))?;
    let shown = |row: TokenRow| (row.id, RegistrationToken::of(row, &reading.authority));
    Ok(found.into_iter().map(shown).collect())
}

/// The registrations of these ids, for whoever holds them.
///
/// # Errors
/// UNAUTHENTICATED when the request names no tenant, or a fault.
pub async fn registrations(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Registration>> {
    let visit = Visit::of(ctx)?;
    let found = visit.commands.registrations(visit.caller.tenant, ids).await;
    let found = found.map_err(|failure| fault(&failure))?;
    Ok(found.into_iter().map(|view| (view.registration.0, Registration::from(view))).collect())
}
