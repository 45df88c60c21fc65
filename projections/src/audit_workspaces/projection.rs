//! How facts about workspaces become rows. Invariant: each fact changes rows of its own workspace.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, audit::WorkspaceEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use crate::readers;

/// Keeps `read.audit_workspaces` and `read.audit_workspace_questions`.
pub struct AuditWorkspaces;

#[async_trait]
impl Projection<AnyEvent> for AuditWorkspaces {
    fn name(&self) -> &'static str {
        "audit_workspaces"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_workspaces", "audit_workspace_questions"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        // Few, by people's hands: one statement each.
        for recorded in batch {
            if let AnyEvent::Workspace(event) = &recorded.event {
                store(tx, recorded, event).await?;
            }
        }
        Ok(())
    }
}

async fn store(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &WorkspaceEvent,
) -> Result<(), sqlx::Error> {
    let tenant = recorded.tenant.0;
    let query = match event {
        WorkspaceEvent::WorkspaceOpened { workspace, opened_by, name, position } => sqlx::query(
            "INSERT INTO audit_workspaces (tenant_id, workspace_id, opened_by, name, position,
                                           opened_at, opened_position)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(tenant)
        .bind(workspace.0)
        .bind(opened_by.0)
        .bind(name.to_string())
        .bind(*position)
        .bind(recorded.occurred_at)
        .bind(recorded.tenant_position),
        WorkspaceEvent::WorkspaceRenamed { workspace, new, .. } => sqlx::query(
            "UPDATE audit_workspaces SET name = $3 WHERE tenant_id = $1 AND workspace_id = $2",
        )
        .bind(tenant)
        .bind(workspace.0)
        .bind(new.to_string()),
        WorkspaceEvent::WorkspaceQuestionSaved {
            workspace,
            question,
            name,
            document,
            variables,
            ..
        } => sqlx::query(
            "INSERT INTO audit_workspace_questions (tenant_id, workspace_id, question_id, name,
                                                    document, variables, saved_position)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(tenant)
        .bind(workspace.0)
        .bind(question.0)
        .bind(name.to_string())
        .bind(document)
        .bind(variables)
        .bind(recorded.tenant_position),
        WorkspaceEvent::WorkspaceQuestionRemoved { workspace, question, .. } => sqlx::query(
            "DELETE FROM audit_workspace_questions
              WHERE tenant_id = $1 AND workspace_id = $2 AND question_id = $3",
        )
        .bind(tenant)
        .bind(workspace.0)
        .bind(question.0),
        WorkspaceEvent::WorkspaceClosed { workspace, .. } => sqlx::query(
            "UPDATE audit_workspaces SET closed_at = $3 WHERE tenant_id = $1 AND workspace_id = $2",
        )
        .bind(tenant)
        .bind(workspace.0)
        .bind(recorded.occurred_at),
    };
    query.execute(tx).await?;
    Ok(())
}
