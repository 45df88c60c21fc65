//! Opening audit workspaces, and saving questions in them (GN-14, GN-26).
//!
//! Invariant: a question is saved only if it has an answer for whoever saves it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Json, Object, Result};
use rollcall_commands::{
    Access,
    audit::{
        AUDITORS, CloseAuditWorkspace, OpenAuditWorkspace, RemoveWorkspaceQuestion,
        RenameAuditWorkspace, SaveWorkspaceQuestion,
    },
};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{AuditWorkspaceId, WorkspaceQuestionId},
    values::ContentLine,
};
use rollcall_projections::audit_workspaces;
use serde_json::Value;

use super::{
    pinned,
    workspaces::{AuditWorkspace, pin, shown, user},
};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::{RequestView, read, read_if_permitted},
    scalars::Position,
    sending::{MutationMeta, Sent, payload, send},
};

/// A workspace to open.
#[derive(Debug, InputObject)]
pub struct OpenAuditWorkspaceInput {
    /// 1 to 300 characters that name nobody.
    pub name: String,
    /// The place in the tenant's journal for which its answers are to hold; the newest one if not given.
    pub position: Option<Position>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Another name for a workspace.
#[derive(Debug, InputObject)]
pub struct RenameAuditWorkspaceInput {
    pub workspace_id: ID,
    pub name: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A workspace to close.
#[derive(Debug, InputObject)]
pub struct CloseAuditWorkspaceInput {
    pub workspace_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A question to save.
#[derive(Debug, InputObject)]
pub struct SaveWorkspaceQuestionInput {
    pub workspace_id: ID,
    /// 1 to 300 characters that name nobody.
    pub name: String,
    /// A query of `auditEvents`, `accessRegister`, `accessDifference`, `accessExplanation`,
    /// `accessExposure` or `policySimulation`; at most 16 KiB.
    pub document: String,
    /// An object; at most 16 KiB.
    pub variables: Option<Json<Value>>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A question to take out.
#[derive(Debug, InputObject)]
pub struct RemoveWorkspaceQuestionInput {
    pub workspace_id: ID,
    pub question_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of a change to an audit workspace.
    AuditWorkspacePayload { workspace: AuditWorkspace }
}

/// Changes of audit workspaces.
#[derive(Default)]
pub struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Opens an audit workspace at a place of the log: questions asked in it are answered as of then,
    /// whatever happens later. For auditors and plan administrators.
    /// Refusals: FIELD_REQUIRED, FIELD_INVALID, RANGE_INVALID.
    async fn open_audit_workspace(
        &self,
        ctx: &Context<'_>,
        input: OpenAuditWorkspaceInput,
    ) -> Result<AuditWorkspacePayload> {
        let position = input.position.map(|position| position.0);
        let command = named(&input.name).map(|name| OpenAuditWorkspace { name, position });
        let sent = send(ctx, input.meta, command).await?;
        answer(ctx, sent).await
    }

    /// Gives an audit workspace another name.
    /// Refusals: NOT_FOUND, FIELD_REQUIRED, FIELD_INVALID, ALREADY_DECIDED.
    async fn rename_audit_workspace(
        &self,
        ctx: &Context<'_>,
        input: RenameAuditWorkspaceInput,
    ) -> Result<AuditWorkspacePayload> {
        let command = workspace(&input.workspace_id).and_then(|workspace| {
            Ok(RenameAuditWorkspace { workspace, name: named(&input.name)? })
        });
        let sent = send(ctx, input.meta, command).await?;
        answer(ctx, sent).await
    }

    /// Closes an audit workspace: nothing is changed in it any more, its questions are answered as before.
    /// Refusals: NOT_FOUND, ALREADY_DECIDED.
    async fn close_audit_workspace(
        &self,
        ctx: &Context<'_>,
        input: CloseAuditWorkspaceInput,
    ) -> Result<AuditWorkspacePayload> {
        let command =
            workspace(&input.workspace_id).map(|workspace| CloseAuditWorkspace { workspace });
        let sent = send(ctx, input.meta, command).await?;
        answer(ctx, sent).await
    }

    /// Saves a question in an audit workspace. It is asked once before, so that what is saved has an
    /// answer.
    /// Refusals: NOT_FOUND, FIELD_REQUIRED, FIELD_INVALID, FIELD_TOO_LONG, RANGE_INVALID,
    /// ALREADY_DECIDED.
    async fn save_workspace_question(
        &self,
        ctx: &Context<'_>,
        input: SaveWorkspaceQuestionInput,
    ) -> Result<AuditWorkspacePayload> {
        let command = match save(&input) {
            Ok(command) => tried(ctx, &command).await?.map(|()| command),
            Err(refusal) => Err(refusal),
        };
        let sent = send(ctx, input.meta, command).await?;
        answer(ctx, sent).await
    }

    /// Takes a question out of an audit workspace.
    /// Refusals: NOT_FOUND, ALREADY_DECIDED.
    async fn remove_workspace_question(
        &self,
        ctx: &Context<'_>,
        input: RemoveWorkspaceQuestionInput,
    ) -> Result<AuditWorkspacePayload> {
        let command = workspace(&input.workspace_id).and_then(|workspace| {
            let question: WorkspaceQuestionId =
                NodeType::parse_bare(&input.question_id, "questionId")?;
            Ok(RemoveWorkspaceQuestion { workspace, question })
        });
        let sent = send(ctx, input.meta, command).await?;
        answer(ctx, sent).await
    }
}

fn workspace(id: &ID) -> Result<AuditWorkspaceId, Refusal> {
    NodeType::parse_bare(id, "workspaceId")
}

fn named(name: &str) -> Result<ContentLine, Refusal> {
    ContentLine::parse(name).map_err(|invalid| Refusal::from(invalid).at("name"))
}

fn save(input: &SaveWorkspaceQuestionInput) -> Result<SaveWorkspaceQuestion, Refusal> {
    let (workspace, name) = (workspace(&input.workspace_id)?, named(&input.name)?);
    pinned::check(&input.document)?;
    let variables = match &input.variables {
        None => "{}".to_owned(),
        Some(Json(variables @ Value::Object(_))) => variables.to_string(),
        Some(_) => {
            let message = "Give the variables as an object.";
            return Err(Refusal::new(Code::FieldInvalid, message).at("variables"));
        }
    };
    Ok(SaveWorkspaceQuestion { workspace, name, document: input.document.clone(), variables })
}

/// Asks the question once. Whoever may not save is refused by the command itself.
async fn tried(ctx: &Context<'_>, question: &SaveWorkspaceQuestion) -> Result<Result<(), Refusal>> {
    let permitted = read_if_permitted(ctx, Access::PlanWithin(AUDITORS)).await?;
    let Some(mut reading) = permitted else { return Ok(Ok(())) };
    let by = user(&reading.authority)?;
    let pin = match pin(ctx, &mut reading.view, (question.workspace, by)).await? {
        Ok(pin) => pin,
        Err(refusal) => return Ok(Err(refusal)),
    };
    drop(reading);
    ctx.data::<Arc<RequestView>>()?.reset().await;
    let variables = serde_json::from_str(&question.variables).map_err(|error| fault(&error))?;
    let response = pinned::run(ctx, pin, (&question.document, variables)).await?;
    Ok(match response.errors.first() {
        None => Ok(()),
        Some(error) => {
            let why = error.message.trim_end_matches('.');
            let message = format!("Save a question that has an answer. {why}.");
            Err(Refusal::new(Code::FieldInvalid, message).at("document"))
        }
    })
}

/// The workspace as it is after the command.
async fn answer(
    ctx: &Context<'_>,
    mut sent: Sent<AuditWorkspaceId>,
) -> Result<AuditWorkspacePayload> {
    let Some(id) = sent.output.take() else { return Ok(AuditWorkspacePayload::of(sent, None)) };
    let mut reading = read(ctx, Access::PlanWithin(AUDITORS), sent.position).await?;
    let found = audit_workspaces::workspace(&mut reading.view, None, id.0).await;
    let found = found.map_err(|error| fault(&error))?;
    let shown = shown(&mut reading.view, found.into_iter().collect()).await?;
    let workspace = shown.into_iter().next().map(|(_, workspace)| workspace);
    Ok(AuditWorkspacePayload::of(sent, workspace))
}
