//! Registration tokens, shown. Invariant: the last day is tried to the second, in local time.

use super::*;
use crate::kernel::scenario::{given, id, start};
use crate::policies::Preset;

fn clinic() -> OrganizationId {
    id(10)
}

fn token() -> RegistrationTokenId {
    id(40)
}

fn letter() -> Uuid {
    id(41)
}

/// Issued on 2 March; 1 April is the 30th day after, and 2 April 00:00 in Los Angeles ends it.
fn expires_at() -> DateTime<Utc> {
    "2026-04-02T07:00:00Z".parse().unwrap()
}

fn issued() -> Vec<RegistrationTokenEvent> {
    vec![
        RegistrationTokenEvent::RegistrationTokenIssued {
            token: token(),
            organization: clinic(),
            pay_to_zip: None,
            issued_on: CalendarDate::parse("2026-03-02").unwrap(),
            expires_at: expires_at(),
        },
        RegistrationTokenEvent::LetterQueued {
            letter: letter(),
            token: token(),
            organization: clinic(),
        },
    ]
}

fn after_issue(event: RegistrationTokenEvent) -> Vec<RegistrationTokenEvent> {
    [issued(), vec![event]].concat()
}

fn issue(has_pay_to_address: bool, other_is_active: bool) -> RegistrationTokenCommand {
    RegistrationTokenCommand::IssueRegistrationToken {
        token: token(),
        organization: clinic(),
        has_pay_to_address,
        pay_to_zip: None,
        letter: letter(),
        other_is_active,
    }
}

fn redeem() -> RegistrationTokenCommand {
    RegistrationTokenCommand::RedeemRegistrationToken { registration: id(30), user: Some(id(1)) }
}

fn redeemed() -> RegistrationTokenEvent {
    RegistrationTokenEvent::RegistrationTokenRedeemed {
        organization: clinic(),
        registration: id(30),
        user: Some(id(1)),
    }
}

fn revoke() -> RegistrationTokenCommand {
    RegistrationTokenCommand::RevokeRegistrationToken { reason: Reason::parse("moved").unwrap() }
}

fn revoked() -> RegistrationTokenEvent {
    let reason = Sealed::new(SubjectId(clinic().0), Reason::parse("moved").unwrap());
    RegistrationTokenEvent::RegistrationTokenRevoked { organization: clinic(), reason }
}

fn rejected(address: &str) -> RegistrationTokenEvent {
    RegistrationTokenEvent::RegistrationTokenRejected {
        organization: Some(clinic()),
        why: TokenRejection::Invalid,
        address_hash: Some(address.into()),
    }
}

#[test]
fn a_token_is_issued_with_its_letter() {
    given::<RegistrationToken>(&[]).when(issue(true, false)).then(&issued());
}

#[test]
fn a_token_needs_an_address_and_no_other_token() {
    given::<RegistrationToken>(&[]).when(issue(false, false)).refused(Code::NoPayToAddress);
    given::<RegistrationToken>(&[]).when(issue(true, true)).refused(Code::TokenActive);
    given::<RegistrationToken>(&issued()).when(issue(true, false)).refused(Code::TokenActive);
    given::<RegistrationToken>(&[])
        .under(Preset::Cencal)
        .when(issue(true, false))
        .refused(Code::FeatureDisabled);
}

#[test]
fn a_token_works_to_the_last_second_of_its_thirtieth_local_day() {
    let second = chrono::TimeDelta::seconds(1);
    given::<RegistrationToken>(&issued())
        .at(expires_at() - second)
        .when(redeem())
        .then(&[redeemed()]);
    given::<RegistrationToken>(&issued())
        .at(expires_at())
        .when(redeem())
        .refused(Code::TokenExpired);
}

#[test]
fn a_token_works_once_and_only_if_it_exists_and_stands() {
    given::<RegistrationToken>(&[]).when(redeem()).refused(Code::TokenInvalid);
    given::<RegistrationToken>(&after_issue(redeemed())).when(redeem()).refused(Code::TokenUsed);
    given::<RegistrationToken>(&after_issue(revoked())).when(redeem()).refused(Code::TokenRevoked);
}

#[test]
fn the_expiry_is_written_down_when_it_is_due() {
    let expire = || RegistrationTokenCommand::ExpireRegistrationToken;
    let expired = RegistrationTokenEvent::RegistrationTokenExpired { organization: clinic() };
    let refusal = given::<RegistrationToken>(&issued()).when(expire()).refused(Code::TooEarly);
    assert_eq!(refusal.retry_at, Some(expires_at()));
    given::<RegistrationToken>(&issued())
        .at(expires_at())
        .when(expire())
        .then(std::slice::from_ref(&expired));
    given::<RegistrationToken>(&after_issue(expired)).when(expire()).refused(Code::TokenExpired);
    given::<RegistrationToken>(&after_issue(redeemed())).when(expire()).refused(Code::TokenUsed);
}

#[test]
fn only_a_token_that_stands_is_revoked() {
    given::<RegistrationToken>(&issued()).when(revoke()).then(&[revoked()]);
    given::<RegistrationToken>(&after_issue(redeemed())).when(revoke()).refused(Code::TokenUsed);
}

#[test]
fn five_vain_tries_from_one_address_close_the_token_to_it_and_to_nobody_else() {
    let reject = RegistrationTokenCommand::RejectRegistrationToken {
        why: TokenRejection::Invalid,
        address_hash: Some("a1".into()),
    };
    given::<RegistrationToken>(&issued()).when(reject).then(&[rejected("a1")]);
    let tried = |n| {
        let tries = vec![rejected("a1"); n];
        given::<RegistrationToken>(&[issued(), tries].concat()).state()
    };
    assert_eq!(tried(4).check(start(), Some("a1"), 5), Ok(clinic()));
    let refusal = tried(5).check(start(), Some("a1"), 5).unwrap_err();
    assert_eq!(refusal.rejection(), Some(TokenRejection::TooManyTries));
    assert_eq!(Refusal::from(refusal).code, Code::RateLimited);
    assert_eq!(tried(5).check(start(), Some("b2"), 5), Ok(clinic()));
}

#[test]
fn a_returned_letter_is_the_one_that_was_sent() {
    let returned = |letter| RegistrationTokenCommand::RecordLetterReturned { letter };
    given::<RegistrationToken>(&issued()).when(returned(letter())).then(&[
        RegistrationTokenEvent::LetterReturned { organization: clinic(), letter: letter() },
    ]);
    given::<RegistrationToken>(&issued()).when(returned(id(99))).refused(Code::NotFound);
}

#[test]
fn mc_03_only_the_letter_of_a_token_that_works_is_opened() {
    let open = || RegistrationTokenCommand::OpenLetter;
    let opened = RegistrationTokenEvent::LetterOpened { organization: clinic(), letter: letter() };
    given::<RegistrationToken>(&issued()).when(open()).then(&[opened]);
    given::<RegistrationToken>(&[]).when(open()).refused(Code::TokenInvalid);
    given::<RegistrationToken>(&after_issue(redeemed())).when(open()).refused(Code::TokenUsed);
    given::<RegistrationToken>(&after_issue(revoked())).when(open()).refused(Code::TokenRevoked);
}
