//! The person's own sessions (MC-36, CX-10, GN-11).

use async_graphql::{Context, Object, Result};
use rollcall_commands::{Access, Commands, authorization::not_signed_in};
use rollcall_domain::sessions::Session as SessionState;
use rollcall_projections::sessions::{self as read_model, SessionKey, SessionRow};

use super::types::Session;
use crate::graphql::{
    errors::{fault, top_level},
    paging::{Page, Rows, connection},
    reading::{caller, policy, read},
    scalars::Position,
};

connection!(SessionConnection, SessionEdge, Session);

/// Questions about one's own sessions.
#[derive(Default)]
pub struct SessionQuery;

#[Object]
impl SessionQuery {
    /// The session this request came in.
    async fn session(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Option<Session>> {
        current(ctx, min_position).await
    }

    /// The person's own live sessions, newest first.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<SessionConnection> {
        let page = Page::<SessionKey>::new(first, after).map_err(top_level)?;
        let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        let limits = policy(ctx).await?.session();
        let mut reading = read(ctx, Access::OwnSession, min_position).await?;
        let user = reading.authority.person().map_err(top_level)?;
        let at = (commands.journal.now(), limits.idle);
        let asked = (page.first, page.after.as_ref());
        let found = read_model::sessions(&mut reading.view, user, at, asked).await;
        drop(reading);
        let mut rows = Vec::new();
        for row in found.map_err(|error| fault(&error))? {
            let key = SessionKey { started_at: row.started_at, id: row.id };
            rows.push((key, Session::of_row(commands, caller, (row, limits)).await?));
        }
        Ok(SessionConnection::of(&page, Rows { rows, total: None }))
    }
}

/// The caller's session, from its own stream: whoever has just signed in has it at once.
pub(super) async fn current(
    ctx: &Context<'_>,
    min_position: Option<Position>,
) -> Result<Option<Session>> {
    let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
    let limits = policy(ctx).await?.session();
    drop(read(ctx, Access::OwnSession, min_position).await?);
    let id = caller.session().ok_or_else(|| top_level(not_signed_in()))?;
    let state = commands.journal.load_fresh::<SessionState>(caller.tenant, id.0).await;
    let state = state.map_err(|error| fault(&error))?.state;
    let Some(live) = state.live() else { return Ok(None) };
    let last_seen = commands.activity.last_seen(caller.tenant, id).await;
    let row = SessionRow {
        id: id.0,
        user_id: live.user.0,
        organization_id: live.organization.map(|organization| organization.0),
        must_change_password: live.must_change_password,
        started_at: live.started_at,
        absolute_expires_at: live.absolute_expires_at,
        ended_at: None,
        end_cause: None,
        last_seen_at: last_seen.map_err(|error| fault(&error))?,
    };
    Ok(Some(Session::of_row(commands, caller, (row, limits)).await?))
}
