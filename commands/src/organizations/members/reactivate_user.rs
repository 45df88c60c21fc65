//! `ReactivateUser`: a deactivated member is active again (MC-31).
//!
//! Invariant: former permissions return only after they were listed: a refusal for want of
//! confirmation names each of them, and after the policy's time they must be confirmed themselves
//! (GN-12).

use async_trait::async_trait;
use rollcall_domain::{
    Code,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization, OrganizationCommand, organization::RosterCommand},
    permissions::{Membership, MembershipCommand, NpiLevel, PermissionsEnd},
};

use super::{MEMBER_STAFF, cause, require_power_over, roster_authority};
use crate::{
    Access, Command, Context, Failure,
    permissions::member::{Member, member},
};

/// Reactivates a member of one organisation.
pub struct ReactivateUser {
    pub organization: OrganizationId,
    pub user: UserId,
    /// The administrator confirmed it.
    pub confirmed: bool,
    /// What becomes of the permissions the member had; `None`: they return as they were, which is
    /// not enough after a long time away.
    pub permissions: Option<FormerPermissions>,
    pub expected_version: Option<i64>,
}

/// What the administrator decided about the permissions of a returning member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormerPermissions {
    /// They return and are on record as confirmed.
    Confirmed,
    /// The member begins anew, without any.
    Removed,
}

#[async_trait]
impl Command for ReactivateUser {
    const NAME: &'static str = "ReactivateUser";
    const SCOPE: Option<Scope> = Some(Scope::ManageUsers);
    type Output = UserId;

    fn access(&self) -> Access {
        Access::UserManagerOrPlan(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let member = member(cx, self.organization, self.user, self.expected_version).await?;
        require_power_over(&cx.authority, &member)?;
        let former = former_permissions(cx, &member);
        let reactivate = OrganizationCommand::from(RosterCommand::ReactivateUser {
            user: self.user,
            confirmed: self.confirmed,
            permissions_reviewed: self.permissions.is_some() || former.is_empty(),
        });
        let reactivated = cx.decide::<Organization>(self.organization, reactivate).await;
        reactivated.map_err(|failure| listing(failure, former))?;
        let of = member.key;
        match self.permissions {
            None => {}
            Some(FormerPermissions::Confirmed) => {
                let confirm = MembershipCommand::ConfirmFormerPermissions { of };
                cx.decide::<Membership>(member.stream, confirm).await?;
            }
            Some(FormerPermissions::Removed) => {
                let cause = PermissionsEnd::NotConfirmed;
                let end = MembershipCommand::EndMembershipPermissions { of, cause };
                cx.decide::<Membership>(member.stream, end).await?;
                self.drop_role(cx).await?;
            }
        }
        Ok(self.user)
    }
}

impl ReactivateUser {
    async fn drop_role(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let drop = OrganizationCommand::from(RosterCommand::AssignOrgRole {
            user: self.user,
            role: OrgRole::None,
            cause: cause(cx),
            authority: roster_authority(&cx.authority),
        });
        cx.decide::<Organization>(self.organization, drop).await?;
        Ok(())
    }
}

/// Everything that would return with the member, one line each.
fn former_permissions(cx: &Context<'_>, member: &Member) -> Vec<String> {
    let role = member.organization.member(member.key.user).map_or(OrgRole::None, |it| it.role);
    let role = (role > OrgRole::None).then(|| format!("ORGANIZATION {}", role.as_str()));
    let levels = member.permissions.entries().filter_map(|(npi, grant)| {
        let counts = grant.level > NpiLevel::None && grant.until.is_none_or(|until| cx.now < until);
        counts.then(|| format!("NPI {npi} {}", grant.level.as_str()))
    });
    let types = member.permissions.correspondence_entries().flat_map(|(npi, types)| {
        types.iter().map(move |kind| format!("CORRESPONDENCE {npi} {kind}"))
    });
    let grants = member.permissions.entitlements().filter_map(|grant| {
        let entitlement = grant.entitlement;
        let counts = member.permissions.holds(&entitlement, cx.now);
        counts.then(|| format!("{} {}", entitlement.kind().as_str(), entitlement.key()))
    });
    role.into_iter().chain(levels).chain(types).chain(grants).collect()
}

/// A refusal for want of confirmation lists what is to be confirmed.
fn listing(failure: Failure, former: Vec<String>) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.code == Code::ConfirmationRequired => {
            Failure::Refused(refusal.details(former))
        }
        other @ (Failure::Refused(_)
        | Failure::RefusedOnRecord(_)
        | Failure::Journal(_)
        | Failure::Database(_)) => other,
    }
}
