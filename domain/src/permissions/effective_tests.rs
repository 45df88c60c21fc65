//! Effective rights, shown. Invariant: each condition is taken away alone and takes everything.

use std::collections::BTreeSet;

use super::*;
use crate::Decider;
use crate::Sealed;
use crate::kernel::ids::{OrganizationId, SubjectId};
use crate::kernel::scenario::{after, id, start};
use crate::organizations::{
    ContractStatus, MembershipOrigin, OrganizationEvent, OrganizationKind, OrganizationKinds,
    TaxIdRef,
};
use crate::permissions::{Cause, EntitlementGrant, JobRoleEvent, MembershipEvent};
use crate::policies::{Availability, FeatureState, Preset};
use crate::values::{
    EmailAddress, JobRoleName, OrganizationName, ProviderCommunity, ProviderType, Reason, TaxIdKind,
};

fn clinic() -> OrganizationId {
    id(10)
}

fn ann() -> UserId {
    id(1)
}

fn npi() -> Npi {
    Npi::parse("1234567893").unwrap()
}

fn rad() -> CorrespondenceType {
    CorrespondenceType::parse("REMITTANCE_ADVICE_DETAIL").unwrap()
}

/// A registered clinic with one NPI, in which Ann has `role`.
fn organization(role: OrgRole) -> Organization {
    let name = || OrganizationName::parse("Valley Clinic").unwrap();
    let kinds = || OrganizationKinds::from([OrganizationKind::Provider]);
    let email = EmailAddress::parse("office@clinic.example").unwrap();
    let mut state = Organization::default();
    for event in [
        OrganizationEvent::OrganizationEnrolled {
            organization: clinic(),
            name: name(),
            kinds: kinds(),
            tax_id: TaxIdRef { kind: TaxIdKind::Ein, last4: "6789".into() },
            pay_to_address: None,
            pay_to_zip: None,
            contact_email: Sealed::new(SubjectId(clinic().0), email),
            contract_status: ContractStatus::Contracted,
            source: None,
        },
        OrganizationEvent::NpiAttached {
            organization: clinic(),
            npi: npi(),
            name: name(),
            provider_type: ProviderType::parse("Clinic").unwrap(),
            community: ProviderCommunity::parse("Medical").unwrap(),
            effective_at: start(),
        },
        OrganizationEvent::OrganizationRegistered {
            organization: clinic(),
            name: name(),
            kinds: kinds(),
            registration: id(30),
        },
        OrganizationEvent::MembershipAdded {
            organization: clinic(),
            user: ann(),
            role,
            email_domain: "clinic.example".into(),
            by: MembershipOrigin::Registration,
            joined_at: start(),
            effective_from_next_login: false,
        },
    ] {
        state.evolve(&event);
    }
    state
}

fn membership(npi: NpiScope, new: NpiLevel, until: Option<DateTime<Utc>>) -> Membership {
    let mut state = Membership::default();
    state.evolve(&MembershipEvent::NpiPermissionSet {
        user: ann(),
        organization: clinic(),
        npi: npi.clone(),
        old: NpiLevel::None,
        new,
        until,
        cause: Cause::Administrator,
    });
    let types = BTreeSet::from([rad().into()]);
    state.evolve(&MembershipEvent::CorrespondencePermissionSet {
        user: ann(),
        organization: clinic(),
        npi,
        added: types.clone(),
        removed: BTreeSet::new(),
        types,
        cause: Cause::Administrator,
    });
    state
}

/// The rights of an active Ann, one second into the day.
fn rights(
    organization: &Organization,
    membership: &Membership,
    preset: Preset,
) -> BTreeMap<Right, Source> {
    let policy = Policy::from(preset);
    Situation {
        user: ann(),
        account_active: true,
        organization,
        membership,
        policy: &policy,
        job_roles: &NO_JOB_ROLES,
        types: &[rad()],
        now: after(1),
    }
    .rights()
}

#[test]
fn a_processor_reads_and_does_not_manage_pins() {
    let membership = membership(npi().into(), NpiLevel::Processor, None);
    let expected = BTreeMap::from([
        (Right::ViewNpi(npi()), Source::Direct),
        (Right::ReadCorrespondence(npi(), rad()), Source::Direct),
    ]);
    assert_eq!(rights(&organization(OrgRole::None), &membership, Preset::MediCal), expected);
}

#[test]
fn an_npi_admin_manages_pins_and_no_users() {
    let membership = membership(NpiScope::All, NpiLevel::Admin, None);
    let expected = BTreeMap::from([
        (Right::ViewNpi(npi()), Source::AllNpis),
        (Right::ManagePin(npi()), Source::AllNpis),
        (Right::ReadCorrespondence(npi(), rad()), Source::AllNpis),
    ]);
    assert_eq!(rights(&organization(OrgRole::None), &membership, Preset::MediCal), expected);
}

#[test]
fn what_an_organization_administrator_may_besides_is_the_policys_word() {
    let nothing = Membership::default();
    let role = Source::Role(OrgRole::Admin);
    let users = [(Right::ManageUsers, role), (Right::ViewOrganization, role)];
    let admin = organization(OrgRole::Admin);
    let mut granted = BTreeMap::from(users.clone());
    granted.insert(Right::UseFeature(Feature::UserManagement), Source::ImpliedByAdmin);
    assert_eq!(rights(&admin, &nothing, Preset::Cencal), granted, "features are granted there");
    let mut all = BTreeMap::from(users);
    all.extend([
        (Right::ViewNpi(npi()), Source::ImpliedByAdmin),
        (Right::ManagePin(npi()), Source::ImpliedByAdmin),
        (Right::ReadCorrespondence(npi(), rad()), Source::ImpliedByAdmin),
    ]);
    assert_eq!(rights(&admin, &nothing, Preset::MediCal), all);
}

#[test]
fn an_organization_processor_sees_lists_and_changes_nothing() {
    let expected = BTreeMap::from([(Right::ViewOrganization, Source::Role(OrgRole::Processor))]);
    let organization = organization(OrgRole::Processor);
    assert_eq!(rights(&organization, &Membership::default(), Preset::MediCal), expected);
}

#[test]
fn a_member_without_anything_has_no_right() {
    let organization = organization(OrgRole::None);
    assert!(rights(&organization, &Membership::default(), Preset::MediCal).is_empty());
}

#[test]
fn each_condition_taken_away_takes_every_right() {
    let membership = membership(NpiScope::All, NpiLevel::Admin, None);
    let reason = || Sealed::new(SubjectId(clinic().0), Reason::parse("audit").unwrap());
    let gone = [
        OrganizationEvent::OrganizationSuspended { organization: clinic(), reason: reason() },
        OrganizationEvent::OrganizationClosed { organization: clinic(), reason: reason() },
        OrganizationEvent::UserDeactivated {
            organization: clinic(),
            user: ann(),
            reason: None,
            left_on: None,
            deactivated_at: start(),
            effective_at: start(),
        },
        OrganizationEvent::NpiDetached {
            organization: clinic(),
            npi: npi(),
            effective_at: after(1),
            reason: None,
        },
    ];
    for event in gone {
        let mut organization = organization(OrgRole::None);
        assert!(!rights(&organization, &membership, Preset::MediCal).is_empty());
        organization.evolve(&event);
        assert!(rights(&organization, &membership, Preset::MediCal).is_empty(), "{event:?}");
    }
}

#[test]
fn an_inactive_account_has_no_right() {
    let policy = Policy::from(Preset::MediCal);
    let organization = organization(OrgRole::Admin);
    let membership = membership(NpiScope::All, NpiLevel::Admin, None);
    let situation = Situation {
        user: ann(),
        account_active: false,
        organization: &organization,
        membership: &membership,
        policy: &policy,
        job_roles: &NO_JOB_ROLES,
        types: &[rad()],
        now: after(1),
    };
    assert!(situation.rights().is_empty());
    assert!(Situation { account_active: true, ..situation }.rights().len() > 1);
}

#[test]
fn a_temporary_right_ends_at_its_second() {
    let policy = Policy::from(Preset::MediCal);
    let organization = organization(OrgRole::None);
    let membership = membership(npi().into(), NpiLevel::Admin, Some(after(60)));
    let at = |seconds| {
        Situation {
            user: ann(),
            account_active: true,
            organization: &organization,
            membership: &membership,
            policy: &policy,
            job_roles: &NO_JOB_ROLES,
            types: &[rad()],
            now: after(seconds),
        }
        .source_of(&Right::ManagePin(npi()))
    };
    assert_eq!((at(59), at(60)), (Some(Source::Direct), None));
}

/// The situation of an active Ann under CenCal's policy.
fn cencal(
    organization: &Organization,
    membership: &Membership,
    job_roles: &JobRoles,
    policy: &Policy,
) -> BTreeMap<Right, Source> {
    let situation = Situation {
        user: ann(),
        account_active: true,
        organization,
        membership,
        policy,
        job_roles,
        types: &[],
        now: after(1),
    };
    for feature in Feature::ALL {
        let held = situation.source_of(&Right::UseFeature(*feature)).is_some();
        let may = policy.is_on(*feature) && (held || !feature.is_granted());
        assert_eq!(situation.may_use(*feature), may, "{feature}");
    }
    situation.rights()
}

fn granted(entitlement: Entitlement) -> MembershipEvent {
    let grant = EntitlementGrant { entitlement, until: None };
    MembershipEvent::granted((ann(), clinic()), grant, Cause::Administrator)
}

#[test]
fn a_feature_is_used_by_grant_by_job_role_or_by_being_administrator() {
    let policy = Policy::from(Preset::Cencal);
    let mut role = JobRole::default();
    role.evolve(&JobRoleEvent::JobRoleDefined {
        role: id(7),
        organization: None,
        name: JobRoleName::parse("Desk").unwrap(),
        features: BTreeSet::from([Feature::Claims, Feature::UserManagement]),
    });
    let job_roles = JobRoles::from([(id(7), std::sync::Arc::new(role))]);
    let mut membership = Membership::default();
    membership.evolve(&granted(Entitlement::JobRole(id(7))));
    membership.evolve(&granted(Entitlement::Feature(Feature::EopReports)));
    let clinic = organization(OrgRole::None);
    let by_role = Source::JobRole(id(7));
    let expected = BTreeMap::from([
        (Right::ManageUsers, by_role),
        (Right::UseFeature(Feature::UserManagement), by_role),
        (Right::UseFeature(Feature::Claims), by_role),
        (Right::UseFeature(Feature::EopReports), Source::Direct),
        (Right::HoldJobRole(id(7)), Source::Direct),
    ]);
    assert_eq!(cencal(&clinic, &membership, &job_roles, &policy), expected);
    let retired = JobRoles::from([(id(7), std::sync::Arc::new(JobRole::Retired))]);
    let left = BTreeMap::from([(Right::UseFeature(Feature::EopReports), Source::Direct)]);
    assert_eq!(cencal(&clinic, &membership, &retired, &policy), left);
    let off = Availability::from(FeatureState::Off);
    let without = policy.with_availability(Feature::EopReports, off);
    assert!(cencal(&clinic, &membership, &retired, &without).is_empty());
}
