//! Lists of campaigns, newest first, and of their organisations.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    access_reviews::{ReviewScope, campaign::CampaignStatus},
    kernel::ids::{CampaignId, ReviewTemplateId},
};
use sqlx::{FromRow, QueryBuilder, types::Json};
use uuid::Uuid;

use crate::Snapshot;

/// One campaign.
#[derive(Clone, Debug, FromRow)]
pub struct CampaignRow {
    pub campaign_id: Uuid,
    pub name: String,
    pub scope: Json<ReviewScope>,
    /// Whether its reviews are about what changed only.
    pub changed_only: bool,
    pub status: String,
    /// Tenant position as of which the organisations were read.
    pub as_of: i64,
    pub organizations: i32,
    /// Of their ids.
    pub sha256: String,
    pub opened_by: Uuid,
    pub opened_position: i64,
    pub opened_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub grace_until: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    /// The template that it was opened by, and the date of its recurrence; without one, by hand.
    pub template_id: Option<Uuid>,
    pub due_on: Option<NaiveDate>,
    pub version: i64,
}

/// Which campaigns.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignFilter {
    pub status: Option<CampaignStatus>,
    pub template: Option<ReviewTemplateId>,
}

/// Up to `first` campaigns, newest first, after that position.
///
/// # Errors
/// The database did not answer.
pub async fn campaigns(
    view: &mut Snapshot,
    CampaignFilter { status, template }: CampaignFilter,
    (first, after): (i64, Option<i64>),
) -> Result<Vec<CampaignRow>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT * FROM read.review_campaigns c WHERE c.tenant_id = ");
    query.push_bind(view.tenant().0);
    if let Some(status) = status {
        query.push(" AND c.status = ").push_bind(status.as_str());
    }
    if let Some(template) = template {
        query.push(" AND c.template_id = ").push_bind(template.0);
    }
    if let Some(after) = after {
        query.push(" AND c.opened_position < ").push_bind(after);
    }
    query.push(" ORDER BY c.opened_position DESC LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}

/// The campaigns of these ids.
///
/// # Errors
/// The database did not answer.
pub async fn campaigns_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<CampaignRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT * FROM read.review_campaigns WHERE tenant_id = $1 AND campaign_id = ANY ($2)
          ORDER BY opened_position DESC",
    )
    .bind(view.tenant().0)
    .bind(ids.to_vec())
    .fetch_all(view.connection())
    .await
}

/// What the organisations and reviews of a campaign add up to.
#[derive(Clone, Debug, Default, FromRow)]
pub struct CampaignSums {
    pub waiting: i64,
    pub under_way: i64,
    /// Of those under way.
    pub overdue: i64,
    pub signed: i64,
    pub cancelled: i64,
    pub skipped: i64,
    pub population: i64,
    pub undecided: i64,
    pub pending: i64,
    pub kept: i64,
    pub revoked: i64,
    pub changed: i64,
    pub gone: i64,
    pub carried_forward: i64,
    /// Of the items decided, those that the policy decided, and of these those that it kept.
    pub by_policy: i64,
    pub kept_by_policy: i64,
    /// Who cannot have read what they kept, in any of its reviews.
    pub hasty_reviewers: Vec<Uuid>,
}

/// The sums of these campaigns, by one statement. Of reviews that were cancelled nothing counts.
///
/// # Errors
/// The database did not answer.
pub async fn sums(
    view: &mut Snapshot,
    campaigns: &[Uuid],
) -> Result<BTreeMap<Uuid, CampaignSums>, sqlx::Error> {
    #[derive(FromRow)]
    struct Row {
        campaign_id: Uuid,
        #[sqlx(flatten)]
        sums: CampaignSums,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT o.campaign_id,
                count(*) FILTER (WHERE o.state = 'WAITING') AS waiting,
                count(*) FILTER (WHERE o.state = 'UNDER_WAY') AS under_way,
                count(*) FILTER (WHERE o.state = 'UNDER_WAY' AND r.status = 'OVERDUE') AS overdue,
                count(*) FILTER (WHERE o.state = 'SIGNED') AS signed,
                count(*) FILTER (WHERE o.state = 'CANCELLED') AS cancelled,
                count(*) FILTER (WHERE o.state = 'SKIPPED') AS skipped,
                coalesce(sum(r.population), 0) AS population,
                coalesce(sum(r.undecided), 0) AS undecided, coalesce(sum(r.pending), 0) AS pending,
                coalesce(sum(r.kept), 0) AS kept, coalesce(sum(r.revoked), 0) AS revoked,
                coalesce(sum(r.changed), 0) AS changed, coalesce(sum(r.gone), 0) AS gone,
                coalesce(sum(r.carried_forward), 0) AS carried_forward,
                coalesce(sum(r.by_policy), 0) AS by_policy,
                coalesce(sum(r.kept_by_policy), 0) AS kept_by_policy,
                array(SELECT DISTINCT h FROM read.access_reviews x, unnest(x.hasty_reviewers) h
                       WHERE x.tenant_id = $1 AND x.campaign_id = o.campaign_id) AS hasty_reviewers
           FROM read.review_campaign_organizations o
           LEFT JOIN read.access_reviews r ON r.tenant_id = o.tenant_id AND r.review_id = o.review_id
                AND o.state IN ('UNDER_WAY', 'SIGNED')
          WHERE o.tenant_id = $1 AND o.campaign_id = ANY ($2)
          GROUP BY o.campaign_id",
    )
    .bind(view.tenant().0)
    .bind(campaigns.to_vec())
    .fetch_all(view.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (row.campaign_id, row.sums)).collect())
}

/// An organisation of a campaign.
#[derive(Clone, Debug, FromRow)]
pub struct CampaignOrganization {
    pub nth: i32,
    pub organization_id: Uuid,
    pub organization_name: Option<String>,
    pub state: String,
    pub review_id: Option<Uuid>,
    pub reason: Option<String>,
    /// Of its review, while it has one.
    pub status: Option<String>,
    pub population: Option<i32>,
    pub undecided: Option<i32>,
    pub closed_at: Option<DateTime<Utc>>,
}

/// Which organisations of a campaign.
#[derive(Clone, Debug, Default)]
pub struct OrganizationFilter {
    pub state: Option<&'static str>,
    /// Only those whose review is overdue.
    pub overdue: bool,
}

/// Up to `first` organisations of a campaign, in the order of its list, after that number.
///
/// # Errors
/// The database did not answer.
pub async fn campaign_organizations(
    view: &mut Snapshot,
    campaign: CampaignId,
    filter: OrganizationFilter,
    (first, after): (i64, Option<i32>),
) -> Result<Vec<CampaignOrganization>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "SELECT c.nth, c.organization_id, o.name AS organization_name, c.state, c.review_id, c.reason,
                r.status, r.population, r.undecided, r.closed_at
           FROM read.review_campaign_organizations c
           LEFT JOIN read.organizations o ON o.tenant_id = c.tenant_id AND o.id = c.organization_id
           LEFT JOIN read.access_reviews r ON r.tenant_id = c.tenant_id AND r.review_id = c.review_id
                AND c.state <> 'SKIPPED'
          WHERE c.tenant_id = ",
    );
    query.push_bind(view.tenant().0).push(" AND c.campaign_id = ").push_bind(campaign.0);
    if let Some(state) = filter.state {
        query.push(" AND c.state = ").push_bind(state);
    }
    if filter.overdue {
        query.push(" AND c.state = 'UNDER_WAY' AND r.status = 'OVERDUE'");
    }
    if let Some(after) = after {
        query.push(" AND c.nth > ").push_bind(after);
    }
    query.push(" ORDER BY c.nth LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}
