//! The items of a review with what a reviewer needs beside them, and who came later (GN-16).
//!
//! Invariant: what was so when the list was frozen is told as of then; what is so now is told as of now.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    access_reviews::{ItemOutcome, Listing},
    kernel::ids::UserId,
};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::{AccessReviewRow, ItemRow, item_row::outcome_word, plan_roles};
use crate::{Snapshot, access_register::Moment};

/// Which items.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    /// Only those that one of these was asked to decide.
    pub delegated_to: Option<Vec<Uuid>>,
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
    /// When the permission or right was given, by which event and why; types of correspondence, when
    /// what is read for the NPI was set last.
    pub granted_at: Option<DateTime<Utc>>,
    pub grant_cause: Option<String>,
    pub grant_position: Option<i64>,
    /// When the person last began to act for the organisation.
    pub last_login_at: Option<DateTime<Utc>>,
    pub is_member: bool,
    /// The present permission.
    pub present_role: Option<String>,
    /// What was decided last about the same access of the person before this review.
    pub previous_decision: Option<String>,
    pub previous_at: Option<DateTime<Utc>>,
    pub previous_by: Option<Uuid>,
    pub previous_review: Option<Uuid>,
    /// Of a single right: whether it is held now, and with which level and end.
    pub is_held: bool,
    pub present_level: Option<String>,
    pub present_until: Option<DateTime<Utc>>,
    /// Of an NPI, and what a job role, location, tax id or key is called.
    pub provider_name: Option<String>,
    pub thing: Option<String>,
    /// Of a key, what it may be used for and when it was last.
    pub key_scopes: Option<Vec<String>>,
    pub key_used_at: Option<DateTime<Utc>>,
    /// Of a role of the plan, the organisations it counted for when the list was frozen, and counts for now; none
    /// for the whole plan.
    #[sqlx(default)]
    pub listed_organizations: Vec<Uuid>,
    #[sqlx(default)]
    pub present_organizations: Vec<Uuid>,
}

impl ItemView {
    /// Whether membership, permission or right are others than when the list was frozen.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        if self.row.is_key() {
            return !self.is_held;
        }
        if self.row.is_plan_role() {
            return !self.is_held
                || self.present_until != self.row.until
                || self.present_organizations != self.listed_organizations;
        }
        let is_other = if self.row.is_right() {
            !self.is_held
                || self.present_level != self.row.level
                || self.present_until != self.row.until
        } else {
            self.present_role != self.row.org_role
        };
        !self.is_member || is_other
    }
}

/// $1 tenant, $2 review, $3 organisation, $4 position of the list, $5 when it was frozen, $6 position of
/// the opening, $7 now. Who has no permission was let in by what made them a member.
const ITEMS: &str = "
SELECT i.*, since.valid_from AS member_since,
       coalesce(granted.valid_from, member.valid_from, k.created_at) AS granted_at,
       coalesce(granted.cause, member.cause) AS grant_cause,
       coalesce(granted.cause_position, member.cause_position, k.created_position) AS grant_position,
       coalesce(k.revoked_at IS NULL AND k.expires_at > $7, held.valid_from IS NOT NULL) AS is_held,
       held.level AS present_level, coalesce(held.until, k.expires_at) AS present_until,
       named.provider_name, coalesce(named.thing, k.name) AS thing,
       k.scopes AS key_scopes, used.last_used_at AS key_used_at,
       m.last_login_at, coalesce(m.standing = 'ACTIVE', false) AS is_member,
       m.org_role AS present_role, former.decision AS previous_decision,
       former.decided_at AS previous_at, former.decided_by AS previous_by,
       former.review_id AS previous_review
  FROM read.access_review_items i
  LEFT JOIN read.directory_members m ON m.tenant_id = $1 AND m.organization_id = $3
        AND m.user_id = i.user_id
  LEFT JOIN read.api_keys k ON k.tenant_id = $1
        AND k.key_id = CASE i.kind WHEN 'API_KEY' THEN i.name::uuid END
  LEFT JOIN ops.api_key_activity used ON used.tenant_id = $1 AND used.key_id = k.key_id
  LEFT JOIN LATERAL (
        SELECT a.valid_from, a.cause, a.cause_position FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = 'MEMBERSHIP_ACTIVE'
           AND a.organization_id = $3 AND a.known_from <= $4
           AND (a.known_to IS NULL OR a.known_to > $4) AND a.valid_from <= $5
         ORDER BY a.valid_from DESC LIMIT 1) since ON true
  LEFT JOIN LATERAL (
        SELECT a.valid_from, a.cause, a.cause_position FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id
           AND a.kind = CASE i.kind WHEN 'MEMBERSHIP' THEN 'ORG_ROLE' ELSE i.kind END
           AND a.npi IS NOT DISTINCT FROM i.npi
           AND CASE i.kind WHEN 'CORRESPONDENCE' THEN a.value @> ARRAY[i.name]
                           ELSE a.name IS NOT DISTINCT FROM i.name END
           AND a.organization_id = $3 AND a.known_from <= $4
           AND (a.known_to IS NULL OR a.known_to > $4) AND a.valid_from <= $5 AND a.valid_to > $5
         ORDER BY a.valid_from DESC LIMIT 1) granted ON true
  LEFT JOIN LATERAL (
        SELECT since.valid_from, since.cause, since.cause_position
         WHERE i.kind = 'MEMBERSHIP') member ON true
  LEFT JOIN LATERAL (
        SELECT a.valid_from, CASE i.kind WHEN 'NPI_LEVEL' THEN a.value[1] END AS level,
               CASE WHEN a.valid_to < '9999-12-31 00:00:00+00' THEN a.valid_to END AS until
          FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = i.kind
           AND a.npi IS NOT DISTINCT FROM i.npi
           AND CASE i.kind WHEN 'CORRESPONDENCE' THEN a.value @> ARRAY[i.name]
                           ELSE a.name IS NOT DISTINCT FROM i.name END
           AND a.value <> '{NONE}' AND a.organization_id = $3 AND a.known_to IS NULL
           AND a.valid_from <= $7 AND a.valid_to > $7
           AND (i.kind <> 'SUBMISSION' OR ops.submission_counts($1, a.holder_id, a.npi, $7))
         LIMIT 1) held ON true
  LEFT JOIN LATERAL (
        SELECT (SELECT p.provider_name FROM read.pins p WHERE p.tenant_id = $1 AND p.npi = i.npi
                   AND (p.organization_id = $3 OR i.kind = 'SUBMISSION') LIMIT 1) AS provider_name,
               CASE i.kind
                 WHEN 'JOB_ROLE' THEN (SELECT j.name FROM read.job_roles j
                   WHERE j.tenant_id = $1 AND j.id = i.name::uuid)
                 WHEN 'TAX_ID' THEN (SELECT t.kind || ' ' || t.last4 FROM read.tax_ids t
                   WHERE t.tenant_id = $1 AND t.id = i.name::uuid)
                 WHEN 'LOCATION' THEN (SELECT l.name FROM read.locations l
                   WHERE l.tenant_id = $1 AND l.id = i.name::uuid)
               END AS thing) named ON true
  LEFT JOIN LATERAL (
        SELECT d.decision, d.decided_at, d.decided_by, d.review_id
          FROM read.access_review_decisions d
         WHERE d.tenant_id = $1 AND d.organization_id = $3 AND d.user_id = i.user_id
           AND d.kind = i.kind AND d.npi IS NOT DISTINCT FROM i.npi
           AND d.name IS NOT DISTINCT FROM i.name AND d.position < $6
         ORDER BY d.position DESC LIMIT 1) former ON true
 WHERE i.tenant_id = $1 AND i.review_id = $2";

/// Up to `first` items of a review in the order of the list, beyond number `after`.
///
/// # Errors
/// The database did not answer.
pub async fn items(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    (filter, now): (&ItemFilter, DateTime<Utc>),
    (first, after): (i64, Option<i32>),
) -> Result<Vec<ItemView>, sqlx::Error> {
    // The shared part names its own parameters, which come first.
    let shared = match review.scope.0.listing() {
        Listing::Members | Listing::Keys => ITEMS,
        Listing::PlanRoles => plan_roles::ITEMS,
    };
    let mut query = QueryBuilder::with_arguments(shared, arguments(view.tenant().0, review, now)?);
    if let Some(members) = &filter.delegated_to {
        query.push(" AND i.delegated_to = ANY (").push_bind(members.clone()).push(")");
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
    now: DateTime<Utc>,
) -> Result<sqlx::postgres::PgArguments, sqlx::Error> {
    use sqlx::Arguments;
    let mut arguments = sqlx::postgres::PgArguments::default();
    let mut add = || {
        arguments.add(tenant)?;
        arguments.add(review.review_id)?;
        arguments.add(review.organization_id)?;
        arguments.add(review.as_of)?;
        arguments.add(review.opened_at)?;
        arguments.add(review.opened_position)?;
        arguments.add(now)
    };
    add().map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

/// How many items of a review are gone, by what they counted as before.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct GoneNow {
    pub review_id: Uuid,
    pub undecided: i64,
    pub kept: i64,
    pub carried_forward: i64,
}

/// How many items of each of these reviews are gone: the person is no active member any more, or the
/// right or the role of the plan is not held any more, or the key does not work any more; of those about
/// which nothing else was decided that took effect.
///
/// # Errors
/// The database did not answer.
pub async fn gone_now(
    view: &mut Snapshot,
    reviews: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<GoneNow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT i.review_id, count(*) FILTER (WHERE i.outcome = 'UNDECIDED') AS undecided,
                count(*) FILTER (WHERE i.outcome = 'KEPT') AS kept,
                count(*) FILTER (WHERE i.outcome = 'CARRIED_FORWARD') AS carried_forward
           FROM read.access_review_items i
           LEFT JOIN read.directory_members m ON m.tenant_id = i.tenant_id
                AND m.organization_id = i.organization_id AND m.user_id = i.user_id
          WHERE i.tenant_id = $1 AND i.review_id = ANY ($2)
            AND i.outcome IN ('UNDECIDED', 'KEPT', 'CARRIED_FORWARD')
            AND CASE WHEN i.kind = 'API_KEY' THEN NOT EXISTS (
                SELECT 1 FROM read.api_keys k
                 WHERE k.tenant_id = $1 AND k.key_id = CASE i.kind WHEN 'API_KEY' THEN i.name::uuid END
                   AND k.revoked_at IS NULL AND k.expires_at > $3)
              WHEN i.kind = 'PLAN_ROLE' THEN NOT EXISTS (
                SELECT 1 FROM read.access_intervals a
                 WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = 'PLAN_ROLE'
                   AND a.name = i.name AND a.known_to IS NULL AND a.valid_from <= $3 AND a.valid_to > $3)
              ELSE (m.standing IS DISTINCT FROM 'ACTIVE'
              OR (i.kind <> 'MEMBERSHIP' AND NOT EXISTS (
                SELECT 1 FROM read.access_intervals a
                 WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = i.kind
                   AND a.npi IS NOT DISTINCT FROM i.npi
                   AND CASE i.kind WHEN 'CORRESPONDENCE' THEN a.value @> ARRAY[i.name]
                                   ELSE a.name IS NOT DISTINCT FROM i.name END
                   AND a.value <> '{NONE}' AND a.organization_id = i.organization_id
                   AND a.known_to IS NULL AND a.valid_from <= $3 AND a.valid_to > $3
                   AND (i.kind <> 'SUBMISSION'
                        OR ops.submission_counts($1, a.holder_id, a.npi, $3))))) END
          GROUP BY i.review_id",
    )
    .bind(view.tenant().0)
    .bind(reviews.to_vec())
    .bind(now)
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
            AND d.kind = 'MEMBERSHIP' AND d.position <= $4 AND d.decided_at <= $5 AND d.decision IN ('KEEP', 'CHANGE')
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
