//! Agreement texts, the one in force and all there were (MC-02).

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::Snapshot;

/// A published version.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AgreementRow {
    /// The event that published it.
    pub event_id: Uuid,
    pub kind: String,
    pub sequence: i64,
    pub version: String,
    pub title: String,
    pub text: String,
    /// SHA-256 of the text's UTF-8 bytes, in hex.
    pub sha256: String,
    /// `[{key, label}]`.
    pub boxes: Value,
    pub effective_at: DateTime<Utc>,
    pub published_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "event_id, kind, sequence, version, title, text, sha256, boxes, effective_at, published_at";

/// The version in force at `at`: the latest effective one, of several the last published.
///
/// # Errors
/// The database did not answer.
pub async fn agreement(
    view: &mut Snapshot,
    kind: &str,
    at: DateTime<Utc>,
) -> Result<Option<AgreementRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.agreements WHERE kind = $1 AND effective_at <= $2
          ORDER BY effective_at DESC, sequence DESC LIMIT 1"
    ))
    .bind(kind)
    .bind(at)
    .fetch_optional(view.connection())
    .await
}

/// The versions that these events published.
///
/// # Errors
/// The database did not answer.
pub async fn agreements_by_id(
    view: &mut Snapshot,
    event_ids: &[Uuid],
) -> Result<Vec<AgreementRow>, sqlx::Error> {
    sqlx::query_as(&format!("SELECT {COLUMNS} FROM read.agreements WHERE event_id = ANY($1)"))
        .bind(event_ids)
        .fetch_all(view.connection())
        .await
}

/// Every version from the newest to the oldest, before `before`.
///
/// # Errors
/// The database did not answer.
pub async fn agreement_history(
    view: &mut Snapshot,
    kind: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AgreementRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.agreements
          WHERE kind = $1 AND ($2::bigint IS NULL OR sequence < $2)
          ORDER BY sequence DESC LIMIT $3"
    ))
    .bind(kind)
    .bind(before)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}
