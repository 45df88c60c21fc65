//! Permissions, shown. Invariant: each refusal has a test beside the acceptance it limits.

use chrono::TimeDelta;

use super::*;
use crate::kernel::ids::{OrganizationId, UserId};
use crate::kernel::scenario::{Given, after, given, id, start};
use crate::permissions::{Cause, GrantEnd, PermissionsEnd};
use crate::policies::Feature;
use crate::{Actor, Code};

const KEY: fn() -> MembershipKey = || MembershipKey { user: user(), organization: clinic() };

fn user() -> UserId {
    id(1)
}

fn clinic() -> OrganizationId {
    id(10)
}

fn npi(n: usize) -> Npi {
    Npi::parse(["1234567893", "1000000004", "1000000012"][n]).unwrap()
}

fn one(n: usize) -> NpiScope {
    npi(n).into()
}

fn kind(key: &str) -> CorrespondenceType {
    CorrespondenceType::parse(key).unwrap()
}

fn rad() -> CorrespondenceScope {
    kind("REMITTANCE_ADVICE_DETAIL").into()
}

fn tax() -> CorrespondenceScope {
    kind("TAX_DOCUMENTS").into()
}

fn level_set(npi: NpiScope, old: NpiLevel, new: NpiLevel) -> MembershipEvent {
    MembershipEvent::NpiPermissionSet {
        user: user(),
        organization: clinic(),
        npi,
        old,
        new,
        until: None,
        cause: Cause::Administrator,
    }
}

fn temporary(npi: NpiScope, new: NpiLevel, until: DateTime<Utc>) -> MembershipEvent {
    MembershipEvent::NpiPermissionSet {
        user: user(),
        organization: clinic(),
        npi,
        old: NpiLevel::None,
        new,
        until: Some(until),
        cause: Cause::Administrator,
    }
}

fn types_set(
    npi: NpiScope,
    added: &[CorrespondenceScope],
    removed: &[CorrespondenceScope],
    types: &[CorrespondenceScope],
    cause: Cause,
) -> MembershipEvent {
    let set = |scopes: &[CorrespondenceScope]| scopes.iter().cloned().collect();
    MembershipEvent::CorrespondencePermissionSet {
        user: user(),
        organization: clinic(),
        npi,
        added: set(added),
        removed: set(removed),
        types: set(types),
        cause,
    }
}

fn set_levels(changes: &[(NpiScope, NpiLevel)]) -> MembershipCommand {
    let changes = changes.iter().map(|(npi, level)| NpiChange {
        npi: npi.clone(),
        level: *level,
        until: None,
    });
    MembershipCommand::SetNpiPermissions {
        of: KEY(),
        changes: changes.collect(),
        held: BTreeSet::from([npi(0), npi(1)]),
        cause: Cause::Administrator,
    }
}

fn set_types(
    npis: &[NpiScope],
    add: &[CorrespondenceScope],
    remove: &[CorrespondenceScope],
) -> MembershipCommand {
    MembershipCommand::SetCorrespondencePermissions {
        of: KEY(),
        npis: npis.to_vec(),
        add: add.iter().cloned().collect(),
        remove: remove.iter().cloned().collect(),
        known: BTreeSet::from([kind("REMITTANCE_ADVICE_DETAIL"), kind("TAX_DOCUMENTS")]),
        cause: Cause::Administrator,
    }
}

fn everything() -> Given<Membership> {
    given::<Membership>(&[
        level_set(NpiScope::All, NpiLevel::None, NpiLevel::Admin),
        types_set(
            NpiScope::All,
            &[CorrespondenceScope::All],
            &[],
            &[CorrespondenceScope::All],
            Cause::Registration,
        ),
    ])
}

#[test]
fn a_level_is_set_per_npi_and_none_is_the_default() {
    let state = given::<Membership>(&[])
        .when(set_levels(&[(one(0), NpiLevel::Processor)]))
        .then(&[level_set(one(0), NpiLevel::None, NpiLevel::Processor)]);
    assert_eq!(state.level(&npi(0), start()), NpiLevel::Processor);
    assert_eq!(state.level(&npi(1), start()), NpiLevel::None);
}

#[test]
fn setting_what_is_set_changes_nothing() {
    given::<Membership>(&[level_set(one(0), NpiLevel::None, NpiLevel::Admin)])
        .when(set_levels(&[(one(0), NpiLevel::Admin), (one(1), NpiLevel::None)]))
        .then(&[]);
}

#[test]
fn quick_assign_sets_one_fact_per_npi_and_single_npis_may_differ_later() {
    let quick = [(one(0), NpiLevel::Processor), (one(1), NpiLevel::Processor)];
    let facts = [
        level_set(one(0), NpiLevel::None, NpiLevel::Processor),
        level_set(one(1), NpiLevel::None, NpiLevel::Processor),
    ];
    given::<Membership>(&[]).when(set_levels(&quick)).then(&facts);
    given::<Membership>(&facts).when(set_levels(&[(one(1), NpiLevel::Admin)])).then(&[level_set(
        one(1),
        NpiLevel::Processor,
        NpiLevel::Admin,
    )]);
}

#[test]
fn npis_that_are_foreign_doubled_or_missing_are_refused_at_their_place() {
    let refusal = given::<Membership>(&[])
        .when(set_levels(&[(one(0), NpiLevel::Admin), (one(2), NpiLevel::Admin)]))
        .refused(Code::NpiNotInOrg);
    assert_eq!(refusal.field, ["permissions", "1", "npi"]);
    given::<Membership>(&[])
        .when(set_levels(&[(one(0), NpiLevel::Admin), (one(0), NpiLevel::None)]))
        .refused(Code::FieldInvalid);
    given::<Membership>(&[]).when(set_levels(&[])).refused(Code::FieldRequired);
}

#[test]
fn the_registrant_gets_everything_there_is_and_will_be() {
    let [levels, types] = MembershipCommand::grant_everything(KEY());
    let all = MembershipEvent::NpiPermissionSet {
        user: user(),
        organization: clinic(),
        npi: NpiScope::All,
        old: NpiLevel::None,
        new: NpiLevel::Admin,
        until: None,
        cause: Cause::Registration,
    };
    let registrant = Actor::user(user());
    given::<Membership>(&[]).by(registrant).when(levels).then(std::slice::from_ref(&all));
    let every = [CorrespondenceScope::All];
    let state = given::<Membership>(&[all]).by(registrant).when(types).then(&[types_set(
        NpiScope::All,
        &every,
        &[],
        &every,
        Cause::Registration,
    )]);
    assert_eq!(state.level(&npi(2), start()), NpiLevel::Admin);
    assert!(state.reads(&npi(2), &kind("LATER_INVENTED"), start()));
}

#[test]
fn an_entry_for_one_npi_overrides_the_one_for_all() {
    let state = everything().when(set_levels(&[(one(0), NpiLevel::None)])).then(&[
        level_set(one(0), NpiLevel::Admin, NpiLevel::None),
        types_set(one(0), &[], &[CorrespondenceScope::All], &[], Cause::NpiPermissionRemoved),
    ]);
    assert_eq!(state.level(&npi(0), start()), NpiLevel::None);
    assert!(!state.reads(&npi(0), &kind("TAX_DOCUMENTS"), start()));
    assert!(state.reads(&npi(1), &kind("TAX_DOCUMENTS"), start()));
}

#[test]
fn correspondence_is_given_for_several_assigned_npis_at_once() {
    let both = [
        level_set(one(0), NpiLevel::None, NpiLevel::Processor),
        level_set(one(1), NpiLevel::None, NpiLevel::Admin),
    ];
    let state =
        given::<Membership>(&both).when(set_types(&[one(0), one(1)], &[rad()], &[])).then(&[
            types_set(one(0), &[rad()], &[], &[rad()], Cause::Administrator),
            types_set(one(1), &[rad()], &[], &[rad()], Cause::Administrator),
        ]);
    assert!(state.reads(&npi(0), &kind("REMITTANCE_ADVICE_DETAIL"), start()));
    assert!(!state.reads(&npi(0), &kind("TAX_DOCUMENTS"), start()));
}

#[test]
fn correspondence_is_refused_for_unassigned_npis_and_unknown_types() {
    let assigned = [level_set(one(0), NpiLevel::None, NpiLevel::Processor)];
    let refusal = given::<Membership>(&assigned)
        .when(set_types(&[one(0), one(1)], &[rad()], &[]))
        .refused(Code::NpiNotAssigned);
    assert_eq!(refusal.field, ["npis", "1"]);
    given::<Membership>(&assigned)
        .when(set_types(&[one(0)], &[kind("HOROSCOPES").into()], &[]))
        .refused(Code::TypeUnknown);
    given::<Membership>(&assigned)
        .when(set_types(&[one(0)], &[], &[]))
        .refused(Code::FieldRequired);
    given::<Membership>(&assigned)
        .when(set_types(&[one(0)], &[rad()], &[rad()]))
        .refused(Code::FieldRequired);
    given::<Membership>(&assigned).when(set_types(&[], &[rad()], &[])).refused(Code::FieldRequired);
}

#[test]
fn what_changes_is_named_and_what_stays_is_not() {
    given::<Membership>(&[
        level_set(one(0), NpiLevel::None, NpiLevel::Processor),
        types_set(one(0), &[rad()], &[], &[rad()], Cause::Administrator),
    ])
    .when(set_types(&[one(0)], &[tax()], &[rad()]))
    .then(&[types_set(one(0), &[tax()], &[rad()], &[tax()], Cause::Administrator)]);
}

#[test]
fn removing_the_npi_permission_removes_its_correspondence() {
    given::<Membership>(&[
        level_set(one(0), NpiLevel::None, NpiLevel::Processor),
        types_set(one(0), &[rad(), tax()], &[], &[rad(), tax()], Cause::Administrator),
    ])
    .when(set_levels(&[(one(0), NpiLevel::None)]))
    .then(&[
        level_set(one(0), NpiLevel::Processor, NpiLevel::None),
        types_set(one(0), &[], &[rad(), tax()], &[], Cause::NpiPermissionRemoved),
    ]);
}

#[test]
fn nobody_raises_their_own_permissions_but_anybody_may_lower_them() {
    let own = || {
        given::<Membership>(&[
            level_set(one(0), NpiLevel::None, NpiLevel::Admin),
            level_set(one(1), NpiLevel::None, NpiLevel::Processor),
        ])
        .by(Actor::user(user()))
    };
    own().when(set_levels(&[(one(1), NpiLevel::Admin)])).refused(Code::SelfGrant);
    own().when(set_levels(&[(NpiScope::All, NpiLevel::Processor)])).refused(Code::SelfGrant);
    own().when(set_types(&[one(0)], &[tax()], &[])).refused(Code::SelfGrant);
    own().when(set_levels(&[(one(0), NpiLevel::Processor)])).then(&[level_set(
        one(0),
        NpiLevel::Admin,
        NpiLevel::Processor,
    )]);
}

#[test]
fn nobody_makes_their_own_temporary_permission_lasting() {
    given::<Membership>(&[temporary(one(0), NpiLevel::Admin, after(60))])
        .by(Actor::user(user()))
        .when(set_levels(&[(one(0), NpiLevel::Admin)]))
        .refused(Code::SelfGrant);
}

#[test]
fn a_temporary_permission_ends_at_its_second_without_any_event() {
    let state = given::<Membership>(&[
        level_set(NpiScope::All, NpiLevel::None, NpiLevel::Processor),
        temporary(one(0), NpiLevel::Admin, after(60)),
    ])
    .state();
    assert_eq!(state.level(&npi(0), after(59)), NpiLevel::Admin);
    assert_eq!(state.level(&npi(0), after(60)), NpiLevel::Processor);
}

#[test]
fn an_expiry_is_written_down_at_its_time_and_takes_correspondence_along() {
    let history = [
        temporary(one(0), NpiLevel::Admin, after(60)),
        types_set(one(0), &[rad()], &[], &[rad()], Cause::Administrator),
    ];
    let end = || MembershipCommand::EndNpiPermission {
        of: KEY(),
        npi: one(0),
        cause: GrantEnd::Expired,
        effective_at: after(99),
    };
    let refusal = given::<Membership>(&history).at(after(59)).when(end()).refused(Code::TooEarly);
    assert_eq!(refusal.retry_at, Some(after(60)));
    given::<Membership>(&history).at(after(75)).when(end()).then(&[
        MembershipEvent::NpiPermissionEnded {
            user: user(),
            organization: clinic(),
            npi: one(0),
            old: NpiLevel::Admin,
            cause: GrantEnd::Expired,
            effective_at: after(60),
        },
        types_set(one(0), &[], &[rad()], &[], Cause::NpiPermissionRemoved),
    ]);
    given::<Membership>(&[]).when(end()).refused(Code::NotFound);
}

#[test]
fn an_end_that_has_passed_is_refused() {
    let change = NpiChange { npi: one(0), level: NpiLevel::Admin, until: Some(start()) };
    let command = MembershipCommand::SetNpiPermissions {
        of: KEY(),
        changes: vec![change],
        held: BTreeSet::from([npi(0)]),
        cause: Cause::Administrator,
    };
    given::<Membership>(&[]).when(command.clone()).refused(Code::RangeInvalid);
    given::<Membership>(&[]).at(start() - TimeDelta::seconds(1)).when(command).then(&[temporary(
        one(0),
        NpiLevel::Admin,
        start(),
    )]);
}

#[test]
fn a_detached_npi_takes_its_own_entry_and_leaves_what_holds_for_all() {
    let end = MembershipCommand::EndNpiPermission {
        of: KEY(),
        npi: one(0),
        cause: GrantEnd::NpiDetached,
        effective_at: after(5),
    };
    let state = given::<Membership>(&[
        level_set(NpiScope::All, NpiLevel::None, NpiLevel::Processor),
        level_set(one(0), NpiLevel::Processor, NpiLevel::Admin),
    ])
    .when(end)
    .then(&[MembershipEvent::NpiPermissionEnded {
        user: user(),
        organization: clinic(),
        npi: one(0),
        old: NpiLevel::Admin,
        cause: GrantEnd::NpiDetached,
        effective_at: after(5),
    }]);
    assert_eq!(state.level(&npi(0), start()), NpiLevel::Processor);
}

#[test]
fn the_wizard_needs_an_assigned_npi_or_is_deferred() {
    let finish = |steps| MembershipCommand::FinishPermissionWizard { of: KEY(), steps };
    let npi_step = || BTreeSet::from([WizardStep::Npi]);
    let assigned = [level_set(one(0), NpiLevel::None, NpiLevel::Processor)];
    given::<Membership>(&assigned)
        .when(finish(BTreeSet::from([WizardStep::Organization])))
        .refused(Code::NpiStepRequired);
    given::<Membership>(&[]).when(finish(npi_step())).refused(Code::NpiStepRequired);
    let state = given::<Membership>(&assigned).when(finish(npi_step())).then(&[
        MembershipEvent::PermissionsAssigned {
            user: user(),
            organization: clinic(),
            steps: npi_step(),
        },
    ]);
    assert_eq!(state.setup(), &Setup::Assigned(npi_step()));
    let state = given::<Membership>(&[])
        .when(MembershipCommand::DeferPermissions { of: KEY() })
        .then(&[MembershipEvent::PermissionsDeferred { user: user(), organization: clinic() }]);
    assert!(state.is_unassigned(start()) && state.setup() == &Setup::Deferred);
}

#[test]
fn a_returning_members_permissions_are_confirmed_or_end() {
    everything().when(MembershipCommand::ConfirmFormerPermissions { of: KEY() }).then(&[
        MembershipEvent::FormerPermissionsConfirmed { user: user(), organization: clinic() },
    ]);
    let cause = PermissionsEnd::NotConfirmed;
    let end = || MembershipCommand::EndMembershipPermissions { of: KEY(), cause };
    let state = everything().when(end()).then(&[MembershipEvent::MembershipPermissionsEnded {
        user: user(),
        organization: clinic(),
        cause,
    }]);
    assert_eq!(state, Membership::default());
    given::<Membership>(&[]).when(end()).then(&[]);
}

fn feature() -> Entitlement {
    Entitlement::Feature(Feature::EopReports)
}

fn grant(until: Option<DateTime<Utc>>) -> MembershipCommand {
    let grants = vec![EntitlementGrant { entitlement: feature(), until }];
    MembershipCommand::Grant { of: KEY(), grants, cause: Cause::Administrator }
}

fn granted(until: Option<DateTime<Utc>>) -> MembershipEvent {
    let grant = EntitlementGrant { entitlement: feature(), until };
    MembershipEvent::granted((user(), clinic()), grant, Cause::Administrator)
}

#[test]
fn every_kind_of_grant_is_given_and_taken_back() {
    for entitlement in [
        feature(),
        Entitlement::JobRole(id(20)),
        Entitlement::Location(id(21)),
        Entitlement::TaxId(id(22)),
    ] {
        let key = (user(), clinic());
        let grant = EntitlementGrant { entitlement, until: None };
        let fact = MembershipEvent::granted(key, grant, Cause::Request);
        let grants = vec![grant];
        let command = MembershipCommand::Grant { of: KEY(), grants, cause: Cause::Request };
        let state = given_none().when(command).then(std::slice::from_ref(&fact));
        assert!(state.holds(&entitlement, start()) && !state.is_unassigned(start()));
        let taken = MembershipEvent::revoked(key, entitlement, Cause::Plan);
        let entitlements = vec![entitlement];
        let command = MembershipCommand::Revoke { of: KEY(), entitlements, cause: Cause::Plan };
        let after = again(fact).when(command).then(&[taken]);
        assert!(!after.holds(&entitlement, start()) && after.is_unassigned(start()));
    }
}

fn given_none() -> Given<Membership> {
    given::<Membership>(&[])
}

fn again(fact: MembershipEvent) -> Given<Membership> {
    given::<Membership>(&[fact])
}

#[test]
fn a_grant_is_held_before_its_end_and_written_down_once() {
    let end = after(60);
    let state = given_none().when(grant(Some(end))).then(&[granted(Some(end))]);
    assert!(state.holds(&feature(), after(59)) && !state.holds(&feature(), end));
    let expire = || MembershipCommand::ExpireGrant { of: KEY(), entitlement: feature() };
    let expired = MembershipEvent::GrantExpired {
        user: user(),
        organization: clinic(),
        grant: feature(),
        effective_at: end,
    };
    let held = || given::<Membership>(&[granted(Some(end))]);
    held().at(after(59)).when(expire()).refused(Code::TooEarly);
    held().at(after(90)).when(expire()).then(std::slice::from_ref(&expired));
    given::<Membership>(&[granted(Some(end)), expired]).when(expire()).refused(Code::NotFound);
    given::<Membership>(&[granted(None)]).when(expire()).refused(Code::NotFound);
    given_none().when(grant(Some(start()))).refused(Code::RangeInvalid);
}

#[test]
fn nobody_grants_themself_more_and_the_same_again_is_no_fact() {
    let own = Actor::user(user());
    given_none().by(own).when(grant(None)).refused(Code::SelfGrant);
    let short = || given::<Membership>(&[granted(Some(after(60)))]).by(own);
    short().when(grant(Some(after(90)))).refused(Code::SelfGrant);
    short().when(grant(None)).refused(Code::SelfGrant);
    short().when(grant(Some(after(30)))).then(&[granted(Some(after(30)))]);
    given::<Membership>(&[granted(None)]).by(own).when(grant(None)).then(&[]);
}
