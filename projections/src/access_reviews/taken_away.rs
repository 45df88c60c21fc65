//! What a review that is taken away as a file needs beside its own events (GN-15).

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::AccessReviewRow;
use crate::Snapshot;

/// Somebody who became a member after the list was frozen.
#[derive(Clone, Debug, FromRow)]
pub struct Joined {
    pub user_id: Uuid,
    pub joined_at: DateTime<Utc>,
}

/// Who was an active member at `until`, became so after the list was frozen and is not on it, in the order
/// in which they came: those whom whoever signed at that moment was told of by their number.
///
/// # Errors
/// The database did not answer.
pub async fn joined(
    view: &mut Snapshot,
    review: &AccessReviewRow,
    until: DateTime<Utc>,
) -> Result<Vec<Joined>, sqlx::Error> {
    sqlx::query_as(
        "SELECT a.user_id, max(a.valid_from) AS joined_at
           FROM read.access_intervals a
          WHERE a.tenant_id = $1 AND a.organization_id = $2 AND a.kind = 'MEMBERSHIP_ACTIVE'
            AND a.known_to IS NULL AND a.valid_from > $4 AND a.valid_from <= $5 AND a.valid_to > $5
            AND NOT EXISTS (SELECT 1 FROM read.access_review_items i WHERE i.tenant_id = $1
                AND i.review_id = $3 AND i.user_id = a.user_id)
          GROUP BY a.user_id ORDER BY joined_at, a.user_id",
    )
    .bind(view.tenant().0)
    .bind(review.organization_id)
    .bind(review.review_id)
    .bind(review.opened_at)
    .bind(until)
    .fetch_all(view.connection())
    .await
}
