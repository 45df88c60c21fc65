//! Registrations, shown. Invariant: each route is walked to its end, and each step tried too early.

use super::*;
use crate::Code;
use crate::kernel::scenario::{Given, given, id};
use crate::values::{CodeChannel, PersonName, PhoneNumber};

fn registration() -> RegistrationId {
    id(30)
}

fn clinic() -> OrganizationId {
    id(10)
}

fn ann() -> UserId {
    id(1)
}

fn email() -> EmailAddress {
    EmailAddress::parse("ann@clinic.example").unwrap()
}

fn start(route: RegistrationRoute, passcode_required: bool) -> RegistrationCommand {
    RegistrationCommand::StartOrganizationRegistration {
        registration: registration(),
        token: id(40),
        organization: clinic(),
        email: email(),
        route,
        user: None,
        passcode_required,
    }
}

fn started(route: RegistrationRoute, passcode_required: bool) -> RegistrationEvent {
    RegistrationEvent::OrganizationRegistrationStarted {
        registration: registration(),
        token: id(40),
        organization: clinic(),
        email: Sealed::new(registration(), email()),
        route,
        user: None,
        passcode_required,
    }
}

fn accept(kind: AgreementKind) -> RegistrationCommand {
    let acceptance = Acceptance { kind, version: "1".into(), boxes: vec!["READ".into()] };
    RegistrationCommand::AcceptAgreement { acceptance, address: Some("192.0.2.1".into()) }
}

fn accepted(kind: AgreementKind) -> RegistrationEvent {
    RegistrationEvent::AgreementAccepted {
        organization: clinic(),
        kind,
        version: "1".into(),
        boxes: vec!["READ".into()],
        address: Some(Sealed::new(registration(), "192.0.2.1".into())),
    }
}

fn mobile() -> PhoneNumber {
    PhoneNumber::parse("+15592333333").unwrap()
}

fn details() -> RegistrantDetails {
    RegistrantDetails {
        first_name: PersonName::parse("Ann").unwrap(),
        last_name: PersonName::parse("Lee").unwrap(),
        mobile: mobile(),
        channel: CodeChannel::Sms,
    }
}

fn submit(details: Option<RegistrantDetails>, mismatches: u8) -> RegistrationCommand {
    RegistrationCommand::SubmitRegistrantDetails { details, mismatches }
}

fn verified() -> RegistrationEvent {
    let identity = RegistrantIdentity {
        first_name: Sealed::new(registration(), PersonName::parse("Ann").unwrap()),
        last_name: Sealed::new(registration(), PersonName::parse("Lee").unwrap()),
        mobile: Sealed::new(registration(), mobile()),
        channel: CodeChannel::Sms,
    };
    RegistrationEvent::RegistrantVerified { organization: clinic(), identity: Some(identity) }
}

fn passcode() -> RegistrationEvent {
    RegistrationEvent::PasscodeVerified { organization: clinic(), challenge: id(50) }
}

fn mismatch() -> RegistrationEvent {
    RegistrationEvent::RegistrantMismatch { organization: clinic(), fields_count: 2 }
}

fn complete() -> RegistrationCommand {
    RegistrationCommand::CompleteOrganizationRegistration { user: ann() }
}

fn completed() -> RegistrationEvent {
    RegistrationEvent::OrganizationRegistrationCompleted {
        organization: clinic(),
        registration: registration(),
        user: ann(),
    }
}

/// The history of a new person with a passcode, in order.
fn history() -> Vec<RegistrationEvent> {
    vec![
        started(RegistrationRoute::NewPerson, true),
        accepted(AgreementKind::PortalTerms),
        verified(),
        passcode(),
        accepted(AgreementKind::OnlineConditionsOfUse),
        completed(),
    ]
}

/// A new person who has done the first `n` steps.
fn after(n: usize) -> Given<Registration> {
    given::<Registration>(&history()[..n])
}

#[test]
fn a_new_person_walks_all_steps_in_order() {
    let verify = RegistrationCommand::VerifyPasscode { challenge: id(50) };
    let walk = [
        (start(RegistrationRoute::NewPerson, true), RegistrationStep::AcceptPortalTerms),
        (accept(AgreementKind::PortalTerms), RegistrationStep::SubmitDetails),
        (submit(Some(details()), 0), RegistrationStep::VerifyPasscode),
        (verify, RegistrationStep::AcceptConditionsOfUse),
        (accept(AgreementKind::OnlineConditionsOfUse), RegistrationStep::Complete),
        (complete(), RegistrationStep::Completed),
    ];
    for (n, (command, next)) in walk.into_iter().enumerate() {
        let state = after(n).when(command).then(&history()[n..=n]);
        assert_eq!(state.step(), Some(next));
    }
}

#[test]
fn without_a_passcode_the_conditions_follow_the_details() {
    let state = given::<Registration>(&[
        started(RegistrationRoute::NewPerson, false),
        accepted(AgreementKind::PortalTerms),
        verified(),
    ])
    .state();
    assert_eq!(state.step(), Some(RegistrationStep::AcceptConditionsOfUse));
}

#[test]
fn a_signed_in_person_gives_no_identity_and_no_agreement() {
    let anonymous =
        RegistrationEvent::RegistrantVerified { organization: clinic(), identity: None };
    let state = given::<Registration>(&[started(RegistrationRoute::SignedIn, false)])
        .when(submit(None, 0))
        .then(std::slice::from_ref(&anonymous));
    assert_eq!(state.step(), Some(RegistrationStep::Complete));
    given::<Registration>(&[started(RegistrationRoute::SignedIn, false), anonymous])
        .when(complete())
        .then(&[completed()]);
}

#[test]
fn a_step_out_of_order_is_refused() {
    after(1).when(submit(Some(details()), 0)).refused(Code::StepOutOfOrder);
    after(2).when(accept(AgreementKind::PortalTerms)).refused(Code::StepOutOfOrder);
    after(3).when(complete()).refused(Code::StepOutOfOrder);
    after(1)
        .when(RegistrationCommand::VerifyPasscode { challenge: id(50) })
        .refused(Code::StepOutOfOrder);
    after(6).when(complete()).refused(Code::StepOutOfOrder);
    after(1).when(start(RegistrationRoute::NewPerson, true)).refused(Code::StepOutOfOrder);
}

#[test]
fn another_agreement_than_the_steps_is_refused() {
    after(1).when(accept(AgreementKind::OnlineConditionsOfUse)).refused(Code::StepOutOfOrder);
    after(0).when(accept(AgreementKind::PortalTerms)).refused(Code::NotFound);
}

#[test]
fn a_mismatch_is_a_fact_that_counts_and_never_says_which_field() {
    let state = after(2).when(submit(Some(details()), 2)).then(&[mismatch()]);
    assert_eq!(state.step(), Some(RegistrationStep::SubmitDetails));
    assert_eq!(state.tries_left(), 4);
    after(2).when(submit(None, 0)).refused(Code::NameRequired);
}

#[test]
fn five_mismatches_end_the_registration() {
    let tried = |n| {
        let events = [history()[..2].to_vec(), vec![mismatch(); n]].concat();
        given::<Registration>(&events)
    };
    tried(4).when(submit(Some(details()), 0)).then(&[verified()]);
    tried(5).when(submit(Some(details()), 0)).refused(Code::RateLimited);
}

#[test]
fn only_the_person_who_began_completes() {
    let RegistrationEvent::OrganizationRegistrationStarted {
        registration,
        token,
        organization,
        email,
        route,
        passcode_required,
        ..
    } = started(RegistrationRoute::SignedIn, false)
    else {
        unreachable!("that is what `started` makes")
    };
    let by_another = RegistrationEvent::OrganizationRegistrationStarted {
        registration,
        token,
        organization,
        email,
        route,
        user: Some(id(2)),
        passcode_required,
    };
    let anonymous =
        RegistrationEvent::RegistrantVerified { organization: clinic(), identity: None };
    given::<Registration>(&[by_another, anonymous]).when(complete()).refused(Code::Forbidden);
}
