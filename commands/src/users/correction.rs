//! `CorrectUserDetails`, `ChangeUserEmail`: an administrator puts right what was typed (MC-33, CX-04,
//! CX-06).
//!
//! Invariant: an administrator, or plan staff kept to some organisations, corrects only people who
//! belong to nobody else: who is a member elsewhere or of the plan's staff corrects their own account,
//! or the plan does.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    kernel::ids::{InvitationId, MembershipId, OrganizationId, UserId},
    organizations::{
        InvitationEnd, OrgRole, Organization, OrganizationCommand,
        organization::{RosterCommand, Standing},
    },
    permissions::{
        Membership, MembershipCommand, NpiLevel,
        correspondence_types::offered_keys,
        membership::{MembershipKey, NpiChange},
    },
    users::{
        invitation::{Invitation, InvitationCommand, Invited},
        user::{NewDetails, User, UserCommand},
    },
    values::{EmailAddress, PhoneNumber, Reason},
};
use uuid::Uuid;

use super::{
    invitation::{NewPerson, off_the_roster, person_of, send},
    profile::give_address,
    sole_care::answers_for,
};
use crate::{
    Access, Command, Context, Failure,
    organizations::members::{MEMBER_STAFF, cause, reason_required, roster_authority},
    permissions::member::member,
};

/// What is wrong with a member's or an invited person's data; `None` leaves a field as it is.
#[derive(Clone, Debug)]
pub struct CorrectUserDetails {
    pub organization: OrganizationId,
    pub user: UserId,
    pub details: NewDetails,
    pub mobile: Option<PhoneNumber>,
    /// Somebody invited gets a new link at another address; a member has it verified.
    pub email: Option<EmailAddress>,
    /// Required of plan staff.
    pub reason: Option<Reason>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for CorrectUserDetails {
    const NAME: &'static str = "CorrectUserDetails";
    /// The person; somebody invited at another address is another one.
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        correct(cx, self).await
    }
}

/// Corrects the address alone, or sends another link to one not verified yet (CX-06).
pub struct ChangeUserEmail {
    pub organization: OrganizationId,
    pub user: UserId,
    pub email: EmailAddress,
    /// Required of plan staff.
    pub reason: Option<Reason>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for ChangeUserEmail {
    const NAME: &'static str = "ChangeUserEmail";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, MEMBER_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let correction = CorrectUserDetails {
            organization: self.organization,
            user: self.user,
            details: NewDetails::default(),
            mobile: None,
            email: Some(self.email.clone()),
            reason: self.reason.clone(),
            expected_version: self.expected_version,
        };
        correct(cx, &correction).await
    }
}

async fn correct(cx: &mut Context<'_>, wish: &CorrectUserDetails) -> Result<UserId, Failure> {
    let member = member(cx, wish.organization, wish.user, wish.expected_version).await?;
    let standing = member.organization.member(wish.user).map(|member| member.standing);
    if cx.authority.acts_for_plan() && wish.reason.is_none() {
        return Err(reason_required().into());
    }
    if cx.person()? == wish.user {
        let message = "Change your own data in your profile.";
        return Err(Refusal::new(Code::Forbidden, message).at("userId").into());
    }
    if let Some(reason) = &wish.reason {
        cx.work.set_reason(Sealed::new(wish.user, reason.to_string()));
    }
    match standing {
        Some(Standing::Invited { invitation }) => {
            correct_invitation(cx, member.key, invitation, wish).await
        }
        Some(Standing::Active | Standing::Inactive { .. } | Standing::Ended { .. }) | None => {
            correct_account(cx, wish).await
        }
    }
}

async fn correct_account(
    cx: &mut Context<'_>,
    wish: &CorrectUserDetails,
) -> Result<UserId, Failure> {
    let user = wish.user;
    // Whoever may change where a person's links and passcodes go can sign in as them.
    if !answers_for(cx, user, wish.organization).await? {
        let message = "This person does not belong to your organization alone. Ask them to change \
                       their data in their profile, or ask the health plan.";
        return Err(Refusal::new(Code::Forbidden, message).at("userId").into());
    }
    cx.decide::<User>(user, UserCommand::CorrectUserDetails(wish.details.clone())).await?;
    if let Some(mobile) = wish.mobile.clone() {
        cx.decide::<User>(user, UserCommand::ChangePhone { mobile }).await?;
    }
    if let Some(email) = &wish.email {
        give_address(cx, user, email).await?;
    }
    Ok(user)
}

async fn correct_invitation(
    cx: &mut Context<'_>,
    of: MembershipKey,
    invitation: InvitationId,
    wish: &CorrectUserDetails,
) -> Result<UserId, Failure> {
    let (details, mobile) = (wish.details.clone(), wish.mobile.clone());
    let correct = InvitationCommand::CorrectDetails { details, mobile };
    cx.decide::<Invitation>(invitation, correct).await?;
    let state = cx.load::<Invitation>(invitation).await?;
    let invited = state.invited().ok_or_else(|| Refusal::not_found("userId"))?;
    let standing = invited.email.get().map(EmailAddress::key);
    match &wish.email {
        Some(email) if standing != Some(email.key()) => {
            invite_elsewhere(cx, of, invited, email).await
        }
        Some(_) | None => Ok(of.user),
    }
}

/// The address decides who is invited (GN-05), so a corrected one is another invitation: with the
/// same data, role and permissions.
async fn invite_elsewhere(
    cx: &mut Context<'_>,
    of: MembershipKey,
    invited: &Invited,
    email: &EmailAddress,
) -> Result<UserId, Failure> {
    let organization = of.organization;
    let person = person_at(invited, email).ok_or_else(|| Refusal::not_found("userId"))?;
    let role = cx.load::<Organization>(organization).await?.member(of.user).map(|it| it.role);
    cx.decide::<Invitation>(invited.invitation, InvitationCommand::Cancel { reason: None }).await?;
    off_the_roster(cx, invited.invitation, invited, InvitationEnd::Cancelled).await?;
    let invitation = InvitationId(Uuid::new_v4());
    let user = person_of(cx, email).await?;
    let email_domain = email.domain().to_owned();
    let invite = RosterCommand::InviteMember { user, invitation, email_domain };
    cx.decide::<Organization>(organization, OrganizationCommand::from(invite)).await?;
    send(cx, invitation, user, Some(organization), person).await?;
    if let Some(role) = role.filter(|role| *role > OrgRole::None) {
        let authority = roster_authority(&cx.authority);
        let assign = RosterCommand::AssignOrgRole { user, role, cause: cause(cx), authority };
        cx.decide::<Organization>(organization, OrganizationCommand::from(assign)).await?;
    }
    carry_permissions(cx, of, user).await?;
    Ok(user)
}

fn person_at(invited: &Invited, email: &EmailAddress) -> Option<NewPerson> {
    Some(NewPerson {
        email: email.clone(),
        first_name: invited.first_name.get()?.clone(),
        last_name: invited.last_name.get()?.clone(),
        mobile: invited.mobile.get()?.clone(),
        business_phone: invited.business_phone.as_ref().and_then(|phone| phone.get()).cloned(),
    })
}

/// What waited for the person at the former address waits for them at the new one.
async fn carry_permissions(
    cx: &mut Context<'_>,
    from: MembershipKey,
    user: UserId,
) -> Result<(), Failure> {
    let to = MembershipKey { user, ..from };
    let stream = |of: MembershipKey| MembershipId::of(cx.tenant(), of.user, of.organization).0;
    let (old, new) = (stream(from), stream(to));
    let held = cx.load::<Organization>(from.organization).await?.npis_at(cx.now);
    let permissions = cx.load::<Membership>(old).await?;
    let counts = |npi: Option<&_>, until: Option<_>| {
        npi.is_none_or(|npi| held.contains(npi)) && until.is_none_or(|until| cx.now < until)
    };
    let changes: Vec<NpiChange> = permissions
        .entries()
        .filter(|(npi, grant)| grant.level > NpiLevel::None && counts(npi.npi(), grant.until))
        .map(|(npi, grant)| NpiChange { npi: npi.clone(), level: grant.level, until: grant.until })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let assigned: Vec<_> = changes.iter().map(|change| change.npi.clone()).collect();
    let cause = cause(cx);
    let set = MembershipCommand::SetNpiPermissions { of: to, changes, held, cause };
    cx.decide::<Membership>(new, set).await?;
    for (npi, types) in permissions.correspondence_entries() {
        if types.is_empty() || !assigned.contains(npi) {
            continue;
        }
        let set = MembershipCommand::SetCorrespondencePermissions {
            of: to,
            npis: vec![npi.clone()],
            add: types.clone(),
            remove: Default::default(),
            known: offered_keys(),
            cause,
        };
        cx.decide::<Membership>(new, set).await?;
    }
    Ok(())
}
