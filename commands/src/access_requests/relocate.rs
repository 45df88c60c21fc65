//! `RequestMove`: a user is to move to another organisation, and how the plan carries that out
//! (AL-08).
//!
//! Invariant: the membership there ends with its rights in the append in which the one here begins
//! without any; whoever asks, and whoever decides for some organisations only, learns neither that an
//! address is known nor who holds an NPI.

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
    tenants::PlanScope,
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
            if !cx.authority.plan_scope(REQUEST_STAFF).is_whole() {
                let moving = pending(cx, request).await?;
                resolve(cx, &moving, found).await?;
            }
            let deny = MoveRequestCommand::Deny { reason: reason.clone() };
            cx.decide::<MoveRequest>(request, deny).await?;
        }
        Decision::Approve { note } => {
            let moving = pending(cx, request).await?;
            let moved = resolve(cx, &moving, found).await?;
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

/// Who moves from where to where, by the request, what is on file and what the plan found out, where
/// the caller decides for both organisations (GN-31). Who is kept to some is refused alike whatever is
/// missing: which it is would tell what is on file elsewhere.
pub(super) async fn resolve(
    cx: &mut Context<'_>,
    moving: &Moving,
    found: &Found,
) -> Result<Move, Failure> {
    let scope = cx.authority.plan_scope(REQUEST_STAFF);
    let moved = match find(cx, moving, found, &scope).await {
        Err(Failure::Refused(_)) if !scope.is_whole() => return Err(forbidden().into()),
        moved => moved?,
    };
    if scope.covers(moved.from) && scope.covers(moved.to) {
        Ok(moved)
    } else {
        Err(forbidden().into())
    }
}

async fn find(
    cx: &mut Context<'_>,
    moving: &Moving,
    found: &Found,
    scope: &PlanScope,
) -> Result<Move, Failure> {
    match &moving.wish {
        MoveWish::Away { npi } => {
            let (user, from) = (moving.user, moving.organization);
            settled(found.user, user, "move.userId")?;
            settled(found.from, from, "move.fromOrganizationId")?;
            let holder = cx.journal().owner_of(cx.tenant(), NPI, npi.as_str()).await?;
            let holder = holder.map(OrganizationId);
            let to = on_file(holder, found.to, scope, no_holder)?;
            Ok(Move { user, from, to })
        }
        MoveWish::Here { email } => {
            let to = moving.organization;
            settled(found.to, to, "move.toOrganizationId")?;
            let known = match email.get() {
                Some(email) => with_account(cx, email).await?,
                None => None,
            };
            let user = on_file(known, found.user, scope, unknown)?;
            let from = left(cx, (user, to), found.from, scope).await?;
            Ok(Move { user, from, to })
        }
    }
}

/// What the request or the file says already is not for the plan to say otherwise.
fn settled<T: PartialEq>(said: Option<T>, known: T, field: &str) -> Result<(), Refusal> {
    if said.is_none_or(|said| said == known) {
        return Ok(());
    }
    let message = "The request and what is on file say otherwise. Leave this out, or deny the \
                   request.";
    Err(Refusal::new(Code::FieldInvalid, message).at(field))
}

/// What was looked up, which nobody says otherwise. Where nothing is on file, the plan says it: by
/// whoever decides for all of it, since to others it would tell that nothing is there.
fn on_file<T: Copy + PartialEq>(
    known: Option<T>,
    said: Option<T>,
    scope: &PlanScope,
    missing: fn() -> Refusal,
) -> Result<T, Refusal> {
    match known {
        Some(known) => {
            settled(said, known, &missing().field.join("."))?;
            Ok(known)
        }
        None => said.filter(|_| scope.is_whole()).ok_or_else(missing),
    }
}

fn no_holder() -> Refusal {
    let message = "No organization on file holds the NPI named. Say which one is joined.";
    Refusal::new(Code::NpiNotInOrg, message).at("move.toOrganizationId")
}

fn unknown() -> Refusal {
    let message =
        "Nobody with an account has the address named. Say who moves, or deny the request.";
    Refusal::new(Code::UserUnknown, message).at("move.userId")
}

async fn with_account(
    cx: &mut Context<'_>,
    email: &EmailAddress,
) -> Result<Option<UserId>, Failure> {
    let Some(user) = user_of(cx, email).await? else { return Ok(None) };
    Ok(cx.load::<User>(user).await?.profile().map(|profile| profile.user))
}

/// The organisation left: the only one in scope beside this one of which the person is an active
/// member, or which of them the plan says.
async fn left(
    cx: &mut Context<'_>,
    (user, to): (UserId, OrganizationId),
    said: Option<OrganizationId>,
    scope: &PlanScope,
) -> Result<OrganizationId, Failure> {
    let now = cx.now;
    let mut places = cx.journal().streams_about(cx.tenant(), user, Organization::TYPE).await?;
    places.retain(|place| *place != to.0 && scope.covers(OrganizationId(*place)));
    let rosters = cx.load_all::<Organization>(&places).await?;
    let of = places.into_iter().map(OrganizationId).zip(rosters);
    let of: Vec<_> =
        of.filter(|(_, it)| it.is_active_member(user, now)).map(|(id, _)| id).collect();
    let refused = |code, message: &str| -> Result<OrganizationId, Failure> {
        Err(Refusal::new(code, message).at("move.fromOrganizationId").into())
    };
    match (said, &of[..]) {
        (Some(said), of) if of.contains(&said) => Ok(said),
        (Some(_), _) => refused(
            Code::FieldInvalid,
            "The person is no active member there. Name an organization they belong to.",
        ),
        (None, [only]) => Ok(*only),
        (None, _) => refused(Code::FieldRequired, "Say which organization the person leaves."),
    }
}

/// Ends the membership that is left, with everything held by it.
async fn leave(
    cx: &mut Context<'_>,
    Move { user, from, .. }: Move,
    note: Option<&Reason>,
    evidence: Option<&Reason>,
) -> Result<(), Failure> {
    let member = member(cx, from, user, None).await?;
    let role = member.organization.role_of(user, cx.now);
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
