//! `AttachUserToOrganization`: plan staff bring in a person who is missing from an organisation
//! (CC-03).
//!
//! Invariant: the person has an account already, and comes without any permission: those give the
//! organisation's administrators.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization, OrganizationCommand, organization::RosterCommand},
    users::user::User,
    values::{EmailAddress, Reason},
};

use super::MEMBER_STAFF;
use crate::{Access, Command, Context, Failure, users::user_of};

/// How the person is named.
#[derive(Clone, Debug)]
pub enum Whom {
    User(UserId),
    Email(EmailAddress),
}

/// Makes a person a member of one more organisation.
pub struct AttachUserToOrganization {
    pub organization: OrganizationId,
    pub whom: Whom,
    pub reason: Reason,
}

#[async_trait]
impl Command for AttachUserToOrganization {
    const NAME: &'static str = "AttachUserToOrganization";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let (user, field) = match &self.whom {
            Whom::User(user) => (Some(*user), "userId"),
            Whom::Email(email) => (user_of(cx, email).await?, "email"),
        };
        let unknown = || {
            let message = "Nobody with an account is known so. Have the person invited instead.";
            Refusal::new(Code::UserUnknown, message).at(field)
        };
        let user = user.ok_or_else(unknown)?;
        let account = cx.load::<User>(user).await?;
        let email = account.profile().and_then(|profile| profile.email.get());
        let email_domain = email.ok_or_else(unknown)?.domain().to_owned();
        cx.work.set_reason(Sealed::new(user, self.reason.to_string()));
        let attach = RosterCommand::AttachUser { user, email_domain, role: OrgRole::None };
        cx.decide::<Organization>(self.organization, OrganizationCommand::from(attach)).await?;
        Ok(user)
    }
}
