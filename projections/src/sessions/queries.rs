//! Sessions, asked of `read.sessions` and the times of last use.
//!
//! Invariant: a session that ran out is told as over from that second, recorded or not.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::kernel::ids::UserId;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, postgres::types::PgInterval};
use uuid::Uuid;

use crate::Snapshot;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SessionRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub organization_id: Option<Uuid>,
    pub must_change_password: bool,
    pub started_at: DateTime<Utc>,
    pub absolute_expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub end_cause: Option<String>,
    /// `None` before its first request.
    pub last_seen_at: Option<DateTime<Utc>>,
}

impl SessionRow {
    /// When it ends if nothing more is done in it (CX-10).
    #[must_use]
    pub fn expires_at(&self, idle: TimeDelta) -> DateTime<Utc> {
        let last_seen = self.last_seen_at.unwrap_or(self.started_at);
        self.absolute_expires_at.min(last_seen + idle)
    }

    /// Whether it may be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>, idle: TimeDelta) -> bool {
        self.ended_at.is_none() && now < self.expires_at(idle)
    }
}

/// Where a session stands in the list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionKey {
    pub started_at: DateTime<Utc>,
    pub id: Uuid,
}

/// $1 tenant, $2 person, $3 now, $4 idle time.
const LIVE: &str =
    "SELECT s.id, s.user_id, s.organization_id, s.must_change_password, s.started_at,
        s.absolute_expires_at, s.ended_at, s.end_cause, a.last_seen_at
   FROM read.sessions s
   LEFT JOIN ops.session_activity a ON a.tenant_id = s.tenant_id AND a.session_id = s.id
  WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.ended_at IS NULL
    AND $3 < s.absolute_expires_at
    AND $3 < coalesce(a.last_seen_at, s.started_at) + $4";

fn interval(idle: TimeDelta) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: idle.num_seconds() * 1_000_000 }
}

/// A person's live sessions, newest first, one more than `first`.
///
/// # Errors
/// The database did not answer.
pub async fn sessions(
    view: &mut Snapshot,
    user: UserId,
    (now, idle): (DateTime<Utc>, TimeDelta),
    (first, after): (i64, Option<&SessionKey>),
) -> Result<Vec<SessionRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "{LIVE} AND ($5::timestamptz IS NULL OR (s.started_at, s.id) < ($5, $6))
          ORDER BY s.started_at DESC, s.id DESC LIMIT $7"
    ))
    .bind(view.tenant().0)
    .bind(user.0)
    .bind(now)
    .bind(interval(idle))
    .bind(after.map(|key| key.started_at))
    .bind(after.map(|key| key.id))
    .bind(first + 1)
    .fetch_all(view.connection())
    .await
}

/// Those of a person's live sessions that have these ids.
///
/// # Errors
/// The database did not answer.
pub async fn sessions_by_id(
    view: &mut Snapshot,
    user: UserId,
    (now, idle): (DateTime<Utc>, TimeDelta),
    ids: &[Uuid],
) -> Result<Vec<SessionRow>, sqlx::Error> {
    sqlx::query_as(&format!("{LIVE} AND s.id = ANY($5)"))
        .bind(view.tenant().0)
        .bind(user.0)
        .bind(now)
        .bind(interval(idle))
        .bind(ids)
        .fetch_all(view.connection())
        .await
}
