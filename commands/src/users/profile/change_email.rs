//! `ChangeEmail`, `VerifyEmail`: the address a person is known and reached by (CX-06, GN-05, GN-06).
//!
//! Invariant: one address is one person; the new one is reserved, the old one let go and every
//! organisation's list of domains follows in the same append.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Decider, Refusal,
    kernel::ids::{LinkId, OrganizationId, OtpChallengeId, UserId},
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
    policies::StepUpAction,
    users::user::{User, UserCommand, UserEvent},
    values::EmailAddress,
};
use uuid::Uuid;

use crate::{
    Access, Command, Context, Failure,
    users::{
        account::EMAIL,
        credential::CurrentPassword,
        links::{self, LinkToken, VERIFY_EMAIL},
        one_time_passcode::require_step_up,
    },
};

/// Changes the caller's own address; repeated for an address not verified yet, it sends another
/// link.
pub struct ChangeEmail {
    pub email: EmailAddress,
    pub current: CurrentPassword,
    /// The verified passcode, where the policy asks for one.
    pub challenge: Option<OtpChallengeId>,
}

#[async_trait]
impl Command for ChangeEmail {
    const NAME: &'static str = "ChangeEmail";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        self.current.confirm(cx, user).await?;
        require_step_up(cx, StepUpAction::ChangeEmail, self.challenge).await?;
        give_address(cx, user, &self.email).await
    }
}

/// Makes `email` the person's address, unverified until they follow the link sent to it.
///
/// # Errors
/// `EMAIL_TAKEN` at the append, or the database did not answer.
pub(crate) async fn give_address(
    cx: &mut Context<'_>,
    user: UserId,
    email: &EmailAddress,
) -> Result<(), Failure> {
    let link_id = LinkId(Uuid::now_v7());
    let before = cx.load::<User>(user).await?;
    let change = UserCommand::ChangeEmail { email: email.clone(), link_id };
    let events = cx.decide::<User>(user, change).await?;
    if events.is_empty() {
        return Ok(());
    }
    links::reserve(cx, VERIFY_EMAIL, link_id, user.0);
    let changed = events.iter().any(|event| matches!(event, UserEvent::EmailChanged { .. }));
    let old = before.profile().and_then(|profile| profile.email.get()).map(EmailAddress::key);
    if changed && old.as_ref() != Some(&email.key()) {
        if let Some(old) = old {
            cx.work.release(EMAIL, &old, user.0);
        }
        cx.work.reserve(EMAIL, &email.key(), user.0, taken());
    }
    let places = cx.journal().streams_about(cx.tenant(), user, Organization::TYPE).await?;
    for place in places.into_iter().filter(|_| changed).map(OrganizationId) {
        let organization = cx.load::<Organization>(place).await?;
        if organization.member(user).is_some() {
            let email_domain = email.domain().to_owned();
            let follow = RosterCommand::ChangeMemberEmailDomain { user, email_domain };
            cx.decide::<Organization>(place, OrganizationCommand::from(follow)).await?;
        }
    }
    Ok(())
}

fn taken() -> Refusal {
    let message = "Somebody has an account with this address. Enter another.";
    Refusal::new(Code::EmailTaken, message).at("email")
}

/// Shows that mail to the address arrives, by the link that came with it.
pub struct VerifyEmail {
    pub token: LinkToken,
}

#[async_trait]
impl Command for VerifyEmail {
    const NAME: &'static str = "VerifyEmail";
    const FOR_VISITORS: bool = true;
    type Output = ();

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (user, link_id) = links::email_link(cx, &self.token).await?;
        cx.decide::<User>(user, UserCommand::VerifyEmail { link_id }).await?;
        Ok(())
    }
}
