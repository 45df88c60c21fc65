//! From rows to the schema's reviews. Invariant: the same few statements for any number of reviews, and
//! none for figures and signatures that were not asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_graphql::{Context, Lookahead, Result};
use rollcall_commands::Commands;
use rollcall_domain::{
    access_reviews::{self, AccessReviewEvent, attestation, attestation_version},
    policies,
};
use rollcall_projections::{
    Snapshot, access_register,
    access_register::Names,
    access_reviews::{AccessReviewRow, Figures, GoneNow, Of, ReviewView, figures, gone_now},
};
use uuid::Uuid;

use super::types::{
    AccessReview, AccessReviewAttestation, AccessReviewCounts, AccessReviewFigures,
    AccessReviewOccasion, AccessReviewStatus, ReviewRevocations, ReviewSecondReviewer,
};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    errors::fault,
    ids::NodeType,
    reading::policy,
    scalars::{DateTime, Position},
};

/// What was selected that costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    counts: bool,
    figures: bool,
    signed_name: bool,
}

impl Wanted {
    /// By what is selected of a review in one of these places.
    pub fn of(reviews: &[Lookahead<'_>]) -> Self {
        let any = |field: &str| reviews.iter().any(|review| review.field(field).exists());
        let name = |review: &Lookahead<'_>| review.field("attestation").field("name").exists();
        Self {
            counts: any("counts") || any("figures"),
            figures: any("figures"),
            signed_name: reviews.iter().any(name),
        }
    }
}

/// What stands beside rows.
struct Beside {
    names: Names,
    figures: BTreeMap<Uuid, Figures>,
    /// Of those under way: how many items are gone.
    gone: HashMap<Uuid, GoneNow>,
    signed: HashMap<i64, String>,
}

/// The reviews in the order of their rows.
///
/// # Errors
/// A fault.
pub(super) async fn show(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    found: Vec<ReviewView>,
    wanted: Wanted,
) -> Result<Vec<(i64, AccessReview)>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = found.iter().map(|review| review.row.review_id).collect();
    let under_way = found.iter().filter(|review| review.row.closed_at.is_none());
    let under_way: Vec<Uuid> = under_way.map(|review| review.row.review_id).collect();
    let now = ctx.data::<Commands>()?.journal.now();
    let gone = if wanted.counts {
        gone_now(view, &under_way, now).await.map_err(|error| fault(&error))?
    } else {
        Vec::new()
    };
    let figures = if wanted.figures {
        let zone = policy(ctx).await?.time_zone();
        figures(view, zone, (Of::Reviews, &ids)).await.map_err(|error| fault(&error))?
    } else {
        BTreeMap::new()
    };
    let people: BTreeSet<Uuid> = found
        .iter()
        .flat_map(|review| [review.row.opened_by, review.row.closing_by, review.row.closed_by])
        .flatten()
        .chain(figures.values().flat_map(|it| &it.reviewers).map(|pace| pace.reviewer))
        .collect();
    let names = access_register::names(view, people, [].into()).await;
    let beside = Beside {
        names: names.map_err(|error| fault(&error))?,
        figures,
        gone: gone.into_iter().map(|gone| (gone.review_id, gone)).collect(),
        signed: if wanted.signed_name { signed(ctx, view, &found).await? } else { HashMap::new() },
    };
    let shown = found.into_iter().map(|view| (view.row.opened_position, review(view, &beside)));
    Ok(shown.collect())
}

/// The names as they were signed, by the positions of the signatures.
async fn signed(
    ctx: &Context<'_>,
    view: &Snapshot,
    found: &[ReviewView],
) -> Result<HashMap<i64, String>> {
    let positions: Vec<i64> = found.iter().filter_map(|it| it.row.closed_position).collect();
    let journal = &ctx.data::<Commands>()?.journal;
    let events = journal.events_at::<access_reviews::AccessReview>(view.tenant(), &positions).await;
    let events = events.map_err(|error| fault(&error))?;
    let name = |(position, event)| {
        let AccessReviewEvent::AccessReviewCompleted { signature, .. } = event else { return None };
        Some((position, signature.name.get()?.as_str().to_owned()))
    };
    Ok(events.into_iter().filter_map(name).collect())
}

fn review(view: ReviewView, beside: &Beside) -> AccessReview {
    let ReviewView { row, organization_name } = view;
    let person = |id: Uuid| PersonReference::new(id, beside.names.people.get(&id).cloned());
    let counts = counts(&row, beside);
    let to_sign = attestation_version(row.by_policy > 0);
    let empty = Figures::default();
    let figures = beside.figures.get(&row.review_id).unwrap_or(&empty);
    AccessReview {
        id: NodeType::AccessReview.id(row.review_id),
        organization: OrganizationReference::new(row.organization_id, organization_name),
        scope: (&row.scope.0).into(),
        status: AccessReviewStatus::named(&row.status),
        changed_only: row.changed_only,
        compared_with_id: row.compared_with.map(|review| NodeType::AccessReview.id(review)),
        review_campaign_id: row.campaign_id.map(|campaign| NodeType::ReviewCampaign.id(campaign)),
        opened_by: row.opened_by.map(person),
        opened_because: occasion(&row),
        opened_at: row.opened_at.into(),
        due_at: row.due_at.into(),
        grace_until: row.grace_until.into(),
        escalated_at: row.escalated_at.map(DateTime::from),
        revocations: ReviewRevocations::named(&row.revocations),
        closing_at: row.closing_at.map(DateTime::from),
        closing_by: row.closing_by.map(person),
        self_attestation: row.self_attestation,
        second_reviewer: ReviewSecondReviewer::named(&row.second_reviewer),
        as_of_position: Position(row.as_of),
        population: row.population,
        sha256: row.sha256.clone(),
        counts,
        joiners: row.joiners,
        figures: AccessReviewFigures::of(
            (row.population, &row.hasty_reviewers),
            counts,
            figures,
            person,
        ),
        attestation: signature(&row, beside),
        results_sha256: row.results_sha256,
        closed_at: row.closed_at.map(DateTime::from),
        closed_by: row.closed_by.map(person),
        statement: attestation(to_sign).unwrap_or_default(),
        statement_version: to_sign,
        version: i32::try_from(row.version).unwrap_or(i32::MAX),
    }
}

fn occasion(row: &AccessReviewRow) -> Option<AccessReviewOccasion> {
    let (word, event) = (row.opened_because.as_deref()?, row.opened_after?);
    let change =
        policies::ReviewedChange::ALL.iter().copied().find(|change| change.as_str() == word)?;
    let audit_event_id = NodeType::AuditEvent.id(event);
    Some(AccessReviewOccasion { change: change.into(), audit_event_id })
}

/// Who left or what ended needs no decision, and was not kept.
fn counts(row: &AccessReviewRow, beside: &Beside) -> AccessReviewCounts {
    let gone = beside.gone.get(&row.review_id).copied().unwrap_or_default();
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    AccessReviewCounts {
        undecided: row.undecided - small(gone.undecided),
        pending: row.pending,
        kept: row.kept - small(gone.kept),
        revoked: row.revoked,
        changed: row.changed,
        gone: row.gone.unwrap_or_else(|| small(gone.undecided + gone.kept + gone.carried_forward)),
        carried_forward: row.carried_forward - small(gone.carried_forward),
        by_policy: row.by_policy,
        kept_by_policy: row.kept_by_policy,
    }
}

fn signature(row: &AccessReviewRow, beside: &Beside) -> Option<AccessReviewAttestation> {
    let version = row.statement.clone()?;
    let (by, at) = (row.closed_by?, row.closed_at?);
    Some(AccessReviewAttestation {
        statement: attestation(&version),
        statement_version: version,
        name: row.closed_position.and_then(|position| beside.signed.get(&position).cloned()),
        signed_by: PersonReference::new(by, beside.names.people.get(&by).cloned()),
        signed_at: at.into(),
    })
}
