//! Affiliations, shown from both sides. Invariant: limits are tried on both sides of the second.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::*;
use crate::kernel::ids::{OrganizationId, UserId};
use crate::kernel::scenario::{Given, after, given, id, start};
use crate::organizations::OrganizationKind;
use crate::values::{Npi, PersonName, Reason, TransactionType};
use crate::{Actor, Code, Event, Sealed};

const THIRTY_DAYS: i64 = 30 * 86_400;

fn agency() -> OrganizationId {
    id(11)
}

fn clinic() -> OrganizationId {
    id(10)
}

fn pair() -> Pair {
    Pair { submitter: agency(), provider: clinic() }
}

fn scope() -> AffiliationScope {
    AffiliationScope {
        npis: NpiSelection::All,
        transaction_types: BTreeSet::from([TransactionType::ProfessionalClaim]),
    }
}

fn signature() -> Signature {
    Signature {
        user: id(1),
        first_name: Some(PersonName::parse("Ann").unwrap()),
        last_name: Some(PersonName::parse("Lee").unwrap()),
        role: "OWNER".to_owned(),
        eligibility_confirmed: true,
        agreement_version: "2026-01".to_owned(),
        sha256: "ab".repeat(32),
    }
}

fn request(initiator: Side) -> RequestAffiliation {
    RequestAffiliation {
        affiliation: id(70),
        pair: pair(),
        initiator,
        scope: scope(),
        submitter_kinds: BTreeSet::from([OrganizationKind::Submitter]),
        provider_kinds: BTreeSet::from([OrganizationKind::Provider]),
        signature: Some(signature()),
    }
}

fn ask(request: RequestAffiliation) -> AffiliationCommand {
    AffiliationCommand::Request(Box::new(request))
}

fn requested(initiator: Side) -> AffiliationEvent {
    AffiliationEvent::AffiliationRequested {
        affiliation: id(70),
        pair: pair(),
        initiator,
        scope: scope(),
        expires_at: after(THIRTY_DAYS),
    }
}

fn signed(side: Side) -> AffiliationEvent {
    AffiliationEvent::AffiliationAgreementSigned {
        pair: pair(),
        side,
        user: id(1),
        first_name: Sealed::new(id::<UserId>(1), PersonName::parse("Ann").unwrap()),
        last_name: Sealed::new(id::<UserId>(1), PersonName::parse("Lee").unwrap()),
        role: SignerRole::Owner,
        agreement_version: "2026-01".to_owned(),
        sha256: "ab".repeat(32),
        eligibility_confirmed: true,
    }
}

fn approved(side: Side) -> AffiliationEvent {
    AffiliationEvent::AffiliationApproved { pair: pair(), side, effective_from: start() }
}

fn denied(side: Side) -> AffiliationEvent {
    AffiliationEvent::AffiliationDenied { pair: pair(), side, denied_at: start(), reason: None }
}

fn pending(initiator: Side) -> Given<Affiliation> {
    given(&[requested(initiator), signed(initiator)])
}

fn active() -> Given<Affiliation> {
    given(&[
        requested(Side::Submitter),
        signed(Side::Submitter),
        signed(Side::Provider),
        approved(Side::Provider),
    ])
}

fn approve(organization: OrganizationId) -> AffiliationCommand {
    AffiliationCommand::Approve { organization, signature: signature() }
}

fn sign(organization: OrganizationId) -> AffiliationCommand {
    AffiliationCommand::Sign { organization, signature: signature() }
}

fn deny(organization: OrganizationId, confirm: bool) -> AffiliationCommand {
    AffiliationCommand::Deny { organization, user: id(1), confirm, reason: None }
}

fn withdraw(organization: OrganizationId) -> AffiliationCommand {
    AffiliationCommand::Withdraw { organization, user: id(1), reason: None }
}

fn terminate(organization: OrganizationId, confirm: bool, day: u32) -> AffiliationCommand {
    let ends_on = NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    AffiliationCommand::Terminate { organization, user: id(1), confirm, ends_on, reason: None }
}

#[test]
fn mc_54_either_side_initiates_and_the_other_decides() {
    for (initiator, other) in [(Side::Submitter, Side::Provider), (Side::Provider, Side::Submitter)]
    {
        given::<Affiliation>(&[])
            .when(ask(request(initiator)))
            .then(&[requested(initiator), signed(initiator)]);
        let state = pending(initiator)
            .when(approve(pair().of(other)))
            .then(&[signed(other), approved(other)]);
        assert_eq!(state.in_force(start()).unwrap().pair, pair());
        pending(initiator).when(approve(pair().of(initiator))).refused(Code::NotCounterparty);
        pending(initiator).when(deny(pair().of(other), true)).then(&[denied(other)]);
        pending(initiator).when(deny(pair().of(initiator), true)).refused(Code::NotCounterparty);
    }
}

#[test]
fn mc_54_kinds_must_fit_and_a_request_stands_once() {
    let wrong = RequestAffiliation {
        submitter_kinds: BTreeSet::from([OrganizationKind::Provider]),
        ..request(Side::Submitter)
    };
    given::<Affiliation>(&[]).when(ask(wrong)).refused(Code::OrgKindWrong);
    pending(Side::Submitter).when(ask(request(Side::Submitter))).refused(Code::AffiliationExists);
}

#[test]
fn gn_18_self_affiliation_and_empty_scopes_are_refused() {
    let alone = Pair { submitter: clinic(), provider: clinic() };
    given::<Affiliation>(&[])
        .when(ask(RequestAffiliation { pair: alone, ..request(Side::Provider) }))
        .refused(Code::SelfAffiliation);
    for scope in [
        AffiliationScope { transaction_types: BTreeSet::new(), ..scope() },
        AffiliationScope { npis: NpiSelection::Listed(BTreeSet::new()), ..scope() },
    ] {
        given::<Affiliation>(&[])
            .when(ask(RequestAffiliation { scope, ..request(Side::Submitter) }))
            .refused(Code::FieldRequired);
    }
}

#[test]
fn mc_55_the_initiator_may_sign_in_the_next_step_and_only_then_the_other_decides() {
    let unsigned = RequestAffiliation { signature: None, ..request(Side::Submitter) };
    given::<Affiliation>(&[]).when(ask(unsigned)).then(&[requested(Side::Submitter)]);
    let waiting = || given::<Affiliation>(&[requested(Side::Submitter)]);
    waiting().when(approve(clinic())).refused(Code::NotPending);
    waiting().when(sign(agency())).then(&[signed(Side::Submitter)]);
}

#[test]
fn mc_55_each_side_signs_once_and_the_second_signature_approves() {
    pending(Side::Submitter).when(sign(agency())).refused(Code::AlreadySigned);
    pending(Side::Submitter)
        .when(sign(clinic()))
        .then(&[signed(Side::Provider), approved(Side::Provider)]);
    active().when(sign(clinic())).refused(Code::AlreadySigned);
    pending(Side::Submitter).when(sign(id(12))).refused(Code::NotCounterparty);
}

#[test]
fn mc_57_a_signature_needs_the_box_both_names_and_a_role() {
    let incomplete = [
        (Signature { eligibility_confirmed: false, ..signature() }, Code::BoxNotTicked),
        (Signature { first_name: None, ..signature() }, Code::NameRequired),
        (Signature { last_name: None, ..signature() }, Code::NameRequired),
        (Signature { role: "JANITOR".to_owned(), ..signature() }, Code::RoleUnknown),
    ];
    for (signature, code) in incomplete {
        pending(Side::Submitter)
            .when(AffiliationCommand::Approve { organization: clinic(), signature })
            .refused(code);
    }
}

#[test]
fn mc_60_a_denial_is_confirmed_first_and_final() {
    pending(Side::Submitter).when(deny(clinic(), false)).refused(Code::ConfirmationRequired);
    let closed = [requested(Side::Submitter), signed(Side::Submitter), denied(Side::Provider)];
    given::<Affiliation>(&closed).when(approve(clinic())).refused(Code::NotPending);
    given::<Affiliation>(&closed).when(deny(clinic(), true)).refused(Code::NotPending);
}

#[test]
fn a_reason_is_sealed_under_who_gave_it() {
    let reason = Reason::parse("not our biller").unwrap();
    let command = AffiliationCommand::Deny {
        organization: clinic(),
        user: id(2),
        confirm: true,
        reason: Some(reason.clone()),
    };
    let who = id::<UserId>(2);
    pending(Side::Submitter).when(command).then(&[AffiliationEvent::AffiliationDenied {
        pair: pair(),
        side: Side::Provider,
        denied_at: start(),
        reason: Some(Sealed::new(who, reason)),
    }]);
}

#[test]
fn gn_18_only_the_initiator_withdraws() {
    let withdrawn = AffiliationEvent::AffiliationWithdrawn {
        pair: pair(),
        side: Side::Submitter,
        reason: None,
    };
    pending(Side::Submitter).when(withdraw(agency())).then(&[withdrawn]);
    pending(Side::Submitter).when(withdraw(clinic())).refused(Code::NotCounterparty);
    active().when(withdraw(agency())).refused(Code::NotPending);
}

#[test]
fn gn_18_a_request_runs_out_to_the_second() {
    let expired = AffiliationEvent::AffiliationExpired { pair: pair(), initiator: Side::Submitter };
    let at = |second| pending(Side::Submitter).at(after(second));
    at(THIRTY_DAYS - 1).when(AffiliationCommand::Expire).then(&[]);
    at(THIRTY_DAYS).when(AffiliationCommand::Expire).then(&[expired]);
    at(THIRTY_DAYS - 1).when(deny(clinic(), true)).then(&[AffiliationEvent::AffiliationDenied {
        pair: pair(),
        side: Side::Provider,
        denied_at: after(THIRTY_DAYS - 1),
        reason: None,
    }]);
    at(THIRTY_DAYS).when(approve(clinic())).refused(Code::NotPending);
    active().at(after(THIRTY_DAYS)).when(AffiliationCommand::Expire).then(&[]);
}

#[test]
fn gn_18_either_side_ends_it_with_a_last_day_that_counts() {
    // 2 March 2026 is today; Los Angeles is eight hours behind UTC until the 8th.
    for (organization, side) in [(clinic(), Side::Provider), (agency(), Side::Submitter)] {
        let ends_at = "2026-03-04T08:00:00Z".parse().unwrap();
        let ended = AffiliationEvent::AffiliationTerminated {
            pair: pair(),
            side,
            ends_on: NaiveDate::from_ymd_opt(2026, 3, 3).unwrap(),
            ends_at,
            reason: None,
        };
        let state =
            active().when(terminate(organization, true, 3)).then(std::slice::from_ref(&ended));
        assert!(state.in_force(ends_at - chrono::TimeDelta::seconds(1)).is_some());
        assert!(state.in_force(ends_at).is_none());
        assert_eq!(ended.facets().effective_at, Some(ends_at));
    }
}

#[test]
fn gn_18_termination_is_confirmed_never_backdated_and_for_the_two_only() {
    active().when(terminate(clinic(), false, 3)).refused(Code::ConfirmationRequired);
    active().when(terminate(clinic(), true, 1)).refused(Code::DateInvalid);
    active().when(terminate(id(12), true, 3)).refused(Code::NotCounterparty);
    pending(Side::Submitter).when(terminate(clinic(), true, 3)).refused(Code::NotPending);
}

#[test]
fn an_event_is_filed_under_the_organization_that_did_not_act() {
    assert_eq!(requested(Side::Submitter).facets().organization, Some(clinic()));
    assert_eq!(approved(Side::Provider).facets().organization, Some(agency()));
}

#[test]
fn gn_18_an_open_affiliation_is_followed_by_none() {
    let at = |given: Given<Affiliation>, seconds, side| followed(&given.state(), seconds, side);
    for side in [Side::Submitter, Side::Provider] {
        assert_eq!(at(pending(side), THIRTY_DAYS - 1, side), Err(AffiliationRefusal::Exists));
        assert_eq!(at(pending(side), THIRTY_DAYS, side), Ok(()));
        assert_eq!(at(active(), THIRTY_DAYS, side), Err(AffiliationRefusal::Exists));
    }
}

#[test]
fn gn_18_who_was_refused_waits_thirty_days_and_who_refused_does_not() {
    let denied = [requested(Side::Submitter), signed(Side::Submitter), denied(Side::Provider)];
    let state = given::<Affiliation>(&denied).state();
    let retry_at = after(THIRTY_DAYS);
    let early = Err(AffiliationRefusal::DeniedRecently { retry_at });
    assert_eq!(followed(&state, THIRTY_DAYS - 1, Side::Submitter), early);
    assert_eq!(followed(&state, THIRTY_DAYS, Side::Submitter), Ok(()));
    assert_eq!(followed(&state, 0, Side::Provider), Ok(()));
}

fn followed(state: &Affiliation, seconds: i64, initiator: Side) -> Result<(), AffiliationRefusal> {
    let policy = crate::policies::Policy::from(crate::policies::Preset::MediCal);
    let actor = crate::Actor::SYSTEM;
    let decision = crate::Decision { now: after(seconds), actor, policy: &policy };
    state.may_be_followed(initiator, &decision)
}

fn npi(number: &str) -> Npi {
    Npi::parse(number).unwrap()
}

fn assign(organization: OrganizationId, npis: &[&str]) -> AffiliationCommand {
    AffiliationCommand::AssignNpis(Box::new(AssignNpis {
        organization,
        user: id(5),
        npis: npis.iter().map(|number| npi(number)).collect(),
        held: BTreeSet::from([npi("1234567893"), npi("1245319599")]),
        cause: None,
    }))
}

fn assigned(added: &[&str], removed: &[&str], npis: &[&str]) -> AffiliationEvent {
    let set = |numbers: &[&str]| numbers.iter().map(|number| npi(number)).collect();
    AffiliationEvent::AffiliationNpisAssigned {
        pair: pair(),
        user: id(5),
        added: set(added),
        removed: set(removed),
        npis: set(npis),
        cause: None,
    }
}

#[test]
fn gn_18_the_submitter_assigns_what_the_scope_covers_and_the_provider_holds() {
    let one = ["1234567893"];
    let state = active().when(assign(agency(), &one)).then(&[assigned(&one, &[], &one)]);
    let held = state.in_force(start()).and_then(|it| it.npis_of(id(5))).cloned();
    assert_eq!(held, Some(BTreeSet::from([npi(one[0])])));
    active().when(assign(clinic(), &one)).refused(Code::NotCounterparty);
    active().when(assign(agency(), &["1679576722"])).refused(Code::NpiNotInOrg);
    active().by(Actor::user(id(5))).when(assign(agency(), &one)).refused(Code::SelfGrant);
    active().when(assign(agency(), &[])).then(&[]);
    pending(Side::Submitter).when(assign(agency(), &one)).refused(Code::NotPending);
}

#[test]
fn gn_18_a_newer_agreement_is_signed_by_each_side_once_and_renews_with_the_second() {
    let newer = || Signature { agreement_version: "2026-02".to_owned(), ..signature() };
    let sign = |organization| AffiliationCommand::Sign { organization, signature: newer() };
    let AffiliationEvent::AffiliationAgreementSigned {
        pair,
        user,
        first_name,
        last_name,
        role,
        sha256,
        ..
    } = signed(Side::Submitter)
    else {
        panic!("a signature");
    };
    let again = |side| AffiliationEvent::AffiliationAgreementSigned {
        pair,
        side,
        user,
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        role,
        agreement_version: "2026-02".to_owned(),
        sha256: sha256.clone(),
        eligibility_confirmed: true,
    };
    let renewed = AffiliationEvent::AffiliationRenewed {
        pair,
        side: Side::Submitter,
        agreement_version: "2026-02".to_owned(),
    };
    active().when(sign(clinic())).then(&[again(Side::Provider)]);
    let half = [
        requested(Side::Submitter),
        signed(Side::Submitter),
        signed(Side::Provider),
        approved(Side::Provider),
        again(Side::Provider),
    ];
    given::<Affiliation>(&half).when(sign(clinic())).refused(Code::AlreadySigned);
    given::<Affiliation>(&half).when(sign(agency())).then(&[again(Side::Submitter), renewed]);
    given::<Affiliation>(&half).when(sign(id(99))).refused(Code::NotCounterparty);
}

#[test]
fn gn_03_with_an_organization_ends_whatever_is_open_between_it_and_others() {
    let close = |organization| AffiliationCommand::EndWithOrganization { organization };
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let ended = |side| AffiliationEvent::AffiliationTerminated {
        pair: pair(),
        side,
        ends_on: today,
        ends_at: start(),
        reason: None,
    };
    let state = active().when(close(clinic())).then(&[ended(Side::Provider)]);
    assert_eq!(state.in_force(start()), None);
    let withdrawn = AffiliationEvent::AffiliationWithdrawn {
        pair: pair(),
        side: Side::Submitter,
        reason: None,
    };
    pending(Side::Submitter).when(close(agency())).then(&[withdrawn]);
    pending(Side::Submitter).when(close(clinic())).then(&[denied(Side::Provider)]);
    active().when(close(id(99))).then(&[]);
    given::<Affiliation>(&[]).when(close(clinic())).then(&[]);
    let later = AffiliationEvent::AffiliationTerminated {
        pair: pair(),
        side: Side::Provider,
        ends_on: today + chrono::Days::new(9),
        ends_at: after(THIRTY_DAYS),
        reason: None,
    };
    let history = [
        requested(Side::Submitter),
        signed(Side::Submitter),
        signed(Side::Provider),
        approved(Side::Provider),
        later,
    ];
    given::<Affiliation>(&history).when(close(agency())).then(&[ended(Side::Submitter)]);
}

#[test]
fn gn_04_the_side_that_ended_it_lets_it_go_on_until_the_last_day_is_over() {
    let cancel = |organization| AffiliationCommand::CancelTermination { organization };
    let ends_at: chrono::DateTime<chrono::Utc> = "2026-03-04T08:00:00Z".parse().unwrap();
    let ended = AffiliationEvent::AffiliationTerminated {
        pair: pair(),
        side: Side::Provider,
        ends_on: NaiveDate::from_ymd_opt(2026, 3, 3).unwrap(),
        ends_at,
        reason: None,
    };
    let history = [
        requested(Side::Submitter),
        signed(Side::Submitter),
        signed(Side::Provider),
        approved(Side::Provider),
        ended,
    ];
    let ending = || given::<Affiliation>(&history);
    let goes_on = AffiliationEvent::AffiliationTerminationCancelled {
        pair: pair(),
        side: Side::Provider,
        ends_at,
    };
    let state = ending().when(cancel(clinic())).then(&[goes_on]);
    assert!(state.in_force(ends_at).is_some());
    ending().when(cancel(agency())).refused(Code::NotCounterparty);
    ending().at(ends_at).when(cancel(clinic())).refused(Code::NotPending);
    active().when(cancel(clinic())).refused(Code::NotPending);
}

#[test]
fn gn_03_a_successor_goes_on_under_the_signatures_given() {
    let Affiliation::Active(affiliated) = active().state() else { panic!("it is in force") };
    let pair = Pair { provider: id(13), ..pair() };
    let take = || {
        AffiliationCommand::TakeOver(Box::new(TakeOver {
            affiliation: id(21),
            pair,
            side: Side::Provider,
            predecessor: id(20),
            affiliated: affiliated.clone(),
            ending: None,
        }))
    };
    let taken = AffiliationEvent::AffiliationTakenOver {
        affiliation: id(21),
        pair,
        side: Side::Provider,
        predecessor: id(20),
        scope: scope(),
        submitter_version: affiliated.signed_version(Side::Submitter).map(str::to_owned),
        provider_version: affiliated.signed_version(Side::Provider).map(str::to_owned),
        effective_from: start(),
    };
    let state = given::<Affiliation>(&[]).when(take()).then(std::slice::from_ref(&taken));
    let in_force = state.in_force(start()).expect("it is in force at once");
    assert_eq!(in_force.signed_version(Side::Submitter), Some("2026-01"));
    assert_eq!(state.predecessor(), Some(id(20)));
    given::<Affiliation>(&[taken]).when(take()).refused(Code::AffiliationExists);
}

#[test]
fn gn_03_a_successor_goes_on_with_one_that_ends_no_longer_than_that() {
    let ends_at: chrono::DateTime<chrono::Utc> = "2026-03-04T08:00:00Z".parse().unwrap();
    let ended = |pair| AffiliationEvent::AffiliationTerminated {
        pair,
        side: Side::Submitter,
        ends_on: NaiveDate::from_ymd_opt(2026, 3, 3).unwrap(),
        ends_at,
        reason: Some(Sealed::new(id::<UserId>(1), Reason::parse("Found another one.").unwrap())),
    };
    let history = [
        requested(Side::Submitter),
        signed(Side::Submitter),
        signed(Side::Provider),
        approved(Side::Provider),
        ended(pair()),
    ];
    let ending = given::<Affiliation>(&history).state();
    let affiliated = ending.in_force(start()).expect("it is in force to the end of the day");
    let pair = Pair { provider: id(13), ..pair() };
    let take = || {
        AffiliationCommand::TakeOver(Box::new(TakeOver {
            affiliation: id(21),
            pair,
            side: Side::Provider,
            predecessor: id(20),
            affiliated: affiliated.clone(),
            ending: ending.ending().cloned(),
        }))
    };
    let taken = AffiliationEvent::AffiliationTakenOver {
        affiliation: id(21),
        pair,
        side: Side::Provider,
        predecessor: id(20),
        scope: scope(),
        submitter_version: Some("2026-01".to_owned()),
        provider_version: Some("2026-01".to_owned()),
        effective_from: start(),
    };
    let state = given::<Affiliation>(&[]).when(take()).then(&[taken, ended(pair)]);
    assert!(state.in_force(ends_at - chrono::TimeDelta::seconds(1)).is_some());
    assert!(state.in_force(ends_at).is_none());
}
