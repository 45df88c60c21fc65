//! Locations and tax ids, shown.

use super::*;
use crate::Code;
use crate::kernel::scenario::{after, start};
use crate::policies::Preset;

fn branch() -> LocationId {
    id(40)
}

fn register(npi: Option<&str>, credentialed: bool) -> OrganizationCommand {
    let npi = npi.map(|npi| Npi::parse(npi).unwrap());
    let name = name("North Branch");
    PlaceCommand::RegisterLocation { location: branch(), name, npi, credentialed }.into()
}

fn registered_branch(credentialed: bool) -> OrganizationEvent {
    OrganizationEvent::LocationRegistered {
        organization: clinic(),
        location: branch(),
        name: name("North Branch"),
        npi: None,
        credentialed,
    }
}

fn agency(more: &[OrganizationEvent]) -> Given<Organization> {
    open_clinic(more).under(Preset::Carecentrix)
}

#[test]
fn a_location_is_registered_credentialed_and_terminated() {
    agency(&[]).when(register(None, false)).then(&[registered_branch(false)]);
    agency(&[]).when(register(Some("1234567893"), true)).refused(Code::NpiNotInOrg);
    let held = || agency(&[registered_branch(false)]);
    held().when(register(None, true)).refused(Code::NameInvalid);
    let (organization, location) = (clinic(), branch());
    let credentialed = OrganizationEvent::LocationCredentialingChanged {
        organization,
        location,
        credentialed: true,
    };
    let set = PlaceCommand::SetLocationCredentialed { location, credentialed: true };
    let state = held().when(set.clone().into()).then(std::slice::from_ref(&credentialed));
    assert!(state.grantable_location(location, start()).is_ok());
    let from = after(60);
    let terminated = OrganizationEvent::LocationTerminated { organization, location, from };
    let end = || OrganizationCommand::from(PlaceCommand::TerminateLocation { location, from });
    let state = held().when(end()).then(std::slice::from_ref(&terminated));
    let refused = |now| state.grantable_location(location, now).unwrap_err();
    assert_eq!(refused(start()), OrganizationRefusal::LocationNotCredentialed);
    assert_eq!(refused(from), OrganizationRefusal::LocationTerminated);
    let over = || agency(&[registered_branch(false), terminated.clone()]);
    over().when(end()).refused(Code::LocationTerminated);
    over().when(set.into()).refused(Code::LocationTerminated);
}

#[test]
fn a_portal_without_locations_takes_none() {
    open_clinic(&[]).when(register(None, true)).refused(Code::FeatureDisabled);
}

#[test]
fn a_further_tax_id_stands_beside_the_one_of_the_enrolment() {
    let reference = TaxIdRef { kind: TaxIdKind::Ein, last4: "4321".into() };
    let link = || PlaceCommand::LinkTaxId { tax_id: id(50), reference: reference.clone() };
    let linked = OrganizationEvent::TaxIdLinked {
        organization: clinic(),
        tax_id: id(50),
        reference: reference.clone(),
    };
    let state = open_clinic(&[]).when(link().into()).then(std::slice::from_ref(&linked));
    assert_eq!(state.tax_ids().len(), 2);
    assert!(state.tax_ids().contains_key(&TaxIdId::of_enrolment(clinic())));
    open_clinic(&[linked]).when(link().into()).then(&[]);
}
