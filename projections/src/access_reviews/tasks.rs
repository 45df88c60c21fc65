//! What waits for somebody in reviews of access, and which grants of an organisation end soon; beside other
//! lists of what is to be done, `myTasks`.
//!
//! Invariant: nobody is told to decide about themself, or what was delegated to somebody else.

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::Snapshot;

/// A review that waits for somebody.
#[derive(Clone, Debug, FromRow)]
pub struct WaitingReview {
    pub review_id: Uuid,
    pub organization_id: Uuid,
    pub organization_name: Option<String>,
    pub opened_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// How many items the person may decide; with none the review waits to be signed.
    pub items: i64,
}

/// Whose reviews.
#[derive(Clone, Debug)]
pub enum Reviewer {
    Administrator(OrganizationId),
    /// Escalated ones, of these organisations or of all.
    Plan(Option<Vec<Uuid>>),
    /// Items that were delegated in an organisation.
    Delegate(OrganizationId),
}

/// Up to `first` reviews in which somebody may decide or sign, the first due first.
///
/// # Errors
/// The database did not answer.
pub async fn waiting_reviews(
    view: &mut Snapshot,
    (reviewer, user): (Reviewer, UserId),
    first: i64,
) -> Result<Vec<WaitingReview>, sqlx::Error> {
    let (organizations, is_plan, is_delegate) = match reviewer {
        Reviewer::Administrator(organization) => (Some(vec![organization.0]), false, false),
        Reviewer::Plan(within) => (within, true, false),
        Reviewer::Delegate(organization) => (Some(vec![organization.0]), false, true),
    };
    sqlx::query_as(
        "SELECT r.review_id, r.organization_id, o.name AS organization_name, r.opened_at, r.due_at,
                open.items
           FROM read.access_reviews r
           LEFT JOIN read.organizations o ON o.tenant_id = r.tenant_id AND o.id = r.organization_id
          CROSS JOIN LATERAL (
                SELECT count(*) AS items FROM read.access_review_items i
                 WHERE i.tenant_id = $1 AND i.review_id = r.review_id AND i.outcome = 'UNDECIDED'
                   AND i.user_id <> $3
                   AND (i.delegated_to = $3 OR (NOT $5 AND (i.delegated_to IS NULL OR $4)))) open
          WHERE r.tenant_id = $1 AND r.status IN ('OPEN', 'OVERDUE')
            AND ($2::uuid[] IS NULL OR r.organization_id = ANY ($2))
            AND (NOT $4 OR r.escalated_at IS NOT NULL)
            AND (open.items > 0 OR (NOT $5 AND r.undecided = 0))
          ORDER BY r.due_at, r.review_id LIMIT $6",
    )
    .bind(view.tenant().0)
    .bind(organizations)
    .bind(user.0)
    .bind(is_plan)
    .bind(is_delegate)
    .bind(first)
    .fetch_all(view.connection())
    .await
}

/// A grant that ends by itself.
#[derive(Clone, Debug, FromRow)]
pub struct EndingGrant {
    pub user_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// The earliest end.
    pub ends_at: DateTime<Utc>,
    /// Since when that one is held.
    pub since: DateTime<Utc>,
    /// How many grants of the person end in that time.
    pub grants: i64,
}

/// Up to `first` people of an organisation, or one of them, of whom grants end after now and before
/// `until`; whoever's end first comes first.
///
/// # Errors
/// The database did not answer.
pub async fn ending_grants(
    view: &mut Snapshot,
    (organization, user): (OrganizationId, Option<UserId>),
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    first: i64,
) -> Result<Vec<EndingGrant>, sqlx::Error> {
    sqlx::query_as(
        "SELECT g.user_id, p.first_name, p.last_name, min(g.valid_to) AS ends_at,
                min(g.valid_from) AS since, count(*) AS grants
           FROM read.access_intervals g
           JOIN read.directory_members m ON m.tenant_id = g.tenant_id
                AND m.organization_id = g.organization_id AND m.user_id = g.user_id
                AND m.standing = 'ACTIVE'
           LEFT JOIN read.people p ON p.tenant_id = g.tenant_id AND p.user_id = g.user_id
          WHERE g.tenant_id = $1 AND g.organization_id = $2 AND g.known_to IS NULL
            AND g.valid_to < '9999-12-31 00:00:00+00' AND g.valid_to > $4 AND g.valid_to <= $5
            AND g.valid_from <= $4
            AND g.kind IN ('NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID')
            AND ($3::uuid IS NULL OR g.user_id = $3)
          GROUP BY g.user_id, p.first_name, p.last_name
          ORDER BY ends_at, g.user_id LIMIT $6",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(user.map(|user| user.0))
    .bind(now)
    .bind(until)
    .bind(first)
    .fetch_all(view.connection())
    .await
}
