//! What became of somebody's sign-ins (MC-34, AL-06).

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use rollcall_projections::sessions::{self as read_model, LoginEntry as Row};

use crate::graphql::{
    about::{About, about},
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    scalars::{DateTime, Position},
};

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
        let About { mut reading, user, is_own } = about(ctx, &user_id, min_position).await?;
        let asked = (page.first, page.after);
        let found = read_model::login_history(&mut reading.view, user, asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.position, entry(row, is_own))).collect();
        Ok(LoginHistoryConnection::of(&page, Rows { rows, total: None }))
    }
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
