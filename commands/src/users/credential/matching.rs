//! Which stored hash a typed password fits. Invariant: the work depends on the number of comparisons
//! asked for, not on what is stored (GN-09).

use rollcall_domain::{
    Refusal,
    kernel::ids::{UserId, VaultRef},
    users::credential::{Credential, CredentialRefusal},
    values::Password,
};
use tokio::sync::OnceCell;

use crate::{Context, Failure, sessions::limits, users::PASSWORD};

/// Compares `typed` with `hashes`, and with decoys up to `comparisons` in all.
///
/// # Errors
/// The vault did not answer.
pub(crate) async fn matching_hash(
    cx: &Context<'_>,
    typed: &Password,
    hashes: &[VaultRef],
    comparisons: usize,
) -> Result<Option<VaultRef>, Failure> {
    let mut matched = None;
    for nth in 0..comparisons.max(hashes.len()) {
        let hash = hashes.get(nth).copied();
        let entry = hash.map_or(uuid::Uuid::nil(), |hash| hash.0);
        let stored = cx.journal().vault_get(cx.tenant(), PASSWORD, entry).await?;
        let phc = stored.map(|phc| String::from_utf8_lossy(&phc).into_owned());
        if cx.commands.passwords.verify(typed, phc).await {
            matched = hash;
        }
    }
    Ok(matched)
}

/// What a signed-in person typed as their present password, to confirm a change of their account.
pub struct CurrentPassword {
    pub(super) typed: Password,
    /// A try counts once, however often its command is decided.
    counted: OnceCell<()>,
}

impl CurrentPassword {
    #[must_use]
    pub fn new(typed: Password) -> Self {
        Self { typed, counted: OnceCell::new() }
    }

    /// The stored hash that it fits; tries are limited.
    ///
    /// # Errors
    /// `CURRENT_PASSWORD_WRONG`, `RATE_LIMITED`, or the vault did not answer.
    pub(crate) async fn confirm(
        &self,
        cx: &mut Context<'_>,
        user: UserId,
    ) -> Result<VaultRef, Failure> {
        let count = async || limits::count(cx, limits::CURRENT_PASSWORD, &user.to_string()).await;
        self.counted.get_or_try_init(count).await?;
        let credential = cx.load::<Credential>(cx.tenant().credential_stream(user)).await?;
        let hashes = credential.login_hashes(cx.now);
        let matched = matching_hash(cx, &self.typed, &hashes, 1).await?;
        matched.ok_or_else(|| Refusal::from(CredentialRefusal::CurrentPasswordWrong).into())
    }
}
