//! `OpenAuditWorkspace` and what is done to one: a place of the log, and questions about it (GN-14, GN-26).
//!
//! Invariant: auditors and plan administrators open them; those kept to some organisations change their
//! own, those of the whole plan any.

use async_trait::async_trait;
use rollcall_domain::{
    audit::{Workspace, WorkspaceCommand, WorkspaceUser},
    kernel::ids::{AuditWorkspaceId, WorkspaceQuestionId},
    values::ContentLine,
};
use uuid::Uuid;

use super::AUDITORS;
use crate::{Access, Command, Context, Failure};

/// Opens a workspace.
pub struct OpenAuditWorkspace {
    pub name: ContentLine,
    /// `None`: the newest one.
    pub position: Option<i64>,
}

/// Gives a workspace another name.
pub struct RenameAuditWorkspace {
    pub workspace: AuditWorkspaceId,
    pub name: ContentLine,
}

/// Closes a workspace: its questions are answered as before, nothing is changed any more.
pub struct CloseAuditWorkspace {
    pub workspace: AuditWorkspaceId,
}

/// Takes a question out of a workspace.
pub struct RemoveWorkspaceQuestion {
    pub workspace: AuditWorkspaceId,
    pub question: WorkspaceQuestionId,
}

/// Saves a question that was found to have an answer.
pub struct SaveWorkspaceQuestion {
    pub workspace: AuditWorkspaceId,
    pub name: ContentLine,
    pub document: String,
    /// As JSON.
    pub variables: String,
}

fn by(cx: &Context<'_>) -> Result<WorkspaceUser, Failure> {
    let acts_for_all = cx.authority.plan_scope(AUDITORS).is_whole();
    Ok(WorkspaceUser { user: cx.person()?, acts_for_all })
}

#[async_trait]
impl Command for OpenAuditWorkspace {
    const NAME: &'static str = "OpenAuditWorkspace";
    type Output = AuditWorkspaceId;

    fn access(&self) -> Access {
        Access::PlanWithin(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditWorkspaceId, Failure> {
        let workspace = AuditWorkspaceId(Uuid::now_v7());
        let newest = cx.journal().tenant_position(cx.tenant()).await?;
        let open = WorkspaceCommand::Open {
            workspace,
            by: cx.person()?,
            name: self.name.clone(),
            position: self.position,
            newest,
        };
        cx.decide::<Workspace>(workspace, open).await?;
        Ok(workspace)
    }
}

#[async_trait]
impl Command for RenameAuditWorkspace {
    const NAME: &'static str = "RenameAuditWorkspace";
    type Output = AuditWorkspaceId;

    fn access(&self) -> Access {
        Access::PlanWithin(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditWorkspaceId, Failure> {
        let by = by(cx)?;
        let rename = WorkspaceCommand::Rename { by, name: self.name.clone() };
        cx.decide::<Workspace>(self.workspace, rename).await?;
        Ok(self.workspace)
    }
}

#[async_trait]
impl Command for CloseAuditWorkspace {
    const NAME: &'static str = "CloseAuditWorkspace";
    type Output = AuditWorkspaceId;

    fn access(&self) -> Access {
        Access::PlanWithin(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditWorkspaceId, Failure> {
        let by = by(cx)?;
        cx.decide::<Workspace>(self.workspace, WorkspaceCommand::Close { by }).await?;
        Ok(self.workspace)
    }
}

#[async_trait]
impl Command for RemoveWorkspaceQuestion {
    const NAME: &'static str = "RemoveWorkspaceQuestion";
    type Output = AuditWorkspaceId;

    fn access(&self) -> Access {
        Access::PlanWithin(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditWorkspaceId, Failure> {
        let by = by(cx)?;
        let remove = WorkspaceCommand::RemoveQuestion { by, question: self.question };
        cx.decide::<Workspace>(self.workspace, remove).await?;
        Ok(self.workspace)
    }
}

#[async_trait]
impl Command for SaveWorkspaceQuestion {
    const NAME: &'static str = "SaveWorkspaceQuestion";
    type Output = AuditWorkspaceId;

    fn access(&self) -> Access {
        Access::PlanWithin(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AuditWorkspaceId, Failure> {
        let save = WorkspaceCommand::SaveQuestion {
            by: by(cx)?,
            question: WorkspaceQuestionId(Uuid::now_v7()),
            name: self.name.clone(),
            document: self.document.clone(),
            variables: self.variables.clone(),
        };
        cx.decide::<Workspace>(self.workspace, save).await?;
        Ok(self.workspace)
    }
}
