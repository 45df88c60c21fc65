//! `EscalateAccessRequest`, `WithdrawAccessRequest`, `ExpireAccessRequest`: how a request goes on or
//! ends without a decision (AL-08, CC-11).
//!
//! Invariant: once a request is over, the same may be asked for again.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    access_requests::{
        AccessRequest, AccessRequestCommand, JoinRequest, JoinRequestCommand, MoveRequest,
        MoveRequestCommand, RouteCause,
    },
    kernel::ids::{AccessRequestId, OrganizationId},
    policies::Feature,
    values::Reason,
};

use super::{PENDING, REQUEST_STAFF, relocate, request_access::pending_key};
use crate::{Access, Command, Context, Failure};

/// Hands a request on to the plan.
pub struct EscalateAccessRequest {
    pub organization: OrganizationId,
    pub request: AccessRequestId,
    pub note: Option<Reason>,
}

/// Takes one's own request back.
pub struct WithdrawAccessRequest {
    pub organization: OrganizationId,
    pub request: AccessRequestId,
}

/// The scheduler found a request undecided at its end; too early or too late it changes nothing.
pub struct ExpireAccessRequest {
    pub request: AccessRequestId,
}

#[async_trait]
impl Command for EscalateAccessRequest {
    const NAME: &'static str = "EscalateAccessRequest";
    const FEATURE: Option<Feature> = Some(Feature::AccessRequests);
    type Output = AccessRequestId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REQUEST_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessRequestId, Failure> {
        kind_of(cx, self.request, self.organization).await?;
        let route =
            AccessRequestCommand::Route { cause: RouteCause::Escalated, note: self.note.clone() };
        cx.decide::<AccessRequest>(self.request, route).await?;
        Ok(self.request)
    }
}

#[async_trait]
impl Command for WithdrawAccessRequest {
    const NAME: &'static str = "WithdrawAccessRequest";
    type Output = AccessRequestId;

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessRequestId, Failure> {
        match kind_of(cx, self.request, self.organization).await? {
            Kind::Move => {
                cx.decide::<MoveRequest>(self.request, MoveRequestCommand::Withdraw).await?;
                relocate::release(cx, self.request).await?;
            }
            // Visitors have nothing to take back: no such request is known to a member.
            Kind::Access | Kind::Join => {
                cx.decide::<AccessRequest>(self.request, AccessRequestCommand::Withdraw).await?;
                release(cx, self.request).await?;
            }
        }
        Ok(self.request)
    }
}

#[async_trait]
impl Command for ExpireAccessRequest {
    const NAME: &'static str = "ExpireAccessRequest";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        expire(cx, self.request).await
    }
}

/// What a request is about.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// What a member asks for themself.
    Access,
    Join,
    Move,
}

/// The kind of a request, which has to be one of the organisation; one of others does not exist.
pub(super) async fn kind_of(
    cx: &mut Context<'_>,
    request: AccessRequestId,
    organization: OrganizationId,
) -> Result<Kind, Failure> {
    let state = cx.load::<AccessRequest>(request).await?;
    let mut found = state.asked().map(|asked| (Kind::Access, asked.organization));
    if found.is_none() {
        let state = cx.load::<JoinRequest>(request).await?;
        found = state.joining().map(|joining| (Kind::Join, joining.organization));
    }
    if found.is_none() {
        let state = cx.load::<MoveRequest>(request).await?;
        found = state.moving().map(|moving| (Kind::Move, moving.organization));
    }
    match found {
        Some((kind, of)) if of == organization => Ok(kind),
        Some(_) | None => Err(Refusal::not_found("accessRequestId").into()),
    }
}

/// Lets what was asked for be asked for again.
pub(super) async fn release(cx: &mut Context<'_>, request: AccessRequestId) -> Result<(), Failure> {
    let state = cx.load::<AccessRequest>(request).await?;
    let Some(asked) = state.asked() else { return Ok(()) };
    for item in &asked.items {
        let key = pending_key(asked.organization, asked.user, item);
        cx.work.release(PENDING, &key, request.0);
    }
    Ok(())
}

/// A request for the same that ran out unnoticed is closed on record first.
pub(super) async fn close_if_run_out(cx: &mut Context<'_>, key: &str) -> Result<(), Failure> {
    let tenant = cx.tenant();
    let hash = cx.journal().secrets().lookup_key(tenant, PENDING, key);
    match cx.journal().owner_of_hash(tenant, PENDING, &hash).await? {
        Some(owner) => expire(cx, AccessRequestId(owner)).await,
        None => Ok(()),
    }
}

/// Of whichever kind the request is; the others have nothing under its id.
async fn expire(cx: &mut Context<'_>, request: AccessRequestId) -> Result<(), Failure> {
    cx.decide::<JoinRequest>(request, JoinRequestCommand::Expire).await?;
    let moving = cx.decide::<MoveRequest>(request, MoveRequestCommand::Expire).await?;
    if !moving.is_empty() {
        relocate::release(cx, request).await?;
    }
    let expired = cx.decide::<AccessRequest>(request, AccessRequestCommand::Expire).await?;
    if !expired.is_empty() {
        release(cx, request).await?;
    }
    Ok(())
}
