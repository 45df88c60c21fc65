//! What can be asked of an authenticator. Invariant: whatever needs the secret arrives as an answer.

use crate::kernel::ids::{UserId, VaultRef};

/// A command to stream `users.authenticator`.
#[derive(Clone, Debug)]
pub enum AuthenticatorCommand {
    /// A secret was drawn and is about to be shown; an enrolment begun before is dropped.
    StartEnrolment { user: UserId, secret_ref: VaultRef },
    /// A code was typed to show that the app has the secret. `step` is the time step (RFC 6238,
    /// section 4.2) whose code it is; `None` when it is no code of about now.
    ConfirmEnrolment { user: UserId, step: Option<i64>, codes_ref: VaultRef },
    /// The app's code of `step` was typed.
    AcceptCode { step: i64 },
    /// The recovery code with this number was typed.
    UseRecoveryCode { number: u32 },
    /// Other recovery codes in place of those that are left.
    RenewRecoveryCodes { codes_ref: VaultRef },
    /// Do without the app from now on.
    RemoveTotp,
}
