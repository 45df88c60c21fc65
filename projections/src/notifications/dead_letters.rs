//! Messages that nobody took, for the plan's staff (GN-19). Invariant: neither address nor text is
//! shown; they are not in the outbox either.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Snapshot;

/// A message that nobody took.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetter {
    pub delivery_id: Uuid,
    pub source_position: i64,
    pub template: String,
    /// `EMAIL`, `SMS`, `VOICE` or `LETTER`.
    pub channel: String,
    /// To whom, where there is an account or an invited person.
    pub user_id: Option<Uuid>,
    pub attempts: i32,
    pub retries: i32,
    /// The kind of the last failure.
    pub last_failure: Option<String>,
    pub queued_at: DateTime<Utc>,
}

/// A row's place in the list.
pub type DeadLetterKey = (i64, Uuid);

/// A page of dead letters, newest first, and one more where there are more.
///
/// # Errors
/// The database did not answer.
pub async fn dead_letters(
    view: &mut Snapshot,
    first: i64,
    after: Option<DeadLetterKey>,
) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as(
        "SELECT delivery_id, source_position, template, channel,
                (addressee->>'user')::uuid AS user_id, attempts, retries, last_failure, queued_at
           FROM ops.outbox
          WHERE tenant_id = $1 AND status = 'DEAD'
            AND ($2::bigint IS NULL OR (source_position, delivery_id) < ($2, $3))
          ORDER BY source_position DESC, delivery_id DESC LIMIT $4",
    )
    .bind(view.tenant().0)
    .bind(after.map(|(position, _)| position))
    .bind(after.map(|(_, id)| id))
    .bind(first + 1)
    .fetch_all(view.connection())
    .await
}
