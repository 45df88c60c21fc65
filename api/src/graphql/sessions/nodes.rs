//! The person's own live sessions by their ids, as in `sessions`.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Commands};
use rollcall_projections::sessions::sessions_by_id;
use uuid::Uuid;

use super::types::Session;
use crate::graphql::{
    errors::{fault, top_level},
    reading::{caller, policy, read_if_permitted},
};

/// The caller's live sessions of these ids.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn sessions(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Session>> {
    let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
    let limits = policy(ctx).await?.session();
    let Some(mut reading) = read_if_permitted(ctx, Access::OwnSession).await? else {
        return Ok(HashMap::new());
    };
    let user = reading.authority.person().map_err(top_level)?;
    let at = (commands.journal.now(), limits.idle);
    let rows = sessions_by_id(&mut reading.view, user, at, ids).await;
    drop(reading);
    let mut found = HashMap::new();
    for row in rows.map_err(|error| fault(&error))? {
        found.insert(row.id, Session::of_row(commands, caller, (row, limits)).await?);
    }
    Ok(found)
}
