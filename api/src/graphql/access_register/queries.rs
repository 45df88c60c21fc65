//! `accessRegister`. Invariant: tenant-wide for the plan, an organisation's own for its
//! administrators, one's own for everybody.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, Result};
use rollcall_commands::Commands;
use rollcall_projections::{
    Snapshot,
    access_register::{self, AccessKey},
    audit_timeline::{self, Sight},
};

use super::{
    question::Asked,
    types::{AccessEntry, AccessRegisterConnection, AccessRight},
    uses::Uses,
};
use crate::graphql::{
    errors::{fault, top_level},
    paging::{Page, Rows},
    permissions::last_use::LastUse,
    scalars::{DateTime, NpiScalar, Position},
};

/// Who may do what, and who could.
#[derive(Default)]
pub struct AccessRegisterQuery;

#[Object]
impl AccessRegisterQuery {
    /// Who could do what (GN-14): now, at a moment (`asOf`), or as it was known at a place of the
    /// journal (`asOfPosition`); with both, as true at the one and known at the other. Before the
    /// tenant's records begin it answers BEFORE_RECORDS.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "True then.")] as_of: Option<DateTime>,
        #[graphql(desc = "Known then.")] as_of_position: Option<Position>,
        #[graphql(desc = "Only rights about this NPI.")] npi: Option<NpiScalar>,
        #[graphql(desc = "Only this person's rights.")] user_id: Option<ID>,
        #[graphql(desc = "Only rights in this organisation.")] organization_id: Option<ID>,
        #[graphql(desc = "Only this right.")] right: Option<AccessRight>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AccessRegisterConnection> {
        let (user, organization) = (user_id.as_ref(), organization_id.as_ref());
        let asked = Asked::parse(as_of, as_of_position, npi, user, organization, right)
            .map_err(top_level)?;
        let page = Page::<AccessKey>::new(first, after).map_err(top_level)?;
        let (looking, mut reading) = asked.reading(ctx, min_position).await?;
        let view = &mut reading.view;
        let now = ctx.data::<Commands>()?.journal.now();
        let moment = asked.moment(view, now).await?;
        let question = asked.within(&looking).map_err(top_level)?;
        let found =
            access_register::page(view, moment, &question, page.after.as_ref(), page.first + 1)
                .await
                .map_err(|error| fault(&error))?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            let count = access_register::count(view, moment, &question).await;
            Some(count.map_err(|error| fault(&error))?)
        } else {
            None
        };
        let sentences = if selects(ctx, &["cause", "sentence"]) {
            let positions = found.iter().map(|row| row.cause_position).collect();
            sentences(view, &looking.sight, positions).await?
        } else {
            HashMap::new()
        };
        let uses = if selects(ctx, &["lastUse"]) {
            Some(Uses::of(ctx, view, moment, &found).await?)
        } else {
            None
        };
        let rows = found
            .into_iter()
            .map(|row| {
                let sentence = sentences.get(&row.cause_position).cloned();
                let last_use = uses.as_ref().map_or(LastUse::UNKNOWN, |uses| uses.last(&row));
                (row.key.clone(), AccessEntry::of(row, sentence, last_use))
            })
            .collect();
        let (as_of, position) = (moment.true_at.into(), Position(moment.known_at));
        Ok(AccessRegisterConnection::of(&page, Rows { rows, total }, as_of, position))
    }
}

/// Whether this was selected of the entries.
pub(super) fn selects(ctx: &Context<'_>, path: &[&str]) -> bool {
    let asked = ctx.look_ahead();
    [asked.field("nodes"), asked.field("edges").field("node")]
        .into_iter()
        .any(|node| path.iter().fold(node, |at, field| at.field(field)).exists())
}

/// What the events at these positions were, as far as the viewer may see them.
pub(super) async fn sentences(
    view: &mut Snapshot,
    sight: &Sight,
    mut positions: Vec<i64>,
) -> Result<HashMap<i64, String>> {
    positions.sort_unstable();
    positions.dedup();
    let told = audit_timeline::told_at(view, sight, &positions).await;
    let told = told.map_err(|error| fault(&error))?;
    Ok(told.into_iter().map(|entry| (entry.position, entry.sentence)).collect())
}
