//! Registration, invitations, roles, deactivation and email domains.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::kernel::scenario::{after, start};
use crate::organizations::organization::Dormancy;
use crate::organizations::{Authority, DeactivationCause, InvitationEnd};
use crate::policies::{Policy, Preset};
use crate::values::CalendarDate;
use crate::{Actor, Code};

fn register(by: MembershipOrigin, signed_in: bool) -> RosterCommand {
    RosterCommand::RegisterOrganization {
        registration: registration(),
        user: ann(),
        email_domain: domain(),
        signed_in,
        by,
    }
}

fn invite(user: UserId) -> RosterCommand {
    RosterCommand::InviteMember { user, invitation: invitation(), email_domain: domain() }
}

fn invited(user: UserId) -> OrganizationEvent {
    OrganizationEvent::MemberInvited {
        organization: clinic(),
        user,
        invitation: invitation(),
        email_domain: domain(),
    }
}

fn bob_joined() -> OrganizationEvent {
    joined(bob(), OrgRole::None, MembershipOrigin::Invitation)
}

fn assign(user: UserId, role: OrgRole, authority: Authority) -> RosterCommand {
    RosterCommand::AssignOrgRole { user, role, cause: Cause::Administrator, authority }
}

fn promoted(user: UserId) -> OrganizationEvent {
    role_assigned(user, OrgRole::None, OrgRole::Admin, Cause::Administrator)
}

fn deactivate(user: UserId, authority: Authority) -> RosterCommand {
    RosterCommand::DeactivateUser { user, confirmed: true, reason: None, left_on: None, authority }
}

fn deactivated(user: UserId) -> OrganizationEvent {
    OrganizationEvent::UserDeactivated {
        organization: clinic(),
        user,
        reason: None,
        left_on: None,
        deactivated_at: start(),
        effective_at: start(),
    }
}

fn reactivate(confirmed: bool, permissions_reviewed: bool) -> RosterCommand {
    RosterCommand::ReactivateUser { user: bob(), confirmed, permissions_reviewed }
}

fn reactivated_at(at: DateTime<Utc>) -> OrganizationEvent {
    OrganizationEvent::UserReactivated {
        organization: clinic(),
        user: bob(),
        reactivated_at: Some(at),
    }
}

#[test]
fn the_registrant_becomes_administrator() {
    let state = given::<Organization>(&[enrolled()])
        .when(register(MembershipOrigin::Registration, false).into())
        .then(&opened());
    assert_eq!(state.role_of(ann(), start()), OrgRole::Admin);
    assert!(state.is_active() && !state.is_adminless(start()));
}

#[test]
fn an_organization_added_while_signed_in_shows_after_the_next_sign_in() {
    let state = given::<Organization>(&[enrolled()])
        .when(register(MembershipOrigin::Token, true).into())
        .then(&[
            registered(),
            domain_added(),
            OrganizationEvent::MembershipAdded {
                organization: clinic(),
                user: ann(),
                role: OrgRole::Admin,
                email_domain: domain(),
                by: MembershipOrigin::Token,
                joined_at: start(),
                effective_from_next_login: true,
            },
            role_assigned(ann(), OrgRole::None, OrgRole::Admin, Cause::Registration),
        ]);
    let member = state.member(ann()).unwrap();
    assert!(
        !member.is_visible_to_session(start(), after(9))
            && member.is_visible_to_session(after(1), after(9))
    );
}

#[test]
fn registration_is_refused_where_it_happened_or_no_contract_is() {
    let again = || register(MembershipOrigin::Token, false).into();
    open_clinic(&[]).when(again()).refused(Code::OrgAlreadyRegistered);
    let contract_status = ContractStatus::NotContracted;
    given::<Organization>(&[enrolled_as(Enrolment { contract_status, ..enrolment() })])
        .under(Preset::Cencal)
        .when(again())
        .refused(Code::NotContracted);
    let suspended = OrganizationEvent::OrganizationSuspended {
        organization: clinic(),
        reason: sealed_reason(),
    };
    given::<Organization>(&[enrolled(), suspended]).when(again()).refused(Code::OrgNotActive);
}

#[test]
fn an_invitation_makes_a_member_without_permission_when_completed() {
    open_clinic(&[]).when(invite(bob()).into()).then(&[invited(bob())]);
    let join =
        |invitation| RosterCommand::JoinByInvitation { user: bob(), invitation, signed_in: false };
    let state =
        open_clinic(&[invited(bob())]).when(join(invitation()).into()).then(&[bob_joined()]);
    assert!(state.is_active_member(bob(), start()));
    assert_eq!(state.role_of(bob(), start()), OrgRole::None);
    open_clinic(&[invited(bob())]).when(join(id(99)).into()).refused(Code::NotInvited);
    open_clinic(&[invited(bob()), bob_joined()])
        .when(join(invitation()).into())
        .refused(Code::NotInvited);
}

#[test]
fn a_role_given_to_an_invited_person_waits_for_them() {
    let before = open_clinic(&[invited(bob())])
        .when(assign(bob(), OrgRole::Admin, Authority::Organization).into())
        .then(&[promoted(bob())]);
    assert_eq!(before.role_of(bob(), start()), OrgRole::None);
    let join =
        RosterCommand::JoinByInvitation { user: bob(), invitation: invitation(), signed_in: false };
    let state = open_clinic(&[invited(bob()), promoted(bob())]).when(join.into()).then(&[joined(
        bob(),
        OrgRole::Admin,
        MembershipOrigin::Invitation,
    )]);
    assert_eq!(state.role_of(bob(), start()), OrgRole::Admin);
}

#[test]
fn nobody_is_invited_twice_and_nobody_into_a_closed_door() {
    open_clinic(&[invited(bob())]).when(invite(bob()).into()).refused(Code::EmailTakenInOrg);
    open_clinic(&[]).when(invite(ann()).into()).refused(Code::EmailTakenInOrg);
    given::<Organization>(&[enrolled()]).when(invite(bob()).into()).refused(Code::OrgNotActive);
}

#[test]
fn an_ended_invitation_leaves_room_for_another() {
    let cause = InvitationEnd::Expired;
    let end = RosterCommand::EndMemberInvitation { user: bob(), invitation: invitation(), cause };
    let ended = OrganizationEvent::MemberInvitationEnded {
        organization: clinic(),
        user: bob(),
        invitation: invitation(),
        cause,
    };
    open_clinic(&[invited(bob())]).when(end.clone().into()).then(std::slice::from_ref(&ended));
    open_clinic(&[]).when(end.into()).refused(Code::NotInvited);
    open_clinic(&[invited(bob()), ended]).when(invite(bob()).into()).then(&[invited(bob())]);
}

#[test]
fn plan_staff_attach_a_person_who_has_an_account() {
    let attach = |user| RosterCommand::AttachUser {
        user,
        email_domain: "agency.example".into(),
        role: OrgRole::Processor,
    };
    let domain = "agency.example".to_owned();
    open_clinic(&[]).when(attach(bob()).into()).then(&[
        OrganizationEvent::EmailDomainAdded { organization: clinic(), domain: domain.clone() },
        OrganizationEvent::MembershipAdded {
            organization: clinic(),
            user: bob(),
            role: OrgRole::Processor,
            email_domain: domain,
            by: MembershipOrigin::Plan,
            joined_at: start(),
            effective_from_next_login: false,
        },
        role_assigned(bob(), OrgRole::None, OrgRole::Processor, Cause::Plan),
    ]);
    open_clinic(&[]).when(attach(ann()).into()).refused(Code::EmailTakenInOrg);
    open_clinic(&[])
        .by(Actor::plan_staff(bob()))
        .when(attach(bob()).into())
        .refused(Code::SelfGrant);
}

#[test]
fn a_role_changes_and_setting_the_same_changes_nothing() {
    open_clinic(&[bob_joined()])
        .when(assign(bob(), OrgRole::Admin, Authority::Organization).into())
        .then(&[promoted(bob())]);
    open_clinic(&[bob_joined()])
        .when(assign(bob(), OrgRole::None, Authority::Organization).into())
        .then(&[]);
    open_clinic(&[])
        .when(assign(bob(), OrgRole::Admin, Authority::Organization).into())
        .refused(Code::NotFound);
}

#[test]
fn nobody_raises_their_own_role() {
    open_clinic(&[bob_joined()])
        .by(Actor::user(bob()))
        .when(assign(bob(), OrgRole::Processor, Authority::Organization).into())
        .refused(Code::SelfGrant);
}

#[test]
fn the_last_administrator_stays_unless_the_plan_decides() {
    let own = Authority::Organization;
    open_clinic(&[bob_joined()]).when(deactivate(ann(), own).into()).refused(Code::LastAdmin);
    open_clinic(&[bob_joined()])
        .when(assign(ann(), OrgRole::Processor, own).into())
        .refused(Code::LastAdmin);
    let state = open_clinic(&[bob_joined()])
        .when(deactivate(ann(), Authority::Plan).into())
        .then(&[deactivated(ann())]);
    assert!(state.is_adminless(start()));
    open_clinic(&[bob_joined(), promoted(bob())])
        .when(deactivate(ann(), own).into())
        .then(&[deactivated(ann())]);
}

#[test]
fn an_invited_or_deactivated_administrator_does_not_count() {
    let own = Authority::Organization;
    open_clinic(&[invited(bob()), promoted(bob())])
        .when(deactivate(ann(), own).into())
        .refused(Code::LastAdmin);
    open_clinic(&[bob_joined(), promoted(bob()), deactivated(bob())])
        .when(deactivate(ann(), own).into())
        .refused(Code::LastAdmin);
}

#[test]
fn a_user_is_deactivated_once_after_confirmation() {
    let unconfirmed = RosterCommand::DeactivateUser {
        user: bob(),
        confirmed: false,
        reason: None,
        left_on: None,
        authority: Authority::Organization,
    };
    open_clinic(&[bob_joined()]).when(unconfirmed.into()).refused(Code::ConfirmationRequired);
    let again = deactivate(bob(), Authority::Organization);
    open_clinic(&[bob_joined(), deactivated(bob())])
        .when(again.clone().into())
        .refused(Code::AlreadyInactive);
    open_clinic(&[invited(bob())]).when(again.into()).refused(Code::NotFound);
}

#[test]
fn access_ended_with_the_last_local_day() {
    let leave = |day| RosterCommand::DeactivateUser {
        user: bob(),
        confirmed: true,
        reason: Some(reason()),
        left_on: Some(CalendarDate::parse(day).unwrap()),
        authority: Authority::Organization,
    };
    let gone = |day, effective_at| OrganizationEvent::UserDeactivated {
        organization: clinic(),
        user: bob(),
        reason: Some(Sealed::new(bob(), reason())),
        left_on: Some(CalendarDate::parse(day).unwrap()),
        deactivated_at: start(),
        effective_at,
    };
    let midnight = "2026-03-01T08:00:00Z".parse().unwrap();
    open_clinic(&[bob_joined()])
        .when(leave("2026-02-28").into())
        .then(&[gone("2026-02-28", midnight)]);
    open_clinic(&[bob_joined()])
        .when(leave("2026-03-02").into())
        .then(&[gone("2026-03-02", start())]);
}

#[test]
fn a_deactivated_user_is_active_again_after_confirmation() {
    let reactivated = reactivated_at(start());
    let gone = [bob_joined(), promoted(bob()), deactivated(bob())];
    open_clinic(&gone).when(reactivate(false, false).into()).refused(Code::ConfirmationRequired);
    let state = open_clinic(&gone).when(reactivate(true, false).into()).then(&[reactivated]);
    assert_eq!(state.role_of(bob(), start()), OrgRole::Admin);
    open_clinic(&[bob_joined()]).when(reactivate(true, false).into()).refused(Code::NotInactive);
}

#[test]
fn after_ninety_days_the_former_permissions_are_reviewed_first() {
    let gone = [bob_joined(), deactivated(bob())];
    let ninety = TimeDelta::days(90);
    open_clinic(&gone)
        .at(start() + ninety - TimeDelta::seconds(1))
        .when(reactivate(true, false).into())
        .then(&[reactivated_at(start() + ninety - TimeDelta::seconds(1))]);
    let refusal = open_clinic(&gone)
        .at(start() + ninety)
        .when(reactivate(true, false).into())
        .refused(Code::ConfirmationRequired);
    assert_eq!(refusal.field, ["confirmPermissions"]);
    open_clinic(&gone)
        .at(start() + ninety)
        .when(reactivate(true, true).into())
        .then(&[reactivated_at(start() + ninety)]);
}

#[test]
fn a_domain_is_removed_when_no_active_user_has_it() {
    let remove = |domain: &str| RosterCommand::RemoveEmailDomain { domain: domain.into() };
    let refusal =
        open_clinic(&[bob_joined()]).when(remove(&domain()).into()).refused(Code::DomainInUse);
    assert_eq!(refusal.details, [ann().to_string(), bob().to_string()]);
    open_clinic(&[deactivated(ann())]).when(remove(&domain()).into()).then(&[
        OrganizationEvent::EmailDomainRemoved { organization: clinic(), domain: domain() },
    ]);
    open_clinic(&[]).when(remove("elsewhere.example").into()).refused(Code::NotFound);
}

#[test]
fn a_member_who_changes_address_frees_the_old_domain() {
    let change =
        RosterCommand::ChangeMemberEmailDomain { user: ann(), email_domain: "new.example".into() };
    let state = open_clinic(&[]).when(change.into()).then(&[
        OrganizationEvent::EmailDomainAdded {
            organization: clinic(),
            domain: "new.example".into(),
        },
        OrganizationEvent::MemberEmailDomainChanged {
            organization: clinic(),
            user: ann(),
            old: domain(),
            new: "new.example".into(),
        },
    ]);
    assert!(state.active_users_of(&domain()).is_empty());
}

#[test]
fn facts_about_a_member_are_counted_through_a_second_invitation_too() {
    let ended = OrganizationEvent::MemberInvitationEnded {
        organization: clinic(),
        user: bob(),
        invitation: invitation(),
        cause: InvitationEnd::Expired,
    };
    let mut state = Organization::default();
    let facts = [invited(bob()), ended, invited(bob()), bob_joined(), promoted(bob())];
    for (count, fact) in (1..).zip(&facts) {
        state.evolve(fact);
        assert_eq!(state.member(bob()).map(|member| member.facts), Some(count));
    }
    state.evolve(&OrganizationEvent::EmailDomainAdded { organization: clinic(), domain: domain() });
    assert_eq!(state.member(bob()).map(|member| member.facts), Some(5));
}

#[test]
fn mc_32_who_waits_too_long_for_a_permission_is_warned_of_once_and_deactivated() {
    // By the clocks of California, which go forward within the month.
    let end = start() + TimeDelta::days(30) - TimeDelta::hours(1);
    let near = end - TimeDelta::days(7);
    let second = TimeDelta::seconds(1);
    let watch = || RosterCommand::WatchUnassigned { user: bob() }.into();
    let cause = DeactivationCause::NoPermissions;
    let warned = OrganizationEvent::UserDeactivationWarned {
        organization: clinic(),
        user: bob(),
        cause,
        deactivates_at: end,
    };
    open_clinic(&[bob_joined()]).at(near - second).when(watch()).then(&[]);
    open_clinic(&[bob_joined()]).at(near).when(watch()).then(std::slice::from_ref(&warned));
    let told = || open_clinic(&[bob_joined(), warned.clone()]);
    told().at(end - second).when(watch()).then(&[]);
    let gone = OrganizationEvent::UserAutoDeactivated {
        organization: clinic(),
        user: bob(),
        cause,
        deactivated_at: end,
    };
    let state = told().at(end).when(watch()).then(&[gone]);
    assert!(!state.is_active_member(bob(), start()));
    open_clinic(&[bob_joined(), promoted(bob())]).at(end).when(watch()).then(&[]);
    open_clinic(&[bob_joined()]).under(Preset::Cencal).at(end).when(watch()).then(&[]);
}

fn watch_dormant(user: UserId, seen: Option<DateTime<Utc>>) -> OrganizationCommand {
    RosterCommand::WatchDormant { user, seen }.into()
}

fn told_dormant(deactivates_at: DateTime<Utc>) -> OrganizationEvent {
    OrganizationEvent::UserDeactivationWarned {
        organization: clinic(),
        user: bob(),
        cause: DeactivationCause::Dormant,
        deactivates_at,
    }
}

fn gone_dormant(deactivated_at: DateTime<Utc>) -> OrganizationEvent {
    OrganizationEvent::UserAutoDeactivated {
        organization: clinic(),
        user: bob(),
        cause: DeactivationCause::Dormant,
        deactivated_at,
    }
}

#[test]
fn mc_32_who_does_not_sign_in_is_told_of_once_and_deactivated_to_the_second() {
    let second = TimeDelta::seconds(1);
    // By the clocks of California, which go forward meanwhile.
    let days = |days| start() + TimeDelta::days(days) - TimeDelta::hours(1);
    for (preset, after) in [(Preset::MediCal, 180), (Preset::Hardened, 90)] {
        let (end, near) = (days(after), days(after - 7));
        let bobs = |more: &[OrganizationEvent]| {
            open_clinic(&[&[bob_joined()], more].concat()).under(preset)
        };
        let watch = || watch_dormant(bob(), None);
        bobs(&[]).at(near - second).when(watch()).then(&[]);
        bobs(&[]).at(near).when(watch()).then(&[told_dormant(end)]);
        bobs(&[told_dormant(end)]).at(end - second).when(watch()).then(&[]);
        bobs(&[told_dormant(end)]).at(end).when(watch()).then(&[gone_dormant(end)]);
        // A sign-in counts, even one in the last second, and the word given is none of the next end.
        let seen = || watch_dormant(bob(), Some(end - second));
        bobs(&[told_dormant(end)]).at(end).when(seen()).then(&[]);
        // Who was gone and came back begins anew.
        let back = OrganizationEvent::UserReactivated {
            organization: clinic(),
            user: bob(),
            reactivated_at: Some(end),
        };
        bobs(&[told_dormant(end), gone_dormant(end), back]).at(end).when(watch()).then(&[]);
    }
}

#[test]
fn mc_32_nobody_is_deactivated_for_absence_who_was_not_told_of_before() {
    let late = start() + TimeDelta::days(300);
    let told = told_dormant(late + TimeDelta::days(7));
    let watch = || watch_dormant(bob(), Some(start()));
    open_clinic(&[bob_joined()]).at(late).when(watch()).then(std::slice::from_ref(&told));
    let end = late + TimeDelta::days(7);
    open_clinic(&[bob_joined(), told.clone()]).at(end).when(watch()).then(&[gone_dormant(end)]);
    // The word of another deactivation is not the word of this one.
    let unassigned = OrganizationEvent::UserDeactivationWarned {
        organization: clinic(),
        user: bob(),
        cause: DeactivationCause::NoPermissions,
        deactivates_at: end,
    };
    open_clinic(&[bob_joined(), unassigned]).at(late).when(watch()).then(&[told]);
}

#[test]
fn mc_32_the_last_administrator_stays_however_long_away() {
    let late = start() + TimeDelta::days(700);
    let watch = || watch_dormant(ann(), None);
    open_clinic(&[bob_joined()]).at(late).when(watch()).then(&[]);
    let state = open_clinic(&[bob_joined()]).at(late).state();
    let policy = Policy::from(Preset::MediCal);
    assert_eq!(state.dormancy(ann(), None, &policy, late), Dormancy::Spared);
    assert_eq!(
        state.dormancy(bob(), None, &Policy::from(Preset::MediCal), start()).next_look(),
        Some(start() + TimeDelta::days(173) - TimeDelta::hours(1))
    );
    let told = OrganizationEvent::UserDeactivationWarned {
        organization: clinic(),
        user: ann(),
        cause: DeactivationCause::Dormant,
        deactivates_at: late + TimeDelta::days(7),
    };
    open_clinic(&[bob_joined(), promoted(bob())]).at(late).when(watch()).then(&[told]);
}

#[test]
fn gn_33_the_first_imported_person_opens_an_organization_nobody_registered() {
    let import = |role| {
        let email_domain = domain();
        OrganizationCommand::from(RosterCommand::ImportMember { user: bob(), email_domain, role })
    };
    let opened = OrganizationEvent::OrganizationRegistered {
        organization: clinic(),
        name: enrolment().name,
        kinds: enrolment().kinds,
        registration: id(10),
    };
    let state = given::<Organization>(&[enrolled()]).when(import(OrgRole::Admin)).then(&[
        opened,
        OrganizationEvent::EmailDomainAdded { organization: clinic(), domain: domain() },
        joined(bob(), OrgRole::Admin, MembershipOrigin::Import),
        role_assigned(bob(), OrgRole::None, OrgRole::Admin, Cause::LegacyImport),
    ]);
    assert!(state.is_active());
    open_clinic(&[]).when(import(OrgRole::None)).then(&[joined(
        bob(),
        OrgRole::None,
        MembershipOrigin::Import,
    )]);
    open_clinic(&[bob_joined()]).when(import(OrgRole::None)).then(&[]);
    open_clinic(&[bob_joined()]).when(import(OrgRole::Admin)).then(&[role_assigned(
        bob(),
        OrgRole::None,
        OrgRole::Admin,
        Cause::LegacyImport,
    )]);
    open_clinic(&[bob_joined(), promoted(bob())]).when(import(OrgRole::Processor)).then(&[]);
    open_clinic(&[invited(bob())]).when(import(OrgRole::None)).refused(Code::EmailTakenInOrg);
    open_clinic(&[bob_joined(), deactivated(bob())])
        .when(import(OrgRole::None))
        .refused(Code::AlreadyInactive);
    open_clinic(&[])
        .by(Actor::user(bob()))
        .when(import(OrgRole::Processor))
        .refused(Code::SelfGrant);
}

#[test]
fn cx_05_a_further_administrator_is_requested_once_and_granted_or_declined() {
    let reason = || Reason::parse("Covers the second office.").unwrap();
    let request =
        || OrganizationCommand::from(RosterCommand::RequestAdmin { user: bob(), reason: reason() });
    let submitted = OrganizationEvent::AdminRequestSubmitted {
        organization: clinic(),
        user: bob(),
        requested_by: ann(),
        requested_at: start(),
        reason: Sealed::new(bob(), reason()),
    };
    let by_ann = |events: &[OrganizationEvent]| open_clinic(events).by(Actor::user(ann()));
    by_ann(&[bob_joined()]).when(request()).then(std::slice::from_ref(&submitted));
    by_ann(&[bob_joined(), submitted.clone()]).when(request()).refused(Code::DuplicateRequest);
    by_ann(&[bob_joined(), promoted(bob())]).when(request()).refused(Code::AlreadyDecided);
    by_ann(&[]).when(request()).refused(Code::NotFound);

    let decline = || {
        OrganizationCommand::from(RosterCommand::DeclineAdminRequest {
            user: bob(),
            reason: reason(),
        })
    };
    let declined = OrganizationEvent::AdminRequestDeclined {
        organization: clinic(),
        user: bob(),
        reason: Sealed::new(bob(), reason()),
    };
    let state = open_clinic(&[bob_joined(), submitted.clone()]).when(decline()).then(&[declined]);
    assert!(state.member(bob()).unwrap().admin_requested_by.is_none());
    let granted = [bob_joined(), submitted, promoted(bob())];
    open_clinic(&granted).when(decline()).refused(Code::NotPending);
}

#[test]
fn cc_07_the_plans_evidence_is_kept_sealed_under_the_person() {
    let evidence = || Reason::parse("Letter of the clinic, 1 March 2026.").unwrap();
    let record = RosterCommand::RecordPlanEvidence { user: bob(), evidence: evidence() };
    let recorded = OrganizationEvent::PlanEvidenceRecorded {
        organization: clinic(),
        user: bob(),
        evidence: Sealed::new(bob(), evidence()),
    };
    open_clinic(&[bob_joined()]).when(record.into()).then(&[recorded]);
}
