//! Templates by their ids, under the rights of `reviewTemplate`.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{Context, Result};
use rollcall_commands::Commands;
use rollcall_projections::{
    Snapshot, access_register,
    access_reviews::{TemplateRow, templates_by_id},
};
use uuid::Uuid;

use super::{super::sight::looking_at_all, types::ReviewTemplate};
use crate::graphql::{audit::PersonReference, errors::fault, reading::policy};

/// The templates in the order of their rows.
///
/// # Errors
/// A fault.
pub(super) async fn show(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    found: &[TemplateRow],
) -> Result<Vec<(i64, ReviewTemplate)>> {
    let people: BTreeSet<Uuid> = found.iter().map(|row| row.set_by).collect();
    let names = access_register::names(view, people, [].into()).await;
    let names = names.map_err(|error| fault(&error))?;
    let at = (policy(ctx).await?.time_zone(), ctx.data::<Commands>()?.journal.now());
    let shown = found.iter().map(|row| {
        let set_by = PersonReference::new(row.set_by, names.people.get(&row.set_by).cloned());
        (row.created_position, ReviewTemplate::of(row, set_by, at))
    });
    Ok(shown.collect())
}

/// The templates of these ids that the reader sees.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn review_templates(
    ctx: &Context<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, ReviewTemplate>> {
    let Some(mut looking) = looking_at_all(ctx, None).await? else { return Ok(HashMap::new()) };
    let view = &mut looking.reading.view;
    let found = templates_by_id(view, ids).await.map_err(|error| fault(&error))?;
    let shown = show(ctx, view, &found).await?;
    let ids = found.iter().map(|row| row.template_id);
    Ok(ids.zip(shown).map(|(id, (_, template))| (id, template)).collect())
}
