//! Logins, failures and locks (MC-34, AL-06, CX-08, CX-09, CC-06, GN-09).

use super::*;
use crate::Code;
use crate::kernel::ids::SessionId;
use crate::kernel::scenario::{after, given};
use crate::policies::{Policy, PolicyKey, PolicyValue, Preset};

const HALF_HOUR: i64 = 30 * 60;

fn session() -> SessionId {
    id(40)
}

fn attempt(matched: Option<VaultRef>) -> LoginAttempt {
    LoginAttempt { user: Some(user()), session: session(), matched, bar: None, challenge: None }
}

fn wrong() -> CredentialCommand {
    CredentialCommand::AttemptLogin(attempt(None))
}

fn right() -> CredentialCommand {
    CredentialCommand::AttemptLogin(attempt(Some(first_hash())))
}

fn failed(failures: u32, reason: LoginFailureReason) -> CredentialEvent {
    CredentialEvent::LoginFailed { user: Some(user()), failures, reason }
}

fn succeeded() -> CredentialEvent {
    signed_in(0, false)
}

fn locked(until: Option<i64>) -> CredentialEvent {
    CredentialEvent::UserLocked { user: Some(user()), until: until.map(after) }
}

fn unlocked(by: UnlockCause) -> CredentialEvent {
    CredentialEvent::UserUnlocked { user: Some(user()), by }
}

fn locked_for_half_an_hour() -> Vec<CredentialEvent> {
    vec![password_set(), failed(5, LoginFailureReason::Credentials), locked(Some(HALF_HOUR))]
}

#[test]
fn the_right_password_signs_in_and_forgets_earlier_failures() {
    let credential =
        given::<Credential>(&[password_set(), failed(4, LoginFailureReason::Credentials)])
            .when(right())
            .then(&[succeeded()]);
    assert_eq!(credential.failures, 0);
}

#[test]
fn the_fifth_failure_in_a_row_locks_and_the_fourth_does_not() {
    given::<Credential>(&[password_set(), failed(3, LoginFailureReason::Credentials)])
        .when(wrong())
        .then(&[failed(4, LoginFailureReason::Credentials)]);
    given::<Credential>(&[password_set(), failed(4, LoginFailureReason::Credentials)])
        .when(wrong())
        .then(&[failed(5, LoginFailureReason::Credentials), locked(Some(HALF_HOUR))]);
}

#[test]
fn al_06_the_third_failure_locks_until_somebody_unlocks() {
    let credential =
        given::<Credential>(&[password_set(), failed(2, LoginFailureReason::Credentials)])
            .under(Preset::Alliance)
            .when(wrong())
            .then(&[failed(3, LoginFailureReason::Credentials), locked(None)]);
    assert!(credential.is_locked(after(10 * 365 * 86_400)));
}

#[test]
fn while_locked_even_the_right_password_fails_and_does_not_count() {
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(HALF_HOUR - 1))
        .when(right())
        .then(&[failed(5, LoginFailureReason::Locked)]);
}

#[test]
fn cx_08_the_lock_opens_at_the_very_second() {
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(HALF_HOUR))
        .when(right())
        .then(&[unlocked(UnlockCause::Timer), signed_in(HALF_HOUR, false)]);
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(HALF_HOUR))
        .when(wrong())
        .then(&[unlocked(UnlockCause::Timer), failed(1, LoginFailureReason::Credentials)]);
}

#[test]
fn cx_08_where_it_must_rest_trying_starts_the_time_anew() {
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(60))
        .under(Preset::Carecentrix)
        .when(right())
        .then(&[failed(5, LoginFailureReason::Locked), locked(Some(60 + HALF_HOUR))]);
}

#[test]
fn a_lock_without_end_is_not_given_one_by_trying() {
    given::<Credential>(&[password_set(), locked(None)])
        .under(Preset::Carecentrix)
        .when(wrong())
        .then(&[failed(0, LoginFailureReason::Locked)]);
}

#[test]
fn the_scheduler_records_the_end_of_a_lock_once_and_not_before() {
    let expire = || CredentialCommand::ExpireLock;
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(HALF_HOUR - 1))
        .when(expire())
        .then(&[]);
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(HALF_HOUR))
        .when(expire())
        .then(&[unlocked(UnlockCause::Timer)]);
    given::<Credential>(&[password_set()]).when(expire()).then(&[]);
}

#[test]
fn an_administrator_unlocks_what_is_locked() {
    let unlock = CredentialCommand::UnlockUser { by: UnlockCause::Admin };
    let credential = given::<Credential>(&locked_for_half_an_hour())
        .when(unlock.clone())
        .then(&[unlocked(UnlockCause::Admin)]);
    assert_eq!(credential.failures, 0);
    given::<Credential>(&[password_set()]).when(unlock.clone()).refused(Code::NotLocked);
    given::<Credential>(&locked_for_half_an_hour())
        .at(after(HALF_HOUR))
        .when(unlock)
        .refused(Code::NotLocked);
}

#[test]
fn gn_09_an_unknown_identifier_fails_and_locks_like_a_known_one() {
    let unknown = || CredentialCommand::AttemptLogin(LoginAttempt { user: None, ..attempt(None) });
    let failure = |failures| CredentialEvent::LoginFailed {
        user: None,
        failures,
        reason: LoginFailureReason::UnknownIdentifier,
    };
    let lock = CredentialEvent::UserLocked { user: None, until: None };
    given::<Credential>(&[]).under(Preset::Alliance).when(unknown()).then(&[failure(1)]);
    given::<Credential>(&[failure(2)])
        .under(Preset::Alliance)
        .when(unknown())
        .then(&[failure(3), lock.clone()]);

    let answers = |events: &[CredentialEvent]| login_refusal(events, None);
    assert_eq!(answers(&[failure(1)]), answers(&[failed(1, LoginFailureReason::Credentials)]));
    assert_eq!(
        answers(&[failure(3), lock]),
        answers(&[failed(3, LoginFailureReason::Credentials), locked(None)])
    );
}

fn barred(matched: Option<VaultRef>, bar: LoginBar) -> CredentialCommand {
    CredentialCommand::AttemptLogin(LoginAttempt { bar: Some(bar), ..attempt(matched) })
}

#[test]
fn a_missing_contract_is_told_only_after_the_right_password_and_counts_as_no_failure() {
    let told = failed(0, LoginFailureReason::NotContracted);
    given::<Credential>(&[password_set()])
        .when(barred(Some(first_hash()), LoginBar::NotContracted))
        .then(std::slice::from_ref(&told));
    given::<Credential>(&[password_set()])
        .when(barred(None, LoginBar::NotContracted))
        .then(&[failed(1, LoginFailureReason::Credentials)]);
    let code = login_refusal(&[told], None).map(|refusal| refusal.code);
    assert_eq!(code, Some(Code::NotContracted));
}

#[test]
fn an_inactive_account_is_told_so_only_after_the_right_password() {
    let inactive = |matched| barred(matched, LoginBar::Inactive);
    let told = failed(0, LoginFailureReason::Inactive);
    given::<Credential>(&[password_set()])
        .when(inactive(Some(first_hash())))
        .then(std::slice::from_ref(&told));
    let silent = failed(1, LoginFailureReason::Credentials);
    given::<Credential>(&[password_set()]).when(inactive(None)).then(std::slice::from_ref(&silent));

    let code = |event| login_refusal(&[event], None).map(|refusal| refusal.code);
    assert_eq!(code(told), Some(Code::AccountInactive));
    assert_eq!(code(silent), Some(Code::CredentialsInvalid));
    assert_eq!(code(succeeded()), None);
}

#[test]
fn a_locked_account_is_told_when_to_come_back() {
    let events = [failed(5, LoginFailureReason::Locked)];
    let refusal = login_refusal(&events, Some(after(HALF_HOUR))).unwrap();
    assert_eq!((refusal.code, refusal.retry_at), (Code::AccountLocked, Some(after(HALF_HOUR))));
}

#[test]
fn cc_04_the_password_expires_at_its_greatest_age() {
    // An hour less: the clocks go forward in the first week.
    let end = 180 * 86_400 - 3_600;
    given::<Credential>(&[password_set()])
        .at(after(end - 1))
        .under(Preset::Cencal)
        .when(right())
        .then(&[signed_in(end - 1, false)]);
    let credential = given::<Credential>(&[password_set()])
        .at(after(end))
        .under(Preset::Cencal)
        .when(right())
        .then(&[CredentialEvent::PasswordExpired { user: user() }, signed_in(end, true)]);
    assert!(credential.must_change());
}

#[test]
fn sessions_are_remembered_until_their_absolute_end() {
    let twelve_hours = 12 * 3600;
    let first = signed_in(0, false);
    let second = CredentialEvent::LoginSucceeded {
        user: user(),
        session: id(41),
        must_change: false,
        at: after(twelve_hours - 1),
        session_expires_at: after(2 * twelve_hours - 1),
    };
    let credential = given::<Credential>(&[password_set(), first, second]).state();
    let recent = |second| credential.recent_sessions(after(second)).collect::<Vec<_>>();
    assert_eq!(recent(twelve_hours - 1), [session(), id(41)]);
    assert_eq!(recent(twelve_hours), [id(41)]);
    assert!(recent(2 * twelve_hours - 1).is_empty());
}

#[test]
fn cc_06_a_helper_resets_and_unlocks_where_the_policy_lets_them() {
    let way = ResetWay::Link(link());
    let by = UnlockCause::Admin;
    let reset = || CredentialCommand::ResetByAdmin { user: user(), by, way };
    let by_admin = CredentialEvent::PasswordResetByAdmin { user: user(), by };
    let sent = CredentialEvent::PasswordResetRequested {
        user: user(),
        link_id: link(),
        method: ResetMethod::Admin,
        expires_at: after(HALF_HOUR),
    };
    let events = [by_admin.clone(), sent.clone()];
    let state =
        given::<Credential>(&[password_set()]).under(Preset::Cencal).when(reset()).then(&events);
    assert!(state.must_change(), "the present password only lets its owner change it");
    let was_locked = [password_set(), locked(None)];
    given::<Credential>(&was_locked).under(Preset::Cencal).when(reset()).then(&[
        by_admin.clone(),
        sent.clone(),
        unlocked(by),
    ]);
    let nobody_unlocks = Policy::from(Preset::Cencal)
        .with(PolicyKey::LockoutUnlockers, PolicyValue::Words(Vec::new()));
    given::<Credential>(&was_locked).under(nobody_unlocks).when(reset()).then(&events);
}

#[test]
fn cx_09_the_mailed_temporary_password_opens_a_lock_and_no_other_does() {
    let issued = CredentialEvent::TemporaryPasswordIssued {
        user: user(),
        hash_ref: next_hash(),
        expires_at: after(86_400),
        by: None,
    };
    let history = [locked_for_half_an_hour(), vec![issued]].concat();
    let try_with = |hash| CredentialCommand::AttemptLogin(attempt(Some(hash)));
    let given_locked = || given::<Credential>(&history).at(after(60)).under(Preset::Carecentrix);
    given_locked()
        .when(try_with(next_hash()))
        .then(&[unlocked(UnlockCause::Reset), signed_in(60, true)]);
    let refused = failed(5, LoginFailureReason::Locked);
    given_locked()
        .when(try_with(first_hash()))
        .then(&[refused.clone(), locked(Some(60 + HALF_HOUR))]);
    given::<Credential>(&history).at(after(60)).when(try_with(next_hash())).then(&[refused]);
}

fn challenged() -> CredentialEvent {
    CredentialEvent::LoginChallenged { user: user(), challenge: id(50), hash_ref: first_hash() }
}

fn confirm(passed: bool) -> CredentialCommand {
    CredentialCommand::ConfirmLogin(LoginConfirmation {
        user: user(),
        challenge: id(50),
        passed,
        session: session(),
        bar: None,
    })
}

#[test]
fn mc_28_a_login_waits_for_its_passcode_and_forgets_failures_only_with_it() {
    let ask = LoginAttempt { challenge: Some(id(50)), ..attempt(Some(first_hash())) };
    let before = [password_set(), failed(2, LoginFailureReason::Credentials)];
    let waiting = given::<Credential>(&before)
        .when(CredentialCommand::AttemptLogin(ask))
        .then(&[challenged()]);
    assert_eq!(waiting.failures, 2);
    given::<Credential>(&[password_set(), challenged()]).when(confirm(true)).then(&[succeeded()]);
    given::<Credential>(&[password_set()]).when(confirm(true)).refused(Code::StepOutOfOrder);
    given::<Credential>(&[password_set(), challenged(), succeeded()])
        .when(confirm(true))
        .refused(Code::StepOutOfOrder);
}

#[test]
fn mc_28_wrong_passcodes_lock_like_wrong_passwords() {
    let passcode = |failures| failed(failures, LoginFailureReason::Passcode);
    let history = [password_set(), challenged(), passcode(3)];
    let events = [passcode(4)];
    assert_eq!(login_refusal(&events, None).map(|it| it.code), Some(Code::OtpWrong));
    given::<Credential>(&history).when(confirm(false)).then(&events);
    let history = [password_set(), challenged(), passcode(4)];
    let lock = [passcode(5), locked(Some(HALF_HOUR))];
    assert_eq!(login_refusal(&lock, None).map(|it| it.code), Some(Code::AccountLocked));
    let state = given::<Credential>(&history).when(confirm(false)).then(&lock);
    assert!(state.is_locked(after(1)) && state.challenged.is_none());
}
