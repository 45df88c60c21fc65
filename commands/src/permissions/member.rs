//! The member a command is about.
//!
//! Invariant: somebody who is not on the organisation's roster looks exactly like somebody who does
//! not exist.

use std::sync::Arc;

use rollcall_domain::{
    Refusal,
    kernel::ids::{MembershipId, OrganizationId, UserId},
    organizations::{Organization, organization::Standing},
    permissions::{Membership, membership::MembershipKey},
};
use uuid::Uuid;

use crate::{Context, Failure, context::version_conflict};

/// A member, an invited person or a deactivated one, with the organisation they belong to.
pub(crate) struct Member {
    pub(crate) key: MembershipKey,
    /// The stream of their permissions.
    pub(crate) stream: Uuid,
    pub(crate) organization: Arc<Organization>,
    pub(crate) permissions: Arc<Membership>,
}

/// Loads the member, at the version the client expects if it names one (GN-28).
///
/// # Errors
/// `NOT_FOUND` at `organizationId` or `userId`, `VERSION_CONFLICT`, or a fault.
pub(crate) async fn member(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    user: UserId,
    expected_version: Option<i64>,
) -> Result<Member, Failure> {
    let key = MembershipKey { user, organization };
    let organization = cx.load::<Organization>(key.organization).await?;
    if organization.record().is_none() {
        return Err(Refusal::not_found("organizationId").into());
    }
    let facts = match organization.member(user) {
        None => return Err(Refusal::not_found("userId").into()),
        Some(member) => match member.standing {
            Standing::Ended { .. } => return Err(Refusal::not_found("userId").into()),
            Standing::Invited { .. } | Standing::Active | Standing::Inactive { .. } => member.facts,
        },
    };
    let stream = MembershipId::of(cx.tenant(), user, key.organization).0;
    let permissions = cx.load::<Membership>(stream).await?;
    let version = facts + cx.work.version::<Membership>(stream).unwrap_or(0);
    if expected_version.is_some_and(|expected| expected != version) {
        return Err(version_conflict(Some(version)).into());
    }
    Ok(Member { key, stream, organization, permissions })
}
