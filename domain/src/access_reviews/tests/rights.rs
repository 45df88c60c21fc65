//! Single rights on a list: which are listed, what is decided about them, and what is given back.

use super::*;
use crate::kernel::ids::JobRoleId;
use crate::kernel::scenario::Given;
use crate::permissions::{
    Cause, CorrespondenceScope, Entitlement, JobRole, JobRoleEvent, JobRoles, Membership,
    MembershipEvent, NpiLevel, NpiScope,
};
use crate::policies::Feature;
use crate::values::{CorrespondenceType, JobRoleName, Npi};

const NPIS: [&str; 2] = ["1234567893", "1245319599"];

fn npi(n: usize) -> Npi {
    Npi::parse(NPIS[n]).unwrap()
}

fn one(n: usize) -> NpiScope {
    NpiScope::One(npi(n))
}

fn level(npi: NpiScope, level: NpiLevel) -> ReviewedAccess {
    ReviewedAccess::Npi { npi, level, until: None }
}

fn granted(grant: Entitlement) -> ReviewedAccess {
    ReviewedAccess::Grant { grant, until: None }
}

fn claims() -> Entitlement {
    Entitlement::Feature(Feature::Claims)
}

fn biller() -> JobRoleId {
    id(40)
}

fn types(npi: NpiScope, kind: &str) -> ReviewedAccess {
    let types = CorrespondenceScope::One(CorrespondenceType::parse(kind).unwrap());
    ReviewedAccess::Correspondence { npi, types }
}

/// Person `n` is Admin of the first NPI.
pub(super) fn level_of(n: u128) -> Reviewed {
    Reviewed { user: id(n), access: level(one(0), NpiLevel::Admin) }
}

pub(super) fn feature_of(n: u128) -> Reviewed {
    Reviewed { user: id(n), access: granted(claims()) }
}

fn level_set(npi: NpiScope, new: NpiLevel, cause: Cause) -> MembershipEvent {
    MembershipEvent::NpiPermissionSet {
        user: id(1),
        organization: mercy(),
        npi,
        old: NpiLevel::None,
        new,
        until: None,
        cause,
    }
}

fn types_set(npi: NpiScope, old: &[&str], new: &[&str], cause: Cause) -> MembershipEvent {
    let scopes = |kinds: &[&str]| -> std::collections::BTreeSet<CorrespondenceScope> {
        let of = |kind: &&str| CorrespondenceScope::One(CorrespondenceType::parse(kind).unwrap());
        kinds.iter().map(of).collect()
    };
    let (before, types) = (scopes(old), scopes(new));
    MembershipEvent::CorrespondencePermissionSet {
        user: id(1),
        organization: mercy(),
        npi,
        added: types.difference(&before).cloned().collect(),
        removed: before.difference(&types).cloned().collect(),
        types,
        cause,
    }
}

fn feature_granted(until: Option<DateTime<Utc>>) -> MembershipEvent {
    let (user, organization, cause) = (id(1), mercy(), Cause::Administrator);
    MembershipEvent::FeatureGranted { user, organization, feature: Feature::Claims, until, cause }
}

fn role_assigned() -> MembershipEvent {
    let (user, organization, cause) = (id(1), mercy(), Cause::Administrator);
    MembershipEvent::JobRoleAssigned { user, organization, role: biller(), until: None, cause }
}

fn bundling(features: &[Feature]) -> JobRoles {
    let defined = JobRoleEvent::JobRoleDefined {
        role: biller(),
        organization: Some(mercy()),
        name: JobRoleName::parse("Biller").unwrap(),
        features: features.iter().copied().collect(),
    };
    let state = given::<JobRole>(&[defined]).state();
    JobRoles::from([(biller(), std::sync::Arc::new(state))])
}

const ADMIN: Cause = Cause::Administrator;

/// Admin for all, Processor for the first NPI and reads TAX_DOCUMENTS for it, no access to the second.
fn history() -> Vec<MembershipEvent> {
    vec![
        level_set(NpiScope::All, NpiLevel::Admin, ADMIN),
        level_set(one(0), NpiLevel::Processor, ADMIN),
        level_set(one(1), NpiLevel::None, ADMIN),
        types_set(one(0), &[], &["TAX_DOCUMENTS"], ADMIN),
        feature_granted(Some(after(60))),
        role_assigned(),
    ]
}

#[test]
fn gn_15_a_list_of_rights_is_what_is_held_by_kind_and_thing_and_narrowed_to_what_counts() {
    let membership = given::<Membership>(&history()).state();
    let roles = bundling(&[Feature::Claims]);
    let listed = |scope: &ReviewScope, now| {
        let (membership, submissions) = (&membership, &Submissions::new());
        let holding = Holding { membership, submissions, now };
        rights_in_scope(scope, Granted { holding, job_roles: &roles })
    };
    let all = level(NpiScope::All, NpiLevel::Admin);
    let first = level(one(0), NpiLevel::Processor);
    let reads = types(one(0), "TAX_DOCUMENTS");
    let feature = ReviewedAccess::Grant { grant: claims(), until: Some(after(60)) };
    let role = granted(Entitlement::JobRole(biller()));
    let every = [&all, &first, &reads, &feature, &role].map(Clone::clone);
    assert_eq!(listed(&ReviewScope::Rights, start()), every);
    // No access is no right, and what is over is none.
    let later = [&all, &first, &reads, &role].map(Clone::clone);
    assert_eq!(listed(&ReviewScope::Rights, after(60)), later);
    let of = |scope: ReviewScope| listed(&scope, start());
    assert_eq!(of(ReviewScope::Npi { npi: None }), [all.clone(), first.clone(), reads.clone()]);
    // By the entry that decides: the NPI's own, no access included, else the one for all.
    assert_eq!(of(ReviewScope::Npi { npi: Some(npi(0)) }), [first, reads]);
    assert_eq!(of(ReviewScope::Npi { npi: Some(npi(1)) }), Vec::new());
    let third = Npi::parse("1558598797").unwrap();
    assert_eq!(of(ReviewScope::Npi { npi: Some(third) }), [all]);
    let both = [feature.clone(), role.clone()];
    assert_eq!(of(ReviewScope::Feature { feature: Some(Feature::Claims) }), both);
    assert_eq!(of(ReviewScope::Feature { feature: None }), both);
    assert_eq!(of(ReviewScope::Feature { feature: Some(Feature::Chat) }), Vec::new());
    assert_eq!(of(ReviewScope::JobRole { role: Some(biller()) }), std::slice::from_ref(&role));
    assert_eq!(of(ReviewScope::JobRole { role: None }), [role]);
    assert_eq!(of(ReviewScope::JobRole { role: Some(id(41)) }), Vec::new());
    let location = |location| ReviewScope::Location { location };
    assert_eq!(of(location(None)), Vec::new(), "none is granted");
    let (user, organization, cause, until) = (id(1), mercy(), ADMIN, None);
    let branch = |n| MembershipEvent::LocationAccessGranted {
        user,
        organization,
        location: id(n),
        until,
        cause,
    };
    let at_two = given::<Membership>(&[history(), vec![branch(50), branch(51)]].concat()).state();
    let of_two = |scope: &ReviewScope| {
        let (membership, submissions, job_roles) = (&at_two, &Submissions::new(), &roles);
        let holding = Holding { membership, submissions, now: start() };
        rights_in_scope(scope, Granted { holding, job_roles })
    };
    let places = [50, 51].map(|n| granted(Entitlement::Location(id(n))));
    assert_eq!(of_two(&location(None)), places);
    assert_eq!(of_two(&location(Some(id(51)))), places[1..]);
    assert_eq!(of_two(&location(Some(id(52)))), Vec::new());
    assert_eq!(of(ReviewScope::Roster), Vec::new());
}

/// Items 1 and 2 are the same level of two people, one of them until a day; 3 and 4 features of these.
fn rights() -> Vec<Reviewed> {
    let (npi, until) = (one(0), Some(days(40)));
    let ends = ReviewedAccess::Npi { npi, level: NpiLevel::Admin, until };
    vec![level_of(1), Reviewed { user: id(2), access: ends }, feature_of(1), feature_of(2)]
}

fn of_rights() -> Given<AccessReview> {
    let new = NewReview { scope: ReviewScope::Rights, ..new_review(rights()) };
    given::<AccessReview>(given::<AccessReview>(&[]).when(open(new)).events()).by(bob())
}

#[test]
fn cc_13_a_right_is_kept_or_taken_and_only_a_level_is_lowered() {
    let refused =
        |items: &[u32], decision, code| of_rights().when(decide(items, decision)).refused(code);
    let last = CalendarDate::parse("2026-03-16").unwrap();
    let day = refused(&[1], ReviewDecision::Revoke { left_on: Some(last) }, Code::FieldInvalid);
    assert_eq!(day.field, ["leftOn"]);
    let role =
        refused(&[1], ReviewDecision::Change { role: OrgRole::Processor }, Code::FieldInvalid);
    assert_eq!((role.field, role.details), (vec!["decision".to_owned()], vec!["1".to_owned()]));
    let to = |level| ReviewDecision::ChangeLevel { level };
    for level in [NpiLevel::None, NpiLevel::Admin] {
        assert_eq!(refused(&[1], to(level), Code::FieldInvalid).field, ["level"]);
    }
    assert_eq!(refused(&[3], to(NpiLevel::Processor), Code::FieldInvalid).field, ["decision"]);
    let member = given::<AccessReview>(&opened()).by(bob());
    member.when(decide(&[1], to(NpiLevel::Processor))).refused(Code::FieldInvalid);
    let lowered = of_rights().when(decide(&[1, 2], to(NpiLevel::Processor)));
    assert_eq!(lowered.events().len(), 2);
    let AccessReviewEvent::ReviewItemDecided(decided) = &lowered.events()[1] else { panic!() };
    assert_eq!(decided.right.as_ref(), Some(&rights()[1].access), "what it is about is told");
}

#[test]
fn gn_15_at_once_one_and_the_same_right_is_taken_whenever_it_ends() {
    assert_eq!(of_rights().when(decide(&[1, 2], REVOKE)).events().len(), 2);
    of_rights().when(decide(&[1, 3], REVOKE)).refused(Code::FieldInvalid);
    assert_eq!(of_rights().when(decide(&[1, 2, 3, 4], KEEP)).events().len(), 4);
    let own = of_rights().by(Actor::user(id(2))).when(decide(&[1, 2], REVOKE));
    own.refused(Code::SelfReview);
}

#[test]
fn what_is_held_now_is_told_at_its_present_level_and_end() {
    let membership = given::<Membership>(&history()).state();
    let held = |right: &ReviewedAccess, now| {
        let (membership, submissions) = (&membership, &Submissions::new());
        right.held_now(Holding { membership, submissions, now })
    };
    let listed = level(one(0), NpiLevel::Admin);
    assert_eq!(held(&listed, start()), Some(level(one(0), NpiLevel::Processor)));
    assert_eq!(held(&level(one(1), NpiLevel::Admin), start()), None, "no access");
    let feature = granted(claims());
    let until = ReviewedAccess::Grant { grant: claims(), until: Some(after(60)) };
    assert_eq!(held(&feature, start()), Some(until.clone()));
    assert_eq!(held(&feature, after(60)), None);
    assert_eq!(held(&types(one(0), "RAD"), start()), None);
    assert_eq!((until.without_end(), listed.thing()), (feature, level(one(0), NpiLevel::None)));
}

#[test]
fn only_what_a_review_took_last_is_given_back_with_the_correspondence_that_went() {
    let listed = level(one(0), NpiLevel::Processor);
    let with = |more: &[MembershipEvent]| [history(), more.to_vec()].concat();
    assert!(!listed.was_taken_by_review(&history()));
    let taken = level_set(one(0), NpiLevel::None, Cause::Review);
    let went = types_set(one(0), &["TAX_DOCUMENTS"], &[], Cause::NpiPermissionRemoved);
    let by_review = with(&[taken.clone(), went.clone()]);
    assert!(listed.was_taken_by_review(&by_review));
    assert!(!types(one(0), "TAX_DOCUMENTS").was_taken_by_review(&by_review), "it went along");
    let back = listed.gone_with_it(&by_review);
    assert_eq!(back.keys().collect::<Vec<_>>(), [&one(0)]);
    assert_eq!(back[&one(0)].len(), 1);
    // Somebody decided otherwise since.
    let other = level_set(one(0), NpiLevel::None, ADMIN);
    assert!(!listed.was_taken_by_review(&with(&[taken.clone(), went.clone(), other])));
    let set = types_set(one(0), &[], &["RAD"], ADMIN);
    assert_eq!(listed.gone_with_it(&with(&[taken, went, set])).len(), 0);
    let lower = |cause| with(&[level_set(one(0), NpiLevel::Processor, cause)]);
    let admin = level(one(0), NpiLevel::Admin);
    assert!(admin.was_lowered_by_review(NpiLevel::Processor, &lower(Cause::Review)));
    assert!(!admin.was_lowered_by_review(NpiLevel::Processor, &lower(ADMIN)));
    assert!(!admin.was_lowered_by_review(NpiLevel::None, &lower(Cause::Review)));
    let feature = granted(claims());
    let (user, organization) = (id(1), mercy());
    let revoked = |cause| MembershipEvent::FeatureRevoked {
        user,
        organization,
        feature: Feature::Claims,
        cause,
    };
    assert!(feature.was_taken_by_review(&with(&[revoked(Cause::Review), role_assigned()])));
    assert!(!feature.was_taken_by_review(&with(&[revoked(ADMIN)])));
    assert!(!feature.was_taken_by_review(&with(&[revoked(Cause::Review), feature_granted(None)])));
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn rights_and_scopes_are_stored_under_names_that_stay() {
    let ends = ReviewedAccess::Grant { grant: claims(), until: Some(start()) };
    for (right, text) in [
        (level(NpiScope::All, NpiLevel::Admin), r#"{"NPI":{"npi":"*","level":"ADMIN"}}"#),
        (types(one(0), "RAD"), r#"{"CORRESPONDENCE":{"npi":"1234567893","types":"RAD"}}"#),
        (granted(claims()), r#"{"GRANT":{"grant":{"FEATURE":"CLAIMS"}}}"#),
        (ends, r#"{"GRANT":{"grant":{"FEATURE":"CLAIMS"},"until":"2026-03-02T17:00:00Z"}}"#),
    ] {
        assert_eq!(json(&right), text);
        assert_eq!(serde_json::from_str::<ReviewedAccess>(text).unwrap(), right);
    }
    for (scope, text) in [
        (ReviewScope::Rights, r#""RIGHTS""#),
        (ReviewScope::Npi { npi: None }, r#"{"NPI":{"npi":null}}"#),
        (ReviewScope::Npi { npi: Some(npi(0)) }, r#"{"NPI":{"npi":"1234567893"}}"#),
        (
            ReviewScope::Feature { feature: Some(Feature::Claims) },
            r#"{"FEATURE":{"feature":"CLAIMS"}}"#,
        ),
        (ReviewScope::JobRole { role: None }, r#"{"JOB_ROLE":{"role":null}}"#),
        (ReviewScope::Location { location: None }, r#"{"LOCATION":{"location":null}}"#),
    ] {
        assert_eq!(json(&scope), text);
        assert_eq!(serde_json::from_str::<ReviewScope>(text).unwrap(), scope);
    }
    let decision = ReviewDecision::ChangeLevel { level: NpiLevel::Processor };
    assert_eq!(json(&decision), r#"{"CHANGE_LEVEL":{"level":"PROCESSOR"}}"#);
}
