//! `policySimulation`. Invariant: a rule is tried on just those rights that `accessRegister` shows whoever
//! asks, and nothing changes.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, Result};
use rollcall_commands::Commands;
use rollcall_domain::{Code, Refusal};
use rollcall_projections::{
    Snapshot,
    access_register::{self, AskedRight, EndingRule, InForce, Names, Reach, Whose},
    audit_timeline::Viewer,
};

use super::{
    queries::{selects, sentences},
    question::Asked,
    simulation_types::{
        PolicySimulationConnection, PolicySimulationEffect, PolicySimulationRule, Simulated,
        SimulationKey,
    },
};
use crate::graphql::{
    errors::{fault, top_level},
    paging::Page,
    reading::policy_at,
    scalars::{DateTime, Position},
};

/// What rules would do.
#[derive(Default)]
pub struct PolicySimulationQuery;

/// Rows of a page, each with its key.
type Effects = Vec<(SimulationKey, PolicySimulationEffect)>;

#[Object]
impl PolicySimulationQuery {
    /// What a rule would have done, had it been in force since `from` (GN-14, GN-16): whose rights it would
    /// have ended or blocked, and when, over what really happened. Nothing is changed by asking. A grant
    /// is told once, at the first moment the rule would have ended it. Where `from` lies before the
    /// tenant's records it answers BEFORE_RECORDS.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn policy_simulation(
        &self,
        ctx: &Context<'_>,
        rule: PolicySimulationRule,
        #[graphql(desc = "Since when the rule is taken to have been in force.")] from: DateTime,
        #[graphql(desc = "Until when; if not given, now or when `asOfPosition` was recorded.")]
        to: Option<DateTime>,
        #[graphql(desc = "Only in this organisation.")] organization_id: Option<ID>,
        #[graphql(desc = "Known then.")] as_of_position: Option<Position>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<PolicySimulationConnection> {
        let rule = rule.parse().map_err(top_level)?;
        let from = from.parse("from").map_err(top_level)?;
        let to = to.map(|to| to.parse("to")).transpose().map_err(top_level)?;
        let organization = organization_id.as_ref();
        let asked = Asked::parse(None, as_of_position, None, None, organization, None)
            .map_err(top_level)?;
        let page = Page::<SimulationKey>::new(first, after).map_err(top_level)?;
        let (looking, mut reading) = asked.reading(ctx, min_position).await?;
        if matches!(looking.viewer, Viewer::Person(_)) {
            let message = "Only administrators and auditors try rules. Ask one of them.";
            return Err(top_level(Refusal::new(Code::NotOrgAdmin, message)));
        }
        let view = &mut reading.view;
        let now = ctx.data::<Commands>()?.journal.now();
        let time = asked.in_force((from, to), view, now).await?;
        let question = asked.within(&looking).map_err(top_level)?;
        let whose = Whose { organization: question.organization, within: question.within };
        let look = ctx.look_ahead();
        let (counts, apart) = (look.field("reach").exists(), look.field("notObservable").exists());
        let mut reach = None;
        let mut not_observable = None;
        let rows = match &rule {
            Simulated::Ending(rule) => {
                let zone = policy_at(ctx, time.now).await?.time_zone();
                if counts {
                    let counted = access_register::end_counts(view, *rule, (time, zone), &whose);
                    reach = Some(counted.await.map_err(|error| fault(&error))?);
                }
                if apart && matches!(rule, EndingRule::Unused { .. }) {
                    let counted = access_register::not_observable(view, time, &whose).await;
                    not_observable = Some(counted.map_err(|error| fault(&error))?);
                }
                let tells = selects(ctx, &["cause", "sentence"]);
                let after = match &page.after {
                    None => None,
                    Some(SimulationKey::Grant(key)) => Some(*key),
                    Some(SimulationKey::Pair(_)) => return Err(top_level(another_list())),
                };
                let limit = page.first + 1;
                let found =
                    access_register::ends(view, *rule, (time, zone), &whose, (after, limit)).await;
                let found = found.map_err(|error| fault(&error))?;
                let told = if tells {
                    let causes = found.iter().map(|row| row.cause_position).collect();
                    sentences(view, &looking.sight, causes).await?
                } else {
                    HashMap::new()
                };
                let names = names(view, found.iter().map(|it| (it.user, it.organization))).await?;
                found
                    .into_iter()
                    .map(|row| {
                        let sentence = told.get(&row.cause_position).cloned();
                        let key = SimulationKey::Grant(row.key);
                        (key, PolicySimulationEffect::ended(row, &names, sentence))
                    })
                    .collect()
            }
            Simulated::Together(pair) => {
                let (found, counted) = together(view, pair, time, (&whose, &page, counts)).await?;
                reach = counted;
                found
            }
        };
        let numbers = (reach, not_observable);
        Ok(PolicySimulationConnection::of(&page, rows, numbers, time))
    }
}

fn another_list() -> Refusal {
    Refusal::new(Code::FieldInvalid, "Pass a cursor that this list gave.").at("after")
}

async fn together(
    view: &mut Snapshot,
    (one, other): &(AskedRight, AskedRight),
    time: InForce,
    (whose, page, counts): (&Whose, &Page<SimulationKey>, bool),
) -> Result<(Effects, Option<Reach>)> {
    let narrow = [one, other].into_iter().any(access_register::is_found_by_grants);
    if !narrow && whose.organization.is_none() {
        let message = "Name an organization: roles give both rights to very many.";
        return Err(top_level(Refusal::new(Code::FieldRequired, message).at("organizationId")));
    }
    let after = match &page.after {
        None => None,
        Some(SimulationKey::Pair(key)) => Some(key),
        Some(SimulationKey::Grant(_)) => return Err(top_level(another_list())),
    };
    let limit = usize::try_from(page.first + 1).unwrap_or(1);
    let rights = (one, other);
    let found = access_register::conflicts(view, rights, time, whose, (after, limit)).await;
    let found = found.map_err(|error| fault(&error))?;
    let reach = if counts {
        let counted = access_register::conflict_counts(view, rights, time, whose).await;
        Some(counted.map_err(|error| fault(&error))?)
    } else {
        None
    };
    let names = names(view, found.iter().map(|it| (it.user, it.organization))).await?;
    let rows = found.into_iter().map(|row| {
        let key = SimulationKey::Pair(row.key.clone());
        (key, PolicySimulationEffect::blocked(row, time, &names))
    });
    Ok((rows.collect(), reach))
}

async fn names(
    view: &mut Snapshot,
    of: impl Iterator<Item = (uuid::Uuid, Option<uuid::Uuid>)> + Clone,
) -> Result<Names> {
    let people = of.clone().map(|(user, _)| user).collect();
    let places = of.filter_map(|(_, organization)| organization).collect();
    access_register::names(view, people, places).await.map_err(|error| fault(&error))
}
