//! The credential's rules. Invariant: a login attempt is never refused here: it succeeds or fails,
//! and both are facts.

use chrono::{DateTime, TimeDelta, Utc};

use super::CredentialRefusal;
use super::command::{
    CredentialCommand, LoginAttempt, LoginConfirmation, NewPassword, ResetWay, StepUp,
};
use super::events::{
    CredentialEvent, LoginFailureReason, PasswordSource, ResetMethod, UnlockCause,
};
use super::state::{Credential, Lock};
use crate::kernel::ids::{LinkId, SessionId, UserId, VaultRef};
use crate::policies::Unlocker;
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
            CredentialCommand::SendSetupLink { user, link_id } => {
                let expires_at = now + decision.policy.setup_link_ttl();
                Ok(if self.has_password() {
                    Vec::new()
                } else {
                    vec![CredentialEvent::PasswordSetupLinkSent { user, link_id, expires_at }]
                })
            }
            CredentialCommand::RequestPasswordReset { user, link_id, method } => {
                let expires_at = now + decision.policy.reset_link_ttl();
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
            CredentialCommand::SetFirstPassword { user, new } => {
                if self.has_password() {
                    return Err(CredentialRefusal::CurrentPasswordWrong);
                }
                Ok(vec![CredentialEvent::PasswordSet {
                    user,
                    hash_ref: accepted(new)?,
                    set_by: decision.actor,
                    source: PasswordSource::Setup,
                    link_id: None,
                    set_at: now,
                }])
            }
            CredentialCommand::ChangePassword { user, matched, otp, new } => {
                let matched = matched
                    .filter(|hash| self.login_hashes(now).contains(hash))
                    .ok_or(CredentialRefusal::CurrentPasswordWrong)?;
                require_otp(otp)?;
                self.require_min_age(now, decision.policy.password_min_age())?;
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
            CredentialCommand::IssueTemporaryPassword { user, hash_ref } => {
                let expires_at = now + decision.policy.temporary_password_ttl();
                let by = None;
                Ok(vec![CredentialEvent::TemporaryPasswordIssued {
                    user,
                    hash_ref,
                    expires_at,
                    by,
                }])
            }
            CredentialCommand::ResetByAdmin { user, by, way } => {
                Ok(self.reset_by_admin(decision, (user, by), way))
            }
            CredentialCommand::AgePassword { user } => Ok(self.age(decision, user)),
            CredentialCommand::AttemptLogin(attempt) => Ok(self.attempt_login(decision, &attempt)),
            CredentialCommand::ConfirmLogin(confirmation) => {
                self.confirm_login(decision, confirmation)
            }
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
        if self.lock != Lock::Open && lifts_lock(decision, method) {
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
        min_age: TimeDelta,
    ) -> Result<(), CredentialRefusal> {
        match self.password_set_at() {
            Some(set_at) if !self.must_change() && now < set_at + min_age => {
                Err(CredentialRefusal::TooEarly { until: set_at + min_age })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn expiry(&self, decision: &Decision<'_>, user: UserId) -> Vec<CredentialEvent> {
        match self.expires_at(decision.policy) {
            Some(end) if end <= decision.now => vec![CredentialEvent::PasswordExpired { user }],
            Some(_) | None => Vec::new(),
        }
    }

    /// What the password's age asks for now: its end, or a warning not given yet.
    fn age(&self, decision: &Decision<'_>, user: UserId) -> Vec<CredentialEvent> {
        let expired = self.expiry(decision, user);
        if !expired.is_empty() {
            return expired;
        }
        let warned = |(days_left, expires_at)| CredentialEvent::PasswordExpiryWarned {
            user,
            days_left,
            expires_at,
        };
        self.warning_due(decision.policy, decision.now).map(warned).into_iter().collect()
    }

    fn lock_run_out(&self, now: DateTime<Utc>) -> Option<CredentialEvent> {
        let by = UnlockCause::Timer;
        (self.lock != Lock::Open && !self.is_locked(now))
            .then_some(CredentialEvent::UserUnlocked { user: self.user, by })
    }

    fn attempt_login(
        &self,
        decision: &Decision<'_>,
        attempt: &LoginAttempt,
    ) -> Vec<CredentialEvent> {
        let now = decision.now;
        if self.is_locked(now) && !self.resets(decision, attempt) {
            return self.attempt_while_locked(decision, attempt.user);
        }
        let run_out = self.lock_ended(decision, attempt);
        let failures = if run_out.is_some() { 0 } else { self.failures };
        let mut events = Vec::from_iter(run_out);
        let fits = attempt.matched.filter(|hash| self.login_hashes(now).contains(hash));
        match (fits, attempt.user, attempt.bar) {
            (Some(hash_ref), Some(user), None) => match attempt.challenge {
                Some(challenge) => {
                    events.push(CredentialEvent::LoginChallenged { user, challenge, hash_ref });
                }
                None => events.extend(self.succeed(decision, user, hash_ref, attempt.session)),
            },
            (Some(_), Some(user), Some(bar)) => {
                let reason = bar.into();
                events.push(CredentialEvent::LoginFailed { user: Some(user), failures, reason });
            }
            (Some(_) | None, user, _) => events.extend(fail(decision, user, failures + 1)),
        }
        events
    }

    /// Whether this is a sign-in with the temporary password that was mailed, under a policy where a
    /// reset ends a lock (CX-09): nobody guesses such a password.
    fn resets(&self, decision: &Decision<'_>, attempt: &LoginAttempt) -> bool {
        let hashes = self.login_hashes(decision.now);
        attempt.matched.is_some_and(|hash| self.is_temporary(hash) && hashes.contains(&hash))
            && lifts_lock(decision, Some(ResetMethod::Temporary))
    }

    fn lock_ended(
        &self,
        decision: &Decision<'_>,
        attempt: &LoginAttempt,
    ) -> Option<CredentialEvent> {
        let by = UnlockCause::Reset;
        if self.is_locked(decision.now) && self.resets(decision, attempt) {
            return Some(CredentialEvent::UserUnlocked { user: self.user, by });
        }
        self.lock_run_out(decision.now)
    }

    fn reset_by_admin(
        &self,
        decision: &Decision<'_>,
        (user, by): (UserId, UnlockCause),
        way: ResetWay,
    ) -> Vec<CredentialEvent> {
        let Decision { now, policy, .. } = decision;
        let mut events = vec![
            CredentialEvent::PasswordResetByAdmin { user, by },
            match way {
                ResetWay::Link(link_id) => CredentialEvent::PasswordResetRequested {
                    user,
                    link_id,
                    method: ResetMethod::Admin,
                    expires_at: *now + policy.reset_link_ttl(),
                },
                ResetWay::TemporaryPassword(hash_ref) => CredentialEvent::TemporaryPasswordIssued {
                    user,
                    hash_ref,
                    expires_at: *now + policy.temporary_password_ttl(),
                    by: Some(by),
                },
            },
        ];
        let unlocker = match by {
            UnlockCause::Admin => Some(Unlocker::OrganizationAdmin),
            UnlockCause::Plan => Some(Unlocker::PlanStaff),
            UnlockCause::Reset | UnlockCause::Timer => None,
        };
        let may_unlock = unlocker.is_some_and(|it| policy.lockout().unlockers.contains(&it));
        if may_unlock && self.is_locked(*now) {
            events.push(CredentialEvent::UserUnlocked { user: Some(user), by });
        }
        events
    }

    /// A wrong passcode counts like a wrong password: else whoever has the password could ask for
    /// challenge after challenge.
    fn confirm_login(&self, decision: &Decision<'_>, confirmation: LoginConfirmation) -> Decided {
        let LoginConfirmation { user, challenge, passed, session, bar } = confirmation;
        if self.is_locked(decision.now) {
            return Ok(self.attempt_while_locked(decision, Some(user)));
        }
        let hash_ref = match self.challenged {
            Some((asked, hash_ref)) if asked == challenge => hash_ref,
            Some(_) | None => return Err(CredentialRefusal::NotChallenged),
        };
        if !self.login_hashes(decision.now).contains(&hash_ref) {
            return Err(CredentialRefusal::NotChallenged);
        }
        Ok(match bar {
            _ if !passed => {
                failed(decision, Some(user), (self.failures + 1, LoginFailureReason::Passcode))
            }
            None => self.succeed(decision, user, hash_ref, session),
            Some(bar) => {
                let (failures, reason) = (self.failures, bar.into());
                vec![CredentialEvent::LoginFailed { user: Some(user), failures, reason }]
            }
        })
    }

    fn attempt_while_locked(
        &self,
        decision: &Decision<'_>,
        user: Option<UserId>,
    ) -> Vec<CredentialEvent> {
        let (lockout, failures) = (decision.policy.lockout(), self.failures);
        let reason = LoginFailureReason::Locked;
        let mut events = vec![CredentialEvent::LoginFailed { user, failures, reason }];
        let restarts = lockout.retry_restarts_timer && self.locked_until().is_some();
        if let Some(auto) = lockout.auto.filter(|_| restarts) {
            events.push(CredentialEvent::UserLocked { user, until: Some(decision.now + auto) });
        }
        events
    }

    fn succeed(
        &self,
        decision: &Decision<'_>,
        user: UserId,
        matched: VaultRef,
        session: SessionId,
    ) -> Vec<CredentialEvent> {
        let mut events = self.expiry(decision, user);
        let must_change = self.must_change() || !events.is_empty() || self.is_temporary(matched);
        events.push(CredentialEvent::LoginSucceeded {
            user,
            session,
            must_change,
            at: decision.now,
            session_expires_at: decision.now + decision.policy.session().absolute,
        });
        events
    }
}

/// Whether setting a password by link ends a lock. The person's own reset does where the policy says
/// so (CX-09); a helper's reset is that helper's decision, and before the first password there was
/// nothing to guess.
fn lifts_lock(decision: &Decision<'_>, method: Option<ResetMethod>) -> bool {
    match method {
        None | Some(ResetMethod::Admin) => true,
        Some(ResetMethod::SelfService | ResetMethod::Temporary) => {
            decision.policy.lockout().unlockers.contains(&Unlocker::ResetLink)
        }
    }
}

fn fail(decision: &Decision<'_>, user: Option<UserId>, failures: u32) -> Vec<CredentialEvent> {
    let reason = match user {
        Some(_) => LoginFailureReason::Credentials,
        None => LoginFailureReason::UnknownIdentifier,
    };
    failed(decision, user, (failures, reason))
}

/// A failure that counts, and the lock where it was one too many.
fn failed(
    decision: &Decision<'_>,
    user: Option<UserId>,
    (failures, reason): (u32, LoginFailureReason),
) -> Vec<CredentialEvent> {
    let mut events = vec![CredentialEvent::LoginFailed { user, failures, reason }];
    let lockout = decision.policy.lockout();
    if failures >= lockout.threshold {
        let until = lockout.auto.map(|auto| decision.now + auto);
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
