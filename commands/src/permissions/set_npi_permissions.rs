//! `SetNpiPermissions`, `QuickAssignNpis`: a level per NPI (MC-39, MC-42).
//!
//! Invariant: every NPI named is held by the organisation now, or the whole command is refused.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, UserId},
    permissions::{
        Cause, Membership, MembershipCommand, NpiLevel, NpiScope, membership::NpiChange,
    },
};

use super::member::{Member, member};
use crate::{Access, Command, Context, Failure};

/// Sets the member's level for each NPI named; the others stay as they are.
pub struct SetNpiPermissions {
    pub organization: OrganizationId,
    pub user: UserId,
    pub changes: Vec<NpiChange>,
    pub expected_version: Option<i64>,
}

/// Sets one level on every NPI the organisation holds; single NPIs may differ afterwards.
pub struct QuickAssignNpis {
    pub organization: OrganizationId,
    pub user: UserId,
    pub level: NpiLevel,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for SetNpiPermissions {
    const NAME: &'static str = "SetNpiPermissions";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        set(cx, &member, self.changes.clone()).await
    }
}

#[async_trait]
impl Command for QuickAssignNpis {
    const NAME: &'static str = "QuickAssignNpis";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        let held = member.organization.npis_at(cx.now);
        if held.is_empty() {
            let message = "The organization holds no NPI yet. Ask the health plan to attach one.";
            return Err(Refusal::new(Code::NpiNotInOrg, message).into());
        }
        // A standing "all NPIs" would give NPIs attached later another level than the one chosen.
        let all = member.permissions.entries().map(|(npi, _)| npi);
        let all = all.filter(|npi| **npi == NpiScope::All).cloned();
        let scopes = all.chain(held.into_iter().map(NpiScope::One));
        let changes = scopes.map(|npi| NpiChange { npi, level: self.level, until: None });
        set(cx, &member, changes.collect()).await
    }
}

async fn set(
    cx: &mut Context<'_>,
    member: &Member,
    changes: Vec<NpiChange>,
) -> Result<UserId, Failure> {
    let held = member.organization.npis_at(cx.now);
    let set = MembershipCommand::SetNpiPermissions {
        of: member.key,
        changes,
        held,
        cause: Cause::Administrator,
    };
    cx.decide::<Membership>(member.stream, set).await?;
    Ok(member.key.user)
}
