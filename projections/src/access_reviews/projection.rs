//! How facts about access reviews become rows of `read.access_reviews`, of their items and decisions.
//!
//! Invariant: the parts of a list are written by one statement each; what happens to items is folded in
//! memory on the rows that stand and written by one statement for a batch.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    access_reviews::{AccessReviewEvent, ItemOutcome, ReviewItemDecision},
    kernel::ids::TenantId,
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    campaigns,
    item_row::{ItemRow, Thing, decision_words},
    row::AccessReviewRow,
    substitutes, templates,
};
use crate::readers;

/// The projection's name in checkpoints.
pub const NAME: &str = "access_reviews";

/// Keeps `read.access_reviews`, `read.access_review_items`, `read.access_review_decisions` and the tables of
/// campaigns and templates.
pub struct AccessReviews;

#[async_trait]
impl Projection<AnyEvent> for AccessReviews {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "access_reviews",
            "access_review_items",
            "access_review_decisions",
            "review_campaigns",
            "review_campaign_organizations",
            "review_templates",
            "review_substitutes",
        ]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some(first) = batch.first() else { return Ok(()) };
        for recorded in batch {
            campaigns::take_in(tx, recorded).await?;
            templates::take_in(tx, recorded).await?;
            substitutes::take_in(tx, recorded).await?;
        }
        let facts: Vec<Fact<'_>> = batch.iter().filter_map(|recorded| fact(recorded)).collect();
        for (recorded, event) in &facts {
            list(tx, recorded, event).await?;
        }
        let mut rows = Rows::standing(tx, first.tenant, &facts).await?;
        for (recorded, event) in &facts {
            rows.take_in(recorded, event)?;
        }
        rows.store(tx).await?;
        decisions(tx, first.tenant, &facts).await?;
        gone(tx, first.tenant, &facts).await?;
        Ok(())
    }
}

type Fact<'a> = (&'a Recorded<AnyEvent>, &'a AccessReviewEvent);

fn fact<'a>(recorded: &'a Recorded<AnyEvent>) -> Option<Fact<'a>> {
    let AnyEvent::AccessReview(event) = &recorded.event else { return None };
    Some((recorded, event))
}

/// Writes a part of a list.
async fn list(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &AccessReviewEvent,
) -> Result<(), sqlx::Error> {
    let rows = ItemRow::all_of(recorded, event);
    let Some(organization) = rows.first().map(|row| row.organization_id) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO access_review_items (tenant_id, review_id, organization_id, verified,
             item, user_id, org_role, kind, npi, name, level, until, outcome, certified_review,
             certified_by, certified_at)
         SELECT $1, $2, $3, false, *
           FROM unnest($4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
                       $10::text[], $11::timestamptz[], $12::text[], $13::uuid[], $14::uuid[],
                       $15::timestamptz[])",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(organization)
    .bind(rows.iter().map(|row| row.item).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.org_role.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.kind.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.npi.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.level.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.until).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.outcome.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.certified_review).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.certified_by).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.certified_at).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map(drop)
}

/// The item that an event is about.
fn item(event: &AccessReviewEvent) -> Option<i32> {
    use AccessReviewEvent as E;
    let item = match event {
        E::ReviewItemDecided(decided) => decided.item,
        E::ReviewItemDecidedByPolicy(decided) => decided.item,
        E::ReviewItemDelegated { item, .. }
        | E::ReviewItemAttested { item, .. }
        | E::ReviewItemConfirmed { item, .. }
        | E::ReviewDelegationLapsed { item, .. }
        | E::ReviewDecisionCarriedOut { item, .. }
        | E::ReviewDecisionNotCarriedOut { item, .. }
        | E::ReviewItemLeftByPolicy { item, .. } => *item,
        E::ReviewRevocationExecuted(done) | E::ReviewChangeExecuted(done) => done.item,
        E::AccessReviewOpened { .. }
        | E::ReviewItemsListed { .. }
        | E::ReviewItemsCarriedForward { .. }
        | E::HastyReviewSuspected { .. }
        | E::AccessReviewReminded { .. }
        | E::AccessReviewClosing { .. }
        | E::AccessReviewOverdue { .. }
        | E::AccessReviewEscalated { .. }
        | E::AccessReviewCompleted { .. }
        | E::AccessReviewCancelled { .. } => return None,
    };
    i32::try_from(item).ok()
}

/// The rows that a batch changes.
struct Rows {
    reviews: BTreeMap<Uuid, AccessReviewRow>,
    items: BTreeMap<(Uuid, i32), ItemRow>,
}

impl Rows {
    async fn standing(
        tx: &mut PgConnection,
        tenant: TenantId,
        facts: &[Fact<'_>],
    ) -> Result<Self, sqlx::Error> {
        let reviews: Vec<AccessReviewRow> = sqlx::query_as(
            "SELECT * FROM access_reviews WHERE tenant_id = $1 AND review_id = ANY($2)",
        )
        .bind(tenant.0)
        .bind(facts.iter().map(|(recorded, _)| recorded.aggregate_id).collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
        let touched: Vec<(Uuid, i32)> = facts
            .iter()
            .filter_map(|(recorded, event)| Some((recorded.aggregate_id, item(event)?)))
            .collect();
        let items: Vec<ItemRow> = sqlx::query_as(
            "SELECT i.* FROM (SELECT DISTINCT * FROM unnest($2::uuid[], $3::int[])) t(review_id, item)
               JOIN access_review_items i ON i.tenant_id = $1 AND i.review_id = t.review_id
                AND i.item = t.item",
        )
        .bind(tenant.0)
        .bind(touched.iter().map(|(review, _)| *review).collect::<Vec<_>>())
        .bind(touched.iter().map(|(_, item)| *item).collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
        Ok(Self {
            reviews: reviews.into_iter().map(|row| (row.review_id, row)).collect(),
            items: items.into_iter().map(|row| ((row.review_id, row.item), row)).collect(),
        })
    }

    fn take_in(
        &mut self,
        recorded: &Recorded<AnyEvent>,
        event: &AccessReviewEvent,
    ) -> Result<(), ProjectionError> {
        use AccessReviewEvent as E;
        let id = recorded.aggregate_id;
        if let Some(row) = AccessReviewRow::opened(recorded, event) {
            self.reviews.insert(id, row);
            return Ok(());
        }
        let missing = |what: &str| ProjectionError::Contradiction(format!("{what} of review {id}"));
        let review = self.reviews.get_mut(&id).ok_or_else(|| missing("no opening"))?;
        review.take_in(recorded, event);
        let Some(number) = item(event) else { return Ok(()) };
        let item = self.items.get_mut(&(id, number)).ok_or_else(|| missing("no such item"))?;
        let before = item.clone();
        match event {
            E::ReviewItemDecided(decided) => {
                let second = review.has_second_reviewer();
                item.decide(recorded, decided, second || review.keeps_for_closing());
                item.awaits_second = second;
            }
            E::ReviewItemDecidedByPolicy(decided) => item.decide_by_policy(recorded, decided),
            E::ReviewDecisionCarriedOut { .. } => item.carry(None),
            E::ReviewDecisionNotCarriedOut { refusal, .. }
            | E::ReviewItemLeftByPolicy { refusal, .. } => item.carry(Some(refusal)),
            E::ReviewItemConfirmed { by, confirmed_at, .. } => {
                item.confirm((by.0, *confirmed_at), review.keeps_for_closing());
            }
            E::ReviewItemAttested { needed, attested_at, .. } => {
                item.attest(recorded, (*needed, *attested_at));
            }
            E::ReviewDelegationLapsed { .. } => item.delegated_to = None,
            E::ReviewItemDelegated { new, .. } => item.delegated_to = new.map(|to| to.0),
            E::ReviewRevocationExecuted(done) => item.execute(done, ItemOutcome::Revoked),
            E::ReviewChangeExecuted(done) => item.execute(done, ItemOutcome::Changed),
            E::AccessReviewOpened { .. }
            | E::ReviewItemsListed { .. }
            | E::ReviewItemsCarriedForward { .. }
            | E::HastyReviewSuspected { .. }
            | E::AccessReviewReminded { .. }
            | E::AccessReviewClosing { .. }
            | E::AccessReviewOverdue { .. }
            | E::AccessReviewEscalated { .. }
            | E::AccessReviewCompleted { .. }
            | E::AccessReviewCancelled { .. } => {}
        }
        review.recount(&before, item);
        Ok(())
    }

    async fn store(self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO access_reviews
             SELECT * FROM jsonb_populate_recordset(NULL::access_reviews, $1)
             ON CONFLICT (tenant_id, review_id) DO UPDATE
                SET status = excluded.status, escalated_at = excluded.escalated_at,
                    undecided = excluded.undecided, pending = excluded.pending,
                    kept = excluded.kept, revoked = excluded.revoked, changed = excluded.changed,
                    carried_forward = excluded.carried_forward,
                    gone = excluded.gone, joiners = excluded.joiners,
                    statement = excluded.statement, results_sha256 = excluded.results_sha256,
                    closed_at = excluded.closed_at, closed_by = excluded.closed_by,
                    closed_position = excluded.closed_position,
                    hasty_reviewers = excluded.hasty_reviewers,
                    closing_at = excluded.closing_at, closing_by = excluded.closing_by,
                    by_policy = excluded.by_policy, kept_by_policy = excluded.kept_by_policy,
                    version = excluded.version",
        )
        .bind(Json(self.reviews.into_values().collect::<Vec<_>>()))
        .execute(&mut *tx)
        .await?;
        if self.items.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE access_review_items i
                SET outcome = n.outcome, delegated_to = n.delegated_to, decision = n.decision,
                    new_role = n.new_role, new_level = n.new_level, left_on = n.left_on, decided_by = n.decided_by,
                    decided_at = n.decided_at, decided_position = n.decided_position,
                    recommendation = n.recommendation, executed_at = n.executed_at,
                    verified = n.verified, delay_s = n.delay_s, remaining = n.remaining,
                    waits = n.waits, refusal = n.refusal, by_policy = n.by_policy,
                    in_place_of = n.in_place_of, needed = n.needed,
                    attested_at = n.attested_at, attested_position = n.attested_position,
                    awaits_second = n.awaits_second, confirmed_by = n.confirmed_by,
                    confirmed_at = n.confirmed_at
               FROM jsonb_populate_recordset(NULL::access_review_items, $1) n
              WHERE i.tenant_id = n.tenant_id AND i.review_id = n.review_id AND i.item = n.item",
        )
        .bind(Json(self.items.into_values().collect::<Vec<_>>()))
        .execute(&mut *tx)
        .await
        .map(drop)
    }
}

/// Writes down the decisions of a batch, each for itself.
async fn decisions(
    tx: &mut PgConnection,
    tenant: TenantId,
    facts: &[Fact<'_>],
) -> Result<(), sqlx::Error> {
    let made: Vec<(&Recorded<AnyEvent>, &ReviewItemDecision)> = facts
        .iter()
        .filter_map(|(recorded, event)| match event {
            AccessReviewEvent::ReviewItemDecided(decided) => Some((*recorded, &**decided)),
            AccessReviewEvent::AccessReviewOpened { .. }
            | AccessReviewEvent::ReviewItemsListed { .. }
            | AccessReviewEvent::ReviewItemsCarriedForward { .. }
            | AccessReviewEvent::ReviewItemConfirmed { .. }
            | AccessReviewEvent::ReviewItemAttested { .. }
            | AccessReviewEvent::ReviewItemDelegated { .. }
            | AccessReviewEvent::ReviewDelegationLapsed { .. }
            | AccessReviewEvent::AccessReviewClosing { .. }
            | AccessReviewEvent::ReviewDecisionCarriedOut { .. }
            | AccessReviewEvent::ReviewDecisionNotCarriedOut { .. }
            | AccessReviewEvent::ReviewItemDecidedByPolicy(_)
            | AccessReviewEvent::ReviewItemLeftByPolicy { .. }
            | AccessReviewEvent::ReviewRevocationExecuted(_)
            | AccessReviewEvent::ReviewChangeExecuted(_)
            | AccessReviewEvent::HastyReviewSuspected { .. }
            | AccessReviewEvent::AccessReviewReminded { .. }
            | AccessReviewEvent::AccessReviewOverdue { .. }
            | AccessReviewEvent::AccessReviewEscalated { .. }
            | AccessReviewEvent::AccessReviewCompleted { .. }
            | AccessReviewEvent::AccessReviewCancelled { .. } => None,
        })
        .collect();
    if made.is_empty() {
        return Ok(());
    }
    let of = || made.iter().map(|(_, decided)| *decided);
    let things: Vec<Thing> = of().map(|it| Thing::of(it.right.as_ref())).collect();
    sqlx::query(
        "INSERT INTO access_review_decisions (tenant_id, position, review_id, item,
                 organization_id, user_id, decision, new_role, decided_by, decided_at, is_first,
                 new_level, kind, npi, name)
         SELECT $1, * FROM unnest($2::bigint[], $3::uuid[], $4::int[], $5::uuid[], $6::uuid[],
                 $7::text[], $8::text[], $9::uuid[], $10::timestamptz[], $11::bool[],
                 $12::text[], $13::text[], $14::text[], $15::text[])",
    )
    .bind(tenant.0)
    .bind(made.iter().map(|(recorded, _)| recorded.tenant_position).collect::<Vec<_>>())
    .bind(made.iter().map(|(recorded, _)| recorded.aggregate_id).collect::<Vec<_>>())
    .bind(of().map(|it| i32::try_from(it.item).unwrap_or(i32::MAX)).collect::<Vec<_>>())
    .bind(of().map(|it| it.organization.0).collect::<Vec<_>>())
    .bind(of().map(|it| it.user.0).collect::<Vec<_>>())
    .bind(of().map(|it| decision_words(it.new).decision).collect::<Vec<_>>())
    .bind(of().map(|it| decision_words(it.new).new_role).collect::<Vec<_>>())
    .bind(of().map(|it| it.reviewer.0).collect::<Vec<_>>())
    .bind(of().map(|it| it.decided_at).collect::<Vec<_>>())
    .bind(of().map(|it| it.old.is_none()).collect::<Vec<_>>())
    .bind(of().map(|it| decision_words(it.new).new_level).collect::<Vec<_>>())
    .bind(things.iter().map(|thing| thing.kind).collect::<Vec<_>>())
    .bind(things.iter().map(|thing| thing.npi.clone()).collect::<Vec<_>>())
    .bind(things.iter().map(|thing| thing.name.clone()).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map(drop)
}

/// Writes down whose person was gone when a review was signed, after all that was decided in it.
async fn gone(
    tx: &mut PgConnection,
    tenant: TenantId,
    facts: &[Fact<'_>],
) -> Result<(), sqlx::Error> {
    for (recorded, event) in facts {
        let AccessReviewEvent::AccessReviewCompleted { gone, .. } = event else { continue };
        let gone: Vec<i32> = gone.iter().filter_map(|item| i32::try_from(*item).ok()).collect();
        // What the review itself took away is its own doing.
        sqlx::query(
            "UPDATE access_review_items SET outcome = 'GONE'
              WHERE tenant_id = $1 AND review_id = $2 AND item = ANY ($3)
                AND outcome NOT IN ('REVOKED', 'CHANGED')",
        )
        .bind(tenant.0)
        .bind(recorded.aggregate_id)
        .bind(gone)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
