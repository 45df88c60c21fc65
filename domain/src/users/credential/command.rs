//! What can be asked of a credential. Invariant: whatever needs a secret (which hash a password
//! fits, whether it is like an earlier one) arrives as an answer, not as the secret.

use super::{LoginFailureReason, ResetMethod, UnlockCause};
use crate::kernel::ids::{LinkId, OtpChallengeId, SessionId, UserId, VaultRef};
use crate::values::PasswordViolation;

/// A command to stream `users.credential`.
#[derive(Clone, Debug)]
pub enum CredentialCommand {
    /// Send the link for the first password (MC-21); nothing happens when there is one already.
    SendSetupLink { user: UserId, link_id: LinkId },
    /// Send a link for a forgotten password, set or not (MC-22, MC-26).
    RequestPasswordReset { user: UserId, link_id: LinkId, method: ResetMethod },
    /// Set or replace the password through a link (MC-23, MC-26).
    SetPasswordByLink { user: UserId, link_id: LinkId, otp: StepUp, new: NewPassword },
    /// Give the password together with the account, where no link was needed (GN-31).
    SetFirstPassword { user: UserId, new: NewPassword },
    /// Change the password, knowing the current or the temporary one (MC-27). `matched` is the
    /// stored hash that the typed current password fits.
    ChangePassword { user: UserId, matched: Option<VaultRef>, otp: StepUp, new: NewPassword },
    /// Take over a password hash from another portal, where there is none yet (AL-02).
    ImportPassword { user: UserId, hash_ref: VaultRef },
    /// Mail a temporary password (CX-07).
    IssueTemporaryPassword { user: UserId, hash_ref: VaultRef },
    /// Reset somebody else's password; the person gets a link or a temporary one (CC-06).
    ResetByAdmin { user: UserId, by: UnlockCause, way: ResetWay },
    /// See whether the password is about to be too old or has become so; too early, it is no error
    /// (CC-04).
    AgePassword { user: UserId },
    /// Somebody tries to sign in. Accepted whatever comes of it, so that failures are recorded;
    /// the answer for the person is [`super::login_refusal`].
    AttemptLogin(LoginAttempt),
    /// The passcode that a sign-in waits for was typed (MC-28). Accepted whatever comes of it, like
    /// an attempt.
    ConfirmLogin(LoginConfirmation),
    /// Lift a lock (CC-06).
    UnlockUser { by: UnlockCause },
    /// The scheduler found the lock's time run out; too early, it is no error (CX-08).
    ExpireLock,
}

/// How a person whose password was reset by a helper comes to a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetWay {
    /// By this link.
    Link(LinkId),
    /// By a temporary password with this hash.
    TemporaryPassword(VaultRef),
}

/// The answer to "was a passcode given where one is needed?" (MC-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// The policy asks for none.
    NotRequired,
    /// One was asked for and verified.
    Passed,
    /// One is asked for and has not been given.
    Missing,
}

/// A password somebody wants to have from now on, with what was found out about it.
#[derive(Clone, Debug)]
pub struct NewPassword {
    pub hash_ref: VaultRef,
    /// The policy's rules that it breaks.
    pub violations: Vec<PasswordViolation>,
    /// It equals one of the last N.
    pub reused: bool,
    /// It is like one of the last N (GN-07).
    pub too_similar: bool,
}

/// Why somebody with the right password has nothing to sign in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginBar {
    /// No active membership and no plan role.
    Inactive,
    /// Active only in organisations without a contract, which the portal does not serve (CC-01).
    NotContracted,
}

impl From<LoginBar> for LoginFailureReason {
    fn from(bar: LoginBar) -> Self {
        match bar {
            LoginBar::Inactive => Self::Inactive,
            LoginBar::NotContracted => Self::NotContracted,
        }
    }
}

/// A login as the aggregate sees it.
#[derive(Clone, Debug)]
pub struct LoginAttempt {
    /// `None` for an identifier that nobody has.
    pub user: Option<UserId>,
    /// The session to be opened on success.
    pub session: SessionId,
    /// Which of [`super::Credential::login_hashes`] the typed password fits.
    pub matched: Option<VaultRef>,
    /// Why the person has nothing to sign in for, if that is so.
    pub bar: Option<LoginBar>,
    /// The passcode to be asked for before the session is opened, where the policy wants one.
    pub challenge: Option<OtpChallengeId>,
}

/// The second half of a login that waits for a passcode.
#[derive(Clone, Copy, Debug)]
pub struct LoginConfirmation {
    pub user: UserId,
    /// The passcode that was asked for.
    pub challenge: OtpChallengeId,
    /// Whether the right code was typed.
    pub passed: bool,
    /// The session to be opened on success.
    pub session: SessionId,
    /// Why the person has nothing to sign in for, if that is so.
    pub bar: Option<LoginBar>,
}
