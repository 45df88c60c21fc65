//! Sessions, shown. Invariant: limits are tried to the second, on both sides.

use chrono::TimeDelta;

use super::*;
use crate::kernel::ids::{OrganizationId, UserId};
use crate::kernel::scenario::{Given, after, given, id, start};
use crate::{Code, Event};

const TWELVE_HOURS: i64 = 12 * 3600;

fn user() -> UserId {
    id(1)
}

fn clinic() -> OrganizationId {
    id(10)
}

fn agency() -> OrganizationId {
    id(11)
}

fn started(organization: Option<OrganizationId>) -> SessionEvent {
    SessionEvent::SessionStarted {
        user: user(),
        method: LoginMethod::Password,
        organization,
        must_change_password: false,
        must_enrol: false,
        started_at: start(),
        absolute_expires_at: after(TWELVE_HOURS),
    }
}

fn ended(organization: Option<OrganizationId>, cause: EndCause) -> SessionEvent {
    SessionEvent::SessionEnded { user: user(), organization, cause }
}

fn live(organization: Option<OrganizationId>) -> Given<Session> {
    given(&[started(organization)])
}

fn select(organization: OrganizationId) -> SessionCommand {
    SessionCommand::SelectOrganization { organization, memberships: vec![clinic(), agency()] }
}

fn start_session() -> SessionCommand {
    SessionCommand::StartSession {
        user: user(),
        method: LoginMethod::Password,
        organization: None,
        must_change_password: false,
        must_enrol: false,
        absolute_expires_at: after(TWELVE_HOURS),
    }
}

#[test]
fn cc_04_a_session_for_a_due_password_is_restricted_until_it_is_changed() {
    let begin = SessionCommand::StartSession {
        user: user(),
        method: LoginMethod::Password,
        organization: None,
        must_change_password: true,
        must_enrol: false,
        absolute_expires_at: after(TWELVE_HOURS),
    };
    let restricted = SessionEvent::SessionStarted {
        user: user(),
        method: LoginMethod::Password,
        organization: None,
        must_change_password: true,
        must_enrol: false,
        started_at: start(),
        absolute_expires_at: after(TWELVE_HOURS),
    };
    let is_restricted = |session: &Session| session.live().map(|live| live.must_change_password);
    let session = given::<Session>(&[]).when(begin).then(std::slice::from_ref(&restricted));
    assert_eq!(is_restricted(&session), Some(true));
    let lifted = SessionEvent::RestrictionLifted { user: user() };
    let history = [restricted, lifted.clone()];
    let session =
        given::<Session>(&history[..1]).when(SessionCommand::LiftRestriction).then(&[lifted]);
    assert_eq!(is_restricted(&session), Some(false));
    given::<Session>(&history).when(SessionCommand::LiftRestriction).then(&[]);
}

#[test]
fn a_login_starts_a_session_once() {
    given::<Session>(&[]).when(start_session()).then(&[started(None)]);
    live(None).when(start_session()).refused(Code::VersionConflict);
}

#[test]
fn a_member_of_several_selects_one_and_switches_without_signing_out() {
    let selected = SessionEvent::OrganizationSelected { user: user(), organization: clinic() };
    live(None).when(select(clinic())).then(std::slice::from_ref(&selected));
    let switched =
        SessionEvent::OrganizationSwitched { user: user(), from: clinic(), to: agency() };
    let session =
        given::<Session>(&[started(None), selected]).when(select(agency())).then(&[switched]);
    assert_eq!(session.live().and_then(|live| live.organization), Some(agency()));
}

#[test]
fn selecting_the_current_organization_again_changes_nothing() {
    live(Some(clinic())).when(select(clinic())).then(&[]);
}

#[test]
fn an_organization_one_is_no_member_of_is_refused() {
    let refusal = live(None).when(select(id(12))).refused(Code::NotAMember);
    assert_eq!(refusal.field, ["organizationId"]);
}

#[test]
fn signing_out_ends_the_session_and_then_nothing_goes() {
    let over = ended(Some(clinic()), EndCause::User);
    live(Some(clinic())).when(SessionCommand::SignOut).then(std::slice::from_ref(&over));
    let events = [started(Some(clinic())), over];
    given::<Session>(&events).when(SessionCommand::SignOut).refused(Code::SessionEnded);
    given::<Session>(&events).when(select(agency())).refused(Code::SessionEnded);
    given::<Session>(&[]).when(SessionCommand::SignOut).refused(Code::NotSignedIn);
}

#[test]
fn ending_for_a_cause_is_recorded_once() {
    let end = SessionCommand::EndSession { cause: EndCause::Deactivated };
    let over = ended(None, EndCause::Deactivated);
    live(None).when(end.clone()).then(std::slice::from_ref(&over));
    given::<Session>(&[started(None), over]).when(end.clone()).then(&[]);
    given::<Session>(&[]).when(end).refused(Code::NotSignedIn);
}

#[test]
fn the_absolute_limit_holds_to_the_second() {
    live(None)
        .at(after(TWELVE_HOURS - 1))
        .when(select(clinic()))
        .then(&[SessionEvent::OrganizationSelected { user: user(), organization: clinic() }]);
    live(None).at(after(TWELVE_HOURS)).when(select(clinic())).refused(Code::SessionExpired);
}

#[test]
fn cx_10_seventy_minutes_idle_end_it_and_a_second_less_does_not() {
    let session = live(None).state();
    let idle = TimeDelta::minutes(70);
    let status = |second| session.status(after(second), start(), idle);
    assert_eq!(status(69 * 60 + 59), SessionStatus::Live { expires_at: after(70 * 60) });
    assert_eq!(status(70 * 60), SessionStatus::Expired(EndCause::Inactivity));
}

#[test]
fn activity_does_not_carry_a_session_past_its_absolute_limit() {
    let session = live(None).state();
    let idle = TimeDelta::minutes(70);
    let status = |second| session.status(after(second), after(second), idle);
    assert_eq!(status(TWELVE_HOURS - 1), SessionStatus::Live { expires_at: after(TWELVE_HOURS) });
    assert_eq!(status(TWELVE_HOURS), SessionStatus::Expired(EndCause::Absolute));
}

#[test]
fn status_tells_ended_and_unknown_apart() {
    let idle = TimeDelta::minutes(70);
    let over = given::<Session>(&[started(None), ended(None, EndCause::Locked)]).state();
    assert_eq!(over.status(start(), start(), idle), SessionStatus::Ended(EndCause::Locked));
    assert_eq!(Session::default().status(start(), start(), idle), SessionStatus::Unknown);
}

#[test]
fn a_switch_is_filed_under_the_person_and_the_new_organization() {
    let event = SessionEvent::OrganizationSwitched { user: user(), from: clinic(), to: agency() };
    assert_eq!(event.event_type(), "sessions.session.organization_switched");
    assert_eq!(event.facets().subject, Some(user()));
    assert_eq!(event.facets().organization, Some(agency()));
}

#[test]
fn mc_28_a_session_without_second_factor_is_held_until_one_is_enrolled() {
    let begin = SessionEvent::SessionStarted {
        user: user(),
        method: LoginMethod::Password,
        organization: None,
        must_change_password: false,
        must_enrol: true,
        started_at: start(),
        absolute_expires_at: after(43_200),
    };
    let enrolled = SessionEvent::SecondFactorEnrolled { user: user() };
    let lift = || SessionCommand::LiftEnrolment;
    let held = given::<Session>(std::slice::from_ref(&begin)).when(lift());
    let free = held.then(std::slice::from_ref(&enrolled));
    assert_eq!(free.live().map(|live| live.must_enrol), Some(false));
    given::<Session>(&[begin, enrolled]).when(lift()).then(&[]);
}
