//! Authenticators, shown. Invariant: whatever has served once is refused the second time.

use super::*;
use crate::Code;
use crate::kernel::ids::{UserId, VaultRef};
use crate::kernel::scenario::{Given, after, given, id};

const TEN_MINUTES: i64 = 600;

fn user() -> UserId {
    id(1)
}

fn secret() -> VaultRef {
    id(60)
}

fn codes() -> VaultRef {
    id(61)
}

fn start() -> AuthenticatorCommand {
    AuthenticatorCommand::StartEnrolment { user: user(), secret_ref: secret() }
}

fn started() -> AuthenticatorEvent {
    AuthenticatorEvent::TotpEnrolmentStarted {
        user: user(),
        secret_ref: secret(),
        expires_at: after(TEN_MINUTES),
    }
}

fn confirm(step: Option<i64>) -> AuthenticatorCommand {
    AuthenticatorCommand::ConfirmEnrolment { user: user(), step, codes_ref: codes() }
}

fn enrolled(step: i64) -> AuthenticatorEvent {
    AuthenticatorEvent::TotpEnrolled {
        user: user(),
        secret_ref: secret(),
        step,
        codes_ref: codes(),
        codes: 10,
    }
}

fn authenticator(events: &[AuthenticatorEvent]) -> Given<Authenticator> {
    given(events)
}

#[test]
fn a_secret_counts_from_its_first_code_within_ten_minutes() {
    authenticator(&[]).when(start()).then(&[started()]);
    let last = after(TEN_MINUTES - 1);
    authenticator(&[started()]).at(last).when(confirm(Some(100))).then(&[enrolled(100)]);
    let late = authenticator(&[started()]).at(after(TEN_MINUTES)).when(confirm(Some(100)));
    late.refused(Code::OtpExpired);
    authenticator(&[started()]).when(confirm(None)).refused(Code::OtpWrong);
    authenticator(&[]).when(confirm(Some(100))).refused(Code::NotEnrolled);
}

#[test]
fn an_app_in_use_is_replaced_only_after_it_was_removed() {
    let removed = AuthenticatorEvent::TotpRemoved { user: user() };
    authenticator(&[started(), enrolled(100)]).when(start()).refused(Code::AlreadyEnrolled);
    authenticator(&[started(), enrolled(100)])
        .when(AuthenticatorCommand::RemoveTotp)
        .then(std::slice::from_ref(&removed));
    authenticator(&[started(), enrolled(100), removed]).when(start()).then(&[started()]);
}

#[test]
fn a_step_serves_once_and_steps_only_go_forward() {
    let accept = |step| AuthenticatorCommand::AcceptCode { step };
    let accepted = |step| AuthenticatorEvent::TotpAccepted { user: user(), step };
    let history = [started(), enrolled(100)];
    authenticator(&history).when(accept(100)).refused(Code::OtpUsed);
    authenticator(&history).when(accept(102)).then(&[accepted(102)]);
    let later = [started(), enrolled(100), accepted(102)];
    authenticator(&later).when(accept(102)).refused(Code::OtpUsed);
    authenticator(&later).when(accept(101)).refused(Code::OtpUsed);
    authenticator(&[]).when(accept(1)).refused(Code::NotEnrolled);
}

#[test]
fn a_recovery_code_serves_once_until_others_take_its_place() {
    let use_code = |number| AuthenticatorCommand::UseRecoveryCode { number };
    let used = AuthenticatorEvent::RecoveryCodeUsed { user: user(), number: 3, left: 9 };
    let renewed =
        AuthenticatorEvent::RecoveryCodesRenewed { user: user(), codes_ref: id(62), codes: 10 };
    let history = [started(), enrolled(100)];
    authenticator(&history).when(use_code(3)).then(std::slice::from_ref(&used));
    let later = [started(), enrolled(100), used];
    authenticator(&later).when(use_code(3)).refused(Code::OtpUsed);
    authenticator(&later).when(use_code(10)).refused(Code::OtpUsed);
    let renew = AuthenticatorCommand::RenewRecoveryCodes { codes_ref: id(62) };
    let state = authenticator(&later).when(renew).then(&[renewed]);
    assert_eq!(state.enrolled().map(|it| it.codes_left.len()), Some(10));
}
