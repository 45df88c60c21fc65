//! What approving a move would do, for the plan before it decides (AL-08).
//!
//! Invariant: answered from the streams an approval would rest on, by the same rule, and nothing is
//! recorded.

use rollcall_domain::{
    access_requests::Move,
    kernel::ids::{AccessRequestId, OrganizationId},
    organizations::OrgRole,
};
use uuid::Uuid;

use super::{
    REQUEST_STAFF,
    relocate::{Found, pending, resolve},
    ways::kind_of,
};
use crate::{
    Access, Caller, Commands, Context, Failure,
    authorization::authorise,
    context::{header, load_policy, version_conflict},
    dispatch::NO_KEY,
    organizations::members::former_permissions,
    permissions::member::member,
};

/// Attempts before a busy tenant's answer is given up.
const ATTEMPTS: usize = 5;

/// A move as it would be carried out.
#[derive(Clone, Debug)]
pub struct MoveOutlook {
    pub moved: Move,
    /// Role and permissions that end there and are not carried over, one line each.
    pub former: Vec<String>,
    /// The organisation left would have no active administrator (GN-10).
    pub leaves_adminless: bool,
}

impl Commands {
    /// What approving the move would do, for plan staff.
    ///
    /// # Errors
    /// What authorisation refuses, `NOT_FOUND`, `ALREADY_DECIDED`, what is missing to carry it out, or
    /// a fault.
    pub async fn move_outlook(
        &self,
        caller: &Caller,
        (request, organization): (AccessRequestId, OrganizationId),
        found: &Found,
    ) -> Result<MoveOutlook, Failure> {
        let (tenant, now) = (caller.tenant, self.journal.now());
        for _ in 0..ATTEMPTS {
            let access = Access::PlanOf(organization, REQUEST_STAFF);
            let (authority, _) = authorise(&self.journal, caller, access, now).await?;
            let ids = (Uuid::now_v7(), NO_KEY);
            let mut work = self.journal.begin(header(caller, tenant, "MoveOutlook", ids, now));
            let (_, policy) = load_policy(&mut work, now).await?;
            let used = Vec::new();
            let mut cx = Context { commands: self, caller, authority, work, now, policy, used };
            let outlook = outlook(&mut cx, (request, organization), found).await;
            // An answer on an outdated state is none.
            if cx.work.still_holds().await? {
                return outlook;
            }
        }
        Err(version_conflict(None).into())
    }
}

async fn outlook(
    cx: &mut Context<'_>,
    (request, organization): (AccessRequestId, OrganizationId),
    found: &Found,
) -> Result<MoveOutlook, Failure> {
    kind_of(cx, request, organization).await?;
    let moving = pending(cx, request).await?;
    let moved = resolve(cx, &moving, found).await?;
    let member = member(cx, moved.from, moved.user, None).await?;
    let roster = &member.organization;
    let is_admin = roster.role_of(moved.user, cx.now) == OrgRole::Admin;
    let leaves_adminless =
        is_admin && roster.active_admins(cx.now).all(|admin| admin == moved.user);
    Ok(MoveOutlook { moved, former: former_permissions(cx, &member), leaves_adminless })
}
