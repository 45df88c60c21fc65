//! What happens to a passcode challenge. Invariant: every event names the owner, whose challenge
//! nobody else can use.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::ids::{InvitationId, OtpChallengeId, RegistrationId, SubjectId, UserId};
use crate::values::{CodeChannel, PhoneNumber};
use crate::{Event, Facets, Sealed};

/// What a passcode is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OtpPurpose {
    /// Registering an organisation (MC-06, MC-10).
    Registration,
    /// Accepting an invitation (MC-20).
    Invitation,
    /// Setting the first password (MC-23).
    PasswordSetup,
    /// Replacing a forgotten password (MC-26).
    PasswordReset,
    /// An action that the policy guards (MC-28).
    StepUp,
    /// Signing in, after the password (MC-28).
    SignIn,
    /// Showing that a new number is the person's own (MC-27).
    NewPhone,
}

/// Whose telephone it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OtpOwner {
    /// Somebody with an account.
    User(UserId),
    /// An invited person who has not finished.
    Invitation(InvitationId),
    /// Whoever registers an organisation.
    Registration(RegistrationId),
}

impl OtpOwner {
    /// The owner as a subject of personal data.
    #[must_use]
    pub fn subject(self) -> SubjectId {
        let id: Uuid = match self {
            Self::User(id) => id.into(),
            Self::Invitation(id) => id.into(),
            Self::Registration(id) => id.into(),
        };
        SubjectId(id)
    }

    /// The account, where there is one already.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Invitation(_) | Self::Registration(_) => None,
        }
    }
}

/// An event of stream `users.one_time_passcode`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OneTimePasscodeEvent {
    /// A code of `sent_length` digits is on its way, of which the last `digits` are to be typed.
    OtpSent {
        challenge: OtpChallengeId,
        owner: OtpOwner,
        purpose: OtpPurpose,
        channel: CodeChannel,
        masked_to: String,
        to: Sealed<PhoneNumber>,
        digits: u32,
        sent_length: u32,
        /// How many wrong tries close the challenge.
        tries: u32,
        expires_at: DateTime<Utc>,
    },
    /// The code that the owner's authenticator app shows is awaited; nothing was sent.
    OtpChallenged {
        challenge: OtpChallengeId,
        owner: OtpOwner,
        purpose: OtpPurpose,
        digits: u32,
        /// How many wrong tries close the challenge.
        tries: u32,
        expires_at: DateTime<Utc>,
    },
    /// A wrong code was typed, for the `attempts`-th time.
    OtpFailed { owner: OtpOwner, attempts: u32, attempts_left: u32 },
    /// The right code was typed.
    OtpVerified { owner: OtpOwner },
    /// The verified challenge served its purpose, once.
    OtpConsumed { owner: OtpOwner, by: OtpPurpose },
}

impl Event for OneTimePasscodeEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::OtpSent { .. } => "users.one_time_passcode.otp_sent",
            Self::OtpChallenged { .. } => "users.one_time_passcode.otp_challenged",
            Self::OtpFailed { .. } => "users.one_time_passcode.otp_failed",
            Self::OtpVerified { .. } => "users.one_time_passcode.otp_verified",
            Self::OtpConsumed { .. } => "users.one_time_passcode.otp_consumed",
        }
    }

    fn facets(&self) -> Facets {
        let owner = match self {
            Self::OtpSent { owner, .. }
            | Self::OtpChallenged { owner, .. }
            | Self::OtpFailed { owner, .. }
            | Self::OtpVerified { owner }
            | Self::OtpConsumed { owner, .. } => owner,
        };
        Facets { subject: owner.user(), ..Facets::default() }
    }
}
