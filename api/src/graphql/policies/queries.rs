//! `policy`, `policyHistory`, `agreement`, `agreementHistory`.

use std::collections::BTreeMap;

use async_graphql::{Context, Object, Result};
use rollcall_commands::{Access, Caller, Commands};
use rollcall_domain::{
    kernel::ids::{PolicyProposalId, UserId},
    policies::{PolicyEvent, PolicyHistory},
    tenants::PlanRole,
    values,
};
use rollcall_projections::{
    Snapshot,
    people::persons,
    tenancy::{self, PolicyChangeRow},
};

use super::types::{
    Agreement, AgreementConnection, PolicyChange, PolicyChangeConnection, PolicyProposal,
    PolicyProposalConnection, PolicyProposalStatus, PolicyView,
};
use crate::graphql::{
    errors::{fault, top_level},
    paging::{Page, Rows},
    reading::read,
    scalars::{DateTime, Position},
    vocabulary::AgreementKind,
};

/// The health plan's people may read the rules they work under.
pub(super) const POLICY_READERS: &[PlanRole] =
    &[PlanRole::Pa, PlanRole::Ps, PlanRole::Qi, PlanRole::Ce, PlanRole::Au, PlanRole::Operator];

/// Questions about rules and agreement texts.
#[derive(Default)]
pub struct PoliciesQuery;

#[Object]
impl PoliciesQuery {
    /// The rules in force at a moment, past or to come; now if not given (GN-02).
    async fn policy(
        &self,
        ctx: &Context<'_>,
        at: Option<DateTime>,
        min_position: Option<Position>,
    ) -> Result<PolicyView> {
        read_policy(ctx, at, min_position).await
    }

    /// Every change of the rules, from the newest recorded to the oldest, those to come included.
    async fn policy_history(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<PolicyChangeConnection> {
        let mut reading = read(ctx, Access::Plan(POLICY_READERS), min_position).await?;
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let found = tenancy::policy_changes(&mut reading.view, page.after, Some(page.first + 1))
            .await
            .map_err(|error| fault(&error))?;
        let keys: Vec<i64> = found.iter().map(|row| row.sequence).collect();
        let changes = explain(ctx, &mut reading.view, found).await?;
        let rows = keys.into_iter().zip(changes).collect();
        Ok(PolicyChangeConnection::of(&page, Rows { rows, total: None }))
    }

    /// Changes that were proposed, from the newest to the oldest, for the health plan's people
    /// (GN-02).
    async fn policy_proposals(
        &self,
        ctx: &Context<'_>,
        status: Option<PolicyProposalStatus>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<PolicyProposalConnection> {
        let mut reading = read(ctx, Access::Plan(POLICY_READERS), min_position).await?;
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let asked = (page.first + 1, page.after);
        let found =
            tenancy::policy_proposals(&mut reading.view, status.map(Into::into), asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.proposed_position, row.into())).collect();
        Ok(PolicyProposalConnection::of(&page, Rows { rows, total: None }))
    }

    /// The text of a kind in force at a moment, now if not given; visitors read it before they
    /// accept it (MC-02).
    async fn agreement(
        &self,
        ctx: &Context<'_>,
        kind: AgreementKind,
        at: Option<DateTime>,
        min_position: Option<Position>,
    ) -> Result<Option<Agreement>> {
        let mut reading = read(ctx, Access::Public, min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let at = at.map_or(Ok(now), |at| at.parse("at")).map_err(top_level)?;
        let row = tenancy::agreement(&mut reading.view, stored(kind), at)
            .await
            .map_err(|error| fault(&error))?;
        Ok(row.map(|row| Agreement::of(kind, row)))
    }

    /// Every version of a kind of text, from the newest published to the oldest (MC-02).
    async fn agreement_history(
        &self,
        ctx: &Context<'_>,
        kind: AgreementKind,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AgreementConnection> {
        let mut reading = read(ctx, Access::Public, min_position).await?;
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let name = stored(kind);
        let found = tenancy::agreement_history(&mut reading.view, name, page.after, page.first + 1)
            .await
            .map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.sequence, Agreement::of(kind, row))).collect();
        Ok(AgreementConnection::of(&page, Rows { rows, total: None }))
    }
}

/// A proposal as it stands.
pub(super) async fn read_proposal(
    ctx: &Context<'_>,
    id: PolicyProposalId,
    min_position: Option<Position>,
) -> Result<Option<PolicyProposal>> {
    let mut reading = read(ctx, Access::Plan(POLICY_READERS), min_position).await?;
    let found = tenancy::policy_proposals_by_id(&mut reading.view, &[id.0]).await;
    let found = found.map_err(|error| fault(&error))?.pop();
    Ok(found.map(PolicyProposal::from))
}

/// The name a kind is stored under.
pub(super) fn stored(kind: AgreementKind) -> &'static str {
    values::AgreementKind::from(kind).as_str()
}

/// The rules at a moment with the changes that led to them.
pub(super) async fn read_policy(
    ctx: &Context<'_>,
    at: Option<DateTime>,
    min_position: Option<Position>,
) -> Result<PolicyView> {
    let mut reading = read(ctx, Access::Plan(POLICY_READERS), min_position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let at = at.map_or(Ok(now), |at| at.parse("at")).map_err(top_level)?;
    let history =
        tenancy::policy_history(&mut reading.view).await.map_err(|error| fault(&error))?;
    let rows = tenancy::policy_changes(&mut reading.view, None, None)
        .await
        .map_err(|error| fault(&error))?;
    let stream_version = rows.first().map_or(0, |row| row.sequence);
    let effective = rows.into_iter().filter(|row| row.effective_at <= at).collect();
    let changes = explain(ctx, &mut reading.view, effective).await?;
    let (version, policy) = history.at(at);
    Ok(PolicyView::of((version, policy), at.into(), changes, stream_version))
}

/// Adds who and why: names from the people table, reasons from the journal, where they are sealed.
async fn explain(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    rows: Vec<PolicyChangeRow>,
) -> Result<Vec<PolicyChange>> {
    let actors: Vec<UserId> = rows.iter().filter_map(|row| row.actor_id.map(UserId)).collect();
    let people = persons(view, &actors).await.map_err(|error| fault(&error))?;
    let wanted = ctx.look_ahead();
    let wants_reasons =
        ["changes", "nodes"].into_iter().any(|list| wanted.field(list).field("reason").exists())
            || wanted.field("edges").field("node").field("reason").exists()
            || wanted.field("policy").field("changes").field("reason").exists();
    let mut reasons = if wants_reasons { reasons(ctx).await? } else { BTreeMap::new() };
    Ok(rows
        .into_iter()
        .map(|row| {
            let actor = row.actor_id.and_then(|id| people.get(&UserId(id)));
            let reason = reasons.remove(&row.sequence);
            PolicyChange::of(row, actor, reason)
        })
        .collect())
}

/// The reasons of all changes by their place in the stream.
async fn reasons(ctx: &Context<'_>) -> Result<BTreeMap<i64, String>> {
    let tenant = ctx.data::<Caller>()?.tenant;
    let journal = &ctx.data::<Commands>()?.journal;
    let events = journal
        .events::<PolicyHistory>(tenant, tenant.policy_stream())
        .await
        .map_err(|error| fault(&error))?;
    let reason = |event: &PolicyEvent| event.reason().get().map(ToString::to_string);
    Ok((1..).zip(&events).filter_map(|(place, event)| Some((place, reason(event)?))).collect())
}
