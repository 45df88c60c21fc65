//! An organisation, shown. Invariant: every command has an acceptance and the refusals beside it.

mod file;
mod members;
mod merging;
mod places;
mod planned;

use super::*;
use crate::kernel::ids::{InvitationId, RegistrationId, SubjectId};
use crate::kernel::scenario::{Given, given, id};
use crate::organizations::{MembershipOrigin, OrganizationKind};
use crate::permissions::Cause;
use crate::values::{ProviderCommunity, ProviderType, Reason, TaxIdKind};

fn clinic() -> OrganizationId {
    id(10)
}

fn ann() -> UserId {
    id(1)
}

fn bob() -> UserId {
    id(2)
}

fn invitation() -> InvitationId {
    id(20)
}

fn registration() -> RegistrationId {
    id(30)
}

fn domain() -> String {
    "clinic.example".to_owned()
}

fn reason() -> Reason {
    Reason::parse("left the practice").unwrap()
}

fn sealed_reason() -> Sealed<Reason> {
    Sealed::new(SubjectId(clinic().0), reason())
}

fn name(text: &str) -> OrganizationName {
    OrganizationName::parse(text).unwrap()
}

fn address() -> PostalAddress {
    PostalAddress::parse("1 Main St", "", "Fresno", "CA", "93701").unwrap()
}

fn enrolment() -> Enrolment {
    Enrolment {
        organization: clinic(),
        name: name("Valley Clinic"),
        kinds: OrganizationKinds::from([OrganizationKind::Provider]),
        tax_id: TaxIdRef { kind: TaxIdKind::Ein, last4: "6789".into() },
        pay_to_address: Some(address()),
        pay_to_zip: Some(Zip::parse("93701").unwrap()),
        contact_email: EmailAddress::parse("office@clinic.example").unwrap(),
        contract_status: ContractStatus::Contracted,
        source: None,
    }
}

fn record(enrolment: Enrolment) -> OrganizationCommand {
    OrganizationCommand::RecordEnrolment(Box::new(enrolment))
}

fn enrolled_as(enrolment: Enrolment) -> OrganizationEvent {
    OrganizationEvent::OrganizationEnrolled {
        organization: enrolment.organization,
        name: enrolment.name,
        kinds: enrolment.kinds,
        tax_id: enrolment.tax_id,
        pay_to_address: enrolment.pay_to_address,
        pay_to_zip: enrolment.pay_to_zip,
        contact_email: Sealed::new(SubjectId(clinic().0), enrolment.contact_email),
        contract_status: enrolment.contract_status,
        source: enrolment.source,
    }
}

fn enrolled() -> OrganizationEvent {
    enrolled_as(enrolment())
}

fn registered() -> OrganizationEvent {
    OrganizationEvent::OrganizationRegistered {
        organization: clinic(),
        name: name("Valley Clinic"),
        kinds: OrganizationKinds::from([OrganizationKind::Provider]),
        registration: registration(),
    }
}

fn domain_added() -> OrganizationEvent {
    OrganizationEvent::EmailDomainAdded { organization: clinic(), domain: domain() }
}

fn joined(user: UserId, role: OrgRole, by: MembershipOrigin) -> OrganizationEvent {
    OrganizationEvent::MembershipAdded {
        organization: clinic(),
        user,
        role,
        email_domain: domain(),
        by,
        joined_at: crate::kernel::scenario::start(),
        effective_from_next_login: false,
    }
}

fn role_assigned(user: UserId, old: OrgRole, new: OrgRole, cause: Cause) -> OrganizationEvent {
    OrganizationEvent::OrgRoleAssigned { organization: clinic(), user, old, new, cause }
}

/// What registration by Ann leads to.
fn opened() -> Vec<OrganizationEvent> {
    vec![
        registered(),
        domain_added(),
        joined(ann(), OrgRole::Admin, MembershipOrigin::Registration),
        role_assigned(ann(), OrgRole::None, OrgRole::Admin, Cause::Registration),
    ]
}

/// Ann's clinic, after `more` has happened.
fn open_clinic(more: &[OrganizationEvent]) -> Given<Organization> {
    given::<Organization>(&[vec![enrolled()], opened(), more.to_vec()].concat())
}
