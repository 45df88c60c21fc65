//! What a credential's events add up to. Invariant: the lock is a fact with an end; whether it
//! holds is asked with a time.

use chrono::{DateTime, Utc};

use super::events::{CredentialEvent, PasswordSource};
use super::links::{LinkPurpose, Links};
use super::{CredentialRefusal, ResetMethod};
use crate::kernel::ids::{LinkId, OtpChallengeId, SessionId, UserId, VaultRef};
use crate::policies::Policy;

/// How many earlier passwords are remembered; the policy's `password.history` is at most this.
pub const MAX_HISTORY: usize = 24;

/// One person's password, links and lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credential {
    pub(super) user: Option<UserId>,
    pub(super) password: Password,
    /// The last warning of the present password: how many days before which end.
    warned: Option<(u32, DateTime<Utc>)>,
    pub(super) temporary: Option<Temporary>,
    /// Newest last, the current one included.
    history: Vec<VaultRef>,
    pub(super) links: Links,
    /// Failures in a row.
    pub(super) failures: u32,
    pub(super) lock: Lock,
    /// The passcode that the newest login waits for, and the hash that its password fitted.
    pub(super) challenged: Option<(OtpChallengeId, VaultRef)>,
    /// When the person last signed in; until the first time, when the account came to a password.
    seen_at: Option<DateTime<Utc>>,
    /// Opened by a login and not past their absolute end at the last one, oldest first.
    sessions: Vec<(SessionId, DateTime<Utc>)>,
}

/// The ordinary password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Password {
    /// None was set yet: the person is REGISTERED, not ACTIVE.
    #[default]
    Unset,
    /// Works as it should.
    Current { hash_ref: VaultRef, set_at: DateTime<Utc> },
    /// Opens a session that may only change it.
    ChangeDue { hash_ref: VaultRef, set_at: DateTime<Utc>, because: ChangeCause },
}

/// Why a password must be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeCause {
    /// It came from another portal (AL-02).
    Imported,
    /// It is too old (CC-04).
    Expired,
    /// A helper reset it (CC-06).
    ResetByAdmin,
}

/// A mailed password beside the ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Temporary {
    pub(super) hash_ref: VaultRef,
    pub(super) expires_at: DateTime<Utc>,
    /// Somebody signed in with it: changing the password is due.
    pub(super) used: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lock {
    #[default]
    Open,
    /// Until the time given, or until somebody lifts it.
    Locked { until: Option<DateTime<Utc>> },
}

impl Credential {
    /// Whether logins are refused at `now`; a lock with an end opens at that very second.
    #[must_use]
    pub fn is_locked(&self, now: DateTime<Utc>) -> bool {
        match self.lock {
            Lock::Open => false,
            Lock::Locked { until } => until.is_none_or(|until| now < until),
        }
    }

    /// When the lock ends by itself, if there is one that does.
    #[must_use]
    pub fn locked_until(&self) -> Option<DateTime<Utc>> {
        match self.lock {
            Lock::Open => None,
            Lock::Locked { until } => until,
        }
    }

    /// Whether the newest login waits for this passcode (MC-28).
    #[must_use]
    pub fn waits_for(&self, challenge: OtpChallengeId) -> bool {
        self.challenged.is_some_and(|(asked, _)| asked == challenge)
    }

    /// When the person last signed in or, who never did, since when they could have (MC-32).
    #[must_use]
    pub fn seen_at(&self) -> Option<DateTime<Utc>> {
        self.seen_at
    }

    /// Whether a password was ever set: ACTIVE rather than REGISTERED.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.current_hash().is_some()
    }

    /// Whether the person may do nothing but change the password (CC-04, CX-07, AL-02).
    #[must_use]
    pub fn must_change(&self) -> bool {
        matches!(self.password, Password::ChangeDue { .. })
            || self.temporary.is_some_and(|temporary| temporary.used)
    }

    /// Whether the password is too old, on record (CC-04).
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self.password, Password::ChangeDue { because: ChangeCause::Expired, .. })
    }

    /// When the password's age has to be looked at again: for the next warning or for its end;
    /// `None` where it does not age (CC-04).
    #[must_use]
    pub fn next_age_check(&self, policy: &Policy, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let expires_at = self.expires_at(policy)?;
        let warnings = policy.password_warn_days().iter();
        let warnings = warnings.map(|days| warned_at(policy, expires_at, *days));
        warnings.chain([expires_at]).filter(|at| *at > now).min()
    }

    /// The warning to give at `now`: how many days before which end.
    pub(super) fn warning_due(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Option<(u32, DateTime<Utc>)> {
        let expires_at = self.expires_at(policy)?;
        let begun = |days: &&u32| now >= warned_at(policy, expires_at, **days);
        let days = *policy.password_warn_days().iter().filter(begun).min()?;
        let given = |(given, end)| end == expires_at && given <= days;
        (!self.warned.is_some_and(given)).then_some((days, expires_at))
    }

    /// When a working password becomes too old.
    pub(super) fn expires_at(&self, policy: &Policy) -> Option<DateTime<Utc>> {
        match self.password {
            Password::Current { set_at, .. } => policy.password_expires_at(set_at),
            Password::Unset | Password::ChangeDue { .. } => None,
        }
    }

    /// When the current password was set.
    #[must_use]
    pub fn password_set_at(&self) -> Option<DateTime<Utc>> {
        match self.password {
            Password::Unset => None,
            Password::Current { set_at, .. } | Password::ChangeDue { set_at, .. } => Some(set_at),
        }
    }

    /// The hashes a typed password is compared with at `now`: the ordinary one and, while it is
    /// valid, the temporary one.
    #[must_use]
    pub fn login_hashes(&self, now: DateTime<Utc>) -> Vec<VaultRef> {
        let temporary = self.temporary.filter(|temporary| now < temporary.expires_at);
        self.current_hash().into_iter().chain(temporary.map(|it| it.hash_ref)).collect()
    }

    /// The last `n` passwords, newest first, the current one included (MC-25).
    pub fn history(&self, n: usize) -> impl Iterator<Item = VaultRef> + '_ {
        self.history.iter().rev().take(n).copied()
    }

    /// The sessions that logins have opened and that may still be live at `now`, oldest first;
    /// whether one has ended stands in its own stream (GN-11).
    pub fn recent_sessions(&self, now: DateTime<Utc>) -> impl Iterator<Item = SessionId> + '_ {
        self.sessions
            .iter()
            .filter(move |(_, expires_at)| now < *expires_at)
            .map(|(session, _)| *session)
    }

    /// The links sent, newest last, also used and replaced ones: whoever has a token finds its link
    /// by deriving theirs.
    pub fn links(&self) -> impl Iterator<Item = (LinkId, LinkPurpose)> + '_ {
        self.links.all()
    }

    /// What a link is for, if it may be used at `now`.
    ///
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED or LINK_USED.
    pub fn check_link(
        &self,
        link_id: LinkId,
        now: DateTime<Utc>,
    ) -> Result<LinkPurpose, CredentialRefusal> {
        self.links.check(link_id, now)
    }

    pub(super) fn is_temporary(&self, hash_ref: VaultRef) -> bool {
        self.temporary.is_some_and(|temporary| temporary.hash_ref == hash_ref)
    }

    fn current_hash(&self) -> Option<VaultRef> {
        match self.password {
            Password::Unset => None,
            Password::Current { hash_ref, .. } | Password::ChangeDue { hash_ref, .. } => {
                Some(hash_ref)
            }
        }
    }

    fn take_password(&mut self, password: Password, link_id: Option<LinkId>) {
        self.password = password;
        self.warned = None;
        self.temporary = None;
        self.challenged = None;
        self.failures = 0;
        self.links.used(link_id);
        self.history.extend(self.current_hash());
        let surplus = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..surplus);
    }

    pub(super) fn apply(&mut self, event: &CredentialEvent) {
        self.user = event.user().or(self.user);
        match event {
            CredentialEvent::PasswordSetupLinkSent { link_id, expires_at, .. } => {
                self.links.sent(*link_id, LinkPurpose::Setup, *expires_at);
            }
            CredentialEvent::PasswordResetRequested { link_id, method, expires_at, .. } => {
                self.links.sent(*link_id, LinkPurpose::Reset(*method), *expires_at);
            }
            CredentialEvent::PasswordSet { hash_ref, source, link_id, set_at, .. } => {
                let (hash_ref, set_at) = (*hash_ref, *set_at);
                self.seen_at = self.seen_at.max(Some(set_at));
                let password = match source {
                    PasswordSource::Setup => Password::Current { hash_ref, set_at },
                    PasswordSource::Import => {
                        let because = ChangeCause::Imported;
                        Password::ChangeDue { hash_ref, set_at, because }
                    }
                };
                self.take_password(password, *link_id);
            }
            CredentialEvent::PasswordReset { hash_ref, link_id, set_at, .. } => {
                let password = Password::Current { hash_ref: *hash_ref, set_at: *set_at };
                self.take_password(password, *link_id);
            }
            CredentialEvent::PasswordChanged { hash_ref, set_at, .. } => {
                let password = Password::Current { hash_ref: *hash_ref, set_at: *set_at };
                self.take_password(password, None);
            }
            CredentialEvent::PasswordExpiryWarned { days_left, expires_at, .. } => {
                self.warned = Some((*days_left, *expires_at));
            }
            CredentialEvent::PasswordExpired { .. } => {
                if let Password::Current { hash_ref, set_at } = self.password {
                    let because = ChangeCause::Expired;
                    self.password = Password::ChangeDue { hash_ref, set_at, because };
                }
            }
            CredentialEvent::TemporaryPasswordIssued { hash_ref, expires_at, .. } => {
                self.temporary =
                    Some(Temporary { hash_ref: *hash_ref, expires_at: *expires_at, used: false });
            }
            CredentialEvent::PasswordResetByAdmin { .. } => {
                if let Password::Current { hash_ref, set_at } = self.password {
                    let because = ChangeCause::ResetByAdmin;
                    self.password = Password::ChangeDue { hash_ref, set_at, because };
                }
            }
            CredentialEvent::LoginFailed { failures, .. } => self.failures = *failures,
            CredentialEvent::LoginChallenged { challenge, hash_ref, .. } => {
                self.challenged = Some((*challenge, *hash_ref));
            }
            CredentialEvent::LoginSucceeded {
                session,
                must_change,
                at,
                session_expires_at,
                ..
            } => {
                self.failures = 0;
                self.challenged = None;
                self.seen_at = self.seen_at.max(Some(*at));
                self.sessions.retain(|(_, expires_at)| at < expires_at);
                self.sessions.push((*session, *session_expires_at));
                if let Some(temporary) = &mut self.temporary {
                    temporary.used = *must_change;
                }
            }
            CredentialEvent::UserLocked { until, .. } => {
                self.lock = Lock::Locked { until: *until };
                self.challenged = None;
            }
            CredentialEvent::UserUnlocked { .. } => {
                self.lock = Lock::Open;
                self.failures = 0;
            }
        }
    }
}

/// `days` days before the end, at the same hour of the tenant's clocks.
fn warned_at(policy: &Policy, expires_at: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    policy.time_zone().days_later(expires_at, -i64::from(days))
}

impl LinkPurpose {
    pub(super) fn reset_method(self) -> Option<ResetMethod> {
        match self {
            Self::Setup => None,
            Self::Reset(method) => Some(method),
        }
    }
}
