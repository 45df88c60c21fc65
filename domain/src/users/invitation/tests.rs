//! Invitations, shown. Invariant: limits are tried to the second, on both sides.

use chrono::{DateTime, Utc};

use super::*;
use crate::kernel::ids::{LinkId, OrganizationId, UserId};
use crate::kernel::scenario::{Given, after, given, id};
use crate::users::user::{Change, DetailChanges, NewDetails};
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Reason,
};
use crate::{Code, Event, Sealed};

const SEVEN_DAYS: i64 = 7 * 24 * 3600;

fn user() -> UserId {
    id(1)
}

fn clinic() -> Option<OrganizationId> {
    Some(id(10))
}

fn link() -> LinkId {
    id(20)
}

fn sealed<T>(value: T) -> Sealed<T> {
    Sealed::new(user(), value)
}

fn email() -> EmailAddress {
    EmailAddress::parse("ann@clinic.example").unwrap()
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("+12025550123").unwrap()
}

fn rules() -> InvitationRules {
    InvitationRules { agreements: vec![AgreementKind::SystemUseNotification], otp_required: true }
}

fn invite(existing_account: bool) -> InvitationCommand {
    InvitationCommand::Invite(Box::new(Invite {
        invitation: id(5),
        user: user(),
        organization: clinic(),
        email: email(),
        first_name: name("Ann"),
        last_name: name("Lee"),
        mobile: phone(),
        business_phone: None,
        link_id: link(),
        existing_account,
    }))
}

fn invited_with(existing_account: bool) -> InvitationEvent {
    InvitationEvent::UserInvited {
        invitation: id(5),
        user: user(),
        organization: clinic(),
        email: sealed(email()),
        first_name: sealed(name("Ann")),
        last_name: sealed(name("Lee")),
        mobile: sealed(phone()),
        business_phone: None,
        link_id: link(),
        expires_at: after(SEVEN_DAYS),
        existing_account,
    }
}

fn invited() -> InvitationEvent {
    invited_with(false)
}

fn opened() -> InvitationEvent {
    InvitationEvent::InvitationOpened { user: user(), organization: clinic() }
}

fn accepted() -> InvitationEvent {
    InvitationEvent::AgreementAccepted {
        user: user(),
        organization: clinic(),
        kind: AgreementKind::SystemUseNotification,
        version: "2026-01".to_owned(),
        boxes: vec!["READ_AND_AGREE".to_owned()],
    }
}

fn submitted() -> InvitationEvent {
    InvitationEvent::InviteeDetailsSubmitted {
        user: user(),
        organization: clinic(),
        first_name: sealed(name("Anne")),
        last_name: sealed(name("Lee")),
        phone: sealed(phone()),
        channel: CodeChannel::Sms,
    }
}

fn proven() -> InvitationEvent {
    let (user, organization) = (user(), clinic());
    InvitationEvent::PasscodeVerified { user, organization, challenge: id(50) }
}

fn completed() -> InvitationEvent {
    InvitationEvent::InvitationCompleted { user: user(), organization: clinic() }
}

fn expired() -> InvitationEvent {
    InvitationEvent::InvitationExpired { user: user(), organization: clinic() }
}

fn reissued() -> InvitationEvent {
    reissued_until(after(SEVEN_DAYS))
}

fn reissued_until(expires_at: DateTime<Utc>) -> InvitationEvent {
    InvitationEvent::InvitationReissued {
        invitation: id(5),
        user: user(),
        organization: clinic(),
        link_id: id(21),
        expires_at,
    }
}

fn cancelled(reason: Option<&str>) -> InvitationEvent {
    InvitationEvent::InvitationCancelled {
        user: user(),
        organization: clinic(),
        reason: reason.map(|text| sealed(Reason::parse(text).unwrap())),
    }
}

fn open(link_id: LinkId) -> InvitationCommand {
    InvitationCommand::Open { link_id }
}

fn accept(kind: AgreementKind) -> InvitationCommand {
    InvitationCommand::AcceptAgreement {
        link_id: link(),
        acceptance: Acceptance {
            kind,
            version: "2026-01".to_owned(),
            boxes: vec!["READ_AND_AGREE".to_owned()],
        },
        rules: rules(),
    }
}

fn submit() -> InvitationCommand {
    InvitationCommand::SubmitDetails {
        link_id: link(),
        details: InviteeDetails {
            first_name: name("Anne"),
            last_name: name("Lee"),
            phone: phone(),
            channel: CodeChannel::Sms,
        },
        rules: rules(),
    }
}

fn prove() -> InvitationCommand {
    InvitationCommand::RecordPasscode { link_id: link(), challenge: id(50), rules: rules() }
}

fn complete() -> InvitationCommand {
    InvitationCommand::Complete { link_id: link(), rules: rules() }
}

fn reissue() -> InvitationCommand {
    InvitationCommand::Reissue { link_id: id(21) }
}

fn invitation(events: &[InvitationEvent]) -> Given<Invitation> {
    given(events)
}

#[test]
fn mc_15_a_person_is_invited_once() {
    invitation(&[]).when(invite(false)).then(&[invited()]);
    invitation(&[invited()]).when(invite(false)).refused(Code::VersionConflict);
}

#[test]
fn mc_15_nothing_personal_stands_open_in_the_event() {
    let json = serde_json::to_value(invited()).unwrap();
    for field in ["email", "first_name", "last_name", "mobile"] {
        assert!(json["UserInvited"][field]["$sealed"].is_object(), "{field}");
    }
}

#[test]
fn mc_16_the_link_lives_seven_days_to_the_second() {
    let at = |second| invitation(&[invited()]).at(after(second)).when(open(link()));
    at(SEVEN_DAYS - 1).then(&[opened()]);
    at(SEVEN_DAYS).refused(Code::LinkExpired);
    let state = invitation(&[invited()]).state();
    assert_eq!(state.status(after(SEVEN_DAYS - 1)), Some(InvitationStatus::Sent));
    assert_eq!(state.status(after(SEVEN_DAYS)), Some(InvitationStatus::Expired));
}

#[test]
fn mc_16_expiry_is_recorded_once_and_not_early() {
    let expire = || InvitationCommand::Expire;
    invitation(&[invited()]).at(after(SEVEN_DAYS - 1)).when(expire()).then(&[]);
    invitation(&[invited()]).at(after(SEVEN_DAYS)).when(expire()).then(&[expired()]);
    invitation(&[invited(), expired()]).at(after(SEVEN_DAYS)).when(expire()).then(&[]);
}

#[test]
fn mc_16_a_reissue_kills_the_old_link_and_what_was_done_by_it() {
    let history = [invited(), opened(), accepted(), submitted()];
    let state = invitation(&history).when(reissue()).then(&[reissued()]);
    assert_eq!(state.status(after(0)), Some(InvitationStatus::Sent));
    let history = [invited(), opened(), accepted(), submitted(), reissued()];
    invitation(&history).when(open(link())).refused(Code::LinkInvalid);
    invitation(&history).when(open(id(21))).then(&[opened()]);
}

#[test]
fn mc_16_an_expired_invitation_is_reissued() {
    let late = after(SEVEN_DAYS + 60);
    invitation(&[invited(), expired()]).at(late).when(open(link())).refused(Code::LinkExpired);
    let reissued = reissued_until(after(2 * SEVEN_DAYS + 60));
    let state = invitation(&[invited(), expired()]).at(late).when(reissue()).then(&[reissued]);
    assert_eq!(state.status(late), Some(InvitationStatus::Sent));
}

#[test]
fn mc_16_a_completed_link_is_used_and_the_invitation_closed() {
    let history = [invited(), opened(), accepted(), submitted(), proven(), completed()];
    invitation(&history).when(open(link())).refused(Code::LinkUsed);
    invitation(&history).when(complete()).refused(Code::LinkUsed);
    invitation(&history).when(reissue()).refused(Code::NotPending);
}

#[test]
fn mc_17_opening_is_recorded_once() {
    invitation(&[invited(), opened()]).when(open(link())).then(&[]);
    invitation(&[]).when(open(link())).refused(Code::LinkInvalid);
}

#[test]
fn mc_18_to_mc_21_the_steps_lead_to_completion() {
    let agreement = AgreementKind::SystemUseNotification;
    invitation(&[invited()]).when(accept(agreement)).then(&[opened(), accepted()]);
    let mut history = vec![invited(), opened(), accepted()];
    invitation(&history).when(submit()).then(&[submitted()]);
    history.push(submitted());
    invitation(&history).when(prove()).then(&[proven()]);
    history.push(proven());
    let state = invitation(&history).when(complete()).then(&[completed()]);
    assert_eq!(state.status(after(0)), Some(InvitationStatus::Completed));
}

#[test]
fn mc_18_to_mc_21_no_step_comes_before_its_time() {
    let refusal = invitation(&[invited()]).when(submit()).refused(Code::StepOutOfOrder);
    assert_eq!(refusal.details, ["accept the agreement SYSTEM_USE_NOTIFICATION"]);
    let accepted_only = [invited(), opened(), accepted()];
    for early in [prove(), complete()] {
        let refusal = invitation(&accepted_only).when(early).refused(Code::StepOutOfOrder);
        assert_eq!(refusal.details, ["enter your details"]);
    }
    let without_passcode = [invited(), opened(), accepted(), submitted()];
    let refusal = invitation(&without_passcode).when(complete()).refused(Code::StepOutOfOrder);
    assert_eq!(refusal.details, ["enter the passcode"]);
}

#[test]
fn mc_18_an_agreement_is_accepted_once_and_only_one_that_is_asked_for() {
    let history = [invited(), opened(), accepted()];
    invitation(&history)
        .when(accept(AgreementKind::SystemUseNotification))
        .refused(Code::AlreadyAccepted);
    invitation(&[invited()])
        .when(accept(AgreementKind::Electronic1099Consent))
        .refused(Code::StepOutOfOrder);
}

#[test]
fn mc_19_corrected_details_need_a_new_passcode() {
    let history = [invited(), opened(), accepted(), submitted(), proven()];
    let state = invitation(&history).when(submit()).then(&[submitted()]);
    let open = state.check_link(link(), after(0)).unwrap();
    assert_eq!(open.next_step(&rules()), InvitationStep::Passcode);
}

#[test]
fn mc_20_without_passcodes_in_the_policy_the_details_suffice() {
    let rules = InvitationRules { otp_required: false, ..rules() };
    let command = InvitationCommand::Complete { link_id: link(), rules };
    let history = [invited(), opened(), accepted(), submitted()];
    invitation(&history).when(command).then(&[completed()]);
}

#[test]
fn gn_05_a_person_with_an_account_gives_no_details_again() {
    let history = [invited_with(true), opened(), accepted()];
    invitation(&[]).when(invite(true)).then(&[invited_with(true)]);
    invitation(&history).when(submit()).refused(Code::StepOutOfOrder);
    invitation(&history).when(prove()).then(&[proven()]);
}

#[test]
fn gn_06_a_cancelled_invitation_is_dead() {
    let cancel = |reason: Option<&str>| InvitationCommand::Cancel {
        reason: reason.map(|text| Reason::parse(text).unwrap()),
    };
    invitation(&[invited()])
        .when(cancel(Some("hired elsewhere")))
        .then(&[cancelled(Some("hired elsewhere"))]);
    let history = [invited(), cancelled(None)];
    invitation(&history).when(open(link())).refused(Code::LinkInvalid);
    invitation(&history).when(reissue()).refused(Code::NotPending);
    invitation(&history).when(cancel(None)).refused(Code::NotPending);
    invitation(&[]).when(cancel(None)).refused(Code::NotInvited);
}

#[test]
fn every_event_is_filed_under_the_person_and_the_organization() {
    for event in [invited(), reissued(), opened(), accepted(), submitted(), proven(), completed()] {
        assert_eq!(event.facets().subject, Some(user()), "{}", event.event_type());
        assert_eq!(event.facets().organization, clinic(), "{}", event.event_type());
    }
}

#[test]
fn mc_33_what_was_typed_about_an_invited_person_is_corrected_until_they_join() {
    let details = NewDetails { last_name: Some(name("Lee-Ortiz")), ..NewDetails::default() };
    let number = PhoneNumber::parse("+12025550188").unwrap();
    let correct = || InvitationCommand::CorrectDetails {
        details: details.clone(),
        mobile: Some(number.clone()),
    };
    let corrected = InvitationEvent::InvitedDetailsCorrected {
        user: user(),
        organization: clinic(),
        changed: DetailChanges {
            last_name: Some(Change { old: sealed(name("Lee")), new: sealed(name("Lee-Ortiz")) }),
            ..DetailChanges::default()
        },
        mobile: Some(Change { old: sealed(phone()), new: sealed(number.clone()) }),
        existing_account: false,
    };
    let sent = given::<Invitation>(&[]).when(invite(false)).events().to_vec();
    let state = given::<Invitation>(&sent).when(correct()).then(std::slice::from_ref(&corrected));
    assert_eq!(state.invited().unwrap().mobile, sealed(number.clone()));
    given::<Invitation>(&[sent, vec![corrected]].concat()).when(correct()).then(&[]);
    given::<Invitation>(&[]).when(correct()).refused(Code::NotInvited);
}
