//! What somebody types to say who they are.
//!
//! Invariant: an identifier nobody has leads to a shadow credential by the same number of look-ups
//! as one somebody has (GN-09).

use rollcall_domain::{
    Code, Refusal, hex, kernel::ids::UserId, policies::LoginIdentifier, users::user::User,
};
use uuid::Uuid;

use crate::{
    Context, Failure,
    users::{EMAIL, USERNAME},
};

/// The longest address and the longest user name are shorter.
const LONGEST: usize = 320;

/// An email address or user name as typed; neither trimmed nor judged, since what nobody has is not
/// told from what nobody could have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier(String);

/// Whose credential an identifier leads to.
pub(super) struct Found {
    /// `None` for an identifier that nobody has.
    pub user: Option<UserId>,
    /// `users.credential`, or the shadow of one.
    pub credential: Uuid,
}

impl Identifier {
    /// Takes an identifier.
    ///
    /// # Errors
    /// `FIELD_REQUIRED`, `FIELD_TOO_LONG`.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        if typed.is_empty() {
            return Err(Refusal::new(
                Code::FieldRequired,
                "Enter your email address or user name.",
            ));
        }
        if typed.len() > LONGEST {
            let message = "That is too long for an email address or user name. Check it.";
            return Err(Refusal::new(Code::FieldTooLong, message));
        }
        Ok(Self(typed.to_owned()))
    }

    /// The form it is looked up by, which is that of `EmailAddress::key` and `Username::key`.
    pub(crate) fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose it is by the tenant's policy. Where people sign in by user name, somebody who has none,
    /// such as plan staff, signs in by email address.
    pub(super) async fn find(&self, cx: &mut Context<'_>) -> Result<Found, Failure> {
        let (tenant, key) = (cx.tenant(), self.key());
        let by_email = cx.journal().owner_of(tenant, EMAIL, &key).await?;
        let owner = match cx.policy.login_identifier() {
            LoginIdentifier::Email => by_email,
            LoginIdentifier::Username => {
                let by_name = cx.journal().owner_of(tenant, USERNAME, &key).await?;
                // An id that nobody's account has costs the same load.
                let account = cx.load::<User>(by_email.unwrap_or(tenant.0)).await?;
                let nameless = account.profile().is_some_and(|profile| profile.username.is_none());
                by_name.or(by_email.filter(|_| nameless))
            }
        };
        let user = owner.map(UserId);
        let credential = match user {
            Some(user) => tenant.credential_stream(user),
            None => tenant.shadow_credential_stream(&hex(&self.hash(cx, "sign_in"))),
        };
        Ok(Found { user, credential })
    }

    /// A keyed hash of it, for counters.
    pub(super) fn hash(&self, cx: &Context<'_>, purpose: &str) -> [u8; 32] {
        cx.journal().secrets().lookup_key(cx.tenant(), purpose, &self.key())
    }
}
