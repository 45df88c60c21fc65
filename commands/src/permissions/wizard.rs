//! `FinishPermissionWizard`, `DeferPermissions`: how far the administrator came with a new member
//! (MC-43, MC-44).
//!
//! Invariant: the NPI step is required; the other two may be done later.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    organizations::OrgRole,
    permissions::{Membership, MembershipCommand, WizardStep},
};

use super::member::{Member, member};
use crate::{Access, Command, Context, Failure};

/// Finishes the wizard with the steps done.
pub struct FinishPermissionWizard {
    pub organization: OrganizationId,
    pub user: UserId,
    /// `None`: those that left something behind.
    pub steps: Option<BTreeSet<WizardStep>>,
    pub expected_version: Option<i64>,
}

/// "Skip For Now": the member has profile, notifications and content only.
pub struct DeferPermissions {
    pub organization: OrganizationId,
    pub user: UserId,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for FinishPermissionWizard {
    const NAME: &'static str = "FinishPermissionWizard";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        let steps = self.steps.clone().unwrap_or_else(|| steps_done(cx, &member));
        let finish = MembershipCommand::FinishPermissionWizard { of: member.key, steps };
        cx.decide::<Membership>(member.stream, finish).await?;
        Ok(self.user)
    }
}

#[async_trait]
impl Command for DeferPermissions {
    const NAME: &'static str = "DeferPermissions";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        let defer = MembershipCommand::DeferPermissions { of: member.key };
        cx.decide::<Membership>(member.stream, defer).await?;
        Ok(self.user)
    }
}

fn steps_done(cx: &Context<'_>, member: &Member) -> BTreeSet<WizardStep> {
    let has_npis = !member.permissions.is_unassigned(cx.now);
    let has_types = member.permissions.correspondence_entries().any(|(_, types)| !types.is_empty());
    let role = member.organization.member(member.key.user).map(|member| member.role);
    let has_role = role.is_some_and(|role| role > OrgRole::None);
    [
        (WizardStep::Npi, has_npis),
        (WizardStep::Correspondence, has_types),
        (WizardStep::Organization, has_role),
    ]
    .into_iter()
    .filter_map(|(step, is_done)| is_done.then_some(step))
    .collect()
}
