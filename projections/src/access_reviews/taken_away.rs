//! What a review that is taken away as a file needs beside its own events (GN-15).

use chrono::{DateTime, Utc};
use rollcall_domain::access_reviews::Listing;
use sqlx::FromRow;
use uuid::Uuid;

use super::{AccessReviewRow, plan_roles};
use crate::Snapshot;

/// Somebody who became a member, made a key, or was given a role of the plan, after the list was frozen.
#[derive(Clone, Debug, FromRow)]
pub struct Joined {
    pub user_id: Uuid,
    pub joined_at: DateTime<Utc>,
    /// What the key is called.
    pub key_name: Option<String>,
    /// Which role of the plan it is.
    #[sqlx(default)]
    pub plan_role: Option<String>,
}

/// Who was an active member at `until`, became so after the list was frozen and is not on it, in the order
/// in which they came: those whom whoever signed at that moment was told of by their number. Of a review of keys,
/// those that worked at `until`, by whom made them; of the plan's roles those that were held.
///
/// # Errors
/// The database did not answer.
pub async fn joined(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    until: DateTime<Utc>,
) -> Result<Vec<Joined>, sqlx::Error> {
    let query = match review.scope.0.listing() {
        Listing::Members => MEMBERS,
        Listing::Keys => KEYS,
        Listing::PlanRoles => plan_roles::JOINED,
    };
    sqlx::query_as(query)
        .bind(view.tenant().0)
        .bind(review.organization_id)
        .bind(review.review_id)
        .bind(review.opened_at)
        .bind(until)
        .fetch_all(view.connection())
        .await
}

/// $1 tenant, $2 organisation, $3 review, $4 when the list was frozen, $5 until when.
const MEMBERS: &str = "
         SELECT a.user_id, max(a.valid_from) AS joined_at, NULL AS key_name
           FROM read.access_intervals a
          WHERE a.tenant_id = $1 AND a.organization_id = $2 AND a.kind = 'MEMBERSHIP_ACTIVE'
            AND a.known_to IS NULL AND a.valid_from > $4 AND a.valid_from <= $5 AND a.valid_to > $5
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.user_id = a.user_id)
          GROUP BY a.user_id ORDER BY joined_at, a.user_id";

/// As [`MEMBERS`].
const KEYS: &str = "
         SELECT k.created_by AS user_id, k.created_at AS joined_at, k.name AS key_name
           FROM read.api_keys k
          WHERE k.tenant_id = $1 AND k.organization_id = $2 AND k.created_at >= $4 AND k.created_at <= $5
            AND k.expires_at > $5 AND (k.revoked_at IS NULL OR k.revoked_at > $5)
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.kind = 'API_KEY' AND i.name = k.key_id::text)
          ORDER BY k.created_at, k.key_id";
