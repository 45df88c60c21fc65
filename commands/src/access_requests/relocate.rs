//! `RequestMove`: a user is to move to another organisation, and how the plan carries that out
//! (AL-08).
//!
//! Invariant: the membership there ends with its rights in the append in which the one here begins
//! without any; whoever asks learns neither that an address is known nor who holds an NPI.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Decider, Refusal,
    access_requests::{Move, MoveRequest, MoveRequestCommand, MoveWish, Moving, sealed_for},
    kernel::ids::{AccessRequestId, OrganizationId, UserId},
    organizations::{
        Authority, OrgRole, Organization, OrganizationCommand,
        organization::{RosterCommand, Standing},
    },
    permissions::{
        Cause, Membership, MembershipCommand, PermissionsEnd,
        right_use::{RightKind, UsedRight},
    },
    policies::Feature,
    sessions::EndCause,
    users::user::User,
    values::{EmailAddress, Npi, Reason},
};
use uuid::Uuid;

use super::{Decision, PENDING, REQUEST_STAFF, ways::close_if_run_out};
use crate::{
    Access, Command, Context, Failure,
    authorization::forbidden,
    organizations::{NPI, members::keep_evidence},
    permissions::member::member,
    sessions::end_sessions_of,
    users::user_of,
};

/// Who is to move, seen from the organisation acted for.
#[derive(Clone, Debug)]
pub enum Wish {
    /// The caller leaves for the organisation that holds this NPI.
    Away(Npi),
    /// The person with this address comes here; asked by an administrator.
    Here(EmailAddress),
}

/// Asks the plan to move a user.
pub struct RequestMove {
    pub organization: OrganizationId,
    pub wish: Wish,
    pub why: Reason,
}

#[async_trait]
impl Command for RequestMove {
    const NAME: &'static str = "RequestMove";
    const FEATURE: Option<Feature> = Some(Feature::AccessRequests);
    type Output = AccessRequestId;

    fn access(&self) -> Access {
        match self.wish {
            Wish::Away(_) => Access::Member(self.organization),
            Wish::Here(_) => Access::OrgAdmin(self.organization),
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessRequestId, Failure> {
        let user = cx.person()?;
        let (organization, request) = (self.organization, AccessRequestId(Uuid::now_v7()));
        let wish = match &self.wish {
            Wish::Away(npi) => MoveWish::Away { npi: npi.clone() },
            Wish::Here(email) => MoveWish::Here { email: sealed_for(request, email.clone()) },
        };
        let key = pending_key(organization, user, &wish);
        let why = self.why.clone();
        let ask = MoveRequestCommand::Ask { request, user, organization, wish, why };
        cx.decide::<MoveRequest>(request, ask).await?;
        close_if_run_out(cx, &key).await?;
        cx.work.reserve(PENDING, &key, request.0, duplicate());
        if matches!(self.wish, Wish::Here(_)) {
            cx.use_right(UsedRight::of_kind(RightKind::ManageUsers));
        }
        Ok(request)
    }
}

fn pending_key(organization: OrganizationId, user: UserId, wish: &MoveWish) -> String {
    format!("{organization}/{}", wish.key(user))
}

fn duplicate() -> Refusal {
    let message = "This move was asked for already. Wait for the health plan's answer.";
    Refusal::new(Code::DuplicateRequest, message)
}

/// What the plan found out where the request does not say it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub user: Option<UserId>,
    pub from: Option<OrganizationId>,
    pub to: Option<OrganizationId>,
    /// What shows that an administrator may be taken away from their organisation (CC-07).
    pub evidence: Option<Reason>,
}

/// The plan's answer; a yes moves the person in the same append.
pub(super) async fn decide(
    cx: &mut Context<'_>,
    request: AccessRequestId,
    decision: &Decision,
    found: &Found,
) -> Result<(), Failure> {
    if !cx.authority.acts_for_plan() {
        return Err(Refusal::new(Code::Forbidden, "This request waits for the health plan.").into());
    }
    match decision {
        Decision::Deny { reason } => {
            let deny = MoveRequestCommand::Deny { reason: reason.clone() };
            cx.decide::<MoveRequest>(request, deny).await?;
        }
        Decision::Approve { note } => {
            let moving = pending(cx, request).await?;
            let moved = resolve(cx, &moving, found).await?;
            require_both(cx, moved)?;
            let approve = MoveRequestCommand::Approve { moved, note: note.clone() };
            cx.decide::<MoveRequest>(request, approve).await?;
            leave(cx, moved, note.as_ref(), found.evidence.as_ref()).await?;
            arrive(cx, moved).await?;
        }
    }
    release(cx, request).await
}

pub(super) async fn pending(
    cx: &mut Context<'_>,
    request: AccessRequestId,
) -> Result<Moving, Failure> {
    let state = cx.load::<MoveRequest>(request).await?;
    Ok(state.pending(cx.now).map_err(Refusal::from)?.clone())
}

/// Lets the same be asked for again.
pub(super) async fn release(cx: &mut Context<'_>, request: AccessRequestId) -> Result<(), Failure> {
    let state = cx.load::<MoveRequest>(request).await?;
    if let Some(Moving { user, organization, wish, .. }) = state.moving() {
        cx.work.release(PENDING, &pending_key(*organization, *user, wish), request.0);
    }
    Ok(())
}

/// Whoever decides about a move does so for both organisations (GN-31).
pub(super) fn require_both(cx: &Context<'_>, Move { from, to, .. }: Move) -> Result<(), Refusal> {
    let scope = cx.authority.plan_scope(REQUEST_STAFF);
    if scope.covers(from) && scope.covers(to) { Ok(()) } else { Err(forbidden()) }
}

/// Who moves from where to where, by the request and what the plan found out.
pub(super) async fn resolve(
    cx: &mut Context<'_>,
    moving: &Moving,
    found: &Found,
) -> Result<Move, Failure> {
    match &moving.wish {
        MoveWish::Away { npi } => {
            let (user, from) = (moving.user, moving.organization);
            settled(found.user, user, "move.userId")?;
            settled(found.from, from, "move.fromOrganizationId")?;
            let to = match found.to {
                Some(to) => to,
                None => holder(cx, npi).await?,
            };
            Ok(Move { user, from, to })
        }
        MoveWish::Here { email } => {
            let to = moving.organization;
            settled(found.to, to, "move.toOrganizationId")?;
            let user = match (found.user, email.get()) {
                (Some(user), _) => user,
                (None, Some(email)) => user_of(cx, email).await?.ok_or_else(unknown)?,
                (None, None) => return Err(unknown().into()),
            };
            let from = match found.from {
                Some(from) => from,
                None => only_other(cx, user, to).await?,
            };
            Ok(Move { user, from, to })
        }
    }
}

/// What the request says already is not for the plan to say otherwise.
fn settled<T: PartialEq>(found: Option<T>, asked: T, field: &str) -> Result<(), Refusal> {
    if found.is_none_or(|found| found == asked) {
        return Ok(());
    }
    let message = "The request says otherwise. Leave this out, or deny the request.";
    Err(Refusal::new(Code::FieldInvalid, message).at(field))
}

async fn holder(cx: &mut Context<'_>, npi: &Npi) -> Result<OrganizationId, Failure> {
    let holder = cx.journal().owner_of(cx.tenant(), NPI, npi.as_str()).await?;
    let nobody = || {
        let message = "No organization on file holds the NPI named. Say which one is joined.";
        Refusal::new(Code::NpiNotInOrg, message).at("move.toOrganizationId")
    };
    Ok(OrganizationId(holder.ok_or_else(nobody)?))
}

fn unknown() -> Refusal {
    let message =
        "Nobody with an account has the address named. Say who moves, or deny the request.";
    Refusal::new(Code::UserUnknown, message).at("move.userId")
}

/// The only organisation beside this one of which the person is an active member.
async fn only_other(
    cx: &mut Context<'_>,
    user: UserId,
    to: OrganizationId,
) -> Result<OrganizationId, Failure> {
    let mut others = Vec::new();
    for id in cx.journal().streams_about(cx.tenant(), user, Organization::TYPE).await? {
        if id != to.0 && cx.load::<Organization>(id).await?.is_active_member(user, cx.now) {
            others.push(OrganizationId(id));
        }
    }
    if let [only] = others[..] {
        return Ok(only);
    }
    let message = "Say which organization the person leaves.";
    Err(Refusal::new(Code::FieldRequired, message).at("move.fromOrganizationId").into())
}

/// Ends the membership that is left, with everything held by it.
async fn leave(
    cx: &mut Context<'_>,
    Move { user, from, .. }: Move,
    note: Option<&Reason>,
    evidence: Option<&Reason>,
) -> Result<(), Failure> {
    let member = member(cx, from, user, None).await?;
    let role = member.organization.member(user).map_or(OrgRole::None, |member| member.role);
    if role == OrgRole::Admin {
        keep_evidence(cx, member.key, evidence).await?;
    }
    let authority = Authority::Plan;
    if role > OrgRole::None {
        let (role, cause) = (OrgRole::None, Cause::Plan);
        roster(cx, from, RosterCommand::AssignOrgRole { user, role, cause, authority }).await?;
    }
    let deactivate = RosterCommand::DeactivateUser {
        user,
        confirmed: true,
        reason: note.cloned(),
        left_on: None,
        authority,
    };
    roster(cx, from, deactivate).await?;
    let end = MembershipCommand::EndMembershipPermissions {
        of: member.key,
        cause: PermissionsEnd::Moved,
    };
    cx.decide::<Membership>(member.stream, end).await?;
    end_sessions_of(cx, user, Some(from), EndCause::Deactivated).await
}

/// Begins the membership that is joined, without any permission.
async fn arrive(cx: &mut Context<'_>, Move { user, to, .. }: Move) -> Result<(), Failure> {
    let account = cx.load::<User>(user).await?;
    let email = account.profile().and_then(|profile| profile.email.get());
    let email_domain = email.ok_or_else(unknown)?.domain().to_owned();
    let organization = cx.load::<Organization>(to).await?;
    if organization.record().is_none() {
        return Err(Refusal::not_found("move.toOrganizationId").into());
    }
    let standing = organization.member(user).map(|member| member.standing);
    let Some(Standing::Inactive { .. }) = standing else {
        let attach = RosterCommand::AttachUser { user, email_domain, role: OrgRole::None };
        return roster(cx, to, attach).await;
    };
    // Somebody who was here before comes back, and begins anew.
    let (confirmed, permissions_reviewed) = (true, true);
    let back = RosterCommand::ReactivateUser { user, confirmed, permissions_reviewed };
    roster(cx, to, back).await?;
    let member = member(cx, to, user, None).await?;
    let end = MembershipCommand::EndMembershipPermissions {
        of: member.key,
        cause: PermissionsEnd::NotConfirmed,
    };
    cx.decide::<Membership>(member.stream, end).await?;
    let (role, cause, authority) = (OrgRole::None, Cause::Plan, Authority::Plan);
    roster(cx, to, RosterCommand::AssignOrgRole { user, role, cause, authority }).await
}

async fn roster(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    command: RosterCommand,
) -> Result<(), Failure> {
    cx.decide::<Organization>(organization, OrganizationCommand::from(command)).await?;
    Ok(())
}
