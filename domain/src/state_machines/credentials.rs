//! user REGISTERED (no password) → ACTIVE, with LOCKED and PASSWORD_EXPIRED as independent flags
//! (MC-24, MC-27, CC-04, CC-06, CX-08, GN-08). DEACTIVATED is the membership's.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Answer, Machine, Who, same_hour_after, walks};
use crate::Code;
use crate::kernel::ids::{UserId, VaultRef};
use crate::kernel::scenario::id;
use crate::policies::{Policy, PolicyKey, PolicyValue, Preset};
use crate::users::credential::{
    Credential, CredentialCommand, CredentialEvent, LoginAttempt, NewPassword, ResetWay, StepUp,
    UnlockCause,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Password {
    #[default]
    None,
    /// Set less than a day ago: not to be changed again (GN-08).
    Fresh,
    Working,
    /// 180 days old, which nobody has written down yet.
    TooOld,
    Expired,
    /// A helper reset it; only changing it goes on.
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lock {
    /// After so many failures in a row.
    Open(u8),
    Locked,
    /// Its half hour is over, which nobody has written down yet.
    RunOut,
}

type State = (Password, Lock);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    FirstPassword,
    SignIn,
    SignInWrongly,
    Change,
    ChangeNotKnowing,
    Age,
    ResetByAdmin,
    Unlock,
    ExpireLock,
}

struct Account {
    password: Password,
    lock: Lock,
    set_at: Option<DateTime<Utc>>,
    locked_until: Option<DateTime<Utc>>,
    passwords: u128,
}

impl Default for Account {
    fn default() -> Self {
        let (password, lock) = (Password::None, Lock::Open(0));
        Self { password, lock, set_at: None, locked_until: None, passwords: 0 }
    }
}

fn user() -> UserId {
    id(1)
}

fn new(hash_ref: VaultRef) -> NewPassword {
    NewPassword { hash_ref, violations: Vec::new(), reused: false, too_similar: false }
}

fn attempt(matched: Option<VaultRef>) -> CredentialCommand {
    let (user, session) = (Some(user()), id(40));
    CredentialCommand::AttemptLogin(LoginAttempt {
        user,
        session,
        matched,
        bar: None,
        challenge: None,
    })
}

/// How old a password that works is.
fn age(set_at: DateTime<Utc>, now: DateTime<Utc>) -> Password {
    if same_hour_after(set_at, 180) <= now {
        Password::TooOld
    } else if set_at + TimeDelta::hours(24) <= now {
        Password::Working
    } else {
        Password::Fresh
    }
}

/// A failure counts unless the account is locked, and the fifth in a row locks it.
fn failed((password, lock): State) -> Answer<State> {
    match lock {
        Lock::Locked => Answer::Stays,
        Lock::Open(4) => Answer::To((password, Lock::Locked)),
        Lock::Open(failures) => Answer::To((password, Lock::Open(failures + 1))),
        Lock::RunOut => Answer::To((password, Lock::Open(1))),
    }
}

fn replaced((_, lock): State) -> Answer<State> {
    let lock = match lock {
        Lock::Open(_) => Lock::Open(0),
        Lock::Locked | Lock::RunOut => lock,
    };
    Answer::To((Password::Fresh, lock))
}

impl Machine for Account {
    type Aggregate = Credential;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::FirstPassword,
        Input::SignIn,
        Input::SignInWrongly,
        Input::SignInWrongly,
        Input::SignInWrongly,
        Input::SignInWrongly,
        Input::SignInWrongly,
        Input::Change,
        Input::ChangeNotKnowing,
        Input::Age,
        Input::ResetByAdmin,
        Input::Unlock,
        Input::ExpireLock,
    ];
    /// No event changes two of the three at once.
    const ARROWS: &'static [(&'static str, &'static str)] = &[
        ("REGISTERED", "ACTIVE"),
        ("REGISTERED, LOCKED", "ACTIVE, LOCKED"),
        ("REGISTERED", "REGISTERED, LOCKED"),
        ("REGISTERED, LOCKED", "REGISTERED"),
        ("ACTIVE", "ACTIVE, LOCKED"),
        ("ACTIVE, LOCKED", "ACTIVE"),
        ("ACTIVE", "ACTIVE, PASSWORD_EXPIRED"),
        ("ACTIVE, PASSWORD_EXPIRED", "ACTIVE"),
        ("ACTIVE, LOCKED", "ACTIVE, LOCKED, PASSWORD_EXPIRED"),
        ("ACTIVE, LOCKED, PASSWORD_EXPIRED", "ACTIVE, LOCKED"),
        ("ACTIVE, PASSWORD_EXPIRED", "ACTIVE, LOCKED, PASSWORD_EXPIRED"),
        ("ACTIVE, LOCKED, PASSWORD_EXPIRED", "ACTIVE, PASSWORD_EXPIRED"),
    ];
    const STEPS: usize = 40;

    fn states() -> Vec<State> {
        use Password::{Expired, Fresh, None, Reset, TooOld, Working};
        let locks = (0..5).map(Lock::Open).chain([Lock::Locked, Lock::RunOut]);
        let locks: Vec<_> = locks.collect();
        let passwords = [None, Fresh, Working, TooOld, Expired, Reset].into_iter();
        passwords.flat_map(|password| locks.iter().map(move |lock| (password, *lock))).collect()
    }

    fn name((password, lock): State) -> &'static str {
        match (password, lock == Lock::Locked) {
            (Password::None, false) => "REGISTERED",
            (Password::None, true) => "REGISTERED, LOCKED",
            (Password::Expired, false) => "ACTIVE, PASSWORD_EXPIRED",
            (Password::Expired, true) => "ACTIVE, LOCKED, PASSWORD_EXPIRED",
            (_, false) => "ACTIVE",
            (_, true) => "ACTIVE, LOCKED",
        }
    }

    fn policy() -> Policy {
        Policy::from(Preset::MediCal).with(PolicyKey::PasswordMaxAgeDays, PolicyValue::Integer(180))
    }

    fn table(state: State, input: Input, _: Who) -> Answer<State> {
        use Password as P;
        let (password, lock) = state;
        match (input, password) {
            (Input::FirstPassword, P::None) => replaced(state),
            (Input::FirstPassword | Input::ChangeNotKnowing, _) | (Input::Change, P::None) => {
                Answer::Refused(Code::CurrentPasswordWrong)
            }
            (Input::Change, P::Fresh) => Answer::Refused(Code::TooEarly),
            (Input::Change, _) => replaced(state),
            (Input::SignInWrongly, _) | (Input::SignIn, P::None) => failed(state),
            (Input::SignIn, _) if lock == Lock::Locked => Answer::Stays,
            (Input::SignIn, P::TooOld) => Answer::To((P::Expired, Lock::Open(0))),
            (Input::SignIn, _) => Answer::To((password, Lock::Open(0))),
            (Input::Age, P::TooOld) => Answer::To((P::Expired, lock)),
            // The owner may be told before.
            (Input::Age, P::Fresh | P::Working) => Answer::Stays,
            (Input::Age, P::None | P::Expired | P::Reset) => Answer::Nothing,
            (Input::ResetByAdmin, _) => {
                let password = match password {
                    P::None | P::Expired => password,
                    P::Fresh | P::Working | P::TooOld | P::Reset => P::Reset,
                };
                let lock = if lock == Lock::Locked { Lock::Open(0) } else { lock };
                Answer::To((password, lock))
            }
            (Input::Unlock, _) if lock == Lock::Locked => Answer::To((password, Lock::Open(0))),
            (Input::Unlock, _) => Answer::Refused(Code::NotLocked),
            (Input::ExpireLock, _) if lock == Lock::RunOut => Answer::To((password, Lock::Open(0))),
            (Input::ExpireLock, _) => Answer::Nothing,
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        let password = match (self.password, self.set_at) {
            (Password::Fresh | Password::Working | Password::TooOld, Some(set_at)) => {
                age(set_at, now)
            }
            (password, _) => password,
        };
        let run_out = self.locked_until.is_some_and(|until| until <= now);
        let lock = match self.lock {
            Lock::Locked if run_out => Lock::RunOut,
            lock => lock,
        };
        (password, lock)
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        let aged = |set_at| [set_at + TimeDelta::hours(24), same_hour_after(set_at, 180)];
        self.set_at.into_iter().flat_map(aged).chain(self.locked_until).collect()
    }

    fn command(&self, input: Input, _: DateTime<Utc>) -> CredentialCommand {
        use CredentialCommand as C;
        let user = user();
        let current = (self.passwords > 0).then(|| id(1_000 + self.passwords));
        let next = new(id(1_001 + self.passwords));
        let otp = StepUp::NotRequired;
        match input {
            Input::FirstPassword => C::SetFirstPassword { user, new: next },
            Input::SignIn => attempt(current),
            Input::SignInWrongly => attempt(None),
            Input::Change => C::ChangePassword { user, matched: current, otp, new: next },
            Input::ChangeNotKnowing => C::ChangePassword { user, matched: None, otp, new: next },
            Input::Age => C::AgePassword { user },
            Input::ResetByAdmin => {
                C::ResetByAdmin { user, by: UnlockCause::Admin, way: ResetWay::Link(id(20)) }
            }
            Input::Unlock => C::UnlockUser { by: UnlockCause::Admin },
            Input::ExpireLock => C::ExpireLock,
        }
    }

    fn went(&mut self, input: Input, (password, lock): State, now: DateTime<Utc>) {
        if matches!(input, Input::FirstPassword | Input::Change) {
            self.passwords += 1;
            self.set_at = Some(now);
        }
        if lock == Lock::Locked && self.lock != Lock::Locked {
            self.locked_until = Some(now + TimeDelta::minutes(30));
        }
        self.password = password;
        // A lock that ran out stays one until that is written down.
        self.lock = if lock == Lock::RunOut { Lock::Locked } else { lock };
    }

    fn shown(credential: &Credential, _: Option<&CredentialEvent>, now: DateTime<Utc>) -> State {
        let password = match credential.password_set_at() {
            None => Password::None,
            Some(_) if credential.is_expired() => Password::Expired,
            Some(_) if credential.must_change() => Password::Reset,
            Some(set_at) => age(set_at, now),
        };
        let lock = match (credential.is_locked(now), credential.locked_until()) {
            (true, _) => Lock::Locked,
            (false, Some(_)) => Lock::RunOut,
            (false, None) => Lock::Open(0),
        };
        (password, lock)
    }

    fn visible((password, lock): State) -> State {
        // How often somebody failed shows in when the lock falls.
        (password, if let Lock::Open(_) = lock { Lock::Open(0) } else { lock })
    }
}

#[test]
fn a_credential_goes_no_way_but_those_of_section_4() {
    walks::<Account>();
}
