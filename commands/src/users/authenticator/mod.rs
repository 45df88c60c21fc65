//! Authenticator apps as a second factor, and the recovery codes beside them (MC-28, RFC 6238).
//!
//! Invariant: the secret is shown once, when it is drawn, and recovery codes once, when they are;
//! after that the vault holds the secret sealed and the codes as keyed hashes.

mod enrol;
mod recovery;
mod remove;
mod totp;

use rollcall_domain::{
    kernel::ids::{UserId, VaultRef},
    users::authenticator::Authenticator,
};

pub use enrol::{ConfirmTotpEnrolment, Enrolment, StartTotpEnrolment};
pub(super) use recovery::CODES;
pub use recovery::{RecoveryCodes, RenewRecoveryCodes};
pub use remove::RemoveTotp;
pub use totp::DIGITS;
pub(crate) use totp::{TotpSecret, matching_step};

use crate::{Context, Failure};

/// The vault kind of secrets.
pub(super) const SECRET: &str = "totp";

/// What somebody typed, held against their app and their recovery codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A code of the app that may serve.
    Code { step: i64 },
    /// A recovery code that may serve.
    Recovery { number: u32 },
    /// The right code, which has served already.
    Replayed,
    /// Neither.
    Wrong,
}

/// What `typed` is for `user` now. Where there is no app it is wrong.
///
/// # Errors
/// The vault did not answer.
pub(crate) async fn judge(
    cx: &mut Context<'_>,
    user: UserId,
    typed: &str,
) -> Result<Typed, Failure> {
    let state = cx.load::<Authenticator>(cx.tenant().authenticator_stream(user)).await?;
    let Some(enrolled) = state.enrolled() else { return Ok(Typed::Wrong) };
    if let Some(number) = recovery::number_of(cx, enrolled, typed).await? {
        return Ok(Typed::Recovery { number });
    }
    let step = match secret(cx, enrolled.secret_ref).await? {
        Some(secret) => matching_step(&secret, typed, cx.now),
        None => None,
    };
    Ok(match step {
        Some(step) if enrolled.check_step(step).is_ok() => Typed::Code { step },
        Some(_) => Typed::Replayed,
        None => Typed::Wrong,
    })
}

/// The secret in the vault.
async fn secret(cx: &Context<'_>, secret_ref: VaultRef) -> Result<Option<TotpSecret>, Failure> {
    let stored = cx.journal().vault_get(cx.tenant(), SECRET, secret_ref.0).await?;
    Ok(stored.and_then(|bytes| TotpSecret::read(&bytes)))
}
