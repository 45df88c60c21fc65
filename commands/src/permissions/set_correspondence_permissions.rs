//! `SetCorrespondencePermissions`: which types a member reads for which NPIs (MC-45, MC-46).
//!
//! Invariant: afterwards the member reads exactly the types named for each NPI named; other NPIs
//! stay as they are.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{
        Cause, CorrespondenceScope, Membership, MembershipCommand, NpiScope,
        correspondence_types::offered_keys,
    },
    policies::Feature,
};

use super::member::member;
use crate::{Access, Command, Context, Failure};

/// Sets the types for one or several NPIs; no type at all takes them away.
pub struct SetCorrespondencePermissions {
    pub organization: OrganizationId,
    pub user: UserId,
    pub npis: Vec<NpiScope>,
    pub types: BTreeSet<CorrespondenceScope>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for SetCorrespondencePermissions {
    const NAME: &'static str = "SetCorrespondencePermissions";
    const FEATURE: Option<Feature> = Some(Feature::Correspondence);
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        let known = offered_keys();
        let every = known.iter().cloned().map(CorrespondenceScope::One);
        let others = every.chain([CorrespondenceScope::All]);
        let set = MembershipCommand::SetCorrespondencePermissions {
            of: member.key,
            npis: self.npis.clone(),
            add: self.types.clone(),
            remove: others.filter(|kind| !self.types.contains(kind)).collect(),
            known,
            cause: Cause::Administrator,
        };
        cx.decide::<Membership>(member.stream, set).await?;
        Ok(self.user)
    }
}
