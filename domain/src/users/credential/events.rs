//! What happens to a credential. Invariant: failures are events too, and none tells more to its
//! reader than the person's own history should.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{LinkId, OtpChallengeId, SessionId, UserId, VaultRef};
use crate::{Actor, Event, Facets};

/// By which way a first password came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PasswordSource {
    /// The person followed the setup link (MC-23).
    Setup,
    /// Taken over from another portal; it must be changed at the first login (AL-02).
    Import,
}

/// By which way a forgotten password was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResetMethod {
    /// The person asked for the link (MC-26).
    #[serde(rename = "SELF")]
    SelfService,
    /// An administrator or plan staff sent the link (CC-06).
    Admin,
    /// The person changed the temporary password that was mailed (CX-07).
    Temporary,
}

/// Why a login failed; for the audit, never for the person who tried (MC-34).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoginFailureReason {
    /// The password does not fit.
    Credentials,
    /// The account is locked; the password was not judged.
    Locked,
    /// The password is right, but the account has nowhere to go.
    Inactive,
    /// Nobody has this identifier.
    UnknownIdentifier,
    /// The password is right, but the person's organisations have no contract (CC-01).
    NotContracted,
    /// The password is right, the passcode after it is not (MC-28).
    Passcode,
}

/// Who or what lifted a lock (CC-06, CX-08, CX-09).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnlockCause {
    /// The policy's time ran out.
    Timer,
    /// A completed reset.
    Reset,
    /// An organisation administrator.
    Admin,
    /// Plan staff.
    Plan,
}

/// An event of stream `users.credential`; `user` is absent only in shadow streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CredentialEvent {
    /// The link to set the first password went out (MC-21).
    PasswordSetupLinkSent { user: UserId, link_id: LinkId, expires_at: DateTime<Utc> },
    /// A link to replace a forgotten password went out (MC-26).
    PasswordResetRequested {
        user: UserId,
        link_id: LinkId,
        method: ResetMethod,
        expires_at: DateTime<Utc>,
    },
    /// The first password was set (MC-24).
    PasswordSet {
        user: UserId,
        hash_ref: VaultRef,
        set_by: Actor,
        source: PasswordSource,
        link_id: Option<LinkId>,
        set_at: DateTime<Utc>,
    },
    /// A forgotten password was replaced (MC-26).
    PasswordReset {
        user: UserId,
        hash_ref: VaultRef,
        method: ResetMethod,
        link_id: Option<LinkId>,
        set_at: DateTime<Utc>,
    },
    /// The person changed the password, knowing the old one (MC-27).
    PasswordChanged { user: UserId, hash_ref: VaultRef, set_at: DateTime<Utc> },
    /// The owner is told that the password must be changed within so many days (CC-04).
    PasswordExpiryWarned { user: UserId, days_left: u32, expires_at: DateTime<Utc> },
    /// The password reached its greatest age; only changing it goes on (CC-04).
    PasswordExpired { user: UserId },
    /// A temporary password was mailed (CX-07); `by` where somebody else had it sent, and then only
    /// changing the password goes on.
    TemporaryPasswordIssued {
        user: UserId,
        hash_ref: VaultRef,
        expires_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UnlockCause>,
    },
    /// A helper reset the password: the present one only lets its owner change it, and a link or a
    /// temporary password is on its way (CC-06).
    PasswordResetByAdmin { user: UserId, by: UnlockCause },
    /// A login failed; `failures` counts in a row, this one included where it counts.
    LoginFailed { user: Option<UserId>, failures: u32, reason: LoginFailureReason },
    /// The password fits, and the session waits for a passcode (MC-28).
    LoginChallenged { user: UserId, challenge: OtpChallengeId, hash_ref: VaultRef },
    /// A login succeeded; with `must_change` the session may only change the password.
    /// The session lives until `session_expires_at` at most.
    LoginSucceeded {
        user: UserId,
        session: SessionId,
        must_change: bool,
        at: DateTime<Utc>,
        session_expires_at: DateTime<Utc>,
    },
    /// Too many failures in a row; without `until` only a person unlocks (AL-06, CX-08).
    UserLocked { user: Option<UserId>, until: Option<DateTime<Utc>> },
    /// The lock was lifted.
    UserUnlocked { user: Option<UserId>, by: UnlockCause },
}

impl CredentialEvent {
    /// The person; `None` in shadow streams.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::PasswordSetupLinkSent { user, .. }
            | Self::PasswordResetRequested { user, .. }
            | Self::PasswordSet { user, .. }
            | Self::PasswordReset { user, .. }
            | Self::PasswordChanged { user, .. }
            | Self::PasswordExpiryWarned { user, .. }
            | Self::PasswordExpired { user }
            | Self::TemporaryPasswordIssued { user, .. }
            | Self::PasswordResetByAdmin { user, .. }
            | Self::LoginChallenged { user, .. }
            | Self::LoginSucceeded { user, .. } => Some(*user),
            Self::LoginFailed { user, .. }
            | Self::UserLocked { user, .. }
            | Self::UserUnlocked { user, .. } => *user,
        }
    }
}

impl Event for CredentialEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PasswordSetupLinkSent { .. } => "users.credential.password_setup_link_sent",
            Self::PasswordResetRequested { .. } => "users.credential.password_reset_requested",
            Self::PasswordSet { .. } => "users.credential.password_set",
            Self::PasswordReset { .. } => "users.credential.password_reset",
            Self::PasswordChanged { .. } => "users.credential.password_changed",
            Self::PasswordExpiryWarned { .. } => "users.credential.password_expiry_warned",
            Self::PasswordExpired { .. } => "users.credential.password_expired",
            Self::TemporaryPasswordIssued { .. } => "users.credential.temporary_password_issued",
            Self::PasswordResetByAdmin { .. } => "users.credential.password_reset_by_admin",
            Self::LoginFailed { .. } => "users.credential.login_failed",
            Self::LoginChallenged { .. } => "users.credential.login_challenged",
            Self::LoginSucceeded { .. } => "users.credential.login_succeeded",
            Self::UserLocked { .. } => "users.credential.user_locked",
            Self::UserUnlocked { .. } => "users.credential.user_unlocked",
        }
    }

    fn facets(&self) -> Facets {
        Facets { subject: self.user(), ..Facets::default() }
    }
}
