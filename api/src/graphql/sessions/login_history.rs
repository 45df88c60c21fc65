//! What became of somebody's sign-ins (MC-34, AL-06).

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use rollcall_commands::{Access, Caller, Commands};
use rollcall_domain::{
    Refusal, kernel::ids::UserId, organizations::Organization, tenants::PlanRole,
};
use rollcall_projections::sessions::{self as read_model, LoginEntry as Row};

use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{caller, read},
    scalars::{DateTime, Position},
};

/// Who of the plan may read anybody's history.
const READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps, PlanRole::Au];

/// How a sign-in, or a lock, turned out.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::sessions::LoginOutcome")]
pub enum LoginOutcome {
    /// A session was opened.
    Succeeded,
    /// No session was opened.
    Failed,
    /// The account was locked.
    Locked,
    /// The lock was lifted.
    Unlocked,
}

/// One entry of somebody's sign-in history.
#[derive(Clone, SimpleObject)]
pub struct LoginEntry {
    pub at: DateTime,
    pub outcome: LoginOutcome,
    /// Why it failed, or who or what unlocked; for administrators and the plan, not for oneself.
    pub detail: Option<String>,
    /// The session opened.
    pub session_id: Option<ID>,
    /// When the lock ends by itself.
    pub locked_until: Option<DateTime>,
    /// The tenant position of the event behind it.
    pub position: Position,
}

connection!(LoginHistoryConnection, LoginHistoryEdge, LoginEntry);

/// Questions about sign-ins.
#[derive(Default)]
pub struct LoginHistoryQuery;

#[Object]
impl LoginHistoryQuery {
    /// Sign-ins of a person, newest first: one's own, those of members of the organisation that an
    /// administrator acts for, anybody's for plan staff.
    async fn login_history(
        &self,
        ctx: &Context<'_>,
        user_id: ID,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<LoginHistoryConnection> {
        let page = Page::<i64>::new(first, after).map_err(top_level)?;
        let user: UserId = NodeType::User.parse(&user_id, "userId").map_err(top_level)?;
        let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        let is_own = caller.user() == Some(user);
        let access = match caller.organization() {
            _ if is_own => Access::OwnSession,
            Some(organization) => Access::OrgAdminOrPlan(organization, READERS),
            None => Access::Plan(READERS),
        };
        let mut reading = read(ctx, access, min_position).await?;
        if !is_own && !reading.authority.acts_for_plan() {
            require_member(commands, caller, user).await?;
        }
        let asked = (page.first, page.after);
        let found = read_model::login_history(&mut reading.view, user, asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.position, entry(row, is_own))).collect();
        Ok(LoginHistoryConnection::of(&page, Rows { rows, total: None }))
    }
}

/// Somebody of whom the organisation knows nothing is nobody here.
async fn require_member(commands: &Commands, caller: &Caller, user: UserId) -> Result<()> {
    let unknown = || top_level(Refusal::not_found("userId"));
    let id = caller.organization().ok_or_else(unknown)?;
    let organization = commands.journal.load_fresh::<Organization>(caller.tenant, id.0).await;
    let organization = organization.map_err(|error| fault(&error))?.state;
    organization.member(user).map(drop).ok_or_else(unknown)
}

fn entry(row: Row, is_own: bool) -> LoginEntry {
    LoginEntry {
        at: row.at.into(),
        outcome: row.outcome.into(),
        detail: row.detail.filter(|_| !is_own),
        session_id: row.session_id.map(|id| NodeType::Session.id(id)),
        locked_until: row.locked_until.map(DateTime::from),
        position: Position(row.position),
    }
}
