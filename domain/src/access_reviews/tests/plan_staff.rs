//! The roles of the plan's own people on a list: decided by others, and given back only where a review ended them.

use super::*;
use crate::Told;
use crate::permissions::JobRoles;
use crate::policies::{OverdueAction, Policy, PolicyKey, PolicyValue, Preset};
use crate::tenants::{PlanRole, PlanRoleEnd, PlanRoleGrant, PlanScope, PlanStaffEvent};

fn plan_role(n: u128, role: PlanRole, organizations: &[OrganizationId]) -> Reviewed {
    let scope = PlanScope::of(&organizations.iter().copied().collect());
    let grant = PlanRoleGrant { user: id(n), from: start(), until: None, scope };
    Reviewed::of_plan_role(role, &grant)
}

/// Two administrators of the plan, and one who supports a single organisation.
fn staff() -> Vec<Reviewed> {
    vec![
        plan_role(1, PlanRole::Pa, &[]),
        plan_role(2, PlanRole::Pa, &[]),
        plan_role(3, PlanRole::Ps, &[mercy()]),
    ]
}

fn opened_of_staff() -> Vec<AccessReviewEvent> {
    let new = NewReview { scope: ReviewScope::PlanStaff, ..new_review(staff()) };
    given::<AccessReview>(&[]).when(open(new)).events().to_vec()
}

fn and(events: &[AccessReviewEvent], command: AccessReviewCommand) -> Vec<AccessReviewEvent> {
    let more = given::<AccessReview>(events).by(bob()).when(command).events().to_vec();
    [events, &more].concat()
}

fn assigned(n: u128, role: PlanRole, organizations: &[OrganizationId]) -> PlanStaffEvent {
    PlanStaffEvent::PlanRoleAssigned {
        user: id(n),
        role,
        from: start(),
        until: None,
        organizations: organizations.iter().copied().collect(),
        reason: None,
    }
}

fn ended(n: u128, role: PlanRole, cause: PlanRoleEnd) -> PlanStaffEvent {
    let effective_at = start();
    PlanStaffEvent::PlanRoleEnded { user: id(n), role, cause, effective_at, reason: None }
}

#[test]
fn gn_15_a_plan_role_is_kept_or_revoked_by_somebody_else_and_never_changed() {
    let events = opened_of_staff();
    let by = |n| given::<AccessReview>(&events).by(Actor::plan_staff(id(n)));
    by(1).when(decide(&[1], KEEP)).refused(Code::SelfReview);
    by(1).when(decide(&[1, 2], KEEP)).refused(Code::SelfReview);
    assert_eq!(by(1).when(decide(&[2, 3], KEEP)).events().len(), 2);
    assert_eq!(by(2).when(decide(&[1], REVOKE)).events().len(), 1);
    let role = ReviewDecision::Change { role: OrgRole::None };
    let refusal = by(1).when(decide(&[2], role)).refused(Code::FieldInvalid);
    assert!(refusal.message.contains("kept or taken away"), "{}", refusal.message);
    let day = CalendarDate::parse("2026-03-10").unwrap();
    let leaves = ReviewDecision::Revoke { left_on: Some(day) };
    by(1).when(decide(&[2], leaves)).refused(Code::FieldInvalid);
    // Another role, or the same for others, is another access.
    by(1).when(decide(&[2, 3], REVOKE)).refused(Code::FieldInvalid);
}

#[test]
fn gn_15_a_revoked_plan_role_is_kept_after_all() {
    let revoked = and(&opened_of_staff(), decide(&[1], REVOKE));
    let verified = and(&revoked, record(1, true));
    for events in [revoked, verified] {
        let by_bob = given::<AccessReview>(&events).by(bob());
        assert_eq!(by_bob.when(decide(&[1], KEEP)).events().len(), 1);
    }
}

#[test]
fn gn_15_only_what_a_review_ended_last_is_given_back() {
    let access = plan_role(1, PlanRole::Ps, &[]).access;
    let given = assigned(1, PlanRole::Ps, &[]);
    let by = |cause| ended(1, PlanRole::Ps, cause);
    assert!(access.was_ended_by_review(&[given.clone(), by(PlanRoleEnd::Review)]));
    let other = ended(1, PlanRole::Pa, PlanRoleEnd::Revoked);
    assert!(access.was_ended_by_review(&[given.clone(), by(PlanRoleEnd::Review), other]));
    for history in [
        vec![],
        vec![given.clone()],
        vec![given.clone(), by(PlanRoleEnd::Revoked)],
        vec![given.clone(), by(PlanRoleEnd::Expired)],
        vec![given.clone(), by(PlanRoleEnd::Review), given.clone()],
        vec![given, ended(1, PlanRole::Pa, PlanRoleEnd::Review)],
    ] {
        assert!(!access.was_ended_by_review(&history), "{history:?}");
    }
    assert!(!member(1, OrgRole::None).access.was_ended_by_review(&[by(PlanRoleEnd::Review)]));
}

#[test]
fn gn_15_what_happened_to_a_certified_plan_role_is_told_from_its_own_stream() {
    let kept = and(&opened_of_staff(), decide(&[1, 2, 3], KEEP));
    let signed = and(&kept, completing(complete(&[])));
    let told = |(position, event)| Told { position, occurred_at: start(), event };
    let baseline = Baseline::of(&(10..).zip(signed).map(told).collect::<Vec<_>>());
    let carried = |now: Vec<Reviewed>, since: &[(u128, PlanStaffEvent)], at: DateTime<Utc>| {
        let told =
            |event: &PlanStaffEvent| Told { position: 100, occurred_at: at, event: event.clone() };
        let since = since.iter().map(|(n, event)| (id(*n), vec![told(event)])).collect();
        baseline.split(now, &Since::of_plan_staff(since)).carried.len()
    };
    let later = days(1);
    assert_eq!(carried(staff(), &[], later), 3);
    let again = assigned(1, PlanRole::Pa, &[]);
    assert_eq!(carried(staff(), &[(1, again.clone())], later), 2, "given again by somebody");
    assert_eq!(carried(staff(), &[(1, again)], start()), 3, "given back by that decision");
    let ended = ended(1, PlanRole::Pa, PlanRoleEnd::Review);
    assert_eq!(carried(staff(), &[(1, ended)], later), 2);
    let other = assigned(1, PlanRole::Au, &[]);
    assert_eq!(carried(staff(), &[(1, other)], later), 3, "another role");
    let mut wider = staff();
    wider[2] = plan_role(3, PlanRole::Ps, &[]);
    assert_eq!(carried(wider, &[], later), 2, "for the whole plan now");
}

#[test]
fn gn_15_roles_that_change_peoples_access_or_read_the_log_are_of_high_risk() {
    let risk = |role| plan_role(1, role, &[]).access.risk(&JobRoles::new());
    for role in [PlanRole::Operator, PlanRole::Pa, PlanRole::Ps, PlanRole::Au] {
        assert_eq!(risk(role), Risk::High, "{role:?}");
    }
    for role in [PlanRole::Qi, PlanRole::Ce] {
        assert_eq!(risk(role), Risk::Ordinary, "{role:?}");
    }
}

#[test]
fn gn_15_a_person_has_a_plan_role_once_whatever_it_counts_for() {
    let (whole, one) = (plan_role(1, PlanRole::Ps, &[]), plan_role(1, PlanRole::Ps, &[mercy()]));
    assert_ne!(whole, one);
    assert_eq!(whole.access.thing(), one.access.thing());
    assert_ne!(whole.access.thing(), plan_role(1, PlanRole::Pa, &[]).access.thing());
    let kinds = [whole.access, member(1, OrgRole::None).access];
    assert_eq!(kinds.map(|it| it.is_of_member()), [false, true]);
}

#[test]
fn gn_15_the_plan_does_not_suspend_itself_when_nobody_signs() {
    let suspend = PolicyValue::Text("SUSPEND".to_owned());
    let policy = Policy::from(Preset::MediCal).with(PolicyKey::ReviewOverdueAction, suspend);
    let watch = |scope: ReviewScope| {
        let new = NewReview { scope, ..new_review(staff()) };
        let events = given::<AccessReview>(&[]).when(open(new)).events().to_vec();
        let told = given::<AccessReview>(&events).under(policy.clone()).at(days(28));
        let told = told.when(AccessReviewCommand::Watch).events().to_vec();
        let action = |action| {
            told.iter().any(|event| {
            matches!(event, AccessReviewEvent::AccessReviewEscalated { action: of, .. } if *of == action)
        })
        };
        (action(OverdueAction::Escalate), action(OverdueAction::Suspend))
    };
    assert_eq!(watch(ReviewScope::PlanStaff), (true, false));
    assert_eq!(watch(ReviewScope::Roster), (false, true));
}
