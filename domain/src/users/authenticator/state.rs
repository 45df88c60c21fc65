//! The authenticator aggregate. Invariant: a time step serves once and steps only go forward, so a
//! code that somebody read over a shoulder is worth nothing once its owner has typed it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    AuthenticatorCommand, AuthenticatorEvent, AuthenticatorRefusal, ENROLMENT_TTL, RECOVERY_CODES,
};
use crate::kernel::ids::{UserId, VaultRef};
use crate::{Decider, Decision};

/// Whether a person has an authenticator app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authenticator {
    /// None.
    #[default]
    Absent,
    /// The secret was shown and waits for its first code.
    Enrolling(Enrolling),
    /// In use.
    Enrolled(Enrolled),
}

/// A secret that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolling {
    pub secret_ref: VaultRef,
    pub expires_at: DateTime<Utc>,
}

/// An app in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    pub user: UserId,
    pub secret_ref: VaultRef,
    /// The newest time step whose code was typed.
    pub last_step: i64,
    pub codes_ref: VaultRef,
    /// Numbers of the recovery codes that still serve.
    pub codes_left: BTreeSet<u32>,
}

impl Authenticator {
    /// The app, where there is one in use.
    #[must_use]
    pub fn enrolled(&self) -> Option<&Enrolled> {
        match self {
            Self::Enrolled(enrolled) => Some(enrolled),
            Self::Absent | Self::Enrolling(_) => None,
        }
    }

    /// The secret that waits for its first code.
    #[must_use]
    pub fn enrolling(&self) -> Option<&Enrolling> {
        match self {
            Self::Enrolling(enrolling) => Some(enrolling),
            Self::Absent | Self::Enrolled(_) => None,
        }
    }

    fn require_enrolled(&self) -> Result<&Enrolled, AuthenticatorRefusal> {
        self.enrolled().ok_or(AuthenticatorRefusal::NotEnrolled)
    }

    fn confirm(
        &self,
        now: DateTime<Utc>,
        (user, step, codes_ref): (UserId, Option<i64>, VaultRef),
    ) -> Result<AuthenticatorEvent, AuthenticatorRefusal> {
        let enrolling = match self {
            Self::Absent => return Err(AuthenticatorRefusal::NotEnrolled),
            Self::Enrolled(_) => return Err(AuthenticatorRefusal::AlreadyEnrolled),
            Self::Enrolling(enrolling) => enrolling,
        };
        if now >= enrolling.expires_at {
            return Err(AuthenticatorRefusal::EnrolmentExpired);
        }
        let step = step.ok_or(AuthenticatorRefusal::CodeWrong)?;
        let secret_ref = enrolling.secret_ref;
        let codes = RECOVERY_CODES;
        Ok(AuthenticatorEvent::TotpEnrolled { user, secret_ref, step, codes_ref, codes })
    }
}

impl Enrolled {
    /// Whether the code of `step` may be typed: neither it nor a later one was.
    ///
    /// # Errors
    /// OTP_USED.
    pub fn check_step(&self, step: i64) -> Result<(), AuthenticatorRefusal> {
        if step > self.last_step { Ok(()) } else { Err(AuthenticatorRefusal::CodeUsed) }
    }

    fn use_code(&self, number: u32) -> Result<AuthenticatorEvent, AuthenticatorRefusal> {
        if !self.codes_left.contains(&number) {
            return Err(AuthenticatorRefusal::CodeUsed);
        }
        let left = u32::try_from(self.codes_left.len() - 1).unwrap_or(u32::MAX);
        Ok(AuthenticatorEvent::RecoveryCodeUsed { user: self.user, number, left })
    }
}

impl Decider for Authenticator {
    const TYPE: &'static str = "users.authenticator";
    type Command = AuthenticatorCommand;
    type Event = AuthenticatorEvent;
    type Refusal = AuthenticatorRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: AuthenticatorCommand,
    ) -> Result<Vec<AuthenticatorEvent>, AuthenticatorRefusal> {
        use AuthenticatorCommand as C;
        let event = match command {
            C::StartEnrolment { user, secret_ref } => {
                if self.enrolled().is_some() {
                    return Err(AuthenticatorRefusal::AlreadyEnrolled);
                }
                let expires_at = decision.now + ENROLMENT_TTL;
                AuthenticatorEvent::TotpEnrolmentStarted { user, secret_ref, expires_at }
            }
            C::ConfirmEnrolment { user, step, codes_ref } => {
                self.confirm(decision.now, (user, step, codes_ref))?
            }
            C::AcceptCode { step } => {
                let enrolled = self.require_enrolled()?;
                enrolled.check_step(step)?;
                AuthenticatorEvent::TotpAccepted { user: enrolled.user, step }
            }
            C::UseRecoveryCode { number } => self.require_enrolled()?.use_code(number)?,
            C::RenewRecoveryCodes { codes_ref } => {
                let user = self.require_enrolled()?.user;
                let codes = RECOVERY_CODES;
                AuthenticatorEvent::RecoveryCodesRenewed { user, codes_ref, codes }
            }
            C::RemoveTotp => {
                AuthenticatorEvent::TotpRemoved { user: self.require_enrolled()?.user }
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &AuthenticatorEvent) {
        use AuthenticatorEvent as E;
        match event {
            E::TotpEnrolmentStarted { secret_ref, expires_at, .. } => {
                let (secret_ref, expires_at) = (*secret_ref, *expires_at);
                *self = Self::Enrolling(Enrolling { secret_ref, expires_at });
            }
            E::TotpEnrolled { user, secret_ref, step, codes_ref, codes } => {
                *self = Self::Enrolled(Enrolled {
                    user: *user,
                    secret_ref: *secret_ref,
                    last_step: *step,
                    codes_ref: *codes_ref,
                    codes_left: (0..*codes).collect(),
                });
            }
            E::TotpAccepted { step, .. } => {
                if let Self::Enrolled(enrolled) = self {
                    enrolled.last_step = *step;
                }
            }
            E::RecoveryCodeUsed { number, .. } => {
                if let Self::Enrolled(enrolled) = self {
                    enrolled.codes_left.remove(number);
                }
            }
            E::RecoveryCodesRenewed { codes_ref, codes, .. } => {
                if let Self::Enrolled(enrolled) = self {
                    enrolled.codes_ref = *codes_ref;
                    enrolled.codes_left = (0..*codes).collect();
                }
            }
            E::TotpRemoved { .. } => *self = Self::Absent,
        }
    }
}
