//! From the token in a link back to the stream that knows the link (MC-16, MC-21, MC-26, GN-06).
//!
//! Invariant: a token is looked up by its hash alone. Whether the link behind it still works is
//! decided by the aggregate; an unknown token answers like a replaced one.

use std::fmt;

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{InvitationId, LinkId, TenantId, UserId},
    users::{
        credential::{Credential, LinkPurpose},
        user::User,
    },
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

use crate::{Context, Failure, links::LinkPurpose as Purpose};

/// The reservation kind under which links are found: its owner is the invitation, or for links that
/// set a password the user.
pub const LINK: &str = "link";

/// The purpose of an invitation's link, as it stands in its address.
pub const INVITATION: &str = Purpose::Invitation.as_str();
/// The purpose of a link that sets the first password.
pub const SET_PASSWORD: &str = Purpose::SetPassword.as_str();
/// The purpose of a link that replaces a forgotten password.
pub const RESET_PASSWORD: &str = Purpose::ResetPassword.as_str();

/// The purpose of a link that shows that mail to an address arrives.
pub const VERIFY_EMAIL: &str = Purpose::VerifyEmail.as_str();

/// The secret part of a link, as a visitor brought it; shows nothing in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

impl LinkToken {
    /// Takes the token as it came; blanks pasted around it do not belong to it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    fn is(&self, purpose: &str, link: LinkId, journal: &Journal) -> bool {
        let secrets = journal.secrets();
        let ours = secrets.link_hash(&secrets.link_token(purpose, link.0));
        ours == secrets.link_hash(&self.0)
    }

    async fn owner(
        &self,
        journal: &Journal,
        tenant: TenantId,
    ) -> Result<Option<Uuid>, JournalError> {
        let hash = journal.secrets().link_hash(&self.0);
        journal.owner_of_hash(tenant, LINK, &hash).await
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(redacted)")
    }
}

/// Reserves a new link for `owner`, so that its token leads back to the owner's stream.
pub(crate) fn reserve(cx: &mut Context<'_>, purpose: &str, link: LinkId, owner: Uuid) {
    let secrets = cx.journal().secrets();
    let hash = secrets.link_hash(&secrets.link_token(purpose, link.0));
    cx.work.reserve_hash(LINK, hash, owner, invalid());
}

/// An append that changes nothing: sets a link free that nobody ever had.
pub(crate) fn decoy(cx: &mut Context<'_>) {
    let secrets = cx.journal().secrets();
    let never = secrets.link_hash(&secrets.link_token("nothing", Uuid::new_v4()));
    cx.work.release_hash(LINK, never, Uuid::nil());
}

/// A link that sets a password, alive or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordLink {
    pub user: UserId,
    pub link: LinkId,
    pub purpose: LinkPurpose,
}

/// The link behind a token that sets or resets a password.
///
/// # Errors
/// `LINK_INVALID` for an unknown token; whether the link still works is
/// [`Credential::check_link`]'s answer.
pub async fn password_link(
    cx: &mut Context<'_>,
    token: &LinkToken,
) -> Result<PasswordLink, Failure> {
    let tenant = cx.tenant();
    let Some(owner) = token.owner(cx.journal(), tenant).await? else {
        return Err(invalid().into());
    };
    let user = UserId(owner);
    let credential = cx.load::<Credential>(tenant.credential_stream(user)).await?;
    credential
        .links()
        .find(|(link, purpose)| token.is(path(*purpose), *link, cx.journal()))
        .map(|(link, purpose)| PasswordLink { user, link, purpose })
        .ok_or_else(|| invalid().into())
}

/// The person and the link behind a token that shows that mail to their address arrives.
///
/// # Errors
/// `LINK_INVALID` for an unknown token and for one that a newer link replaced.
pub(crate) async fn email_link(
    cx: &mut Context<'_>,
    token: &LinkToken,
) -> Result<(UserId, LinkId), Failure> {
    let Some(owner) = token.owner(cx.journal(), cx.tenant()).await? else {
        return Err(invalid().into());
    };
    let account = cx.load::<User>(owner).await?;
    let link = account.profile().and_then(|profile| profile.email_link);
    link.filter(|link| token.is(VERIFY_EMAIL, link.id, cx.journal()))
        .map(|link| (UserId(owner), link.id))
        .ok_or_else(|| invalid().into())
}

/// The first part of a password link's address.
#[must_use]
pub const fn path(purpose: LinkPurpose) -> &'static str {
    match purpose {
        LinkPurpose::Setup => SET_PASSWORD,
        LinkPurpose::Reset(_) => RESET_PASSWORD,
    }
}

/// The invitation that a token was made for, whichever of its links it is.
///
/// # Errors
/// `LINK_INVALID`, or the database did not answer.
pub(crate) async fn invitation_of(
    journal: &Journal,
    tenant: TenantId,
    token: &LinkToken,
) -> Result<InvitationId, Failure> {
    match token.owner(journal, tenant).await? {
        Some(owner) => Ok(InvitationId(owner)),
        None => Err(invalid().into()),
    }
}

/// Whether the token is that of an invitation's `link`.
pub(crate) fn is_invitation_link(journal: &Journal, token: &LinkToken, link: LinkId) -> bool {
    token.is(INVITATION, link, journal)
}

/// The one answer for a token that leads nowhere.
#[must_use]
pub fn invalid() -> Refusal {
    Refusal::new(
        Code::LinkInvalid,
        "This link is not valid. Use the newest one, or ask for another.",
    )
    .at("token")
}
