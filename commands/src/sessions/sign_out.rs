//! `SignOut` and `RevokeSession`: people end their own sessions, plan staff anybody's (MC-37, GN-11).

use async_trait::async_trait;
use rollcall_domain::{
    Actor, Refusal,
    kernel::ids::SessionId,
    sessions::{EndCause, Session, SessionCommand},
    tenants::{PlanRole, PlanStaff},
};

use crate::{Access, Command, Context, Failure, authorization::session_ended};

/// Ends the session it is sent in.
pub struct SignOut;

#[async_trait]
impl Command for SignOut {
    const NAME: &'static str = "SignOut";
    type Output = SessionId;

    fn access(&self) -> Access {
        Access::OwnSession
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<SessionId, Failure> {
        let session = cx.authority.session.ok_or_else(session_ended)?;
        cx.decide::<Session>(session, SessionCommand::SignOut).await?;
        Ok(session)
    }
}

/// Ends a session from elsewhere.
pub struct RevokeSession {
    pub session: SessionId,
}

#[async_trait]
impl Command for RevokeSession {
    const NAME: &'static str = "RevokeSession";
    type Output = SessionId;

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<SessionId, Failure> {
        let me = cx.person()?;
        let session = cx.load::<Session>(self.session).await?;
        let owner = match &*session {
            Session::NotStarted => None,
            Session::Live(live) => Some(live.user),
            Session::Ended { user, .. } => Some(*user),
        };
        if owner != Some(me) {
            let staff = cx.load::<PlanStaff>(cx.tenant().plan_staff_stream(me)).await?;
            let held = staff.roles_at(cx.now);
            let is_support = held.contains(&PlanRole::Pa) || held.contains(&PlanRole::Ps);
            if owner.is_none() || !is_support {
                return Err(Refusal::not_found("sessionId").into());
            }
            cx.work.header_mut().actor = Actor::plan_staff(me);
        }
        let end = SessionCommand::EndSession { cause: EndCause::Revoked };
        cx.decide::<Session>(self.session, end).await?;
        Ok(self.session)
    }
}
