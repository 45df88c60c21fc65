//! Links, first passwords, resets and changes (MC-21 to MC-27, CX-07, AL-02, GN-07, GN-08).

use chrono::TimeDelta;

use super::*;
use crate::Code;
use crate::kernel::scenario::{Outcome, after, given};
use crate::policies::{Policy, Preset};
use crate::values::PasswordViolation;

const HALF_HOUR: i64 = 30 * 60;
const DAY: i64 = 86_400;

/// The clocks of both zones go forward in the week after the tests begin.
const AN_HOUR_SKIPPED: i64 = 3_600;

fn setup_link() -> CredentialEvent {
    let expires_at = after(HALF_HOUR);
    CredentialEvent::PasswordSetupLinkSent { user: user(), link_id: link(), expires_at }
}

fn reset_link(link_id: LinkId) -> CredentialEvent {
    CredentialEvent::PasswordResetRequested {
        user: user(),
        link_id,
        method: ResetMethod::SelfService,
        expires_at: after(HALF_HOUR),
    }
}

fn by_link(link_id: LinkId, new: NewPassword) -> CredentialCommand {
    CredentialCommand::SetPasswordByLink { user: user(), link_id, otp: StepUp::Passed, new }
}

fn change(matched: Option<VaultRef>, new: NewPassword) -> CredentialCommand {
    CredentialCommand::ChangePassword { user: user(), matched, otp: StepUp::NotRequired, new }
}

fn reset(hash_ref: VaultRef, method: ResetMethod, link_id: Option<LinkId>) -> CredentialEvent {
    CredentialEvent::PasswordReset { user: user(), hash_ref, method, link_id, set_at: start() }
}

#[test]
fn mc_21_the_setup_link_sets_the_first_password_once() {
    let credential = given::<Credential>(&[setup_link()])
        .by(Actor::ANONYMOUS)
        .when(by_link(link(), new(first_hash())))
        .then(&[password_set()]);
    assert!(credential.has_password() && !credential.must_change());
    given::<Credential>(&[setup_link(), password_set()])
        .when(by_link(link(), new(next_hash())))
        .refused(Code::LinkUsed);
}

#[test]
fn mc_21_the_setup_link_lives_thirty_minutes_to_the_second() {
    let at = |second| {
        given::<Credential>(&[setup_link()])
            .at(after(second))
            .when(by_link(link(), new(first_hash())))
    };
    assert!(matches!(
        at(HALF_HOUR - 1).events(),
        [CredentialEvent::PasswordSet { set_at, .. }] if *set_at == after(HALF_HOUR - 1)
    ));
    at(HALF_HOUR).refused(Code::LinkExpired);
}

#[test]
fn mc_22_a_reset_gives_a_first_password_after_the_setup_link_ran_out() {
    given::<Credential>(&[setup_link(), reset_link(id(21))])
        .when(by_link(id(21), new(first_hash())))
        .then(&[reset(first_hash(), ResetMethod::SelfService, Some(id(21)))]);
}

#[test]
fn a_newer_link_kills_the_older_and_unknown_ones_never_lived() {
    let links = [setup_link(), reset_link(id(21))];
    given::<Credential>(&links).when(by_link(link(), new(first_hash()))).refused(Code::LinkInvalid);
    given::<Credential>(&links).when(by_link(id(22), new(first_hash()))).refused(Code::LinkInvalid);
}

#[test]
fn changing_the_password_kills_a_reset_link_that_was_on_its_way() {
    let changed =
        CredentialEvent::PasswordChanged { user: user(), hash_ref: next_hash(), set_at: start() };
    given::<Credential>(&[password_set(), reset_link(id(21)), changed])
        .when(by_link(id(21), new(id(32))))
        .refused(Code::LinkInvalid);
}

#[test]
fn a_setup_link_is_sent_only_while_there_is_no_password() {
    let send = || CredentialCommand::SendSetupLink { user: user(), link_id: link() };
    given::<Credential>(&[]).when(send()).then(&[setup_link()]);
    given::<Credential>(&[password_set()]).when(send()).then(&[]);
}

#[test]
fn a_reset_is_sent_on_request() {
    let request = CredentialCommand::RequestPasswordReset {
        user: user(),
        link_id: link(),
        method: ResetMethod::SelfService,
    };
    given::<Credential>(&[password_set()]).when(request).then(&[reset_link(link())]);
}

#[test]
fn mc_23_without_the_passcode_nothing_is_set() {
    let command = CredentialCommand::SetPasswordByLink {
        user: user(),
        link_id: link(),
        otp: StepUp::Missing,
        new: new(first_hash()),
    };
    given::<Credential>(&[setup_link()]).when(command).refused(Code::OtpRequired);
}

fn setting(new: NewPassword) -> Outcome<Credential> {
    given::<Credential>(&[setup_link()]).when(by_link(link(), new))
}

#[test]
fn mc_24_every_broken_rule_is_named() {
    let violations = vec![PasswordViolation::TooShort, PasswordViolation::NoSpecial];
    let refusal =
        setting(NewPassword { violations, ..new(first_hash()) }).refused(Code::PasswordPolicy);
    assert_eq!(refusal.details, ["TOO_SHORT", "NO_SPECIAL"]);
    assert_eq!(refusal.field, ["password"]);
}

#[test]
fn mc_25_old_and_similar_passwords_are_refused() {
    setting(NewPassword { reused: true, ..new(first_hash()) }).refused(Code::PasswordReused);
    setting(NewPassword { too_similar: true, ..new(first_hash()) })
        .refused(Code::PasswordTooSimilar);
}

#[test]
fn mc_25_history_is_newest_first_and_bounded() {
    let changes: Vec<_> = (100..130)
        .map(|n| CredentialEvent::PasswordChanged {
            user: user(),
            hash_ref: id(n),
            set_at: start(),
        })
        .collect();
    let credential = given::<Credential>(&changes).state();
    assert_eq!(credential.history(2).collect::<Vec<VaultRef>>(), [id(129), id(128)]);
    assert_eq!(credential.history(usize::MAX).count(), MAX_HISTORY);
}

#[test]
fn cx_09_a_completed_reset_also_unlocks() {
    let locked = CredentialEvent::UserLocked { user: Some(user()), until: None };
    let history = [password_set(), locked, reset_link(id(21))];
    let reset = reset(next_hash(), ResetMethod::SelfService, Some(id(21)));
    given::<Credential>(&history)
        .under(Preset::Carecentrix)
        .when(by_link(id(21), new(next_hash())))
        .then(&[
            reset.clone(),
            CredentialEvent::UserUnlocked { user: Some(user()), by: UnlockCause::Reset },
        ]);
    let still_locked =
        given::<Credential>(&history).when(by_link(id(21), new(next_hash()))).then(&[reset]);
    assert!(still_locked.is_locked(start()));
}

#[test]
fn mc_27_a_change_needs_the_current_password_and_a_day_between() {
    let history = [password_set()];
    given::<Credential>(&history)
        .at(after(86_400))
        .when(change(None, new(next_hash())))
        .refused(Code::CurrentPasswordWrong);
    let refusal = given::<Credential>(&history)
        .at(after(86_400 - 1))
        .when(change(Some(first_hash()), new(next_hash())))
        .refused(Code::TooEarly);
    assert_eq!(refusal.retry_at, Some(after(86_400)));
    given::<Credential>(&history)
        .at(after(86_400))
        .when(change(Some(first_hash()), new(next_hash())))
        .then(&[CredentialEvent::PasswordChanged {
            user: user(),
            hash_ref: next_hash(),
            set_at: after(86_400),
        }]);
}

#[test]
fn a_change_may_demand_a_passcode() {
    let command = CredentialCommand::ChangePassword {
        user: user(),
        matched: Some(first_hash()),
        otp: StepUp::Missing,
        new: new(next_hash()),
    };
    given::<Credential>(&[password_set()]).when(command).refused(Code::OtpRequired);
}

#[test]
fn al_02_an_imported_password_must_be_changed_and_may_be_at_once() {
    let import = || CredentialCommand::ImportPassword { user: user(), hash_ref: first_hash() };
    let imported = CredentialEvent::PasswordSet {
        user: user(),
        hash_ref: first_hash(),
        set_by: Actor::SYSTEM,
        source: PasswordSource::Import,
        link_id: None,
        set_at: start(),
    };
    let credential = given::<Credential>(&[]).when(import()).then(std::slice::from_ref(&imported));
    assert!(credential.must_change());
    let changed =
        CredentialEvent::PasswordChanged { user: user(), hash_ref: next_hash(), set_at: start() };
    let credential = given::<Credential>(&[imported])
        .when(change(Some(first_hash()), new(next_hash())))
        .then(&[changed]);
    assert!(!credential.must_change());
    given::<Credential>(&[password_set()]).when(import()).then(&[]);
}

#[test]
fn cx_07_a_temporary_password_works_beside_the_old_one_until_it_expires() {
    let expires_at = after(86_400);
    let issued = CredentialEvent::TemporaryPasswordIssued {
        user: user(),
        hash_ref: next_hash(),
        expires_at,
        by: None,
    };
    let credential = given::<Credential>(&[password_set()])
        .when(CredentialCommand::IssueTemporaryPassword { user: user(), hash_ref: next_hash() })
        .then(std::slice::from_ref(&issued));
    assert_eq!(credential.login_hashes(after(86_399)), [first_hash(), next_hash()]);
    assert_eq!(credential.login_hashes(expires_at), [first_hash()]);

    given::<Credential>(&[password_set(), issued.clone()])
        .at(after(86_400))
        .when(change(Some(next_hash()), new(id(32))))
        .refused(Code::CurrentPasswordWrong);
    let used = signed_in(0, true);
    let credential = given::<Credential>(&[password_set(), issued, used])
        .when(change(Some(next_hash()), new(id(32))))
        .then(&[reset(id(32), ResetMethod::Temporary, None)]);
    assert!(!credential.must_change());
}

#[test]
fn cc_04_a_password_expires_once_to_the_second() {
    let age = || CredentialCommand::AgePassword { user: user() };
    let expired = CredentialEvent::PasswordExpired { user: user() };
    let due = after(180 * DAY - AN_HOUR_SKIPPED);
    let at = |events: &[CredentialEvent], now| {
        given::<Credential>(events).at(now).under(Preset::Cencal).when(age())
    };
    let warned = at(&[password_set()], due - TimeDelta::seconds(1)).events().to_vec();
    assert!(matches!(warned[..], [CredentialEvent::PasswordExpiryWarned { days_left: 1, .. }]));
    at(&[password_set()], due).then(std::slice::from_ref(&expired));
    let state = at(&[password_set(), expired], due).then(&[]);
    assert!(state.is_expired());
    given::<Credential>(&[password_set()]).at(due).when(age()).then(&[]);
}

#[test]
fn cc_04_warnings_come_fourteen_seven_and_one_day_before_each_once() {
    let policy = Policy::from(Preset::Alliance);
    let expires_at = after(90 * DAY - AN_HOUR_SKIPPED);
    let mut history = vec![password_set()];
    for days_left in [14, 7, 1] {
        let due = expires_at - TimeDelta::days(i64::from(days_left));
        let at = |events: &[CredentialEvent], now| {
            given::<Credential>(events)
                .at(now)
                .under(Preset::Alliance)
                .when(CredentialCommand::AgePassword { user: user() })
        };
        let before = due - TimeDelta::seconds(1);
        let state = at(&history, before).then(&[]);
        assert_eq!(state.next_age_check(&policy, before), Some(due));
        let warned = CredentialEvent::PasswordExpiryWarned { user: user(), days_left, expires_at };
        at(&history, due).then(std::slice::from_ref(&warned));
        history.push(warned);
        at(&history, due).then(&[]);
    }
    let state = given::<Credential>(&history).state();
    assert_eq!(state.next_age_check(&policy, after(89 * DAY)), Some(expires_at));
    let renewed = CredentialEvent::PasswordChanged {
        user: user(),
        hash_ref: next_hash(),
        set_at: after(89 * DAY),
    };
    history.push(renewed);
    let state = given::<Credential>(&history).state();
    assert_eq!(state.next_age_check(&policy, after(89 * DAY)), Some(after((89 + 76) * DAY)));
    assert_eq!(state.next_age_check(&Policy::from(Preset::MediCal), after(0)), None);
}

#[test]
fn gn_31_a_first_password_comes_with_the_account_and_only_once() {
    let give = |new| CredentialCommand::SetFirstPassword { user: user(), new };
    let set = CredentialEvent::PasswordSet {
        user: user(),
        hash_ref: first_hash(),
        set_by: Actor::ANONYMOUS,
        source: PasswordSource::Setup,
        link_id: None,
        set_at: start(),
    };
    given::<Credential>(&[])
        .by(Actor::ANONYMOUS)
        .when(give(new(first_hash())))
        .then(std::slice::from_ref(&set));
    given::<Credential>(&[set]).when(give(new(next_hash()))).refused(Code::CurrentPasswordWrong);
    let weak = NewPassword { violations: vec![PasswordViolation::TooShort], ..new(first_hash()) };
    given::<Credential>(&[]).when(give(weak)).refused(Code::PasswordPolicy);
}
