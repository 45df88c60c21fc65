//! `RequestPasswordReset`: somebody forgot the password (MC-22, MC-26, AL-04, CX-07).
//!
//! Invariant: the answer is the same whether or not there is such an account, and both roads lead
//! through an append (GN-09); mail follows the event, so it goes to accounts only.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{LinkId, UserId, VaultRef},
    policies,
    users::{
        credential::{Credential, CredentialCommand, ResetMethod},
        user::User,
    },
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::temporary_password;
use crate::{
    Access, Command, Context, Failure,
    sessions::{Identifier, limits},
    users::{
        EMAIL, USERNAME, keep_password,
        links::{self, RESET_PASSWORD},
    },
};

/// What a person says who forgot the password.
#[derive(Clone, Debug)]
pub struct ResetIdentity {
    pub email: Identifier,
    /// Where the policy wants both (AL-04).
    pub username: Option<Identifier>,
}

/// Asks for a new password by mail.
pub struct RequestPasswordReset {
    identity: ResetIdentity,
    /// A try counts once, however often it is decided.
    counted: OnceCell<()>,
}

impl RequestPasswordReset {
    #[must_use]
    pub fn new(identity: ResetIdentity) -> Self {
        Self { identity, counted: OnceCell::new() }
    }

    async fn count(&self, cx: &Context<'_>) -> Result<(), Failure> {
        let count = async || {
            limits::count_address(cx, limits::RESET_BY_ADDRESS).await?;
            limits::count(cx, limits::RESET_BY_ACCOUNT, &self.identity.email.key()).await
        };
        self.counted.get_or_try_init(count).await.copied()
    }

    /// The registered person meant, if there is one.
    async fn person(&self, cx: &mut Context<'_>, by_both: bool) -> Result<Option<UserId>, Failure> {
        let ResetIdentity { email, username } = &self.identity;
        let owner = cx.journal().owner_of(cx.tenant(), EMAIL, &email.key()).await?;
        // An id that nobody's account has costs the same load.
        let account = cx.load::<User>(owner.unwrap_or(cx.tenant().0)).await?;
        let registered = owner.filter(|_| account.profile().is_some()).map(UserId);
        if !by_both {
            return Ok(registered);
        }
        let Some(username) = username else { return Err(username_required().into()) };
        let named = cx.journal().owner_of(cx.tenant(), USERNAME, &username.key()).await?;
        Ok(registered.filter(|user| named == Some(user.0)))
    }
}

#[async_trait]
impl Command for RequestPasswordReset {
    const NAME: &'static str = "RequestPasswordReset";
    const FOR_VISITORS: bool = true;
    const ANSWERS_ON_THE_BEAT: bool = true;
    type Output = ();

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        use policies::ResetMethod as By;
        let by = cx.policy.reset_method();
        self.count(cx).await?;
        let person = self.person(cx, by == By::UsernameAndEmail).await?;
        match by {
            By::None => Err(Refusal::new(
                Code::FeatureDisabled,
                "Passwords are reset by your administrator or the health plan here. Ask them.",
            )
            .into()),
            By::Link | By::LinkAndOtp | By::UsernameAndEmail => send_link(cx, person).await,
            By::TemporaryPassword => issue_temporary(cx, person).await,
        }
    }
}

async fn send_link(cx: &mut Context<'_>, person: Option<UserId>) -> Result<(), Failure> {
    let Some(user) = person else {
        links::decoy(cx);
        return Ok(());
    };
    let link_id = LinkId(Uuid::now_v7());
    let credential = cx.tenant().credential_stream(user);
    let request =
        CredentialCommand::RequestPasswordReset { user, link_id, method: ResetMethod::SelfService };
    cx.decide::<Credential>(credential, request).await?;
    links::reserve(cx, RESET_PASSWORD, link_id, user.0);
    Ok(())
}

async fn issue_temporary(cx: &mut Context<'_>, person: Option<UserId>) -> Result<(), Failure> {
    let hash_ref = VaultRef(Uuid::new_v4());
    let password = temporary_password(cx.journal().secrets(), hash_ref);
    let Some(user) = person else {
        cx.commands.passwords.hash(&password).await;
        links::decoy(cx);
        return Ok(());
    };
    keep_password(cx, hash_ref, &password).await;
    let issue = CredentialCommand::IssueTemporaryPassword { user, hash_ref };
    cx.decide::<Credential>(cx.tenant().credential_stream(user), issue).await?;
    Ok(())
}

fn username_required() -> Refusal {
    Refusal::new(Code::FieldRequired, "Enter your user name and your email address.").at("username")
}
