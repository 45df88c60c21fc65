//! Audit workspaces: places of the log at which auditors work, and the questions saved there (GN-14, GN-26).
//!
//! Invariant: a workspace is seen by whoever opened it and by those who audit or administer the whole plan.

use async_graphql::{Context, ID, Json, Object, Result, SimpleObject, Value as GraphqlValue};
use rollcall_commands::{Access, Authority, Commands, audit::AUDITORS};
use rollcall_domain::{
    Code, Refusal,
    audit::{Workspace, WorkspaceUser},
    kernel::ids::AuditWorkspaceId,
};
use rollcall_projections::{
    Pin, Snapshot, access_register,
    audit_workspaces::{self, QuestionRow, WorkspaceRow},
};
use serde_json::Value;
use uuid::Uuid;

use super::{pinned, types::PersonReference};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{RequestView, caller, read},
    scalars::{DateTime, Position},
};

/// A question saved in a workspace.
#[derive(Clone, Debug, SimpleObject)]
pub struct WorkspaceQuestion {
    pub id: Uuid,
    pub name: String,
    /// A GraphQL query.
    pub document: String,
    pub variables: Json<Value>,
}

/// A place of the log, and questions about it.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditWorkspace {
    pub id: Uuid,
    pub name: String,
    /// The place in the tenant's journal for which its answers hold; it never moves.
    pub position: Position,
    pub opened_by: PersonReference,
    pub opened_at: DateTime,
    /// Since when nothing is changed in it any more; its questions are answered as before.
    pub closed_at: Option<DateTime>,
    /// In the order in which they were saved, at most 100.
    pub questions: Vec<WorkspaceQuestion>,
}

/// The answer to a question as of a workspace's place: the same whenever it is asked by somebody with the
/// same rights.
#[derive(Debug, SimpleObject)]
pub struct AuditWorkspaceAnswer {
    /// The place for which it holds.
    pub position: Position,
    /// As the query answers it. Names of people, organisations and things are absent, and sentences tell
    /// them by their ids: names are known as they are today only.
    pub data: Json<GraphqlValue>,
}

connection!(AuditWorkspaceConnection, AuditWorkspaceEdge, AuditWorkspace);

/// What an answer weighs: it is a request of its own, of which one leaves room for no second.
const ANSWER: usize = 6_000;

/// Workspaces of auditors.
#[derive(Default)]
pub struct WorkspaceQuery;

#[Object]
impl WorkspaceQuery {
    /// The audit workspaces, newest first: for those who audit or administer the whole plan all of them,
    /// for those kept to some organisations their own.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn audit_workspaces(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AuditWorkspaceConnection> {
        let page = Page::<i64>::new(first, after).map_err(top_level)?;
        let mut reading = read(ctx, Access::PlanWithin(AUDITORS), min_position).await?;
        let of = only(&user(&reading.authority)?);
        let view = &mut reading.view;
        let found = audit_workspaces::workspaces(view, of, page.after, page.first + 1).await;
        let shown = shown(view, found.map_err(|error| fault(&error))?).await?;
        Ok(AuditWorkspaceConnection::of(&page, Rows { rows: shown, total: None }))
    }

    /// One audit workspace.
    async fn audit_workspace(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<Option<AuditWorkspace>> {
        let mut reading = read(ctx, Access::PlanWithin(AUDITORS), min_position).await?;
        let of = only(&user(&reading.authority)?);
        let Ok(id) = NodeType::parse_bare::<Uuid>(&id, "id") else { return Ok(None) };
        let found = audit_workspaces::workspace(&mut reading.view, of, id).await;
        let found = found.map_err(|error| fault(&error))?;
        let shown = shown(&mut reading.view, found.into_iter().collect()).await?;
        Ok(shown.into_iter().next().map(|(_, workspace)| workspace))
    }

    /// Asks a question as of a workspace's place: one that is saved there, or any document that asks
    /// `auditEvents`, `accessRegister`, `accessDifference`, `accessExplanation`, `accessExposure` or
    /// `policySimulation`. Whatever happens later, whoever has the same rights gets the same answer.
    #[graphql(complexity = "ANSWER + child_complexity")]
    async fn audit_workspace_answer(
        &self,
        ctx: &Context<'_>,
        workspace_id: ID,
        #[graphql(desc = "A question saved there.")] question_id: Option<ID>,
        #[graphql(desc = "A question that is not.")] document: Option<String>,
        #[graphql(desc = "Laid over those saved.")] variables: Option<Json<Value>>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AuditWorkspaceAnswer> {
        let mut reading = read(ctx, Access::PlanWithin(AUDITORS), min_position).await?;
        let by = user(&reading.authority)?;
        let id: AuditWorkspaceId =
            NodeType::parse_bare(&workspace_id, "workspaceId").map_err(top_level)?;
        let pin = pin(ctx, &mut reading.view, (id, by)).await?.map_err(top_level)?;
        let (document, saved) = match (question_id, document) {
            (Some(question), None) => {
                let question = saved(&mut reading.view, id, &question).await?;
                (question.document, question.variables)
            }
            (None, Some(document)) => (document, "{}".to_owned()),
            (Some(_), Some(_)) | (None, None) => {
                let message = "Name a question saved there, or give a document.";
                return Err(top_level(Refusal::new(Code::FieldRequired, message).at("questionId")));
            }
        };
        pinned::check(&document).map_err(top_level)?;
        let variables = pinned::laid_over(&saved, variables.map(|Json(given)| given))?;
        let variables = variables.map_err(top_level)?;
        // The answer has a view of its own: one request does not hold two.
        drop(reading);
        ctx.data::<std::sync::Arc<RequestView>>()?.reset().await;
        let response = pinned::run(ctx, pin, (&document, variables)).await?;
        let data = Json(pinned::data(response)?);
        Ok(AuditWorkspaceAnswer { position: Position(pin.position), data })
    }
}

/// As whom somebody works with workspaces.
pub(super) fn user(authority: &Authority) -> Result<WorkspaceUser> {
    let user = authority.person().map_err(top_level)?;
    Ok(WorkspaceUser { user, acts_for_all: authority.plan_scope(AUDITORS).is_whole() })
}

fn only(by: &WorkspaceUser) -> Option<Uuid> {
    (!by.acts_for_all).then_some(by.user.0)
}

/// The place that a workspace's answers are kept to.
///
/// # Errors
/// A fault; inside, NOT_FOUND.
pub(super) async fn pin(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    (id, by): (AuditWorkspaceId, WorkspaceUser),
) -> Result<std::result::Result<Pin, Refusal>> {
    let (caller, journal) = (caller(ctx)?, &ctx.data::<Commands>()?.journal);
    let workspace = journal.load_fresh::<Workspace>(caller.tenant, id.0).await;
    let workspace = workspace.map_err(|error| fault(&error))?.state;
    let position = match workspace.position(by) {
        Ok(position) => position,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let recorded = access_register::recorded_at(view, position).await;
    let recorded = recorded.map_err(|error| fault(&error))?;
    let recorded_at = recorded.ok_or_else(|| fault(&"the position of a workspace is gone"))?;
    Ok(Ok(Pin { position, recorded_at }))
}

async fn saved(view: &mut Snapshot, of: AuditWorkspaceId, id: &ID) -> Result<QuestionRow> {
    let id: Uuid = NodeType::parse_bare(id, "questionId").map_err(top_level)?;
    let all = audit_workspaces::questions(view, &[of.0]).await.map_err(|error| fault(&error))?;
    let found = all.into_iter().find(|question| question.question_id == id);
    found.ok_or_else(|| top_level(Refusal::not_found("questionId")))
}

/// Workspaces with their questions, each with its key in the list.
pub(super) async fn shown(
    view: &mut Snapshot,
    rows: Vec<WorkspaceRow>,
) -> Result<Vec<(i64, AuditWorkspace)>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.workspace_id).collect();
    let questions = audit_workspaces::questions(view, &ids).await.map_err(|error| fault(&error))?;
    let people = rows.iter().map(|row| row.opened_by).collect();
    let names = access_register::names(view, people, std::collections::BTreeSet::new()).await;
    let names = names.map_err(|error| fault(&error))?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let own = questions.iter().filter(|question| question.workspace_id == row.workspace_id);
        let questions = own.map(question).collect::<Result<_>>()?;
        let workspace = AuditWorkspace {
            id: row.workspace_id,
            name: row.name,
            position: Position(row.position),
            opened_by: PersonReference::new(
                row.opened_by,
                names.people.get(&row.opened_by).cloned(),
            ),
            opened_at: row.opened_at.into(),
            closed_at: row.closed_at.map(DateTime::from),
            questions,
        };
        shown.push((row.opened_position, workspace));
    }
    Ok(shown)
}

fn question(row: &QuestionRow) -> Result<WorkspaceQuestion> {
    let variables = serde_json::from_str(&row.variables).map_err(|error| fault(&error))?;
    Ok(WorkspaceQuestion {
        id: row.question_id,
        name: row.name.clone(),
        document: row.document.clone(),
        variables: Json(variables),
    })
}
