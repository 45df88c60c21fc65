//! Whose telephone a passcode goes to, and what it is for.
//!
//! Invariant: a person with an account is reached at the account's number, never at one a visitor
//! typed: a code proves the account's owner. A code to another number proves that number alone.

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{RegistrationId, UserId},
    organizations::{Registration, registration::RegistrationStep},
    users::{
        credential::{Credential, LinkPurpose},
        invitation::{Invitation, InvitationStep},
        one_time_passcode::{OtpOwner, OtpPurpose},
        user::User,
    },
    values::{CodeChannel, PhoneNumber},
};

use crate::{
    Context, Failure,
    users::{
        invitation::open_invitation,
        links::{self, LinkToken},
    },
};

/// Who asks for a passcode.
#[derive(Clone, Debug)]
pub enum PasscodeOwner {
    /// Whoever registers an organisation (MC-06, MC-10).
    Registration(RegistrationId),
    /// An invited person (MC-20).
    Invitation(LinkToken),
    /// Somebody with a link that sets or resets a password (MC-23, MC-26).
    PasswordLink(LinkToken),
    /// The signed-in person, for an action the policy guards (MC-28).
    Myself,
    /// The signed-in person, at a number that is to become theirs (MC-27).
    NewPhone(PhoneNumber),
}

/// Where the code goes.
pub(super) struct Recipient {
    pub owner: OtpOwner,
    pub purpose: OtpPurpose,
    pub phone: PhoneNumber,
    /// The channel chosen before.
    pub channel: CodeChannel,
}

impl PasscodeOwner {
    /// The person whose authenticator app may be asked instead of a telephone, and for what; `None`
    /// where a number is to be proven.
    ///
    /// # Errors
    /// `NOT_SIGNED_IN`, `LINK_*`.
    pub(super) async fn account_holder(
        &self,
        cx: &mut Context<'_>,
    ) -> Result<Option<(UserId, OtpPurpose)>, Failure> {
        match self {
            Self::Myself => Ok(Some((cx.person()?, OtpPurpose::StepUp))),
            Self::PasswordLink(token) => link_holder(cx, token).await.map(Some),
            Self::Registration(_) | Self::Invitation(_) | Self::NewPhone(_) => Ok(None),
        }
    }

    /// Finds the telephone.
    ///
    /// # Errors
    /// `STEP_OUT_OF_ORDER` while the code is not the next step, `LINK_*`, `NOT_FOUND`.
    pub(super) async fn recipient(&self, cx: &mut Context<'_>) -> Result<Recipient, Failure> {
        match self {
            Self::Registration(id) => registrant(cx, *id).await,
            Self::Invitation(token) => invitee(cx, token).await,
            Self::PasswordLink(token) => {
                let (user, purpose) = link_holder(cx, token).await?;
                account(cx, user, purpose).await
            }
            Self::Myself => {
                let user = cx.person()?;
                account(cx, user, OtpPurpose::StepUp).await
            }
            Self::NewPhone(phone) => {
                let user = cx.person()?;
                let known = account(cx, user, OtpPurpose::NewPhone).await?;
                Ok(Recipient { phone: phone.clone(), ..known })
            }
        }
    }
}

async fn registrant(cx: &mut Context<'_>, id: RegistrationId) -> Result<Recipient, Failure> {
    let registration = cx.load::<Registration>(id).await?;
    let Some(progress) = registration.progress() else {
        return Err(Refusal::not_found("owner.registrationId").into());
    };
    if progress.step != RegistrationStep::VerifyPasscode {
        return Err(out_of_order().into());
    }
    let (owner, purpose) = (OtpOwner::Registration(id), OtpPurpose::Registration);
    if let Some(user) = progress.user {
        return Ok(Recipient { owner, ..account(cx, user, purpose).await? });
    }
    let identity = progress.identity.as_ref().ok_or_else(out_of_order)?;
    let phone = identity.mobile.get().cloned().ok_or_else(out_of_order)?;
    Ok(Recipient { owner, purpose, phone, channel: identity.channel })
}

async fn invitee(cx: &mut Context<'_>, token: &LinkToken) -> Result<Recipient, Failure> {
    let found = open_invitation(cx, token).await?;
    let invitation = cx.load::<Invitation>(found.invitation).await?;
    let open = invitation.check_link(found.link, cx.now).map_err(Refusal::from)?;
    if open.next_step(&found.rules) != InvitationStep::Passcode {
        return Err(out_of_order().into());
    }
    let (owner, purpose) = (OtpOwner::Invitation(found.invitation), OtpPurpose::Invitation);
    if open.invited.existing_account {
        return Ok(Recipient { owner, ..account(cx, open.invited.user, purpose).await? });
    }
    let details = open.progress.details.as_ref().ok_or_else(out_of_order)?;
    let phone = details.phone.get().cloned().ok_or_else(out_of_order)?;
    Ok(Recipient { owner, purpose, phone, channel: details.channel })
}

async fn link_holder(
    cx: &mut Context<'_>,
    token: &LinkToken,
) -> Result<(UserId, OtpPurpose), Failure> {
    let found = links::password_link(cx, token).await?;
    let credential = cx.load::<Credential>(cx.tenant().credential_stream(found.user)).await?;
    credential.check_link(found.link, cx.now).map_err(Refusal::from)?;
    let purpose = match found.purpose {
        LinkPurpose::Setup => OtpPurpose::PasswordSetup,
        LinkPurpose::Reset(_) => OtpPurpose::PasswordReset,
    };
    Ok((found.user, purpose))
}

/// The account's own number.
pub(super) async fn account(
    cx: &mut Context<'_>,
    user: UserId,
    purpose: OtpPurpose,
) -> Result<Recipient, Failure> {
    let account = cx.load::<User>(user).await?;
    let profile = account.profile().ok_or_else(links::invalid)?;
    let phone = profile.mobile.get().cloned().ok_or_else(links::invalid)?;
    let owner = OtpOwner::User(user);
    Ok(Recipient { owner, purpose, phone, channel: profile.preferred_channel })
}

fn out_of_order() -> Refusal {
    Refusal::new(Code::StepOutOfOrder, "Another step comes first. Continue where you stand.")
}
