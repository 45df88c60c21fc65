//! Random things happen between two reviews; what is carried forward is held against a model of them.
//!
//! Invariant: the model counts what happened to each access by itself and knows nothing of positions.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const PEOPLE: u128 = 4;

/// What happens to somebody.
#[derive(Clone, Debug)]
enum Happens {
    Role(OrgRole),
    Level(NpiLevel),
    Feature(bool),
    /// Leaves, and comes back if so.
    Leaves(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    let role = prop_oneof![Just(OrgRole::None), Just(OrgRole::Admin)];
    let level = prop_oneof![Just(NpiLevel::None), Just(NpiLevel::Processor), Just(NpiLevel::Admin)];
    prop_oneof![
        3 => role.prop_map(Happens::Role),
        3 => level.prop_map(Happens::Level),
        2 => any::<bool>().prop_map(Happens::Feature),
        1 => prop::bool::weighted(0.8).prop_map(Happens::Leaves),
    ]
}

#[derive(Clone, Debug)]
struct Person {
    is_active: bool,
    role: OrgRole,
    level: NpiLevel,
    has_feature: bool,
}

#[derive(Default)]
struct World {
    people: BTreeMap<u128, Person>,
    position: i64,
    roster: Vec<Told<OrganizationEvent>>,
    permissions: BTreeMap<UserId, Vec<Told<MembershipEvent>>>,
    /// Whatever something happened to since the last review.
    touched: BTreeSet<(UserId, ReviewedAccess)>,
}

impl World {
    fn new() -> Self {
        let person = |n: u128| Person {
            is_active: true,
            role: if n == 1 { OrgRole::Admin } else { OrgRole::None },
            level: NpiLevel::Admin,
            has_feature: n.is_multiple_of(2),
        };
        let people = (1..=PEOPLE).map(|n| (n, person(n))).collect();
        Self { people, position: 1, ..Self::default() }
    }

    /// Everything that there is to review, in the order of a list.
    fn list(&self) -> Vec<Reviewed> {
        let mut list = Vec::new();
        for (n, person) in self.people.iter().filter(|(_, person)| person.is_active) {
            list.push(member(*n, person.role));
            if person.level > NpiLevel::None {
                list.push(Reviewed { access: at_level(person.level), ..level_of(*n) });
            }
            list.extend(person.has_feature.then(|| feature_of(*n)));
        }
        list.sort();
        list
    }

    fn touch(&mut self, n: u128, access: &ReviewedAccess) {
        self.touched.insert((id(n), access.thing()));
    }

    fn tell_roster(&mut self, event: OrganizationEvent) {
        self.position += 1;
        self.roster.push(Told { position: self.position, occurred_at: start(), event });
    }

    fn tell(&mut self, n: u128, event: MembershipEvent) {
        self.position += 1;
        let told = Told { position: self.position, occurred_at: start(), event };
        self.permissions.entry(id(n)).or_default().push(told);
    }

    fn happen(&mut self, n: u128, what: &Happens) {
        let person = self.people[&n].clone();
        let (organization, user, cause) = (mercy(), id(n), Cause::Administrator);
        if !person.is_active {
            return;
        }
        match *what {
            Happens::Role(new) => {
                let old = person.role;
                self.tell_roster(OrganizationEvent::OrgRoleAssigned {
                    organization,
                    user,
                    old,
                    new,
                    cause,
                });
                self.touch(n, &member(n, new).access);
                self.people.get_mut(&n).unwrap().role = new;
            }
            Happens::Level(new) => {
                let ReviewedAccess::Npi { npi, .. } = level_of(n).access else { panic!() };
                let (old, until) = (person.level, None);
                self.tell(
                    n,
                    MembershipEvent::NpiPermissionSet {
                        user,
                        organization,
                        npi,
                        old,
                        new,
                        until,
                        cause,
                    },
                );
                self.touch(n, &level_of(n).access);
                self.people.get_mut(&n).unwrap().level = new;
            }
            Happens::Feature(given) => {
                let feature = Feature::Claims;
                let event = if given {
                    let until = None;
                    MembershipEvent::FeatureGranted { user, organization, feature, until, cause }
                } else {
                    MembershipEvent::FeatureRevoked { user, organization, feature, cause }
                };
                self.tell(n, event);
                self.touch(n, &feature_of(n).access);
                self.people.get_mut(&n).unwrap().has_feature = given;
            }
            Happens::Leaves(comes_back) => {
                self.tell_roster(OrganizationEvent::UserDeactivated {
                    organization,
                    user,
                    reason: None,
                    left_on: None,
                    deactivated_at: start(),
                    effective_at: start(),
                });
                if comes_back {
                    let reactivated_at = Some(after(1));
                    let back =
                        OrganizationEvent::UserReactivated { organization, user, reactivated_at };
                    self.tell_roster(back);
                }
                self.people.get_mut(&n).unwrap().is_active = comes_back;
                for access in
                    [member(n, OrgRole::None).access, level_of(n).access, feature_of(n).access]
                {
                    self.touch(n, &access);
                }
            }
        }
    }

    fn history(&self) -> Since {
        Since::of(self.roster.clone(), self.permissions.clone(), Vec::new())
    }
}

fn at_level(level: NpiLevel) -> ReviewedAccess {
    let ReviewedAccess::Npi { npi, until, .. } = level_of(1).access else { panic!() };
    ReviewedAccess::Npi { npi, level, until }
}

/// A review of this list in which everything is kept, but for the items of which something is taken away;
/// with the facts of it.
fn review_of(
    split: Split,
    since: Option<AccessReviewId>,
    (number, taken): (u128, &[usize]),
) -> Result<Vec<AccessReviewEvent>, TestCaseError> {
    let whole = split.len();
    let to_decide = split.listed.len();
    let changes = since.map_or(Changes::All, |since| Changes::Only { since: Some(since) });
    let new = NewReview { review: id(number), list: split, changes, ..new_review(Vec::new()) };
    let mut events = given::<AccessReview>(&[]).when(open(new)).events().to_vec();
    let state = given::<AccessReview>(&events).state();
    let review = state.review().unwrap();
    prop_assert_eq!(usize::try_from(review.population).unwrap(), whole);
    prop_assert_eq!(review.items().count(), whole);
    prop_assert_eq!(usize::try_from(review.undecided).unwrap(), to_decide);
    for item in 1..=u32::try_from(to_decide).unwrap() {
        let is_taken = taken.contains(&usize::try_from(item).unwrap());
        let decision = if is_taken { REVOKE } else { KEEP };
        let by = given::<AccessReview>(&events).by(bob()).when(decide(&[item], decision));
        events.extend(by.events().to_vec());
        if is_taken {
            let done = given::<AccessReview>(&events).when(record(item, true));
            events.extend(done.events().to_vec());
        }
    }
    let signed = signing(&events, &[]);
    let AccessReviewEvent::AccessReviewCompleted { totals, .. } = &signed else { panic!() };
    prop_assert_eq!(usize::try_from(totals.population).unwrap(), whole);
    prop_assert_eq!(usize::try_from(totals.carried_forward).unwrap(), whole - to_decide);
    events.push(signed);
    Ok(events)
}

/// What happens before a review, and which of its items are taken away.
type Round = (Vec<(u128, Happens)>, Vec<usize>);

fn walk(rounds: Vec<Round>) -> Result<usize, TestCaseError> {
    let (mut world, mut baseline, mut before) = (World::new(), Baseline::default(), None);
    // Of the last review: what was kept, and who decided that where.
    let mut kept: BTreeMap<Reviewed, AccessReviewId> = BTreeMap::new();
    let mut carried_in_all = 0;
    for (nth, (happened, taken)) in (100..).zip(rounds) {
        world.touched.clear();
        happened.iter().for_each(|(n, what)| world.happen(*n, what));
        let list = world.list();
        let split = baseline.split(list.clone(), &world.history());
        let mut whole: Vec<Reviewed> = split.all().cloned().collect();
        whole.sort();
        prop_assert_eq!(&whole, &list, "listed and carried are everything, once");
        let is_unchanged = |it: &Reviewed| {
            kept.contains_key(it) && !world.touched.contains(&(it.user, it.access.thing()))
        };
        for carried in &split.carried {
            let reviewed = &carried.reviewed;
            prop_assert!(is_unchanged(reviewed), "{:?} changed", reviewed);
            prop_assert_eq!(carried.certified.review, kept[reviewed]);
        }
        prop_assert!(!split.listed.iter().any(is_unchanged), "asked again without need");
        carried_in_all += split.carried.len();
        if split.listed.is_empty() {
            continue;
        }
        let origin = |it: &Reviewed| {
            let was = split.carried.iter().find(|carried| carried.reviewed == *it);
            was.map_or(id(nth), |carried| carried.certified.review)
        };
        let is_taken = |it: &Reviewed| taken.iter().any(|at| split.listed.get(at - 1) == Some(it));
        kept = list.iter().filter(|it| !is_taken(it)).map(|it| (it.clone(), origin(it))).collect();
        let events = review_of(split, before, (nth, &taken))?;
        let places = told(world.position + 1, &events);
        world.position += i64::try_from(events.len()).unwrap();
        baseline = Baseline::of(&places);
        before = Some(id(nth));
    }
    Ok(carried_in_all)
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let happened = prop::collection::vec((1..=PEOPLE, happens()), 0..5);
    let taken = prop::collection::vec(1..=12_usize, 0..2);
    prop::collection::vec((happened, taken), 2..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn gn_15_listed_and_carried_are_everything_and_nothing_that_changed_is_carried(
        rounds in rounds()
    ) {
        walk(rounds)?;
    }
}

#[test]
fn a_quiet_year_is_carried_forward_as_a_whole() {
    let quiet = (Vec::new(), Vec::new());
    assert_eq!(walk(vec![quiet.clone(), quiet]).unwrap(), World::new().list().len());
}
