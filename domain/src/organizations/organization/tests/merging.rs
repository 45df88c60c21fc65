//! An organisation goes over into another one (GN-03).

use super::file::{attached, npi};
use super::*;
use crate::Code;
use crate::kernel::scenario::{after, start};
use crate::organizations::{MergePart, MergeStage, MergedRoles};
use crate::values::CalendarDate;

fn hospital() -> OrganizationId {
    id(11)
}

fn begin(into: OrganizationId) -> OrganizationCommand {
    let (parts, roles) = (MergePart::ALL.into(), MergedRoles::Drop);
    MergeCommand::BeginMerge { into, parts, roles, reason: reason() }.into()
}

fn begun() -> OrganizationEvent {
    OrganizationEvent::OrganizationMergeBegun {
        organization: clinic(),
        into: hospital(),
        parts: MergePart::ALL.into(),
        roles: MergedRoles::Drop,
        reason: sealed_reason(),
    }
}

fn moved(user: UserId) -> OrganizationEvent {
    let (organization, into, moved_at) = (clinic(), hospital(), start());
    OrganizationEvent::MemberMoved { organization, user, into, moved_at }
}

/// The clinic as the one that takes another organisation over.
fn absorbing(more: &[OrganizationEvent]) -> Given<Organization> {
    let begun =
        OrganizationEvent::OrganizationAbsorptionBegun { organization: clinic(), from: hospital() };
    open_clinic(&[vec![begun], more.to_vec()].concat())
}

fn take(user: UserId, role: OrgRole, planned_end: Option<PlannedEnd>) -> OrganizationCommand {
    let take = TakeMember { user, email_domain: domain(), role, planned_end };
    MergeCommand::TakeMember(Box::new(take)).into()
}

#[test]
fn gn_03_who_was_to_leave_leaves_the_successor_then_unless_it_wants_them_itself() {
    let at = after(86_400);
    let left_on = CalendarDate::parse("2026-03-02").unwrap();
    let reason = Some(Sealed::new(bob(), reason()));
    let end = || Some(PlannedEnd { at, left_on, reason: reason.clone() });
    let ends = OrganizationEvent::MembershipEndPlanned {
        organization: clinic(),
        user: bob(),
        left_on,
        effective_at: at,
        reason: reason.clone(),
    };
    let comes = [joined(bob(), OrgRole::None, MembershipOrigin::Merge), ends];
    let state = absorbing(&[]).when(take(bob(), OrgRole::None, end())).then(&comes);
    assert!(state.is_active_member(bob(), start()) && !state.is_active_member(bob(), at));
    let member = [joined(bob(), OrgRole::None, MembershipOrigin::Plan)];
    let state = absorbing(&member).when(take(bob(), OrgRole::Admin, end())).then(&[]);
    assert!(state.is_active_member(bob(), at), "what they have there stays theirs");
}

#[test]
fn gn_03_nobody_registers_and_nobody_comes_back_where_a_merger_is_under_way() {
    let merging = |history: &[OrganizationEvent]| {
        let begun = [begun()];
        given::<Organization>(&[history, &begun].concat())
    };
    let register = RosterCommand::RegisterOrganization {
        registration: registration(),
        user: bob(),
        email_domain: domain(),
        signed_in: false,
        by: MembershipOrigin::Registration,
    };
    merging(&[enrolled()]).when(register.into()).refused(Code::OrgNotActive);
    merging(&[enrolled()]).when(RosterCommand::OpenByPlan.into()).refused(Code::OrgNotActive);
    let back =
        RosterCommand::ReactivateUser { user: ann(), confirmed: true, permissions_reviewed: true };
    open_clinic(&[begun(), moved(ann())]).when(back.into()).refused(Code::OrgNotActive);
}

#[test]
fn gn_03_a_merger_begins_once_and_freezes_what_goes_over() {
    let state = open_clinic(&[]).when(begin(hospital())).then(&[begun()]);
    assert!(state.is_active(), "its people go on until it is their turn");
    open_clinic(&[begun()]).when(begin(hospital())).then(&[]);
    open_clinic(&[begun()]).when(begin(id(12))).refused(Code::AlreadyDecided);
    open_clinic(&[]).when(begin(clinic())).refused(Code::FieldInvalid);
    absorbing(&[]).when(begin(id(12))).refused(Code::OrgNotActive);
    let invite = RosterCommand::InviteMember {
        user: bob(),
        invitation: invitation(),
        email_domain: domain(),
    };
    open_clinic(&[begun()]).when(invite.into()).refused(Code::OrgNotActive);
    let kinds = OrganizationKinds::from([OrganizationKind::Submitter]);
    let set = OrganizationCommand::SetOrganizationKinds { kinds };
    open_clinic(&[begun()]).when(set).refused(Code::OrgNotActive);
    let close = || OrganizationCommand::CloseOrganization { reason: reason() };
    open_clinic(&[begun()]).when(close()).refused(Code::OrgNotActive);
    absorbing(&[]).when(close()).refused(Code::OrgNotActive);
}

#[test]
fn gn_03_an_organization_is_merged_when_nobody_and_no_npi_is_left() {
    let complete = || OrganizationCommand::from(MergeCommand::CompleteMerge);
    open_clinic(&[begun()]).when(complete()).refused(Code::NotPending);
    let state = open_clinic(&[begun()])
        .when(MergeCommand::MoveMember { user: ann() }.into())
        .then(&[moved(ann())]);
    assert!(!state.is_active_member(ann(), start()));
    let held = [attached(-10), begun(), moved(ann())];
    open_clinic(&held).when(complete()).refused(Code::NotPending);
    let detached = OrganizationEvent::NpiDetached {
        organization: clinic(),
        npi: npi(),
        effective_at: start(),
        reason: None,
    };
    open_clinic(&held)
        .when(MergeCommand::HandOverNpi { npi: npi() }.into())
        .then(std::slice::from_ref(&detached));
    let stage = MergeStage::People;
    let progress = MergeCommand::RecordProgress { stage, count: 1 };
    open_clinic(&held).when(progress.into()).then(&[
        OrganizationEvent::OrganizationMergeAdvanced {
            organization: clinic(),
            into: hospital(),
            stage,
            count: 1,
        },
    ]);
    let done = [held.to_vec(), vec![detached]].concat();
    let merged = OrganizationEvent::OrganizationMerged { organization: clinic(), into: hospital() };
    let state = open_clinic(&done).when(complete()).then(&[merged]);
    assert_eq!(state.phase(), Phase::Closed);
    assert_eq!(state.merger().map(|merger| merger.into), Some(hospital()));
}

#[test]
fn gn_03_a_successor_takes_people_in_no_less_than_they_were() {
    let take = |user, role| take(user, role, None);
    absorbing(&[]).when(take(bob(), OrgRole::None)).then(&[joined(
        bob(),
        OrgRole::None,
        MembershipOrigin::Merge,
    )]);
    absorbing(&[]).when(take(ann(), OrgRole::Processor)).then(&[]);
    let member = [joined(bob(), OrgRole::None, MembershipOrigin::Plan)];
    let raised = role_assigned(bob(), OrgRole::None, OrgRole::Admin, Cause::Merge);
    absorbing(&member).when(take(bob(), OrgRole::Admin)).then(&[raised]);
    let npi = MergeCommand::TakeNpi {
        npi: npi(),
        name: name("Valley Clinic"),
        provider_type: ProviderType::parse("Clinic").unwrap(),
        community: ProviderCommunity::parse("Medical").unwrap(),
        effective_at: after(0),
    };
    absorbing(&[]).when(npi.clone().into()).then(&[attached(0)]);
    absorbing(&[attached(0)]).when(npi.into()).then(&[]);
}

#[test]
fn gn_03_a_successor_notes_the_beginning_and_the_end_of_a_merger() {
    let from = hospital();
    let begin = || OrganizationCommand::from(MergeCommand::BeginAbsorption { from });
    let begun = OrganizationEvent::OrganizationAbsorptionBegun { organization: clinic(), from };
    open_clinic(&[]).when(begin()).then(&[begun]);
    absorbing(&[]).when(begin()).then(&[]);
    given::<Organization>(&[enrolled()]).when(begin()).refused(Code::OrgNotActive);
    let complete = || OrganizationCommand::from(MergeCommand::CompleteAbsorption { from });
    let absorbed = OrganizationEvent::OrganizationAbsorbed { organization: clinic(), from };
    absorbing(&[]).when(complete()).then(std::slice::from_ref(&absorbed));
    absorbing(&[absorbed]).when(complete()).then(&[]);
}
