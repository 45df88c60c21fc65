//! What is planned ahead ends at its moment, carried out or not (GN-04).

use super::file::{attach, attached, detached, npi};
use super::*;
use crate::kernel::scenario::{after, start};
use crate::organizations::Authority;
use crate::values::CalendarDate;
use crate::{Actor, Code};

fn hospital() -> OrganizationId {
    id(11)
}

fn plan(seconds: i64, to: Option<OrganizationId>) -> OrganizationCommand {
    let (npi, effective_at) = (npi(), after(seconds));
    OrganizationCommand::PlanNpiEnd { npi, to, effective_at, reason: Some(reason()) }
}

fn planned(seconds: i64, to: Option<OrganizationId>) -> OrganizationEvent {
    OrganizationEvent::NpiEndPlanned {
        organization: clinic(),
        npi: npi(),
        to,
        effective_at: after(seconds),
        reason: Some(sealed_reason()),
    }
}

fn holding(events: &[OrganizationEvent]) -> Given<Organization> {
    let history: Vec<_> = [enrolled(), attached(-10)].iter().chain(events).cloned().collect();
    given::<Organization>(&history)
}

#[test]
fn gn_04_a_planned_end_is_the_holdings_end_before_it_is_carried_out() {
    let state =
        holding(&[]).when(plan(60, Some(hospital()))).then(&[planned(60, Some(hospital()))]);
    assert!(state.holds_npi(&npi(), after(59)) && !state.holds_npi(&npi(), after(60)));
    holding(&[]).when(plan(0, None)).refused(Code::RangeInvalid);
    holding(&[planned(60, None)]).when(plan(90, None)).refused(Code::AlreadyDecided);
    given::<Organization>(&[enrolled()]).when(plan(60, None)).refused(Code::NpiNotInOrg);
}

#[test]
fn gn_04_a_planned_end_is_carried_out_once_with_the_moment_it_had() {
    let carry_out = || OrganizationCommand::CarryOutNpiEnd { npi: npi() };
    let ended = OrganizationEvent::NpiDetached {
        organization: clinic(),
        npi: npi(),
        effective_at: after(60),
        reason: Some(sealed_reason()),
    };
    holding(&[planned(60, None)]).at(after(59)).when(carry_out()).then(&[]);
    let late = holding(&[planned(60, None)]).at(after(500));
    let state = late.when(carry_out()).then(std::slice::from_ref(&ended));
    assert!(!state.holds_npi(&npi(), after(60)));
    let done = [planned(60, None), ended];
    holding(&done).at(after(501)).when(carry_out()).then(&[]);
}

#[test]
fn gn_04_what_is_planned_is_called_off_before_its_moment_only() {
    let cancel = || OrganizationCommand::CancelNpiEnd { npi: npi() };
    let cancelled = OrganizationEvent::NpiEndCancelled {
        organization: clinic(),
        npi: npi(),
        effective_at: after(60),
    };
    let state = holding(&[planned(60, None)]).at(after(59)).when(cancel()).then(&[cancelled]);
    assert!(state.holds_npi(&npi(), after(60)));
    holding(&[planned(60, None)]).at(after(60)).when(cancel()).refused(Code::NotPending);
    holding(&[]).when(cancel()).refused(Code::NotPending);
}

#[test]
fn gn_04_a_move_that_the_next_holder_refuses_is_on_record() {
    let (to, code) = (hospital(), Code::OrgNotActive);
    let fail = OrganizationCommand::FailNpiMove { npi: npi(), to, code };
    let failed = OrganizationEvent::NpiMoveFailed { organization: clinic(), npi: npi(), to, code };
    holding(&[planned(60, Some(to))]).at(after(60)).when(fail).then(&[failed]);
}

#[test]
fn gn_04_a_detachment_at_once_comes_before_the_planned_one_and_never_after() {
    let detach = |seconds| OrganizationCommand::DetachNpi {
        npi: npi(),
        effective_at: after(seconds),
        reason: None,
    };
    holding(&[planned(60, None)]).at(after(30)).when(detach(30)).then(&[detached(30)]);
    holding(&[planned(60, None)]).at(after(90)).when(detach(90)).then(&[detached(60)]);
    holding(&[planned(60, None)]).when(detach(-9)).then(&[detached(-9)]);
    holding(&[planned(60, None)]).when(detach(-10)).refused(Code::RangeInvalid);
    holding(&[]).when(detach(-10)).refused(Code::RangeInvalid);
}

#[test]
fn gn_04_a_holding_that_has_not_begun_is_called_off() {
    let detach = OrganizationCommand::DetachNpi { npi: npi(), effective_at: start(), reason: None };
    let planned = given::<Organization>(&[enrolled(), attached(60), planned(90, None)]);
    planned.when(detach.clone()).then(&[detached(60)]);
    let later = given::<Organization>(&[enrolled(), attached(60)]);
    let state = later.when(detach).then(&[detached(60)]);
    assert!(!state.holds_npi(&npi(), after(61)));
    let sooner = given::<Organization>(&[enrolled(), attached(60), detached(60)]);
    sooner.when(attach(30)).then(&[attached(30)]);
}

fn leave(day: &str) -> OrganizationCommand {
    let leave = RosterCommand::DeactivateUser {
        user: bob(),
        confirmed: true,
        reason: Some(reason()),
        left_on: Some(CalendarDate::parse(day).unwrap()),
        authority: Authority::Organization,
    };
    leave.into()
}

fn leaving(day: &str, at: &str) -> OrganizationEvent {
    OrganizationEvent::MembershipEndPlanned {
        organization: clinic(),
        user: bob(),
        left_on: CalendarDate::parse(day).unwrap(),
        effective_at: at.parse().unwrap(),
        reason: Some(Sealed::new(bob(), reason())),
    }
}

fn bob_is_here() -> OrganizationEvent {
    joined(bob(), OrgRole::None, MembershipOrigin::Invitation)
}

#[test]
fn gn_04_a_later_last_day_ends_with_the_local_day_also_when_clocks_change() {
    // On Sunday 8 March 2026 Los Angeles goes from eight to seven hours behind UTC.
    for (day, at) in [
        ("2026-03-07", "2026-03-08T08:00:00Z"),
        ("2026-03-08", "2026-03-09T07:00:00Z"),
        ("2026-10-31", "2026-11-01T07:00:00Z"),
        ("2026-11-01", "2026-11-02T08:00:00Z"),
    ] {
        let state = open_clinic(&[bob_is_here()]).when(leave(day)).then(&[leaving(day, at)]);
        let end: DateTime<Utc> = at.parse().unwrap();
        assert!(state.is_active_member(bob(), end - chrono::TimeDelta::seconds(1)));
        assert!(!state.is_active_member(bob(), end), "carried out or not");
    }
    let again = open_clinic(&[bob_is_here(), leaving("2026-03-07", "2026-03-08T08:00:00Z")]);
    again.when(leave("2026-03-09")).refused(Code::AlreadyDecided);
}

#[test]
fn gn_04_a_planned_leave_is_carried_out_or_called_off() {
    let planned = [bob_is_here(), leaving("2026-03-07", "2026-03-08T08:00:00Z")];
    let end: DateTime<Utc> = "2026-03-08T08:00:00Z".parse().unwrap();
    let carry_out = || RosterCommand::CarryOutMembershipEnd { user: bob() }.into();
    let late = end + chrono::TimeDelta::seconds(5);
    open_clinic(&planned).at(end - chrono::TimeDelta::seconds(1)).when(carry_out()).then(&[]);
    open_clinic(&planned).at(late).when(carry_out()).then(&[OrganizationEvent::UserDeactivated {
        organization: clinic(),
        user: bob(),
        reason: Some(Sealed::new(bob(), reason())),
        left_on: Some(CalendarDate::parse("2026-03-07").unwrap()),
        deactivated_at: late,
        effective_at: end,
    }]);
    let cancel = || RosterCommand::CancelMembershipEnd { user: bob() }.into();
    let cancelled = OrganizationEvent::MembershipEndCancelled {
        organization: clinic(),
        user: bob(),
        effective_at: end,
    };
    let state = open_clinic(&planned).when(cancel()).then(&[cancelled]);
    assert!(state.is_active_member(bob(), end));
    open_clinic(&planned).at(end).when(cancel()).refused(Code::NotPending);
    open_clinic(&planned).by(Actor::user(bob())).when(cancel()).refused(Code::SelfGrant);
}

#[test]
fn gn_04_an_administrator_about_to_leave_is_none_who_remains() {
    let second = [
        joined(bob(), OrgRole::Admin, MembershipOrigin::Plan),
        leaving("2026-03-07", "2026-03-08T08:00:00Z"),
    ];
    let leave = RosterCommand::DeactivateUser {
        user: ann(),
        confirmed: true,
        reason: None,
        left_on: None,
        authority: Authority::Organization,
    };
    open_clinic(&second).when(leave.into()).refused(Code::LastAdmin);
}
