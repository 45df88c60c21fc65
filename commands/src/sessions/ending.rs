//! Ending a person's live sessions together with what made them invalid (GN-11).
//!
//! Invariant: the ends stand in the same append as their cause, so no process answers such a session
//! once the cause is on record.

use rollcall_domain::{
    kernel::ids::{OrganizationId, SessionId, UserId},
    sessions::{EndCause, Session, SessionCommand},
    users::credential::Credential,
};

use crate::{Context, Failure};

/// Ends every live session of `user` in the command's unit of work; with `only_organization` those
/// acting for that organisation.
///
/// # Errors
/// The database did not answer, or a stored event cannot be read.
pub async fn end_sessions_of(
    cx: &mut Context<'_>,
    user: UserId,
    only_organization: Option<OrganizationId>,
    cause: EndCause,
) -> Result<(), Failure> {
    for session in live_sessions_of(cx, user).await? {
        let acts_for = organization_of(cx, session).await?;
        if only_organization.is_none() || acts_for == only_organization {
            cx.decide::<Session>(session, SessionCommand::EndSession { cause }).await?;
        }
    }
    Ok(())
}

/// The sessions of `user` that no event has ended, oldest first.
///
/// # Errors
/// As [`end_sessions_of`].
pub async fn live_sessions_of(
    cx: &mut Context<'_>,
    user: UserId,
) -> Result<Vec<SessionId>, Failure> {
    let credential = cx.load::<Credential>(cx.tenant().credential_stream(user)).await?;
    let mut live = Vec::new();
    for session in credential.recent_sessions(cx.now) {
        if cx.load::<Session>(session).await?.live().is_some() {
            live.push(session);
        }
    }
    Ok(live)
}

/// Whether a live session of the person acts for the organisation.
///
/// # Errors
/// As [`end_sessions_of`].
pub(crate) async fn acts_for(
    cx: &mut Context<'_>,
    user: UserId,
    organization: OrganizationId,
) -> Result<bool, Failure> {
    for session in live_sessions_of(cx, user).await? {
        if organization_of(cx, session).await? == Some(organization) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn organization_of(
    cx: &mut Context<'_>,
    session: SessionId,
) -> Result<Option<OrganizationId>, Failure> {
    let session = cx.load::<Session>(session).await?;
    Ok(session.live().and_then(|live| live.organization))
}
