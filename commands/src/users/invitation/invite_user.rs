//! `InviteUser`: an administrator adds a person, who gets a link by email (MC-15).
//!
//! Invariant: the answer is the same whether or not the address is known elsewhere in the tenant.

use async_trait::async_trait;
use rollcall_domain::{
    api_keys::Scope,
    kernel::ids::{InvitationId, LinkId, OrganizationId, UserId},
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
    users::{
        invitation::{Invitation, InvitationCommand, Invite},
        user::User,
    },
    values::{EmailAddress, PersonName, PhoneNumber},
};
use uuid::Uuid;

use crate::{
    Access, Command, Context, Failure,
    users::{
        account,
        links::{self, INVITATION},
    },
};

/// Invites a person into an organisation.
pub struct InviteUser {
    pub organization: OrganizationId,
    pub person: NewPerson,
}

/// Whom to invite; the address decides who it is (GN-05).
#[derive(Clone, Debug)]
pub struct NewPerson {
    pub email: EmailAddress,
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub mobile: PhoneNumber,
    pub business_phone: Option<PhoneNumber>,
}

#[async_trait]
impl Command for InviteUser {
    const NAME: &'static str = "InviteUser";
    const SCOPE: Option<Scope> = Some(Scope::ManageUsers);
    type Output = InvitationId;

    fn access(&self) -> Access {
        Access::UserManager(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<InvitationId, Failure> {
        let invitation = InvitationId(Uuid::new_v4());
        let user = person_of(cx, &self.person.email).await?;
        let invite = OrganizationCommand::from(RosterCommand::InviteMember {
            user,
            invitation,
            email_domain: self.person.email.domain().to_owned(),
        });
        cx.decide::<Organization>(self.organization, invite).await?;
        send(cx, invitation, user, Some(self.organization), self.person.clone()).await?;
        Ok(invitation)
    }
}

/// The person with this address, or a new one; the address is theirs from now on.
pub(crate) async fn person_of(
    cx: &mut Context<'_>,
    email: &EmailAddress,
) -> Result<UserId, Failure> {
    let user = account::user_of(cx, email).await?.unwrap_or_else(|| UserId(Uuid::now_v7()));
    account::reserve_email(cx, email, user);
    Ok(user)
}

/// Records the invitation and its link; `organization` is `None` for plan staff.
///
/// # Errors
/// The invitation's own refusal, or the database did not answer.
pub(crate) async fn send(
    cx: &mut Context<'_>,
    invitation: InvitationId,
    user: UserId,
    organization: Option<OrganizationId>,
    person: NewPerson,
) -> Result<(), Failure> {
    let link_id = LinkId(Uuid::now_v7());
    let existing_account = cx.load::<User>(user).await?.profile().is_some();
    let NewPerson { email, first_name, last_name, mobile, business_phone } = person;
    let invite = InvitationCommand::Invite(Box::new(Invite {
        invitation,
        user,
        organization,
        email,
        first_name,
        last_name,
        mobile,
        business_phone,
        link_id,
        existing_account,
    }));
    cx.decide::<Invitation>(invitation, invite).await?;
    links::reserve(cx, INVITATION, link_id, invitation.0);
    Ok(())
}
