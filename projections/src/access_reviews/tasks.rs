//! What waits for somebody in reviews of access, and which grants of an organisation end soon; beside other
//! lists of what is to be done, `myTasks`.
//!
//! Invariant: nobody is told to decide about themself, or what was delegated to somebody else.

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

use super::{StandsIn, queries::name_plan};
use crate::Snapshot;

/// A review that waits for somebody.
#[derive(Clone, Debug, FromRow)]
pub struct WaitingReview {
    pub review_id: Uuid,
    pub organization_id: Uuid,
    pub organization_name: Option<String>,
    pub opened_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// How many items the person may decide, what could not be carried out included; with none the review
    /// waits to be signed.
    pub items: i64,
}

/// Whose reviews.
#[derive(Clone, Debug)]
pub enum Reviewer {
    Administrator(OrganizationId),
    /// Of these organisations or of all, escalated ones, and in others what no administrator may decide: a
    /// sole one's own.
    Plan(Option<Vec<Uuid>>),
    /// Items that were delegated in an organisation, or that whom they stand in for administers.
    Delegate(OrganizationId),
}

/// Up to `first` reviews in which somebody may decide or sign, in their own place or another's, the first
/// due first.
///
/// # Errors
/// The database did not answer.
pub async fn waiting_reviews(
    view: &mut Snapshot,
    (reviewer, user, stands_in): (Reviewer, UserId, StandsIn),
    first: i64,
) -> Result<Vec<WaitingReview>, sqlx::Error> {
    let (organizations, is_plan, is_delegate) = match reviewer {
        Reviewer::Administrator(organization) => (Some(vec![organization.0]), false, false),
        Reviewer::Plan(within) => (within, true, false),
        Reviewer::Delegate(organization) => (Some(vec![organization.0]), false, true),
    };
    let found = sqlx::query_as(
        "SELECT r.review_id, r.organization_id, o.name AS organization_name, r.opened_at, r.due_at,
                open.items
           FROM read.access_reviews r
           LEFT JOIN read.organizations o ON o.tenant_id = r.tenant_id AND o.id = r.organization_id
          CROSS JOIN LATERAL (
                SELECT count(*) AS n, min(m.user_id::text)::uuid AS sole
                  FROM read.directory_members m
                 WHERE $4 AND r.escalated_at IS NULL AND m.tenant_id = $1
                   AND m.organization_id = r.organization_id AND m.standing = 'ACTIVE'
                   AND m.org_role = 'ADMIN') a
          CROSS JOIN LATERAL (
                SELECT count(*) AS items
                  FROM (SELECT u.user_id, u.delegated_to FROM read.access_review_items u
                         WHERE u.tenant_id = $1 AND u.review_id = r.review_id
                           AND u.outcome = 'UNDECIDED'
                        UNION ALL
                        SELECT p.user_id, p.delegated_to FROM read.access_review_items p
                         WHERE p.tenant_id = $1 AND p.review_id = r.review_id
                           AND p.outcome = 'PENDING' AND p.refusal IS NOT NULL
                           AND p.refusal ->> 'code' <> 'ALREADY_INACTIVE') i
                 WHERE i.user_id <> $3
                   AND (NOT $4 OR r.escalated_at IS NOT NULL
                     OR (i.delegated_to IS NULL AND (a.n = 0 OR (a.n = 1 AND i.user_id = a.sole))))
                   AND (i.delegated_to = $3 OR i.delegated_to = ANY ($7)
                     OR (NOT $5 AND (i.delegated_to IS NULL OR $4))
                     OR (i.delegated_to IS NULL AND EXISTS (
                          SELECT FROM unnest($8::uuid[]) away WHERE away <> i.user_id)))) open
          WHERE r.tenant_id = $1 AND r.status IN ('OPEN', 'OVERDUE')
            AND ($2::uuid[] IS NULL OR r.organization_id = ANY ($2))
            AND (NOT $4 OR r.escalated_at IS NOT NULL OR a.n <= 1)
            AND (open.items > 0 OR (NOT $5 AND r.undecided = 0
                 AND (NOT $4 OR r.escalated_at IS NOT NULL OR a.n = 0)
                 AND (r.closing_at IS NULL OR r.pending = (
                      SELECT count(*) FROM read.access_review_items g
                       WHERE g.tenant_id = $1 AND g.review_id = r.review_id
                         AND g.outcome = 'PENDING' AND g.refusal IS NOT NULL
                         AND g.refusal ->> 'code' = 'ALREADY_INACTIVE'))))
          ORDER BY r.due_at, r.review_id LIMIT $6",
    )
    .bind(view.tenant().0)
    .bind(organizations)
    .bind(user.0)
    .bind(is_plan)
    .bind(is_delegate)
    .bind(first)
    .bind(stands_in.users)
    .bind(stands_in.administrators)
    .fetch_all(view.connection())
    .await?;
    Ok(named(view, found))
}

fn named(view: &Snapshot, mut found: Vec<WaitingReview>) -> Vec<WaitingReview> {
    for review in &mut found {
        name_plan(view, review.organization_id, &mut review.organization_name);
    }
    found
}

/// Whose decisions somebody may confirm.
#[derive(Clone, Debug)]
pub enum Confirmer {
    Administrator(OrganizationId),
    /// Where the plan confirms, of these organisations or of all; where others do, those without another
    /// administrator who may.
    Plan(Option<Vec<Uuid>>),
}

/// Up to `first` reviews in which somebody may confirm what others decided, the first due first.
///
/// # Errors
/// The database did not answer.
pub async fn reviews_to_confirm(
    view: &mut Snapshot,
    (confirmer, user): (Confirmer, UserId),
    first: i64,
) -> Result<Vec<WaitingReview>, sqlx::Error> {
    let (organizations, is_plan) = match confirmer {
        Confirmer::Administrator(organization) => (Some(vec![organization.0]), false),
        Confirmer::Plan(within) => (within, true),
    };
    let found = sqlx::query_as(
        "SELECT r.review_id, r.organization_id, o.name AS organization_name, r.opened_at, r.due_at,
                open.items
           FROM read.access_reviews r
           LEFT JOIN read.organizations o ON o.tenant_id = r.tenant_id AND o.id = r.organization_id
          CROSS JOIN LATERAL (
                SELECT count(*) AS items FROM read.access_review_items i
                 WHERE i.tenant_id = $1 AND i.review_id = r.review_id AND i.awaits_second
                   AND i.user_id <> $3 AND i.decided_by <> $3
                   AND (NOT $4 OR r.second_reviewer = 'PLAN' OR NOT EXISTS (
                        SELECT FROM read.directory_members m
                         WHERE m.tenant_id = $1 AND m.organization_id = r.organization_id
                           AND m.standing = 'ACTIVE' AND m.org_role = 'ADMIN'
                           AND m.user_id <> i.user_id AND m.user_id <> i.decided_by))) open
          WHERE r.tenant_id = $1 AND r.status IN ('OPEN', 'OVERDUE')
            AND ($2::uuid[] IS NULL OR r.organization_id = ANY ($2))
            AND r.second_reviewer <> 'NONE' AND ($4 OR r.second_reviewer = 'REVIEWER')
            AND open.items > 0
          ORDER BY r.due_at, r.review_id LIMIT $5",
    )
    .bind(view.tenant().0)
    .bind(organizations)
    .bind(user.0)
    .bind(is_plan)
    .bind(first)
    .fetch_all(view.connection())
    .await?;
    Ok(named(view, found))
}

/// Up to `first` reviews of an organisation that ask somebody about their own access, of which they said nothing
/// yet, the first due first.
///
/// # Errors
/// The database did not answer.
pub async fn asking_reviews(
    view: &mut Snapshot,
    (organization, user): (OrganizationId, UserId),
    first: i64,
) -> Result<Vec<WaitingReview>, sqlx::Error> {
    sqlx::query_as(
        "SELECT r.review_id, r.organization_id, o.name AS organization_name, r.opened_at, r.due_at,
                own.items
           FROM read.access_reviews r
           LEFT JOIN read.organizations o ON o.tenant_id = r.tenant_id AND o.id = r.organization_id
          CROSS JOIN LATERAL (
                SELECT count(*) AS items FROM read.access_review_items i
                 WHERE i.tenant_id = $1 AND i.review_id = r.review_id AND i.user_id = $3
                   AND i.needed IS NULL AND i.outcome = 'UNDECIDED') own
          WHERE r.tenant_id = $1 AND r.organization_id = $2 AND r.self_attestation
            AND r.status IN ('OPEN', 'OVERDUE') AND r.closing_at IS NULL AND own.items > 0
          ORDER BY r.due_at, r.review_id LIMIT $4",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(user.0)
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
