//! `RemoveTotp`: a person does without the authenticator app (MC-28).
//!
//! Invariant: it takes the app's own code or a recovery code, so that an open session alone cannot
//! take the second factor away.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::OtpChallengeId,
    users::authenticator::{Authenticator, AuthenticatorCommand},
};

use super::{SECRET, recovery::CODES};
use crate::{
    Access, Command, Context, Failure,
    users::{CurrentPassword, one_time_passcode::require_authenticator},
};

/// Removes the caller's own app and its recovery codes.
pub struct RemoveTotp {
    pub current: CurrentPassword,
    /// A verified code of the app, or a recovery code.
    pub challenge: OtpChallengeId,
}

#[async_trait]
impl Command for RemoveTotp {
    const NAME: &'static str = "RemoveTotp";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        self.current.confirm(cx, user).await?;
        require_authenticator(cx, user, self.challenge).await?;
        let stream = cx.tenant().authenticator_stream(user);
        let former = cx.load::<Authenticator>(stream).await?;
        cx.decide::<Authenticator>(stream, AuthenticatorCommand::RemoveTotp).await?;
        if let Some(former) = former.enrolled() {
            cx.work.vault_delete(SECRET, former.secret_ref.0);
            cx.work.vault_delete(CODES, former.codes_ref.0);
        }
        Ok(())
    }
}
