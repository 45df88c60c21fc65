//! Workspaces and their questions. Invariant: a page of workspaces is one statement, its questions one more.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Snapshot;

/// A workspace.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WorkspaceRow {
    pub workspace_id: Uuid,
    pub opened_by: Uuid,
    pub name: String,
    pub position: i64,
    pub opened_at: DateTime<Utc>,
    pub opened_position: i64,
    pub closed_at: Option<DateTime<Utc>>,
}

/// A question saved in a workspace.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct QuestionRow {
    pub workspace_id: Uuid,
    pub question_id: Uuid,
    pub name: String,
    pub document: String,
    pub variables: String,
}

/// Whose workspaces: `None` for all.
pub type WorkspacesOf = Option<Uuid>;

const COLUMNS: &str =
    "workspace_id, opened_by, name, position, opened_at, opened_position, closed_at";

/// One page, newest first.
///
/// # Errors
/// The database's.
pub async fn workspaces(
    view: &mut Snapshot,
    of: WorkspacesOf,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<WorkspaceRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.audit_workspaces
          WHERE tenant_id = $1 AND ($2::uuid IS NULL OR opened_by = $2)
            AND ($3::bigint IS NULL OR opened_position < $3)
          ORDER BY opened_position DESC LIMIT $4"
    ))
    .bind(view.tenant().0)
    .bind(of)
    .bind(before)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// One workspace, if it is one of theirs.
///
/// # Errors
/// The database's.
pub async fn workspace(
    view: &mut Snapshot,
    of: WorkspacesOf,
    id: Uuid,
) -> Result<Option<WorkspaceRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.audit_workspaces
          WHERE tenant_id = $1 AND workspace_id = $2 AND ($3::uuid IS NULL OR opened_by = $3)"
    ))
    .bind(view.tenant().0)
    .bind(id)
    .bind(of)
    .fetch_optional(view.connection())
    .await
}

/// The questions of these workspaces in the order in which they were saved.
///
/// # Errors
/// The database's.
pub async fn questions(
    view: &mut Snapshot,
    workspaces: &[Uuid],
) -> Result<Vec<QuestionRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT workspace_id, question_id, name, document, variables
           FROM read.audit_workspace_questions
          WHERE tenant_id = $1 AND workspace_id = ANY ($2) ORDER BY saved_position",
    )
    .bind(view.tenant().0)
    .bind(workspaces.to_vec())
    .fetch_all(view.connection())
    .await
}
