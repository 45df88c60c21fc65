//! How facts about campaigns become rows. Invariant: one statement a fact, but for lists; a campaign has
//! few of them.

use rollcall_domain::{
    AnyEvent,
    access_reviews::campaign::{CampaignStatus, ReviewCampaignEvent, ReviewEnd, SkipReason},
};
use rollcall_journal::Recorded;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// The stored name of a reason, and the review that is one.
const fn reason_words(reason: SkipReason) -> (&'static str, Option<Uuid>) {
    match reason {
        SkipReason::OpenAlready { review } => ("OPEN_ALREADY", Some(review.0)),
        SkipReason::NothingToReview => ("NOTHING_TO_REVIEW", None),
        SkipReason::NotActive => ("NOT_ACTIVE", None),
        SkipReason::TooMany => ("TOO_MANY", None),
        SkipReason::NothingChanged { since } => ("NOTHING_CHANGED", Some(since.0)),
    }
}

/// Takes an event in, if it is one of a campaign.
pub(in super::super) async fn take_in(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
) -> Result<(), sqlx::Error> {
    use ReviewCampaignEvent as E;
    let AnyEvent::ReviewCampaign(event) = &recorded.event else { return Ok(()) };
    match event {
        E::ReviewCampaignOpened { .. } => open(tx, recorded, event).await?,
        E::CampaignOrganizationsListed { first, organizations } => {
            let ids = organizations.iter().map(|organization| organization.0).collect();
            list(tx, recorded, (*first, ids)).await?;
        }
        E::CampaignReviewOpened { organization, review, .. } => {
            let now = ("UNDER_WAY", Some(review.0), None);
            move_on(tx, recorded, organization.0, now).await?;
        }
        E::CampaignOrganizationSkipped { organization, reason } => {
            let (reason, review) = reason_words(*reason);
            move_on(tx, recorded, organization.0, ("SKIPPED", review, Some(reason))).await?;
        }
        E::CampaignReviewClosed { organization, review, end } => {
            let state = match end {
                ReviewEnd::Signed => "SIGNED",
                ReviewEnd::Cancelled => "CANCELLED",
            };
            move_on(tx, recorded, organization.0, (state, Some(review.0), None)).await?;
        }
        E::ReviewCampaignCompleted { .. } => {
            close(tx, recorded, CampaignStatus::Completed).await?;
        }
        E::ReviewCampaignCancelled { .. } => {
            close(tx, recorded, CampaignStatus::Cancelled).await?;
        }
    }
    sqlx::query(
        "UPDATE review_campaigns SET version = $3 WHERE tenant_id = $1 AND campaign_id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(recorded.sequence)
    .execute(tx)
    .await
    .map(drop)
}

async fn open(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &ReviewCampaignEvent,
) -> Result<(), sqlx::Error> {
    let ReviewCampaignEvent::ReviewCampaignOpened {
        campaign,
        name,
        scope,
        as_of,
        organizations,
        sha256,
        opened_by,
        opened_at,
        due_at,
        grace_until,
        changed_only,
        template,
    } = event
    else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO review_campaigns (tenant_id, campaign_id, name, scope, status, as_of,
           organizations, sha256, opened_by, opened_position, opened_at, due_at, grace_until, version,
           changed_only, template_id, due_on)
         VALUES ($1, $2, $3, $4, 'OPENING', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(recorded.tenant.0)
    .bind(campaign.0)
    .bind(name.as_str())
    .bind(Json(scope))
    .bind(as_of)
    .bind(i32::try_from(*organizations).unwrap_or(i32::MAX))
    .bind(sha256)
    .bind(opened_by.0)
    .bind(recorded.tenant_position)
    .bind(opened_at)
    .bind(due_at)
    .bind(grace_until)
    .bind(recorded.sequence)
    .bind(changed_only)
    .bind(template.map(|from| from.template.0))
    .bind(template.and_then(|from| from.due_on).map(|date| date.date()))
    .execute(tx)
    .await
    .map(drop)
}

async fn list(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    (first, organizations): (u32, Vec<Uuid>),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO review_campaign_organizations (tenant_id, campaign_id, nth, organization_id, state)
         SELECT $1, $2, $3 + nth - 1, id, 'WAITING'
           FROM unnest($4::uuid[]) WITH ORDINALITY listed(id, nth)",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(i32::try_from(first).unwrap_or(i32::MAX))
    .bind(organizations)
    .execute(tx)
    .await
    .map(drop)
}

/// An organisation stands elsewhere; once none waits, all reviews are open.
async fn move_on(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    organization: Uuid,
    (state, review, reason): (&str, Option<Uuid>, Option<&str>),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE review_campaign_organizations SET state = $4, review_id = $5, reason = $6
          WHERE tenant_id = $1 AND campaign_id = $2 AND organization_id = $3",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(organization)
    .bind(state)
    .bind(review)
    .bind(reason)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE review_campaigns SET status = 'OPEN'
          WHERE tenant_id = $1 AND campaign_id = $2 AND status = 'OPENING' AND NOT EXISTS (
                SELECT FROM review_campaign_organizations o
                 WHERE o.tenant_id = $1 AND o.campaign_id = $2 AND o.state = 'WAITING')",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .execute(tx)
    .await
    .map(drop)
}

async fn close(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    status: CampaignStatus,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE review_campaigns SET status = $3, closed_at = $4
          WHERE tenant_id = $1 AND campaign_id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(status.as_str())
    .bind(recorded.occurred_at)
    .execute(tx)
    .await
    .map(drop)
}
