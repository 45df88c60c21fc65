//! Agreement texts by the ids of the events that published them; anybody may read them (MC-02).

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::Access;
use rollcall_domain::values;
use rollcall_projections::tenancy;
use uuid::Uuid;

use super::types::Agreement;
use crate::graphql::{errors::fault, reading::read_if_permitted};

/// The texts of these ids.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn agreements(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Agreement>> {
    let Some(mut reading) = read_if_permitted(ctx, Access::Public).await? else {
        return Ok(HashMap::new());
    };
    let found = tenancy::agreements_by_id(&mut reading.view, ids).await;
    let found = found.map_err(|error| fault(&error))?;
    let shown = |row: tenancy::AgreementRow| {
        let kind = values::AgreementKind::parse(&row.kind)?;
        Some((row.event_id, Agreement::of(kind.into(), row)))
    };
    Ok(found.into_iter().filter_map(shown).collect())
}
