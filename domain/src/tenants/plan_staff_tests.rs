//! What plan staff may and may not be given (GN-31).

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::Actor;
use crate::kernel::ids::OrganizationId;
use crate::kernel::scenario::{given, start};

fn tenant() -> TenantId {
    TenantId(Uuid::from_u128(1))
}

fn ann() -> UserId {
    UserId(Uuid::from_u128(2))
}

fn invitation() -> InvitationId {
    InvitationId(Uuid::from_u128(3))
}

fn assigned(role: PlanRole, until: Option<DateTime<Utc>>) -> PlanStaffEvent {
    let organizations = BTreeSet::new();
    let (user, from, reason) = (ann(), start(), None);
    PlanStaffEvent::PlanRoleAssigned { user, role, from, until, organizations, reason }
}

fn ended(role: PlanRole, cause: PlanRoleEnd, effective_at: DateTime<Utc>) -> PlanStaffEvent {
    PlanStaffEvent::PlanRoleEnded { user: ann(), role, cause, effective_at, reason: None }
}

fn assign(tenant: TenantId, role: PlanRole, until: Option<DateTime<Utc>>) -> PlanStaffCommand {
    let scope = PlanScope::Whole;
    let (user, from, reason) = (ann(), None, None);
    PlanStaffCommand::AssignPlanRole { tenant, user, role, from, until, scope, reason }
}

fn end(role: PlanRole, cause: PlanRoleEnd) -> PlanStaffCommand {
    PlanStaffCommand::EndPlanRole { role, cause, reason: None }
}

fn invited() -> PlanStaffEvent {
    PlanStaffEvent::PlanStaffInvited {
        user: ann(),
        invitation: invitation(),
        roles: BTreeSet::from([PlanRole::Pa, PlanRole::Au]),
        until: None,
        organizations: BTreeSet::new(),
        reason: None,
    }
}

#[test]
fn an_invitation_becomes_roles_when_it_is_completed() {
    let roles = BTreeSet::from([PlanRole::Pa, PlanRole::Au]);
    let invite = PlanStaffCommand::InvitePlanStaff {
        tenant: tenant(),
        user: ann(),
        invitation: invitation(),
        roles: roles.clone(),
        until: None,
        scope: PlanScope::Whole,
        reason: None,
    };
    let state = given::<PlanStaff>(&[]).when(invite).then(&[invited()]);
    assert!(state.roles_at(start()).is_empty());
    let state = given::<PlanStaff>(&[invited()])
        .when(PlanStaffCommand::BeginPlanRoles { invitation: invitation() })
        .then(&[assigned(PlanRole::Pa, None), assigned(PlanRole::Au, None)]);
    assert_eq!(state.roles_at(start()), roles);
    assert_eq!(state.invitation(), None);
}

#[test]
fn another_or_a_completed_invitation_gives_nothing() {
    let begin = |id| PlanStaffCommand::BeginPlanRoles { invitation: id };
    let other = InvitationId(Uuid::from_u128(9));
    given::<PlanStaff>(&[invited()]).when(begin(other)).refused(Code::NotInvited);
    given::<PlanStaff>(&[invited(), assigned(PlanRole::Pa, None), assigned(PlanRole::Au, None)])
        .when(begin(invitation()))
        .refused(Code::NotInvited);
}

#[test]
fn an_invitation_needs_a_role() {
    let invite = PlanStaffCommand::InvitePlanStaff {
        tenant: tenant(),
        user: ann(),
        invitation: invitation(),
        roles: BTreeSet::new(),
        until: None,
        scope: PlanScope::Whole,
        reason: None,
    };
    given::<PlanStaff>(&[]).when(invite).refused(Code::FieldRequired);
}

#[test]
fn operators_live_in_the_operations_tenant_only() {
    given::<PlanStaff>(&[])
        .when(assign(TenantId::OPERATIONS, PlanRole::Operator, None))
        .then(&[assigned(PlanRole::Operator, None)]);
    given::<PlanStaff>(&[])
        .when(assign(tenant(), PlanRole::Operator, None))
        .refused(Code::RoleUnknown);
    given::<PlanStaff>(&[])
        .when(assign(TenantId::OPERATIONS, PlanRole::Au, None))
        .refused(Code::RoleUnknown);
}

#[test]
fn a_role_is_held_to_the_second_of_its_end() {
    let until = start() + TimeDelta::days(1);
    let state = given::<PlanStaff>(&[assigned(PlanRole::Au, Some(until))]).state();
    assert!(state.roles_at(start() - TimeDelta::seconds(1)).is_empty());
    assert!(state.roles_at(start()).contains(&PlanRole::Au));
    assert!(state.roles_at(until - TimeDelta::seconds(1)).contains(&PlanRole::Au));
    assert!(state.roles_at(until).is_empty());
}

#[test]
fn a_role_expires_at_its_end_and_not_a_second_before() {
    let until = start() + TimeDelta::days(1);
    let expire = || end(PlanRole::Au, PlanRoleEnd::Expired);
    let refusal = given::<PlanStaff>(&[assigned(PlanRole::Au, Some(until))])
        .at(until - TimeDelta::seconds(1))
        .when(expire())
        .refused(Code::TooEarly);
    assert_eq!(refusal.retry_at, Some(until));
    given::<PlanStaff>(&[assigned(PlanRole::Au, Some(until))])
        .at(until + TimeDelta::hours(1))
        .when(expire())
        .then(&[ended(PlanRole::Au, PlanRoleEnd::Expired, until)]);
    given::<PlanStaff>(&[assigned(PlanRole::Au, None)]).when(expire()).refused(Code::RangeInvalid);
}

#[test]
fn a_role_given_again_after_it_ran_out_first_ends() {
    let until = start() - TimeDelta::hours(1);
    given::<PlanStaff>(&[assigned(PlanRole::Au, Some(until))])
        .when(assign(tenant(), PlanRole::Au, None))
        .then(&[ended(PlanRole::Au, PlanRoleEnd::Expired, until), assigned(PlanRole::Au, None)]);
}

#[test]
fn a_role_held_is_not_given_twice_and_one_not_held_not_taken() {
    given::<PlanStaff>(&[assigned(PlanRole::Ps, None)])
        .when(assign(tenant(), PlanRole::Ps, None))
        .refused(Code::AlreadyAssigned);
    given::<PlanStaff>(&[]).when(end(PlanRole::Ps, PlanRoleEnd::Revoked)).refused(Code::NotFound);
    let state = given::<PlanStaff>(&[assigned(PlanRole::Ps, None)])
        .when(end(PlanRole::Ps, PlanRoleEnd::Revoked))
        .then(&[ended(PlanRole::Ps, PlanRoleEnd::Revoked, start())]);
    assert!(state.roles_at(start()).is_empty());
}

#[test]
fn an_end_before_the_beginning_is_refused() {
    given::<PlanStaff>(&[])
        .when(assign(tenant(), PlanRole::Ps, Some(start())))
        .refused(Code::RangeInvalid);
}

#[test]
fn nobody_gives_a_role_to_themself() {
    given::<PlanStaff>(&[assigned(PlanRole::Pa, None)])
        .by(Actor::plan_staff(ann()))
        .when(assign(tenant(), PlanRole::Au, None))
        .refused(Code::SelfGrant);
}

fn clinic() -> BTreeSet<OrganizationId> {
    BTreeSet::from([OrganizationId(Uuid::from_u128(10))])
}

fn scope(role: PlanRole, scope: PlanScope) -> PlanStaffCommand {
    PlanStaffCommand::ScopePlanRole { role, scope, reason: None }
}

#[test]
fn a_role_is_kept_to_organizations_from_its_invitation_on() {
    let invite = PlanStaffCommand::InvitePlanStaff {
        tenant: tenant(),
        user: ann(),
        invitation: invitation(),
        roles: BTreeSet::from([PlanRole::Ps]),
        until: None,
        scope: PlanScope::of(&clinic()),
        reason: None,
    };
    let invited = PlanStaffEvent::PlanStaffInvited {
        user: ann(),
        invitation: invitation(),
        roles: BTreeSet::from([PlanRole::Ps]),
        until: None,
        organizations: clinic(),
        reason: None,
    };
    given::<PlanStaff>(&[]).when(invite).then(std::slice::from_ref(&invited));
    let begun = PlanStaffEvent::PlanRoleAssigned {
        user: ann(),
        role: PlanRole::Ps,
        from: start(),
        until: None,
        organizations: clinic(),
        reason: None,
    };
    let state = given::<PlanStaff>(&[invited])
        .when(PlanStaffCommand::BeginPlanRoles { invitation: invitation() })
        .then(&[begun]);
    let scopes = state.scopes_at(start());
    assert_eq!(scopes, BTreeMap::from([(PlanRole::Ps, PlanScope::of(&clinic()))]));
}

#[test]
fn a_scope_is_changed_by_somebody_else_and_only_of_a_role_held() {
    let held = || given::<PlanStaff>(&[assigned(PlanRole::Au, None)]);
    let narrow = || scope(PlanRole::Au, PlanScope::of(&clinic()));
    let scoped = PlanStaffEvent::PlanRoleScoped {
        user: ann(),
        role: PlanRole::Au,
        old: BTreeSet::new(),
        new: clinic(),
        effective_at: start(),
        until: None,
        reason: None,
    };
    let state = held().when(narrow()).then(std::slice::from_ref(&scoped));
    assert_eq!(state.scopes_at(start())[&PlanRole::Au], PlanScope::of(&clinic()));
    given::<PlanStaff>(&[assigned(PlanRole::Au, None), scoped]).when(narrow()).then(&[]);
    held().by(Actor::plan_staff(ann())).when(narrow()).refused(Code::SelfGrant);
    held().when(scope(PlanRole::Ps, PlanScope::Whole)).refused(Code::NotFound);
    let many = (0..=MOST as u128).map(|n| OrganizationId(Uuid::from_u128(n))).collect();
    held().when(scope(PlanRole::Au, PlanScope::of(&many))).refused(Code::FieldTooLong);
    given::<PlanStaff>(&[assigned(PlanRole::Operator, None)])
        .when(scope(PlanRole::Operator, PlanScope::of(&clinic())))
        .refused(Code::FieldInvalid);
}
