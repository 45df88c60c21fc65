//! The roles of the plan's own people as items of a review, and those that came since (GN-15, GN-31).
//!
//! Invariant: a role is one item whichever organisations it counts for, though the access register has an interval
//! for each of them; who holds one is nobody's member, and signs in to the portal as a whole.

use chrono::{DateTime, Utc};

use super::{
    AccessReviewRow,
    joiners::{Joiner, JoinerKey, parts},
};
use crate::Snapshot;

/// As the items of an organisation: $1 tenant, $2 review, $3 the plan itself, $4 position of the list, $5 when it was
/// frozen, $6 position of the opening, $7 now.
pub(super) const ITEMS: &str = "
SELECT i.*, NULL::timestamptz AS member_since,
       listed.valid_from AS granted_at, listed.cause AS grant_cause,
       listed.cause_position AS grant_position, present.organizations IS NOT NULL AS is_held,
       NULL AS present_level, present.until AS present_until, NULL AS provider_name, NULL AS thing,
       NULL::text[] AS key_scopes, NULL::timestamptz AS key_used_at, seen.at AS last_login_at,
       false AS is_member, NULL AS present_role, former.decision AS previous_decision,
       former.decided_at AS previous_at, former.decided_by AS previous_by,
       former.review_id AS previous_review,
       coalesce(listed.organizations, '{}') AS listed_organizations,
       coalesce(present.organizations, '{}') AS present_organizations
  FROM read.access_review_items i
  LEFT JOIN LATERAL (
        SELECT min(a.valid_from) AS valid_from,
               (array_agg(a.cause ORDER BY a.valid_from, a.cause_position))[1] AS cause,
               (array_agg(a.cause_position ORDER BY a.valid_from, a.cause_position))[1] AS cause_position,
               array_remove(array_agg(a.organization_id ORDER BY a.organization_id), NULL) AS organizations
          FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = 'PLAN_ROLE' AND a.name = i.name
           AND a.known_from <= $4 AND (a.known_to IS NULL OR a.known_to > $4)
           AND a.valid_from <= $5 AND a.valid_to > $5) listed ON true
  LEFT JOIN LATERAL (
        SELECT max(CASE WHEN a.valid_to < '9999-12-31 00:00:00+00' THEN a.valid_to END) AS until,
               array_remove(array_agg(a.organization_id ORDER BY a.organization_id), NULL) AS organizations
          FROM read.access_intervals a
         WHERE a.tenant_id = $1 AND a.user_id = i.user_id AND a.kind = 'PLAN_ROLE' AND a.name = i.name
           AND a.known_to IS NULL AND a.valid_from <= $7 AND a.valid_to > $7) present ON true
  LEFT JOIN LATERAL (
        SELECT l.at FROM read.login_history l
         WHERE l.tenant_id = $1 AND l.user_id = i.user_id AND l.outcome = 'SUCCEEDED'
         ORDER BY l.position DESC LIMIT 1) seen ON true
  LEFT JOIN LATERAL (
        SELECT d.decision, d.decided_at, d.decided_by, d.review_id
          FROM read.access_review_decisions d
         WHERE d.tenant_id = $1 AND d.organization_id = $3 AND d.user_id = i.user_id
           AND d.kind = i.kind AND d.name = i.name AND d.position < $6
         ORDER BY d.position DESC LIMIT 1) former ON true
 WHERE i.tenant_id = $1 AND i.review_id = $2";

/// The roles that are held and not on the list, in the order in which they began.
pub(super) async fn joiners(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    now: DateTime<Utc>,
    (first, after): (i64, Option<JoinerKey>),
) -> Result<Vec<Joiner>, sqlx::Error> {
    let (after_at, after_user, after_what) = parts(after);
    sqlx::query_as(
        "WITH held AS (
           SELECT a.user_id, a.name, min(a.valid_from) AS joined_at,
                  max(CASE WHEN a.valid_to < '9999-12-31 00:00:00+00' THEN a.valid_to END) AS until,
                  array_remove(array_agg(a.organization_id ORDER BY a.organization_id), NULL) AS organizations
             FROM read.plan_staff s
             JOIN read.access_intervals a ON a.tenant_id = $1 AND a.user_id = s.user_id
              AND a.kind = 'PLAN_ROLE' AND a.known_to IS NULL AND a.valid_from <= $3 AND a.valid_to > $3
            WHERE s.tenant_id = $1
            GROUP BY a.user_id, a.name)
         SELECT h.user_id, 'NONE' AS org_role, h.joined_at, 'PLAN_ROLE' AS kind, NULL AS npi, h.name,
                NULL AS level, h.until, NULL AS provider_name, NULL AS thing, h.organizations
           FROM held h
          CROSS JOIN LATERAL (SELECT concat('PLAN_ROLE::', h.name) AS what) w
          WHERE h.joined_at <= coalesce($4, $3)
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $2 AND i.user_id = h.user_id AND i.kind = 'PLAN_ROLE'
                AND i.name = h.name)
            AND ($5::timestamptz IS NULL OR (h.joined_at, h.user_id, w.what) > ($5, $6, $7))
          ORDER BY h.joined_at, h.user_id, w.what LIMIT $8",
    )
    .bind(view.tenant().0)
    .bind(review.review_id)
    .bind(now)
    .bind(review.closed_at)
    .bind(after_at)
    .bind(after_user)
    .bind(after_what)
    .bind(first)
    .fetch_all(view.connection())
    .await
}

/// Those that were held at $5 and are not on the list: $1 tenant, $2 the plan itself, $3 review, $4 when the list was
/// frozen, $5 until when.
pub(super) const JOINED: &str = "
         SELECT a.user_id, min(a.valid_from) AS joined_at, NULL AS key_name, a.name AS plan_role
           FROM read.plan_staff s
           JOIN read.access_intervals a ON a.tenant_id = $1 AND a.user_id = s.user_id
            AND a.kind = 'PLAN_ROLE' AND a.known_to IS NULL AND a.valid_from <= $5 AND a.valid_to > $5
          WHERE s.tenant_id = $1
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.user_id = a.user_id AND i.kind = 'PLAN_ROLE'
                AND i.name = a.name)
          GROUP BY a.user_id, a.name ORDER BY joined_at, a.user_id, a.name";
