//! Opening an account at the end of a registration or an invitation (MC-08, MC-21).
//!
//! Invariant: one address is one person (GN-05). Whoever completes a flow for a person who has an
//! account meanwhile joins with that account, which stays as it is.

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{LinkId, UserId},
    policies::LoginIdentifier,
    users::{
        credential::{Credential, CredentialCommand},
        user::{Registration, User, UserCommand},
    },
    values::{Acceptance, EmailAddress, Username},
};
use uuid::Uuid;

use super::links::{self, SET_PASSWORD};
use crate::{Context, Failure};

/// The reservation kind of email addresses; its owner is the user.
pub const EMAIL: &str = "email";
/// The reservation kind of user names; its owner is the user.
pub const USERNAME: &str = "username";

/// How many user names are tried for one person before the service gives up.
const USERNAMES: u32 = 200;

/// The person with this address: somebody with an account, or somebody invited before.
///
/// # Errors
/// The database did not answer.
pub(crate) async fn user_of(
    cx: &Context<'_>,
    email: &EmailAddress,
) -> Result<Option<UserId>, Failure> {
    let owner = cx.journal().owner_of(cx.tenant(), EMAIL, &email.key()).await?;
    Ok(owner.map(UserId))
}

/// The address is this person's from now on.
pub(crate) fn reserve_email(cx: &mut Context<'_>, email: &EmailAddress, user: UserId) {
    cx.work.reserve(EMAIL, &email.key(), user.0, meanwhile());
}

/// Registers the person unless they are, notes what they agreed to, and sends the link to their
/// first password unless they have one.
///
/// # Errors
/// `VERSION_CONFLICT` when somebody took the address or user name meanwhile.
pub(crate) async fn open_account(
    cx: &mut Context<'_>,
    mut registration: Registration,
    acceptances: Vec<Acceptance>,
) -> Result<(), Failure> {
    let user = registration.user;
    if cx.load::<User>(user).await?.profile().is_none() {
        registration.username = username_for(cx, &registration.email).await?;
        if let Some(username) = &registration.username {
            cx.work.reserve(USERNAME, &username.key(), user.0, meanwhile());
        }
        reserve_email(cx, &registration.email, user);
        cx.decide::<User>(user, UserCommand::RegisterUser(Box::new(registration))).await?;
    }
    welcome(cx, user, acceptances).await
}

/// What every new member gets who has an account: their acceptances on file, and the link to the
/// first password where there is none (MC-21).
pub(crate) async fn welcome(
    cx: &mut Context<'_>,
    user: UserId,
    acceptances: Vec<Acceptance>,
) -> Result<(), Failure> {
    for acceptance in acceptances {
        cx.decide::<User>(user, UserCommand::AcceptAgreement(acceptance)).await?;
    }
    let link_id = LinkId(Uuid::now_v7());
    let credential = cx.tenant().credential_stream(user);
    let send = CredentialCommand::SendSetupLink { user, link_id };
    if !cx.decide::<Credential>(credential, send).await?.is_empty() {
        links::reserve(cx, SET_PASSWORD, link_id, user.0);
    }
    Ok(())
}

/// Where people sign in by user name, one made of the address: its owner reads it in the portal
/// (AL-03). `None` where they sign in by email address.
async fn username_for(cx: &Context<'_>, email: &EmailAddress) -> Result<Option<Username>, Failure> {
    match cx.policy.login_identifier() {
        LoginIdentifier::Email => return Ok(None),
        LoginIdentifier::Username => {}
    }
    let base = username_base(email.local_part());
    for n in 1..=USERNAMES {
        let text = if n == 1 { base.clone() } else { format!("{base}{n}") };
        let username = Username::parse(&text).map_err(Refusal::from)?;
        if cx.journal().owner_of(cx.tenant(), USERNAME, &username.key()).await?.is_none() {
            return Ok(Some(username));
        }
    }
    Err(meanwhile().into())
}

/// The letters and digits of an address's local part, long enough for a user name.
fn username_base(local: &str) -> String {
    let kept: String = local
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(60)
        .collect();
    let kept = kept.to_ascii_lowercase();
    if kept.len() < 3 { format!("user{kept}") } else { kept }
}

fn meanwhile() -> Refusal {
    Refusal::new(Code::VersionConflict, "Somebody changed this meanwhile. Repeat the change.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_come_from_the_address_and_always_parse() {
        for (local, expected) in [
            ("Jane.O'Doe+x", "jane.odoex"),
            ("_jd", "userjd"),
            ("x", "userx"),
            ("'+'", "user"),
            ("a-b_c.d", "a-b_c.d"),
        ] {
            let base = username_base(local);
            assert_eq!(base, expected);
            assert!(Username::parse(&base).is_ok(), "{base}");
        }
        let long = username_base(&"a".repeat(64));
        assert!(Username::parse(&format!("{long}{USERNAMES}")).is_ok());
    }
}
