//! PINs, shown. Invariant: the day is the tenant's, tried on both sides of its midnight.

use chrono::{DateTime, NaiveDate, Utc};

use super::*;
use crate::kernel::ids::{OrganizationId, VaultRef};
use crate::kernel::scenario::{Given, given, id};
use crate::policies::{Policy, Preset};
use crate::values::Npi;
use crate::{Code, Event};

fn npi() -> Npi {
    Npi::parse("1234567893").unwrap()
}

fn clinic() -> OrganizationId {
    id(10)
}

fn issued() -> PinEvent {
    PinEvent::PinIssued { npi: npi(), organization: clinic(), pin_ref: id(30), version: 1 }
}

/// A wall-clock time in the tenant's zone.
fn local(day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
    let date = NaiveDate::from_ymd_opt(2026, 6, day).unwrap();
    let time = chrono::NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    Policy::from(Preset::MediCal).time_zone().at(date, time)
}

fn reset_at(at: DateTime<Utc>, pin_ref: VaultRef, version: u32) -> PinEvent {
    PinEvent::PinReset {
        npi: npi(),
        organization: clinic(),
        pin_ref,
        version,
        effective_at: at,
        by: ResetBy::User,
        caller: None,
    }
}

fn pending(at: DateTime<Utc>, version: u32) -> PinEvent {
    let due_at = at + chrono::TimeDelta::hours(2);
    PinEvent::PinPropagationPending { npi: npi(), organization: clinic(), version, due_at }
}

fn reset(pin_ref: VaultRef) -> PinCommand {
    PinCommand::ResetPin { organization: clinic(), pin_ref, by: ResetBy::User, caller: None }
}

fn pin(events: &[PinEvent]) -> Given<Pin> {
    given(events)
}

#[test]
fn an_npi_is_issued_one_pin() {
    let issue = PinCommand::IssuePin { npi: npi(), organization: clinic(), pin_ref: id(30) };
    pin(&[]).when(issue.clone()).then(&[issued()]);
    pin(&[issued()]).when(issue).refused(Code::AlreadyAssigned);
}

#[test]
fn an_npi_that_moved_is_issued_a_new_pin_and_the_old_organization_loses_sight() {
    let issue = PinCommand::IssuePin { npi: npi(), organization: id(11), pin_ref: id(31) };
    let moved =
        PinEvent::PinIssued { npi: npi(), organization: id(11), pin_ref: id(31), version: 2 };
    pin(&[issued()]).when(issue).then(std::slice::from_ref(&moved));
    let history = [issued(), moved];
    pin(&history).when(reset(id(32))).refused(Code::NpiNotPermitted);
    pin(&history)
        .when(PinCommand::RevealPin { organization: clinic(), user: id(1) })
        .refused(Code::NpiNotPermitted);
}

#[test]
fn mc_52_every_reveal_is_recorded() {
    let reveal = PinCommand::RevealPin { organization: clinic(), user: id(1) };
    let revealed =
        PinEvent::PinRevealed { npi: npi(), organization: clinic(), user: id(1), version: 1 };
    pin(&[issued()]).when(reveal.clone()).then(std::slice::from_ref(&revealed));
    pin(&[issued(), revealed.clone()]).when(reveal.clone()).then(&[revealed]);
    pin(&[]).when(reveal).refused(Code::NotFound);
}

#[test]
fn mc_53_a_reset_before_midnight_and_one_after_are_both_allowed() {
    let before = reset_at(local(1, 23, 59), id(31), 2);
    let late = local(1, 23, 59);
    pin(&[issued()]).at(late).when(reset(id(31))).then(&[before.clone(), pending(late, 2)]);
    let early = local(2, 0, 1);
    pin(&[issued(), before])
        .at(early)
        .when(reset(id(32)))
        .then(&[reset_at(early, id(32), 3), pending(early, 3)]);
}

#[test]
fn mc_53_two_resets_on_one_local_day_are_refused_until_midnight() {
    let early = reset_at(local(1, 0, 1), id(31), 2);
    let refusal = pin(&[issued(), early])
        .at(local(1, 23, 59))
        .when(reset(id(32)))
        .refused(Code::PinResetLimit);
    assert_eq!(refusal.retry_at, Some(local(2, 0, 0)));
}

#[test]
fn mc_53_support_is_bound_by_the_same_limit() {
    let support = PinCommand::ResetPin {
        organization: clinic(),
        pin_ref: id(32),
        by: ResetBy::Support,
        caller: None,
    };
    let early = reset_at(local(1, 0, 1), id(31), 2);
    pin(&[issued(), early]).at(local(1, 12, 0)).when(support).refused(Code::PinResetLimit);
}

#[test]
fn a_pin_that_was_never_issued_cannot_be_reset() {
    pin(&[]).when(reset(id(31))).refused(Code::NotFound);
}

#[test]
fn a_reveal_is_filed_under_npi_organization_and_person() {
    let event =
        PinEvent::PinRevealed { npi: npi(), organization: clinic(), user: id(1), version: 1 };
    let facets = event.facets();
    assert_eq!(facets.npi.as_deref(), Some("1234567893"));
    assert_eq!((facets.organization, facets.subject), (Some(clinic()), Some(id(1))));
}

#[test]
fn gn_17_files_lag_until_the_newest_version_is_everywhere() {
    let at = local(1, 9, 0);
    let history = [issued(), reset_at(at, id(31), 2), pending(at, 2)];
    let complete = |version| PinCommand::CompletePropagation { version };
    let completed =
        PinEvent::PinPropagationCompleted { npi: npi(), organization: clinic(), version: 2 };
    pin(&history).when(complete(2)).then(std::slice::from_ref(&completed));
    pin(&history).when(complete(1)).then(&[]);
    let later = [issued(), reset_at(at, id(31), 2), pending(at, 2), completed];
    pin(&later).when(complete(2)).then(&[]);
    let at_once = Policy::from(Preset::MediCal).with(
        crate::policies::PolicyKey::PinsPropagationHours,
        crate::policies::PolicyValue::Integer(0),
    );
    let reset_now = pin(&[issued()]).at(at).under(at_once).when(reset(id(31)));
    reset_now.then(&[reset_at(at, id(31), 2)]);
}
