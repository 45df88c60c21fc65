//! Delta certification: what is carried forward of a signed review, and what is asked again (GN-15).

mod random;

use super::rights::{feature_of, level_of};
use super::*;
use crate::Told;
use crate::kernel::ids::JobRoleId;
use crate::organizations::OrganizationEvent;
use crate::permissions::{
    Cause, CorrespondenceScope, Entitlement, JobRoleEvent, MembershipEvent, NpiLevel, NpiScope,
};
use crate::policies::Feature;
use crate::values::{CorrespondenceType, JobRoleName};

/// One after the other, from this place on.
fn told<E: Clone>(from: i64, events: &[E]) -> Vec<Told<E>> {
    let places = (from..).zip(events);
    places
        .map(|(position, event)| Told { position, occurred_at: start(), event: event.clone() })
        .collect()
}

fn signing(events: &[AccessReviewEvent], gone: &[u32]) -> AccessReviewEvent {
    let signed = given::<AccessReview>(events).by(bob()).when(completing(complete(gone)));
    signed.events()[0].clone()
}

/// The roster of three, reviewed and signed: the first kept, the second taken away, the third made a
/// member without permission.
fn signed() -> Vec<AccessReviewEvent> {
    let demoted = ReviewDecision::Change { role: OrgRole::None };
    let decisions = [(1, KEEP), (2, REVOKE), (3, demoted)];
    let decided = decisions.map(|(item, new)| decided(item, (None, new), start()));
    let mut events = history(&decided);
    events.push(AccessReviewEvent::ReviewRevocationExecuted(execution(2, true)));
    events.push(AccessReviewEvent::ReviewChangeExecuted(execution(3, true)));
    let signing = signing(&events, &[]);
    events.push(signing);
    events
}

fn certification() -> Certification {
    Certification { review: review(), by: id(20), at: start() }
}

fn carried(reviewed: Reviewed) -> Carried {
    Carried { reviewed, certified: certification() }
}

fn role_assigned(n: u128, new: OrgRole, cause: Cause) -> OrganizationEvent {
    OrganizationEvent::OrgRoleAssigned {
        organization: mercy(),
        user: id(n),
        old: OrgRole::Admin,
        new,
        cause,
    }
}

fn since(roster: &[OrganizationEvent], permissions: &[MembershipEvent]) -> Since {
    let permissions = [(id(1), told(100, permissions))].into();
    Since::of(told(100, roster), permissions, Vec::new())
}

#[test]
fn gn_15_what_was_kept_or_changed_and_is_held_so_is_carried_forward() {
    let baseline = Baseline::of(&told(10, &signed()));
    let now = vec![member(1, OrgRole::None), member(3, OrgRole::None), member(4, OrgRole::None)];
    let split = baseline.split(now.clone(), &Since::default());
    assert_eq!(split.listed, [member(4, OrgRole::None)]);
    assert_eq!(split.carried, [carried(now[0].clone()), carried(now[1].clone())]);
    // The role that the review gave is its own doing; one that somebody gave at that moment is not.
    let by = |cause| since(&[role_assigned(3, OrgRole::None, cause)], &[]);
    assert_eq!(baseline.split(now.clone(), &by(Cause::Review)).carried.len(), 2);
    assert_eq!(baseline.split(now, &by(Cause::Administrator)).carried.len(), 1);
    // Whom it took away, and who has another role now, is asked about.
    let other = vec![member(1, OrgRole::Processor), member(2, OrgRole::None)];
    assert_eq!(baseline.split(other.clone(), &Since::default()).listed, other);
}

#[test]
fn gn_15_only_what_was_signed_certifies() {
    let whole = signed();
    let open = &whole[..whole.len() - 1];
    assert!(Baseline::of(&told(10, open)).is_empty());
    assert!(Baseline::of(&[]).is_empty());
    // Who was gone was certified by nobody.
    let kept = [1, 2, 3].map(|item| decided(item, (None, KEEP), start()));
    let mut events = history(&kept);
    let signing = signing(&events, &[1]);
    events.push(signing);
    let split = Baseline::of(&told(10, &events)).split(roster(), &Since::default());
    assert_eq!((split.listed, split.carried.len()), (vec![member(1, OrgRole::None)], 2));
}

#[test]
fn gn_15_where_nothing_changed_only_what_the_schedule_asks_for_is_opened_to_be_signed() {
    let carried = vec![carried(member(1, OrgRole::None))];
    let list = Split { listed: Vec::new(), carried };
    let open = |opened_by| {
        let changes = Changes::Only { since: Some(review()) };
        let new = NewReview { opened_by, list: list.clone(), changes, ..new_review(Vec::new()) };
        given::<AccessReview>(&[]).when(AccessReviewCommand::Open(Box::new(new)))
    };
    open(Opener::ByHand { user: id(20) }).refused(Code::FieldInvalid);
    assert_eq!(open(Opener::Scheduled).events().len(), 2);
}

#[test]
fn gn_15_access_that_was_interrupted_is_asked_about_though_it_is_as_it_was() {
    let baseline = Baseline::of(&told(10, &signed()));
    let (organization, user) = (mercy(), id(1));
    let left = OrganizationEvent::UserDeactivated {
        organization,
        user,
        reason: None,
        left_on: None,
        deactivated_at: start(),
        effective_at: start(),
    };
    let back = OrganizationEvent::UserReactivated { organization, user, reactivated_at: None };
    let list = || vec![member(1, OrgRole::None)];
    assert_eq!(baseline.split(list(), &since(&[left, back], &[])).listed, list());
    let [up, down] =
        [OrgRole::Admin, OrgRole::None].map(|new| role_assigned(1, new, Cause::Review));
    assert_eq!(baseline.split(list(), &since(&[up, down], &[])).listed, list());
    let others = role_assigned(7, OrgRole::Admin, Cause::Administrator);
    assert_eq!(baseline.split(list(), &since(&[others], &[])).listed, []);
}

fn level_set(npi: NpiScope, (old, new): (NpiLevel, NpiLevel), cause: Cause) -> MembershipEvent {
    let (user, organization, until) = (id(1), mercy(), None);
    MembershipEvent::NpiPermissionSet { user, organization, npi, old, new, until, cause }
}

fn touched(access: ReviewedAccess, permissions: &[MembershipEvent]) -> bool {
    since(&[], permissions).is_touched(&Reviewed { user: id(1), access }, 50, start())
}

#[test]
fn a_right_is_touched_by_what_set_or_ended_it_and_correspondence_by_the_level_it_rests_on() {
    let ReviewedAccess::Npi { npi, .. } = level_of(1).access else { panic!() };
    let access = level_of(1).access;
    let set = |npi: &NpiScope, old, new| level_set(npi.clone(), (old, new), Cause::Administrator);
    let (none, low, high) = (NpiLevel::None, NpiLevel::Processor, NpiLevel::Admin);
    assert!(touched(access.clone(), &[set(&npi, low, high)]));
    assert!(!touched(access.clone(), &[set(&NpiScope::All, low, high)]), "another entry");
    let given_back = level_set(npi.clone(), (none, high), Cause::Review);
    assert!(!touched(access.clone(), std::slice::from_ref(&given_back)), "by the decision itself");
    let later = [(id(1), vec![Told { position: 100, occurred_at: after(1), event: given_back }])];
    let later = Since::of(Vec::new(), later.into(), Vec::new());
    assert!(later.is_touched(&level_of(1), 50, start()), "another review's");
    assert!(!later.is_touched(&level_of(1), 100, start()), "before it was decided");
    assert!(!later.is_touched(&feature_of(1), 50, start()), "about another right");

    let kind = CorrespondenceScope::One(CorrespondenceType::parse("RAD").unwrap());
    let letters = ReviewedAccess::Correspondence { npi: npi.clone(), types: kind };
    assert!(!touched(letters.clone(), &[set(&npi, low, high)]), "read all the time");
    assert!(touched(letters.clone(), &[set(&npi, low, none)]));
    assert!(touched(letters, &[set(&NpiScope::All, none, low)]));

    let (user, organization) = (id(1), mercy());
    let ended = MembershipEvent::GrantExpired {
        user,
        organization,
        grant: Entitlement::Feature(Feature::Claims),
        effective_at: start(),
    };
    assert!(touched(feature_of(1).access, &[ended]));
}

#[test]
fn a_job_role_that_was_defined_anew_is_asked_about() {
    let role: JobRoleId = id(40);
    let grant = Entitlement::JobRole(role);
    let held = Reviewed { user: id(1), access: ReviewedAccess::Grant { grant, until: None } };
    let defined = JobRoleEvent::JobRoleDefined {
        role,
        organization: None,
        name: JobRoleName::parse("Biller").unwrap(),
        features: [Feature::Claims].into(),
    };
    let since = Since::of(Vec::new(), BTreeMap::new(), told(100, &[defined]));
    assert!(since.is_touched(&held, 50, start()));
    assert!(!since.is_touched(&held, 100, start()));
    assert_eq!(job_roles_of([held, feature_of(1)].iter()), [role].into());
}

/// A review of two people of whom one was certified before.
fn changed_only(split: Split) -> NewReview {
    let changes = Changes::Only { since: Some(id(8)) };
    NewReview { list: split, changes, ..new_review(Vec::new()) }
}

fn second_opened() -> Vec<AccessReviewEvent> {
    let certified = Certification { review: id(8), ..certification() };
    let split = Split {
        listed: vec![member(2, OrgRole::Admin)],
        carried: vec![Carried { reviewed: member(1, OrgRole::None), certified }],
    };
    given::<AccessReview>(&[]).when(open(changed_only(split))).events().to_vec()
}

#[test]
fn gn_15_what_is_carried_forward_is_listed_after_the_rest_and_needs_no_decision() {
    let events = second_opened();
    let certified = Certification { review: id(8), ..certification() };
    let [
        AccessReviewEvent::AccessReviewOpened {
            items, sha256, changed_only, compared_with, ..
        },
        _,
        carried,
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((*items, *changed_only, *compared_with), (2, true, Some(id(8))));
    let lines = [(1, member(2, OrgRole::Admin)), (2, member(1, OrgRole::None))];
    let lines = lines.map(|(item, it)| ReviewItem { item, user: it.user, access: it.access });
    assert_eq!(*sha256, sha256_of_lines(&lines));
    let [_, ReviewItem { item, user, access }] = lines;
    assert_eq!(
        *carried,
        AccessReviewEvent::ReviewItemsCarriedForward {
            organization: mercy(),
            from: id(8),
            first: 2,
            items: vec![CarriedItem { item, user, access, certified }],
        }
    );
    let one = [events.clone(), vec![decided(1, (None, KEEP), start())]].concat();
    let state = given::<AccessReview>(&one).state();
    assert_eq!(state.review().unwrap().undecided, 0);
    let signed = signing(&one, &[]);
    let AccessReviewEvent::AccessReviewCompleted { totals, .. } = &signed else { panic!() };
    let expected = ReviewTotals { population: 2, kept: 1, carried_forward: 1, ..<_>::default() };
    assert_eq!(*totals, expected);
    let gone = signing(&one, &[2]);
    let AccessReviewEvent::AccessReviewCompleted { totals, .. } = &gone else { panic!() };
    assert_eq!((totals.gone, totals.carried_forward), (1, 0));
    // What was carried twice is told as whoever decided it.
    let twice = [one, vec![signed]].concat();
    let split =
        Baseline::of(&told(30, &twice)).split(vec![member(1, OrgRole::None)], &Since::default());
    assert_eq!(split.carried, [Carried { reviewed: member(1, OrgRole::None), certified }]);
}

#[test]
fn a_reviewer_may_decide_about_what_is_carried_forward_all_the_same() {
    let taken = given::<AccessReview>(&second_opened()).by(bob());
    let by = DecideItems { reason: Some(reason()), ..wish(&[2], REVOKE) };
    let taken = taken.when(AccessReviewCommand::Decide(Box::new(by)));
    let events = [second_opened(), taken.events().to_vec()].concat();
    let state = given::<AccessReview>(&events).state();
    let review = state.review().unwrap();
    assert_eq!(review.undecided, 1);
    assert_eq!(review.item(2).unwrap().outcome(false), ItemOutcome::Pending);
}

#[test]
fn gn_15_where_nothing_changed_no_review_is_opened_and_that_is_said() {
    let split = Split { listed: Vec::new(), carried: vec![carried(member(1, OrgRole::None))] };
    let refused = given::<AccessReview>(&[]).when(open(changed_only(split)));
    let refusal = refused.refused(Code::FieldInvalid);
    assert_eq!(refusal.field, ["changedOnly"]);
    assert_eq!(refusal.details, [id::<AccessReviewId>(8).to_string()]);
    let nobody = given::<AccessReview>(&[]).when(open(changed_only(Split::default())));
    assert_eq!(nobody.refused(Code::FieldInvalid).field, ["scope"]);
    let twice = Split {
        listed: vec![member(1, OrgRole::None)],
        carried: vec![carried(member(1, OrgRole::None))],
    };
    given::<AccessReview>(&[]).when(open(changed_only(twice))).refused(Code::FieldInvalid);
}
