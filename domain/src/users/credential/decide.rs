//! The credential's rules. Invariant: a login attempt is never refused here: it succeeds or fails,
//! and both are facts.

use chrono::{DateTime, TimeDelta, Utc};

use super::CredentialRefusal;
use super::command::{CredentialCommand, LoginAttempt, NewPassword, StepUp};
use super::events::{
    CredentialEvent, LoginFailureReason, PasswordSource, ResetMethod, UnlockCause,
};
use super::state::{Credential, Lock};
use crate::kernel::ids::{LinkId, UserId, VaultRef};
use crate::{Decider, Decision};

type Decided = Result<Vec<CredentialEvent>, CredentialRefusal>;

impl Decider for Credential {
    const TYPE: &'static str = "users.credential";
    type Command = CredentialCommand;
    type Event = CredentialEvent;
    type Refusal = CredentialRefusal;

    fn decide(&self, decision: &Decision<'_>, command: CredentialCommand) -> Decided {
        let now = decision.now;
        match command {
            CredentialCommand::SendSetupLink { user, link_id, expires_at } => {
                Ok(if self.has_password() {
                    Vec::new()
                } else {
                    vec![CredentialEvent::PasswordSetupLinkSent { user, link_id, expires_at }]
                })
            }
            CredentialCommand::RequestPasswordReset { user, link_id, method, expires_at } => {
                Ok(vec![CredentialEvent::PasswordResetRequested {
                    user,
                    link_id,
                    method,
                    expires_at,
                }])
            }
            CredentialCommand::SetPasswordByLink { user, link_id, otp, new } => {
                let method = self.check_link(link_id, now)?.reset_method();
                require_otp(otp)?;
                let hash_ref = accepted(new)?;
                Ok(self.set_by_link(decision, user, link_id, method, hash_ref))
            }
            CredentialCommand::ChangePassword { user, matched, otp, new, min_age } => {
                let matched = matched
                    .filter(|hash| self.login_hashes(now).contains(hash))
                    .ok_or(CredentialRefusal::CurrentPasswordWrong)?;
                require_otp(otp)?;
                self.require_min_age(now, min_age)?;
                let hash_ref = accepted(new)?;
                Ok(vec![self.changed(now, user, matched, hash_ref)])
            }
            CredentialCommand::ImportPassword { user, hash_ref } => Ok(if self.has_password() {
                Vec::new()
            } else {
                vec![CredentialEvent::PasswordSet {
                    user,
                    hash_ref,
                    set_by: decision.actor,
                    source: PasswordSource::Import,
                    link_id: None,
                    set_at: now,
                }]
            }),
            CredentialCommand::IssueTemporaryPassword { user, hash_ref, expires_at } => {
                Ok(vec![CredentialEvent::TemporaryPasswordIssued { user, hash_ref, expires_at }])
            }
            CredentialCommand::ExpirePassword { user, max_age } => {
                Ok(self.expiry(now, user, Some(max_age)))
            }
            CredentialCommand::AttemptLogin(attempt) => Ok(self.attempt_login(now, &attempt)),
            CredentialCommand::UnlockUser { by } => {
                if self.is_locked(now) {
                    Ok(vec![CredentialEvent::UserUnlocked { user: self.user, by }])
                } else {
                    Err(CredentialRefusal::NotLocked)
                }
            }
            CredentialCommand::ExpireLock => Ok(self.lock_run_out(now).into_iter().collect()),
        }
    }

    fn evolve(&mut self, event: &CredentialEvent) {
        self.apply(event);
    }
}

impl Credential {
    fn set_by_link(
        &self,
        decision: &Decision<'_>,
        user: UserId,
        link_id: LinkId,
        method: Option<ResetMethod>,
        hash_ref: VaultRef,
    ) -> Vec<CredentialEvent> {
        let set_at = decision.now;
        let link_id = Some(link_id);
        let mut events = vec![match method {
            None => CredentialEvent::PasswordSet {
                user,
                hash_ref,
                set_by: decision.actor,
                source: PasswordSource::Setup,
                link_id,
                set_at,
            },
            Some(method) => {
                CredentialEvent::PasswordReset { user, hash_ref, method, link_id, set_at }
            }
        }];
        if self.lock != Lock::Open {
            let by = UnlockCause::Reset;
            events.push(CredentialEvent::UserUnlocked { user: Some(user), by });
        }
        events
    }

    fn changed(
        &self,
        set_at: DateTime<Utc>,
        user: UserId,
        matched: VaultRef,
        hash_ref: VaultRef,
    ) -> CredentialEvent {
        if self.is_temporary(matched) {
            let method = ResetMethod::Temporary;
            CredentialEvent::PasswordReset { user, hash_ref, method, link_id: None, set_at }
        } else {
            CredentialEvent::PasswordChanged { user, hash_ref, set_at }
        }
    }

    /// GN-08: a password changed a moment ago is kept a while, so that history cannot be cycled;
    /// a change that is due is never too early.
    fn require_min_age(
        &self,
        now: DateTime<Utc>,
        min_age: Option<TimeDelta>,
    ) -> Result<(), CredentialRefusal> {
        if self.must_change() {
            return Ok(());
        }
        match (self.password_set_at(), min_age) {
            (Some(set_at), Some(min_age)) if now < set_at + min_age => {
                Err(CredentialRefusal::TooEarly { until: set_at + min_age })
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    fn expiry(
        &self,
        now: DateTime<Utc>,
        user: UserId,
        max_age: Option<TimeDelta>,
    ) -> Vec<CredentialEvent> {
        match max_age {
            Some(max_age) if self.is_too_old(now, max_age) => {
                vec![CredentialEvent::PasswordExpired { user }]
            }
            Some(_) | None => Vec::new(),
        }
    }

    fn lock_run_out(&self, now: DateTime<Utc>) -> Option<CredentialEvent> {
        let by = UnlockCause::Timer;
        (self.lock != Lock::Open && !self.is_locked(now))
            .then_some(CredentialEvent::UserUnlocked { user: self.user, by })
    }

    fn attempt_login(&self, now: DateTime<Utc>, attempt: &LoginAttempt) -> Vec<CredentialEvent> {
        if self.is_locked(now) {
            return self.attempt_while_locked(now, attempt);
        }
        let run_out = self.lock_run_out(now);
        let failures = if run_out.is_some() { 0 } else { self.failures };
        let mut events = Vec::from_iter(run_out);
        let fits = attempt.matched.filter(|hash| self.login_hashes(now).contains(hash));
        match (fits, attempt.user) {
            (Some(hash), Some(user)) if attempt.active => {
                events.extend(self.succeed(now, user, hash, attempt));
            }
            (Some(_), Some(user)) => {
                let reason = LoginFailureReason::Inactive;
                events.push(CredentialEvent::LoginFailed { user: Some(user), failures, reason });
            }
            (Some(_) | None, user) => events.extend(fail(now, user, failures + 1, attempt)),
        }
        events
    }

    fn attempt_while_locked(
        &self,
        now: DateTime<Utc>,
        attempt: &LoginAttempt,
    ) -> Vec<CredentialEvent> {
        let (user, failures) = (attempt.user, self.failures);
        let reason = LoginFailureReason::Locked;
        let mut events = vec![CredentialEvent::LoginFailed { user, failures, reason }];
        let restarts = attempt.lockout.retry_restarts_timer && self.locked_until().is_some();
        if let Some(auto) = attempt.lockout.auto.filter(|_| restarts) {
            events.push(CredentialEvent::UserLocked { user, until: Some(now + auto) });
        }
        events
    }

    fn succeed(
        &self,
        now: DateTime<Utc>,
        user: UserId,
        matched: VaultRef,
        attempt: &LoginAttempt,
    ) -> Vec<CredentialEvent> {
        let mut events = self.expiry(now, user, attempt.max_age);
        let must_change = self.must_change() || !events.is_empty() || self.is_temporary(matched);
        events.push(CredentialEvent::LoginSucceeded {
            user,
            session: attempt.session,
            must_change,
        });
        events
    }
}

fn fail(
    now: DateTime<Utc>,
    user: Option<UserId>,
    failures: u32,
    attempt: &LoginAttempt,
) -> Vec<CredentialEvent> {
    let reason = match user {
        Some(_) => LoginFailureReason::Credentials,
        None => LoginFailureReason::UnknownIdentifier,
    };
    let mut events = vec![CredentialEvent::LoginFailed { user, failures, reason }];
    if failures >= attempt.lockout.threshold {
        let until = attempt.lockout.auto.map(|auto| now + auto);
        events.push(CredentialEvent::UserLocked { user, until });
    }
    events
}

fn require_otp(otp: StepUp) -> Result<(), CredentialRefusal> {
    match otp {
        StepUp::NotRequired | StepUp::Passed => Ok(()),
        StepUp::Missing => Err(CredentialRefusal::OtpRequired),
    }
}

fn accepted(new: NewPassword) -> Result<VaultRef, CredentialRefusal> {
    if !new.violations.is_empty() {
        Err(CredentialRefusal::PasswordPolicy(new.violations))
    } else if new.reused {
        Err(CredentialRefusal::PasswordReused)
    } else if new.too_similar {
        Err(CredentialRefusal::PasswordTooSimilar)
    } else {
        Ok(new.hash_ref)
    }
}
