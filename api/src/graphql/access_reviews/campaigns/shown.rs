//! From rows to the schema's campaigns. Invariant: the same few statements for any number of them.

use std::collections::BTreeMap;

use async_graphql::{Context, Lookahead, Result};
use rollcall_projections::{
    Snapshot, access_register,
    access_reviews::{CampaignOrganization, CampaignRow, CampaignSums, Figures, Of, figures, sums},
};
use uuid::Uuid;

use super::{
    super::types::{AccessReviewCounts, AccessReviewFigures, AccessReviewStatus},
    types::{
        ReviewCampaign, ReviewCampaignOrganization, ReviewCampaignOrganizationCounts,
        ReviewCampaignSkipReason, ReviewCampaignState, ReviewCampaignStatus,
    },
};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    errors::fault,
    ids::NodeType,
    reading::policy,
    scalars::{Date, DateTime, Position},
};

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The campaigns in the order of their rows; figures only where they were selected in one of these
/// places.
///
/// # Errors
/// A fault.
pub(super) async fn show(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    found: Vec<CampaignRow>,
    looks: &[Lookahead<'_>],
) -> Result<Vec<(i64, ReviewCampaign)>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = found.iter().map(|row| row.campaign_id).collect();
    let sums = sums(view, &ids).await.map_err(|error| fault(&error))?;
    let of = if looks.iter().any(|look| look.field("figures").exists()) {
        let zone = policy(ctx).await?.time_zone();
        figures(view, zone, (Of::Campaigns, &ids)).await.map_err(|error| fault(&error))?
    } else {
        BTreeMap::new()
    };
    let reviewers = of.values().flat_map(|figures| &figures.reviewers).map(|pace| pace.reviewer);
    let people = found.iter().map(|row| row.opened_by).chain(reviewers).collect();
    let names = access_register::names(view, people, [].into()).await;
    let names = names.map_err(|error| fault(&error))?;
    let shown = found.into_iter().map(|row| {
        let sums = sums.get(&row.campaign_id).cloned().unwrap_or_default();
        let figures = of.get(&row.campaign_id).cloned().unwrap_or_default();
        let person = |id: Uuid| PersonReference::new(id, names.people.get(&id).cloned());
        (row.opened_position, campaign(row, person, &sums, &figures))
    });
    Ok(shown.collect())
}

fn campaign(
    row: CampaignRow,
    person: impl Fn(Uuid) -> PersonReference,
    sums: &CampaignSums,
    figures: &Figures,
) -> ReviewCampaign {
    let counts = AccessReviewCounts {
        undecided: small(sums.undecided),
        pending: small(sums.pending),
        kept: small(sums.kept),
        revoked: small(sums.revoked),
        changed: small(sums.changed),
        gone: small(sums.gone),
        carried_forward: small(sums.carried_forward),
        by_policy: small(sums.by_policy),
        kept_by_policy: small(sums.kept_by_policy),
    };
    let population = small(sums.population);
    ReviewCampaign {
        id: NodeType::ReviewCampaign.id(row.campaign_id),
        name: row.name,
        scope: (&row.scope.0).into(),
        changed_only: row.changed_only,
        status: ReviewCampaignStatus::named(&row.status),
        opened_by: person(row.opened_by),
        review_template_id: row.template_id.map(|id| NodeType::ReviewTemplate.id(id)),
        due_on: row.due_on.map(Date::from),
        opened_at: row.opened_at.into(),
        due_at: row.due_at.into(),
        grace_until: row.grace_until.into(),
        as_of_position: Position(row.as_of),
        sha256: row.sha256,
        organizations: ReviewCampaignOrganizationCounts {
            total: row.organizations,
            waiting: small(sums.waiting),
            under_way: small(sums.under_way),
            overdue: small(sums.overdue),
            signed: small(sums.signed),
            cancelled: small(sums.cancelled),
            skipped: small(sums.skipped),
        },
        population,
        counts,
        figures: AccessReviewFigures::of(
            (population, &sums.hasty_reviewers),
            counts,
            figures,
            person,
        ),
        closed_at: row.closed_at.map(DateTime::from),
        version: small(row.version),
    }
}

pub(super) fn organization(row: CampaignOrganization) -> (i32, ReviewCampaignOrganization) {
    let shown = ReviewCampaignOrganization {
        number: row.nth,
        organization: OrganizationReference::new(row.organization_id, row.organization_name),
        state: ReviewCampaignState::named(&row.state),
        access_review_id: row.review_id.map(|review| NodeType::AccessReview.id(review)),
        skip_reason: row.reason.as_deref().and_then(ReviewCampaignSkipReason::named),
        status: row.status.as_deref().map(AccessReviewStatus::named),
        population: row.population,
        undecided: row.undecided,
        closed_at: row.closed_at.map(DateTime::from),
    };
    (row.nth, shown)
}
