//! Who, or what right, is in a review's scope by now and not on its list (GN-16).
//!
//! Invariant: one key tells two apart and orders a page: since when, who, and what.

use chrono::{DateTime, Utc};
use rollcall_domain::access_reviews::{Listing, ReviewScope};
use sqlx::FromRow;
use uuid::Uuid;

use super::{AccessReviewRow, plan_roles};
use crate::Snapshot;

/// Somebody who became a member after the list was frozen, or a right that came into scope.
#[derive(Clone, Debug, FromRow)]
pub struct Joiner {
    pub user_id: Uuid,
    pub org_role: String,
    pub joined_at: DateTime<Utc>,
    /// MEMBERSHIP, the right or role as `read.access_intervals` names it, or API_KEY.
    pub kind: String,
    pub npi: Option<String>,
    pub name: Option<String>,
    pub level: Option<String>,
    pub until: Option<DateTime<Utc>>,
    pub provider_name: Option<String>,
    pub thing: Option<String>,
    /// Of a key, what it may be used for.
    #[sqlx(default)]
    pub key_scopes: Option<Vec<String>>,
    /// Of a role of the plan, the organisations it counts for; none for the whole plan.
    #[sqlx(default)]
    pub organizations: Vec<Uuid>,
}

/// By what a page goes on.
pub type JoinerKey = (DateTime<Utc>, Uuid, String);

/// Its parts, each to be bound by itself.
pub(super) fn parts(
    after: Option<JoinerKey>,
) -> (Option<DateTime<Utc>>, Option<Uuid>, Option<String>) {
    let (at, rest) = after.map(|(at, user, what)| (at, (user, what))).unzip();
    let (user, what) = rest.unzip();
    (at, user, what)
}

impl Joiner {
    /// Its place in the list.
    #[must_use]
    pub fn key(&self) -> JoinerKey {
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        let what = format!("{}:{}:{}", self.kind, word(&self.npi), word(&self.name));
        (self.joined_at, self.user_id, what)
    }
}

/// Active members of the organisation, or rights of theirs that are in scope, which are not on the list
/// and came before the review was closed; in the order in which they came.
///
/// # Errors
/// The database did not answer.
pub async fn joiners(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    now: DateTime<Utc>,
    (first, after): (i64, Option<JoinerKey>),
) -> Result<Vec<Joiner>, sqlx::Error> {
    match review.scope.0.listing() {
        Listing::Keys => return keys(view, review, now, (first, after)).await,
        Listing::PlanRoles => return plan_roles::joiners(view, review, now, (first, after)).await,
        Listing::Members if review.scope.0.is_of_rights() => {
            return rights(view, review, now, (first, after)).await;
        }
        Listing::Members => {}
    }
    let (after_at, after_user) = after.map(|(at, user, _)| (at, user)).unzip();
    // Whoever became an administrator came into scope then.
    let is_of_administrators = review.scope.0 == ReviewScope::Administrators;
    let kind = if is_of_administrators { "ORG_ROLE" } else { "MEMBERSHIP_ACTIVE" };
    sqlx::query_as(
        "SELECT m.user_id, m.org_role, since.valid_from AS joined_at, 'MEMBERSHIP' AS kind,
                NULL AS npi, NULL AS name, NULL AS level, NULL::timestamptz AS until,
                NULL AS provider_name, NULL AS thing
           FROM read.directory_members m
          CROSS JOIN LATERAL (
                SELECT a.valid_from FROM read.access_intervals a
                 WHERE a.tenant_id = $1 AND a.user_id = m.user_id AND a.kind = $10
                   AND a.organization_id = $2 AND a.known_to IS NULL AND a.valid_from <= $5
                   AND a.valid_to > $5 AND ($10 <> 'ORG_ROLE' OR a.value = '{ADMIN}')
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
    .bind(kind)
    .fetch_all(view.connection())
    .await
}

/// The organisation's keys that work and are not on the list, whoever made them.
async fn keys(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    now: DateTime<Utc>,
    (first, after): (i64, Option<JoinerKey>),
) -> Result<Vec<Joiner>, sqlx::Error> {
    let (after_at, after_user, after_what) = parts(after);
    sqlx::query_as(
        "SELECT k.created_by AS user_id, coalesce(m.org_role, 'NONE') AS org_role,
                k.created_at AS joined_at, 'API_KEY' AS kind, NULL AS npi, k.key_id::text AS name,
                NULL AS level, k.expires_at AS until, NULL AS provider_name, k.name AS thing,
                k.scopes AS key_scopes
           FROM read.api_keys k
           LEFT JOIN read.directory_members m ON m.tenant_id = $1 AND m.organization_id = $2
                AND m.user_id = k.created_by
          CROSS JOIN LATERAL (SELECT concat('API_KEY::', k.key_id) AS what) w
          WHERE k.tenant_id = $1 AND k.organization_id = $2 AND k.revoked_at IS NULL
            AND k.expires_at > $4 AND k.created_at <= coalesce($5, $4)
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.user_id = k.created_by AND i.kind = 'API_KEY'
                AND i.name = k.key_id::text)
            AND ($6::timestamptz IS NULL OR (k.created_at, k.created_by, w.what) > ($6, $7, $8))
          ORDER BY k.created_at, k.created_by, w.what LIMIT $9",
    )
    .bind(view.tenant().0)
    .bind(review.organization_id)
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

/// What narrows rights: their kinds, an NPI, a name, people.
struct Narrowed {
    kinds: Vec<&'static str>,
    npi: Option<String>,
    name: Option<String>,
    /// The feature that job roles are to bundle; empty for any.
    bundled: Option<String>,
    /// Under which affiliation; under any if none is named.
    affiliation: Option<Uuid>,
    /// Whose they are; anybody's if nobody is named.
    users: Option<Vec<Uuid>>,
}

fn narrowed(scope: &ReviewScope) -> Narrowed {
    let of = |kinds: &[&'static str]| Narrowed {
        kinds: kinds.to_vec(),
        npi: None,
        name: None,
        bundled: None,
        affiliation: None,
        users: None,
    };
    let npis = ["NPI_LEVEL", "CORRESPONDENCE"];
    let all = [npis[0], npis[1], "FEATURE", "JOB_ROLE", "LOCATION", "TAX_ID", "SUBMISSION"];
    match scope {
        ReviewScope::Roster
        | ReviewScope::Administrators
        | ReviewScope::Dormant { .. }
        | ReviewScope::ApiKeys
        | ReviewScope::PlanStaff => of(&[]),
        ReviewScope::Rights => of(&all),
        ReviewScope::Npi { npi } => {
            Narrowed { npi: npi.as_ref().map(ToString::to_string), ..of(&npis) }
        }
        ReviewScope::Feature { feature } => Narrowed {
            name: feature.map(|feature| feature.to_string()),
            bundled: Some(feature.map(|feature| feature.to_string()).unwrap_or_default()),
            ..of(&["FEATURE", "JOB_ROLE"])
        },
        ReviewScope::JobRole { role } => {
            Narrowed { name: role.map(|role| role.to_string()), ..of(&["JOB_ROLE"]) }
        }
        ReviewScope::Location { location } => {
            Narrowed { name: location.map(|it| it.to_string()), ..of(&["LOCATION"]) }
        }
        ReviewScope::Affiliations { affiliation } => {
            Narrowed { affiliation: affiliation.map(|it| it.0), ..of(&["SUBMISSION"]) }
        }
        ReviewScope::People { users } => {
            Narrowed { users: Some(users.iter().map(|user| user.0).collect()), ..of(&all) }
        }
    }
}

/// An entry for all NPIs counts for the one asked for where it has none of its own; a job role counts for
/// a feature by what it bundles now.
async fn rights(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    now: DateTime<Utc>,
    (first, after): (i64, Option<JoinerKey>),
) -> Result<Vec<Joiner>, sqlx::Error> {
    let Narrowed { kinds, npi, name, bundled, affiliation, users } = narrowed(&review.scope.0);
    let (after_at, after_user, after_what) = parts(after);
    sqlx::query_as(
        "WITH held AS MATERIALIZED (
           SELECT a.user_id, a.kind, a.npi,
                  CASE a.kind WHEN 'CORRESPONDENCE' THEN t.type ELSE a.name END AS name,
                  CASE a.kind WHEN 'NPI_LEVEL' THEN a.value[1] END AS level,
                  CASE WHEN a.valid_to < '9999-12-31 00:00:00+00' THEN a.valid_to END AS until,
                  greatest(a.valid_from, since.valid_from) AS joined_at, m.org_role
             FROM read.access_intervals a
             JOIN read.directory_members m ON m.tenant_id = $1 AND m.organization_id = $2
              AND m.user_id = a.user_id AND m.standing = 'ACTIVE'
            CROSS JOIN LATERAL (
                  SELECT s.valid_from FROM read.access_intervals s
                   WHERE s.tenant_id = $1 AND s.user_id = a.user_id
                     AND s.kind = 'MEMBERSHIP_ACTIVE' AND s.organization_id = $2
                     AND s.known_to IS NULL AND s.valid_from <= $4 AND s.valid_to > $4
                   LIMIT 1) since
             LEFT JOIN LATERAL unnest(a.value) t(type) ON a.kind = 'CORRESPONDENCE'
            WHERE a.tenant_id = $1 AND a.organization_id = $2 AND a.kind = ANY ($6)
              AND a.known_to IS NULL AND a.valid_from <= $4 AND a.valid_to > $4
              AND a.value <> '{NONE}' AND (a.kind <> 'CORRESPONDENCE' OR t.type IS NOT NULL)
              AND ($7::text IS NULL OR a.npi = $7 OR (a.npi = '*' AND NOT EXISTS (
                   SELECT 1 FROM read.access_intervals o
                    WHERE o.tenant_id = $1 AND o.organization_id = $2 AND o.user_id = a.user_id
                      AND o.kind = a.kind AND o.npi = $7 AND o.known_to IS NULL
                      AND o.valid_from <= $4 AND o.valid_to > $4)))
              AND CASE WHEN $9::text IS NOT NULL AND a.kind = 'JOB_ROLE' THEN EXISTS (
                   SELECT 1 FROM read.access_intervals b
                    WHERE b.tenant_id = $1 AND b.kind = 'JOB_ROLE_BUNDLE'
                      AND b.holder_id = CASE a.kind WHEN 'JOB_ROLE' THEN a.name::uuid END
                      AND b.known_to IS NULL AND b.valid_from <= $4 AND b.valid_to > $4
                      AND ($9 = '' OR b.value @> ARRAY[$9]))
                  ELSE $8::text IS NULL OR a.name = $8 END
              AND ($14::uuid[] IS NULL OR a.user_id = ANY ($14))
              AND (a.kind <> 'SUBMISSION' OR (a.holder_id = coalesce($15, a.holder_id)
                   AND ops.submission_counts($1, a.holder_id, a.npi, $4))))
         SELECT h.*, (SELECT p.provider_name FROM read.pins p WHERE p.tenant_id = $1
                         AND p.npi = h.npi
                         AND (p.organization_id = $2 OR h.kind = 'SUBMISSION') LIMIT 1) AS provider_name,
                CASE h.kind
                  WHEN 'JOB_ROLE' THEN (SELECT j.name FROM read.job_roles j
                    WHERE j.tenant_id = $1 AND j.id = h.name::uuid)
                  WHEN 'TAX_ID' THEN (SELECT t.kind || ' ' || t.last4 FROM read.tax_ids t
                    WHERE t.tenant_id = $1 AND t.id = h.name::uuid)
                  WHEN 'LOCATION' THEN (SELECT l.name FROM read.locations l
                    WHERE l.tenant_id = $1 AND l.id = h.name::uuid)
                END AS thing
           FROM held h
          CROSS JOIN LATERAL (
                SELECT concat_ws(':', h.kind, coalesce(h.npi, ''), coalesce(h.name, '')) AS what) w
          WHERE h.joined_at <= coalesce($5, $4)
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.user_id = h.user_id AND i.kind = h.kind
                AND i.npi IS NOT DISTINCT FROM h.npi AND i.name IS NOT DISTINCT FROM h.name)
            AND ($10::timestamptz IS NULL OR (h.joined_at, h.user_id, w.what) > ($10, $11, $12))
          ORDER BY h.joined_at, h.user_id, w.what LIMIT $13",
    )
    .bind(view.tenant().0)
    .bind(review.organization_id)
    .bind(review.review_id)
    .bind(now)
    .bind(review.closed_at)
    .bind(kinds)
    .bind(npi)
    .bind(name)
    .bind(bundled)
    .bind(after_at)
    .bind(after_user)
    .bind(after_what)
    .bind(first)
    .bind(users)
    .bind(affiliation)
    .fetch_all(view.connection())
    .await
}
