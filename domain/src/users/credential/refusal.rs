//! Why a credential refused, and what a failed login is told. Invariant: nobody learns from an
//! answer whether an account exists (GN-09).

use chrono::{DateTime, Utc};

use super::{CredentialEvent, LoginFailureReason};
use crate::values::PasswordViolation;
use crate::{Code, Refusal};

/// Why a credential refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRefusal {
    #[error("This link is not valid. Use the newest one or ask for another.")]
    LinkInvalid,
    #[error("This link has expired. Ask for a new one with \"Forgot password\".")]
    LinkExpired,
    #[error("This link has been used. Sign in, or ask for a new one with \"Forgot password\".")]
    LinkUsed,
    #[error("Enter the passcode from your phone first.")]
    OtpRequired,
    #[error("The password does not meet the rules. Choose another.")]
    PasswordPolicy(Vec<PasswordViolation>),
    #[error("You have used this password before. Choose another.")]
    PasswordReused,
    #[error("This password is too similar to an earlier one. Choose another.")]
    PasswordTooSimilar,
    #[error("The current password is not right. Enter it again.")]
    CurrentPasswordWrong,
    #[error("The password was changed only recently. Try again later.")]
    TooEarly { until: DateTime<Utc> },
    #[error("This account is not locked.")]
    NotLocked,
    #[error("This sign-in waits for no passcode. Begin again with your password.")]
    NotChallenged,
}

impl From<CredentialRefusal> for Refusal {
    fn from(refusal: CredentialRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            CredentialRefusal::LinkInvalid => Self::new(Code::LinkInvalid, message).at("token"),
            CredentialRefusal::LinkExpired => Self::new(Code::LinkExpired, message).at("token"),
            CredentialRefusal::LinkUsed => Self::new(Code::LinkUsed, message).at("token"),
            CredentialRefusal::OtpRequired => Self::new(Code::OtpRequired, message),
            CredentialRefusal::PasswordPolicy(violations) => {
                Self::new(Code::PasswordPolicy, message)
                    .at("password")
                    .details(violations.into_iter().map(|violation| violation.code().to_owned()))
            }
            CredentialRefusal::PasswordReused => {
                Self::new(Code::PasswordReused, message).at("password")
            }
            CredentialRefusal::PasswordTooSimilar => {
                Self::new(Code::PasswordTooSimilar, message).at("password")
            }
            CredentialRefusal::CurrentPasswordWrong => {
                Self::new(Code::CurrentPasswordWrong, message).at("currentPassword")
            }
            CredentialRefusal::TooEarly { until } => {
                Self::new(Code::TooEarly, message).at("password").retry_at(until)
            }
            CredentialRefusal::NotLocked => Self::new(Code::NotLocked, message),
            CredentialRefusal::NotChallenged => {
                Self::new(Code::StepOutOfOrder, message).at("otpChallengeId")
            }
        }
    }
}

/// What to answer to a login attempt that led to these events; `None` when it succeeded.
///
/// `locked_until` is the lock's end after those events ([`super::Credential::locked_until`]).
#[must_use]
pub fn login_refusal(
    events: &[CredentialEvent],
    locked_until: Option<DateTime<Utc>>,
) -> Option<Refusal> {
    let locked = events.iter().any(|event| matches!(event, CredentialEvent::UserLocked { .. }));
    events.iter().find_map(failure_reason).map(|reason| match reason {
        LoginFailureReason::Locked => account_locked(locked_until),
        LoginFailureReason::Credentials
        | LoginFailureReason::UnknownIdentifier
        | LoginFailureReason::Passcode
            if locked =>
        {
            account_locked(locked_until)
        }
        LoginFailureReason::Passcode => {
            Refusal::new(Code::OtpWrong, "The passcode is not right. Enter the newest one.")
                .at("code")
        }
        LoginFailureReason::Credentials | LoginFailureReason::UnknownIdentifier => {
            Refusal::new(Code::CredentialsInvalid, "Your credentials are invalid")
        }
        LoginFailureReason::Inactive => Refusal::new(
            Code::AccountInactive,
            "Your account is not active. Ask your administrator to reactivate it.",
        ),
        LoginFailureReason::NotContracted => Refusal::new(
            Code::NotContracted,
            "Your organization has no contract with the health plan. Contact the health plan.",
        ),
    })
}

fn account_locked(until: Option<DateTime<Utc>>) -> Refusal {
    let refusal = Refusal::new(
        Code::AccountLocked,
        "This account is locked. Try again later, or ask your administrator for help.",
    );
    match until {
        Some(at) => refusal.retry_at(at),
        None => refusal,
    }
}

fn failure_reason(event: &CredentialEvent) -> Option<LoginFailureReason> {
    match event {
        CredentialEvent::LoginFailed { reason, .. } => Some(*reason),
        CredentialEvent::PasswordSetupLinkSent { .. }
        | CredentialEvent::PasswordResetRequested { .. }
        | CredentialEvent::PasswordSet { .. }
        | CredentialEvent::PasswordReset { .. }
        | CredentialEvent::PasswordChanged { .. }
        | CredentialEvent::PasswordExpiryWarned { .. }
        | CredentialEvent::PasswordExpired { .. }
        | CredentialEvent::TemporaryPasswordIssued { .. }
        | CredentialEvent::PasswordResetByAdmin { .. }
        | CredentialEvent::LoginChallenged { .. }
        | CredentialEvent::LoginSucceeded { .. }
        | CredentialEvent::UserLocked { .. }
        | CredentialEvent::UserUnlocked { .. } => None,
    }
}
