//! Enrolment, contract, kinds, NPIs and phases.

use super::*;
use crate::kernel::scenario::{after, start};
use crate::organizations::{Change, EnrolmentChanges};
use crate::policies::Preset;
use crate::{Code, Refusal};

pub(super) fn npi() -> Npi {
    Npi::parse("1234567893").unwrap()
}

pub(super) fn attach(seconds: i64) -> OrganizationCommand {
    OrganizationCommand::AttachNpi {
        npi: npi(),
        name: name("Valley Clinic"),
        provider_type: ProviderType::parse("Clinic").unwrap(),
        community: ProviderCommunity::parse("Medical").unwrap(),
        effective_at: after(seconds),
    }
}

pub(super) fn attached(seconds: i64) -> OrganizationEvent {
    OrganizationEvent::NpiAttached {
        organization: clinic(),
        npi: npi(),
        name: name("Valley Clinic"),
        provider_type: ProviderType::parse("Clinic").unwrap(),
        community: ProviderCommunity::parse("Medical").unwrap(),
        effective_at: after(seconds),
    }
}

pub(super) fn detach(seconds: i64) -> OrganizationCommand {
    OrganizationCommand::DetachNpi { npi: npi(), effective_at: after(seconds), reason: None }
}

pub(super) fn detached(seconds: i64) -> OrganizationEvent {
    let effective_at = after(seconds);
    OrganizationEvent::NpiDetached {
        organization: clinic(),
        npi: npi(),
        effective_at,
        reason: None,
    }
}

fn suspended() -> OrganizationEvent {
    OrganizationEvent::OrganizationSuspended { organization: clinic(), reason: sealed_reason() }
}

#[test]
fn an_enrolment_is_recorded_and_its_repetition_changes_nothing() {
    given::<Organization>(&[]).when(record(enrolment())).then(&[enrolled()]);
    given::<Organization>(&[enrolled()]).when(record(enrolment())).then(&[]);
}

#[test]
fn a_changed_enrolment_names_only_what_changed() {
    let both = OrganizationKinds::from([OrganizationKind::Provider, OrganizationKind::Submitter]);
    let changed = Enrolment {
        name: name("Valley Health"),
        kinds: both.clone(),
        contract_status: ContractStatus::Terminated,
        ..enrolment()
    };
    let state = given::<Organization>(&[enrolled()]).when(record(changed)).then(&[
        OrganizationEvent::EnrolmentUpdated {
            organization: clinic(),
            changes: Box::new(EnrolmentChanges {
                name: Some(Change { old: name("Valley Clinic"), new: name("Valley Health") }),
                ..EnrolmentChanges::default()
            }),
            source: None,
        },
        OrganizationEvent::OrganizationKindsChanged {
            organization: clinic(),
            old: enrolment().kinds,
            new: both,
        },
        OrganizationEvent::OrganizationContractStatusChanged {
            organization: clinic(),
            status: ContractStatus::Terminated,
            from: start(),
        },
    ]);
    assert_eq!(state.record().unwrap().name, name("Valley Health"));
}

#[test]
fn an_organization_is_of_at_least_one_kind() {
    let none = OrganizationKinds::new();
    given::<Organization>(&[])
        .when(record(Enrolment { kinds: none.clone(), ..enrolment() }))
        .refused(Code::FieldRequired);
    given::<Organization>(&[enrolled()])
        .when(OrganizationCommand::SetOrganizationKinds { kinds: none })
        .refused(Code::FieldRequired);
    let kinds = enrolment().kinds;
    given::<Organization>(&[enrolled()])
        .when(OrganizationCommand::SetOrganizationKinds { kinds })
        .then(&[]);
}

#[test]
fn a_contract_changes_once_per_status() {
    let set = |status| OrganizationCommand::SetContractStatus { status, from: after(9) };
    given::<Organization>(&[enrolled()]).when(set(ContractStatus::Contracted)).then(&[]);
    given::<Organization>(&[enrolled()]).when(set(ContractStatus::Terminated)).then(&[
        OrganizationEvent::OrganizationContractStatusChanged {
            organization: clinic(),
            status: ContractStatus::Terminated,
            from: after(9),
        },
    ]);
}

#[test]
fn a_contract_that_will_end_ends_to_the_second_and_a_file_does_not_call_it_off() {
    let ended = OrganizationEvent::OrganizationContractStatusChanged {
        organization: clinic(),
        status: ContractStatus::Terminated,
        from: after(9),
    };
    let state = given::<Organization>(&[enrolled(), ended.clone()]).state();
    let policy = Policy::from(Preset::Cencal);
    assert_eq!(state.check_contract(&policy, after(8)), Ok(()));
    let refusal = Refusal::from(state.check_contract(&policy, after(9)).unwrap_err());
    assert_eq!(refusal.code, Code::NotContracted);
    assert_eq!(state.check_contract(&Policy::from(Preset::MediCal), after(9)), Ok(()));

    let file = || record(enrolment());
    given::<Organization>(&[enrolled(), ended.clone()]).at(after(8)).when(file()).then(&[]);
    let begun = OrganizationEvent::OrganizationContractStatusChanged {
        organization: clinic(),
        status: ContractStatus::Contracted,
        from: after(9),
    };
    given::<Organization>(&[enrolled(), ended]).at(after(9)).when(file()).then(&[begun]);
}

#[test]
fn an_npi_is_held_from_its_beginning_and_before_its_end() {
    let state = given::<Organization>(&[enrolled()]).when(attach(10)).then(&[attached(10)]);
    assert!(!state.holds_npi(&npi(), after(9)) && state.holds_npi(&npi(), after(10)));
    let state =
        given::<Organization>(&[enrolled(), attached(10)]).when(detach(20)).then(&[detached(20)]);
    assert!(state.holds_npi(&npi(), after(19)) && !state.holds_npi(&npi(), after(20)));
    assert_eq!(state.npis_at(after(15)), BTreeSet::from([npi()]));
}

#[test]
fn an_npi_is_attached_once_at_a_time() {
    given::<Organization>(&[enrolled(), attached(0)]).when(attach(5)).refused(Code::NpiAttached);
    let moved = [enrolled(), attached(0), detached(20)];
    given::<Organization>(&moved).when(attach(19)).refused(Code::NpiAttached);
    let state = given::<Organization>(&moved).when(attach(20)).then(&[attached(20)]);
    assert!(state.holds_npi(&npi(), after(5)) && state.holds_npi(&npi(), after(25)));
}

#[test]
fn only_an_npi_held_is_detached_and_not_before_it_began() {
    given::<Organization>(&[enrolled()]).when(detach(5)).refused(Code::NpiNotInOrg);
    let begun = given::<Organization>(&[enrolled(), attached(10)]).at(after(20));
    begun.when(detach(10)).refused(Code::RangeInvalid);
    given::<Organization>(&[enrolled(), attached(0), detached(5)])
        .when(detach(9))
        .refused(Code::NpiNotInOrg);
}

#[test]
fn a_suspended_organization_reopens_as_what_it_was() {
    let suspend = || OrganizationCommand::SuspendOrganization { reason: reason() };
    let reopened = OrganizationEvent::OrganizationReopened { organization: clinic() };
    let state = open_clinic(&[]).when(suspend()).then(&[suspended()]);
    assert!(!state.is_active());
    open_clinic(&[suspended()]).when(suspend()).refused(Code::OrgNotActive);
    let reopen = || OrganizationCommand::ReopenOrganization;
    let state = open_clinic(&[suspended()]).when(reopen()).then(std::slice::from_ref(&reopened));
    assert!(state.is_active());
    let state = given::<Organization>(&[enrolled(), suspended()]).when(reopen()).then(&[reopened]);
    assert_eq!(state.phase(), Phase::Enrolled);
    open_clinic(&[]).when(reopen()).refused(Code::NotInactive);
}

#[test]
fn a_closed_organization_takes_no_command() {
    let close = || OrganizationCommand::CloseOrganization { reason: reason() };
    let closed =
        OrganizationEvent::OrganizationClosed { organization: clinic(), reason: sealed_reason() };
    open_clinic(&[]).when(close()).then(std::slice::from_ref(&closed));
    for command in [close(), attach(0), record(enrolment())] {
        open_clinic(std::slice::from_ref(&closed)).when(command).refused(Code::OrgNotActive);
    }
}

#[test]
fn what_was_never_enrolled_is_not_found() {
    given::<Organization>(&[]).when(attach(0)).refused(Code::NotFound);
}
