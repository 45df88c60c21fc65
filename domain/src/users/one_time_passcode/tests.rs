//! Passcodes, shown. Invariant: limits are tried to the second, on both sides.

use super::*;
use crate::kernel::ids::{InvitationId, UserId};
use crate::kernel::scenario::{Given, after, given, id};
use crate::values::{CodeChannel, PhoneNumber};
use crate::{Code, Event, Sealed};

const TEN_MINUTES: i64 = 600;

fn owner() -> OtpOwner {
    OtpOwner::Invitation(id(2))
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("+12025550123").unwrap()
}

fn send() -> OneTimePasscodeCommand {
    OneTimePasscodeCommand::SendOtp(SendOtp {
        challenge: id(50),
        owner: owner(),
        purpose: OtpPurpose::Invitation,
        channel: CodeChannel::Sms,
        to: phone(),
    })
}

fn otp_sent() -> OneTimePasscodeEvent {
    OneTimePasscodeEvent::OtpSent {
        challenge: id(50),
        owner: owner(),
        purpose: OtpPurpose::Invitation,
        channel: CodeChannel::Sms,
        masked_to: phone().masked(),
        to: Sealed::new(id::<InvitationId>(2), phone()),
        digits: 6,
        sent_length: 8,
        tries: 5,
        expires_at: after(TEN_MINUTES),
    }
}

fn failed(attempts: u32) -> OneTimePasscodeEvent {
    OneTimePasscodeEvent::OtpFailed { owner: owner(), attempts, attempts_left: 5 - attempts }
}

fn verified() -> OneTimePasscodeEvent {
    OneTimePasscodeEvent::OtpVerified { owner: owner() }
}

fn consumed() -> OneTimePasscodeEvent {
    OneTimePasscodeEvent::OtpConsumed { owner: owner(), by: OtpPurpose::Invitation }
}

fn verify(matches: bool) -> OneTimePasscodeCommand {
    OneTimePasscodeCommand::VerifyOtp { matches }
}

fn consume() -> OneTimePasscodeCommand {
    OneTimePasscodeCommand::ConsumeOtp { owner: owner(), purpose: OtpPurpose::Invitation }
}

fn challenge(events: &[OneTimePasscodeEvent]) -> Given<OneTimePasscode> {
    given(events)
}

#[test]
fn a_code_is_sent_once_per_challenge() {
    challenge(&[]).when(send()).then(&[otp_sent()]);
    challenge(&[otp_sent()]).when(send()).refused(Code::VersionConflict);
}

#[test]
fn the_event_shows_only_the_end_of_the_number() {
    let json = serde_json::to_value(otp_sent()).unwrap();
    assert_eq!(json["OtpSent"]["masked_to"], "***0123");
    assert!(json["OtpSent"]["to"]["$sealed"].is_object());
}

#[test]
fn mc_20_the_right_code_verifies_until_the_last_second() {
    challenge(&[otp_sent()]).at(after(TEN_MINUTES - 1)).when(verify(true)).then(&[verified()]);
    challenge(&[otp_sent()]).at(after(TEN_MINUTES)).when(verify(true)).refused(Code::OtpExpired);
}

#[test]
fn mc_20_a_wrong_code_is_recorded_and_the_tries_left_are_told() {
    let state = challenge(&[otp_sent(), failed(1)]).when(verify(false)).then(&[failed(2)]);
    assert_eq!(state.pending(), Some((3, after(TEN_MINUTES))));
    let answer = verification_refusal(&[failed(2)]).unwrap();
    assert_eq!((answer.code, answer.details), (Code::OtpWrong, vec!["3".to_owned()]));
    assert_eq!(verification_refusal(&[verified()]), None);
}

#[test]
fn mc_20_the_fifth_wrong_code_closes_the_challenge_even_for_the_right_one() {
    challenge(&[otp_sent(), failed(4)]).when(verify(false)).then(&[failed(5)]);
    let answer = verification_refusal(&[failed(5)]).unwrap();
    assert_eq!(answer.code, Code::OtpTooMany);
    challenge(&[otp_sent(), failed(4), failed(5)]).when(verify(true)).refused(Code::OtpTooMany);
}

#[test]
fn a_challenge_is_verified_once_and_only_after_it_was_sent() {
    challenge(&[]).when(verify(true)).refused(Code::OtpRequired);
    challenge(&[otp_sent(), verified()]).when(verify(true)).refused(Code::AlreadyVerified);
}

#[test]
fn a_verified_challenge_serves_once() {
    challenge(&[otp_sent(), verified()]).when(consume()).then(&[consumed()]);
    challenge(&[otp_sent(), verified(), consumed()]).when(consume()).refused(Code::OtpRequired);
    challenge(&[otp_sent()]).when(consume()).refused(Code::OtpRequired);
}

#[test]
fn a_verified_challenge_serves_up_to_ten_minutes_after_its_expiry() {
    let history = [otp_sent(), verified()];
    challenge(&history).at(after(2 * TEN_MINUTES - 1)).when(consume()).then(&[consumed()]);
    challenge(&history).at(after(2 * TEN_MINUTES)).when(consume()).refused(Code::OtpExpired);
}

#[test]
fn nobody_elses_challenge_serves_nor_one_sent_for_something_else() {
    let history = [otp_sent(), verified()];
    let stranger = OneTimePasscodeCommand::ConsumeOtp {
        owner: OtpOwner::User(id::<UserId>(9)),
        purpose: OtpPurpose::Invitation,
    };
    challenge(&history).when(stranger).refused(Code::OtpRequired);
    let elsewhere =
        OneTimePasscodeCommand::ConsumeOtp { owner: owner(), purpose: OtpPurpose::StepUp };
    challenge(&history).when(elsewhere).refused(Code::OtpRequired);
}

#[test]
fn only_an_owner_with_an_account_is_the_events_subject() {
    assert_eq!(verified().facets().subject, None);
    let owner = OtpOwner::User(id(9));
    let event = OneTimePasscodeEvent::OtpVerified { owner };
    assert_eq!(event.facets().subject, Some(id(9)));
}

fn challenged() -> OneTimePasscodeEvent {
    OneTimePasscodeEvent::OtpChallenged {
        challenge: id(50),
        owner: owner(),
        purpose: OtpPurpose::StepUp,
        digits: 6,
        tries: 5,
        expires_at: after(TEN_MINUTES),
    }
}

#[test]
fn mc_28_an_apps_code_is_asked_for_once_and_takes_as_many_tries_as_a_sent_one() {
    let ask = || {
        OneTimePasscodeCommand::ChallengeOtp(ChallengeOtp {
            challenge: id(50),
            owner: owner(),
            purpose: OtpPurpose::StepUp,
            digits: 6,
        })
    };
    let state = challenge(&[]).when(ask()).then(&[challenged()]);
    assert_eq!(
        state.sent().map(|sent| (&sent.source, sent.telephone())),
        Some((&Source::Authenticator, None))
    );
    challenge(&[challenged()]).when(ask()).refused(Code::VersionConflict);
    challenge(&[challenged(), failed(4)]).when(verify(false)).then(&[failed(5)]);
    challenge(&[challenged()]).at(after(TEN_MINUTES)).when(verify(true)).refused(Code::OtpExpired);
}
