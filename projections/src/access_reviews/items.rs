//! The items of a review with what a reviewer needs beside them, and who came later (GN-16).
//!
//! Invariant: what was so when the list was frozen is told as of then; what is so now is told as of now.

use chrono::{DateTime, Utc};
use rollcall_domain::{access_reviews::ItemOutcome, kernel::ids::UserId};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::{AccessReviewRow, ItemRow, row::outcome_word};
use crate::{Snapshot, access_register::Moment};

/// Which items.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    /// Only those that somebody was asked to decide.
    pub delegated_to: Option<UserId>,
    pub outcome: Option<ItemOutcome>,
    pub user: Option<UserId>,
    /// Only these numbers.
    pub items: Option<Vec<i32>>,
}

/// An item with what stands beside it.
#[derive(Clone, Debug, FromRow)]
pub struct ItemView {
    #[sqlx(flatten)]
    pub row: ItemRow,
    /// When the membership began that was reviewed.
    pub member_since: Option<DateTime<Utc>>,
    /// When the permission was given, by which event and why.
    pub granted_at: Option<DateTime<Utc>>,
    pub grant_cause: Option<String>,
    pub grant_position: Option<i64>,
    /// When the person last began to act for the organisation.
    pub last_login_at: Option<DateTime<Utc>>,
    pub is_member: bool,
    /// The present permission.
    pub present_role: Option<String>,
    /// What was decided last about the person here before this review.
    pub previous_decision: Option<String>,
    pub previous_at: Option<DateTime<Utc>>,
    pub previous_by: Option<Uuid>,
    pub previous_review: Option<Uuid>,
}

impl ItemView {
    /// Whether membership or permission are others than when the list was frozen.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.is_member || self.present_role.as_deref() != Some(self.row.org_role.as_str())
    }
}

/// $1 tenant, $2 review, $3 organisation, $4 position of the list, $5 when it was frozen, $6 position of
/// the opening.
const ITEMS: &str = "
SELECT i.*, since.valid_from AS member_since,
       coalesce(granted.valid_from, since.valid_from) AS granted_at,
       coalesce(granted.cause, since.cause) AS grant_cause,
       coalesce(granted.cause_position, since.cause_position) AS grant_position,
       m.last_login_at, coalesce(m.standing = 'ACTIVE', false) AS is_member,
       m.org_role AS present_role, former.decision AS previous_decision,
       former.decided_at AS previous_at, former.decided_by AS previous_by,
       former.review_id AS previous_review
  FROM read.access_review_items i
  LEFT JOIN read.directory_members m ON m.tenant_id = $1 AND m.organization_id = $3
        AND m.user_id = i.user_id
  LEFT JOIN LATERAL (
        SELECT a.valid_from, a.cause, a.cause_position FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = 'MEMBERSHIP_ACTIVE'
           AND a.organization_id = $3 AND a.known_from <= $4
           AND (a.known_to IS NULL OR a.known_to > $4) AND a.valid_from <= $5
         ORDER BY a.valid_from DESC LIMIT 1) since ON true
  LEFT JOIN LATERAL (
        SELECT a.valid_from, a.cause, a.cause_position FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = 'ORG_ROLE'
           AND a.organization_id = $3 AND a.known_from <= $4
           AND (a.known_to IS NULL OR a.known_to > $4) AND a.valid_from <= $5 AND a.valid_to > $5
         ORDER BY a.valid_from DESC LIMIT 1) granted ON true
  LEFT JOIN LATERAL (
        SELECT d.decision, d.decided_at, d.decided_by, d.review_id
          FROM read.access_review_decisions d
         WHERE d.tenant_id = $1 AND d.organization_id = $3 AND d.user_id = i.user_id
           AND d.position < $6
         ORDER BY d.position DESC LIMIT 1) former ON true
 WHERE i.tenant_id = $1 AND i.review_id = $2";

/// Up to `first` items of a review in the order of the list, beyond number `after`.
///
/// # Errors
/// The database did not answer.
pub async fn items(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    filter: &ItemFilter,
    (first, after): (i64, Option<i32>),
) -> Result<Vec<ItemView>, sqlx::Error> {
    // The shared part names its own parameters, which come first.
    let mut query = QueryBuilder::with_arguments(ITEMS, arguments(view.tenant().0, review)?);
    if let Some(user) = filter.delegated_to {
        query.push(" AND i.delegated_to = ").push_bind(user.0);
    }
    if let Some(outcome) = filter.outcome {
        query.push(" AND i.outcome = ").push_bind(outcome_word(outcome));
    }
    if let Some(user) = filter.user {
        query.push(" AND i.user_id = ").push_bind(user.0);
    }
    if let Some(items) = &filter.items {
        query.push(" AND i.item = ANY (").push_bind(items.clone()).push(")");
    }
    query.push(" AND i.item > ").push_bind(after.unwrap_or(0));
    query.push(" ORDER BY i.item LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}

fn arguments(
    tenant: Uuid,
    review: &AccessReviewRow,
) -> Result<sqlx::postgres::PgArguments, sqlx::Error> {
    use sqlx::Arguments;
    let mut arguments = sqlx::postgres::PgArguments::default();
    let mut add = || {
        arguments.add(tenant)?;
        arguments.add(review.review_id)?;
        arguments.add(review.organization_id)?;
        arguments.add(review.as_of)?;
        arguments.add(review.opened_at)?;
        arguments.add(review.opened_position)
    };
    add().map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

/// How many people of each of these reviews are no active members any more, of those about whom nothing
/// else was decided that took effect.
///
/// # Errors
/// The database did not answer.
pub async fn gone_now(
    view: &mut Snapshot,
    reviews: &[Uuid],
) -> Result<Vec<(Uuid, i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT i.review_id, count(*) FILTER (WHERE i.outcome = 'UNDECIDED'),
                count(*) FILTER (WHERE i.outcome = 'KEPT')
           FROM read.access_review_items i
           LEFT JOIN read.directory_members m ON m.tenant_id = i.tenant_id
                AND m.organization_id = i.organization_id AND m.user_id = i.user_id
          WHERE i.tenant_id = $1 AND i.review_id = ANY ($2) AND i.outcome IN ('UNDECIDED', 'KEPT')
            AND m.standing IS DISTINCT FROM 'ACTIVE'
          GROUP BY i.review_id",
    )
    .bind(view.tenant().0)
    .bind(reviews.to_vec())
    .fetch_all(view.connection())
    .await
}

/// Somebody who became a member after the list was frozen.
#[derive(Clone, Debug, FromRow)]
pub struct Joiner {
    pub user_id: Uuid,
    pub org_role: String,
    pub joined_at: DateTime<Utc>,
}

/// Active members of the organisation who are not on the list and came after it was frozen, and before
/// the review was closed; in the order in which they came.
///
/// # Errors
/// The database did not answer.
pub async fn joiners(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    now: DateTime<Utc>,
    (first, after): (i64, Option<(DateTime<Utc>, Uuid)>),
) -> Result<Vec<Joiner>, sqlx::Error> {
    let (after_at, after_user) = after.unzip();
    sqlx::query_as(
        "SELECT m.user_id, m.org_role, since.valid_from AS joined_at
           FROM read.directory_members m
          CROSS JOIN LATERAL (
                SELECT a.valid_from FROM read.access_intervals a
                 WHERE a.tenant_id = $1 AND a.user_id = m.user_id AND a.kind = 'MEMBERSHIP_ACTIVE'
                   AND a.organization_id = $2 AND a.known_to IS NULL AND a.valid_from <= $5
                   AND a.valid_to > $5
                 LIMIT 1) since
          WHERE m.tenant_id = $1 AND m.organization_id = $2 AND m.standing = 'ACTIVE'
            AND since.valid_from > $4 AND since.valid_from <= coalesce($6, $5)
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.user_id = m.user_id)
            AND ($7::timestamptz IS NULL OR (since.valid_from, m.user_id) > ($7, $8))
          ORDER BY since.valid_from, m.user_id LIMIT $9",
    )
    .bind(view.tenant().0)
    .bind(review.organization_id)
    .bind(review.review_id)
    .bind(review.opened_at)
    .bind(now)
    .bind(review.closed_at)
    .bind(after_at)
    .bind(after_user)
    .bind(first)
    .fetch_all(view.connection())
    .await
}

/// What was decided last about somebody's membership.
#[derive(Clone, Debug, FromRow)]
pub struct LastReview {
    /// Of the event.
    pub position: i64,
    pub review_id: Uuid,
    pub decision: String,
    pub decided_by: Uuid,
    pub decided_at: DateTime<Utc>,
}

/// The last review that let a membership stand, as it was or with another role, true at a moment and
/// known at a position; a decision that another took the place of does not count (GN-13, GN-14).
///
/// # Errors
/// The database did not answer.
pub async fn last_review(
    view: &mut Snapshot,
    moment: Moment,
    (user, organization): (Uuid, Uuid),
) -> Result<Option<LastReview>, sqlx::Error> {
    sqlx::query_as(
        "SELECT d.position, d.review_id, d.decision, d.decided_by, d.decided_at
           FROM read.access_review_decisions d
          WHERE d.tenant_id = $1 AND d.organization_id = $2 AND d.user_id = $3
            AND d.position <= $4 AND d.decided_at <= $5 AND d.decision IN ('KEEP', 'CHANGE')
            AND NOT EXISTS (
                SELECT 1 FROM read.access_review_decisions n
                 WHERE n.tenant_id = $1 AND n.organization_id = $2 AND n.user_id = $3
                   AND n.review_id = d.review_id AND n.item = d.item AND n.position > d.position
                   AND n.position <= $4 AND n.decided_at <= $5)
          ORDER BY d.position DESC LIMIT 1",
    )
    .bind(view.tenant().0)
    .bind(organization)
    .bind(user)
    .bind(moment.known_at)
    .bind(moment.true_at)
    .fetch_optional(view.connection())
    .await
}
